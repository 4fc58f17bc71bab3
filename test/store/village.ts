/**
 * A scene for confinement: two accounts with the same ids, five workspaces each, and everything that can belong to one.
 * `village` says of each row, in a sentence and by name, from which scopes it is visible; nothing else is.
 */
import type { Grant, Kind, Records, Scope, Store } from '../../src/iam/index.js';
import { noon, origin, record, write } from './records.js';

/** The instant at which the scene is looked at. */
export const today = noon + 1_000_000;

export const places = ['account', 'open', 'private', 'internal', 'deleting', 'elsewhere', 'nowhere'] as const;
export type Place = (typeof places)[number];

/** `elsewhere` is a workspace of the other account only; `nowhere` of none. */
export function scopeOf(accountId: string, place: Place): Scope {
  return { accountId, workspaceId: place === 'account' ? null : place };
}

type Line<K extends Kind> = readonly [kind: K, id: string, why: string, visible: string, values: Partial<Records[K]>];

const line = <K extends Kind>(
  kind: K,
  id: string,
  why: string,
  visible: string,
  values: Partial<Records[K]> = {},
): Line<K> => [kind, id, why, visible, values];

const everywhere = 'account open private internal deleting';
const scoped = (scopeKind: Grant['scopeKind'], scopeId = '') => ({ scopeKind, scopeId });
const to = (subjectKind: Grant['subjectKind'], subjectId: string, policyId: string) => ({
  subjectKind,
  subjectId,
  policyId,
});

/** In the order in which rows refer to one another. */
export const village: readonly Line<Kind>[] = [
  line('user', 'root', 'the root user enters everything but what is being deleted', 'account open private internal', {
    root: true,
  }),
  line('user', 'alice', 'an administrator enters like root', 'account open private internal'),
  line('user', 'carol', 'the creator of the private and the internal workspace', 'account open private internal'),
  line(
    'user',
    'dave',
    'a listed user enters the internal one; a private list counts for nothing',
    'account open internal',
  ),
  line('user', 'erin', 'a disabled user is still a user of the open workspace', 'account open', { enabled: false }),
  line('accountSettings', 'settings', 'of the account, and no concern of a workspace', 'account'),
  line('password', 'root', 'nobody reads passwords', ''),
  line('secondFactor', 'carol', 'as visible as its user', 'account open private internal'),
  line('secondFactor', 'erin', 'as visible as its user', 'account open'),
  line('strangerAttempts', 'strangers', 'nobody reads these', ''),
  line('session', 's-carol', 'as visible as its user', 'account open private internal', { userId: 'carol' }),
  line('session', 's-erin', 'as visible as its user', 'account open', { userId: 'erin' }),
  line('session', 's-over', 'an ended one is still a row of its user', 'account open', {
    userId: 'erin',
    endedAt: noon + 1,
  }),

  line('enterpriseProject', 'p0', 'the project of most workspaces', 'account open internal deleting'),
  line('enterpriseProject', 'p1', 'the project of the private workspace', 'account private'),
  line('enterpriseProject', 'p2', 'the project of none', 'account'),
  line('workspace', 'open', 'itself', 'account open', { enterpriseProjectId: 'p0' }),
  line('workspace', 'private', 'itself', 'account private', {
    enterpriseProjectId: 'p1',
    visibility: 'PRIVATE',
    creatorId: 'carol',
  }),
  line('workspace', 'internal', 'itself', 'account internal', {
    enterpriseProjectId: 'p0',
    visibility: 'INTERNAL',
    creatorId: 'carol',
  }),
  line('workspace', 'deleting', 'itself', 'account deleting', { enterpriseProjectId: 'p0', status: 'DELETING' }),
  line('workspaceMember', 'internal.dave', 'who is listed here and enters', 'account internal', {
    workspaceId: 'internal',
    userId: 'dave',
  }),
  line('workspaceMember', 'private.dave', 'a listed user who may not enter', 'account', {
    workspaceId: 'private',
    userId: 'dave',
  }),
  line('workspaceMember', 'private.carol', 'a listed user who may enter anyway', 'account private', {
    workspaceId: 'private',
    userId: 'carol',
  }),

  line('policy', 'system', 'system policies are everywhere, granted or not', everywhere, { origin: 'SYSTEM' }),
  line('policy', 'everything', 'granted in every scope', everywhere),
  line('policy', 'of-private', 'granted in the private workspace', 'account private'),
  line('policy', 'of-erin', 'granted only to a user who may not enter where it acts', 'account'),
  line('policy', 'of-dave', 'granted to a user where they may enter', 'account internal'),
  line('policy', 'lapsed', 'granted until yesterday', 'account'),
  line('policy', 'unused', 'granted to nobody', 'account'),
  line('policyVersion', 'system.1', 'as visible as its policy', everywhere, { policyId: 'system' }),
  line('policyVersion', 'everything.1', 'as visible as its policy', everywhere, { policyId: 'everything' }),
  line('policyVersion', 'of-private.1', 'as visible as its policy', 'account private', { policyId: 'of-private' }),
  line('policyVersion', 'of-private.2', 'as visible as its policy', 'account private', {
    policyId: 'of-private',
    number: 2,
    text: 'the version in use',
  }),
  line('policyVersion', 'lapsed.1', 'as visible as its policy', 'account', { policyId: 'lapsed' }),

  line('group', 'admins', 'granted in scope ALL', everywhere, { builtIn: true }),
  line('group', 'for-account', 'granted in scope ACCOUNT, which reaches workspaces for global actions', everywhere),
  line('group', 'for-workspaces', 'granted in all workspaces', everywhere),
  line('group', 'for-private', 'granted in the private workspace', 'account private'),
  line('group', 'for-project', 'granted in the project of the private workspace', 'account private'),
  line('group', 'lapsed', 'its only grant expired this very instant', 'account'),
  line('group', 'until-tomorrow', 'its grant expires in the next instant', everywhere),
  line('group', 'idle', 'no grant', 'account'),
  line('membership', 'admins.alice', 'both ends are visible', 'account open private internal', {
    groupId: 'admins',
    userId: 'alice',
  }),
  line('membership', 'for-private.carol', 'both ends are visible in private', 'account private', {
    groupId: 'for-private',
    userId: 'carol',
  }),
  line('membership', 'for-private.dave', 'a member who may not enter', 'account', {
    groupId: 'for-private',
    userId: 'dave',
  }),
  line('membership', 'for-workspaces.dave', 'where dave enters', 'account open internal', {
    groupId: 'for-workspaces',
    userId: 'dave',
  }),
  line('membership', 'idle.carol', 'a group that is not visible has no members', 'account', {
    groupId: 'idle',
    userId: 'carol',
  }),

  line('service', 'training', 'granted in all workspaces', everywhere),
  line('service', 'storage', 'not granted', 'account'),
  line('agency', 'worker', 'granted in the private workspace', 'account private', { trustedId: 'training' }),
  line('agency', 'unused', 'not granted', 'account', { trustedId: 'training' }),
  line('authorization', 'worker.all', 'of a visible agency for all users', 'account private', { agencyId: 'worker' }),
  line('authorization', 'worker.carol', 'of a visible agency for a visible user', 'account private', {
    agencyId: 'worker',
    userId: 'carol',
  }),
  line('authorization', 'worker.dave', 'of a visible agency for a user who may not enter', 'account', {
    agencyId: 'worker',
    userId: 'dave',
  }),
  line('authorization', 'unused.all', 'of an agency that is not visible', 'account', { agencyId: 'unused' }),

  line('grant', 'g-admins', 'everywhere', everywhere, { ...to('GROUP', 'admins', 'everything'), ...scoped('ALL') }),
  line('grant', 'g-account', 'everywhere', everywhere, {
    ...to('GROUP', 'for-account', 'everything'),
    ...scoped('ACCOUNT'),
  }),
  line('grant', 'g-workspaces', 'everywhere', everywhere, {
    ...to('GROUP', 'for-workspaces', 'everything'),
    ...scoped('ALL_WORKSPACES'),
  }),
  line('grant', 'g-private', 'in its workspace', 'account private', {
    ...to('GROUP', 'for-private', 'of-private'),
    ...scoped('WORKSPACE', 'private'),
  }),
  line('grant', 'g-project', 'in the workspaces of its project', 'account private', {
    ...to('GROUP', 'for-project', 'of-private'),
    ...scoped('ENTERPRISE_PROJECT', 'p1'),
  }),
  line('grant', 'g-lapsed', 'expired', 'account', {
    ...to('GROUP', 'lapsed', 'lapsed'),
    ...scoped('ALL'),
    expiresAt: today,
  }),
  line('grant', 'g-tomorrow', 'not yet expired', everywhere, {
    ...to('GROUP', 'until-tomorrow', 'everything'),
    ...scoped('ALL'),
    expiresAt: today + 1,
  }),
  line('grant', 'g-gone', 'its subject is no more', 'account', { ...to('GROUP', 'gone', 'unused'), ...scoped('ALL') }),
  line('grant', 'g-erin', 'its subject may not enter', 'account', {
    ...to('USER', 'erin', 'of-erin'),
    ...scoped('WORKSPACE', 'private'),
  }),
  line('grant', 'g-dave', 'its subject may enter', 'account internal', {
    ...to('USER', 'dave', 'of-dave'),
    ...scoped('WORKSPACE', 'internal'),
  }),
  line('grant', 'g-other-project', 'a workspace named like a project is none', 'account', {
    ...to('GROUP', 'idle', 'unused'),
    ...scoped('ENTERPRISE_PROJECT', 'private'),
  }),
  line('grant', 'g-training', 'everywhere', everywhere, {
    ...to('SERVICE', 'training', 'everything'),
    ...scoped('ALL_WORKSPACES'),
  }),
  line('grant', 'g-worker', 'in its workspace', 'account private', {
    ...to('AGENCY', 'worker', 'of-private'),
    ...scoped('WORKSPACE', 'private'),
  }),

  line('accessKey', 'AK-carol', 'as visible as its user', 'account open private internal', { ownerId: 'carol' }),
  line('accessKey', 'AK-erin', 'as visible as its user', 'account open', { ownerId: 'erin' }),
  line('accessKey', 'AK-training', 'as visible as its service', everywhere, {
    ownerKind: 'SERVICE',
    ownerId: 'training',
  }),
  line('accessKey', 'AK-storage', 'as visible as its service', 'account', { ownerKind: 'SERVICE', ownerId: 'storage' }),
  line('keyPair', 'k-carol', 'as visible as its user', 'account open private internal', { userId: 'carol' }),
  line('keyPair', 'k-erin', 'as visible as its user', 'account open', { userId: 'erin' }),
  line('resource', 'r-open', 'only in its workspace, never from the account', 'open', { workspaceId: 'open' }),
  line('resource', 'r-private', 'only in its workspace', 'private', { workspaceId: 'private' }),
  line('resource', 'r-deleting', 'only in its workspace', 'deleting', { workspaceId: 'deleting' }),
  line('workspaceQuota', 'open.training:job', 'from the account and in its workspace', 'account open', {
    workspaceId: 'open',
  }),
  line('workspaceVisit', 'carol.open', 'only what its own account asks for', 'account', {
    userId: 'carol',
    workspaceId: 'open',
  }),
  line('remoteAccess', 'r-open', 'as visible as its resource', 'open'),
  line('remoteAccess', 'r-private', 'as visible as its resource', 'private'),
  line('idempotencyRecord', 'i', 'nobody reads these', ''),
  line('spentSignature', 'signature', 'nobody reads these', ''),
  line('agencySession', 'TEMPORARY', 'nobody reads these', '', { agencyId: 'worker' }),
];

/** Ids of access keys and of sessions of agencies are unique everywhere, so those of the second account differ; every other id is the same. */
export function idIn(accountId: string, kind: Kind, id: string): string {
  return kind === 'accessKey' || kind === 'agencySession' ? `${id}-${accountId}` : id;
}

export async function settle(store: Store, accountId: string): Promise<void> {
  await write(store, origin(accountId, { operation: 'settle' }), async (open) => {
    await open.insert('account', record('account', accountId, accountId, { name: `account ${accountId}` }));
    for (const [kind, id, , , values] of village) {
      const named = 'name' in record(kind, accountId, id) ? { name: `${id} of ${accountId}` } : {};
      const urn = kind === 'resource' ? { urn: `training:cn:${accountId}:job:${id}` } : {};
      const row = record(kind, accountId, idIn(accountId, kind, id), { ...named, ...urn, ...values });
      await open.insert(kind, row);
    }
  });
  // One audit event from inside each workspace that has a resource.
  for (const workspaceId of ['open', 'private']) {
    await write(store, origin(accountId, { operation: `within ${workspaceId}`, workspaceId }), (open) =>
      open.update('resource', `r-${workspaceId}`, { name: 'changed' }),
    );
  }
}
