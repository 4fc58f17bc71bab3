/**
 * The one way in which a use-case changes anything: a transaction in which the exact question is asked again (rule 14),
 * idempotent repeats are recognised (rule 25), and every write is audited by the store. A use-case that writes without
 * having asked is a defect: the change is rolled back and the defect thrown, so that a forgotten question shows in the
 * first test that runs it.
 */
import { createHash } from 'node:crypto';
import type { Decision, Question } from './authorizer.js';
import type { Call } from './call.js';
import type { House } from './house.js';
import { problem, refuse, reject, succeed, type Outcome, type Refused } from './outcome.js';
import { UniquenessError, type Transaction } from './ports.js';
import type { Id, Records } from './records.js';

/** How long an idempotency key is remembered. */
const idempotencyPeriod = 24 * 60 * 60 * 1000;

export interface OpenChange {
  readonly transaction: Transaction;
  readonly call: Call;
  /** Asks the exact question. Answers a refusal to return at once, or null when it is allowed. */
  ask(action: string, resource: string | null, more?: Omit<Question, 'action' | 'resource'>): Refused | null;
  /** Says that this change needs no question, and why; for sign-in and what the caller does to itself as a door allows. */
  needsNoQuestion(reason: string): void;
}

export interface ChangeOptions<T> {
  /** The use-case's name: it is the operation of the audit events. */
  readonly operation: string;
  /**
   * Account whose rows are changed, where it is not the caller's: that of an agency which trusts the caller's. The
   * transaction and its events are that account's, in account scope; what the caller may is still asked in their own.
   */
  readonly accountId?: Id;
  /** Given by creating and issuing mutations whose caller sent a key. */
  readonly idempotency?: {
    readonly key: string;
    readonly input: unknown;
    readonly objectId: (value: T) => Id;
    /** Reads the object again for a repeat, as the caller sees it now; null when it is gone or invisible meanwhile. */
    readonly reread: (transaction: Transaction, id: Id, call: Call) => Promise<T | null>;
  };
}

/** Options of a use-case whose caller may send a key; `recall` says how a repeat finds what the first one made. */
export function repeatable<T>(
  operation: string,
  { idempotencyKey, ...fingerprinted }: { readonly idempotencyKey?: string | null },
  recall: Pick<NonNullable<ChangeOptions<T>['idempotency']>, 'objectId' | 'reread'>,
): ChangeOptions<T> {
  if (idempotencyKey == null) return { operation };
  return { operation, idempotency: { key: idempotencyKey, input: fingerprinted, ...recall } };
}

/** Options of a creating use-case: with the caller's key, a repeat answers the object that the first one made. */
export function creating<
  K extends
    | 'user'
    | 'group'
    | 'policy'
    | 'grant'
    | 'workspace'
    | 'enterpriseProject'
    | 'service'
    | 'resource'
    | 'agency'
    | 'authorization'
    | 'accessKey'
    | 'keyPair',
>(kind: K, operation: string, input: { readonly idempotencyKey?: string | null }): ChangeOptions<Records[K]> {
  return repeatable<Records[K]>(operation, input, {
    objectId: (record) => record.id,
    // As the caller sees it now: a repeat shows nothing that a reader of this scope would not.
    reread: async (transaction, id) => (await transaction.reader.find(kind, [id])).get(id) ?? null,
  });
}

export async function change<T>(
  house: House,
  call: Call,
  options: ChangeOptions<T>,
  work: (open: OpenChange) => Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  // A signed request can be sent again by whoever saw it pass. INVARIANT: it was spent before anything is changed.
  if (call.signature?.spent === false)
    throw new Error(`use-case ${options.operation} would change by a signature unspent`);
  const { principal } = call;
  const elsewhere = options.accountId !== undefined && options.accountId !== call.accountId;
  const origin = {
    accountId: elsewhere ? options.accountId : call.accountId,
    workspaceId: elsewhere ? null : call.scope.workspaceId,
    operation: options.operation,
    // In another account nobody is root, and a name says whose it is.
    actorKind: elsewhere && principal.kind === 'ROOT' ? 'USER' : principal.kind,
    actorId: principal.id,
    actorName: elsewhere ? `${call.account?.name ?? ''}/${principal.name}` : principal.name,
    ...call.performer,
    delegation: principal.delegation ?? null,
    requestId: call.requestId,
    at: call.now,
  };
  try {
    const committed = await house.store.transaction<Outcome<T>>(origin, async (transaction) => {
      let asked = false;
      // Whoever lost a right while this request waited for the account, or whose right has ended by now, must not act
      // on it (rule 14).
      const account = await transaction.access.account(call.accountId);
      const unchanged =
        account?.accessRevision === call.account?.accessRevision &&
        !standsElsewhere(call) &&
        !call.hasLapsed(house.now());
      const current = unchanged ? call : await house.reopen(call);
      const open: OpenChange = {
        transaction,
        call: current,
        ask: (action, resource, more = {}) => {
          asked = true;
          const decision: Decision = current.decide({ ...more, action, resource });
          return decision.effect === 'ALLOW' ? null : refuse(decision);
        },
        needsNoQuestion: () => {
          asked = true;
        },
      };
      const repeat = await repeatOf(house, transaction, current, options);
      if (repeat !== null) return { commit: false, value: repeat };
      const outcome = await work(open);
      if (outcome.kind !== 'succeeded') return { commit: false, value: outcome };
      if (!asked) throw new Error(`use-case ${options.operation} changed something and asked nothing`);
      await remember(house, transaction, current, options, outcome.value);
      return { commit: true, value: outcome };
    });
    const { value, revision } = committed;
    if (revision !== null) call.noteChanged();
    return value.kind === 'succeeded' && !value.replayed ? { ...value, revision: revision ?? value.revision } : value;
  } catch (error) {
    // Names are looked up before they are written; a row that breaks a table's rule all the same lost a race.
    if (error instanceof UniquenessError) {
      return reject(problem('CONFLICT', `${error.message}; read it again and retry`));
    }
    throw error;
  }
}

/** Who assumed the agency may have lost that in an account of their own, of which the caller's revision says nothing. */
function standsElsewhere({ principal: { delegation }, accountId }: Call): boolean {
  return delegation != null && delegation.assumedBy.accountId !== accountId;
}

async function repeatOf<T>(
  house: House,
  transaction: Transaction,
  call: Call,
  { operation, idempotency }: ChangeOptions<T>,
): Promise<Outcome<T> | null> {
  if (idempotency === undefined) return null;
  const kept = await transaction.get('idempotencyRecord', recordId(call, idempotency.key));
  if (kept === null) return null;
  if (kept.expiresAt <= call.now) {
    await transaction.remove('idempotencyRecord', kept.id);
    return null;
  }
  if (kept.operation !== operation || kept.fingerprint !== fingerprint(house, idempotency.input)) {
    return reject(
      problem(
        'IDEMPOTENCY_KEY_REUSED',
        `the key was used within the last 24 hours with other input; send a new key`,
        'idempotencyKey',
      ),
    );
  }
  const again = await idempotency.reread(transaction, kept.objectId, call);
  if (again === null) {
    return reject(problem('NOT_FOUND', 'what this key made is gone meanwhile; send a new key', 'idempotencyKey'));
  }
  return succeed(again, null, true);
}

async function remember<T>(
  house: House,
  transaction: Transaction,
  call: Call,
  { operation, idempotency }: ChangeOptions<T>,
  value: T,
): Promise<void> {
  if (idempotency === undefined) return;
  await transaction.insert('idempotencyRecord', {
    id: recordId(call, idempotency.key),
    accountId: transaction.origin.accountId,
    operation,
    fingerprint: fingerprint(house, idempotency.input),
    objectId: idempotency.objectId(value),
    createdAt: call.now,
    expiresAt: call.now + idempotencyPeriod,
  });
}

/** Of one actor in one scope: the same key elsewhere is another request. */
function recordId(call: Call, key: string): Id {
  const { onBehalfOf, assumedBy } = call.principal.delegation ?? {};
  // A job that is run again has another session: it is the same actor when the same one acts for the same user.
  const behind = assumedBy === undefined ? [] : [assumedBy.id, onBehalfOf?.id ?? ''];
  const named = JSON.stringify([call.scope.workspaceId, key, ...behind]);
  return `${call.principal.id}.${createHash('sha256').update(named).digest('hex')}`;
}

/** Order of members does not matter. Keyed, so that a password in the input cannot be guessed at from the row. */
function fingerprint({ sealing }: House, input: unknown): string {
  return sealing.digest(canonical(input), 'idempotency');
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value as Record<string, unknown>)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(',')}}`;
  }
  return JSON.stringify(value ?? null);
}
