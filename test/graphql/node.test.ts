import { isInterfaceType } from 'graphql';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { encodeNodeId, nodeKinds, type NodeKind } from '../../src/graphql/node-ids.js';
import { resolvers } from '../../src/graphql/resolvers.js';
import { buildGuardedSchema } from '../../src/graphql/schema.js';
import type { Reader } from '../../src/iam/index.js';
import { allow, makeStrict, send } from './acts.js';
import { openStage, type Stage } from './stage.js';

const schema = buildGuardedSchema({ resolvers, catalogue: platformCatalogue });
const one = 'query ($id: ID!) { node(id: $id) { __typename id } }';
const many = 'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }';

/** Kinds that the schema shows. */
const node = schema.getType('Node');
const shownKinds = isInterfaceType(node) ? schema.getPossibleTypes(node).map(({ name }) => name) : [];

interface MadeWorkspace {
  readonly workspace: { readonly id: string };
}

let stage: Stage;
let root: string;
let inside: string;
let ann: string;
let annsToken: string;
let ids: Readonly<Record<string, string>>;

beforeAll(async () => {
  stage = await openStage(schema);
  await makeStrict(stage);
  root = await stage.token(stage.root, 'account');
  inside = await stage.token(stage.root, { workspace: '0' });
  ann = await stage.user('ann');
  annsToken = await stage.token(ann, 'account');
  const made = async (mutation: string, input: object, object: string, token = root): Promise<string> =>
    (await send<{ made: { id: string } }>(stage, token, mutation, input, `made: ${object} { id }`)).made.id;
  const agency = await made('createAgency', { name: 'jobs', trust: { service: 'modelarts' } }, 'agency');
  const policyId = await stage.policy('reader', ['iam:users:getUser']);
  const grant = { policyId, subject: { agency }, scope: { all: true } };
  const urn = `modelarts::${stage.accountId}:notebook:n1`;
  const { auditEvents } = await stage.get<{ auditEvents: { nodes: { id: string }[] } }>(
    root,
    '{ auditEvents(first: 1) { nodes { id } } }',
  );
  const { viewer } = await stage.get<{ viewer: { sessions: { nodes: { id: string }[] } } }>(
    annsToken,
    '{ viewer { sessions { nodes { id } } } }',
  );
  ids = {
    AccessKey: await made('createAccessKey', {}, 'accessKey'),
    Account: encodeNodeId('Account', stage.accountId),
    Agency: agency,
    AuditEvent: auditEvents.nodes[0]?.id ?? '',
    Authorization: await made('authorizeAgency', { agencyId: agency, userId: ann }, 'authorization'),
    EnterpriseProject: await made('createEnterpriseProject', { name: 'vision' }, 'enterpriseProject'),
    Grant: await made('grantPolicy', grant, 'grant'),
    Group: await made('createGroup', { name: 'engineers' }, 'group'),
    KeyPair: await made('createKeyPair', { name: 'desk' }, 'keyPair'),
    Policy: encodeNodeId('Policy', policyId),
    Resource: await made('registerResource', { urn }, 'resource', inside),
    Service: await made('createService', { name: 'labeling' }, 'service'),
    Session: viewer.sessions.nodes[0]?.id ?? '',
    User: encodeNodeId('User', ann),
    Workspace: await made('createWorkspace', { name: 'laboratory' }, 'workspace'),
  };
});

const idOf = (kind: string): string => {
  const id = ids[kind];
  if (id === undefined) throw new Error(`no ${kind} was made; give the test one`);
  return id;
};
const find = async (token: string, id: string): Promise<unknown> => (await stage.get(token, one, { id }))['node'];

describe('node', () => {
  it.each(shownKinds)('finds a %s', async (kind) => {
    const id = idOf(kind);
    // Resources are reached from inside their workspace only.
    expect(await find(kind === 'Resource' ? inside : root, id)).toEqual({ __typename: kind, id });
  });

  it.each(shownKinds)('asks the permission of a %s, and says nothing when it is missing', async (kind) => {
    const nobody = await stage.user(`nobody-${kind}`);
    const token = await stage.token(nobody, kind === 'Resource' ? { workspace: '0' } : 'account');
    // The account one is in needs no more than the session that everybody has.
    const open = kind === 'Account';
    expect(await find(token, idOf(kind))).toEqual(open ? { __typename: kind, id: idOf(kind) } : null);
  });

  it('is null for what is missing, of whatever kind, shown or not', async () => {
    for (const kind of Object.keys(nodeKinds) as NodeKind[])
      expect(await find(root, encodeNodeId(kind, 'gone'))).toBeNull();
  });

  it('is null for what another account owns', async () => {
    const neighbour = await stage.neighbour('neighbour');
    const theirs = await neighbour.token(neighbour.root, 'account');
    const theirsInside = await neighbour.token(neighbour.root, { workspace: '0' });
    for (const id of Object.values(ids)) {
      expect(await neighbour.get(theirs, one, { id })).toEqual({ node: null });
      expect(await neighbour.get(theirsInside, one, { id })).toEqual({ node: null });
    }
  });

  it('refuses what is no identifier', async () => {
    for (const id of ['0', 'nonsense', '', Buffer.from('Nothing:1').toString('base64url')]) {
      expect((await stage.ask(root, one, { id })).codes).toEqual(['BAD_USER_INPUT']);
    }
    expect((await stage.ask(root, one, { id: encodeNodeId('User', 'a\0b') })).codes).toEqual(['BAD_USER_INPUT']);
  });

  it('needs a session that may be used', async () => {
    expect((await stage.ask(null, one, { id: idOf('User') })).codes).toEqual(['UNAUTHENTICATED']);
    const shut = await stage.user('shut');
    await allow(stage, shut, [{ Effect: 'Deny', Action: ['bailiwick:session:use'] }]);
    const token = await stage.token(shut, 'account');
    expect((await stage.ask(token, one, { id: idOf('User') })).codes).toEqual(['FORBIDDEN']);
  });

  it('is confined to the workspace of the credential', async () => {
    for (const kind of ['EnterpriseProject', 'Group', 'Service', 'Workspace', 'AuditEvent']) {
      expect(await find(root, idOf(kind))).not.toBeNull();
      expect(await find(inside, idOf(kind))).toBeNull();
    }
    expect(await find(root, idOf('Resource'))).toBeNull();
    const plain = Buffer.from(idOf('Workspace'), 'base64url').toString().slice('Workspace:'.length);
    const laboratory = await stage.token(stage.root, { workspace: plain });
    expect(await find(laboratory, idOf('Workspace'))).not.toBeNull();
    expect(await find(laboratory, idOf('Resource'))).toBeNull();
  });
});

describe('what a type’s permission does not say', () => {
  it('a workspace that one may not enter is null', async () => {
    await allow(stage, ann, ['modelarts:workspace:get']);
    const make = async (input: object): Promise<string> =>
      (await send<MadeWorkspace>(stage, root, 'createWorkspace', input, 'workspace { id }')).workspace.id;
    const closed = await make({ name: 'closed', visibility: 'PRIVATE' });
    const listed = await make({ name: 'listed', visibility: 'INTERNAL', memberIds: [ann] });
    const unlisted = await make({ name: 'unlisted', visibility: 'INTERNAL' });
    expect(await find(annsToken, closed)).toBeNull();
    expect(await find(annsToken, unlisted)).toBeNull();
    expect(await find(annsToken, listed)).toMatchObject({ id: listed });
    expect(await find(root, closed)).toMatchObject({ id: closed });
  });

  it('a resource of a kind that one may not see is null', async () => {
    const reader = await stage.user('reader');
    await allow(stage, reader, ['bailiwick:resources:get']);
    const token = await stage.token(reader, { workspace: '0' });
    expect(await find(token, idOf('Resource'))).toBeNull();
    await allow(stage, reader, ['modelarts:notebook:get']);
    expect(await find(token, idOf('Resource'))).toMatchObject({ __typename: 'Resource' });
  });

  it('one’s own authorization is there for everybody, another’s is not', async () => {
    expect(await find(annsToken, idOf('Authorization'))).toMatchObject({ __typename: 'Authorization' });
    const other = await stage.token(await stage.user('other'), 'account');
    expect(await find(other, idOf('Authorization'))).toBeNull();
  });
});

describe('nodes', () => {
  it('answers in the order asked, repeats and gaps included', async () => {
    const wanted = [idOf('Group'), encodeNodeId('User', 'gone'), idOf('User'), idOf('Resource'), idOf('Group')];
    expect(await stage.get(root, many, { ids: wanted })).toEqual({
      nodes: [
        { __typename: 'Group', id: wanted[0] },
        null,
        { __typename: 'User', id: wanted[2] },
        null,
        { __typename: 'Group', id: wanted[0] },
      ],
    });
    expect(await stage.get(root, many, { ids: [] })).toEqual({ nodes: [] });
  });

  it('nulls what the caller may not read and leaves the rest', async () => {
    const pat = await stage.user('pat');
    await allow(stage, pat, ['iam:groups:getGroup']);
    const token = await stage.token(pat, 'account');
    expect(await stage.get(token, many, { ids: [idOf('User'), idOf('Group')] })).toEqual({
      nodes: [null, { __typename: 'Group', id: idOf('Group') }],
    });
  });

  it('reads fields of the types it finds', async () => {
    const query = `query ($ids: [ID!]!) { nodes(ids: $ids) {
      ... on User { name } ... on Authorization { urn user { name } } ... on Workspace { name creator { name } } } }`;
    expect(await stage.get(root, query, { ids: [idOf('User'), idOf('Authorization'), idOf('Workspace')] })).toEqual({
      nodes: [
        { name: 'ann' },
        { urn: `modelarts::${stage.accountId}:authorization:${ann}`, user: { name: 'ann' } },
        { name: 'laboratory', creator: { name: 'root' } },
      ],
    });
  });

  it('takes a hundred ids and no more', async () => {
    const wanted = Array.from({ length: 101 }, (_, n) => encodeNodeId('User', `u${n}`));
    expect((await stage.ask(root, many, { ids: wanted })).codes).toEqual(['BAD_USER_INPUT']);
    expect((await stage.ask(root, many, { ids: wanted.slice(1) })).codes).toEqual([]);
    expect((await stage.ask(root, many, { ids: ['nonsense'] })).codes).toEqual(['BAD_USER_INPUT']);
  });

  it('asks the store once for each kind, however many ids there are', async () => {
    const users: string[] = [];
    const workspaces: string[] = [];
    for (let n = 0; n < 12; n += 1) {
      users.push(encodeNodeId('User', await stage.user(`many-${n}`)));
      const input = { name: `many-${n}`, visibility: 'INTERNAL', memberIds: [ann] };
      const made = await send<MadeWorkspace>(stage, root, 'createWorkspace', input, 'workspace { id }');
      workspaces.push(made.workspace.id);
    }
    const asked: string[] = [];
    const { store } = stage.iam;
    const reader = store.reader.bind(store);
    const spy = vi.spyOn(store, 'reader').mockImplementation((scope) => {
      const real = reader(scope);
      const find: Reader['find'] = (kind, wanted) => {
        if (wanted.length > 0) asked.push(kind);
        return real.find(kind, wanted);
      };
      return Object.assign(Object.create(real) as Reader, { find });
    });
    const { nodes } = await stage.get<{ nodes: readonly unknown[] }>(annsToken, many, {
      ids: [...users, ...workspaces],
    });
    spy.mockRestore();
    expect(nodes.filter((found) => found !== null)).toHaveLength(12);
    expect(asked.sort()).toEqual(['user', 'workspace', 'workspaceMember']);
  });
});
