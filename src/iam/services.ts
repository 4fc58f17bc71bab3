/**
 * Services of an account (rule 3): each governs actions and resource kinds of its own under its own prefix. What they
 * register extends the account's catalogue from the next request on.
 */
import { checkRegistration, type Catalogue } from '../catalogue/index.js';
import { iamUrn } from './authorizer.js';
import type { Call } from './call.js';
import { insertAccessKey } from './access-keys.js';
import { actionsOf, catalogueOf, kindsOf } from './account-catalogues.js';
import { change, type ChangeOptions, type OpenChange, repeatable } from './change.js';
import { giftsOfPrincipal, refuseGain, type Gift } from './escalation.js';
import { isNameTaken, nameTaken, notFound, versionConflict } from './faults.js';
import { newId, type House } from './house.js';
import { checkText, problemsOf, quotas } from './limits.js';
import { problem, reject, succeed, type Outcome, type UserProblem } from './outcome.js';
import type { Id, Service } from './records.js';

export interface CreateServiceInput {
  readonly name: string;
  readonly description?: string | null;
  readonly hosts?: readonly string[] | null;
  readonly actions?: Service['actions'] | null;
  readonly resourceKinds?: Service['resourceKinds'] | null;
  readonly idempotencyKey?: string | null;
}

/** A service with a key that was made for it; the secret is answered once and never again. */
export interface KeyedService {
  readonly service: Service;
  readonly accessKeyId: string | null;
  readonly secretAccessKey: string | null;
}

export async function createService(
  house: House,
  call: Call,
  input: CreateServiceInput,
): Promise<Outcome<KeyedService>> {
  const actions = input.actions ?? [];
  const resourceKinds = input.resourceKinds ?? [];
  const problems = [
    ...problemsOf(
      checkText('serviceName', input.name, 'name'),
      checkText('description', input.description, 'description'),
    ),
    ...(input.hosts ?? []).map(checkHost).filter((fault): fault is UserProblem => fault !== null),
  ];
  if (problems.length > 0) return reject(...problems);
  const options = repeatable<KeyedService>('createService', input, {
    objectId: ({ service }) => service.id,
    reread: async (transaction, id) => {
      const service = await transaction.get('service', id);
      return service === null ? null : { service, accessKeyId: null, secretAccessKey: null };
    },
  });
  return change(house, call, options, async (open) => {
    const { call } = open;
    const refused = open.ask('bailiwick:services:create', null);
    if (refused !== null) return refused;
    if (await isNameTaken(open, 'service', input.name)) return reject(nameTaken('service', input.name));
    const service: Service = {
      id: newId(),
      accountId: call.accountId,
      name: input.name,
      description: input.description ?? '',
      hosts: input.hosts ?? [],
      actions,
      resourceKinds,
      enabled: true,
      version: 1,
      createdAt: call.now,
      updatedAt: call.now,
    };
    const others = await open.transaction.access.services(call.accountId);
    const limit = quotas.servicesPerAccount;
    if (others.length >= limit) {
      const message = `an account has at most ${limit} services; delete one that is not used any more`;
      return reject(problem('LIMIT_EXCEEDED', message, 'name', { limit }));
    }
    const faults = registrationFaults(house.catalogue, others, null, service);
    if (faults.length > 0) return reject(...faults);
    if (!call.administrator && house.catalogue.services.some(({ name }) => name === service.name)) {
      // Agencies trust it by name, those too that are made tomorrow.
      const message = `only an administrator makes \`${service.name}\`, a service of the platform; ask an administrator`;
      return reject(problem('NOT_HELD', message, 'name', { reference: 'IAM.0003' }));
    }
    // An agency trusts by name: whoever makes the service of that name receives the trust.
    const gain = await refuseGain(open, await giftsOfService(open, service), 'name');
    if (gain !== null) return gain;
    await open.transaction.insert('service', service);
    return succeed(await keyed(house, open, service));
  });
}

export interface RotateServiceKeyInput {
  readonly id: Id;
  /** End every other key of the service at once; otherwise one older key goes on working meanwhile. */
  readonly endOthers?: boolean | null;
  readonly idempotencyKey?: string | null;
}

/** Makes a new key. Of the others the newest stays until the next rotation, unless they are all to end. */
export async function rotateServiceKey(
  house: House,
  call: Call,
  input: RotateServiceKeyInput,
): Promise<Outcome<KeyedService>> {
  return change(house, call, rotating(input), async (open) => {
    const { transaction, call } = open;
    const refused = open.ask('bailiwick:services:rotateKey', iamUrn(call.accountId, 'service', input.id));
    if (refused !== null) return refused;
    const service = await transaction.get('service', input.id);
    if (service === null) return reject(notFound('service', input.id));
    // Whoever holds the key acts with the service's rights (rule 5: access keys are a write path too).
    const gain = await refuseGain(open, await giftsOfService(open, service), 'id');
    if (gain !== null) return gain;
    const ids = await transaction.idsWhere('accessKey', { ownerKind: 'SERVICE', ownerId: service.id });
    const keys = (await Promise.all(ids.map((id) => transaction.get('accessKey', id)))).filter((key) => key !== null);
    keys.sort((a, b) => b.createdAt - a.createdAt);
    for (const { id } of input.endOthers === true ? keys : keys.slice(1)) await transaction.remove('accessKey', id);
    return succeed(await keyed(house, open, service));
  });
}

/** A repeat answers the key that the first one made, without its secret: a retry must not end one more key. */
function rotating(input: RotateServiceKeyInput): ChangeOptions<KeyedService> {
  return repeatable('rotateServiceKey', input, {
    objectId: ({ accessKeyId }) => accessKeyId ?? '',
    reread: async (transaction, id) => {
      const accessKey = await transaction.get('accessKey', id);
      const service = accessKey === null ? null : await transaction.get('service', accessKey.ownerId);
      return service === null ? null : { service, accessKeyId: id, secretAccessKey: null };
    },
  });
}

export interface UpdateServiceInput {
  readonly id: Id;
  readonly description?: string | null;
  readonly hosts?: readonly string[] | null;
  readonly actions?: Service['actions'] | null;
  readonly resourceKinds?: Service['resourceKinds'] | null;
  readonly enabled?: boolean | null;
  readonly expectedVersion?: number | null;
}

/** Lists replace what was there; absent leaves it. The name is part of every action and stays. */
export async function updateService(house: House, call: Call, input: UpdateServiceInput): Promise<Outcome<Service>> {
  const problems = [
    ...problemsOf(checkText('description', input.description, 'description')),
    ...(input.hosts ?? []).map(checkHost).filter((fault): fault is UserProblem => fault !== null),
  ];
  return change(house, call, { operation: 'updateService' }, async (open) => {
    const { call } = open;
    const refused = open.ask('bailiwick:services:update', iamUrn(call.accountId, 'service', input.id));
    if (refused !== null) return refused;
    const service = await open.transaction.get('service', input.id);
    if (service === null) return reject(notFound('service', input.id));
    if (problems.length > 0) return reject(...problems);
    const stale = versionConflict(service.version, input.expectedVersion);
    if (stale !== null) return reject(stale);
    const next = {
      ...(input.description == null ? {} : { description: input.description }),
      ...(input.hosts == null ? {} : { hosts: input.hosts }),
      ...(input.actions == null ? {} : { actions: input.actions }),
      ...(input.resourceKinds == null ? {} : { resourceKinds: input.resourceKinds }),
      ...(input.enabled == null ? {} : { enabled: input.enabled }),
    };
    if (input.enabled === true && !service.enabled) {
      const gain = await refuseGain(open, await giftsOfService(open, service), 'enabled');
      if (gain !== null) return gain;
    }
    const others = (await open.transaction.access.services(call.accountId)).filter(({ id }) => id !== service.id);
    const faults = registrationFaults(house.catalogue, others, service, { ...service, ...next });
    if (faults.length > 0) return reject(...faults);
    const stranded = await strandedKinds(open, service, { ...service, ...next });
    if (stranded.length > 0) {
      const shown = stranded.map((kind) => `\`${kind}\``).join(', ');
      const message = `resources of ${shown} are registered; deregister them before you take the kind or its actions away`;
      return reject(problem('IN_USE', message, input.resourceKinds == null ? 'actions' : 'resourceKinds'));
    }
    return succeed(await open.transaction.update('service', service.id, next));
  });
}

/** Refused while resources that it registered remain; its grants and keys go with it. */
export async function deleteService(house: House, call: Call, input: { readonly id: Id }): Promise<Outcome<Service>> {
  return change(house, call, { operation: 'deleteService' }, async (open) => {
    const { transaction, call } = open;
    const refused = open.ask('bailiwick:services:delete', iamUrn(call.accountId, 'service', input.id));
    if (refused !== null) return refused;
    const service = await transaction.get('service', input.id);
    if (service === null) return reject(notFound('service', input.id));
    if ((await strandedKinds(open, service, { ...service, actions: [], resourceKinds: [] })).length > 0) {
      return reject(problem('IN_USE', 'resources of its kinds are registered; deregister them first', 'id'));
    }
    // An agency trusts a service by name: whoever made another of that name would inherit the trust.
    const trusting = await transaction.idsWhere('agency', { trustKind: 'SERVICE', trustedId: service.name });
    if (trusting.length > 0) {
      return reject(problem('IN_USE', 'an agency trusts this service; delete the agency first', 'id'));
    }
    for (const id of await transaction.idsWhere('grant', { subjectKind: 'SERVICE', subjectId: service.id })) {
      await transaction.remove('grant', id);
    }
    for (const id of await transaction.idsWhere('accessKey', { ownerKind: 'SERVICE', ownerId: service.id })) {
      await transaction.remove('accessKey', id);
    }
    await transaction.remove('service', service.id);
    return succeed(service);
  });
}

/** A new key for the service. */
async function keyed(house: House, open: OpenChange, service: Service): Promise<KeyedService> {
  const owner = { ownerKind: 'SERVICE', ownerId: service.id, description: '' } as const;
  const { accessKey, secretAccessKey } = await insertAccessKey(house, open, owner);
  return { service, accessKeyId: accessKey.id, secretAccessKey };
}

/** What holding a key of this service gives: its grants, and those of the agencies that trust it. */
async function giftsOfService(open: OpenChange, service: Service): Promise<readonly Gift[]> {
  const { transaction } = open;
  const trusting = await transaction.idsWhere('agency', { trustKind: 'SERVICE', trustedId: service.name });
  const gifts = [...(await giftsOfPrincipal(transaction, 'SERVICE', service.id))];
  for (const id of trusting) gifts.push(...(await giftsOfPrincipal(transaction, 'AGENCY', id)));
  return gifts;
}

/**
 * Kinds with registered resources that would lose the kind itself or one of their actions: what can be done to a
 * resource, and what was denied, stays so while it is there.
 */
async function strandedKinds(
  { transaction }: OpenChange,
  before: Pick<Service, 'name' | 'actions' | 'resourceKinds'>,
  after: Pick<Service, 'name' | 'actions' | 'resourceKinds'>,
): Promise<readonly string[]> {
  const kept = new Set([...actionsOf(after), ...kindsOf(after)].map(({ name }) => name.toLowerCase()));
  const lost = [...actionsOf(before), ...kindsOf(before)].filter(({ name }) => !kept.has(name.toLowerCase()));
  const kinds = new Set(lost.map(({ name }) => name.split(':').slice(0, 2).join(':')));
  const stranded: string[] = [];
  for (const kind of kinds) if ((await transaction.idsWhere('resource', { kind })).length > 0) stranded.push(kind);
  return stranded;
}

/** Nobody signs as these: what they govern, this service decides itself. */
const reservedNames: ReadonlySet<string> = new Set(['bailiwick', 'iam']);

/**
 * The services of the platform may be made here by their names, for then they sign and are trusted by agencies; what
 * they govern is published and not theirs to change.
 */
function registrationFaults(
  platform: Catalogue,
  others: readonly Service[],
  before: Service | null,
  service: Service,
): readonly UserProblem[] {
  if (reservedNames.has(service.name)) {
    return [problem('RESERVED', `\`${service.name}\` is what decides here; choose another name`, 'name')];
  }
  // Before anything is made of it.
  const excess = registrationExcess(others, before, service);
  if (excess.length > 0) return excess;
  const registered = catalogueOf(platform, others);
  const ofPlatform = registered.services.some(({ name }) => name === service.name);
  if (ofPlatform && (service.actions.length > 0 || service.resourceKinds.length > 0)) {
    const message = `\`${service.name}\` is a service of the platform, whose actions and kinds are in the catalogue; leave these out, or choose another name`;
    return [problem('RESERVED', message, service.actions.length > 0 ? 'actions' : 'resourceKinds')];
  }
  return checkRegistration(registered, actionsOf(service), kindsOf(service))
    .filter(({ severity }) => severity === 'ERROR')
    .map(({ code, message, pointer }) =>
      problem('INVALID', message, inputPath(pointer), { reference: code.startsWith('IAM.') ? code : null }),
    );
}

const registrationLimits = [
  { part: 'hosts', what: 'hosts', own: quotas.hostsPerService, together: Infinity },
  { part: 'actions', what: 'actions', own: quotas.actionsPerService, together: quotas.actionsPerAccount },
  {
    part: 'resourceKinds',
    what: 'kinds of resources',
    own: quotas.resourceKindsPerService,
    together: quotas.resourceKindsPerAccount,
  },
] as const;

/** What is beyond a limit. What was so before, when there were none, stays as it is: only more of it is refused. */
function registrationExcess(
  others: readonly Service[],
  before: Service | null,
  service: Service,
): readonly UserProblem[] {
  const problems: UserProblem[] = [];
  for (const { part, what, own, together } of registrationLimits) {
    const { length } = service[part];
    if (length <= (before?.[part].length ?? 0)) continue;
    if (length > own) {
      const message = `a service has at most ${own} ${what}, and these are ${length}; leave some out, or make several services`;
      problems.push(problem('LIMIT_EXCEEDED', message, part, { limit: own }));
      continue;
    }
    const taken = others.reduce((sum, other) => sum + other[part].length, 0);
    if (taken + length > together) {
      const message = `the services of an account have at most ${together} ${what} together; take away what is not used any more`;
      problems.push(problem('LIMIT_EXCEEDED', message, part, { limit: together }));
    }
  }
  for (const part of ['actions', 'resourceKinds'] as const) {
    const known = new Set(before?.[part].map(({ description }) => description));
    for (const [index, { description }] of service[part].entries()) {
      const fault = checkText('description', description, [part, String(index), 'description']);
      if (fault !== null && !known.has(description)) problems.push(fault);
    }
  }
  const longest = quotas.resourceTypeLength;
  const types = new Set(before?.resourceKinds.map(({ type }) => type));
  for (const [index, { type }] of service.resourceKinds.entries()) {
    if (type.length <= longest || types.has(type)) continue;
    const message = `a type has at most ${longest} characters, and this one ${type.length}; shorten it`;
    problems.push(problem('INVALID', message, ['resourceKinds', String(index), 'type']));
  }
  return problems;
}

/** The catalogue knows a kind by its whole name; the input has its type only. */
function inputPath(pointer: string): readonly string[] {
  const steps = pointer.split('/').slice(1);
  return steps[0] === 'resourceKinds' && steps[2] === 'name' ? [...steps.slice(0, 2), 'type'] : steps;
}

/** A host name with an optional port (RFC 3986 section 3.2), in lower case. */
function checkHost(host: string): UserProblem | null {
  if (/^(?=.{1,253}(:|$))[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/.test(host)) return null;
  return problem('INVALID', `\`${host}\` is no host; write a lower-case name with an optional port`, 'hosts');
}
