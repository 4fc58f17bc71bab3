/** Enterprise projects: what workspaces are grouped by, and a scope of grants (docs/domain.md section b2). */
import type { Call } from './call.js';
import { change, creating, type OpenChange } from './change.js';
import { isNameTaken, nameTaken, notFound, versionConflict } from './faults.js';
import { newId, type House } from './house.js';
import { checkText, problemsOf, quotas } from './limits.js';
import { problem, reject, succeed, type Outcome, type UserProblem } from './outcome.js';
import { DEFAULT_ID, type EnterpriseProject, type Id } from './records.js';

export interface CreateEnterpriseProjectInput {
  readonly name: string;
  readonly description?: string | null;
  readonly idempotencyKey?: string | null;
}

export async function createEnterpriseProject(
  house: House,
  call: Call,
  input: CreateEnterpriseProjectInput,
): Promise<Outcome<EnterpriseProject>> {
  const problems = projectProblems(input);
  if (problems.length > 0) return reject(...problems);
  return change(house, call, creating('enterpriseProject', 'createEnterpriseProject', input), (open) =>
    storeProject(open, input),
  );
}

/** What `createEnterpriseProject` does, as a part of a larger change. */
export async function storeProject(
  open: OpenChange,
  input: Pick<CreateEnterpriseProjectInput, 'name' | 'description'>,
): Promise<Outcome<EnterpriseProject>> {
  const problems = projectProblems(input);
  if (problems.length > 0) return reject(...problems);
  const { call } = open;
  const refused = open.ask('eps:enterpriseProjects:create', null);
  if (refused !== null) return refused;
  if (await isNameTaken(open, 'enterpriseProject', input.name)) {
    return reject(nameTaken('enterprise project', input.name));
  }
  const { length } = await open.transaction.idsWhere('enterpriseProject', {});
  if (length >= quotas.enterpriseProjects) {
    return reject(
      problem('LIMIT_EXCEEDED', `an account has at most ${quotas.enterpriseProjects} enterprise projects`, 'name', {
        limit: quotas.enterpriseProjects,
      }),
    );
  }
  const project: EnterpriseProject = {
    id: newId(),
    accountId: call.accountId,
    name: input.name,
    description: input.description ?? '',
    enabled: true,
    version: 1,
    createdAt: call.now,
    updatedAt: call.now,
  };
  await open.transaction.insert('enterpriseProject', project);
  return succeed(project);
}

export interface UpdateEnterpriseProjectInput {
  readonly id: Id;
  readonly name?: string | null;
  readonly description?: string | null;
  readonly enabled?: boolean | null;
  readonly expectedVersion?: number | null;
}

/** A disabled project can only be enabled again. */
export async function updateEnterpriseProject(
  house: House,
  call: Call,
  input: UpdateEnterpriseProjectInput,
): Promise<Outcome<EnterpriseProject>> {
  return change(house, call, { operation: 'updateEnterpriseProject' }, (open) => alterProject(open, input));
}

/** What `updateEnterpriseProject` does, as a part of a larger change. */
export async function alterProject(
  open: OpenChange,
  input: UpdateEnterpriseProjectInput,
): Promise<Outcome<EnterpriseProject>> {
  const problems = projectProblems(input);
  const { call } = open;
  const project = await changeableProject(open, 'eps:enterpriseProjects:update', input.id);
  if ('kind' in project) return project;
  if (input.enabled != null && input.enabled !== project.enabled) {
    const action = input.enabled ? 'eps:enterpriseProjects:enable' : 'eps:enterpriseProjects:disable';
    const refused = open.ask(action, enterpriseProjectUrn(call.accountId, input.id));
    if (refused !== null) return refused;
  }
  if (problems.length > 0) return reject(...problems);
  const stale = versionConflict(project.version, input.expectedVersion);
  if (stale !== null) return reject(stale);
  if (!project.enabled && input.enabled !== true) {
    return reject(
      problem('CONFLICT', 'a disabled enterprise project cannot be edited; enable it', 'id', {
        reference: 'EPS.0014',
      }),
    );
  }
  if (input.name != null && (await isNameTaken(open, 'enterpriseProject', input.name, project.id))) {
    return reject(nameTaken('enterprise project', input.name));
  }
  return succeed(
    await open.transaction.update('enterpriseProject', project.id, {
      ...(input.name == null ? {} : { name: input.name }),
      ...(input.description == null ? {} : { description: input.description }),
      ...(input.enabled == null ? {} : { enabled: input.enabled }),
    }),
  );
}

function projectProblems(input: Pick<UpdateEnterpriseProjectInput, 'name' | 'description'>): readonly UserProblem[] {
  return problemsOf(
    checkText('enterpriseProjectName', input.name, 'name'),
    input.name == null ? null : checkReserved(input.name),
    checkText('enterpriseProjectDescription', input.description, 'description'),
  );
}

/** Deletes a project that no workspace is bound to, with the grants whose scope it was. */
export async function deleteEnterpriseProject(
  house: House,
  call: Call,
  input: { readonly id: Id },
): Promise<Outcome<EnterpriseProject>> {
  return change(house, call, { operation: 'deleteEnterpriseProject' }, (open) => eraseProject(open, input));
}

/** What `deleteEnterpriseProject` does, as a part of a larger change. */
export async function eraseProject(open: OpenChange, input: { readonly id: Id }): Promise<Outcome<EnterpriseProject>> {
  const { transaction } = open;
  // The vendors have no action for deleting a project; who may disable one may delete an empty one.
  const project = await changeableProject(open, 'eps:enterpriseProjects:disable', input.id);
  if ('kind' in project) return project;
  const bound = await transaction.idsWhere('workspace', { enterpriseProjectId: project.id });
  if (bound.length > 0) {
    return reject(problem('IN_USE', 'workspaces are bound to this project; delete them first', 'id'));
  }
  for (const id of await transaction.idsWhere('grant', { scopeKind: 'ENTERPRISE_PROJECT', scopeId: project.id })) {
    await transaction.remove('grant', id);
  }
  await transaction.remove('enterpriseProject', project.id);
  return succeed(project);
}

/** Name of an enterprise project in policies. */
export function enterpriseProjectUrn(accountId: Id, id: Id): string {
  return `eps::${accountId}:enterpriseProject:${id}`;
}

async function changeableProject(
  open: OpenChange,
  action: string,
  id: Id,
): Promise<EnterpriseProject | Exclude<Outcome<never>, { kind: 'succeeded' }>> {
  const refused = open.ask(action, enterpriseProjectUrn(open.call.accountId, id));
  if (refused !== null) return refused;
  const project = await open.transaction.get('enterpriseProject', id);
  if (project === null) return reject(notFound('enterprise project', id));
  if (project.id === DEFAULT_ID) {
    return reject(problem('IMMUTABLE', 'the default enterprise project cannot be changed or deleted', 'id'));
  }
  return project;
}

function checkReserved(name: string): UserProblem | null {
  if (name.toLowerCase() !== 'default') return null;
  return problem('RESERVED', '`default` in any letter case is reserved; choose another name', 'name');
}
