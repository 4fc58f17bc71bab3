import { beforeAll, describe, expect, it } from 'vitest';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { createCursors } from '../../src/graphql/cursors.js';
import { resolvers } from '../../src/graphql/resolvers.js';
import { buildGuardedSchema } from '../../src/graphql/schema.js';
import { createService } from '../../src/iam/index.js';
import { must, openStage, type Stage } from './stage.js';

const schema = buildGuardedSchema({ resolvers, catalogue: platformCatalogue });

let stage: Stage;
let token: string;

beforeAll(async () => {
  stage = await openStage(schema);
  const root = await stage.token(stage.root, 'account');
  must(
    await createService(stage.iam, await stage.call(root), {
      name: 'render',
      actions: [{ name: 'render:scene:create', accessLevel: 'WRITE', description: 'Make a scene' }],
      resourceKinds: [{ type: 'scene', description: 'Scene' }],
    }),
  );
  // Nobody in particular: the catalogue is open to every authenticated actor.
  token = await stage.token(await stage.user('anybody'), { workspace: '0' });
});

const list = `query ($filter: ActionFilterInput, $orderBy: ActionOrderInput, $first: Int, $after: String, $last: Int, $before: String) {
  actions(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
    totalCount nodes { name } edges { cursor }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;

interface Listed {
  readonly actions: {
    readonly totalCount: number;
    readonly nodes: readonly { readonly name: string }[];
    readonly edges: readonly { readonly cursor: string }[];
    readonly pageInfo: {
      readonly hasNextPage: boolean;
      readonly hasPreviousPage: boolean;
      readonly startCursor: string;
      readonly endCursor: string;
    };
  };
}

const read = (variables: Record<string, unknown>): Promise<Listed> => stage.get<Listed>(token, list, variables);
const names = ({ actions }: Listed): readonly string[] => actions.nodes.map(({ name }) => name);
const byName = (a: string, b: string): number => (a.toLowerCase() < b.toLowerCase() ? -1 : 1);

describe('actions', () => {
  it('are read in pages from either end, each once, in either direction', async () => {
    const every = [...platformCatalogue.rows.map(({ name }) => name), 'render:scene:create'].sort(byName);
    for (const direction of ['ASC', 'DESC']) {
      const orderBy = { field: 'NAME', direction };
      const expected = direction === 'ASC' ? every : every.toReversed();
      const forward: string[] = [];
      for (let after: string | null = null, more = true; more;) {
        const page: Listed = await read({ orderBy, first: 100, after });
        expect(page.actions.totalCount).toBe(every.length);
        expect(page.actions.pageInfo.hasPreviousPage).toBe(after !== null);
        forward.push(...names(page));
        ({ endCursor: after, hasNextPage: more } = page.actions.pageInfo);
      }
      expect(forward).toEqual(expected);
      const backward: string[] = [];
      for (let before: string | null = null, more = true; more;) {
        const page: Listed = await read({ orderBy, last: 100, before });
        expect(page.actions.pageInfo.hasNextPage).toBe(before !== null);
        backward.unshift(...names(page));
        ({ startCursor: before, hasPreviousPage: more } = page.actions.pageInfo);
      }
      expect(backward).toEqual(expected);
    }
  });

  it('begin with 25 by name, and take a window between two cursors', async () => {
    const first = await read({});
    expect(names(first)).toHaveLength(25);
    expect(names(first)).toEqual([...names(first)].sort(byName));
    const [one, , , , five] = first.actions.edges;
    const between = await read({ after: one?.cursor, before: five?.cursor });
    expect(names(between)).toEqual(names(first).slice(1, 4));
    expect(between.actions.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: true });
  });

  it('go on where they were when the action at the cursor is gone', async () => {
    const [first, second] = names(await read({ first: 2 }));
    const gone = createCursors(stage.iam.sealing, { accountId: stage.accountId, workspaceId: '0' })
      .of('actions')
      .encode({ by: 'NAME', direction: 'ASC' }, { key: `${first?.toLowerCase()}!`, id: 'gone' });
    expect(names(await read({ first: 1, after: gone }))).toEqual([second]);
  });

  it('refuse pages out of range and cursors of another order', async () => {
    const { startCursor } = (await read({ first: 1 })).actions.pageInfo;
    for (const wrong of [
      { first: 0 },
      { first: 101 },
      { last: -1 },
      { first: 1, last: 1 },
      { after: 'nonsense' },
      { after: startCursor, orderBy: { field: 'NAME', direction: 'DESC' } },
    ]) {
      const { codes } = await stage.ask(token, list, wrong);
      expect([wrong, codes]).toEqual([wrong, ['BAD_USER_INPUT']]);
    }
  });

  it('are filtered by service, kind, level and words, alone and together', async () => {
    const { rows } = platformCatalogue;
    const levels = await read({ filter: { resourceKind: 'ModelArts:Notebook', accessLevel: 'LIST' }, first: 100 });
    const expected = rows.filter(
      ({ service, resourceType, accessLevel }) =>
        service === 'modelarts' && resourceType === 'notebook' && accessLevel === 'LIST',
    );
    expect(names(levels)).toEqual(expected.map(({ name }) => name).sort(byName));
    expect(levels.actions.totalCount).toBe(expected.length);
    expect(expected.length).toBeGreaterThan(1);
    const eps = await read({ filter: { service: 'EPS' }, first: 100 });
    expect(eps.actions.totalCount).toBe(rows.filter(({ service }) => service === 'eps').length);
    expect(names(await read({ filter: { search: 'A SCENE' } }))).toEqual(['render:scene:create']);
    expect(names(await read({ filter: { search: 'Scene:CREATE', service: 'render' } }))).toEqual([
      'render:scene:create',
    ]);
    expect(await read({ filter: { service: 'render', accessLevel: 'READ' } })).toMatchObject({
      actions: { totalCount: 0, nodes: [], pageInfo: { hasNextPage: false, hasPreviousPage: false, endCursor: null } },
    });
  });

  it('say everything that the catalogue knows of them', async () => {
    const query = `query ($search: String!) { actions(filter: { search: $search }) { nodes {
      name service resourceKind operation accessLevel description global enterpriseProjectScope
      dependsOn conditionKeys aliasOf aliases legacy origin
    } } }`;
    const own = await stage.get<{ actions: { nodes: unknown[] } }>(token, query, { search: 'render:scene:create' });
    expect(own.actions.nodes).toEqual([
      {
        name: 'render:scene:create',
        service: 'render',
        resourceKind: 'render:scene',
        operation: 'create',
        accessLevel: 'WRITE',
        description: 'Make a scene',
        global: false,
        enterpriseProjectScope: true,
        dependsOn: [],
        conditionKeys: [],
        aliasOf: null,
        aliases: [],
        legacy: false,
        origin: 'SERVICE',
      },
    ]);
    const assume = await stage.get<{ actions: { nodes: unknown[] } }>(token, query, { search: 's:assume' });
    expect(assume.actions.nodes).toMatchObject([
      { name: 'iam:agencies:assume', aliasOf: null, aliases: ['iam:tokens:assume'], global: true, origin: 'PLATFORM' },
      { name: 'iam:tokens:assume', aliasOf: 'iam:agencies:assume', aliases: ['iam:agencies:assume'] },
    ]);
    const session = await stage.get<{ actions: { nodes: unknown[] } }>(token, query, { search: 'session:use' });
    expect(session.actions.nodes).toMatchObject([{ name: 'bailiwick:session:use', origin: 'BAILIWICK' }]);
  });

  it('of a service are unknown to other accounts', async () => {
    const neighbour = await stage.neighbour('elsewhere');
    const theirs = await neighbour.token(neighbour.root, 'account');
    expect(await neighbour.get(theirs, list, { filter: { service: 'render' } })).toMatchObject({
      actions: { totalCount: 0 },
    });
  });

  it('are for authenticated actors', async () => {
    for (const field of ['actions { totalCount }', 'resourceKinds { name }']) {
      expect((await stage.ask(null, `{ ${field} }`)).codes).toEqual(['UNAUTHENTICATED']);
    }
  });
});

describe('resourceKinds', () => {
  interface Kinds {
    readonly resourceKinds: readonly {
      readonly name: string;
      readonly service: string;
      readonly label: string | null;
      readonly actions: readonly {
        readonly accessLevel: string;
        readonly actions: readonly { readonly name: string }[];
      }[];
    }[];
  }

  it('bring their actions level by level, and all actions stand under some kind by one of their names', async () => {
    const { resourceKinds } = await stage.get<Kinds>(
      token,
      '{ resourceKinds { name service label actions { accessLevel actions { name } } dependsOn } }',
    );
    for (const { actions } of resourceKinds) {
      expect(actions.map(({ accessLevel }) => accessLevel)).toEqual([
        'LIST',
        'READ',
        'WRITE',
        'TAGGING',
        'PERMISSION_MANAGEMENT',
      ]);
    }
    const everything = resourceKinds.flatMap(({ actions }) =>
      actions.flatMap((level) => level.actions.map(({ name }) => name)),
    );
    const typed = platformCatalogue.rows.filter(({ name }) => !name.includes('::'));
    expect(everything).toHaveLength(typed.length + 1);
    // A blank type is chosen by the kind of the action's other name.
    for (const { name } of platformCatalogue.rows.filter((row) => !typed.includes(row))) {
      expect(platformCatalogue.namesOf(name).some((other) => everything.includes(other))).toBe(true);
    }
    expect(resourceKinds.find(({ name }) => name === 'render:scene')).toMatchObject({
      service: 'render',
      label: 'Scene',
      actions: [{}, {}, { accessLevel: 'WRITE', actions: [{ name: 'render:scene:create' }] }, {}, {}],
      dependsOn: [],
    });
  });
});

describe('draftPolicy', () => {
  const draft = `query ($resourceKinds: [String!]!, $accessLevels: [AccessLevel!]!, $effect: PolicyEffect!) {
    draftPolicy(resourceKinds: $resourceKinds, accessLevels: $accessLevels, effect: $effect) {
      document text problems { severity code message pointer line column }
    }
  }`;
  interface Drafted {
    readonly draftPolicy: {
      readonly document: { readonly Statement: readonly unknown[] } | null;
      readonly text: string | null;
      readonly problems: readonly { readonly severity: string; readonly code: string; readonly pointer: string }[];
    };
  }
  const all = ['LIST', 'READ', 'WRITE', 'TAGGING', 'PERMISSION_MANAGEMENT'];

  it('makes a document that createPolicy takes as it stands', async () => {
    const { draftPolicy } = await stage.get<Drafted>(token, draft, {
      resourceKinds: ['modelarts:notebook', 'render:scene'],
      accessLevels: ['LIST', 'WRITE'],
      effect: 'DENY',
    });
    expect(draftPolicy.problems).toEqual([]);
    expect(JSON.parse(draftPolicy.text ?? '')).toEqual(draftPolicy.document);
    expect(draftPolicy.document).toMatchObject({ Version: '1.1', Statement: [{ Effect: 'Deny' }] });
    const root = await stage.token(stage.root, 'account');
    const before = await stage.revision();
    const create = `mutation ($input: CreatePolicyInput!) { createPolicy(input: $input) { policy { documentText } userErrors { code } } }`;
    const made = await stage.get(root, create, { input: { name: 'drafted', document: draftPolicy.text } });
    expect(made).toEqual({ createPolicy: { policy: { documentText: draftPolicy.text }, userErrors: [] } });
    expect(await stage.revision()).toBe(before + 1);
  });

  it('covers a whole kind by a pattern, and warns of what the actions depend on', async () => {
    const { draftPolicy } = await stage.get<Drafted>(token, draft, {
      resourceKinds: ['modelarts:notebook'],
      accessLevels: all,
      effect: 'ALLOW',
    });
    expect(draftPolicy.document?.Statement).toEqual([{ Effect: 'Allow', Action: ['modelarts:notebook:*'] }]);
    expect(draftPolicy.problems).toMatchObject([{ severity: 'WARNING', code: 'DEPENDENCIES_NOT_INCLUDED' }]);
  });

  it('says what is wrong with a choice, at its place', async () => {
    for (const [resourceKinds, accessLevels, problems] of [
      [['modelarts:notebok'], ['READ'], [['UNKNOWN_RESOURCE_KIND', '/resourceKinds/0', /`modelarts:notebook`\?$/]]],
      [['modelarts:notebook', 'iam:users'], ['READ'], [['MIXED_SCOPE', '/resourceKinds', /draft two/]]],
      [
        [],
        [],
        [
          ['NOTHING_TO_DRAFT', '/resourceKinds', /no resource kind/],
          ['NOTHING_TO_DRAFT', '/accessLevels', /no access level/],
        ],
      ],
    ] as const) {
      const { draftPolicy } = await stage.get<Drafted>(token, draft, { resourceKinds, accessLevels, effect: 'ALLOW' });
      expect(draftPolicy).toEqual({
        document: null,
        text: null,
        problems: problems.map(([code, pointer, message]) => ({
          severity: 'ERROR',
          code,
          pointer,
          message: expect.stringMatching(message) as string,
          line: null,
          column: null,
        })),
      });
    }
  });

  it('refuses unknown levels and choices without end', async () => {
    const choice = { resourceKinds: ['modelarts:notebook'], accessLevels: ['ALL'], effect: 'ALLOW' };
    expect((await stage.ask(token, draft, choice)).codes).toEqual(['BAD_USER_INPUT']);
    const many = { ...choice, accessLevels: all, resourceKinds: Array.from({ length: 1001 }, () => 'x:y') };
    expect((await stage.ask(token, draft, many)).codes).toEqual(['BAD_USER_INPUT']);
  });
});
