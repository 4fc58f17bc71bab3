/**
 * Remote access to notebooks by SSH (docs/domain.md section h): which key pairs may get in, from which addresses, and how
 * the instance is doing. Who does get in is found out at every connection: authorized-keys.ts.
 */
import { isIP } from 'node:net';
import { readAddressBlock, writeAddressBlock } from '../policy/index.js';
import type { Call } from './call.js';
import { change, type OpenChange } from './change.js';
import { notFound, versionConflict } from './faults.js';
import type { House } from './house.js';
import { foreignKeyPair, keyPairUrn } from './key-pairs.js';
import { quotas } from './limits.js';
import { problem, reject, succeed, type Outcome, type Refused, type UserProblem } from './outcome.js';
import type { Id, InstanceState, KeyPair, RemoteAccess, Resource } from './records.js';
import { maySeeResource } from './resource-visibility.js';

/** The one kind of resource that is reached so. */
export const remoteKind = 'modelarts:notebook';

/** What a connection asks for (DESIGN section 7). */
export const accessAction = 'modelarts:notebook:access';

/** The door of every change here. */
const updateAction = 'modelarts:notebook:update';

/** Name that people log in by unless another is set. */
export const usualUserName = 'ma-user';

const namePattern = /^[a-z_][a-z0-9_-]{0,31}$/;
const hostPattern = /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/;

export interface ConfigureRemoteAccessInput {
  readonly resourceId: Id;
  readonly enabled?: boolean | null;
  /** All pairs of the caller's own that are to get in; those of others stay. Absent: the caller's stay too. */
  readonly keyPairIds?: readonly Id[] | null;
  /** Takes the pairs of everybody else out. */
  readonly removeOthers?: boolean | null;
  /** The whole list; absent leaves it. */
  readonly allowedAddresses?: readonly string[] | null;
  readonly allowAnyAddress?: boolean | null;
  /** Null: the usual one. */
  readonly userName?: string | null;
  /** Null: not known. */
  readonly host?: string | null;
  readonly port?: number | null;
  readonly expectedVersion?: number | null;
}

export interface RemoteAccessChange {
  readonly resource: Resource;
  readonly remoteAccess: RemoteAccess;
}

/** What there is until somebody configures it: closed. */
function closedAccess({ id, accountId }: Resource, { now }: Call): RemoteAccess {
  return {
    id,
    accountId,
    enabled: false,
    keyPairIds: [],
    allowedAddresses: [],
    allowAnyAddress: false,
    userName: usualUserName,
    host: '',
    port: null,
    instanceState: null,
    stateReportedAt: null,
    version: 1,
    createdAt: now,
    updatedAt: now,
  };
}

export async function configureRemoteAccess(
  house: House,
  call: Call,
  input: ConfigureRemoteAccessInput,
): Promise<Outcome<RemoteAccessChange>> {
  const problems = [...checkAddresses(input), ...checkPlace(input)];
  return change(house, call, { operation: 'configureRemoteAccess' }, async (open) => {
    const { transaction, call } = open;
    const resource = await askedNotebook(open, input.resourceId);
    if (!('urn' in resource)) return resource;
    const brings = (input.keyPairIds?.length ?? 0) > 0;
    // Whose pairs these are, the caller's: nobody opens a door for themselves that they may not go through.
    const refused = brings ? open.ask(accessAction, resource.urn, { tags: resource.tags }) : null;
    if (refused !== null) return refused;
    const known = await transaction.get('remoteAccess', resource.id);
    const held = known ?? closedAccess(resource, call);
    const stale = versionConflict(known?.version ?? 0, input.expectedVersion);
    if (stale !== null) return reject(stale);
    const pairs = await pairsAfter(open, held, input);
    const allowed = addressesAfter(held, input);
    const wanted = {
      enabled: input.enabled ?? held.enabled,
      keyPairIds: pairs.ids,
      ...allowed,
      userName: input.userName === undefined ? held.userName : (input.userName ?? usualUserName),
      host: input.host === undefined ? held.host : (input.host ?? ''),
      port: input.port === undefined ? held.port : input.port,
    };
    const faults = [...problems, ...pairs.problems];
    if (faults.length === 0) faults.push(...checkWhole(wanted));
    if (faults.length > 0) return reject(...faults);
    return succeed({ resource, remoteAccess: await write(open, known, { ...held, ...wanted }) });
  });
}

export interface ReportInstanceStateInput {
  readonly resourceId: Id;
  readonly state: InstanceState;
}

/** Only who registered a notebook runs it, and so knows how it is doing. */
export async function reportInstanceState(
  house: House,
  call: Call,
  { resourceId, state }: ReportInstanceStateInput,
): Promise<Outcome<RemoteAccessChange>> {
  return change(house, call, { operation: 'reportInstanceState' }, async (open) => {
    const { transaction, call } = open;
    const resource = await askedNotebook(open, resourceId);
    if (!('urn' in resource)) return resource;
    if (resource.registeredBy !== call.principal.id) {
      return reject(problem('RESERVED', 'only who registered the notebook reports its state', 'resourceId'));
    }
    const known = await transaction.get('remoteAccess', resource.id);
    // Reported again and again; a state that stays is no change.
    if (known !== null && known.instanceState === state) return succeed({ resource, remoteAccess: known });
    const reported = { ...(known ?? closedAccess(resource, call)), instanceState: state, stateReportedAt: call.now };
    return succeed({ resource, remoteAccess: await write(open, known, reported) });
  });
}

async function write(
  { transaction }: OpenChange,
  known: RemoteAccess | null,
  wanted: RemoteAccess,
): Promise<RemoteAccess> {
  if (known === null) {
    await transaction.insert('remoteAccess', wanted);
    return wanted;
  }
  const { id, accountId: _account, version: _version, createdAt: _made, updatedAt: _changed, ...columns } = wanted;
  return transaction.update('remoteAccess', id, columns);
}

/** The notebook, when its update is allowed. What one may neither change nor see looks like what is not there (rule 19). */
async function askedNotebook(
  open: OpenChange,
  id: Id,
): Promise<Resource | Exclude<Outcome<never>, { kind: 'succeeded' }>> {
  const missing = reject(notFound('notebook', id, 'resourceId'));
  const resource = (await open.transaction.reader.find('resource', [id])).get(id) ?? null;
  if (resource === null) return open.ask(updateAction, null) ?? missing;
  const visible = maySeeResource(open.call, resource);
  if (resource.kind !== remoteKind) {
    const other = problem('INVALID', `a \`${resource.kind}\` is not reached by SSH; name a notebook`, 'resourceId');
    return open.ask(updateAction, null) ?? (visible ? reject(other) : missing);
  }
  const refused: Refused | null = open.ask(updateAction, resource.urn, { tags: resource.tags });
  if (refused === null) return resource;
  return visible ? refused : (open.ask(updateAction, null) ?? missing);
}

interface PairsAfter {
  readonly ids: readonly Id[];
  readonly problems: readonly UserProblem[];
}

/** The pairs that get in from now on: the caller's as they wish, those of others as they were, without deleted ones. */
async function pairsAfter(
  { transaction, call }: OpenChange,
  held: RemoteAccess,
  { keyPairIds, removeOthers }: ConfigureRemoteAccessInput,
): Promise<PairsAfter> {
  const isOwn = ({ userId }: KeyPair): boolean => userId === call.principal.id;
  const kept = (await Promise.all(held.keyPairIds.map((id) => transaction.get('keyPair', id)))).filter(
    (pair): pair is KeyPair => pair !== null && (isOwn(pair) ? keyPairIds == null : removeOthers !== true),
  );
  const wanted = [...new Set(keyPairIds ?? [])];
  const found = await transaction.reader.find('keyPair', wanted);
  const usable = (id: Id): boolean => {
    const pair = found.get(id);
    if (pair === undefined || !isOwn(pair)) return false;
    return call.may('ecs:serverKeypairs:get', keyPairUrn(call.accountId, pair.userId, pair.name));
  };
  const problems = wanted
    .filter((id) => !usable(id))
    .map((id) => notFound('key pair of yours', id, 'keyPairIds', foreignKeyPair));
  const ids = [...kept.map(({ id }) => id), ...wanted];
  const limit = quotas.keyPairsPerNotebook;
  if (ids.length > limit) {
    problems.push(problem('LIMIT_EXCEEDED', `a notebook takes at most ${limit} key pairs`, 'keyPairIds', { limit }));
  }
  return { ids, problems };
}

function addressesAfter(
  held: RemoteAccess,
  { allowedAddresses, allowAnyAddress }: ConfigureRemoteAccessInput,
): Pick<RemoteAccess, 'allowedAddresses' | 'allowAnyAddress'> {
  if (allowAnyAddress === true) return { allowedAddresses: [], allowAnyAddress: true };
  const written = (allowedAddresses ?? held.allowedAddresses).flatMap((text) => {
    const block = readAddressBlock(text);
    return block === null ? [] : [writeAddressBlock(block)];
  });
  const closed = allowedAddresses != null || allowAnyAddress === false;
  return { allowedAddresses: [...new Set(written)], allowAnyAddress: closed ? false : held.allowAnyAddress };
}

function checkAddresses({ allowedAddresses, allowAnyAddress }: ConfigureRemoteAccessInput): readonly UserProblem[] {
  const path = 'allowedAddresses';
  const texts = allowedAddresses ?? [];
  const limit = quotas.allowedAddresses;
  const problems: UserProblem[] = [];
  if (texts.length > limit) {
    problems.push(problem('LIMIT_EXCEEDED', `a notebook has at most ${limit} allowed addresses`, path, { limit }));
  }
  if (texts.length > 0 && allowAnyAddress === true) {
    problems.push(problem('INVALID', 'with `allowAnyAddress` no addresses are given; leave one out', path));
  }
  for (const text of texts.slice(0, limit)) {
    const block = text.length > 64 ? null : readAddressBlock(text);
    if (block === null) {
      const shown = text.slice(0, 64).replaceAll(/[\p{Cc}`]/gu, '?');
      problems.push(
        problem('INVALID', `\`${shown}\` is no address; write one such as \`192.0.2.7\` or \`2001:db8::/32\``, path),
      );
    } else if (block.prefix === 0) {
      problems.push(problem('INVALID', `\`${text}\` is every address; choose \`allowAnyAddress: true\` instead`, path));
    }
  }
  return problems;
}

function checkPlace({ userName, host, port }: ConfigureRemoteAccessInput): readonly UserProblem[] {
  const problems: UserProblem[] = [];
  if (userName != null && !namePattern.test(userName)) {
    const rule = 'up to 32 small letters, digits, `-` and `_`, beginning with a letter or `_`';
    problems.push(problem('INVALID', `this is no name to log in by; write ${rule}`, 'userName'));
  }
  if (host != null && !hostPattern.test(host) && (isIP(host) === 0 || host.includes('%'))) {
    problems.push(problem('INVALID', 'this is no host name and no address; write what people connect to', 'host'));
  }
  if (port != null && (port < 1 || port > 65_535)) {
    problems.push(problem('INVALID', 'a port is a number from 1 to 65535', 'port'));
  }
  return problems;
}

/** What must stand together once access is open. */
function checkWhole({
  enabled,
  keyPairIds,
  allowedAddresses,
  allowAnyAddress,
}: Pick<RemoteAccess, 'enabled' | 'keyPairIds' | 'allowedAddresses' | 'allowAnyAddress'>): readonly UserProblem[] {
  if (!enabled) return [];
  const problems: UserProblem[] = [];
  if (keyPairIds.length === 0) {
    problems.push(problem('INVALID', 'nobody could get in; name a key pair, or leave it disabled', 'keyPairIds'));
  }
  if (allowedAddresses.length === 0 && !allowAnyAddress) {
    problems.push(
      problem(
        'INVALID',
        'the list is empty, which lets nobody in; name addresses, or choose `allowAnyAddress: true`',
        'allowedAddresses',
      ),
    );
  }
  return problems;
}

/** Whether the caller may read how a notebook is reached. */
export function maySeeRemoteAccess(call: Call, resource: Resource): boolean {
  const question = { action: 'modelarts:notebook:get', resource: resource.urn, tags: resource.tags };
  return resource.kind === remoteKind && call.decide(question).effect === 'ALLOW';
}
