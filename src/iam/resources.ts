/**
 * Resources that services register in a workspace. Two questions guard each act: the register's own action at the door
 * and the kind's action on the row, so that "may register" never stands in for "may create a notebook".
 */
import type { Question } from './authorizer.js';
import type { Call } from './call.js';
import { change, creating, type ChangeOptions, type OpenChange } from './change.js';
import { notFound, versionConflict } from './faults.js';
import { newId, type House } from './house.js';
import { checkText, problemsOf } from './limits.js';
import { problem, reject, succeed, type Outcome, type Invalid, type Refused, type UserProblem } from './outcome.js';
import { isRegistered, kindQuestion, type KindOperation } from './resource-kinds.js';
import { maySeeResource } from './resource-visibility.js';
import { readUrn, type UrnParts } from './resource-urns.js';
import type { Id, Resource, Tag } from './records.js';
import { refuseOverQuota } from './workspace-quotas.js';

const tagLimits = { count: 20, keyLength: 128, valueLength: 255 } as const;

export interface RegisterResourceInput {
  readonly urn: string;
  readonly name?: string | null;
  readonly ownerId?: Id | null;
  readonly parentId?: Id | null;
  readonly tags?: readonly Tag[] | null;
  readonly idempotencyKey?: string | null;
}

/** Registers a resource in the workspace of the caller's scope. */
export async function registerResource(
  house: House,
  call: Call,
  input: RegisterResourceInput,
): Promise<Outcome<Resource>> {
  return change(house, call, registering(input), (open) => register(open, input, []));
}

/**
 * Registers one resource in an open change; the one place where a resource comes to be.
 *
 * @param at where it stands in the input
 */
export async function register(
  open: OpenChange,
  input: Omit<RegisterResourceInput, 'idempotencyKey'>,
  at: readonly string[],
): Promise<Outcome<Resource>> {
  const { transaction, call } = open;
  const tags = input.tags ?? [];
  const parts = readUrn(input.urn);
  const problems = [...checkUrn(call, parts), ...checkTags(tags), ...checkName(input.name)];
  const kind = parts === null ? null : `${parts.service}:${parts.type}`;
  // The catalogue is for everyone to read: that there is no such kind, or no way to make one, tells nothing.
  const makeable = kind !== null && isRegistered(call.catalogue, kind, 'create');
  const refused =
    open.ask('bailiwick:resources:register', input.urn, { tags, requestTags: tags }) ??
    (makeable ? askKind(open, kind, 'create', input.urn, { tags, requestTags: tags }) : null);
  if (refused !== null) return refused;
  const workspaceId = call.scope.workspaceId;
  const missing = await missingReferences(open, input);
  const faults = [...missing, ...problems];
  if (faults.length > 0 || kind === null || workspaceId === null) return reject(...placed(faults, at));
  if ((await transaction.access.resourcesByUrn(call.accountId, [input.urn])).has(input.urn)) {
    const message = 'a resource is registered under this URN; update it or choose another id';
    return reject(...placed([problem('CONFLICT', message, 'urn', { reference: 'IAM.0005' })], at));
  }
  const full = await refuseOverQuota(open, workspaceId, kind, 1, 'urn');
  if (full !== null) return reject(...placed(full.problems, at));
  const resource: Resource = {
    id: newId(),
    accountId: call.accountId,
    workspaceId,
    urn: input.urn,
    kind,
    name: input.name ?? '',
    ownerId: input.ownerId ?? null,
    parentId: input.parentId ?? null,
    tags,
    registeredBy: call.principal.id,
    version: 1,
    createdAt: call.now,
    updatedAt: call.now,
  };
  await transaction.insert('resource', resource);
  return succeed(resource);
}

/** Problems of one item, at its place in the input. */
function placed(problems: readonly UserProblem[], at: readonly string[]): readonly UserProblem[] {
  return problems.map((fault) => ({ ...fault, path: fault.path && ['input', ...at, ...fault.path.slice(1)] }));
}

/** A repeat shows the resource as it is by now, so only to who may see it by now. */
function registering(input: RegisterResourceInput): ChangeOptions<Resource> {
  const options = creating('resource', 'registerResource', input);
  if (options.idempotency === undefined) return options;
  const { reread } = options.idempotency;
  return {
    ...options,
    idempotency: {
      ...options.idempotency,
      reread: async (transaction, id, call) => {
        const resource = await reread(transaction, id, call);
        return resource !== null && maySeeResource(call, resource) ? resource : null;
      },
    },
  };
}

export interface UpdateResourceInput {
  readonly id: Id;
  readonly name?: string | null;
  /** Null takes the owner away; absent leaves it. */
  readonly ownerId?: Id | null;
  readonly parentId?: Id | null;
  /** The whole list; absent leaves it. */
  readonly tags?: readonly Tag[] | null;
  readonly expectedVersion?: number | null;
}

/** Asked for the tags it has and again for the tags it would have: nobody tags a resource into or out of their reach. */
export async function updateResource(house: House, call: Call, input: UpdateResourceInput): Promise<Outcome<Resource>> {
  const problems = [...checkTags(input.tags ?? []), ...checkName(input.name)];
  return change(house, call, { operation: 'updateResource' }, async (open) => {
    const resource = await askedResource(open, input.id, 'bailiwick:resources:update', 'update', input.tags ?? null);
    if ('problems' in resource || 'decision' in resource) return resource;
    if (problems.length > 0) return reject(...problems);
    const stale = versionConflict(resource.version, input.expectedVersion);
    if (stale !== null) return reject(stale);
    const handed = refuseHandingOver(open, resource, input.ownerId);
    if (handed !== null) return handed;
    const missing = await missingReferences(open, input);
    if (missing.length > 0) return reject(...missing);
    if (
      input.parentId != null &&
      (await open.transaction.access.liesUnder(resource.accountId, input.parentId, resource.id))
    ) {
      return reject(problem('CONFLICT', 'a resource cannot be its own parent or ancestor', 'parentId'));
    }
    return succeed(
      await open.transaction.update('resource', resource.id, {
        ...(input.name == null ? {} : { name: input.name }),
        ...(input.ownerId === undefined ? {} : { ownerId: input.ownerId }),
        ...(input.parentId === undefined ? {} : { parentId: input.parentId }),
        ...(input.tags == null ? {} : { tags: input.tags }),
      }),
    );
  });
}

/**
 * Who owns a resource decides for whom its service works in the background (rule 26), so another may not put it into
 * somebody's name: only who registered it, and administrators.
 */
function refuseHandingOver(
  { call }: OpenChange,
  { registeredBy, ownerId }: Resource,
  newOwnerId: Id | null | undefined,
): Invalid | null {
  if (newOwnerId === undefined || newOwnerId === ownerId) return null;
  if (call.administrator || registeredBy === call.principal.id) return null;
  const message = 'only who registered a resource gives it another owner; ask an administrator';
  return reject(problem('NOT_HELD', message, 'ownerId', { reference: 'IAM.0003' }));
}

/** Takes a resource off the register; refused while others name it as their parent. */
export async function deregisterResource(
  house: House,
  call: Call,
  input: { readonly id: Id },
): Promise<Outcome<Resource>> {
  return change(house, call, { operation: 'deregisterResource' }, async (open) => {
    const resource = await askedResource(open, input.id, 'bailiwick:resources:deregister', 'delete', null);
    if ('problems' in resource || 'decision' in resource) return resource;
    const children = await open.transaction.idsWhere('resource', { parentId: resource.id });
    if (children.length > 0) {
      return reject(problem('IN_USE', 'other resources name it as their parent; deregister them first', 'id'));
    }
    if ((await open.transaction.get('remoteAccess', resource.id)) !== null) {
      await open.transaction.remove('remoteAccess', resource.id);
    }
    await open.transaction.remove('resource', resource.id);
    return succeed(resource);
  });
}

/** The resource, when the door's action and the kind's are allowed on it; what one may neither change nor see is not there. */
export async function askedResource(
  open: OpenChange,
  id: Id,
  door: string,
  operation: 'update' | 'delete',
  newTags: readonly Tag[] | null,
): Promise<Resource | Exclude<Outcome<never>, { kind: 'succeeded' }>> {
  const resource = (await open.transaction.reader.find('resource', [id])).get(id) ?? null;
  // What one may neither change nor see looks like what is not there (rule 19).
  if (resource === null) return open.ask(door, null) ?? reject(notFound('resource', id));
  for (const tags of newTags === null ? [resource.tags] : [resource.tags, newTags]) {
    const about = { tags, ...(newTags === null ? {} : { requestTags: newTags }) };
    const refused = open.ask(door, resource.urn, about) ?? askKind(open, resource.kind, operation, resource.urn, about);
    if (refused === null) continue;
    // Who may change it as it is knows of it, so is told about the labels it would have.
    if (tags === newTags || maySeeResource(open.call, resource)) return refused;
    return open.ask(door, null) ?? reject(notFound('resource', id));
  }
  return resource;
}

function askKind(
  open: OpenChange,
  kind: string,
  operation: KindOperation,
  urn: string,
  about: Pick<Question, 'tags' | 'requestTags'>,
): Refused | null {
  const { action, ...more } = kindQuestion(open.call, kind, operation, { resource: urn, ...about });
  return open.ask(action, urn, more);
}

function checkUrn(call: Call, parts: UrnParts | null): readonly UserProblem[] {
  if (parts === null) {
    return [
      problem(
        'INVALID',
        'this is no URN of one thing; write `service:region:account:type:id`, without wildcards and control characters',
        'urn',
      ),
    ];
  }
  if (parts.accountId !== call.accountId) {
    return [problem('INVALID', `the third segment of a URN is the account; write \`${call.accountId}\``, 'urn')];
  }
  const kind = `${parts.service}:${parts.type}`;
  const known = call.catalogue.findKind(kind);
  if (known !== undefined && known.name !== kind) {
    return [problem('INVALID', `the kind \`${kind}\` is written \`${known.name}\`; write it so`, 'urn')];
  }
  if (known !== undefined && !isRegistered(call.catalogue, kind, 'create')) {
    return [
      problem('INVALID', `no action creates a \`${kind}\`, so none is registered; register what it belongs to`, 'urn'),
    ];
  }
  if (known !== undefined) return [];
  const near = call.catalogue.suggestKind(kind);
  const advice = near === null ? 'register its service with this kind first' : `did you mean \`${near}\`?`;
  return [problem('INVALID', `\`${kind}\` is no kind of resource; ${advice}`, 'urn')];
}

function checkName(name: string | null | undefined): readonly UserProblem[] {
  return problemsOf(checkText('resourceName', name, 'name'));
}

function checkTags(tags: readonly Tag[]): readonly UserProblem[] {
  if (tags.length > tagLimits.count) {
    return [
      problem('LIMIT_EXCEEDED', `a resource has at most ${tagLimits.count} tags`, 'tags', { limit: tagLimits.count }),
    ];
  }
  const keys = new Set<string>();
  const faults: UserProblem[] = [];
  for (const { key, value } of tags) {
    if (key === '' || key.length > tagLimits.keyLength || value.length > tagLimits.valueLength) {
      faults.push(
        problem(
          'INVALID',
          `tag keys have 1 to ${tagLimits.keyLength} characters and values at most ${tagLimits.valueLength}`,
          'tags',
        ),
      );
    }
    if (keys.has(key)) faults.push(problem('INVALID', `tag \`${key}\` is given twice; give each key once`, 'tags'));
    keys.add(key);
  }
  return faults;
}

async function missingReferences(
  open: OpenChange,
  input: { readonly ownerId?: Id | null; readonly parentId?: Id | null },
): Promise<readonly UserProblem[]> {
  const { reader } = open.transaction;
  const faults: UserProblem[] = [];
  if (input.ownerId != null && !(await reader.find('user', [input.ownerId])).has(input.ownerId)) {
    faults.push(notFound('user', input.ownerId, 'ownerId'));
  }
  if (input.parentId != null) {
    // One that the caller may not see looks like one that does not exist.
    const parent = (await reader.find('resource', [input.parentId])).get(input.parentId);
    if (parent === undefined || !maySeeResource(open.call, parent)) {
      faults.push(notFound('resource', input.parentId, 'parentId'));
    }
  }
  return faults;
}
