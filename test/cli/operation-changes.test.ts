import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { Kind, parse } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { changesFor } from '../../src/cli/operation-changes.js';
import { holdersIn, type Holder } from '../../src/cli/operation-holders.js';
import { compareFiles } from '../../src/cli/operations.js';
import { declaredByRules, permissionsOfOperation, readRules } from '../../src/graphql/index.js';
import { buildContext, evaluate } from '../../src/policy/index.js';
import { plainSchema } from '../graphql/pretend-schema.js';
import { seed } from '../policy/seed.js';
import { startHouse } from '../kit/house.js';
import { runProgram } from '../kit/program.js';
import { setScene } from '../kit/scene.js';

const run = promisify(execFile);
const schema = plainSchema();
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bailiwick-changes-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Granted {
  readonly statements: readonly object[];
  readonly scope?: object;
}

/** An export of one group. */
function exported(name: string, ...granted: readonly Granted[]) {
  const nodes = granted.map(({ statements, scope = { kind: 'ALL' } }, index) => ({
    id: `g${index}`,
    expired: false,
    scope: { workspace: null, enterpriseProject: null, ...scope },
    policy: { id: `p${index}`, name: 'p', documentText: JSON.stringify({ Version: '1.1', Statement: statements }) },
  }));
  return { data: { groups: { nodes: [{ id: name, name, grants: { nodes, pageInfo: { hasNextPage: false } } }] } } };
}

const allow = (...Action: readonly string[]) => ({ Effect: 'Allow', Action });

async function outcomes(before: string, after: string, holders: readonly Holder[], requiredOnly = false) {
  const [then, now] = [join(folder, 'then.graphql'), join(folder, 'now.graphql')];
  await writeFile(then, before);
  await writeFile(now, after);
  const options = { schema: null, requiredOnly, before: { files: [then] }, holders };
  const { changes, problems } = await compareFiles([now], options, async () => Buffer.alloc(0));
  expect(problems).toEqual([]);
  return changes;
}

const onlyUsers = 'query Users { users { nodes { id name } } }';
const withGroups = 'query Users { users { nodes { id name groups { totalCount } } } }';

/** What becomes of `withGroups` for a group that could run `onlyUsers` by its first statement. */
const cases: readonly {
  readonly says: string;
  readonly granted: Granted;
  readonly outcome: string;
  readonly on?: readonly string[];
}[] = [
  {
    says: 'an Allow of it',
    granted: { statements: [allow('iam:users:listUsers', 'iam:groups:listGroups')] },
    outcome: 'KEEPS',
  },
  { says: 'a wildcard', granted: { statements: [allow('iam:*:*')] }, outcome: 'KEEPS' },
  { says: 'nothing more', granted: { statements: [allow('iam:users:listUsers')] }, outcome: 'BREAKS', on: [] },
  {
    says: 'a Deny of both',
    granted: {
      statements: [
        allow('iam:*:*'),
        { Effect: 'Deny', Action: ['iam:groups:listGroups', 'iam:groups:listGroupsForUser'] },
      ],
    },
    outcome: 'BREAKS',
    on: [],
  },
  {
    says: 'a Deny of one of the two',
    granted: { statements: [allow('iam:*:*'), { Effect: 'Deny', Action: ['iam:groups:listGroups'] }] },
    outcome: 'KEEPS',
  },
  {
    says: 'an Allow under a condition',
    granted: {
      statements: [
        allow('iam:users:listUsers'),
        { ...allow('iam:groups:listGroups'), Condition: { Bool: { 'g:MFAPresent': ['true'] } } },
      ],
    },
    outcome: 'DEPENDS',
    on: ['g:MFAPresent'],
  },
  {
    says: 'a Deny under a condition',
    granted: {
      statements: [
        allow('iam:*:*'),
        { Effect: 'Deny', Action: ['iam:groups:*'], Condition: { NotIpAddress: { 'g:SourceIp': ['10.0.0.0/8'] } } },
      ],
    },
    outcome: 'DEPENDS',
    on: ['g:SourceIp'],
  },
  {
    says: 'an Allow on every user',
    granted: {
      statements: [allow('iam:users:listUsers'), { ...allow('iam:groups:listGroups'), Resource: ['iam:*:*:user:*'] }],
    },
    outcome: 'KEEPS',
  },
  {
    says: 'an Allow on one user',
    granted: {
      statements: [allow('iam:users:listUsers'), { ...allow('iam:groups:listGroups'), Resource: ['iam:*:*:user:abc'] }],
    },
    outcome: 'DEPENDS',
    on: ['resource'],
  },
  {
    says: 'an Allow on what is no user',
    granted: {
      statements: [allow('iam:users:listUsers'), { ...allow('iam:groups:listGroups'), Resource: ['iam:*:*:group:*'] }],
    },
    outcome: 'BREAKS',
    on: [],
  },
];

describe('a changed operation', () => {
  it.each(cases)('for who holds $says: $outcome', async ({ granted, outcome, on }) => {
    const [change, ...others] = await outcomes(onlyUsers, withGroups, holdersIn([exported('readers', granted)]));
    expect(others).toEqual([]);
    expect(change).toMatchObject({ operation: 'query Users', holder: 'group readers', outcome });
    for (const question of change?.questions ?? []) {
      expect(question).toMatchObject({ path: ['users', 'nodes', 'groups'], coordinate: 'User.groups', on });
    }
  });

  it('touches nobody who could not run it before, and does not break by asking less', async () => {
    const none = holdersIn([exported('others', { statements: [allow('obs:bucket:listBucket')] })]);
    expect(await outcomes(onlyUsers, withGroups, none)).toEqual([]);
    const readers = holdersIn([exported('readers', { statements: [allow('iam:users:listUsers')] })]);
    expect(await outcomes(withGroups, onlyUsers, readers)).toMatchObject([{ outcome: 'KEEPS', questions: [] }]);
    expect(await outcomes(onlyUsers, withGroups, readers, true)).toMatchObject([{ outcome: 'KEEPS' }]);
  });

  it('breaks where it is run, by the scope of each grant', async () => {
    const granted = {
      statements: [allow('modelarts:workspace:get', 'modelarts:workspace:list')],
      scope: { kind: 'WORKSPACE', workspace: { id: 'w1', name: 'vision' } },
    };
    const before = 'query W { viewer { actor { id } } }';
    const after = 'query W { viewer { actor { id } scope { workspace { id } } } }';
    const [change] = await outcomes(before, after, holdersIn([exported('g', granted)]));
    expect(change?.questions.map(({ place }) => place)).toEqual(['the account', 'any workspace']);
    const scoped = 'query W { viewer { actor { id } } workspaces { totalCount } }';
    const [moved] = await outcomes(before, scoped, holdersIn([exported('g', granted)]));
    expect(moved?.questions.find(({ place }) => place === 'workspace vision')).toMatchObject({
      outcome: 'BREAKS',
      on: ['account scope'],
    });
  });

  it('is not compared when several have its name', async () => {
    const [then, now] = [join(folder, 'then.graphql'), join(folder, 'now.graphql')];
    await writeFile(then, 'query A { viewer { __typename } }');
    await writeFile(now, 'query A { users { totalCount } } query B { users { totalCount } }');
    const holders = holdersIn([exported('g', { statements: [allow('iam:*:*')] })]);
    const options = { schema: null, requiredOnly: false, holders };
    const input = async () => Buffer.alloc(0);
    expect(await compareFiles([now], { ...options, before: { files: [then] } }, input)).toMatchObject({
      changes: [{ operation: 'query A' }],
      unpaired: ['query B'],
    });
    await writeFile(then, '{ viewer { __typename } }');
    await writeFile(join(folder, 'twice.graphql'), '{ users { totalCount } }');
    const twice = { ...options, before: { files: [then, join(folder, 'twice.graphql')] } };
    await writeFile(now, '{ users { totalCount } }');
    expect(await compareFiles([now], twice, input)).toMatchObject({
      changes: [],
      unpaired: ['query (without a name)'],
    });
  });

  it('keeps and breaks as the engine decides, whatever the policies', () => {
    const statement = fc.record({
      Effect: fc.constantFrom('Allow', 'Allow', 'Deny'),
      Action: fc.subarray(
        ['iam:groups:listGroups', 'iam:groups:*', 'iam:groups:listGroupsForUser', 'iam:users:*', 'iam:*:*'],
        {
          minLength: 1,
        },
      ),
      Resource: fc.constantFrom(
        undefined,
        undefined,
        ['iam:*:*:user:*'],
        ['iam:*:*:user:x'],
        ['iam:*:*:group:*'],
        ['*'],
      ),
      Condition: fc.constantFrom(undefined, undefined, { Bool: { 'g:MFAPresent': ['true'] } }),
    });
    const of = (text: string) => {
      const document = parse(text);
      const [operation] = document.definitions;
      if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('no operation');
      return permissionsOfOperation(schema, declaredByRules(readRules(schema)), document, operation);
    };
    const before = of('{ viewer { __typename } }');
    const [, , groups] = of('{ users { nodes { groups { totalCount } } } }').asked;
    if (groups?.coordinate !== 'User.groups') throw new Error('the schema has changed');
    const after = { ...before, asked: [groups] };
    fc.assert(
      fc.property(fc.array(statement, { minLength: 1, maxLength: 4 }), (statements) => {
        const holders = holdersIn([JSON.parse(JSON.stringify(exported('g', { statements })))]);
        const [change] = changesFor({ name: 'o', before, after }, holders, false);
        const sources = holders[0]?.sources ?? [];
        const allowed = [true, false].flatMap((mfa) =>
          ['x', 'y'].map((id) =>
            groups.anyOf.some((action) => {
              const context = buildContext([['g:MFAPresent', String(mfa)]]);
              const aliases = platformCatalogue.namesOf(action);
              return evaluate(sources, { action, aliases, resource: `iam::a:user:${id}`, context }).effect === 'ALLOW';
            }),
          ),
        );
        if (change?.outcome === 'KEEPS') expect(allowed).not.toContain(false);
        if (change?.outcome === 'BREAKS') expect(allowed).not.toContain(true);
        // It may be said to depend where two statements together decide; never where one alone does.
        if (statements.length < 2) expect(change?.outcome === 'DEPENDS').toBe(new Set(allowed).size === 2);
      }),
      { seed, numRuns: 400 },
    );
  });

  it('is not judged by an export of which a part could not be read', () => {
    const whole = exported('g', { statements: [allow('iam:*:*')] });
    const spoilt = (text: string, by: string) => [JSON.parse(JSON.stringify(whole).replace(text, by)) as object];
    expect(() => holdersIn(spoilt('"hasNextPage":false', '"hasNextPage":true'))).toThrow('more grants than one page');
    expect(() =>
      holdersIn(spoilt(/"policy":\{.*?\}"\}/.exec(JSON.stringify(whole))?.[0] ?? '', '"policy":null')),
    ).toThrow('cannot be read');
    expect(() => holdersIn([])).toThrow('no groups');
  });
});

describe('the program', () => {
  it('asks the server, and compares with a commit', async () => {
    const house = await startHouse();
    const scene = await setScene(house);
    const ann = await scene.user('ann');
    await scene.grant(await scene.policy('readers', ['iam:users:listUsers']), {
      group: await scene.group('readers', [ann]),
    });
    const bob = await scene.user('bob');
    await scene.grant(await scene.policy('all', ['iam:users:listUsers', 'iam:groups:listGroups']), { user: bob.id });
    const git = (...args: readonly string[]) =>
      run('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.c', ...args], { cwd: folder });
    await git('init', '-q');
    await writeFile(join(folder, 'users.graphql'), onlyUsers);
    await git('add', 'users.graphql');
    await git('commit', '-q', '-m', 'first');
    await writeFile(join(folder, 'users.graphql'), withGroups);
    const args = ['operations', 'users.graphql', '--base', 'HEAD', '--url', house.url, '--token-env', 'CI_TOKEN'];
    const options = { cwd: folder, environment: { CI_TOKEN: scene.token } };
    const ended = await runProgram('cli/bailiwick.ts', args, options);
    expect(ended.stderr).toBe('');
    expect(ended.status).toBe(1);
    expect(ended.stdout).toContain('query Users: group admin keeps it');
    expect(ended.stdout).toContain('query Users: user bob keeps it');
    expect(ended.stdout).toContain(
      'query Users: breaks for group readers in the account: iam:groups:listGroupsForUser or iam:groups:listGroups on iam::{account}:user:{source.id} at users.nodes.groups is null',
    );
    expect(ended.stdout).not.toContain('ann');
    const lenient = await runProgram('cli/bailiwick.ts', [...args, '--fail-on', 'never', '--json'], options);
    expect(lenient.status).toBe(0);
    expect(JSON.parse(lenient.stdout)).toMatchObject({ notCompared: [] });
    const refused = await runProgram('cli/bailiwick.ts', args, { cwd: folder, environment: { CI_TOKEN: 'forged' } });
    expect(refused).toMatchObject({ status: 2, stdout: '' });
    expect(refused.stderr).toContain('the server refuses');
  });
});
