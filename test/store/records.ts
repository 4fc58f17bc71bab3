/** Records for tests: complete ones of every kind, in which a test says only what it is about. */
import type { ChangeOrigin, Kind, Records, Scope, Store, Transaction } from '../../src/iam/index.js';

export const noon = 1_700_000_000_000;

const changing = { version: 1, createdAt: noon, updatedAt: noon };
const described = { description: '', ...changing };

/** What a record of each kind is unless a test says otherwise; `id` and `accountId` are always said. */
const defaults: { readonly [K in Kind]: Omit<Records[K], 'id' | 'accountId'> } = {
  account: {
    name: 'account',
    rootUserId: 'root',
    authorizationMode: 'LOOSE',
    workspacesEnabled: true,
    revision: 0,
    accessRevision: 0,
    createdAt: noon,
  },
  user: { name: 'user', enabled: true, root: false, defaultModelArtsAccess: 'IN_FORCE', ...described },
  accountSettings: {
    failuresBeforeLock: 5,
    countingWindowMinutes: 15,
    lockMinutes: 15,
    sessionMinutes: 1440,
    idleDays: 0,
    passwordKinds: 2,
    passwordLength: 8,
    passwordRepeats: 0,
    rememberedPasswords: 1,
    passwordValidityDays: 0,
    passwordMinimumAgeMinutes: 0,
    ...changing,
  },
  password: {
    hash: '$argon2id$secret',
    history: [],
    changedAt: noon,
    activeAt: null,
    failures: 0,
    firstFailureAt: null,
    lockedUntil: null,
  },
  secondFactor: { sealedSecret: 'v1.sealed', confirmedAt: null, lastCounter: 0, createdAt: noon },
  strangerAttempts: { attempts: 0, lastAt: noon },
  session: {
    userId: 'root',
    startedAt: noon,
    expiresAt: noon + 3_600_000,
    endedAt: null,
    mfaAt: null,
    sourceAddress: '192.0.2.1',
    scopesLeft: [],
  },
  group: { name: 'group', builtIn: false, ...described },
  membership: { groupId: 'admins', userId: 'root', addedAt: noon },
  policy: { name: 'policy', origin: 'CUSTOM', level: 'PROJECT', defaultVersion: 1, latestVersion: 1, ...described },
  policyVersion: { policyId: 'full', number: 1, text: '{ "Version": "1.1" }', createdAt: noon, createdBy: 'root' },
  grant: {
    policyId: 'full',
    subjectKind: 'USER',
    subjectId: 'root',
    scopeKind: 'ALL',
    scopeId: '',
    expiresAt: null,
    createdAt: noon,
    createdBy: 'root',
  },
  workspace: {
    name: 'workspace',
    enterpriseProjectId: '0',
    visibility: 'PUBLIC',
    creatorId: 'root',
    status: 'NORMAL',
    statusDetail: '',
    ...described,
  },
  workspaceMember: { workspaceId: '0', userId: 'root', addedAt: noon },
  workspaceQuota: { workspaceId: '0', kind: 'training:job', quota: 10, setAt: noon },
  workspaceVisit: { userId: 'root', workspaceId: '0', visitedAt: noon },
  enterpriseProject: { name: 'project', enabled: true, ...described },
  service: {
    name: 'service',
    hosts: ['training.example'],
    actions: [{ name: 'training:job:create', accessLevel: 'WRITE', description: 'create a job' }],
    resourceKinds: [{ type: 'job', description: 'a job' }],
    enabled: true,
    ...described,
  },
  resource: {
    workspaceId: '0',
    urn: 'training:cn:account:job:1',
    kind: 'training:job',
    name: 'Job 1',
    ownerId: null,
    parentId: null,
    tags: [{ key: 'team', value: 'vision' }],
    registeredBy: 'training',
    ...changing,
  },
  agency: {
    name: 'agency',
    trustKind: 'SERVICE',
    trustedId: 'training',
    durationDays: null,
    expiresAt: null,
    externalId: null,
    sourceAddresses: ['192.0.2.0/24'],
    workspaceId: '',
    ...described,
  },
  authorization: { agencyId: 'agency', userId: '', createdAt: noon, createdBy: 'root' },
  accessKey: {
    ownerKind: 'USER',
    ownerId: 'root',
    sealedSecret: 'v1.sealed',
    description: '',
    enabled: true,
    lastUsedAt: null,
    createdAt: noon,
  },
  keyPair: {
    userId: 'root',
    name: 'desk',
    algorithm: 'ED25519',
    publicKey: 'ssh-ed25519 AAAA',
    fingerprint: 'SHA256:desk',
    generated: true,
    createdAt: noon,
  },
  remoteAccess: {
    enabled: true,
    keyPairIds: ['pair'],
    allowedAddresses: ['192.0.2.0/24'],
    allowAnyAddress: false,
    userName: 'ma-user',
    host: 'notebooks.example',
    port: 32701,
    instanceState: 'RUNNING',
    stateReportedAt: noon,
    ...changing,
  },
  agencySession: {
    agencyId: 'agency',
    assumedByKind: 'SERVICE',
    assumedById: 'training',
    assumedByName: 'training',
    assumedByAccountId: 'account',
    assumedByKeyId: 'AK',
    assumedBySessionId: '',
    onBehalfOfId: 'root',
    resourceId: 'job',
    workspaceId: '0',
    sessionName: 'night run',
    sessionPolicy: null,
    externalIdDigest: '',
    sourceAddress: '192.0.2.7',
    startedAt: noon,
    expiresAt: noon + 900_000,
  },
  auditEvent: {
    revision: 1,
    sequence: 0,
    at: noon,
    operation: 'test',
    actorKind: 'USER',
    actorId: 'root',
    actorName: 'root',
    delegation: null,
    workspaceId: '',
    targetKind: 'user',
    targetId: 'root',
    before: null,
    after: null,
    requestId: 'request',
    position: 1,
    hash: '0'.repeat(64),
  },
  auditChain: { position: 0, hash: '0'.repeat(64), adopted: 0 },
  idempotencyRecord: {
    operation: 'createUser',
    fingerprint: 'abc',
    objectId: 'root',
    createdAt: noon,
    expiresAt: noon + 86_400_000,
  },
  spentSignature: { expiresAt: noon + 900_000 },
};

export function record<K extends Kind>(
  kind: K,
  accountId: string,
  id: string,
  values: Partial<Records[K]> = {},
): Records[K] {
  const owner = kind === 'account' ? {} : { accountId };
  return { id, ...owner, ...defaults[kind], ...values } as unknown as Records[K];
}

export function origin(accountId: string, values: Partial<ChangeOrigin> = {}): ChangeOrigin {
  return {
    accountId,
    workspaceId: null,
    operation: 'test',
    actorKind: 'USER',
    actorId: 'root',
    actorName: 'Root',
    requestId: 'request-1',
    at: noon,
    ...values,
  };
}

export function ofAccount(accountId: string): Scope {
  return { accountId, workspaceId: null };
}

/** Writes in one transaction that commits. */
export async function write(
  store: Store,
  change: ChangeOrigin,
  work: (transaction: Transaction) => Promise<unknown>,
): Promise<number> {
  const { revision } = await store.transaction(change, async (transaction) => {
    await work(transaction);
    return { commit: true, value: null };
  });
  if (revision === null) throw new Error('nothing was written');
  return revision;
}

/** The least that an account has: a root user, a group, a policy, a project, a workspace, a service, an agency. */
export async function founded(store: Store, accountId: string): Promise<void> {
  await write(store, origin(accountId, { operation: 'createAccount' }), async (transaction) => {
    await transaction.insert('account', record('account', accountId, accountId, { name: accountId }));
    await transaction.insert('user', record('user', accountId, 'root', { name: 'Root', root: true }));
    await transaction.insert('group', record('group', accountId, 'admins', { name: 'admin', builtIn: true }));
    await transaction.insert('policy', record('policy', accountId, 'full', { name: 'FullAccess', origin: 'SYSTEM' }));
    await transaction.insert('enterpriseProject', record('enterpriseProject', accountId, '0', { name: 'default' }));
    await transaction.insert('workspace', record('workspace', accountId, '0', { name: 'default' }));
    await transaction.insert('service', record('service', accountId, 'training', { name: 'training' }));
    await transaction.insert('agency', record('agency', accountId, 'agency', { name: 'agency' }));
  });
}
