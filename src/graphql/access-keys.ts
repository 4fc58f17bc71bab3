/** Access keys: what requests are signed with. A secret stands in the payload that made it and nowhere else. */
import { Arg, Ctx, Field, FieldResolver, ID, InputType, Mutation, ObjectType, Resolver, Root } from 'type-graphql';
import {
  createAccessKey,
  credentialUrn,
  deleteAccessKey,
  keysPerOwner,
  updateAccessKey,
  type AccessKey as AccessKeyRecord,
  type Id,
  type Instant,
  type Service as ServiceRecord,
  type User as UserRecord,
} from '../iam/index.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { answer, type PayloadFrame } from './errors.js';
import { changesOf, CreationInput, MutationInput } from './inputs.js';
import { decodeId, decodeOptionalId, encodeNodeId } from './node-ids.js';
import { Node } from './node-interface.js';
import { CreationPayload, MutationPayload } from './payloads.js';
import { DateTime } from './scalars.js';
import { Service } from './services.js';
import { Viewer } from './session.js';
import { User } from './users.js';

@Permission({
  anyOf: ['iam:credentials:getCredential', 'iam:credentials:listCredentials'],
  resource: '{source.urn}',
  scope: 'ANY',
})
@ObjectType({
  description:
    'Key that a user or a service signs requests with (AK/SK). Needs `iam:credentials:getCredential` or `iam:credentials:listCredentials`, which everyone has for their own.',
  implements: Node,
  simpleResolvers: true,
})
export class AccessKey extends Node {
  @Field(() => String, { description: 'Identifier of the key in signatures, `Access=…`: 20 letters and digits.' })
  accessKeyId!: string;

  @Field(() => String, { description: 'URN of the key, its name in policies: a credential of its owner.' })
  urn!: string;

  @Field(() => String, { description: 'Description of the key.' })
  description!: string;

  @Field(() => Boolean, {
    description: 'Indicates that the key may be used; requests signed with a disabled one are refused.',
  })
  enabled!: boolean;

  @Field(() => DateTime, {
    nullable: true,
    description: 'Timestamp of when the key was last used, to within five minutes; null when it never was.',
  })
  lastUsedAt!: Instant | null;

  @Field(() => DateTime, { description: 'Timestamp of when the key was created.' })
  createdAt!: Instant;
}

export type ShownAccessKey = AccessKeyRecord & Pick<AccessKey, 'urn' | 'accessKeyId'>;

export function shownAccessKey(record: AccessKeyRecord): ShownAccessKey {
  const { accountId, ownerId, id } = record;
  return { ...record, accessKeyId: id, urn: credentialUrn(accountId, ownerId, id) };
}

@InputType({ description: 'Input of createAccessKey.' })
class CreateAccessKeyInput extends CreationInput {
  @Field(() => ID, { nullable: true, description: 'Identifier of the user; the caller unless given.' })
  userId?: string | null;

  @Field(() => String, { nullable: true, description: 'Description of the key, at most 255 characters.' })
  description?: string | null;
}

@ObjectType({ description: 'Payload of createAccessKey.', simpleResolvers: true })
class CreateAccessKeyPayload extends CreationPayload {
  @Field(() => AccessKey, { nullable: true, description: 'Key that was created.' })
  accessKey?: ShownAccessKey | null;

  @Field(() => String, {
    nullable: true,
    description: 'Secret of the key. Shown this once and never again; null when the mutation was replayed.',
  })
  secretAccessKey?: string | null;
}

@InputType({ description: 'Input of updateAccessKey; what is absent stays as it is.' })
class UpdateAccessKeyInput extends MutationInput {
  @Field(() => ID, { description: 'Identifier of the key, as a Node or as it stands in signatures.' })
  id!: string;

  @Field(() => String, { nullable: true, description: 'Description of the key; null clears it.' })
  description?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Indicates that the key may be used. To change it ends the other sessions of its user.',
  })
  enabled?: boolean | null;
}

@ObjectType({ description: 'Payload of updateAccessKey.', simpleResolvers: true })
class UpdateAccessKeyPayload extends MutationPayload {
  @Field(() => AccessKey, { nullable: true, description: 'Key that was changed.' })
  accessKey?: ShownAccessKey | null;
}

@InputType({ description: 'Input of deleteAccessKey.' })
class DeleteAccessKeyInput extends MutationInput {
  @Field(() => ID, { description: 'Identifier of the key, as a Node or as it stands in signatures.' })
  id!: string;
}

@ObjectType({ description: 'Payload of deleteAccessKey.', simpleResolvers: true })
class DeleteAccessKeyPayload extends MutationPayload {
  @Field(() => AccessKey, { nullable: true, description: 'Key that was deleted, as it was.' })
  accessKey?: ShownAccessKey | null;

  @Field(() => ID, { nullable: true, description: 'Identifier of the key that was deleted.' })
  deletedAccessKeyId?: string | null;
}

/** Whoever may change their own gets in; whose key it is, the use-case finds out and asks about. */
const ownKey = 'iam::{account}:credential:{caller}/{args.input.id}';

@Resolver(() => AccessKey)
export class AccessKeyResolver {
  @Permission({
    action: 'iam:credentials:createCredential',
    resource: 'iam::{account}:credential:{args.input.userId|caller}',
    scope: 'ANY',
  })
  @Mutation(() => CreateAccessKeyPayload, {
    nullable: true,
    description: `Creates a key and shows its secret, for oneself or for a user of whom one holds everything; at most ${keysPerOwner} for each. Needs \`iam:credentials:createCredential\`.`,
  })
  async createAccessKey(
    @Arg('input', () => CreateAccessKeyInput, { description: 'Input of the mutation.' }) input: CreateAccessKeyInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const { description, idempotencyKey } = input;
    const wanted = { userId: decodeOptionalId('User', input.userId), description, idempotencyKey };
    const outcome = await createAccessKey(context.iam, context.call, wanted);
    return answer(context, input, outcome, ({ accessKey, secretAccessKey }) => ({
      accessKey: shownAccessKey(accessKey),
      secretAccessKey,
    }));
  }

  @Permission({ action: 'iam:credentials:updateCredential', resource: ownKey, scope: 'ANY' })
  @Mutation(() => UpdateAccessKeyPayload, {
    nullable: true,
    description:
      'Describes, disables or enables a key; it binds from the next request on. Needs `iam:credentials:updateCredential`, and for another’s key that one holds what its owner holds.',
  })
  async updateAccessKey(
    @Arg('input', () => UpdateAccessKeyInput, { description: 'Input of the mutation.' }) input: UpdateAccessKeyInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const { description, enabled } = changesOf(input, { description: '' });
    const wanted = { id: decodeId('AccessKey', input.id), description, enabled };
    const outcome = await updateAccessKey(context.iam, context.call, wanted);
    return answer(context, input, outcome, (key) => ({ accessKey: shownAccessKey(key) }));
  }

  @Permission({ action: 'iam:credentials:deleteCredential', resource: ownKey, scope: 'ANY' })
  @Mutation(() => DeleteAccessKeyPayload, {
    nullable: true,
    description:
      'Deletes a key for good and ends the other sessions of its user. Needs `iam:credentials:deleteCredential`, and for another’s key that one holds what its owner holds.',
  })
  async deleteAccessKey(
    @Arg('input', () => DeleteAccessKeyInput, { description: 'Input of the mutation.' }) input: DeleteAccessKeyInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const outcome = await deleteAccessKey(context.iam, context.call, { id: decodeId('AccessKey', input.id) });
    return answer(context, input, outcome, (key) => ({
      accessKey: shownAccessKey(key),
      deletedAccessKeyId: encodeNodeId('AccessKey', key.id),
    }));
  }

  @FieldResolver(() => User, {
    nullable: true,
    description: 'User who signs with the key; null for a service’s, or when the caller may not read the user.',
  })
  user(
    @Root() { ownerKind, ownerId }: AccessKeyRecord,
    @Ctx() { loaders }: GraphContext,
  ): Promise<UserRecord | null> | null {
    return ownerKind === 'USER' ? loaders.find('user', ownerId) : null;
  }

  @FieldResolver(() => Service, {
    nullable: true,
    description: 'Service that signs with the key; null for a user’s, or when the caller may not read the service.',
  })
  service(
    @Root() { ownerKind, ownerId }: AccessKeyRecord,
    @Ctx() { loaders }: GraphContext,
  ): Promise<ServiceRecord | null> | null {
    return ownerKind === 'SERVICE' ? loaders.find('service', ownerId) : null;
  }
}

@Resolver(() => User)
export class UserAccessKeysResolver {
  @Permission({
    action: 'iam:credentials:listCredentials',
    resource: 'iam::{account}:credential:{source.id}',
    scope: 'ANY',
  })
  @FieldResolver(() => [AccessKey], {
    nullable: 'itemsAndList',
    description: `Access keys of the user, the oldest first; at most ${keysPerOwner}. Needs \`iam:credentials:listCredentials\`.`,
  })
  accessKeys(@Root() { id }: UserRecord, @Ctx() context: GraphContext): Promise<readonly ShownAccessKey[]> {
    return keysOf(context, 'user.accessKeys', id);
  }
}

@Resolver(() => Service)
export class ServiceAccessKeysResolver {
  @Permission({
    action: 'iam:credentials:listCredentials',
    resource: 'iam::{account}:credential:{source.id}',
    scope: 'ANY',
  })
  @FieldResolver(() => [AccessKey], {
    nullable: 'itemsAndList',
    description: 'Access keys of the service, the oldest first. Needs `iam:credentials:listCredentials`.',
  })
  accessKeys(@Root() { id }: ServiceRecord, @Ctx() context: GraphContext): Promise<readonly ShownAccessKey[]> {
    return keysOf(context, 'service.accessKeys', id);
  }
}

@Resolver(() => Viewer)
export class ViewerAccessKeysResolver {
  @Permission({
    action: 'iam:credentials:listCredentials',
    resource: 'iam::{account}:credential:{caller}',
    scope: 'ANY',
  })
  @FieldResolver(() => [AccessKey], {
    nullable: 'itemsAndList',
    description: 'Access keys of the caller, the oldest first. Needs `iam:credentials:listCredentials`.',
  })
  accessKeys(@Ctx() context: GraphContext): Promise<readonly ShownAccessKey[]> {
    const { kind, id } = context.call.principal;
    return keysOf(context, kind === 'SERVICE' ? 'service.accessKeys' : 'user.accessKeys', id);
  }
}

/** More than any owner may have. */
const everyKey = {
  order: { by: 'CREATED_AT', direction: 'ASC' },
  limit: 100,
  backward: false,
  after: null,
  before: null,
} as const;

async function keysOf(
  { loaders }: GraphContext,
  relation: 'user.accessKeys' | 'service.accessKeys',
  ownerId: Id,
): Promise<readonly ShownAccessKey[]> {
  const { rows } = await loaders.pageOf(relation, ownerId, everyKey);
  return rows.map(({ record }) => shownAccessKey(record));
}
