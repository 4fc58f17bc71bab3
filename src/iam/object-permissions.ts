/** What the caller may do with one object: the questions that its use-cases would ask, answered before anybody tries. */
import type { Decision } from './authorizer.js';
import type { Call } from './call.js';
import { BadInput } from './outcome.js';
import type { Resource, Workspace } from './records.js';
import { workspaceUrn } from './workspaces.js';

/** Actions that may be asked about at once. */
const mostActions = 100;

/** The register's own actions about what is registered. */
const registerActions = ['get', 'update', 'deregister', 'move'].map((act) => `bailiwick:resources:${act}`);

/**
 * Decisions about a registered resource, with the tags it has.
 *
 * @param actions null for every action of its kind and those of the register
 * @throws BadInput for more than 100 actions
 */
export function decideAboutResource(
  call: Call,
  { urn, kind, tags }: Resource,
  actions: readonly string[] | null,
): readonly Decision[] {
  const asked = actions === null ? [...actionsOn(call, kind), ...registerActions] : checked(actions);
  return asked.map((action) => call.decide({ action, resource: urn, tags }));
}

/**
 * Decisions about a workspace, in the scope of the call.
 *
 * @param actions null for every action on workspaces
 * @throws BadInput for more than 100 actions
 */
export function decideAboutWorkspace(
  call: Call,
  { id }: Workspace,
  actions: readonly string[] | null,
): readonly Decision[] {
  const urn = workspaceUrn(call.accountId, id);
  const asked = actions === null ? actionsOn(call, 'modelarts:workspace') : checked(actions);
  return asked.map((action) => call.decide({ action, resource: urn }));
}

function actionsOn({ catalogue }: Call, kind: string): readonly string[] {
  const levels = Object.values(catalogue.findKind(kind)?.actions ?? {});
  return levels.flatMap((rows) => rows.filter(({ aliasOf }) => aliasOf === null).map(({ name }) => name));
}

function checked(actions: readonly string[]): readonly string[] {
  if (actions.length <= mostActions) return actions;
  throw new BadInput(`\`actions\` has ${actions.length} items; ask about at most ${mostActions} at once`);
}
