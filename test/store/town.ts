/** A scene for lists: an account with rows of every listed kind, drawn so that order keys and filter values coincide. */
import type { Id, Kind, ListedKind, Records, Store } from '../../src/iam/index.js';
import { founded, noon, ofAccount, origin, record, write } from './records.js';

export type Rows = { readonly [K in Kind]: readonly Records[K][] };

const words = ['alpha', 'Beta', 'GAMMA', '100%', 'a_b', 'back\\slash', 'Ångström', 'ÉCLAIR', '🦊 fox', 'ﬁne', '日本'];

/** Draws from a list, the same for the same seed. */
export function drawing(seed: number): <T>(choices: readonly T[]) => T {
  let state = seed >>> 0;
  return (choices) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return choices[Math.floor((state / 2 ** 32) * choices.length)] as (typeof choices)[number];
  };
}

export async function populate(store: Store, accountId: Id, seed: number): Promise<Rows> {
  const draw = drawing(seed);
  const instant = () => noon + draw([0, 1, 2, 3]);
  const dates = () => ({ createdAt: instant(), updatedAt: instant() });
  const numbers = [...Array(14).keys()];
  const rows = {} as { [K in Kind]: Records[K][] };
  const make = <K extends Kind>(kind: K, id: Id, values: Partial<Records[K]>) =>
    (rows[kind] ??= []).push(record(kind, accountId, id, values));
  const users = numbers.map((index) => `user-${index}`);
  const groups = numbers.slice(0, 5).map((index) => `group-${index}`);
  const policies = numbers.slice(0, 6).map((index) => `policy-${index}`);
  const workspaces = numbers.slice(0, 10).map((index) => `workspace-${index}`);
  const name = (index: number) => `${draw(words)} ${String(index)}`;

  for (const id of users) make('user', id, { name: name(users.indexOf(id)), enabled: draw([true, false]), ...dates() });
  for (const id of groups) make('group', id, { name: name(groups.indexOf(id)), ...dates() });
  for (const id of policies) {
    make('policy', id, { name: name(policies.indexOf(id)), origin: draw(['SYSTEM', 'CUSTOM']), ...dates() });
    for (const number of numbers.slice(0, draw([1, 2, 5]))) {
      make('policyVersion', `${id}.${number + 1}`, { policyId: id, number: number + 1, text: `{"${id}":${number}}` });
    }
  }
  for (const index of numbers) {
    make('enterpriseProject', `project-${index}`, { name: name(index), enabled: draw([true, false]), ...dates() });
    make('service', `service-${index}`, { name: name(index), ...dates() });
    make('agency', `agency-${index}`, { name: name(index), trustedId: draw(['training', 'storage']), ...dates() });
    const started = instant();
    make('session', `session-${index}`, {
      userId: draw(users.slice(0, 3)),
      startedAt: started,
      expiresAt: started + draw([1, 2, 5]),
      endedAt: draw([null, started + 1]),
    });
    make('keyPair', `pair-${index}`, {
      userId: users[index % 3] ?? '',
      name: `pair-${index}`,
      fingerprint: `SHA256:${index}`,
      createdAt: instant(),
    });
    make('accessKey', `AK-${accountId}-${index}`, {
      // Some of each, so that no list is empty whatever is drawn.
      ...(index % 2 === 0 ? { ownerKind: 'USER', ownerId: 'user-1' } : { ownerKind: 'SERVICE', ownerId: 'service-1' }),
      createdAt: instant(),
    });
  }
  for (const id of workspaces) {
    make('workspace', id, {
      name: name(workspaces.indexOf(id)),
      enterpriseProjectId: draw(['project-0', 'project-1']),
      visibility: draw(['PUBLIC', 'PRIVATE', 'INTERNAL']),
      status: draw(['NORMAL', 'CREATE_FAILED', 'DELETING', 'DELETE_FAILED']),
      creatorId: draw(users.slice(0, 3)),
      ...dates(),
    });
    for (const userId of users) {
      if (!draw([true, false])) continue;
      make('workspaceMember', `${id}.${userId}`, { workspaceId: id, userId, addedAt: instant() });
    }
  }
  for (const groupId of groups) {
    for (const userId of users) {
      if (!draw([true, false])) continue;
      make('membership', `${groupId}.${userId}`, { groupId, userId, addedAt: instant() });
    }
  }
  const grants = new Set<string>();
  for (const index of [...Array(40).keys()]) {
    const [subjectKind, subjectId] = draw([
      ['USER', 'user-1'],
      ['USER', 'user-2'],
      ['GROUP', 'group-1'],
      ['AGENCY', 'agency-1'],
      ['SERVICE', 'service-1'],
    ] as const);
    const [scopeKind, scopeId] = draw([
      ['ALL', ''],
      ['WORKSPACE', 'workspace-1'],
      ['WORKSPACE', 'workspace-2'],
    ] as const);
    const policyId = draw(policies);
    const rule = [policyId, subjectKind, subjectId, scopeKind, scopeId].join();
    if (grants.has(rule)) continue;
    grants.add(rule);
    const values = { policyId, subjectKind, subjectId, scopeKind, scopeId, createdAt: instant() };
    make('grant', `grant-${index}`, { ...values, expiresAt: draw([null, noon, noon * 2]) });
  }
  for (const agencyId of ['agency-0', 'agency-1']) {
    for (const userId of ['', ...users.slice(0, 4)]) {
      make('authorization', `${agencyId}.${userId}`, { agencyId, userId, createdAt: instant() });
    }
  }
  for (const index of numbers) {
    make('resource', `resource-${index}`, {
      workspaceId: 'workspace-1',
      urn: `training:cn:${accountId}:${draw(['job', 'Job', 'jöb'])}:${index}`,
      kind: draw(['training:job', 'training:model']),
      name: draw(words),
      ownerId: draw([null, 'user-1', 'user-2']),
      parentId: index === 0 ? null : draw([null, 'resource-0']),
      ...dates(),
    });
  }

  await founded(store, accountId);
  const order: readonly Kind[] = [
    'user',
    'group',
    'membership',
    'policy',
    'policyVersion',
    'enterpriseProject',
    'workspace',
  ];
  const rest = (Object.keys(rows) as Kind[]).filter((kind) => !order.includes(kind));
  for (const kind of [...order, ...rest]) {
    const change = { operation: draw(['import', 'create']), actorId: draw(['root', 'someone']), at: instant() };
    await write(store, origin(accountId, change), async (open) => {
      for (const row of rows[kind]) await open.insert(kind, row);
    });
  }
  return { ...rows, ...(await foundersOf(store, accountId, rows)) };
}

/** What founding made is listed as well. */
async function foundersOf(store: Store, accountId: Id, rows: Rows): Promise<Partial<Rows>> {
  const reader = store.reader(ofAccount(accountId));
  const of = async <K extends ListedKind>(kind: K, id: Id): Promise<Records[K][]> => [
    ...(rows[kind] as readonly Records[K][]),
    ...(await reader.find(kind, [id])).values(),
  ];
  const window = { order: { by: 'REVISION', direction: 'ASC' }, limit: 10_000, backward: false } as const;
  const events = await reader.page('auditEvent', {}, { ...window, after: null, before: null });
  return {
    user: await of('user', 'root'),
    group: await of('group', 'admins'),
    policy: await of('policy', 'full'),
    enterpriseProject: await of('enterpriseProject', '0'),
    workspace: await of('workspace', '0'),
    service: await of('service', 'training'),
    agency: await of('agency', 'agency'),
    auditEvent: events.rows.map((row) => row.record),
  };
}
