/** Key pairs of SSH. A private key stands in the payload that made it and nowhere else. */
import {
  Arg,
  Args,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  Mutation,
  ObjectType,
  registerEnumType,
  Resolver,
  Root,
} from 'type-graphql';
import {
  createKeyPair,
  deleteKeyPair,
  importKeyPair,
  keyPairsPerUser,
  keyPairUrn,
  type Id,
  type Instant,
  type KeyPair as KeyPairRecord,
  type User as UserRecord,
} from '../iam/index.js';
import { connection, connectionOf, PageArguments, windowOf, type ConnectionOf } from './connections.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { answer, type PayloadFrame } from './errors.js';
import { CreationInput, MutationInput } from './inputs.js';
import { decodeId, decodeOptionalId, encodeNodeId } from './node-ids.js';
import { Node } from './node-interface.js';
import { CreationPayload, MutationPayload } from './payloads.js';
import { DateTime } from './scalars.js';
import { Viewer } from './session.js';
import { User } from './users.js';

const KeyPairAlgorithms = {
  ECDSA: 'ECDSA',
  ECDSA_SK: 'ECDSA_SK',
  ED25519: 'ED25519',
  ED25519_SK: 'ED25519_SK',
  RSA: 'RSA',
} as const satisfies { readonly [Name in KeyPairRecord['algorithm']]: Name };

registerEnumType(KeyPairAlgorithms, {
  name: 'KeyPairAlgorithm',
  description: 'Algorithm of a key pair.',
  valuesConfig: {
    ECDSA: { description: 'ECDSA on the curve P-256, P-384 or P-521.' },
    ECDSA_SK: { description: 'ECDSA on P-256, on a security key that signs when it is touched; brought only.' },
    ED25519: { description: 'Ed25519.' },
    ED25519_SK: { description: 'Ed25519, on a security key that signs when it is touched; brought only.' },
    RSA: { description: 'RSA of 2048 bits or more; brought only.' },
  },
});

const NewKeyPairAlgorithms = { ECDSA: 'ECDSA', ED25519: 'ED25519' } as const;

registerEnumType(NewKeyPairAlgorithms, {
  name: 'NewKeyPairAlgorithm',
  description: 'Algorithm of a key pair that is made here.',
  valuesConfig: {
    ECDSA: { description: 'ECDSA on the curve P-256, for clients that know no Ed25519.' },
    ED25519: { description: 'Ed25519.' },
  },
});

@Permission({
  anyOf: ['ecs:serverKeypairs:get', 'ecs:serverKeypairs:list'],
  resource: '{source.urn}',
  scope: 'ANY',
})
@ObjectType({
  description:
    'Public half of a pair of SSH keys, by which its user gets into notebooks. Needs `ecs:serverKeypairs:get` or `ecs:serverKeypairs:list`, which everyone has for their own.',
  implements: Node,
  simpleResolvers: true,
})
export class KeyPair extends Node {
  @Field(() => String, { description: 'Name of the key pair, unique for its user.' })
  name!: string;

  @Field(() => String, { description: 'URN of the key pair, its name in policies: a key pair of its user.' })
  urn!: string;

  @Field(() => KeyPairAlgorithms, { description: 'Algorithm of the key pair.' })
  algorithm!: KeyPairRecord['algorithm'];

  @Field(() => String, { description: 'Public key, as a line of OpenSSH without a comment.' })
  publicKey!: string;

  @Field(() => String, {
    description: 'Fingerprint of the key, `SHA256:…`, as `ssh-keygen -l` and the log of sshd show it.',
  })
  fingerprint!: string;

  @Field(() => Boolean, {
    description: 'Indicates that the pair was made here, and its private key shown once; else its user brought it.',
  })
  generated!: boolean;

  @Field(() => DateTime, { description: 'Timestamp of when the key pair was created.' })
  createdAt!: Instant;
}

export const KeyPairConnection = connectionOf('KeyPair', () => KeyPair, { item: 'key pair', items: 'key pairs' });

export type ShownKeyPair = KeyPairRecord & Pick<KeyPair, 'urn'>;

export function shownKeyPair(record: KeyPairRecord): ShownKeyPair {
  return { ...record, urn: keyPairUrn(record.accountId, record.userId, record.name) };
}

const nameRule = 'at most 64 letters, digits, `-` and `_`; compared without case';

@InputType({ description: 'Input of createKeyPair.' })
class CreateKeyPairInput extends CreationInput {
  @Field(() => String, { description: `Name of the key pair, unique for its user: ${nameRule}.` })
  name!: string;

  @Field(() => NewKeyPairAlgorithms, {
    nullable: true,
    defaultValue: NewKeyPairAlgorithms.ED25519,
    description: 'Algorithm of the key pair.',
  })
  algorithm?: keyof typeof NewKeyPairAlgorithms | null;

  @Field(() => ID, { nullable: true, description: 'Identifier of the user; the caller unless given.' })
  userId?: string | null;
}

@ObjectType({ description: 'Payload of createKeyPair.', simpleResolvers: true })
class CreateKeyPairPayload extends CreationPayload {
  @Field(() => KeyPair, { nullable: true, description: 'Key pair that was created.' })
  keyPair?: ShownKeyPair | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Private key in OpenSSH’s PEM, for a file that only its owner reads. Shown this once and kept nowhere; null when the mutation was replayed.',
  })
  privateKey?: string | null;
}

@InputType({ description: 'Input of importKeyPair.' })
class ImportKeyPairInput extends CreationInput {
  @Field(() => String, { description: `Name of the key pair, unique for its user: ${nameRule}.` })
  name!: string;

  @Field(() => String, {
    description:
      'Public key: the line of a `.pub` file of OpenSSH, or the key in RFC 4716 or PEM. Never a private key. Its comment is not kept.',
  })
  publicKey!: string;

  @Field(() => ID, { nullable: true, description: 'Identifier of the user; the caller unless given.' })
  userId?: string | null;
}

@ObjectType({ description: 'Payload of importKeyPair.', simpleResolvers: true })
class ImportKeyPairPayload extends CreationPayload {
  @Field(() => KeyPair, { nullable: true, description: 'Key pair that was registered.' })
  keyPair?: ShownKeyPair | null;
}

@InputType({ description: 'Input of deleteKeyPair.' })
class DeleteKeyPairInput extends MutationInput {
  @Field(() => ID, { description: 'Identifier of the key pair.' })
  id!: string;
}

@ObjectType({ description: 'Payload of deleteKeyPair.', simpleResolvers: true })
class DeleteKeyPairPayload extends MutationPayload {
  @Field(() => KeyPair, { nullable: true, description: 'Key pair that was deleted, as it was.' })
  keyPair?: ShownKeyPair | null;

  @Field(() => ID, { nullable: true, description: 'Identifier of the key pair that was deleted.' })
  deletedKeyPairId?: string | null;
}

/** What the door asks; the use-case asks again with the name. */
const ofChosenUser = 'ecs::{account}:keypair:{args.input.userId|caller}';

@Resolver(() => KeyPair)
export class KeyPairResolver {
  @Permission({ action: 'ecs:serverKeypairs:create', resource: ofChosenUser, scope: 'ANY' })
  @Mutation(() => CreateKeyPairPayload, {
    nullable: true,
    description: `Creates a pair of SSH keys and shows its private key, for oneself or for a user of whom one holds everything; at most ${keyPairsPerUser} for each. Needs \`ecs:serverKeypairs:create\`.`,
  })
  async createKeyPair(
    @Arg('input', () => CreateKeyPairInput, { description: 'Input of the mutation.' }) input: CreateKeyPairInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const { name, algorithm, idempotencyKey } = input;
    const wanted = { name, algorithm, userId: decodeOptionalId('User', input.userId), idempotencyKey };
    const outcome = await createKeyPair(context.iam, context.call, wanted);
    return answer(context, input, outcome, ({ keyPair, privateKey }) => ({
      keyPair: shownKeyPair(keyPair),
      privateKey,
    }));
  }

  @Permission({ action: 'ecs:serverKeypairs:create', resource: ofChosenUser, scope: 'ANY' })
  @Mutation(() => ImportKeyPairPayload, {
    nullable: true,
    description: `Registers an SSH public key whose private key its user has, for oneself or for a user of whom one holds everything; at most ${keyPairsPerUser} for each. Weak keys, certificates and options are refused. Needs \`ecs:serverKeypairs:create\`.`,
  })
  async importKeyPair(
    @Arg('input', () => ImportKeyPairInput, { description: 'Input of the mutation.' }) input: ImportKeyPairInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const { name, publicKey, idempotencyKey } = input;
    const wanted = { name, publicKey, userId: decodeOptionalId('User', input.userId), idempotencyKey };
    const outcome = await importKeyPair(context.iam, context.call, wanted);
    return answer(context, input, outcome, (keyPair) => ({ keyPair: shownKeyPair(keyPair) }));
  }

  @Permission({
    action: 'ecs:serverKeypairs:delete',
    resource: 'ecs::{account}:keypair:{caller}',
    scope: 'ANY',
  })
  @Mutation(() => DeleteKeyPairPayload, {
    nullable: true,
    description:
      'Deletes a key pair: it opens no notebook from the next connection on. Needs `ecs:serverKeypairs:delete`, and for another’s pair that one holds what its user holds.',
  })
  async deleteKeyPair(
    @Arg('input', () => DeleteKeyPairInput, { description: 'Input of the mutation.' }) input: DeleteKeyPairInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const outcome = await deleteKeyPair(context.iam, context.call, { id: decodeId('KeyPair', input.id) });
    return answer(context, input, outcome, (keyPair) => ({
      keyPair: shownKeyPair(keyPair),
      deletedKeyPairId: encodeNodeId('KeyPair', keyPair.id),
    }));
  }

  @FieldResolver(() => User, {
    nullable: true,
    description: 'User who gets in with the key pair; null when the caller may not read the user.',
  })
  user(@Root() { userId }: KeyPairRecord, @Ctx() { loaders }: GraphContext): Promise<UserRecord | null> {
    return loaders.find('user', userId);
  }
}

@Resolver(() => User)
export class UserKeyPairsResolver {
  @Permission({ action: 'ecs:serverKeypairs:list', resource: 'ecs::{account}:keypair:{source.id}', scope: 'ANY' })
  @FieldResolver(() => KeyPairConnection, {
    nullable: true,
    description: 'Key pairs of the user, the oldest first. Needs `ecs:serverKeypairs:list`.',
  })
  keyPairs(
    @Root() { id }: UserRecord,
    @Args(() => PageArguments) args: PageArguments,
    @Ctx() context: GraphContext,
  ): Promise<ConnectionOf<ShownKeyPair>> {
    return keyPairsOf(context, id, args);
  }
}

@Resolver(() => Viewer)
export class ViewerKeyPairsResolver {
  @Permission({ action: 'ecs:serverKeypairs:list', resource: 'ecs::{account}:keypair:{caller}', scope: 'ANY' })
  @FieldResolver(() => KeyPairConnection, {
    nullable: true,
    description: 'Key pairs of the caller, the oldest first. Needs `ecs:serverKeypairs:list`.',
  })
  keyPairs(
    @Args(() => PageArguments) args: PageArguments,
    @Ctx() context: GraphContext,
  ): Promise<ConnectionOf<ShownKeyPair>> {
    return keyPairsOf(context, context.call.principal.id, args);
  }
}

async function keyPairsOf(
  { loaders, cursors }: GraphContext,
  userId: Id,
  args: PageArguments,
): Promise<ConnectionOf<ShownKeyPair>> {
  const window = windowOf(cursors.of('User.keyPairs', userId), args, { by: 'CREATED_AT', direction: 'ASC' });
  const page = await loaders.pageOf('user.keyPairs', userId, window);
  const rows = page.rows.map(({ record, position }) => ({ record: shownKeyPair(record), position }));
  return connection({ ...page, rows }, window, () => loaders.countOf('user.keyPairs', userId));
}
