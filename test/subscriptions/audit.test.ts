/** The audit trail as it grows: everything, once, in order, and nothing of another place. */
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { databaseNames, startHouse, type Person, type TestHouse, type TokenScope } from '../kit/house.js';
import { listen, type Listening } from '../kit/listening.js';
import { setScene, type Scene } from '../kit/scene.js';

const recorded =
  'subscription ($filter: AuditEventFilterInput, $afterRevision: Int) { auditEventRecorded(filter: $filter, afterRevision: $afterRevision) { id revision sequence operation target { id kind } after } }';

interface Event {
  readonly id: string;
  readonly revision: number;
  readonly sequence: number;
  readonly operation: string;
  readonly target: { readonly id: string; readonly kind: string };
  readonly after: Readonly<Record<string, unknown>> | null;
}

describe.each(databaseNames)('auditEventRecorded on %s', (database) => {
  let house: TestHouse;
  let scene: Scene;
  let count = 0;
  beforeAll(async () => {
    house = await startHouse({ database });
    scene = await setScene(house);
  });

  const fresh = (prefix: string) => `${prefix}-${(count += 1)}`;

  async function listening(
    variables: Record<string, unknown> = {},
    scope: TokenScope = 'account',
    by: Person = house.root,
  ): Promise<Listening> {
    const opened = await listen(house, await house.signIn(by, scope), recorded, variables);
    onTestFinished(() => opened.stop());
    return opened;
  }

  async function heard(opened: Listening): Promise<Event> {
    const event = (await opened.next()) as { data: { auditEventRecorded: Event } };
    expect(event).toMatchObject({ data: { auditEventRecorded: { id: expect.any(String) as unknown } } });
    return event.data.auditEventRecorded;
  }

  it('tells of a change as the list of events shows it', async () => {
    const opened = await listening();
    const name = fresh('person');
    await scene.user(name);
    const event = await heard(opened);
    expect(event).toMatchObject({ operation: 'createUser', target: { kind: 'user' }, after: { name } });
    const { auditEvents } = await house.gql<{ auditEvents: { nodes: Event[] } }>(
      scene.token,
      '{ auditEvents(first: 10) { nodes { id revision sequence operation target { id kind } after } } }',
    );
    expect(auditEvents.nodes).toContainEqual(event);
  });

  it('tells of two hundred changes at once: each, once, in order', async () => {
    const opened = await listening({ filter: { operation: 'createGroup' } });
    const names = Array.from({ length: 200 }, () => fresh('at-once'));
    const made = names.map((name) =>
      house.gql<{ createGroup: { revision: number } }>(
        scene.token,
        `mutation { createGroup(input: { name: "${name}" }) { revision userErrors { code } } }`,
      ),
    );
    const events: Event[] = [];
    while (events.length < names.length) events.push(await heard(opened));
    const revisions = (await Promise.all(made)).map(({ createGroup }) => createGroup.revision);
    expect(events.map(({ after }) => after?.['name']).sort()).toEqual([...names].sort());
    expect(events.map(({ revision }) => revision)).toEqual([...revisions].sort((a, b) => a - b));
    // And no more of them comes afterwards.
    await scene.group('the-last');
    expect(await heard(opened)).toMatchObject({ after: { name: 'the-last' } });
  });

  it('tells of all events of one change, in their order', async () => {
    const opened = await listening({ filter: { operation: 'addGroupMembers' } });
    const groupId = await scene.group(fresh('group'));
    const people = [];
    for (let n = 0; n < 30; n += 1) people.push(await scene.user(fresh('member')));
    await house.gql(
      scene.token,
      'mutation Add($input: AddGroupMembersInput!) { addGroupMembers(input: $input) { userErrors { code } } }',
      { input: { groupId, userIds: people.map(({ id }) => id) } },
    );
    const events: Event[] = [];
    while (events.length < 30) events.push(await heard(opened));
    expect(new Set(events.map(({ revision }) => revision)).size).toBe(1);
    const places = events.map(({ sequence }) => sequence);
    expect(places).toEqual([...new Set(places)].sort((a, b) => a - b));
  });

  it('begins after the revision that is named, for whoever was away', async () => {
    const before = (await house.iam.store.access.accountByName('default'))?.revision ?? 0;
    const [first, second] = [fresh('missed'), fresh('missed')];
    await scene.group(first);
    await scene.group(second);
    const opened = await listening({ afterRevision: before, filter: { operation: 'createGroup' } });
    expect(await heard(opened)).toMatchObject({ after: { name: first } });
    const { revision, after } = await heard(opened);
    expect(after).toMatchObject({ name: second });
    const again = await listening({ afterRevision: revision, filter: { operation: 'createGroup' } });
    const third = fresh('new');
    await scene.group(third);
    expect(await heard(again)).toMatchObject({ after: { name: third } });
    expect(await heard(opened)).toMatchObject({ after: { name: third } });
  });

  it('tells what the filter names', async () => {
    const person = await scene.user(fresh('target'));
    const opened = await listening({ filter: { targetId: person.id } });
    await scene.user(fresh('other'));
    await house.gql(
      scene.token,
      `mutation { updateUser(input: { id: "${person.id}", enabled: false }) { userErrors { code } } }`,
    );
    expect(await heard(opened)).toMatchObject({ operation: 'updateUser', target: { id: person.id } });
  });

  it('keeps to its place: nothing of a workspace in account scope, of another workspace, of another account', async () => {
    const other = await house.addAccount(fresh('other'));
    const theirs = await setScene(house, other);
    const account = await house.iam.store.access.accountByName('default');
    const [one, two] = [await scene.workspace(fresh('one')), await scene.workspace(fresh('two'))];
    const register = async (scope: TokenScope, by: Person, accountId: string): Promise<string> => {
      const name = fresh('notebook');
      const token = await house.signIn(by, scope);
      await house.gql(
        token,
        `mutation { registerResource(input: { urn: "modelarts::${accountId}:notebook:${name}", name: "${name}" }) { userErrors { code message } } }`,
      );
      return name;
    };
    const inAccount = await listening({ filter: { operation: 'createGroup' } });
    const everything = await listening();
    const inOne = await listening({}, { workspace: one });
    const inTwo = await listening({}, { workspace: two });
    const abroad = await listening({}, 'account', other);

    const ofOne = await register({ workspace: one }, house.root, account?.id ?? '');
    const ofTwo = await register({ workspace: two }, house.root, account?.id ?? '');
    await theirs.group(fresh('their-group'));
    const marker = fresh('marker');
    await scene.group(marker);

    expect(await heard(inOne)).toMatchObject({ operation: 'registerResource', after: { name: ofOne } });
    expect(await heard(inTwo)).toMatchObject({ operation: 'registerResource', after: { name: ofTwo } });
    expect(await heard(inAccount)).toMatchObject({ after: { name: marker } });
    const seen: string[] = [];
    while (!seen.includes('createGroup')) seen.push((await heard(everything)).operation);
    expect(seen).not.toContain('registerResource');
    const foreign: Event[] = [];
    while (!foreign.some(({ operation }) => operation === 'createGroup')) foreign.push(await heard(abroad));
    expect(JSON.stringify(foreign)).not.toContain(marker);
    expect(JSON.stringify(foreign)).not.toContain('notebook');
    // What comes next in each place is again its own.
    const again = await register({ workspace: one }, house.root, account?.id ?? '');
    expect(await heard(inOne)).toMatchObject({ after: { name: again } });
  });

  it('shows each event as its reader may see it by then: a closed workspace only to who may enter it', async () => {
    const auditor = await scene.user(fresh('auditor'));
    await scene.grant(await scene.policy(fresh('auditor'), ['bailiwick:audit:list']), { user: auditor.id });
    const opened = await listening({ filter: { operation: 'createWorkspace' } }, 'account', auditor);
    await scene.workspace(fresh('closed'), { visibility: 'PRIVATE' });
    expect(await heard(opened)).toMatchObject({ target: { kind: 'workspace' }, after: null });
    const { groups } = await house.gql<{ groups: { nodes: { id: string }[] } }>(
      scene.token,
      '{ groups(filter: { name: "admin" }) { nodes { id } } }',
    );
    await house.gql(
      scene.token,
      'mutation Add($input: AddGroupMembersInput!) { addGroupMembers(input: $input) { userErrors { code } } }',
      { input: { groupId: groups.nodes[0]?.id, userIds: [auditor.id] } },
    );
    const name = fresh('closed');
    await scene.workspace(name, { visibility: 'PRIVATE' });
    expect(await heard(opened)).toMatchObject({ target: { kind: 'workspace' }, after: { name } });
  });
});
