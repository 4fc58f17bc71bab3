/**
 * What must be so in a recorded history, whatever the servers went through. It knows nothing of the product: there are
 * registers, changes that write them, and answers that depend on what stands in them. A change takes effect at one moment
 * between its sending and its answer; one whose outcome nobody knows, at any moment since its sending or never.
 */

/** Milliseconds on the one clock of whoever recorded. */
export type Moment = number;

/** What stands in a register; null before anything was written, and where what it is about is gone. */
export type Value = string | null;

/** In a register that an answer needs. Everything else is not. */
export const given = 'given';

export interface Written {
  readonly register: string;
  readonly value: Value;
}

interface Exchange {
  readonly sent: Moment;
  /** When the answer was there, or when it was known that none would come. */
  readonly answered: Moment;
  readonly replica: number;
  /** What was asked and what came, for people. */
  readonly says: string;
}

export interface Change extends Exchange {
  readonly kind: 'change';
  /** Refused: nothing was changed, and the server said so. */
  readonly outcome: 'acknowledged' | 'refused' | 'unknown';
  readonly writes: readonly Written[];
  /** Of the account, as the answer told it. */
  readonly revision: number | null;
  /** What it made of something that counts its versions, having been asked to change the one before and no other. */
  readonly version: { readonly of: string; readonly number: number } | null;
}

/** Whether something is allowed. Only answers that were given: a question that broke off says nothing. */
export interface Question extends Exchange {
  readonly kind: 'question';
  readonly decisions: readonly Decided[];
}

export interface Decided {
  /** Allowed if, and only if, each of these is given. */
  readonly needs: readonly string[];
  readonly allowed: boolean;
  /** As it was said, for people. */
  readonly because: string;
}

export interface Reading extends Exchange {
  readonly kind: 'reading';
  readonly seen: readonly Written[];
}

export type Operation = Change | Question | Reading;

export interface History {
  readonly operations: readonly Operation[];
  /** What else was found wrong when it was over: answers that nobody may be given, and faults of the database. */
  readonly faults: readonly string[];
}

export interface Violation {
  readonly says: string;
  /** The lines of the history that it follows from. */
  readonly operations: readonly Operation[];
}

/** In the order in which they were answered; empty when every law was kept. */
export function violationsOf({ operations, faults }: History): readonly Violation[] {
  const changes = operations.filter((operation) => operation.kind === 'change');
  return [
    ...violationsOfRegisters(operations, registersOf(changes)),
    ...violationsOfRevisions(changes),
    ...violationsOfVersions(changes),
    ...faults.map((says) => ({ says, operations: [] })),
  ];
}

interface Write {
  readonly value: Value;
  readonly sent: Moment;
  /** When it had happened for certain: it was acknowledged, or seen. */
  by: Moment;
  readonly change: Change | null;
}

type Registers = ReadonlyMap<string, readonly Write[]>;

const never: readonly Write[] = [{ value: null, sent: -Infinity, by: -Infinity, change: null }];

function registersOf(changes: readonly Change[]): Registers {
  const registers = new Map<string, Write[]>();
  for (const change of changes) {
    if (change.outcome === 'refused') continue;
    const by = change.outcome === 'acknowledged' ? change.answered : Infinity;
    for (const { register, value } of change.writes) {
      let writes = registers.get(register);
      if (writes === undefined) registers.set(register, (writes = [...never]));
      writes.push({ value, sent: change.sent, by, change });
    }
  }
  return registers;
}

/**
 * Which writes an answer may come from: begun before it was there, and not followed by another one that had happened
 * before it was asked for.
 */
function sourcesOf(writes: readonly Write[], { sent, answered }: Exchange): Write[] {
  let last = -Infinity;
  for (const write of writes) if (write.by < sent && write.sent > last) last = write.sent;
  return writes.filter((write) => write.sent < answered && write.by >= last);
}

/**
 * Answers in the order in which they came. What an answer can come from one write alone, that write has happened by then:
 * nobody who asks afterwards may be told that it has not, though it be acknowledged later or never.
 */
function violationsOfRegisters(operations: readonly Operation[], registers: Registers): readonly Violation[] {
  const violations: Violation[] = [];
  const writesOf = (register: string) => registers.get(register) ?? never;
  const witness = (sources: readonly Write[], { answered }: Exchange) => {
    const [only] = sources;
    if (sources.length === 1 && only !== undefined) only.by = Math.min(only.by, answered);
  };
  const answers = operations
    .filter((operation) => operation.kind !== 'change')
    .sort((one, other) => one.answered - other.answered);
  for (const answer of answers) {
    if (answer.kind === 'reading') {
      for (const { register, value } of answer.seen) {
        const sources = sourcesOf(writesOf(register), answer).filter((write) => write.value === value);
        if (sources.length === 0) {
          const says = `${register}: ${shown(value)} was read, which was not there`;
          violations.push({ says, operations: story(answer, writesOf(register)) });
        } else witness(sources, answer);
      }
      continue;
    }
    for (const { needs, allowed } of answer.decisions) {
      const sources = needs.map((need) => ({ need, writes: sourcesOf(writesOf(need), answer) }));
      if (allowed) {
        for (const { need, writes } of sources) {
          const giving = writes.filter(({ value }) => value === given);
          if (giving.length === 0) {
            const says = `${need}: allowed, and it was not given`;
            violations.push({ says, operations: story(answer, writesOf(need)) });
          } else witness(giving, answer);
        }
        continue;
      }
      const taking = sources.flatMap(({ writes }) => writes.filter(({ value }) => value !== given));
      if (taking.length === 0) {
        const says = `${needs.join(', ')}: denied, and all of it was given`;
        violations.push({ says, operations: story(answer, needs.flatMap(writesOf)) });
      } else witness(taking, answer);
    }
  }
  return violations;
}

const longestStory = 8;

/** The answer, and the last changes before it was there. */
function story(answer: Operation, writes: readonly Write[]): readonly Operation[] {
  const changes = new Set(writes.flatMap(({ change }) => change ?? []).filter(({ sent }) => sent < answer.answered));
  return [...[...changes].sort((one, other) => one.sent - other.sent).slice(-longestStory), answer];
}

/** Whoever begins after another was answered comes after it, and no two are told the same. */
function violationsOfRevisions(changes: readonly Change[]): readonly Violation[] {
  const told = changes.filter(({ outcome, revision }) => outcome === 'acknowledged' && revision !== null);
  const revisionOf = ({ revision }: Change) => revision ?? -Infinity;
  const violations = violationsOfRepeats(told, revisionOf, (change) => `revision ${revisionOf(change)} was told twice`);
  const answered = [...told].sort((one, other) => one.answered - other.answered);
  let next = 0;
  let highest: Change | null = null;
  for (const change of [...told].sort((one, other) => one.sent - other.sent)) {
    for (let before = answered[next]; before !== undefined && before.answered < change.sent; before = answered[next]) {
      if (highest === null || revisionOf(before) > revisionOf(highest)) highest = before;
      next += 1;
    }
    if (highest !== null && revisionOf(highest) > revisionOf(change)) {
      violations.push({
        says: `revision ${revisionOf(highest)} was told before revision ${revisionOf(change)} was asked for`,
        operations: [highest, change],
      });
    }
  }
  return violations;
}

/** Of two that change the same version one is refused. */
function violationsOfVersions(changes: readonly Change[]): readonly Violation[] {
  const counted = changes.filter(({ outcome, version }) => outcome === 'acknowledged' && version !== null);
  const nameOf = ({ version }: Change) => `version ${version?.number} of ${version?.of}`;
  return violationsOfRepeats(counted, nameOf, (change) => `${nameOf(change)} was written twice`);
}

function violationsOfRepeats(
  changes: readonly Change[],
  keyOf: (change: Change) => unknown,
  says: (change: Change) => string,
): Violation[] {
  const first = new Map<unknown, Change>();
  const violations: Violation[] = [];
  for (const change of changes) {
    const before = first.get(keyOf(change));
    if (before === undefined) first.set(keyOf(change), change);
    else violations.push({ says: says(change), operations: [before, change] });
  }
  return violations;
}

function shown(value: Value): string {
  return value === null ? 'nothing' : `"${value}"`;
}
