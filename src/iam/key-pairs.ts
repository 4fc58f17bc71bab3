/**
 * Key pairs of SSH (docs/domain.md section h): made here or brought, and deleted. Only the public half is kept. Whoever
 * has the private half of a user's pair gets into notebooks as that user, so a pair is given as carefully as an access key.
 */
import type { Call } from './call.js';
import { change, creating, type ChangeOptions, type OpenChange } from './change.js';
import { nameTaken, notFound } from './faults.js';
import { newId, type House } from './house.js';
import { checkText, problemsOf } from './limits.js';
import { problem, reject, succeed, type Outcome, type UserProblem } from './outcome.js';
import type { Id, KeyPair, User } from './records.js';
import { refuseTakeover } from './takeover.js';
import {
  generateKeyPair,
  KeyRefused,
  readPublicKey,
  type GeneratedAlgorithm,
  type PublicKey,
} from '../ssh-keys/index.js';

/** Most pairs of one user: a few for each device. Fixed. */
export const keyPairsPerUser = 20;

/** What the vendors answer for a pair that is not one's own; one that does not exist looks the same. */
export const foreignKeyPair = 'ModelArts.6789';

/** A pair with its private half: the only time that it is shown. Null: an idempotent repeat. */
export interface IssuedKeyPair {
  readonly keyPair: KeyPair;
  readonly privateKey: string | null;
}

/** Name of a pair in policies, or of all pairs of a user. */
export function keyPairUrn(accountId: Id, userId: Id, name: string | null = null): string {
  return `ecs::${accountId}:keypair:${name === null ? userId : `${userId}/${name}`}`;
}

/** Whether the caller may read a pair; everyone may their own unless it is denied. */
export function mayReadKeyPair(call: Call, { accountId, userId, name }: KeyPair): boolean {
  const urn = keyPairUrn(accountId, userId, name);
  return ['ecs:serverKeypairs:get', 'ecs:serverKeypairs:list'].some((action) => call.may(action, urn));
}

interface NewKeyPairInput {
  readonly name: string;
  /** Absent: the caller. */
  readonly userId?: Id | null;
  readonly idempotencyKey?: string | null;
}

export interface CreateKeyPairInput extends NewKeyPairInput {
  readonly algorithm?: GeneratedAlgorithm | null;
}

/** Makes a pair. Its private half is in the answer and nowhere else. */
export async function createKeyPair(
  house: House,
  call: Call,
  input: CreateKeyPairInput,
): Promise<Outcome<IssuedKeyPair>> {
  return change(house, call, issuing(input), async (open) => {
    const user = await askedOwner(open, 'ecs:serverKeypairs:create', input);
    if ('kind' in user) return user;
    const { publicKey, privateKey } = generateKeyPair(input.algorithm ?? 'ED25519', input.name);
    const registered = await register(open, user, input.name, publicKey, true);
    if (registered.kind !== 'succeeded') return registered;
    return succeed({ keyPair: registered.value, privateKey });
  });
}

/** A repeat answers the pair and never its private half. */
function issuing(input: CreateKeyPairInput): ChangeOptions<IssuedKeyPair> {
  const { operation, idempotency } = creating('keyPair', 'createKeyPair', input);
  if (idempotency === undefined) return { operation };
  return {
    operation,
    idempotency: {
      ...idempotency,
      objectId: ({ keyPair }) => keyPair.id,
      reread: async (transaction, id, call) => {
        const keyPair = await idempotency.reread(transaction, id, call);
        return keyPair === null ? null : { keyPair, privateKey: null };
      },
    },
  };
}

export interface ImportKeyPairInput extends NewKeyPairInput {
  /** One line of OpenSSH, RFC 4716, or PEM. */
  readonly publicKey: string;
}

/** Registers a public key whose private half its user has already. */
export async function importKeyPair(house: House, call: Call, input: ImportKeyPairInput): Promise<Outcome<KeyPair>> {
  const read = readKey(input.publicKey);
  return change(house, call, creating('keyPair', 'importKeyPair', input), async (open) => {
    const user = await askedOwner(open, 'ecs:serverKeypairs:create', input, 'code' in read ? read : null);
    if ('kind' in user) return user;
    if ('code' in read) return reject(read);
    return register(open, user, input.name, read, false);
  });
}

function readKey(text: string): PublicKey | UserProblem {
  try {
    return readPublicKey(text);
  } catch (error) {
    if (error instanceof KeyRefused) return problem('INVALID', error.message, 'publicKey');
    throw error;
  }
}

/** Whose pair it is to be, when the exact question about it is allowed. */
async function askedOwner(
  open: OpenChange,
  action: string,
  { userId: chosen, name }: NewKeyPairInput,
  fault: UserProblem | null = null,
): Promise<User | Exclude<Outcome<never>, { kind: 'succeeded' }>> {
  const { transaction, call } = open;
  const userId = chosen ?? call.principal.id;
  const problems = problemsOf(checkText('keyPairName', name, 'name'), fault);
  // A name that is none has no place in a URN.
  const refused = open.ask(action, keyPairUrn(call.accountId, userId, problems.length > 0 ? null : name));
  if (refused !== null) return refused;
  const user = (await transaction.reader.find('user', [userId])).get(userId) ?? null;
  if (user === null) {
    if (chosen == null)
      return reject(problem('INVALID', 'only users have key pairs; name the user it is for', 'userId'));
    return reject(notFound('user', userId, 'userId'));
  }
  if (problems.length > 0) return reject(...problems);
  return (await refuseForeign(open, user)) ?? user;
}

async function register(
  { transaction, call }: OpenChange,
  user: User,
  name: string,
  { algorithm, line, fingerprint }: PublicKey,
  generated: boolean,
): Promise<Outcome<KeyPair>> {
  const ids = await transaction.idsWhere('keyPair', { userId: user.id });
  const held = (await Promise.all(ids.map((id) => transaction.get('keyPair', id)))).filter((pair) => pair !== null);
  if (held.length >= keyPairsPerUser) {
    return reject(
      problem('LIMIT_EXCEEDED', `a user has at most ${keyPairsPerUser} key pairs; delete one first`, 'userId', {
        limit: keyPairsPerUser,
      }),
    );
  }
  if (held.some((pair) => pair.name.toLowerCase() === name.toLowerCase())) return reject(nameTaken('key pair', name));
  const twin = held.find((pair) => pair.fingerprint === fingerprint);
  if (twin !== undefined) {
    return reject(problem('CONFLICT', `this key is registered already, as \`${twin.name}\``, 'publicKey'));
  }
  const keyPair: KeyPair = {
    id: newId(),
    accountId: call.accountId,
    userId: user.id,
    name,
    algorithm,
    publicKey: line,
    fingerprint,
    generated,
    createdAt: call.now,
  };
  await transaction.insert('keyPair', keyPair);
  return succeed(keyPair);
}

/** Deletes a pair: it opens nothing from the next connection on. Connections that are open stay so. */
export async function deleteKeyPair(house: House, call: Call, input: { readonly id: Id }): Promise<Outcome<KeyPair>> {
  return change(house, call, { operation: 'deleteKeyPair' }, async (open) => {
    const { transaction, call } = open;
    const action = 'ecs:serverKeypairs:delete';
    const missing = reject(notFound('key pair', input.id, 'id', foreignKeyPair));
    const own = keyPairUrn(call.accountId, call.principal.id);
    const pair = (await transaction.reader.find('keyPair', [input.id])).get(input.id) ?? null;
    if (pair === null) return open.ask(action, own) ?? missing;
    const refused = open.ask(action, keyPairUrn(call.accountId, pair.userId, pair.name));
    // Who may delete their own has passed the door: a pair that is another's looks like one that is not there.
    if (refused !== null) return pair.userId === call.principal.id ? refused : (open.ask(action, own) ?? missing);
    const user = await transaction.get('user', pair.userId);
    const foreign = user === null ? null : await refuseForeign(open, user);
    if (foreign !== null) return foreign;
    await transaction.remove('keyPair', pair.id);
    return succeed(pair);
  });
}

/** Whoever has a pair acts as its user, so another's is for those who hold what that user holds (rule 5). */
async function refuseForeign(open: OpenChange, user: User) {
  return user.id === open.call.principal.id ? null : refuseTakeover(open, user, 'userId');
}
