import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkPolicyFiles } from '../../src/cli/policy-check.js';
import { analyseFiles, policiesOfAll, printDocumentProblems, printOperations } from '../../src/cli/operations.js';
import { runProgram } from '../kit/program.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bailiwick-operations-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function write(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  return Promise.all(
    Object.entries(files).map(async ([name, text]) => {
      const path = join(folder, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
      return path;
    }),
  );
}

const noInput = async () => Buffer.alloc(0);

async function analyse(files: Readonly<Record<string, string>>, schema: string | null = null, requiredOnly = false) {
  const analysis = await analyseFiles(await write(files), { schema, requiredOnly }, noInput);
  return { ...analysis, said: printDocumentProblems(analysis.problems).replaceAll(`${folder}/`, '') };
}

const doors = ({ operations }: Awaited<ReturnType<typeof analyse>>) =>
  operations.flatMap(({ permissions }) => permissions.asked.map((each) => `${each.path.join('.')} ${each.coordinate}`));

describe('operations', () => {
  it('spread fragments of other files, and of fragments there', async () => {
    const analysis = await analyse({
      'a/users.graphql': 'query Users { users { nodes { ...Person } } }',
      'a/person.graphql': 'fragment Person on User { id ...Groups }',
      'a/groups.gql': 'fragment Groups on User { groups { totalCount } }',
    });
    expect(analysis.said).toBe('');
    expect(doors(analysis)).toEqual(['users Query.users', 'users.nodes User', 'users.nodes.groups User.groups']);
  });

  it('are read from templates, with the places that they have in their file', async () => {
    const good = [
      "import { gql } from 'somewhere';",
      'const person = gql`fragment Person on User { id name }`;',
      'export const users = gql`',
      '  ${person}',
      '  query Users { users { nodes { ...Person } } }',
      '`;',
      'export const me = /* GraphQL */ `query Me { viewer { __typename } }`;',
    ].join('\n');
    const analysis = await analyse({ 'b/page.tsx': good });
    expect(analysis.said).toBe('');
    expect(analysis.operations.map(({ line, column, operation }) => [line, column, operation.name?.value])).toEqual([
      [5, 3, 'Users'],
      [7, 34, 'Me'],
    ]);
    const bad = await analyse({
      'b/bad.ts': 'const a = 1;\nconst b = gql`{ viewer { nam } }`;\nconst c = gql`{ viewer { ${x} } }`;',
    });
    expect(bad.operations).toEqual([]);
    expect(bad.said.split('\n').map((line) => line.slice(0, 50))).toEqual([
      'b/bad.ts:2:26 GRAPHQL_VALIDATION_FAILED Cannot que',
      'b/bad.ts:3:26 UNREADABLE what is put into a select',
      '',
    ]);
  });

  it('have all of their problems said, whatever file they are in', async () => {
    const { said, operations } = await analyse({
      'c/one.graphql': 'query One { users { nam } viewer { nobody } }',
      'c/two.graphql': 'query Two {\n  users {',
      'c/three.graphql': 'query Three { ...Missing }',
    });
    expect(operations).toEqual([]);
    const places = said.split('\n').map((line) => line.split(' ').slice(0, 2).join(' '));
    expect(places).toEqual([
      'c/one.graphql:1:21 GRAPHQL_VALIDATION_FAILED',
      'c/one.graphql:1:36 GRAPHQL_VALIDATION_FAILED',
      'c/three.graphql:1:18 GRAPHQL_VALIDATION_FAILED',
      'c/two.graphql:2:10 GRAPHQL_PARSE_FAILED',
      '',
    ]);
  });

  it('get policies that can be saved, each level in a document of its own, limited to what is named', async () => {
    const { operations } = await analyse({
      'd.graphql': 'query D { user(id: "0123") { id } workspaces { nodes { id name } } }',
    });
    const { policies } = policiesOfAll(operations, false);
    expect(policies.map(({ level, document }) => [level, document.Statement])).toEqual([
      ['GLOBAL', [{ Effect: 'Allow', Action: ['iam:users:getUser'], Resource: ['iam:*:*:user:*'] }]],
      ['PROJECT', [{ Effect: 'Allow', Action: ['modelarts:workspace:list'] }]],
    ]);
    for (const { text } of policies) {
      const problems = await checkPolicyFiles(['-'], async () => Buffer.from(text));
      expect(problems.filter(({ severity }) => severity === 'ERROR')).toEqual([]);
    }
    const required = policiesOfAll(operations, true).policies[0]?.document.Statement;
    expect(required).toEqual([{ Effect: 'Allow', Action: ['iam:users:getUser'], Resource: ['iam:*:*:user:0123'] }]);
  });

  it('say what is asked beyond the door, and what is not known', async () => {
    const { operations } = await analyse({ 'e.graphql': 'query E { resources { totalCount } }' });
    const said = printOperations(operations);
    expect(said).toContain('Needs `bailiwick:resources:list`, and the action that lists each kind');
    expect(said).toContain('Not known from the text');
    expect(operations[0]?.permissions.needs[0]?.further).toEqual(['modelarts:notebook:list']);
  });

  it('are read against the SDL of a service that the SDK guards', async () => {
    const [schema = ''] = await write({
      'service.sdl': [
        'type Query { train(id: ID!): Train @permission(action: "ml:train:get", resource: "ml::{account}:train:{args.id}")',
        '  version: String @public(reason: "Tells nothing.") }',
        'type Train @permission(anyOf: ["ml:train:get", "ml:train:list"], resource: "ml::{account}:train:{source.id}") {',
        '  id: ID! log: String! @permission(action: "ml:log:read") }',
      ].join('\n'),
    });
    const analysis = await analyse({ 'f.graphql': 'query F { version train(id: "t1") { id log } }' }, schema);
    expect(analysis.said).toBe('');
    expect(doors(analysis)).toEqual(['train Query.train', 'train Train', 'train.log Train.log']);
    const [operation] = analysis.operations;
    expect(operation?.permissions.asked.map(({ whenRefused }) => whenRefused)).toEqual(['ERROR', 'NULL', 'ERROR']);
    expect(operation?.permissions.open).toEqual(['Query.version']);
    expect(operation?.policies.unregistered).toEqual(['ml:train:get', 'ml:log:read']);
    const [mistyped = ''] = await write({ 'bad.sdl': 'type Query { a: Int @permision(action: "a:b:c") }' });
    expect((await analyse({}, mistyped)).said).toContain('Unknown directive "@permision"');
  });
});

describe('the program', () => {
  it('prints the documents alone, one in each line when there are several', async () => {
    const input = 'query D { user(id: "1") { id } workspaces { totalCount } }';
    const ended = await runProgram('cli/bailiwick.ts', ['operations', '--policy', '-'], { input });
    expect(ended).toMatchObject({ status: 0, stderr: '' });
    expect(
      ended.stdout
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { Version: string }).Version),
    ).toEqual(['1.1', '1.1']);
  });

  it('ends with status 2 and nothing on stdout when a document is not valid', async () => {
    const ended = await runProgram('cli/bailiwick.ts', ['operations', '--json', '-'], { input: '{ nothing }' });
    expect(ended).toMatchObject({ status: 2, stdout: '' });
    expect(ended.stderr).toMatch(/^<stdin>:1:3 GRAPHQL_VALIDATION_FAILED /);
  });
});
