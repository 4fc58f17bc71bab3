/**
 * Generated accounts: people, groups, services, agencies and their sessions, workspaces in enterprise projects, policies
 * with denies and conditions, grants in every scope. Written as the records themselves in one transaction, because a
 * thousand worlds made by one mutation after the other would take an hour.
 */
import { fullAccessId, systemPolicies } from '../../src/catalogue/index.js';
import {
  DEFAULT_ID,
  type Account,
  type Agency,
  type AgencySession,
  type GrantScopeKind,
  type Group,
  type Id,
  type Instant,
  type Kind,
  type Records,
  type Resource,
  type Service,
  type Store,
  type User,
  type Workspace,
} from '../../src/iam/index.js';
import { Dice } from '../replay/random.js';
import { openKeys, type OpenKey } from './open-keys.js';

export interface World {
  readonly account: Account;
  readonly root: User;
  /** Root among them. */
  readonly users: readonly User[];
  readonly groups: readonly Group[];
  readonly membersOf: ReadonlyMap<Id, readonly Id[]>;
  readonly workspaces: readonly Workspace[];
  readonly services: readonly Service[];
  /** The service that asks for others, and the key that it signs with: it may say what services alone may say. */
  readonly asker: { readonly service: Service; readonly keyId: Id };
  readonly agencies: readonly Agency[];
  readonly agencySession: AgencySession;
  readonly sessionOf: ReadonlyMap<Id, Id>;
  readonly resources: readonly Resource[];
  /** URNs that some pattern tells from the others, for the policies of one principal. */
  readonly urnsFor: (principalId: Id) => readonly string[];
  readonly actions: readonly string[];
  /** Texts of the policies that a principal was given, straight or through a group, in whatever scope. */
  readonly textsOf: (principalId: Id) => string;
  readonly rows: readonly Row[];
}

type Row = { [K in Kind]: { readonly kind: K; readonly record: Records[K] } }[Kind];

export const questionedActions = [
  'modelarts:notebook:get',
  'modelarts:notebook:create',
  // Never given through an enterprise project.
  'modelarts:notebook:listAllNotebooks',
  'obs:bucket:GetBucketAcl',
  // Has another name.
  'iam:agencies:assume',
  // Allowed to everybody about themselves.
  'iam:users:updateUserPassword',
] as const;

const actionPatterns = [
  'modelarts:notebook:get',
  'modelarts:notebook:*',
  'modelarts:*:*',
  'obs:*:*',
  'obs:bucket:GetBucketAcl',
  'iam:tokens:assume',
  'iam:*:*',
  '*:*:*',
] as const;

const day = 86_400_000;

export function generateWorld(seed: number, now: Instant): World {
  const dice = new Dice(seed);
  const rows: Row[] = [];
  const accountId = `w${seed}`;
  const add = <K extends Kind>(kind: K, record: Records[K]): Records[K] => {
    rows.push({ kind, record } as unknown as Row);
    return record;
  };
  const own = (id: Id) => ({ id, accountId });
  const dated = { version: 1, createdAt: now, updatedAt: now };
  const described = (name: string) => ({ name, description: '' });

  const account = add('account', {
    id: accountId,
    name: `account-${seed}`,
    rootUserId: 'root',
    authorizationMode: dice.chance(0.6) ? 'STRICT' : 'LOOSE',
    workspacesEnabled: true,
    revision: 0,
    accessRevision: 0,
    createdAt: now,
  });
  const users = ['root', 'x', 'y', 'ann', 'bob', 'cy'].map((name) =>
    add('user', {
      ...own(name),
      ...described(name),
      ...dated,
      enabled: name === 'root' || dice.chance(0.9),
      root: name === 'root',
      defaultModelArtsAccess: name !== 'root' && dice.chance(0.6) ? 'IN_FORCE' : 'ENDED',
    }),
  );
  const [root, ...people] = users as [User, ...User[]];
  const sessionOf = new Map<Id, Id>();
  for (const user of users) {
    const id = `s-${user.id}`;
    sessionOf.set(user.id, id);
    add('session', {
      ...own(id),
      userId: user.id,
      startedAt: now,
      expiresAt: now + day,
      endedAt: null,
      mfaAt: dice.chance(0.5) ? now : null,
      sourceAddress: '127.0.0.1',
      scopesLeft: [],
    });
  }

  for (const id of [DEFAULT_ID, 'ep']) {
    add('enterpriseProject', { ...own(id), ...described(`project ${id}`), ...dated, enabled: true });
  }
  const workspaces = (['PUBLIC', 'PRIVATE', 'INTERNAL', 'PUBLIC'] as const).map((visibility, i) =>
    add('workspace', {
      ...own(String(i)),
      ...described(`workspace ${i}`),
      ...dated,
      visibility,
      enterpriseProjectId: i === 0 ? DEFAULT_ID : dice.pick([DEFAULT_ID, 'ep', 'ep']),
      creatorId: i === 0 ? root.id : dice.pick(users).id,
      status: i === 0 ? 'NORMAL' : dice.pick(['NORMAL', 'NORMAL', 'NORMAL', 'DELETING', 'DELETE_FAILED']),
      statusDetail: '',
    }),
  );
  for (const { id } of dice.some(people, 3)) {
    add('workspaceMember', { ...own(`2.${id}`), workspaceId: '2', userId: id, addedAt: now });
  }

  const groups = ['admin', 'one', 'two'].map((name) =>
    add('group', { ...own(`g-${name}`), ...described(name), ...dated, builtIn: name === 'admin' }),
  );
  const membersOf = new Map<Id, readonly Id[]>();
  for (const { id, builtIn } of groups) {
    const members = dice.some(people, builtIn ? 1 : 3).map((user) => user.id);
    membersOf.set(id, members);
    for (const userId of members) add('membership', { ...own(`${id}.${userId}`), groupId: id, userId, addedAt: now });
  }

  const services = ['asker', 'trainer'].map((name) =>
    add('service', {
      ...own(`v-${name}`),
      ...described(name),
      ...dated,
      hosts: [],
      actions: [],
      resourceKinds: [],
      enabled: name === 'asker' || dice.chance(0.9),
    }),
  );
  const [askingService] = services as [Service, ...Service[]];
  const keyId = `AK${seed}`;
  add('accessKey', {
    ...own(keyId),
    ownerKind: 'SERVICE',
    ownerId: askingService.id,
    sealedSecret: '',
    description: '',
    enabled: true,
    lastUsedAt: null,
    createdAt: now,
  });

  const agencies = ['first', 'second'].map((name) =>
    add('agency', {
      ...own(`a-${seed}-${name}`),
      ...described(name),
      ...dated,
      trustKind: name === 'first' ? 'ACCOUNT' : 'SERVICE',
      trustedId: name === 'first' ? accountId : 'trainer',
      durationDays: null,
      expiresAt: dice.pick(name === 'first' ? [null, now + day] : [null, now + day, now - day]),
      externalId: null,
      sourceAddresses: [],
      workspaceId: dice.pick(['', '', '', '1']),
    }),
  );
  const [assumable] = agencies as [Agency, ...Agency[]];

  const resources = ['0', '1'].map((workspaceId) =>
    add('resource', {
      ...own(`r${workspaceId}`),
      workspaceId,
      urn: `modelarts::${accountId}:notebook:kept${workspaceId}`,
      kind: 'modelarts:notebook',
      name: '',
      ownerId: null,
      parentId: null,
      tags: dice.some(
        [
          { key: 'team', value: dice.pick(['x', 'y']) },
          { key: 'other', value: 'z' },
        ],
        2,
      ),
      registeredBy: askingService.id,
      ...dated,
    }),
  );

  const open = dice.chance(0.05)
    ? openKeys.filter(({ key }) => key.endsWith(':SourceIp'))
    : [dice.pick(openKeys), dice.pick(openKeys)];
  const patterns = resourcePatterns(accountId);
  const texts = new Map<Id, string>();
  const addPolicy = (id: Id, origin: 'SYSTEM' | 'CUSTOM', versions: readonly string[], used: number): void => {
    texts.set(id, versions[used - 1] ?? '');
    add('policy', {
      ...own(id),
      ...described(`policy ${id}`),
      ...dated,
      origin,
      level: 'BOTH',
      defaultVersion: used,
      latestVersion: versions.length,
    });
    for (const [i, text] of versions.entries()) {
      const number = i + 1;
      add('policyVersion', {
        ...own(`${id}.${number}`),
        policyId: id,
        number,
        text,
        createdAt: now,
        createdBy: root.id,
      });
    }
  };
  const fullAccess = systemPolicies.find(({ id }) => id === fullAccessId);
  addPolicy(fullAccessId, 'SYSTEM', [JSON.stringify(fullAccess?.document)], 1);
  addPolicy('asking', 'CUSTOM', [documentOf([{ Effect: 'Allow', Action: ['bailiwick:access:*'] }])], 1);
  const policyIds = Array.from({ length: 7 }, (_, i) => `p${i}`);
  for (const id of policyIds) {
    const versions = Array.from({ length: dice.chance(0.2) ? 2 : 1 }, () =>
      documentOf(statementsOf(dice, open, patterns)),
    );
    // What was stored by another generation of the program and reads no longer refuses whoever holds it.
    addPolicy(
      id,
      'CUSTOM',
      dice.chance(0.02) ? ['{"Version": "7.0"}'] : versions,
      dice.chance(0.02) ? 1 : versions.length,
    );
  }

  const given = new Map<Id, Id[]>();
  const grant = (
    policyId: Id,
    subjectKind: Records['grant']['subjectKind'],
    subjectId: Id,
    scope: Scope,
    expiresAt: Instant | null,
  ) => {
    const id = `${policyId}-${subjectId}-${scope.kind}-${scope.id}`;
    if (rows.some((row) => row.kind === 'grant' && row.record.id === id)) return;
    for (const holder of subjectKind === 'GROUP' ? (membersOf.get(subjectId) ?? []) : [subjectId]) {
      given.set(holder, [...(given.get(holder) ?? []), policyId]);
    }
    const { kind: scopeKind, id: scopeId } = scope;
    add('grant', {
      ...own(id),
      policyId,
      subjectKind,
      subjectId,
      scopeKind,
      scopeId,
      expiresAt,
      createdAt: now,
      createdBy: root.id,
    });
  };
  const everywhere = { kind: 'ALL', id: '' } as const;
  grant(fullAccessId, 'GROUP', 'g-admin', everywhere, null);
  grant('asking', 'SERVICE', askingService.id, everywhere, null);
  for (let i = 0; i < 14; i++) {
    const [kind, id] = dice.pick([
      ...people.map((user) => ['USER', user.id] as const),
      ...groups.map((group) => ['GROUP', group.id] as const),
      ...groups.map((group) => ['GROUP', group.id] as const),
      ['SERVICE', 'v-trainer'] as const,
      ...agencies.map((agency) => ['AGENCY', agency.id] as const),
    ]);
    grant(dice.pick(policyIds), kind, id, dice.pick(scopes), dice.pick([null, null, null, now + day, now - 1]));
  }

  const workspaceId = assumable.workspaceId || dice.pick(['', '0', '1']);
  const sessionPolicy = dice.chance(0.6) ? documentOf(statementsOf(dice, open, patterns)) : null;
  const agencySession = add('agencySession', {
    ...own(`TK${seed}`),
    agencyId: assumable.id,
    assumedByKind: 'USER',
    assumedById: root.id,
    assumedByName: root.name,
    assumedByAccountId: accountId,
    assumedByKeyId: '',
    assumedBySessionId: sessionOf.get(root.id) ?? '',
    onBehalfOfId: '',
    resourceId: '',
    workspaceId,
    sessionName: 'work',
    sessionPolicy,
    externalIdDigest: '',
    sourceAddress: '127.0.0.1',
    startedAt: now,
    expiresAt: now + day,
  });

  return {
    account,
    root,
    users,
    groups,
    membersOf,
    workspaces,
    services,
    asker: { service: askingService, keyId },
    agencies,
    agencySession,
    sessionOf,
    resources,
    urnsFor: (principalId) => urnsOf(accountId, principalId),
    actions: questionedActions,
    textsOf: (principalId) =>
      [
        ...(given.get(principalId) ?? []).map((id) => texts.get(id) ?? ''),
        ...(principalId === assumable.id ? [sessionPolicy ?? ''] : []),
      ].join('\n'),
    rows,
  };
}

/** One transaction for all of it, through the door that every write goes through. */
export async function writeWorld(store: Store, { account, rows }: World, now: Instant): Promise<void> {
  const origin = {
    accountId: account.id,
    workspaceId: null,
    operation: 'generateWorld',
    actorKind: 'OPERATOR',
    actorId: '',
    actorName: 'operator',
    requestId: `world-${account.id}`,
    at: now,
  };
  await store.transaction(origin, async (transaction) => {
    for (const { kind, record } of rows) await transaction.insert(kind, record);
    return { commit: true, value: undefined };
  });
}

interface Scope {
  readonly kind: GrantScopeKind;
  readonly id: Id;
}

const scopes: readonly Scope[] = [
  { kind: 'ALL', id: '' },
  { kind: 'ALL', id: '' },
  { kind: 'ACCOUNT', id: '' },
  { kind: 'ALL_WORKSPACES', id: '' },
  ...['0', '1', '2', '3'].map((id) => ({ kind: 'WORKSPACE' as const, id })),
  { kind: 'ENTERPRISE_PROJECT', id: DEFAULT_ID },
  { kind: 'ENTERPRISE_PROJECT', id: 'ep' },
  { kind: 'ENTERPRISE_PROJECT', id: 'ep' },
];

interface WrittenStatement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action?: readonly string[];
  readonly NotAction?: readonly string[];
  readonly Resource?: readonly string[];
  readonly NotResource?: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

/** Exceptions are of the newer grammar alone. */
function documentOf(statements: readonly WrittenStatement[]): string {
  const newer = statements.some(({ NotAction, NotResource }) => NotAction !== undefined || NotResource !== undefined);
  return JSON.stringify({ Version: newer ? '5.0' : '1.1', Statement: statements });
}

function statementsOf(dice: Dice, open: readonly OpenKey[], patterns: readonly string[]): readonly WrittenStatement[] {
  return Array.from({ length: 1 + dice.below(2) }, () => {
    const conditions = Array.from(
      {
        length: dice.weighted([
          [2, 0],
          [5, 1],
          [2, 2],
        ]),
      },
      () => conditionOf(dice, open),
    );
    const resources = dice.chance(0.4) ? [dice.pick(patterns), ...dice.some(patterns, 1)] : null;
    return {
      Effect: dice.chance(0.7) ? ('Allow' as const) : ('Deny' as const),
      [dice.chance(0.08) ? 'NotAction' : 'Action']: [dice.pick(actionPatterns), ...dice.some(actionPatterns, 1)],
      ...(resources === null ? {} : { [dice.chance(0.2) ? 'NotResource' : 'Resource']: resources }),
      ...(conditions.length === 0 ? {} : { Condition: merged(conditions) }),
    };
  });
}

type WrittenConditions = NonNullable<WrittenStatement['Condition']>;

/** Of two with one operator and key the later stays. */
function merged(conditions: readonly WrittenConditions[]): WrittenConditions {
  const all: Record<string, Record<string, readonly string[]>> = {};
  for (const one of conditions) {
    for (const [operator, keys] of Object.entries(one)) all[operator] = { ...all[operator], ...keys };
  }
  return all;
}

function conditionOf(dice: Dice, open: readonly OpenKey[]): WrittenConditions {
  if (dice.chance(0.75)) return dice.pick(open).condition(dice);
  return dice.pick<WrittenConditions>([
    { StringEquals: { 'g:UserName': ['x', 'ann'] } },
    { StringNotEquals: { 'g:UserName': ['y'] } },
    { StringEquals: { 'g:PrincipalType': ['User', 'Agency'] } },
    { StringEquals: { 'g:ProjectName': ['workspace 1', 'workspace 3'] } },
    { Bool: { 'g:MFAPresent': ['true'] } },
    { NumericLessThan: { 'g:MFAAge': ['60'] } },
    { DateLessThan: { 'g:CurrentTime': ['2020-01-01T00:00:00Z'] } },
    { StringEquals: { 'g:ServiceName': ['modelarts'] } },
    { StringEquals: { 'g:UserName': [`\${${dice.pick(open).key}}`] } },
    { StringEquals: { 'g:RequestedRegion': ['north'] } },
    { StringNotEquals: { 'g:ResourceAccount': ['stranger'] } },
  ]);
}

function resourcePatterns(accountId: Id): readonly string[] {
  return [
    `modelarts:*:${accountId}:notebook:a`,
    `modelarts::${accountId}:notebook:kept*`,
    'modelarts:*:*:notebook:a*',
    'modelarts:*:*:notebook:*',
    'modelarts:north:*:notebook:*',
    'obs:*:*:bucket:*',
    'iam:*:*:user:${g:UserName}',
    '*:*:*:*:*',
    '*',
  ];
}

function urnsOf(accountId: Id, principalId: Id): readonly string[] {
  return [
    `modelarts::${accountId}:notebook:a`,
    `modelarts::${accountId}:notebook:ab`,
    `modelarts::${accountId}:notebook:kept`,
    `modelarts:north:${accountId}:notebook:a`,
    `modelarts:north:${accountId}:notebook:b`,
    `modelarts:south:stranger:notebook:ab`,
    `modelarts:south:stranger:notebook:b`,
    `obs::${accountId}:bucket:b`,
    `obs:north:stranger:bucket:b`,
    `swr::${accountId}:repo:b`,
    `swr:north:stranger:repo:b`,
    `iam::${accountId}:user:${principalId || 'nobody'}`,
    `iam::${accountId}:user:somebody`,
  ];
}
