/** Plans for enterprise projects and workspaces. */
import { checkText, fold, quotas, type EnterpriseProject } from '../iam/index.js';
import type { CurrentWorkspace } from './current.js';
import type { WantedProject, WantedWorkspace } from './documents.js';
import {
  countGrants,
  created,
  differences,
  isKept,
  placeOf,
  planDeletion,
  quoted,
  report,
  step,
  willBe,
  type Planning,
  type Step,
} from './planning.js';

export function planProjects(planning: Planning): void {
  const { current, wanted, prune, problems } = planning;
  for (const [name, project] of wanted.EnterpriseProject) {
    const there = current.projects.get(name);
    if (name === 'default') {
      problems.push({
        place: project.place,
        message: 'the default enterprise project cannot be changed; leave it out',
      });
      continue;
    }
    report(planning, project.place, [
      checkText('enterpriseProjectName', project.name, 'name'),
      checkText('enterpriseProjectDescription', project.description, 'description'),
    ]);
    if (there === undefined) createProject(planning, project);
    else updateProject(planning, project, there);
  }
  if (!prune.has('EnterpriseProject')) return;
  const grants = countGrants(current, ({ scopeKind, scopeId }) =>
    scopeKind === 'ENTERPRISE_PROJECT' ? scopeId : null,
  );
  for (const [folded, project] of current.projects) {
    if (wanted.EnterpriseProject.has(folded) || isKept(project)) continue;
    const bound = [...current.workspaces.values()].filter(
      ({ enterpriseProjectId }) => enterpriseProjectId === project.id,
    );
    if (bound.length > 0) {
      const message = `the enterprise project ${quoted(project.name)} cannot be pruned: ${bound.length} workspaces are bound to it`;
      problems.push({ place: null, message });
    }
    const by = step('delete projects', 'deleteEnterpriseProject', () => ({ id: project.id }));
    planDeletion(planning, { kind: 'EnterpriseProject', name: project.name, by, grants: grants.get(project.id) });
  }
}

function createProject({ changes }: Planning, project: WantedProject): void {
  const { name, description, enabled, place } = project;
  const makes = { kind: 'EnterpriseProject', name } as const;
  const steps = [step('create projects', 'createEnterpriseProject', () => ({ name, description }), makes)];
  // Workspaces are bound to it while it is enabled.
  if (!enabled) steps.push(disabling(name));
  changes.push({
    verb: 'CREATE',
    kind: 'EnterpriseProject',
    name,
    place,
    details: created({ description, enabled }),
    steps,
  });
}

function disabling(name: string): Step {
  return step('disable projects', 'updateEnterpriseProject', (ids) => ({
    id: ids.of('EnterpriseProject', name),
    enabled: false,
  }));
}

function updateProject({ changes, problems }: Planning, project: WantedProject, there: EnterpriseProject): void {
  const { name, description, enabled, place } = project;
  const details = differences([
    { field: 'name', before: there.name, after: name },
    { field: 'description', before: there.description, after: description },
    { field: 'enabled', before: String(there.enabled), after: String(enabled) },
  ]);
  if (!there.enabled && !enabled && details.length > 0) {
    problems.push({ place, message: 'a disabled enterprise project cannot be edited; say `enabled: true`' });
  }
  const steps: Step[] = [];
  if (details.some(({ field }) => field !== 'enabled') || (enabled && !there.enabled)) {
    const input = { id: there.id, name, description, enabled: enabled || null, expectedVersion: there.version };
    steps.push(step('change projects', 'updateEnterpriseProject', () => input));
  }
  if (!enabled && there.enabled) steps.push(disabling(name));
  changes.push({ verb: steps.length > 0 ? 'UPDATE' : 'KEEP', kind: 'EnterpriseProject', name, place, details, steps });
}

export function planWorkspaces(planning: Planning): void {
  const { current, wanted, problems } = planning;
  for (const [name, workspace] of wanted.Workspace) {
    const { place } = workspace;
    const there = current.workspaces.get(name);
    if (name === 'default') {
      problems.push({ place, message: 'the default workspace cannot be changed; leave it out' });
      continue;
    }
    report(planning, place, [
      checkText('workspaceName', workspace.name, 'name'),
      checkText('workspaceDescription', workspace.description, 'description'),
    ]);
    if (!willBe(planning, 'EnterpriseProject', workspace.enterpriseProject)) {
      const message = `there is no enterprise project ${quoted(workspace.enterpriseProject)}, here or in the files`;
      problems.push({ place: placeOf(workspace, 'enterpriseProject'), message });
    }
    for (const member of workspace.members) {
      const root = current.users.get(fold(member))?.root === true;
      if (willBe(planning, 'User', member) && !root) continue;
      problems.push({
        place: placeOf(workspace, 'members'),
        message: root
          ? `${quoted(member)} is the root user, who needs no place on a list; leave it out`
          : `there is no user ${quoted(member)}, here or in the files`,
      });
    }
    if (new Set(workspace.members.map(fold)).size > quotas.workspaceMembers) {
      const message = `\`members\` names ${workspace.members.length} users; at most ${quotas.workspaceMembers} are allowed`;
      problems.push({ place: placeOf(workspace, 'members'), message });
    }
    if (there === undefined) createWorkspace(planning, workspace);
    else updateWorkspace(planning, workspace, there);
  }
}

function createWorkspace({ changes }: Planning, workspace: WantedWorkspace): void {
  const { name, description, enterpriseProject, visibility, members, place } = workspace;
  const input: Step<'createWorkspace'>['input'] = (ids) => ({
    name,
    description,
    visibility,
    enterpriseProjectId: ids.of('EnterpriseProject', enterpriseProject),
  });
  const steps = [step('create workspaces', 'createWorkspace', input, { kind: 'Workspace', name })];
  // People are there later; until then nobody on the list may enter, which is less and not more.
  if (members.length > 0) {
    const listing: Step<'updateWorkspace'>['input'] = (ids) => ({
      id: ids.of('Workspace', name),
      memberIds: members.map((member) => ids.of('User', member)),
    });
    steps.push(step('change workspaces', 'updateWorkspace', listing));
  }
  changes.push({
    verb: 'CREATE',
    kind: 'Workspace',
    name,
    place,
    details: created({ description, enterpriseProject, visibility, members }),
    steps,
  });
}

function updateWorkspace(
  { changes, problems, current }: Planning,
  workspace: WantedWorkspace,
  there: CurrentWorkspace,
): void {
  const { name, description, visibility, members, place } = workspace;
  const project = current.projects.get(fold(workspace.enterpriseProject));
  if (project?.id !== there.enterpriseProjectId) {
    const message = 'the enterprise project of a workspace never changes; make another workspace';
    problems.push({ place: placeOf(workspace, 'enterpriseProject'), message });
  }
  // Root enters everywhere, listed or not.
  const nameOfUser = new Map([...current.users].flatMap(([user, { id, root }]) => (root ? [] : [[id, user] as const])));
  const before = there.memberIds.flatMap((id) => nameOfUser.get(id) ?? []).sort();
  const after = [...new Set(members.map(fold))].sort();
  const listed = differences([{ field: 'members', before: before.join(', '), after: after.join(', ') }]);
  const details = [
    ...differences([
      { field: 'name', before: there.name, after: name },
      { field: 'description', before: there.description, after: description },
      { field: 'visibility', before: there.visibility, after: visibility },
    ]),
    ...listed,
  ];
  const input: Step<'updateWorkspace'>['input'] = (ids) => ({
    id: there.id,
    name,
    description,
    visibility,
    memberIds: listed.length > 0 ? members.map((member) => ids.of('User', member)) : null,
    expectedVersion: there.version,
  });
  const steps = details.length > 0 ? [step('change workspaces', 'updateWorkspace', input)] : [];
  changes.push({ verb: steps.length > 0 ? 'UPDATE' : 'KEEP', kind: 'Workspace', name, place, details, steps });
}
