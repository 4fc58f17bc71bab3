/**
 * Moving a resource to another workspace (rule 16): called in the one where it is, decided on both sides. What leaves is
 * deleted there, what comes is created here, so that nobody carries something out of, or into, where they may not.
 */
import type { Decision, Question } from './authorizer.js';
import type { Calls } from './calls.js';
import type { Call } from './call.js';
import { change, type OpenChange } from './change.js';
import { notFound, versionConflict } from './faults.js';
import type { House } from './house.js';
import { problem, refuse, reject, succeed, type Outcome } from './outcome.js';
import { kindQuestion } from './resource-kinds.js';
import { askedResource } from './resources.js';
import type { Id, Resource, Workspace } from './records.js';
import { refuseOverQuota } from './workspace-quotas.js';

export interface MoveResourceInput {
  readonly id: Id;
  readonly workspaceId: Id;
  readonly expectedVersion?: number | null;
}

export async function moveResource(
  house: House,
  calls: Calls,
  call: Call,
  input: MoveResourceInput,
): Promise<Outcome<Resource>> {
  return change(house, call, { operation: 'moveResource' }, async (open) => {
    const { transaction } = open;
    const resource = await askedResource(open, input.id, 'bailiwick:resources:move', 'delete', null);
    if ('problems' in resource || 'decision' in resource) return resource;
    const target = await transaction.get('workspace', input.workspaceId);
    const refused = target === null ? null : await refusalThere(calls, open, target, resource);
    // A workspace that one may not enter looks like one that is not there.
    if (target === null || refused?.reason === 'WORKSPACE_CLOSED') {
      return reject(notFound('workspace', input.workspaceId, 'workspaceId', 'ModelArts.0102'));
    }
    // Why, in policies and groups, is for those to ask who act there: here they may not even be visible.
    if (refused !== null) return refuse({ ...refused, statements: [], missingContextKeys: [], problems: [] });
    const stale = versionConflict(resource.version, input.expectedVersion);
    if (stale !== null) return reject(stale);
    if (target.id === resource.workspaceId) {
      return reject(problem('CONFLICT', 'the resource is in this workspace already; name another', 'workspaceId'));
    }
    const children = await transaction.idsWhere('resource', { parentId: resource.id });
    if (children.length > 0 || resource.parentId !== null) {
      const message =
        'what belongs together stays together; take the resource off its parent, and others off it, first';
      return reject(problem('IN_USE', message, 'id'));
    }
    const full = await refuseOverQuota(open, target.id, resource.kind, 1, 'workspaceId');
    if (full !== null) return full;
    return succeed(await transaction.update('resource', resource.id, { workspaceId: target.id }));
  });
}

/** The first question about the other side that is refused. */
async function refusalThere(
  calls: Calls,
  { call }: OpenChange,
  target: Workspace,
  { urn, kind, tags }: Resource,
): Promise<Decision | null> {
  const there = await calls.inWorkspace(call, target);
  const about = { resource: urn, tags, requestTags: tags };
  const questions: readonly Question[] = [
    { ...about, action: 'bailiwick:resources:move' },
    kindQuestion(call, kind, 'create', about),
  ];
  return questions.map((question) => there.decide(question)).find(({ effect }) => effect !== 'ALLOW') ?? null;
}
