/** Which images of the audit trail a reader may see: a workspace that one may not enter shows in none (DESIGN section 2). */
import type { Call } from './call.js';
import type { AuditEvent, Id, JsonImage } from './records.js';
import { visibleWorkspaces } from './workspaces.js';

const ofWorkspaces: ReadonlySet<string> = new Set(['workspace', 'workspaceMember']);

/** Whether the caller may see what changed, not only that something did. */
export async function maySeeImages(call: Call, event: AuditEvent): Promise<boolean> {
  if (call.administrator || !ofWorkspaces.has(event.targetKind)) return true;
  const id = workspaceOf(event);
  const workspace = id === null ? undefined : (await call.reader.find('workspace', [id])).get(id);
  return workspace !== undefined && (await visibleWorkspaces(call, [workspace])).length > 0;
}

function workspaceOf({ targetKind, targetId, before, after }: AuditEvent): Id | null {
  if (targetKind === 'workspace') return targetId;
  const named: JsonImage | null = after ?? before;
  const id = named?.['workspaceId'];
  return typeof id === 'string' ? id : null;
}
