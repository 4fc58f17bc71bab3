/**
 * The run again, in the order of its revisions, against the model. A write that was acknowledged must be what the model
 * makes of the revision before it. A read, or a write that changed nothing, must agree with the model at some revision
 * between the last one acknowledged before it was sent and the last one under way when it was answered.
 */
import { attempt } from './attempt.js';
import { Caller, type Reason } from './decisions.js';
import { refusedWrite } from './doors.js';
import { Leaks } from './leaks.js';
import { givenOutcome, outcomeText, partsOf, type Moments, type Part } from './parts.js';
import type { Read } from './reads.js';
import type { Done, Record } from './run.js';
import { withEntry, type Id, type Principal, type State, type TrailEntry } from './state.js';
import { plain, sessionOf, type World } from './world.js';
import type { Made, Outcome, Write } from './writes.js';

export interface Disagreement {
  readonly what: string;
  readonly given: string;
  /** What the model says, at the first and the last revision that it may be of. */
  readonly expected: readonly string[];
  readonly revisions: readonly [number, number];
  readonly record: Record;
}

export interface Report {
  readonly operations: number;
  readonly writes: number;
  /** Reads that were not refused. */
  readonly read: number;
  readonly refused: number;
  readonly invalid: number;
  readonly parts: number;
  /** Parts of answers that could be of one revision only. */
  readonly exact: number;
  /** Parts that only two moments of one request explain. */
  readonly mixed: number;
  readonly searched: number;
  readonly marks: number;
  readonly disagreements: readonly Disagreement[];
}

const writeNames = new Set<string>([
  'registerResource',
  'updateResource',
  'moveResource',
  'deregisterResource',
  'createWorkspace',
  'updateWorkspace',
  'deleteWorkspace',
  'updateWorkspaceQuotas',
  'grantPolicy',
  'revokeGrant',
  'addGroupMembers',
  'removeGroupMembers',
  'updateUser',
  'setDefaultPolicyVersion',
  'setAuthorizationMode',
  'signIn',
]);

/** States kept for what is still to be looked at; no request lasts longer than so many writes. */
interface Span {
  readonly low: number;
  readonly high: number;
}

export class Replay {
  readonly #states: State[];
  readonly #trail: TrailEntry[] = [];
  readonly #leaks: Leaks;
  readonly #found: Disagreement[] = [];
  readonly #counts = { writes: 0, read: 0, refused: 0, invalid: 0, parts: 0, exact: 0, mixed: 0 };
  readonly #callers = new Map<string, Caller>();

  constructor(
    private readonly world: World,
    private readonly records: readonly Record[],
    private readonly most = 1,
  ) {
    this.#states = [{ ...world.state, trail: this.#trail }];
    this.#leaks = new Leaks(world);
  }

  run(): Report {
    const acknowledged = this.records
      .filter((record) => revisionOf(record) !== null)
      .sort((one, other) => (revisionOf(one) ?? 0) - (revisionOf(other) ?? 0));
    const spans = spansOf(this.records, acknowledged);
    const rest = this.records
      .filter((record) => revisionOf(record) === null)
      .sort((one, other) => (spans.get(one)?.high ?? 0) - (spans.get(other)?.high ?? 0));
    let next = 0;
    const lookAt = (position: number): void => {
      for (; next < rest.length; next += 1) {
        const record = rest[next];
        const span = record === undefined ? undefined : spans.get(record);
        if (record === undefined || span === undefined || span.high > position) return;
        this.#unchanged(record, span);
        this.#search(record, span);
        if (this.#found.length >= this.most) return;
      }
    };
    lookAt(0);
    for (const [position, record] of acknowledged.entries()) {
      if (this.#found.length >= this.most) break;
      const span = { low: spans.get(record)?.low ?? 0, high: position };
      this.#changed(record, span);
      if (this.#found.length >= this.most) break;
      this.#search(record, { ...span, high: position + 1 });
      lookAt(position + 1);
    }
    return {
      operations: this.records.length,
      ...this.#counts,
      searched: this.#leaks.searched,
      marks: this.#leaks.marks,
      disagreements: this.#found,
    };
  }

  #changed(record: Record, span: Span): void {
    const { operation } = record.ask;
    const before = this.#state(span.high);
    const revision = revisionOf(record) ?? 0;
    this.#counts.writes += 1;
    if (operation.name === 'signIn') return this.#signedIn(record, before, revision);
    const write = operation as Write;
    const outcome = this.#lets(record, write, span) ? this.#attempt(record, write, span.high) : null;
    if (outcome?.kind !== 'done' || outcome.entries.length === 0) {
      this.#disagree(record, write.name, 'done', [describe(outcome)], span);
    }
    if (outcome?.kind !== 'done') return;
    const { workspaceId, actor } = record.ask;
    this.#commit(
      { ...outcome.state, revision },
      outcome.entries.map((entry) => ({ ...entry, revision, workspaceId, operation: write.name, actorId: actor.id })),
    );
  }

  #signedIn(record: Record, before: State, revision: number): void {
    const { id } = record.ask.actor;
    const sessionId = sessionOf((record.answer.data?.['done'] as { readonly token: string }).token);
    if (before.users.get(id)?.enabled !== true) {
      const span = { low: this.#states.length - 1, high: this.#states.length - 1 };
      this.#disagree(record, 'signIn', 'done', ['the user is disabled'], span);
    }
    const sessions = withEntry(before.sessions, id, [...(before.sessions.get(id) ?? []), sessionId]);
    this.#commit({ ...before, revision, sessions }, [
      { revision, workspaceId: null, operation: 'signIn', actorId: id, targetKind: 'session', targetId: sessionId },
    ]);
  }

  #commit(state: State, entries: readonly TrailEntry[]): void {
    this.#trail.push(...entries);
    this.#states.push(state);
    this.#leaks.learn(state);
    this.#callers.clear();
  }

  /** A read, or a write after which nothing had changed. */
  #unchanged(record: Record, span: Span): void {
    const { operation } = record.ask;
    if (!writeNames.has(operation.name)) return this.#readParts(record, operation as Read, span);
    if (operation.name === 'signIn') return;
    const write = operation as Write;
    const given = givenOutcome(record.answer);
    const done = record.answer.data?.['done'] as Done | null | undefined;
    const text =
      given !== 'answered'
        ? given
        : done?.userErrors.length
          ? codesText(done.userErrors.map(({ code }) => code))
          : 'unchanged';
    if (given !== 'answered') this.#counts.refused += 1;
    else if (text !== 'unchanged') this.#counts.invalid += 1;
    const said: string[] = [];
    let letIn = false;
    for (let position = span.low; position <= span.high; position += 1) {
      const refused = refusedWrite(this.#caller(record, position), write);
      said.push(outcomeText(refused));
      letIn ||= refused === null;
      // Within the change a credential that has ended is refused like any other.
      if (letIn) said.push(describe(this.#attempt(record, write, position)));
    }
    if (!said.includes(text)) this.#disagree(record, write.name, text, [said[0] ?? '', said.at(-1) ?? ''], span);
  }

  /** Whether the door opened at some moment before the change. */
  #lets(record: Record, write: Write, { low, high }: Span): boolean {
    for (let position = high; position >= low; position -= 1) {
      if (refusedWrite(this.#caller(record, position), write) === null) return true;
    }
    return false;
  }

  #attempt(record: Record, write: Write, position: number): Outcome {
    const object = (record.answer.data?.['done'] as Done | null | undefined)?.object;
    const made: Made = {
      id: object == null ? '' : plain(object.id),
      createdAt: object?.createdAt ?? '',
      updatedAt: object?.updatedAt ?? '',
    };
    return attempt(this.#caller(record, position), write, made, this.world.catalogue);
  }

  #readParts(record: Record, read: Read, span: Span): void {
    if (givenOutcome(record.answer) === 'answered') this.#counts.read += 1;
    for (const part of partsOf(record, read, this.world.earlierEvents)) {
      this.#counts.parts += 1;
      if (span.low === span.high) this.#counts.exact += 1;
      if (!this.#agrees(record, part, span)) {
        const at = (position: number) =>
          part.expected(this.#moments(record, position, position, position)).join(' or ');
        const expected = [...new Set([at(span.low), at(span.high)])];
        this.#disagree(record, part.what, part.given, expected, span);
        return;
      }
    }
  }

  #agrees(record: Record, part: Part, { low, high }: Span): boolean {
    const fits = (...positions: [number, number, number]): boolean =>
      part.expected(this.#moments(record, ...positions)).includes(part.given);
    for (let position = low; position <= high; position += 1) {
      if (fits(position, position, position)) return true;
    }
    // Who asks is looked up first, then what is asked for; others changed the account between the two.
    for (let asked = low; asked <= high; asked += 1) {
      for (let listed = low; listed <= high; listed += 1) {
        for (
          let linked = part.linked === true ? low : listed;
          linked <= (part.linked === true ? high : listed);
          linked += 1
        ) {
          if (!fits(asked, listed, linked)) continue;
          this.#counts.mixed += 1;
          return true;
        }
      }
    }
    return false;
  }

  #moments(record: Record, asked: number, listed: number, linked: number): Moments {
    return { caller: this.#caller(record, asked), rows: this.#state(listed), links: this.#state(linked) };
  }

  #caller({ ask, sessionId, at }: Record, position: number): Caller {
    const { actor, workspaceId } = ask;
    const key = `${position} ${actor.id} ${sessionId} ${workspaceId} ${at}`;
    const known = this.#callers.get(key);
    if (known !== undefined) return known;
    const principal: Principal = { kind: actor.kind, id: actor.id, sessionId };
    const caller = new Caller(this.#state(position), this.world.catalogue, principal, workspaceId, at);
    this.#callers.set(key, caller);
    return caller;
  }

  #search(record: Record, { low, high }: Span): void {
    const leak = this.#leaks.find(record, this.#states.slice(low, high + 1), this.#states);
    if (leak !== null) this.#disagree(record, `${leak} in an answer`, 'shown', ['not shown'], { low, high });
  }

  #state(position: number): State {
    const state = this.#states[position];
    if (state === undefined) throw new Error(`there is no state ${position} yet`);
    return state;
  }

  #disagree(record: Record, what: string, given: string, expected: readonly string[], { low, high }: Span): void {
    const revisions = [
      this.#state(low).revision,
      this.#state(Math.min(high, this.#states.length - 1)).revision,
    ] as const;
    this.#found.push({ what, given, expected, revisions, record });
  }
}

function describe(outcome: Outcome | null): string {
  if (outcome === null) return 'refused at the door';
  if (outcome.kind === 'refused') return refusedWithin(outcome.reason);
  if (outcome.kind === 'invalid') return codesText(outcome.codes);
  return outcome.entries.length === 0 ? 'unchanged' : 'done';
}

function refusedWithin(reason: Reason): string {
  return reason === 'CREDENTIAL_REVOKED' ? 'FORBIDDEN' : outcomeText(reason);
}

function codesText(codes: readonly string[]): string {
  return `userErrors ${codes.join()}`;
}

function revisionOf({ answer }: Record): number | null {
  return (answer.data?.['done'] as Done | null | undefined)?.revision ?? null;
}

/** For each record, the positions of the states that it may have met: state n is what n acknowledged writes made. */
function spansOf(records: readonly Record[], acknowledged: readonly Record[]): ReadonlyMap<Record, Span> {
  const byAnswer = acknowledged.map((record, place) => ({ at: record.answered, position: place + 1 }));
  const bySending = acknowledged.map((record, place) => ({ at: record.sent, position: place + 1 }));
  const highest = (events: { readonly at: number; readonly position: number }[]) => {
    const sorted = [...events].sort((one, other) => one.at - other.at);
    let most = 0;
    const reached = sorted.map(({ at, position }) => ({ at, position: (most = Math.max(most, position)) }));
    return (moment: number): number => {
      let [from, to] = [0, reached.length];
      while (from < to) {
        const middle = (from + to) >> 1;
        if ((reached[middle]?.at ?? 0) < moment) from = middle + 1;
        else to = middle;
      }
      return from === 0 ? 0 : (reached[from - 1]?.position ?? 0);
    };
  };
  const low = highest(byAnswer);
  const high = highest(bySending);
  return new Map(records.map((record) => [record, { low: low(record.sent), high: high(record.answered) }]));
}

/** A disagreement in so many lines as somebody needs to look into it. */
export function describeDisagreement(
  { what, given, expected, revisions, record }: Disagreement,
  ids: ReadonlyMap<Id, string>,
): string {
  const { ask, request, text, index } = record;
  const { actor, workspaceId, operation } = ask;
  const named = (id: Id | null) => (id === null ? 'the account' : `workspace ${id}`);
  return [
    `operation ${index}, ${operation.name}, by ${actor.kind.toLowerCase()} ${actor.name} (${actor.id}) in ${named(workspaceId)}`,
    `  sent: ${request.slice(0, 600)}`,
    `  answered: ${text.slice(0, 1500)}`,
    `  ${what}`,
    `    given:    ${given.slice(0, 600)}`,
    ...expected.map((one) => `    expected: ${one.slice(0, 600)}`),
    `  at revisions ${revisions[0]} to ${revisions[1]}`,
    ...[...ids].filter(([id]) => what.includes(id)).map(([id, name]) => `  ${id} is ${name}`),
  ].join('\n');
}
