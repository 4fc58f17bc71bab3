/** "Why can I not connect?": the checks that stand between a person and a notebook, in order, each with what to do next. */
import { readAddress } from '../policy/index.js';
import { covers, deciding, entriesOf, type Notebook } from './authorized-keys.js';
import type { Decision } from './authorizer.js';
import type { Call } from './call.js';
import type { Calls } from './calls.js';
import type { ShownDecision } from './access.js';
import type { House } from './house.js';
import { BadInput, refuse, succeed, type Outcome } from './outcome.js';
import type { Id, KeyPair, RemoteAccess, Resource, User } from './records.js';
import { mayReadKeyPair } from './key-pairs.js';
import { accessAction, remoteKind } from './remote-access.js';
import { maySeeResource } from './resource-visibility.js';

/** In the order in which they are told. */
export const remoteAccessChecks = {
  ENABLED: 'Remote access to the notebook is open.',
  STATE: 'The instance is running.',
  KEY_PAIR: 'The key pair is registered for the user, and one of those that may get in.',
  ADDRESS: 'The address is on the allow list.',
  USER_ENABLED: 'The user is enabled.',
  WORKSPACE_ENTRY: 'The user may enter the workspace of the notebook.',
  PERMISSION: 'The user may access the notebook: `modelarts:notebook:access`.',
} as const;

export type RemoteAccessCheckName = keyof typeof remoteAccessChecks;

export interface RemoteAccessCheck {
  readonly name: RemoteAccessCheckName;
  /** UNKNOWN: what it needs to know was not said. */
  readonly status: 'OK' | 'FAILED' | 'UNKNOWN';
  /** What was found: one line. */
  readonly message: string;
  /** What to do next; null where there is nothing to do. */
  readonly advice: string | null;
}

export interface RemoteAccessExplanation {
  /** Every check is OK. */
  readonly allowed: boolean;
  readonly checks: readonly RemoteAccessCheck[];
  readonly decision: ShownDecision;
}

export interface ExplainRemoteAccessInput {
  readonly resourceId: Id;
  /** Absent: the caller. */
  readonly userId?: Id | null;
  readonly keyPairId?: Id | null;
  readonly fingerprint?: string | null;
  /** Absent: where this very request comes from, for oneself; else not known. */
  readonly sourceAddress?: string | null;
}

/** Null for a notebook that is not there, or that the caller does not know of. */
export async function explainRemoteAccess(
  house: House,
  calls: Calls,
  call: Call,
  input: ExplainRemoteAccessInput,
): Promise<Outcome<RemoteAccessExplanation | null>> {
  const own = input.userId == null || input.userId === call.principal.id;
  if (own && call.user === null) throw new BadInput('only users connect to notebooks; name one with `userId`');
  if (input.keyPairId != null && input.fingerprint != null) {
    throw new BadInput('give one of `keyPairId` and `fingerprint`, not both');
  }
  if (input.sourceAddress != null && readAddress(input.sourceAddress) === null) {
    throw new BadInput('`sourceAddress` is no address; write one such as `192.0.2.7` or `2001:db8::1`');
  }
  const explains = call.decide({ action: 'bailiwick:access:explain', resource: null });
  if (!own && explains.effect !== 'ALLOW') return refuse(explains);
  const notebook = await visibleNotebook(call, input.resourceId);
  if (notebook === null) return succeed(null);
  // Inside a workspace nobody is told about users who may not enter it.
  const userId = input.userId ?? call.principal.id;
  const user = (await call.reader.find('user', [userId])).get(userId) ?? null;
  if (user === null) return succeed(null);
  const decideFrom = await deciding(house, calls, notebook, user);
  const sourceAddress = input.sourceAddress ?? (own ? call.environment.sourceAddress : null);
  const entries = entriesOf(notebook.remoteAccess);
  const fitting = sourceAddress === null ? [] : entries.filter((entry) => covers(entry, sourceAddress));
  const decisions = (fitting.length === 0 ? [null] : fitting).map(decideFrom);
  const decision = decisions.find(({ effect }) => effect === 'ALLOW') ?? decisions[0];
  if (decision === undefined) throw new Error('there is always one place to decide from');
  const checks = [
    checkEnabled(notebook.remoteAccess),
    checkState(notebook.remoteAccess),
    checkKeyPair(call, notebook.remoteAccess, await pairsOf(call, user), input),
    checkAddress(entries, sourceAddress, fitting.length > 0),
    checkUser(user),
    checkEntry(decision),
    checkPermission(decision),
  ];
  const principal = { kind: user.root ? 'ROOT' : 'USER', id: user.id, name: user.name, mfaAt: null } as const;
  const shown = { ...decision, principal };
  return succeed({
    allowed: checks.every(({ status }) => status === 'OK'),
    checks,
    decision: explains.effect === 'ALLOW' ? shown : { ...shown, statements: null, problems: [] },
  });
}

async function visibleNotebook(call: Call, id: Id): Promise<Notebook | null> {
  const resource = (await call.reader.find('resource', [id])).get(id);
  const { account, workspace } = call;
  if (resource === undefined || resource.kind !== remoteKind || account === null || workspace === null) return null;
  const remoteAccess = (await call.reader.find('remoteAccess', [id])).get(id) ?? null;
  const knows = maySeeResource(call, resource) || mayAccess(call, resource) || (await wasLetIn(call, remoteAccess));
  return knows ? { account, resource, workspace, remoteAccess } : null;
}

/** Whose key pair is on the list knows of the notebook, and asks just when the right to it is gone. */
async function wasLetIn({ user, reader }: Call, remoteAccess: RemoteAccess | null): Promise<boolean> {
  if (user === null || remoteAccess === null) return false;
  const pairs = await reader.find('keyPair', remoteAccess.keyPairIds);
  return [...pairs.values()].some(({ userId }) => userId === user.id);
}

function mayAccess(call: Call, { urn, tags }: Resource): boolean {
  return call.decide({ action: accessAction, resource: urn, tags }).effect === 'ALLOW';
}

async function pairsOf({ reader }: Call, { id }: User): Promise<readonly KeyPair[]> {
  const order = { by: 'CREATED_AT', direction: 'ASC' } as const;
  const window = { order, limit: 100, backward: false, after: null, before: null };
  const { rows } = await reader.page('keyPair', { userId: id }, window);
  return rows.map(({ record }) => record);
}

function ok(name: RemoteAccessCheckName, message: string): RemoteAccessCheck {
  return { name, status: 'OK', message, advice: null };
}

function failed(name: RemoteAccessCheckName, message: string, advice: string): RemoteAccessCheck {
  return { name, status: 'FAILED', message, advice };
}

function checkEnabled(remoteAccess: RemoteAccess | null): RemoteAccessCheck {
  if (remoteAccess?.enabled === true) return ok('ENABLED', 'remote access is open');
  const message = remoteAccess === null ? 'remote access was never configured' : 'remote access is closed';
  return failed('ENABLED', message, 'open it with `configureRemoteAccess`, or ask whoever may update the notebook');
}

function checkState(remoteAccess: RemoteAccess | null): RemoteAccessCheck {
  const state = remoteAccess?.instanceState ?? null;
  if (state === 'RUNNING') return ok('STATE', 'the instance is running');
  if (state === null) {
    const advice = 'whoever registered the notebook reports it with `reportInstanceState`';
    return failed('STATE', 'nobody has reported that the instance is running', advice);
  }
  return failed('STATE', `the instance is in state ${state}`, 'start the notebook, and wait until it is running');
}

function checkKeyPair(
  call: Call,
  remoteAccess: RemoteAccess | null,
  pairs: readonly KeyPair[],
  { keyPairId, fingerprint }: ExplainRemoteAccessInput,
): RemoteAccessCheck {
  const admitted = (pair: KeyPair): boolean => remoteAccess?.keyPairIds.includes(pair.id) === true;
  // Whether a pair fits is the answer; what it is called is for who may read it.
  const named = (pair: KeyPair): string => (mayReadKeyPair(call, pair) ? ` \`${pair.name}\`` : '');
  const bring = 'name it in `keyPairIds` of `configureRemoteAccess`';
  if (keyPairId == null && fingerprint == null) {
    const fitting = pairs.filter(admitted);
    const names = fitting.map(named).filter((name) => name !== '');
    const known = names.length === 0 ? '' : `, with these:${names.join(',')}`;
    if (fitting.length > 0) return ok('KEY_PAIR', `the user has key pairs that may get in${known}`);
    if (pairs.length > 0) return failed('KEY_PAIR', 'no key pair of the user is among those that may get in', bring);
    const make = 'make one with `createKeyPair`, or register one with `importKeyPair`';
    return failed('KEY_PAIR', 'the user has no key pair', make);
  }
  const pair = pairs.find(({ id, fingerprint: own }) => id === keyPairId || own === fingerprint);
  if (pair === undefined) {
    const advice =
      'register it with `importKeyPair`, or let ssh use another one (`IdentityFile`, `IdentitiesOnly yes`)';
    return failed('KEY_PAIR', 'this key is not registered for the user', advice);
  }
  if (admitted(pair)) return ok('KEY_PAIR', `the key pair${named(pair)} may get in`);
  return failed('KEY_PAIR', `the key pair${named(pair)} is not among those that may get in`, bring);
}

function checkAddress(
  entries: readonly (string | null)[],
  sourceAddress: string | null,
  fits: boolean,
): RemoteAccessCheck {
  if (entries.includes(null)) return ok('ADDRESS', 'connections may come from anywhere');
  const add = 'add the address that you connect from to `allowedAddresses`';
  if (entries.length === 0) return failed('ADDRESS', 'the allow list is empty', add);
  if (sourceAddress === null) {
    const advice = 'ask again with `sourceAddress`';
    return { name: 'ADDRESS', status: 'UNKNOWN', message: 'it was not said where the connection comes from', advice };
  }
  if (fits) return ok('ADDRESS', `the address \`${sourceAddress}\` is on the allow list`);
  return failed('ADDRESS', `the address \`${sourceAddress}\` is not on the allow list`, add);
}

function checkUser({ enabled }: User): RemoteAccessCheck {
  if (enabled) return ok('USER_ENABLED', 'the user is enabled');
  return failed('USER_ENABLED', 'the user is disabled', 'ask an administrator');
}

function checkEntry({ reason }: Decision): RemoteAccessCheck {
  if (reason !== 'WORKSPACE_CLOSED') return ok('WORKSPACE_ENTRY', 'the user may enter the workspace');
  return failed('WORKSPACE_ENTRY', 'the workspace is closed to the user', 'ask its creator or an administrator');
}

function checkPermission({ effect, reason, missingContextKeys }: Decision): RemoteAccessCheck {
  if (effect === 'ALLOW') return ok('PERMISSION', `\`${accessAction}\` is allowed (${reason})`);
  const message = `\`${accessAction}\` is not allowed (${reason})`;
  if (missingContextKeys.some((key) => /SourceIp$/i.test(key))) {
    const advice = 'a policy looks at the address: let the allow list hold it alone, without a prefix';
    return failed('PERMISSION', message, advice);
  }
  return failed('PERMISSION', message, `ask an administrator for \`${accessAction}\` in this workspace`);
}
