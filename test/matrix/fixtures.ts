/**
 * One set of arguments for each root field of the schema. Fields without one fail the matrix, so a new field cannot stay
 * untested. What would destroy the world names something that does not exist: the door is decided all the same.
 */
import type { World } from './world.js';

type Arguments = Readonly<Record<string, unknown>>;

/** An id that nothing has. */
export const nobody = 'f'.repeat(32);
const document = { Version: '1.1', Statement: [{ Effect: 'Allow', Action: ['modelarts:notebook:get'] }] };
const none = (): Arguments => ({});
const missing = (): Arguments => ({ input: { id: nobody } });

/** A subject and a scope for which this action is the exact one of granting. */
function grantFor(action: string): Arguments {
  const subject = /Agency/.test(action)
    ? 'agency'
    : /Group/.test(action)
      ? 'group'
      : /Service/.test(action)
        ? 'service'
        : 'user';
  const scope = /OnDomain$/.test(action)
    ? { account: true }
    : /OnProject$/.test(action)
      ? { allWorkspaces: true }
      : { all: true };
  return { input: { policyId: nobody, subject: { [subject]: nobody }, scope } };
}

/** `action`: the action that the caller of the cell holds, where the arguments must fit it. */
export const fixtures: Readonly<Record<string, (world: World, action: string) => Arguments>> = {
  'Query.accountSettings': none,
  'Query.actions': none,
  'Query.agencies': none,
  'Query.agency': ({ agencyId }) => ({ id: agencyId }),
  'Query.auditEvents': none,
  'Query.auditHead': none,
  'Query.authorizationFunctions': none,
  'Query.authorizationReadiness': () => ({ input: { functions: ['training'] } }),
  'Query.authorizations': none,
  'Query.checkAccess': () => ({ requests: [{ action: 'modelarts:notebook:get' }] }),
  'Query.comparePolicies': () => ({ before: { document }, after: { document } }),
  'Query.draftAgencyPolicies': () => ({ preset: 'CUSTOM', functions: ['training'] }),
  'Query.draftPolicy': () => ({ resourceKinds: ['modelarts:notebook'], accessLevels: ['READ'], effect: 'ALLOW' }),
  'Query.enterpriseProject': ({ enterpriseProjectId }) => ({ id: enterpriseProjectId }),
  'Query.enterpriseProjects': none,
  'Query.explainAccess': () => ({ request: { action: 'modelarts:notebook:get' } }),
  'Query.explainRemoteAccess': ({ resourceId }) => ({ input: { resourceId } }),
  'Query.grants': none,
  'Query.group': ({ groupId }) => ({ id: groupId }),
  'Query.groups': none,
  'Query.node': ({ userId }) => ({ id: Buffer.from(`User:${userId}`).toString('base64url') }),
  'Query.nodes': ({ userId }) => ({ ids: [Buffer.from(`User:${userId}`).toString('base64url')] }),
  'Query.policies': none,
  'Query.policy': ({ policyId }) => ({ id: policyId }),
  'Query.rateLimit': none,
  'Query.recallAccess': () => ({ requests: [{ action: 'modelarts:notebook:get' }], asOfRevision: 1 }),
  'Query.resource': ({ resourceId }) => ({ id: resourceId }),
  'Query.resourceKinds': none,
  'Query.resources': none,
  'Query.service': ({ serviceId }) => ({ id: serviceId }),
  'Query.services': none,
  'Query.simulateAccess': () => ({
    input: { policies: [document], requests: [{ action: 'modelarts:notebook:get' }] },
  }),
  'Query.user': ({ userId }) => ({ id: userId }),
  'Query.users': none,
  'Query.viewer': none,
  'Query.whatCan': none,
  'Query.whoCan': () => ({ action: 'modelarts:notebook:get' }),
  'Query.workspace': ({ home }) => ({ id: home }),
  'Query.workspaces': none,

  // With these a first event comes at once.
  'Subscription.auditEventRecorded': () => ({ afterRevision: 0 }),
  'Subscription.permissionsChanged': () => ({ actions: ['modelarts:notebook:get'], includeCurrent: true }),

  'Mutation.addGroupMembers': () => ({ input: { groupId: nobody, userIds: [nobody] } }),
  'Mutation.assumeAgency': () => ({ input: { agencyId: nobody, resourceId: nobody } }),
  'Mutation.authenticateRequest': () => ({ input: { request: { method: 'GET', path: '/', headers: [] } } }),
  'Mutation.authorizeAgency': () => ({ input: { agencyId: nobody, allUsers: true } }),
  'Mutation.changePassword': () => ({ input: { currentPassword: 'wrong', newPassword: 'New-password-1' } }),
  'Mutation.configureRemoteAccess': () => ({ input: { resourceId: nobody } }),
  'Mutation.confirmSecondFactor': () => ({ input: { code: '000000' } }),
  'Mutation.createAccessKey': () => ({ input: {} }),
  'Mutation.createAgency': ({ fresh }) => ({ input: { name: fresh('agency'), trust: { service: 'modelarts' } } }),
  'Mutation.createEnterpriseProject': ({ fresh }) => ({ input: { name: fresh('project') } }),
  'Mutation.createGroup': ({ fresh }) => ({ input: { name: fresh('group') } }),
  'Mutation.createKeyPair': ({ fresh }) => ({ input: { name: fresh('pair') } }),
  'Mutation.createPolicy': ({ fresh }) => ({ input: { name: fresh('policy'), document } }),
  'Mutation.createPolicyVersion': () => ({ input: { policyId: nobody, document } }),
  'Mutation.createSecondFactor': () => ({ input: {} }),
  'Mutation.createService': ({ fresh }) => ({ input: { name: fresh('service') } }),
  'Mutation.createUser': ({ fresh }) => ({ input: { name: fresh('user') } }),
  'Mutation.createWorkspace': ({ fresh }) => ({ input: { name: fresh('workspace') } }),
  'Mutation.deleteAccessKey': missing,
  'Mutation.deleteAgency': missing,
  'Mutation.deleteEnterpriseProject': missing,
  'Mutation.deleteGroup': missing,
  'Mutation.deleteKeyPair': missing,
  'Mutation.deletePolicy': missing,
  'Mutation.deletePolicyVersion': () => ({ input: { policyId: nobody, number: 1 } }),
  'Mutation.deleteSecondFactor': () => ({ input: { userId: nobody } }),
  'Mutation.deleteService': missing,
  'Mutation.deleteUser': missing,
  'Mutation.deleteWorkspace': missing,
  'Mutation.deregisterResource': missing,
  'Mutation.endSession': missing,
  'Mutation.grantAgencyFunctions': () => ({ input: { agencyId: nobody, preset: 'CUSTOM', functions: ['edge'] } }),
  'Mutation.grantPolicy': (_world, action) => grantFor(action),
  'Mutation.moveResource': () => ({ input: { id: nobody, workspaceId: nobody } }),
  'Mutation.importKeyPair': ({ fresh }) => ({ input: { name: fresh('pair'), publicKey: 'ssh-ed25519 AAAA' } }),
  'Mutation.refreshToken': () => ({ input: {} }),
  'Mutation.registerResource': ({ accountId, fresh }) => ({
    input: { urn: `modelarts::${accountId}:notebook:${fresh('notebook')}` },
  }),
  'Mutation.registerResources': ({ accountId, fresh }) => ({
    input: { resources: [{ urn: `modelarts::${accountId}:notebook:${fresh('notebook')}` }] },
  }),
  'Mutation.reportInstanceState': () => ({ input: { resourceId: nobody, state: 'RUNNING' } }),
  'Mutation.removeGroupMembers': () => ({ input: { groupId: nobody, userIds: [nobody] } }),
  'Mutation.resetPassword': () => ({ input: { userId: nobody } }),
  'Mutation.restoreDefaultAccess': () => ({ input: { userId: nobody } }),
  'Mutation.revokeAuthorization': missing,
  'Mutation.revokeGrant': missing,
  'Mutation.revokeSessions': () => ({ input: {} }),
  'Mutation.rotateServiceKey': missing,
  'Mutation.setAuthorizationMode': () => ({ input: { mode: 'STRICT' } }),
  'Mutation.setDefaultPolicyVersion': () => ({ input: { policyId: nobody, number: 1 } }),
  'Mutation.setWorkspacesEnabled': () => ({ input: { enabled: true } }),
  'Mutation.signIn': () => ({ input: { account: 'default', userName: 'nobody', password: 'wrong' } }),
  'Mutation.signOut': () => ({ input: {} }),
  'Mutation.switchScope': () => ({ input: { scope: { account: true } } }),
  'Mutation.updateAccountSettings': () => ({ input: { signIn: { idleDays: 0 } } }),
  'Mutation.updateAccessKey': missing,
  'Mutation.updateAgency': missing,
  'Mutation.updateEnterpriseProject': missing,
  'Mutation.updateGroup': missing,
  'Mutation.updateResource': missing,
  'Mutation.updateService': missing,
  'Mutation.updateUser': missing,
  'Mutation.updateWorkspace': missing,
  'Mutation.updateWorkspaceQuotas': () => ({ input: { id: nobody, quotas: [] } }),
};
