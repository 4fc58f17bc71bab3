/** Warnings of what has no effect where it is granted, when a policy that is granted becomes another; on every database. */
import { beforeAll, describe, expect, it } from 'vitest';
import { databaseNames, startHouse, type TestHouse } from '../kit/house.js';
import { setScene, type Scene } from '../kit/scene.js';

const accountOnly = 'what it names is asked in account scope alone; grant it there';

describe.each(databaseNames)('a policy that is granted becomes another, on %s', (database) => {
  let house: TestHouse;
  let scene: Scene;
  let workspace: string;
  let other: string;
  let names = 0;

  beforeAll(async () => {
    house = await startHouse({ database });
    scene = await setScene(house);
    workspace = await scene.workspace('one-workspace');
    other = await scene.workspace('other-workspace');
  });

  type Statement = Readonly<Record<string, unknown>>;
  const documentOf = (...Statement: readonly Statement[]) => ({ Version: '1.1', Statement });
  const allowing = (...Action: readonly string[]): Statement => ({ Effect: 'Allow', Action });

  async function done<T>(mutation: string, fields: string, input: object): Promise<T> {
    const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
    const { made } = await house.gql<{ made: T & { userErrors: unknown[] } }>(
      scene.token,
      `mutation ($input: ${type}!) { made: ${mutation}(input: $input) { ${fields} userErrors { code message } } }`,
      { input },
    );
    expect(made.userErrors).toEqual([]);
    return made;
  }

  async function policyOf(
    ...statements: readonly Statement[]
  ): Promise<{ readonly id: string; readonly name: string }> {
    const input = { name: `policy-${(names += 1)}`, document: documentOf(...statements) };
    return (await done<{ policy: { id: string; name: string } }>('createPolicy', 'policy { id name }', input)).policy;
  }

  async function grantIn(policyId: string, ...scopes: readonly object[]): Promise<void> {
    const { id } = await scene.user(`holder-${(names += 1)}`);
    for (const scope of scopes) await done('grantPolicy', 'grant { id }', { policyId, subject: { user: id }, scope });
  }

  async function rewrite(policyId: string, ...statements: readonly Statement[]): Promise<readonly string[]> {
    const input = { policyId, document: documentOf(...statements), setAsDefault: true };
    return (await done<{ warnings: string[] }>('createPolicyVersion', 'warnings', input)).warnings;
  }

  async function putInUse(policyId: string, number: number): Promise<readonly string[]> {
    return (await done<{ warnings: string[] }>('setDefaultPolicyVersion', 'warnings', { policyId, number })).warnings;
  }

  it('tells what of the new one has no effect, once for each kind of scope and with the number of grants', async () => {
    const { id, name } = await policyOf(allowing('iam:users:getUser'));
    await grantIn(id, { workspace }, { workspace: other }, { allWorkspaces: true }, { all: true });
    const told = (kind: string, count: string): string =>
      `\`${name}\` granted in ${kind}, \`/Statement/0\`: \`iam:users:createUser\` has no effect in this scope: ${accountOnly} (${count})`;
    const expected = [told('WORKSPACE', '2 grants'), told('ALL_WORKSPACES', 'one grant')];
    const warnings = await rewrite(id, allowing('iam:users:createUser', 'iam:users:getUser'));
    expect([...warnings].sort()).toEqual([...expected].sort());
    expect(await putInUse(id, 1)).toEqual([]);
    expect([...(await putInUse(id, 2))].sort()).toEqual([...expected].sort());
  });

  it('tells when nothing is left of a grant, and not again what had no effect before', async () => {
    const { id, name } = await policyOf(allowing('iam:users:getUser'));
    await grantIn(id, { workspace });
    expect(await rewrite(id, allowing('iam:groups:createGroup'))).toEqual([
      `\`${name}\` granted in WORKSPACE: the policy has no effect in this scope: ${accountOnly} (one grant)`,
    ]);
    expect(await rewrite(id, allowing('iam:groups:deleteGroup'))).toEqual([]);
    expect(await rewrite(id, allowing('iam:groups:getGroup'), allowing('iam:groups:deleteGroup'))).toEqual([]);
    expect(await rewrite(id, allowing('iam:groups:deleteGroup'), allowing('iam:users:deleteUser', 'iam:users:getUser'))).toEqual([
      `\`${name}\` granted in WORKSPACE, \`/Statement/1\`: \`iam:users:deleteUser\` has no effect in this scope: ${accountOnly} (one grant)`,
    ]); // prettier-ignore
  });

  it('tells scopes apart by what conditions ask of them', async () => {
    const { id, name } = await policyOf(allowing('modelarts:notebook:get'));
    await grantIn(id, { workspace }, { workspace: other }, { allWorkspaces: true });
    const condition = { StringEquals: { 'g:ProjectName': ['one-workspace'] } };
    const warnings = await rewrite(id, { ...allowing('modelarts:notebook:get'), Condition: condition });
    expect(warnings).toEqual([
      `\`${name}\` granted in WORKSPACE: the policy has no effect in this scope: its condition on \`g:ProjectName\` never holds there; mend it, or grant it elsewhere (one grant)`,
    ]);
  });

  it('tells no more than ten, and how many there are beside', async () => {
    const { id } = await policyOf(allowing('iam:users:getUser'));
    await grantIn(id, { workspace }, { allWorkspaces: true });
    const useless = Array.from({ length: 7 }, (_, i) => ({
      ...allowing('iam:users:createUser'),
      Condition: { StringEquals: { 'g:UserName': [`user-${i}`] } },
    }));
    const warnings = await rewrite(id, allowing('iam:users:getUser'), ...useless);
    expect(warnings).toHaveLength(11);
    expect(warnings.at(-1)).toBe('4 more parts have no effect where they are granted');
  });

  it('says nothing of a version that is not in use, nor of a policy that nobody holds', async () => {
    const held = await policyOf(allowing('iam:users:getUser'));
    await grantIn(held.id, { workspace });
    const input = { policyId: held.id, document: documentOf(allowing('iam:users:createUser')) };
    expect((await done<{ warnings: string[] }>('createPolicyVersion', 'warnings', input)).warnings).toEqual([]);
    const idle = await policyOf(allowing('iam:users:getUser'));
    expect(await rewrite(idle.id, allowing('iam:users:createUser'))).toEqual([]);
  });
});
