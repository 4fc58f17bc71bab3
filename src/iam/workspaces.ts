/** Workspaces: isolated spaces for resources, each bound to one enterprise project (docs/domain.md section g). */
import type { Call } from './call.js';
import { change, creating, type OpenChange } from './change.js';
import { mayEnter, mayKnow, mayUserKnow } from './entry.js';
import { looksAt, statementsOf } from './escalation.js';
import { isNameTaken, nameTaken, notFound, versionConflict } from './faults.js';
import { newId, type House } from './house.js';
import { checkText, problemsOf, quotas } from './limits.js';
import { problem, reject, succeed, type Outcome, type UserProblem } from './outcome.js';
import { DEFAULT_ID, type Id, type Workspace, type WorkspaceVisibility } from './records.js';

export interface CreateWorkspaceInput {
  readonly name: string;
  readonly description?: string | null;
  readonly enterpriseProjectId?: Id | null;
  readonly visibility?: WorkspaceVisibility | null;
  /** Effective for INTERNAL only; kept for the others so that a later change of visibility finds them. */
  readonly memberIds?: readonly Id[] | null;
  readonly idempotencyKey?: string | null;
}

export async function createWorkspace(
  house: House,
  call: Call,
  input: CreateWorkspaceInput,
): Promise<Outcome<Workspace>> {
  const problems = workspaceProblems(input);
  if (problems.length > 0) return reject(...problems);
  return change(house, call, creating('workspace', 'createWorkspace', input), (open) => storeWorkspace(open, input));
}

/** What `createWorkspace` does, as a part of a larger change. */
export async function storeWorkspace(
  open: OpenChange,
  input: Omit<CreateWorkspaceInput, 'idempotencyKey'>,
): Promise<Outcome<Workspace>> {
  const problems = workspaceProblems(input);
  if (problems.length > 0) return reject(...problems);
  const { call } = open;
  const refused = open.ask('modelarts:workspace:create', null);
  if (refused !== null) return refused;
  const off = await refuseSwitchedOff(open);
  if (off !== null) return off;
  if (await isNameTaken(open, 'workspace', input.name)) {
    return reject(nameTaken('workspace', input.name, 'ModelArts.0107'));
  }
  const named = await refuseNaming(open);
  if (named !== null) return named;
  const projectId = input.enterpriseProjectId ?? DEFAULT_ID;
  const project = await open.transaction.get('enterpriseProject', projectId);
  if (project === null) return reject(notFound('enterprise project', projectId, 'enterpriseProjectId'));
  if (!project.enabled) {
    return reject(problem('CONFLICT', 'the enterprise project is disabled; enable it first', 'enterpriseProjectId'));
  }
  const workspace: Workspace = {
    id: newId(),
    accountId: call.accountId,
    name: input.name,
    description: input.description ?? '',
    enterpriseProjectId: projectId,
    visibility: input.visibility ?? 'PUBLIC',
    creatorId: call.principal.id,
    status: 'NORMAL',
    statusDetail: '',
    version: 1,
    createdAt: call.now,
    updatedAt: call.now,
  };
  await open.transaction.insert('workspace', workspace);
  const missing = await listMembers(open, workspace.id, input.memberIds ?? []);
  return missing ?? succeed(workspace);
}

export interface UpdateWorkspaceInput {
  readonly id: Id;
  readonly name?: string | null;
  readonly description?: string | null;
  readonly visibility?: WorkspaceVisibility | null;
  /** The whole list; absent leaves it. */
  readonly memberIds?: readonly Id[] | null;
  readonly expectedVersion?: number | null;
}

/** The enterprise project of a workspace never changes. Only who may enter a workspace may change it. */
export async function updateWorkspace(
  house: House,
  call: Call,
  input: UpdateWorkspaceInput,
): Promise<Outcome<Workspace>> {
  return change(house, call, { operation: 'updateWorkspace' }, (open) => alterWorkspace(open, input));
}

/** What `updateWorkspace` does, as a part of a larger change. */
export async function alterWorkspace(open: OpenChange, input: UpdateWorkspaceInput): Promise<Outcome<Workspace>> {
  const problems = workspaceProblems(input);
  const workspace = await changeableWorkspace(open, 'modelarts:workspace:update', input.id);
  if ('kind' in workspace) return workspace;
  if (problems.length > 0) return reject(...problems);
  const stale = versionConflict(workspace.version, input.expectedVersion);
  if (stale !== null) return reject(stale);
  if (input.name != null && (await isNameTaken(open, 'workspace', input.name, workspace.id))) {
    return reject(nameTaken('workspace', input.name, 'ModelArts.0107'));
  }
  if (input.name != null && input.name !== workspace.name) {
    const named = await refuseNaming(open);
    if (named !== null) return named;
  }
  if (input.memberIds != null) {
    for (const id of await open.transaction.idsWhere('workspaceMember', { workspaceId: workspace.id })) {
      await open.transaction.remove('workspaceMember', id);
    }
    const missing = await listMembers(open, workspace.id, input.memberIds);
    if (missing !== null) return missing;
  }
  return succeed(
    await open.transaction.update('workspace', workspace.id, {
      ...(input.name == null ? {} : { name: input.name }),
      ...(input.description == null ? {} : { description: input.description }),
      ...(input.visibility == null ? {} : { visibility: input.visibility }),
    }),
  );
}

function workspaceProblems(
  input: Pick<UpdateWorkspaceInput, 'name' | 'description' | 'memberIds'>,
): readonly UserProblem[] {
  return problemsOf(
    checkText('workspaceName', input.name, 'name'),
    input.name == null ? null : checkReserved(input.name),
    checkText('workspaceDescription', input.description, 'description'),
    checkMembers(input.memberIds),
  );
}

/** Name of a workspace in policies. */
export function workspaceUrn(accountId: Id, id: Id): string {
  return `modelarts::${accountId}:workspace:${id}`;
}

/**
 * Those of these workspaces that the caller may know of; what one may not enter looks like what does not exist, but one
 * that is being deleted is still seen by those who could enter it. One statement however many there are.
 */
export async function visibleWorkspaces(call: Call, workspaces: readonly Workspace[]): Promise<readonly Workspace[]> {
  const { user, administrator } = call;
  if (user === null) return workspaces.filter((workspace) => mayCallerEnter(call, workspace, false));
  const placeOn = ({ id }: Workspace): Id => `${id}.${user.id}`;
  const internal = administrator ? [] : workspaces.filter(({ visibility }) => visibility === 'INTERNAL');
  const places = await call.reader.find('workspaceMember', internal.map(placeOn));
  return workspaces.filter((workspace) => mayCallerKnow(call, workspace, places.has(placeOn(workspace))));
}

/** Whether the caller may know of it; `listed`: the caller's name is on the list of the workspace. */
function mayCallerKnow({ user, administrator, scope }: Call, workspace: Workspace, listed: boolean): boolean {
  if (user === null) return workspace.id === scope.workspaceId;
  const { visibility, creatorId } = workspace;
  return mayKnow({ visibility, root: user.root, administrator, creator: creatorId === user.id, listed });
}

/** Whether the caller may enter; `listed`: the caller's name is on the list of the workspace. */
export function mayCallerEnter({ user, administrator, scope }: Call, workspace: Workspace, listed: boolean): boolean {
  if (user === null) return workspace.id === scope.workspaceId;
  const { visibility, status, creatorId } = workspace;
  return mayEnter({ visibility, status, root: user.root, administrator, creator: creatorId === user.id, listed });
}

/**
 * A workspace that the caller may know of, when the exact question about it is allowed. The default one is never changed,
 * nor one that is being deleted.
 */
export async function changeableWorkspace(
  open: OpenChange,
  action: string,
  id: Id,
  which: 'OTHERS' | 'DEFAULT_TOO' = 'OTHERS',
): Promise<Workspace | Exclude<Outcome<never>, { kind: 'succeeded' }>> {
  const { transaction, call } = open;
  const refused = open.ask(action, workspaceUrn(call.accountId, id));
  if (refused !== null) return refused;
  const workspace = await transaction.get('workspace', id);
  const visible =
    workspace !== null && call.user !== null && (await mayUserKnow(transaction.access, workspace, call.user));
  if (workspace === null || !visible) return reject(notFound('workspace', id, 'id', 'ModelArts.0102'));
  if (workspace.id === DEFAULT_ID && which === 'OTHERS') {
    return reject(
      problem('IMMUTABLE', 'the default workspace cannot be changed or deleted', 'id', { reference: 'ModelArts.3566' }),
    );
  }
  if (workspace.status === 'DELETING') {
    const message = 'the workspace is being deleted; wait until it is gone';
    return reject(problem('CONFLICT', message, 'id', { reference: 'ModelArts.4550' }));
  }
  return workspace;
}

async function listMembers(
  open: OpenChange,
  workspaceId: Id,
  userIds: readonly Id[],
): Promise<ReturnType<typeof reject> | null> {
  const { transaction, call } = open;
  const ids = [...new Set(userIds)];
  const users = await transaction.reader.find('user', ids);
  const missing = ids.filter((id) => !users.has(id));
  if (missing.length > 0) return reject(...missing.map((id) => notFound('user', id, 'memberIds')));
  for (const userId of ids) {
    await transaction.insert('workspaceMember', {
      id: `${workspaceId}.${userId}`,
      accountId: call.accountId,
      workspaceId,
      userId,
      addedAt: call.now,
    });
  }
  return null;
}

/**
 * While a policy in use asks for the name of a workspace (`g:ProjectName`), a new name can open what an Allow waits with
 * or step out of a Deny; then only an administrator gives names (rule 5).
 */
async function refuseNaming({ transaction, call }: OpenChange): Promise<ReturnType<typeof reject> | null> {
  if (call.administrator) return null;
  const inUse = await transaction.access.policiesInUse(call.accountId);
  const looking = inUse.flatMap(({ text }) =>
    (['ALLOW', 'DENY'] as const).flatMap((effect) =>
      statementsOf(text, effect).filter((statement) => looksAt(statement, 'g:ProjectName')),
    ),
  );
  if (looking.length === 0) return null;
  // Which policies there are is not for everyone who may make a workspace.
  const message =
    'policies in use look at names of workspaces, so only an administrator gives one; ask an administrator';
  const actions = [...new Set(looking.flatMap((statement) => statement.actions))];
  return reject(problem('NOT_HELD', message, 'name', { reference: 'IAM.0003', actions }));
}

async function refuseSwitchedOff({ transaction, call }: OpenChange): Promise<ReturnType<typeof reject> | null> {
  const account = await transaction.access.account(call.accountId);
  if (account?.workspacesEnabled !== false) return null;
  const message =
    'workspaces are switched off in this account; ask an administrator to switch them on with `setWorkspacesEnabled`';
  return reject(problem('CONFLICT', message));
}

function checkReserved(name: string): UserProblem | null {
  if (name.toLowerCase() !== 'default') return null;
  return problem('RESERVED', '`default` is the name of the default workspace; choose another', 'name', {
    reference: 'ModelArts.0107',
  });
}

function checkMembers(memberIds: readonly Id[] | null | undefined): UserProblem | null {
  if (memberIds == null || memberIds.length <= quotas.workspaceMembers) return null;
  return problem(
    'LIMIT_EXCEEDED',
    `the list names ${memberIds.length} users; at most ${quotas.workspaceMembers} are allowed`,
    'memberIds',
    { reference: 'ModelArts.0107', limit: quotas.workspaceMembers },
  );
}
