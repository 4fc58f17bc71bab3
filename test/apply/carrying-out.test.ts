/** What carrying a plan out does beside reaching its end: who it acts as, what it leaves when it fails, what the trail says. */
import { beforeAll, describe, expect, test } from 'vitest';
import { carryOut, exportAccount, makePlan, readCurrent, readDocuments } from '../../src/apply/index.js';
import {
  changeDirectory,
  createService,
  type AuditEvent,
  type DirectoryInputs,
  type DirectoryOperation,
  type Iam,
} from '../../src/iam/index.js';
import { describeChanges, isEmpty, newLand, openIam, written, type Land } from './land.js';

const reading = '{Version: "1.1", Statement: [{Effect: Allow, Action: ["obs:bucket:ListBucket"]}]}';
const policyOf = (bucket: string) =>
  `kind: Policy\nname: p\ndocument: {Version: "1.1", Statement: [{Effect: Allow, Action: ["obs:bucket:ListBucket"], Resource: ["obs:*:*:bucket:${bucket}"]}]}\n`;

describe.each(['sqlite', 'postgres'] as const)('on %s', (database) => {
  let iam: Iam;
  let services = 0;
  beforeAll(async () => {
    iam = await openIam(database);
  });

  async function idOf(land: Land, user: string): Promise<string> {
    return (await iam.store.access.userByName(land.accountId, user))?.id ?? '';
  }

  async function newService(land: Land): Promise<string> {
    services += 1;
    const call = await iam.calls.openOperator('test', land.accountId);
    const made = await createService(iam, call, { name: `annotator-${services}` });
    if (made.kind !== 'succeeded') throw new Error('there is no service');
    return made.value.service.id;
  }

  /** As somebody else would, between plan and change. */
  async function meanwhile<O extends DirectoryOperation>(
    land: Land,
    operation: O,
    input: DirectoryInputs[O],
  ): Promise<void> {
    const call = await iam.calls.openOperator('meanwhile', land.accountId);
    expect((await changeDirectory(iam, call, operation, [input])).kind).toBe('succeeded');
  }

  /** Plans, lets something happen, carries out. */
  async function interrupted(land: Land, files: string, happening: () => Promise<void>) {
    const current = await readCurrent(iam.store, land.accountId);
    const { wanted } = await readDocuments(await written(files));
    const call = await iam.calls.openOperator('test', land.accountId);
    const plan = makePlan(wanted, { call, now: call.now, current });
    expect(plan.problems).toEqual([]);
    await happening();
    return carryOut(iam, plan, { accountId: land.accountId, userId: null, current });
  }

  async function trail(land: Land): Promise<readonly AuditEvent[]> {
    const order = { by: 'REVISION', direction: 'ASC' } as const;
    const window = { order, limit: 500, backward: false, after: null, before: null };
    const page = await iam.store
      .reader({ accountId: land.accountId, workspaceId: null })
      .page('auditEvent', {}, window);
    return page.rows.map(({ record }) => record).filter(({ operation }) => operation !== 'createAccount');
  }

  test('a change that fails leaves nothing of itself, all before it, and the rest for the next time', async () => {
    const land = await newLand(iam);
    const files = ['a', 'b', 'c', 'd', 'e'].map((name) => `kind: User\nname: ${name}\n`).join('---\n');
    const carried = await interrupted(land, files, () =>
      meanwhile(land, 'createUser', { name: 'C', enabled: true, withoutDefault: false }),
    );
    expect(carried).toMatchObject({
      done: 2,
      total: 5,
      failure: {
        change: { kind: 'User', name: 'c', place: { line: 7 } },
        message: 'a user `c` exists already; names compare without case',
      },
    });
    expect(describeChanges(await land.plan(files))).toEqual([
      '= User a',
      '= User b',
      '~ User c: name C>c',
      '+ User d',
      '+ User e',
    ]);
    await land.apply(files);
    expect(isEmpty(await land.plan(files))).toBe(true);
  });

  test('a user and their groups change together or not at all', async () => {
    const land = await newLand(iam);
    await land.apply('kind: Group\nname: a\n---\nkind: Group\nname: b\n---\nkind: User\nname: u\ngroups: [a]\n');
    const { id = '' } = (await readCurrent(iam.store, land.accountId)).groups.get('b') ?? {};
    const files = 'kind: User\nname: u\ndescription: new\ngroups: [b]\n';
    const carried = await interrupted(land, files, () => meanwhile(land, 'deleteGroup', { id }));
    expect(carried).toMatchObject({ done: 0, failure: { change: { name: 'u' } } });
    expect(await land.export()).toMatch(/name: u\ngroups:\n {2}- a\n/);
  });

  test('whoever changed the same object after the plan is not overwritten', async () => {
    const land = await newLand(iam);
    await land.apply('kind: User\nname: u\n');
    const id = await idOf(land, 'u');
    const other = { id, description: 'theirs', join: [], leave: [], withoutDefault: false };
    const carried = await interrupted(land, 'kind: User\nname: u\ndescription: ours\n', () =>
      meanwhile(land, 'updateUser', other),
    );
    expect(carried.failure?.message).toBe('the object is at version 2 by now; read it again, then send that version');
    expect((await iam.store.access.user(land.accountId, id))?.description).toBe('theirs');
  });

  test('the last administrator stays, whoever took the others away meanwhile', async () => {
    const land = await newLand(iam);
    await land.apply('kind: User\nname: a\ngroups: [admin]\n---\nkind: User\nname: b\ngroups: [admin]\n');
    const id = await idOf(land, 'b');
    const carried = await interrupted(land, 'kind: User\nname: a\n', () =>
      meanwhile(land, 'updateUser', { id, enabled: false, join: [], leave: [], withoutDefault: false }),
    );
    expect(carried.failure?.message).toMatch(/^no enabled user would be left in the group `admin`/);
    expect(await iam.store.access.isAdministrator(land.accountId, await idOf(land, 'a'))).toBe(true);
  });

  test.each([
    ['leaves the group', 'kind: User\nname: a\n', []],
    ['is disabled', 'kind: User\nname: a\nenabled: false\ngroups: [admin]\n', []],
    ['is deleted', '', ['User']],
  ] as const)('the last administrator hands over, however far apart the two are: %s', async (_, leaving, prune) => {
    const land = await newLand(iam);
    await land.apply('kind: User\nname: a\ngroups: [admin]\n---\nkind: User\nname: b\n---\nkind: User\nname: z\n');
    const rest = 'kind: User\nname: b\ndescription: d\n---\nkind: User\nname: z\ngroups: [admin]\n';
    const files = `${leaving}---\n${rest}`;
    // One step in each transaction, as when a larger one has failed.
    const carried = await land.apply(files, { prune, atOnce: 1 });
    expect([carried.done, carried.failure?.message]).toEqual([carried.total, undefined]);
    expect(await iam.store.access.isAdministrator(land.accountId, await idOf(land, 'z'))).toBe(true);
    expect(isEmpty(await land.plan(files, { prune }))).toBe(true);
  });

  test('an administrator who is enabled again is there before another goes', async () => {
    const land = await newLand(iam);
    await land.apply(
      'kind: User\nname: a\ngroups: [admin]\n---\nkind: User\nname: z\nenabled: false\ngroups: [admin]\n',
    );
    const files = 'kind: User\nname: a\n---\nkind: User\nname: z\ngroups: [admin]\n';
    expect(await land.apply(files, { atOnce: 1 })).toMatchObject({ done: 2, failure: null });
  });

  test('with the rights of a user, nobody gives more than that user holds', async () => {
    const land = await newLand(iam);
    await land.apply(
      [
        'kind: Policy\nname: hands\ndocument: {Version: "1.1", Statement: [{Effect: Allow, Action: ["iam:users:*", "iam:groups:*", "iam:permissions:*"]}]}\n',
        `kind: Policy\nname: held\ndocument: ${reading}\n`,
        'kind: User\nname: clerk\n',
        'kind: User\nname: stranger\n',
        'kind: Grant\npolicy: hands\nsubject: {user: clerk}\nscope: all\n',
        'kind: Grant\npolicy: held\nsubject: {user: clerk}\nscope: all\n',
      ].join('---\n'),
    );
    const given = (policy: string) =>
      `kind: Group\nname: g\n---\nkind: Grant\npolicy: ${policy}\nsubject: {group: g}\nscope: all\n---\nkind: User\nname: u\ngroups: [g]\n`;
    expect((await land.apply(given('held'), { as: 'clerk' })).failure).toBeNull();
    const more = await land.apply(given('OBS Administrator'), { as: 'clerk' });
    expect(more.failure?.message).toMatch(/^you would give .*which you do not hold/);
    const promoted = await land.apply('kind: User\nname: u\ngroups: [g, admin]\n', { as: 'clerk' });
    expect(promoted.failure?.message).toMatch(/^you would give/);
    const refused = await land.apply('kind: User\nname: v\n', { as: 'stranger' });
    expect(refused).toMatchObject({
      done: 0,
      failure: { message: 'you may not do this: `iam:users:createUser` is refused (NO_MATCHING_ALLOW)' },
    });
    const actors = new Set((await trail(land)).map(({ actorKind, actorName }) => `${actorKind} ${actorName}`));
    expect([...actors]).toEqual(['OPERATOR operator', 'OPERATOR operator as clerk']);
  });

  test('the trail names the operations of the API, groups have grants before people join, and nobody has a password', async () => {
    const land = await newLand(iam);
    await land.apply(
      'kind: User\nname: u\nenabled: false\ngroups: [g]\n---\nkind: Grant\npolicy: OBS ReadOnlyAccess\nsubject: {group: g}\nscope: all\n---\nkind: Group\nname: g\n',
    );
    const events = await trail(land);
    expect(
      events.map(({ operation, targetKind, before }) => `${operation} ${targetKind}${before === null ? '' : ' again'}`),
    ).toEqual([
      'createGroup group',
      'grantPolicy grant',
      'createUser user',
      'createUser membership',
      'createUser user again',
    ]);
    expect(new Set(events.map(({ requestId }) => requestId)).size).toBe(1);
    expect(await iam.store.access.password(land.accountId, await idOf(land, 'u'))).toBeNull();
  });

  test('a policy keeps five versions, and one that says the same again is used again', async () => {
    const land = await newLand(iam);
    for (const bucket of ['1', '2', '3', '4', '5', '6', '7']) {
      expect((await land.apply(policyOf(bucket))).failure).toBeNull();
    }
    const kept = async () => {
      const policy = (await readCurrent(iam.store, land.accountId)).policies.get('p');
      return [policy?.defaultVersion, policy?.versions.map(({ number }) => number)];
    };
    expect(await kept()).toEqual([7, [3, 4, 5, 6, 7]]);
    await land.apply(policyOf('3'));
    expect(await kept()).toEqual([3, [3, 4, 5, 6, 7]]);
    // The oldest is in use, so the next one goes.
    await land.apply(policyOf('8'));
    expect(await kept()).toEqual([8, [3, 5, 6, 7, 8]]);
  });

  test('what files cannot say is neither exported nor pruned', async () => {
    const land = await newLand(iam);
    await land.apply(
      'kind: User\nname: u\n---\nkind: Workspace\nname: work\nmembers: [u]\n---\nkind: Grant\npolicy: OBS ReadOnlyAccess\nsubject: {user: u}\nscope: all\n',
    );
    const before = await land.export();
    const { policies, workspaces } = await readCurrent(iam.store, land.accountId);
    const rootId = await idOf(land, 'root');
    const serviceId = await newService(land);
    const policyId = policies.get('obs readonlyaccess')?.id ?? '';
    const scope = { kind: 'ALL', id: '' } as const;
    await meanwhile(land, 'updateWorkspace', {
      id: workspaces.get('work')?.id ?? '',
      memberIds: [rootId, await idOf(land, 'u')],
    });
    await meanwhile(land, 'grantPolicy', { policyId, scope, subject: { kind: 'USER', id: rootId } });
    await meanwhile(land, 'grantPolicy', { policyId, scope, subject: { kind: 'SERVICE', id: serviceId } });
    const current = await readCurrent(iam.store, land.accountId);
    expect(exportAccount(current, iam.now()).leftOut).toEqual([
      '2 grants that have ended, or are of services, agencies or the root user',
    ]);
    expect(await land.export()).toBe(before);
    expect(isEmpty(await land.plan(before, { prune: ['Grant', 'User', 'Group'] }))).toBe(true);
  });

  test('a grant that the files say has ended is live no longer, and then there is nothing to do', async () => {
    const land = await newLand(iam);
    const rest = `kind: Policy\nname: p\ndocument: ${reading}\n---\nkind: User\nname: u\n`;
    const grant = 'kind: Grant\npolicy: p\nsubject: {user: u}\nscope: all\n';
    await land.apply([rest, grant].join('---\n'));
    const ended = [rest, `${grant}expiresAt: 2020-01-01T00:00:00Z\n`].join('---\n');
    expect(await land.apply(ended)).toMatchObject({ done: 1, failure: null });
    const { grants } = await readCurrent(iam.store, land.accountId);
    expect(grants.filter(({ subjectKind }) => subjectKind === 'USER')).toEqual([]);
    expect(isEmpty(await land.plan(ended))).toBe(true);
  });

  test('a policy that is pruned takes along grants of it that have ended, whoever had them', async () => {
    const land = await newLand(iam);
    const kept = `kind: Policy\nname: kept\ndocument: ${reading}\n`;
    await land.apply(`kind: Policy\nname: p\ndocument: ${reading}\n---\n${kept}---\nkind: User\nname: u\n`);
    const policyId = (await readCurrent(iam.store, land.accountId)).policies.get('p')?.id ?? '';
    const scope = { kind: 'ALL', id: '' } as const;
    const serviceId = await newService(land);
    const expiresAt = iam.now() + 1_500;
    await meanwhile(land, 'grantPolicy', {
      policyId,
      scope,
      subject: { kind: 'USER', id: await idOf(land, 'u') },
      expiresAt,
    });
    await meanwhile(land, 'grantPolicy', { policyId, scope, subject: { kind: 'SERVICE', id: serviceId }, expiresAt });
    await new Promise((resolve) => setTimeout(resolve, expiresAt + 10 - iam.now()));
    expect(describeChanges(await land.plan(kept, { prune: ['Policy'] }))).toEqual([
      '= Policy kept',
      '- Policy p: ended grants 2>',
    ]);
    expect(await land.apply(kept, { prune: ['Policy'] })).toMatchObject({ done: 3, failure: null });
    const { policies, grants } = await readCurrent(iam.store, land.accountId);
    expect([policies.has('p'), grants.filter((grant) => grant.policyId === policyId)]).toEqual([false, []]);
  });

  test('a policy that somebody holds of whom files do not speak is not pruned, and nothing else is done', async () => {
    const land = await newLand(iam);
    const project = 'kind: EnterpriseProject\nname: one\n';
    const [p, q, r] = ['p', 'q', 'r'].map((name) => `kind: Policy\nname: ${name}\ndocument: ${reading}\n`);
    await land.apply([p, q, r, project, 'kind: EnterpriseProject\nname: two\n'].join('---\n'));
    const { policies, projects } = await readCurrent(iam.store, land.accountId);
    const held = async (policy: string, kind: 'USER' | 'SERVICE', id: string, project: string | null = null) => {
      const scope =
        project === null
          ? ({ kind: 'ALL', id: '' } as const)
          : ({ kind: 'ENTERPRISE_PROJECT', id: projects.get(project)?.id ?? '' } as const);
      await meanwhile(land, 'grantPolicy', {
        policyId: policies.get(policy)?.id ?? '',
        scope,
        subject: { kind, id },
      });
    };
    await held('p', 'SERVICE', await newService(land));
    await held('p', 'USER', await idOf(land, 'root'));
    // Goes with its project.
    await held('q', 'SERVICE', await newService(land), 'two');
    const { problems } = await land.plan(`${r}---\n${project}`, { prune: ['Policy', 'EnterpriseProject'] });
    expect(problems).toEqual([
      {
        place: null,
        message:
          'the policy `p` cannot be pruned while it is granted to services and to the root user, of which files do not speak; revoke these grants by `revokeGrant` first',
      },
    ]);
    const rest = `${r}---\n${p}---\n${project}`;
    expect(await land.apply(rest, { prune: ['Policy', 'EnterpriseProject'] })).toMatchObject({ failure: null });
  });

  test('it stops between two transactions when it is asked to', async () => {
    const land = await newLand(iam);
    const files = 'kind: Group\nname: a\n---\nkind: User\nname: u\n';
    const current = await readCurrent(iam.store, land.accountId);
    const call = await iam.calls.openOperator('test', land.accountId);
    const { wanted } = await readDocuments(await written(files));
    const plan = makePlan(wanted, { call, now: call.now, current });
    let told = 0;
    const tell = () => (told += 1);
    const isStopped = () => told > 0;
    const carried = await carryOut(iam, plan, { accountId: land.accountId, userId: null, current, tell, isStopped });
    expect(carried).toEqual({ done: 1, total: 2, failure: null });
  });
});
