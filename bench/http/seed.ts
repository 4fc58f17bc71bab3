/**
 * Fills a database with a world, through the store, in transactions of many rows: users, memberships, policies, grants,
 * sessions with tokens and one access key. Nobody has a password; only root's is hashed.
 *
 *     npm run bench:seed -- --database sqlite:/tmp/big.db --key /tmp/secret.key --users 100000
 */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createAccount, createIam, type ChangeOrigin, type Kind, type Records } from '../../src/iam/index.js';
import { openStore } from '../../src/store/index.js';
import { digits, groupName, groupsOf, idOf, poolKey, type Statement, userName, type World } from './world.js';

/** What a client of a seeded database has to know. */
export interface Seeded {
  readonly accountId: string;
  readonly rootId: string;
  /** By user: a token in workspace `"0"`. */
  readonly tokens: Readonly<Record<number, string>>;
  /** In account scope, of the user who may read and change the directory. */
  readonly keeperToken: string;
  /** Of `caller`. */
  readonly accessKey: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly milliseconds: number;
}

export interface SeedOptions {
  readonly databaseUrl: string;
  readonly secretKeyFile: string;
  /** Users who have a session; `caller` always has. */
  readonly callers?: readonly number[];
  readonly progress?: (users: number) => void;
}

/** Asks for decisions about itself. */
export const caller = 0;
/** Reads and changes the directory, by policies. */
export const keeper = 1;

/** When everything in it was made: what contestants show as `createdAt`. */
export const seededAt = Date.parse('2026-01-01T00:00:00Z');

const sessionLife = 20 * 60 * 60 * 1000;
const usersAtOnce = 1_000;
const accessKeyId = 'BENCHKEY0000000000AK';

export async function seedDatabase(world: World, options: SeedOptions): Promise<Seeded> {
  const { databaseUrl, secretKeyFile, callers = [], progress = () => undefined } = options;
  const began = performance.now();
  const masterKey = randomBytes(32);
  await mkdir(dirname(secretKeyFile), { recursive: true });
  await writeFile(secretKeyFile, masterKey, { mode: 0o600 });
  const store = await openStore(databaseUrl, { longestTransaction: 600_000 });
  try {
    const { account, root } = await createAccount(createIam({ store, masterKey, now: () => seededAt }), {
      name: 'bench',
      rootName: 'admin',
      rootPassword: null,
      authorizationMode: 'STRICT',
    });
    const iam = createIam({ store, masterKey });
    const accountId = account.id;
    const now = Date.now();
    const secretAccessKey = randomBytes(30).toString('base64url');
    const insert = async (rows: Batch): Promise<void> => {
      await store.transaction(originIn(accountId), async (transaction) => {
        for (const [kind, records] of rows) await transaction.insertAll(kind, records);
        return { commit: true, value: undefined };
      });
    };

    await insertDirectory(world, accountId, root.id, insert);
    for (let from = 0; from < world.users; from += usersAtOnce) {
      const places = Array.from({ length: Math.min(usersAtOnce, world.users - from) }, (_none, i) => from + i);
      await insert(usersAndMemberships(world, accountId, places));
      progress(from + places.length);
    }
    const signedIn = [...new Set([caller, keeper, ...callers])];
    for (let from = 0; from < signedIn.length; from += usersAtOnce) {
      const some = signedIn.slice(from, from + usersAtOnce);
      await insert([['session', some.map((user) => sessionOf(accountId, user, now))]]);
    }
    const ownerId = idOf('user', caller);
    const sealedSecret = iam.sealing.seal(secretAccessKey, accessKeyId);
    const key = { id: accessKeyId, accountId, ownerKind: 'USER' as const, ownerId, sealedSecret, description: '' };
    await insert([['accessKey', [{ ...key, enabled: true, lastUsedAt: null, createdAt: seededAt }]]]);

    const issue = (user: number, workspaceId: string | null): Promise<string> =>
      iam.tokens.issue({
        accountId,
        userId: idOf('user', user),
        sessionId: idOf('session', user),
        scope: { accountId, workspaceId },
        expiresAt: now + sessionLife,
      });
    const tokens: Record<number, string> = {};
    for (const user of signedIn) tokens[user] = await issue(user, '0');
    return {
      accountId,
      rootId: root.id,
      tokens,
      keeperToken: await issue(keeper, null),
      accessKey: { accessKeyId, secretAccessKey },
      milliseconds: performance.now() - began,
    };
  } finally {
    await store.close();
  }
}

type Batch = readonly { readonly [K in Kind]: readonly [K, readonly Records[K][]] }[Kind][];

function originIn(accountId: string): ChangeOrigin {
  return {
    accountId,
    workspaceId: null,
    operation: 'seed',
    actorKind: 'OPERATOR',
    actorId: '',
    actorName: 'operator',
    requestId: 'seed',
    at: seededAt,
  };
}

/** A policy of the directory for `keeper`, with statements that have to be looked at and one that denies. */
const keeperPolicy = {
  Version: '1.1',
  Statement: [
    { Effect: 'Allow', Action: ['iam:users:*', 'iam:groups:*'] },
    { Effect: 'Allow', Action: ['iam:permissions:addUserToGroup', 'iam:permissions:removeUserFromGroup'] },
    { Effect: 'Deny', Action: ['iam:users:deleteUser'] },
  ],
};

async function insertDirectory(
  world: World,
  accountId: string,
  rootId: string,
  insert: (rows: Batch) => Promise<void>,
): Promise<void> {
  const base = { accountId, description: '', version: 1, createdAt: seededAt, updatedAt: seededAt };
  const policyOf = (place: number, name: string, document: object, level: 'GLOBAL' | 'PROJECT'): Batch => {
    const policyId = idOf('policy', place);
    return [
      [
        'policy',
        [{ ...base, id: policyId, name, origin: 'CUSTOM' as const, level, defaultVersion: 1, latestVersion: 1 }],
      ],
      [
        'policyVersion',
        [
          {
            id: `${policyId}.1`,
            accountId,
            policyId,
            number: 1,
            text: JSON.stringify(document),
            createdAt: seededAt,
            createdBy: rootId,
          },
        ],
      ],
    ];
  };
  const grantOf = (place: number, policy: number, subjectKind: 'USER' | 'GROUP', subjectId: string) => ({
    id: idOf('grant', place),
    accountId,
    policyId: idOf('policy', policy),
    subjectKind,
    subjectId,
    scopeKind: 'ALL' as const,
    scopeId: '',
    expiresAt: null,
    createdAt: seededAt,
    createdBy: rootId,
  });
  const policies = [
    ...world.policies.map(({ name, statements }, place) =>
      policyOf(place, name, { Version: '1.1', Statement: statements.map(statementOf) }, 'PROJECT'),
    ),
    policyOf(world.policies.length, 'keeper', keeperPolicy, 'GLOBAL'),
  ];
  for (let from = 0; from < policies.length; from += 500) await insert(policies.slice(from, from + 500).flat());
  const groups = world.groups.map((_policies, place) => ({
    ...base,
    id: idOf('group', place),
    name: groupName(place),
    builtIn: false,
  }));
  const ofGroups = world.groups.flatMap((places, group) => places.map((policy) => [policy, group] as const));
  const grants = ofGroups.map(([policy, group], place) => grantOf(place, policy, 'GROUP', idOf('group', group)));
  for (let from = 0; from < groups.length; from += 2_000) await insert([['group', groups.slice(from, from + 2_000)]]);
  for (let from = 0; from < grants.length; from += 2_000) await insert([['grant', grants.slice(from, from + 2_000)]]);
  // The user comes later; a grant names its subject without a foreign key.
  await insert([['grant', [grantOf(grants.length, world.policies.length, 'USER', idOf('user', keeper))]]]);
}

function usersAndMemberships(world: World, accountId: string, places: readonly number[]): Batch {
  const users = places.map((place) => ({
    id: idOf('user', place),
    accountId,
    name: userName(place),
    description: `number ${digits(place)}`,
    enabled: true,
    root: false,
    defaultModelArtsAccess: 'ENDED' as const,
    version: 1,
    createdAt: seededAt,
    updatedAt: seededAt,
  }));
  const memberships = places.flatMap((place) =>
    groupsOf(world, place).map((group) => {
      const [groupId, userId] = [idOf('group', group), idOf('user', place)];
      return { id: `${groupId}.${userId}`, accountId, groupId, userId, addedAt: seededAt };
    }),
  );
  return [
    ['user', users],
    ['membership', memberships],
  ];
}

function sessionOf(accountId: string, user: number, now: number): Records['session'] {
  return {
    id: idOf('session', user),
    accountId,
    userId: idOf('user', user),
    startedAt: now,
    expiresAt: now + sessionLife,
    endedAt: null,
    mfaAt: null,
    sourceAddress: '127.0.0.1',
    scopesLeft: [],
  };
}

export function statementOf({ effect, operations, type, prefix, pools }: Statement): object {
  return {
    Effect: effect,
    Action: (operations ?? ['*']).map((operation) => `modelarts:${type ?? '*'}:${operation}`),
    ...(prefix === null ? {} : { Resource: [`modelarts:*:*:${type ?? '*'}:${prefix}*`] }),
    ...(pools === null ? {} : { Condition: { StringEquals: { [poolKey]: pools } } }),
  };
}
