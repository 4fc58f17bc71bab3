/**
 * People, groups, policies and grants made through the API, one line each, by whoever the token belongs to.
 *
 *     const scene = await setScene(house);
 *     const ann = await scene.user('ann', { groups: [await scene.group('engineers')] });
 *     await scene.grant(await scene.policy('reader', ['modelarts:notebook:list']), { user: ann.id }, { workspace: '0' });
 */
import type { Person, TestHouse } from './house.js';

export interface Scene {
  /** Root's token in account scope. */
  readonly token: string;
  user(name: string, options?: { readonly groups?: readonly string[]; readonly password?: string }): Promise<Person>;
  /** Answers the id of the group. */
  group(name: string, members?: readonly Pick<Person, 'id'>[]): Promise<string>;
  /** Answers the id of the policy: these actions, or whole statements. */
  policy(name: string, statements: readonly (string | object)[]): Promise<string>;
  /** Answers the id of the grant. Subject and scope as in the API; without a scope: everywhere. */
  grant(policyId: string, subject: object, scope?: object): Promise<string>;
  workspace(name: string, input?: object): Promise<string>;
}

/** Of a house: any server that these reach will do. */
export async function setScene(
  house: Pick<TestHouse, 'root' | 'signIn' | 'gql'>,
  root: Person = house.root,
): Promise<Scene> {
  const token = await house.signIn(root, 'account');
  const make = async (mutation: string, type: string, object: string, input: object): Promise<string> => {
    const query = `mutation Make($input: ${type}!) { made: ${mutation}(input: $input) { ${object} { id } userErrors { code message path reference } } }`;
    const { made } = await house.gql<{ made: Record<string, { id: string }> }>(token, query, { input });
    const id = made[object]?.id;
    if (id === undefined) throw new Error(`${mutation} answered no ${object}`);
    return id;
  };
  return {
    token,
    user: async (name, { groups = [], password = `Password of ${name} 1` } = {}) => {
      const id = await make('createUser', 'CreateUserInput', 'user', { name, password, groupIds: groups });
      return { id, name, password, account: root.account };
    },
    group: async (name, members = []) => {
      const groupId = await make('createGroup', 'CreateGroupInput', 'group', { name });
      const userIds = members.map(({ id }) => id);
      if (userIds.length > 0) {
        await make('addGroupMembers', 'AddGroupMembersInput', 'group', { groupId, userIds });
      }
      return groupId;
    },
    policy: (name, statements) => {
      const actions = statements.filter((statement) => typeof statement === 'string');
      const whole = statements.filter((statement) => typeof statement !== 'string');
      const Statement = [...(actions.length > 0 ? [{ Effect: 'Allow', Action: actions }] : []), ...whole];
      return make('createPolicy', 'CreatePolicyInput', 'policy', { name, document: { Version: '1.1', Statement } });
    },
    grant: (policyId, subject, scope = { all: true }) =>
      make('grantPolicy', 'GrantPolicyInput', 'grant', { policyId, subject, scope }),
    workspace: (name, input = {}) => make('createWorkspace', 'CreateWorkspaceInput', 'workspace', { name, ...input }),
  };
}
