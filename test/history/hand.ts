/** What a client does: changes, questions and readings over HTTP, each written down with what it may depend on. */
import type { Acknowledged } from '../crash/writers.js';
import type { Dice } from '../replay/random.js';
import { given, type Change, type Decided, type Value, type Written } from './laws.js';
import type { HistoryRecord } from './record.js';
import type { Replicas } from './replicas.js';
import type { Credential, Exchanged, Wire } from './wire.js';

export interface ChangeInput {
  readonly mutation: string;
  readonly input: object;
  /** What it writes, if it succeeds. */
  readonly writes: readonly Written[];
  /** What is selected beside `revision`, and read from the answer. */
  readonly select?: string;
  /** Root, unless somebody else does it; null: nobody has signed in yet. */
  readonly by?: Credential | null;
  /** What the trail must say of it; the id of what was made is taken from the answer. */
  readonly trail?: (payload: Payload) => Pick<Acknowledged, 'kind' | 'id' | 'events'>;
  readonly version?: (payload: Payload) => Change['version'];
  /** Codes of refusals that others may bring about. */
  readonly mayBe?: readonly string[];
  /** What it asks for may be so already, and then nothing is changed. */
  readonly mayBeSo?: boolean;
}

export interface Payload extends Readonly<Record<string, unknown>> {
  readonly revision: number | null;
  readonly userErrors: readonly { readonly code: string; readonly message: string }[];
}

export interface Done {
  readonly outcome: Change['outcome'];
  /** Of a change that was acknowledged. */
  readonly payload: Payload | null;
  readonly replica: number;
}

/** One decision to ask for: of whom as the API has it, and what it depends on. */
export interface Asked {
  readonly request: object;
  readonly needs: readonly string[];
}

/** Anywhere, unless it is said. */
export interface Where {
  readonly at?: number;
  /** If there is another one. */
  readonly not?: number;
}

interface Result {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly { readonly message: string; readonly extensions: { readonly code: string } }[];
}

const question =
  'query Check($requests: [AccessRequestInput!]!) { checkAccess(requests: $requests) { effect reason } }';

let numbers = 0;

export class Hand {
  constructor(
    readonly dice: Dice,
    private readonly wire: Wire,
    private readonly replicas: Replicas,
    private readonly record: HistoryRecord,
    private readonly root: () => Credential,
  ) {}

  async change(change: ChangeInput): Promise<Done> {
    const { mutation, input, writes, select = '', by = this.root() } = change;
    const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
    const query = `mutation Change($input: ${type}!) { done: ${mutation}(input: $input) { revision ${select} userErrors { code message } } }`;
    // A signed change is refused when the same bytes were received before.
    const extensions = { number: (numbers += 1) };
    const exchanged = await this.#send(by, { query, variables: { input }, extensions });
    const { outcome, payload } = this.#outcomeOf(exchanged, change);
    const acknowledged = outcome === 'acknowledged' ? payload : null;
    const version = (acknowledged && change.version?.(acknowledged)) ?? null;
    const revision = acknowledged?.revision ?? null;
    this.record.note(mutation, outcome, {
      kind: 'change',
      ...momentsOf(exchanged),
      says: mutation,
      outcome,
      writes,
      revision,
      version,
    });
    if (acknowledged !== null && revision !== null && change.trail !== undefined)
      this.record.acknowledged.push({ revision, operation: mutation, ...change.trail(acknowledged) });
    return { outcome, payload: acknowledged, replica: exchanged.replica };
  }

  async ask(by: Credential | null, asked: readonly Asked[], where: Where = {}): Promise<void> {
    const variables = { requests: asked.map(({ request }) => request) };
    const exchanged = await this.#send(by ?? this.root(), { query: question, variables }, where);
    const result = resultOf(exchanged);
    const code = result?.errors?.[0]?.extensions.code;
    const answers = result?.data?.['checkAccess'] as
      readonly { readonly effect: string; readonly reason: string }[] | null | undefined;
    const name = by === null ? 'checkAccess about others' : `checkAccess by ${by.kind}`;
    // A credential that is refused allows nothing, nor does one that may not act where it wants to.
    const denied = by !== null && (code === 'UNAUTHENTICATED' || code === 'FORBIDDEN');
    if (answers == null && !denied) return this.#unanswered(name, exchanged, code);
    const decisions: Decided[] = asked.map(({ needs }, index) => ({
      needs,
      allowed: answers?.[index]?.effect === 'ALLOW',
      because: answers?.[index]?.reason ?? result?.errors?.[0]?.message ?? '',
    }));
    this.record.note(name, 'acknowledged', { kind: 'question', ...momentsOf(exchanged), says: name, decisions });
  }

  /** Reads by a query of its own; null when nothing was answered. */
  async read<Data>(
    query: string,
    variables: object,
    seenIn: (data: Data) => readonly Written[],
    where: Where = {},
  ): Promise<Data | null> {
    const exchanged = await this.#send(this.root(), { query, variables }, where);
    const result = resultOf(exchanged);
    if (result?.data == null || result.errors !== undefined) {
      this.#unanswered('reading', exchanged, result?.errors?.[0]?.extensions.code);
      return null;
    }
    const data = result.data as Data;
    this.record.note('reading', 'acknowledged', {
      kind: 'reading',
      ...momentsOf(exchanged),
      says: 'reading',
      seen: seenIn(data),
    });
    return data;
  }

  async #send(by: Credential | null, body: object, { at, not }: Where = {}): Promise<Exchanged> {
    const listening = await this.replicas.someListening();
    const others = listening.filter((replica) => replica !== not);
    const replica = at ?? this.dice.pick(others.length > 0 ? others : listening);
    return this.wire.send(replica, by, JSON.stringify(body));
  }

  #outcomeOf(exchanged: Exchanged, { mutation, mayBe = [], mayBeSo = false }: ChangeInput): Omit<Done, 'replica'> {
    const unknown = { outcome: 'unknown', payload: null } as const;
    const refused = { outcome: 'refused', payload: null } as const;
    const result = resultOf(exchanged);
    if (result === null) return unknown;
    const code = result.errors?.[0]?.extensions.code;
    const payload = result.data?.['done'] as Payload | null | undefined;
    if (payload == null || code !== undefined) {
      if (code === 'OUTCOME_UNKNOWN') return unknown;
      // Whose credential was refused has changed nothing; whether it may be refused, questions tell.
      if (code === 'UNAVAILABLE') return refused;
      this.record.fault(`${mutation} was answered at replica ${exchanged.replica}: ${exchanged.answer?.body}`);
      return unknown;
    }
    const [problem] = payload.userErrors;
    if (problem !== undefined) {
      if (!mayBe.includes(problem.code))
        this.record.fault(`${mutation} was refused at replica ${exchanged.replica}: ${exchanged.answer?.body}`);
      return refused;
    }
    if (payload.revision === null && !mayBeSo)
      this.record.fault(`${mutation} changed nothing at replica ${exchanged.replica}: ${exchanged.answer?.body}`);
    return { outcome: 'acknowledged', payload };
  }

  #unanswered(name: string, exchanged: Exchanged, code: string | undefined): void {
    const refused = code === 'UNAVAILABLE';
    if (exchanged.answer !== null && !refused)
      this.record.fault(`${name} was answered at replica ${exchanged.replica}: ${exchanged.answer.body}`);
    this.record.note(name, refused ? 'refused' : 'unknown', null);
  }
}

function momentsOf({ replica, sent, answered }: Exchanged): Pick<Exchanged, 'replica' | 'sent' | 'answered'> {
  return { replica, sent, answered };
}

/** Null when there was no answer, or half of one. */
function resultOf({ answer }: Exchanged): Result | null {
  if (answer === null) return null;
  try {
    return JSON.parse(answer.body) as Result;
  } catch {
    return null;
  }
}

export function gives(register: string): Written {
  return { register, value: given };
}

export function takes(register: string): Written {
  return { register, value: null };
}

export function writes(register: string, value: Value): Written {
  return { register, value };
}
