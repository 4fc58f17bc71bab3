import { beforeAll, describe, expect, it } from 'vitest';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { encodeNodeId } from '../../src/graphql/node-ids.js';
import { resolvers } from '../../src/graphql/resolvers.js';
import { buildGuardedSchema } from '../../src/graphql/schema.js';
import { allow, send } from './acts.js';
import { openStage, type Stage } from './stage.js';

const schema = buildGuardedSchema({ resolvers, catalogue: platformCatalogue });

interface Event {
  readonly id: string;
  readonly revision: number;
  readonly sequence: number;
  readonly at: string;
  readonly operation: string;
  readonly actor: { readonly id: string; readonly kind: string; readonly name: string };
  readonly target: { readonly id: string; readonly kind: string };
  readonly workspace: { readonly name: string } | null;
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
  readonly requestId: string;
}

let stage: Stage;
let root: string;

beforeAll(async () => {
  stage = await openStage(schema);
  root = await stage.token(stage.root, 'account');
});

const list = `list: auditEvents(filter: $filter, orderBy: $orderBy, first: $first) { totalCount nodes {
  id revision sequence at operation actor { id kind name } target { id kind } workspace { name } before after requestId } }`;

async function events(
  token: string,
  variables: { filter?: object | null; orderBy?: object; first?: number } = {},
): Promise<readonly Event[]> {
  const query = `query ($filter: AuditEventFilterInput, $orderBy: AuditEventOrderInput, $first: Int) { ${list} }`;
  const answer = await stage.get<{ list: { nodes: readonly Event[]; totalCount: number } }>(token, query, {
    first: 100,
    ...variables,
  });
  if (variables.first === undefined) expect(answer.list.totalCount).toBe(answer.list.nodes.length);
  return answer.list.nodes;
}

async function makeGroup(name: string): Promise<string> {
  return (await send<{ group: { id: string } }>(stage, root, 'createGroup', { name }, 'group { id }')).group.id;
}

describe('an audit event', () => {
  it('says who made what of what, in answer to which request', async () => {
    const id = await makeGroup('watched');
    const { revision } = await send(stage, root, 'updateGroup', { id, description: 'Seen' }, '');
    const [updated, created] = await events(root, { filter: { targetId: id } });
    expect(updated).toMatchObject({
      revision,
      sequence: 0,
      operation: 'updateGroup',
      actor: { id: encodeNodeId('User', stage.root), kind: 'ROOT', name: 'root' },
      target: { id, kind: 'group' },
      workspace: null,
      before: { name: 'watched', description: '', version: 1 },
      after: { name: 'watched', description: 'Seen', version: 2 },
      requestId: 'r1',
    });
    expect(created).toMatchObject({ operation: 'createGroup', before: null, after: { name: 'watched' } });
    await send(stage, root, 'deleteGroup', { id }, '');
    expect((await events(root, { filter: { targetId: id } }))[0]).toMatchObject({
      operation: 'deleteGroup',
      before: { description: 'Seen' },
      after: null,
    });
  });

  it('shows no secret', async () => {
    await send(stage, root, 'createUser', { name: 'secretive', password: 'Open sesame 42' }, '');
    await send(stage, root, 'createService', { name: 'keyed' }, '');
    const found = await events(root, { filter: { operation: 'createUser' } });
    expect(found.map(({ target }) => target.kind)).toContain('password');
    const text = JSON.stringify([...found, ...(await events(root, { filter: { operation: 'createService' } }))]);
    expect(text).not.toMatch(/argon2|sesame|sealedSecret|"hash"/i);
  });

  it('names what is no object of its own by its plain id', async () => {
    const groupId = await makeGroup('club');
    const userId = await stage.user('member');
    await send(stage, root, 'addGroupMembers', { groupId, userIds: [userId] }, '');
    const [joined] = await events(root, { filter: { operation: 'addGroupMembers' } });
    const plain = Buffer.from(groupId, 'base64url').toString().slice('Group:'.length);
    expect(joined?.target).toEqual({ kind: 'membership', id: `${plain}.${userId}` });
    expect(await events(root, { filter: { targetId: `${plain}.${userId}` } })).toHaveLength(1);
  });

  it('keeps what the operator did', async () => {
    const [first] = await events(root, { orderBy: { field: 'REVISION', direction: 'ASC' }, first: 1 });
    expect(first).toMatchObject({ operation: 'createAccount', actor: { id: 'operator', kind: 'OPERATOR' } });
    const theirs = await events(root, { filter: { actorId: 'operator' }, first: 5 });
    expect(new Set(theirs.map(({ actor }) => actor.kind))).toEqual(new Set(['OPERATOR']));
  });
});

describe('auditEvents', () => {
  it('come newest first, events of one change in the order they were made', async () => {
    const found = await events(root, { filter: { operation: 'createUser' } });
    const places = found.map(({ revision, sequence }) => revision * 1000 + sequence);
    expect(places.length).toBeGreaterThan(2);
    expect(places).toEqual([...places].sort((a, b) => b - a));
    const ascending = await events(root, {
      filter: { operation: 'createUser' },
      orderBy: { field: 'REVISION', direction: 'ASC' },
    });
    expect(ascending.map(({ id }) => id)).toEqual(found.map(({ id }) => id).reverse());
  });

  it('filter by actor, as a Node id or a plain one', async () => {
    const ann = await stage.user('ann');
    await allow(stage, ann, ['iam:groups:createGroup']);
    await send(stage, await stage.token(ann, 'account'), 'createGroup', { name: 'by-ann' }, '');
    for (const actorId of [ann, encodeNodeId('User', ann)]) {
      const found = await events(root, { filter: { actorId, operation: 'createGroup' } });
      expect(found).toMatchObject([{ operation: 'createGroup', actor: { kind: 'USER', name: 'ann' } }]);
    }
    const query = 'query ($id: ID) { auditEvents(filter: { actorId: $id }) { totalCount } }';
    expect((await stage.ask(root, query, { id: encodeNodeId('Group', ann) })).codes).toEqual(['BAD_USER_INPUT']);
  });

  it('filter by target: a Node id names the kind too', async () => {
    const plain = await events(root, { filter: { targetId: '0' } });
    expect(new Set(plain.map(({ target }) => target.kind))).toEqual(new Set(['workspace', 'enterpriseProject']));
    const typed = await events(root, { filter: { targetId: encodeNodeId('Workspace', '0') } });
    expect(typed.map(({ target }) => target.kind)).toEqual(['workspace']);
  });

  it('filter by time: from an instant on, and before another', async () => {
    const target = await makeGroup('timed-1');
    stage.advance(60_000);
    const other = await makeGroup('timed-2');
    const [first] = await events(root, { filter: { targetId: target } });
    const [second] = await events(root, { filter: { targetId: other } });
    const between = async (filter: object) =>
      (await events(root, { filter: { operation: 'createGroup', ...filter } })).map(({ after }) => after?.['name']);
    expect(await between({ since: second?.at })).toEqual(['timed-2']);
    expect(await between({ since: first?.at, until: second?.at })).toEqual(['timed-1']);
    expect(await between({ until: first?.at })).not.toContain('timed-1');
    expect(await between({ since: null, until: null })).toEqual(expect.arrayContaining(['timed-1', 'timed-2']));
  });

  it('page without losing or repeating any', async () => {
    const query = `query ($after: String) { list: auditEvents(first: 7, after: $after) {
      nodes { id } pageInfo { hasNextPage endCursor } totalCount } }`;
    interface Page {
      readonly list: {
        readonly nodes: readonly { readonly id: string }[];
        readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
        readonly totalCount: number;
      };
    }
    const seen: string[] = [];
    let after: string | null = null;
    for (;;) {
      const { list: page }: Page = await stage.get<Page>(root, query, { after });
      seen.push(...page.nodes.map(({ id }) => id));
      after = page.pageInfo.endCursor;
      if (page.pageInfo.hasNextPage) continue;
      expect(seen).toHaveLength(page.totalCount);
      break;
    }
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('made inside a workspace are read there and nowhere else', async () => {
    const [here, there] = [await stage.workspace('here'), await stage.workspace('there')];
    const inside = await stage.token(stage.root, { workspace: here });
    const urn = `modelarts::${stage.accountId}:notebook:n1`;
    await send(stage, inside, 'registerResource', { urn }, '');
    const [event, ...others] = await events(inside);
    expect(others).toEqual([]);
    expect(event).toMatchObject({ operation: 'registerResource', workspace: { name: 'here' }, after: { urn } });
    const filter = { operation: 'registerResource' };
    expect(await events(root, { filter })).toEqual([]);
    expect(await events(await stage.token(stage.root, { workspace: there }))).toEqual([]);
  });

  it('of another account are not there', async () => {
    const target = await makeGroup('ours');
    const neighbour = await stage.neighbour('neighbour');
    const theirs = await neighbour.token(neighbour.root, 'account');
    const query = 'query ($id: ID) { auditEvents(filter: { targetId: $id }) { totalCount } }';
    expect(await neighbour.get(theirs, query, { id: target })).toEqual({ auditEvents: { totalCount: 0 } });
  });

  it('need bailiwick:audit:list', async () => {
    const ben = await stage.user('ben');
    const token = await stage.token(ben, 'account');
    expect((await stage.ask(token, '{ auditEvents { totalCount } }')).codes).toEqual(['FORBIDDEN']);
    await allow(stage, ben, ['bailiwick:audit:list']);
    expect((await stage.ask(token, '{ auditEvents { totalCount } }')).codes).toEqual([]);
  });
});
