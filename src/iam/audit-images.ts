/**
 * Which images of the audit trail a reader may see, not only that something changed: a workspace that one may not enter
 * shows in none, and inside a workspace only what is visible there does (DESIGN section 2).
 */
import type { Call } from './call.js';
import type { AgencySession, AuditEvent, Grant, Id, JsonImage, Kind, Records, Resource } from './records.js';
import { maySeeResource } from './resource-visibility.js';
import { mayCallerEnter } from './workspaces.js';

/** What account scope does not reach (DESIGN section 2). */
const lyingInWorkspaces: ReadonlySet<string> = new Set(['resource', 'remoteAccess']);
const ofWorkspaces: ReadonlySet<string> = new Set(['workspace', 'workspaceMember', 'workspaceQuota']);

/** Reads one row of the caller's scope; given by whoever reads many events at once, so that it can be batched. */
export type FindRow = <K extends Kind>(kind: K, id: Id) => Promise<Records[K] | null>;

export async function maySeeImages(call: Call, event: AuditEvent, find: FindRow): Promise<boolean> {
  const { targetKind, targetId, before, after } = event;
  if (ofWorkspaces.has(targetKind)) return call.administrator || maySeeWorkspace(call, event, find);
  const here = call.scope.workspaceId;
  // What lay in a workspace is in the trail of the account only when it went with that workspace.
  if (here === null) return call.administrator || !lyingInWorkspaces.has(targetKind);
  const images = [before, after].filter((image) => image !== null);
  // An image has the columns of its row, without secrets (rule 30).
  // Where a resource was moved to is no business of where it was, and stands in the image of what the move made of it.
  if (targetKind === 'resource') {
    return images.every((image) => image['workspaceId'] === here && maySeeResource(call, image as unknown as Resource));
  }
  if (targetKind === 'remoteAccess') {
    const resource = await find('resource', targetId);
    return resource !== null && maySeeResource(call, resource);
  }
  if (targetKind === 'agencySession') {
    return images.every((image) => (image as unknown as AgencySession).workspaceId === here);
  }
  if (targetKind === 'grant' && images.every((image) => (image as unknown as Grant).scopeId === here)) return true;
  return (await find(targetKind as Kind, targetId)) !== null;
}

async function maySeeWorkspace(call: Call, event: AuditEvent, find: FindRow): Promise<boolean> {
  const id = workspaceOf(event);
  const workspace = id === null ? null : await find('workspace', id);
  if (workspace === null || call.user === null) return workspace?.id === call.scope.workspaceId;
  const listed = await find('workspaceMember', `${workspace.id}.${call.user.id}`);
  return mayCallerEnter(call, workspace, listed !== null);
}

function workspaceOf({ targetKind, targetId, before, after }: AuditEvent): Id | null {
  if (targetKind === 'workspace') return targetId;
  const named: JsonImage | null = after ?? before;
  const id = named?.['workspaceId'];
  return typeof id === 'string' ? id : null;
}
