/**
 * What must be done so that the account is as the files say. Pure: from what is wanted and what is there to changes, each
 * with the steps that carry it out, and to problems, any of which keeps the whole plan from being carried out.
 */
import { fold } from '../iam/index.js';
import { documentKinds, type DocumentKind, type FileProblem, type Wanted } from './documents.js';
import { planGrants } from './plan-grants.js';
import { planGroups, planUsers } from './plan-people.js';
import { planPolicies } from './plan-policies.js';
import { planProjects, planWorkspaces } from './plan-workspaces.js';
import {
  twice,
  type Plan,
  type PlannedChange,
  type Planning,
  type PrunableKind,
  type WantedByName,
} from './planning.js';

export function makePlan(
  wanted: readonly Wanted[],
  surroundings: Pick<Planning, 'call' | 'now' | 'current'> & { readonly prune?: readonly PrunableKind[] },
): Plan {
  const changes: PlannedChange[] = [];
  const problems: FileProblem[] = [];
  const prune = new Set<DocumentKind>(surroundings.prune ?? []);
  const planning = { ...surroundings, prune, wanted: byName(wanted, problems), changes, problems };
  for (const kind of prune) {
    const named = kind === 'Grant' ? planning.wanted.Grant.length : planning.wanted[kind].size;
    if (named > 0) continue;
    const message = `the files name no ${kind}, so \`--prune ${kind}\` would take away every one; name one that stays`;
    problems.push({ place: null, message });
  }
  planProjects(planning);
  planPolicies(planning);
  planGroups(planning);
  planUsers(planning);
  planWorkspaces(planning);
  planGrants(planning);
  return { changes, problems };
}

function byName(wanted: readonly Wanted[], problems: FileProblem[]): WantedByName {
  const maps = new Map(documentKinds.map((kind) => [kind, new Map<string, Wanted>()]));
  const grants: Extract<Wanted, { kind: 'Grant' }>[] = [];
  for (const document of wanted) {
    if (document.kind === 'Grant') grants.push(document);
    else {
      const map = maps.get(document.kind);
      const name = fold(document.name);
      const other = map?.get(name);
      if (other !== undefined) problems.push(twice(document.kind, document.name, document.place, other.place));
      else map?.set(name, document);
    }
  }
  return { ...Object.fromEntries(maps), Grant: grants } as unknown as WantedByName;
}
