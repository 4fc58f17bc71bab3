/** The model's answer to a mutation whose door has opened. */
import { refused } from './asking.js';
import type { Caller, Catalogue } from './decisions.js';
import { DirectoryWrites } from './directory-writes.js';
import { ResourceWrites } from './resource-writes.js';
import { WorkspaceWrites } from './workspace-writes.js';
import type { Made, Outcome, Write } from './writes.js';

/** What the change comes to, asked by `caller` of the account as it is there and then. */
export function attempt(caller: Caller, write: Write, made: Made, catalogue: Catalogue): Outcome {
  if (caller.broken) return refused('CREDENTIAL_REVOKED');
  switch (write.name) {
    case 'registerResource':
      return new ResourceWrites(caller, made, catalogue).register(write);
    case 'updateResource':
      return new ResourceWrites(caller, made, catalogue).updateResource(write);
    case 'moveResource':
      return new ResourceWrites(caller, made, catalogue).move(write);
    case 'deregisterResource':
      return new ResourceWrites(caller, made, catalogue).deregister(write);
    case 'createWorkspace':
      return new WorkspaceWrites(caller, made, catalogue).createWorkspace(write);
    case 'updateWorkspace':
      return new WorkspaceWrites(caller, made, catalogue).updateWorkspace(write);
    case 'deleteWorkspace':
      return new WorkspaceWrites(caller, made, catalogue).deleteWorkspace(write);
    case 'updateWorkspaceQuotas':
      return new WorkspaceWrites(caller, made, catalogue).setQuota(write);
    case 'grantPolicy':
      return new DirectoryWrites(caller, made, catalogue).grant(write);
    case 'revokeGrant':
      return new DirectoryWrites(caller, made, catalogue).revoke(write);
    case 'addGroupMembers':
      return new DirectoryWrites(caller, made, catalogue).join(write);
    case 'removeGroupMembers':
      return new DirectoryWrites(caller, made, catalogue).leave(write);
    case 'updateUser':
      return new DirectoryWrites(caller, made, catalogue).enable(write);
    case 'setDefaultPolicyVersion':
      return new DirectoryWrites(caller, made, catalogue).useVersion(write);
    case 'setAuthorizationMode':
      return new DirectoryWrites(caller, made, catalogue).setMode(write);
  }
}
