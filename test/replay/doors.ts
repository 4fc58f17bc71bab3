/** The doors of mutations (the contract's table): asked before anything is read, on what the arguments name. */
import type { Caller, Reason } from './decisions.js';
import type { Id, State } from './state.js';
import type { Write } from './writes.js';

export interface Door {
  readonly scope: 'ACCOUNT' | 'WORKSPACE' | 'ANY';
  readonly anyOf: readonly string[];
  readonly resource: string | null;
}

const grantActs = ['', 'OnDomain', 'OnProject'].map((where) => `iam:permissions:grantRoleToGroup${where}`);
const revokeActs = ['', 'OnDomain', 'OnProject'].map((where) => `iam:permissions:revokeRoleFromGroup${where}`);

/** The contract's table of doors. */
function doorOf(write: Write, { accountId }: State): Door {
  const workspace = (id: Id) => `modelarts::${accountId}:workspace:${id}`;
  const account = (anyOf: readonly string[], resource: string | null = null): Door => ({
    scope: 'ACCOUNT',
    anyOf,
    resource,
  });
  const inside = (act: string, resource: string | null = null): Door => ({
    scope: 'WORKSPACE',
    anyOf: [`bailiwick:resources:${act}`],
    resource,
  });
  switch (write.name) {
    case 'registerResource':
      return inside('register', write.urn);
    case 'updateResource':
      return inside('update');
    case 'moveResource':
      return inside('move');
    case 'deregisterResource':
      return inside('deregister');
    case 'createWorkspace':
      return account(['modelarts:workspace:create']);
    case 'updateWorkspace':
      return account(['modelarts:workspace:update'], workspace(write.id));
    case 'deleteWorkspace':
      return account(['modelarts:workspace:delete'], workspace(write.id));
    case 'updateWorkspaceQuotas':
      return account(['modelarts:workspace:updateQuotas'], workspace(write.id));
    case 'grantPolicy':
      return {
        scope: 'ANY',
        anyOf: [
          ...grantActs,
          'iam:permissions:grantRoleToAgency',
          'iam:permissions:grantRoleToAgencyOnDomain',
          'iam:permissions:grantRoleToAgencyOnProject',
          'bailiwick:permissions:grantToUser',
          'bailiwick:permissions:grantToService',
        ],
        resource: null,
      };
    case 'revokeGrant':
      return { scope: 'ANY', anyOf: revokeDoor, resource: null };
    case 'addGroupMembers':
      return account(['iam:permissions:addUserToGroup'], `iam::${accountId}:group:${write.groupId}`);
    case 'removeGroupMembers':
      return account(['iam:permissions:removeUserFromGroup'], `iam::${accountId}:group:${write.groupId}`);
    case 'updateUser':
      return account(['iam:users:updateUser'], `iam::${accountId}:user:${write.id}`);
    case 'setDefaultPolicyVersion':
      return account(['iam:roles:updateRole'], `iam::${accountId}:policy:${write.policyId}`);
    case 'setAuthorizationMode':
      return account(['bailiwick:settings:update']);
  }
}

export const revokeDoor = [
  ...revokeActs,
  'iam:permissions:revokeRoleFromAgency',
  'iam:permissions:revokeRoleFromAgencyOnDomain',
  'iam:permissions:revokeRoleFromAgencyOnProject',
  'bailiwick:permissions:revokeFromUser',
  'bailiwick:permissions:revokeFromService',
];

/** Null: let in. */
export function refusedAtDoor(caller: Caller, { scope, anyOf, resource }: Door): Reason | null {
  if (caller.broken) return 'CREDENTIAL_REVOKED';
  if (scope !== 'ANY' && (scope === 'WORKSPACE') !== (caller.workspaceId !== null)) return 'WRONG_SCOPE';
  const verdicts = anyOf.map((action) => caller.decide(action, { resource }));
  return verdicts.some(({ effect }) => effect === 'ALLOW') ? null : (verdicts[0]?.reason ?? 'UNKNOWN_ACTION');
}

export function refusedWrite(caller: Caller, write: Write): Reason | null {
  return refusedAtDoor(caller, doorOf(write, caller.state));
}
