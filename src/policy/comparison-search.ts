/**
 * The search for a request that one side allows and the other does not, under one supposition about variables.
 *
 * Such a request meets an Allow of the one side and none of its denials; and of the other side it meets either no Allow, or
 * a Deny. Both ways are tried for each Allow, wherever actions and resources make a difference.
 */
import {
  type Applying,
  ApplyingStatements,
  type NumberedPattern,
  type SegmentsPattern,
  waysOn,
} from './applying-statements.js';
import { type Budget, spend } from './cells.js';
import { DemandSearch } from './demands.js';
import type { Statement } from './document.js';
import type { PolicyRequest } from './evaluation.js';
import { anyOne, anyRun } from './globs.js';
import { KeyClasses, type PlainCondition } from './key-classes.js';
import { leastResources } from './least-resources.js';
import { cutShort } from './least-texts.js';
import { fitsSegmented, type ResourceCell, resourceCells, type SegmentedPattern } from './request-cells.js';
import { type Conjunction, type Remainder, type Situation, type SupposedPattern } from './situations.js';

export type Direction = 'gained' | 'lost';
export type Directions<T> = Readonly<Record<Direction, T>>;
export const directions: readonly Direction[] = ['gained', 'lost'];

/** A statement with the sides that have it. */
export interface SidedStatement {
  readonly statement: Statement;
  before: boolean;
  after: boolean;
}

/** An action that the statements tell apart from others. */
export interface AskedAction {
  readonly names: readonly string[];
  /** Places of the statements that are about it. */
  readonly about: readonly number[];
}

/** EXCLUDED: no request differs. SHOWN: one was confirmed. OPEN: neither is known. */
type Finding = 'EXCLUDED' | 'SHOWN' | 'OPEN';

interface LaidCells {
  /** What they fit is told by the numbers of the patterns. */
  readonly cells: readonly ResourceCell[];
  readonly complete: boolean;
}

export class ComparisonSearch {
  readonly #statements: readonly SidedStatement[];
  readonly #situation: Situation;
  readonly #budget: Budget;
  readonly #confirm: (direction: Direction, request: PolicyRequest) => boolean;
  /** What may be spent on laying out every cell; where that is too little, cells are aimed at one by one. */
  readonly #laying: Budget;
  #axioms: Conjunction = [];
  readonly #remainders = new Map<number, Remainder | null>();
  readonly #plain = new Map<string, Set<PlainCondition>>();
  readonly #classes = new Map<string, KeyClasses>();
  /** By the number of a literal's atom. */
  readonly #completeOf: (boolean | undefined)[] = [];
  readonly #cells = new Map<string, LaidCells>();
  readonly #applying = new ApplyingStatements();
  readonly #findings: Directions<Map<string, Finding>> = { gained: new Map(), lost: new Map() };
  /** What was found to be impossible where resources are aimed at. */
  readonly #excluded = new Set<string>();
  readonly #loose: DemandSearch;
  readonly #strict: DemandSearch;

  /** @param confirm whether a request is decided so that it shows the direction */
  constructor(
    statements: readonly SidedStatement[],
    situation: Situation,
    budget: Budget,
    confirm: (direction: Direction, request: PolicyRequest) => boolean,
  ) {
    this.#statements = statements;
    this.#situation = situation;
    this.#budget = budget;
    this.#laying = { left: Math.max(0, Math.ceil(budget.left / 8)) };
    this.#confirm = confirm;
    const space = {
      keyOf: (literal: number) => situation.conditionOf(literal)?.condition.key.toLowerCase() ?? null,
      classesOf: (key: string) => this.#classesOf(key),
      consequencesOf: (literal: number) => situation.consequencesOf(literal),
    };
    this.#loose = new DemandSearch(space, true, budget);
    this.#strict = new DemandSearch(space, false, budget);
  }

  /**
   * Looks for a request in one direction.
   *
   * @returns null when one was confirmed; else the actions for which there may be one, none when it is certain that there
   *   is none
   */
  run(direction: Direction, actions: readonly AskedAction[]): readonly AskedAction[] | null {
    this.#read(actions);
    const suspects: AskedAction[] = [];
    for (const action of actions) {
      const finding = this.#budget.left < 0 ? 'OPEN' : this.#about(direction, action);
      if (finding === 'SHOWN') return null;
      if (finding === 'OPEN') suspects.push(action);
    }
    return suspects;
  }

  /**
   * The same at a glance: only resources that statements name which one side alone has. It can show something, and exclude
   * nothing.
   */
  glance(direction: Direction, actions: readonly AskedAction[]): boolean {
    this.#read(actions);
    for (const action of actions) {
      const about = action.about.filter((place) => this.#remainders.get(place) != null);
      if (!this.#mayDiffer(direction, about)) continue;
      const patterns = this.#applying.patternsOf(about);
      const apart = about.filter((place) => this.#statements[place]?.before !== this.#statements[place]?.after);
      const members = new Set(this.#applying.patternsOf(apart).map(({ pattern }) => memberOf(pattern)));
      for (const resource of [null, ...members]) {
        if (!spend(this.#budget, about.length)) return false;
        const fits = resource === null ? [] : fitted(patterns, resource);
        const applying = this.#applying.on(about, fits);
        if (this.#differs(direction, applying, action, { resource, fits }) === 'SHOWN') return true;
      }
    }
    return false;
  }

  /** What a key may say; asked once every statement is read. */
  valuesOf(key: string): readonly string[] {
    return this.#classesOf(key).texts;
  }

  /** Reads statements before anything is asked about: what a key may say depends on every condition on it. */
  #read(actions: readonly AskedAction[]): void {
    this.#axioms = this.#situation.axioms();
    this.#note(this.#axioms);
    for (const { about } of actions) {
      for (const place of about) if (!this.#remainders.has(place)) this.#readStatement(place);
    }
  }

  #readStatement(place: number): void {
    const side = this.#statements[place];
    const remainder = side === undefined ? null : this.#situation.remainder(side.statement);
    this.#remainders.set(place, remainder);
    if (remainder === null) return;
    this.#note(remainder.conditions);
    this.#applying.add(place, remainder);
  }

  #note(literals: Conjunction): void {
    for (const literal of literals) {
      const plain = this.#situation.conditionOf(literal);
      if (plain === null) continue;
      const key = plain.condition.key.toLowerCase();
      const known = this.#plain.get(key);
      if (known === undefined) this.#plain.set(key, new Set([plain]));
      else known.add(plain);
    }
  }

  #about(direction: Direction, action: AskedAction): Finding {
    const about = action.about.filter((place) => this.#remainders.get(place) != null);
    if (!this.#mayDiffer(direction, about)) return 'EXCLUDED';
    const { cells, complete } = this.#cellsOf(about);
    if (!complete) return this.#aimed(direction, action, about);
    let finding: Finding = 'EXCLUDED';
    for (const cell of cells) {
      if (!spend(this.#budget, 2 * about.length)) return 'OPEN';
      const applying = this.#applying.on(about, cell.fits);
      const signature = applying.map(({ mark }) => mark).join();
      const known = this.#findings[direction].get(signature);
      // To try them takes as long again.
      if (known === undefined && !spend(this.#budget, 2 * applying.length)) return 'OPEN';
      const here = known ?? this.#differs(direction, applying, action, cell);
      if (here === 'SHOWN') return here;
      this.#findings[direction].set(signature, here);
      if (here === 'OPEN') finding = here;
      if (this.#budget.left < 0) return 'OPEN';
    }
    return finding;
  }

  /** Whether what tells the sides apart can make the difference: an Allow of the one, or a Deny of the other. */
  #mayDiffer(direction: Direction, about: readonly number[]): boolean {
    const [mine, theirs] = sidesOf(direction);
    const sides = about.flatMap((place) => this.#statements[place] ?? []);
    const apart = sides.some(
      (side) => side.before !== side.after && side[side.statement.effect === 'ALLOW' ? mine : theirs],
    );
    return apart && sides.some((side) => side.statement.effect === 'ALLOW' && side[mine]);
  }

  #cellsOf(about: readonly number[]): LaidCells {
    const patterns = this.#applying.patternsOf(about).toSorted((a, b) => (a.text < b.text ? -1 : 1));
    const key = patterns.map(({ number }) => number).join();
    let laid = this.#cells.get(key);
    if (laid === undefined) {
      const given = this.#laying.left;
      const cells = Array.from(
        resourceCells(
          patterns.map(({ pattern }) => pattern),
          this.#laying,
        ),
      );
      spend(this.#budget, given - this.#laying.left);
      laid = {
        cells: cells.flatMap((cell) =>
          cell === cutShort
            ? []
            : [{ resource: cell.resource, fits: cell.fits.map((place) => patterns[place]?.number ?? -1) }],
        ),
        complete: !cells.includes(cutShort),
      };
      this.#cells.set(key, laid);
    }
    return laid;
  }

  /** Statement by statement, with those resources alone that fit few of the patterns which stand in the way. */
  #aimed(direction: Direction, action: AskedAction, about: readonly number[]): Finding {
    const [mine, theirs] = sidesOf(direction);
    const sided = about.flatMap((place) => {
      const side = this.#statements[place];
      const remainder = this.#remainders.get(place);
      return side === undefined || remainder == null ? [] : [{ side, remainder }];
    });
    const those = (effect: Statement['effect'], wanted: (side: SidedStatement) => boolean): readonly Remainder[] =>
      sided.flatMap(({ side, remainder }) => (remainder.effect === effect && wanted(side) ? [remainder] : []));
    const denied = those('DENY', (side) => side[mine]);
    const kept = [...denied, ...those('ALLOW', (side) => side[theirs])];
    const refused = those('DENY', (side) => side[theirs] && !side[mine]);
    let finding: Finding = 'EXCLUDED';
    for (const [hold, fail] of [
      ...those('ALLOW', (side) => side[mine] && !side[theirs]).map((allow) => [[allow], kept] as const),
      ...those('ALLOW', (side) => side[mine]).flatMap((allow) => refused.map((deny) => [[allow, deny], denied] as const)), // prettier-ignore
    ]) {
      const here = this.#aim(direction, action, hold, fail);
      if (here === 'SHOWN') return here;
      if (here === 'OPEN') finding = here;
      if (finding === 'OPEN' && (this.#situation.open || this.#budget.left < 0)) return finding;
    }
    return finding;
  }

  #aim(direction: Direction, action: AskedAction, hold: readonly Remainder[], fail: readonly Remainder[]): Finding {
    let finding: Finding = 'EXCLUDED';
    for (const cell of leastResources(hold, fail, this.#budget)) {
      if (cell === cutShort) return 'OPEN';
      const segments = cell?.split(':') ?? [];
      const fits = (pattern: SupposedPattern): pattern is SegmentsPattern =>
        pattern.kind === 'SEGMENTS' && cell !== null && fitsSegmented(pattern.pattern, segments);
      if (!spend(this.#budget, 4 * (hold.length + fail.length))) return 'OPEN';
      const failing = fail.flatMap((remainder) => waysOn(remainder, fits));
      const holding = hold
        .map((remainder) => waysOn(remainder, fits))
        .reduce((all, ways) => all.flatMap((one) => ways.map((way) => [...one, ...way])), [this.#axioms]);
      for (const way of holding) {
        const signature = `${way.join()} ${failing.map((one) => one.join()).join('|')}`;
        if (this.#excluded.has(signature)) continue;
        const here = this.#find(direction, way, failing, action, cell);
        if (here === 'SHOWN') return here;
        if (here === 'EXCLUDED') this.#excluded.add(signature);
        else finding = here;
        if (finding === 'OPEN' && (this.#situation.open || this.#budget.left < 0)) return finding;
      }
    }
    return finding;
  }

  #differs(
    direction: Direction,
    applying: readonly Applying[],
    action: AskedAction,
    { resource }: ResourceCell,
  ): Finding {
    const [mine, theirs] = sidesOf(direction);
    const has = (one: Applying, side: 'before' | 'after'): boolean => this.#statements[one.place]?.[side] ?? false;
    const waysOf = (effect: Statement['effect'], wanted: (one: Applying) => boolean): readonly Conjunction[] =>
      applying.flatMap((one) => (one.remainder.effect === effect && wanted(one) ? one.ways : []));
    const denied = waysOf('DENY', (one) => has(one, mine));
    if (denied.some((way) => way.length === 0)) return 'EXCLUDED';
    const kept = [...denied, ...waysOf('ALLOW', (one) => has(one, theirs))];
    const refused = waysOf('DENY', (one) => has(one, theirs) && !has(one, mine));
    let finding: Finding = 'EXCLUDED';
    for (const one of applying) {
      if (one.remainder.effect === 'DENY' || !has(one, mine)) continue;
      for (const way of one.ways) {
        const tries: (readonly [Conjunction, readonly Conjunction[]])[] = has(one, theirs)
          ? []
          : [[[...this.#axioms, ...way], kept]];
        tries.push(...refused.map((deny) => [[...this.#axioms, ...way, ...deny], denied] as const));
        for (const [hold, fail] of tries) {
          const here = this.#find(direction, hold, fail, action, resource);
          if (here === 'SHOWN') return here;
          if (here === 'OPEN') finding = here;
          // One is enough where nothing that is found can be a request.
          if (finding === 'OPEN' && (this.#situation.open || this.#budget.left < 0)) return finding;
        }
      }
    }
    return finding;
  }

  #find(
    direction: Direction,
    hold: Conjunction,
    fail: readonly Conjunction[],
    { names }: AskedAction,
    resource: string | null,
  ): Finding {
    const loose = this.#loose.find(hold, fail);
    if (loose === null) return this.#budget.left >= 0 && this.#complete(hold, fail) ? 'EXCLUDED' : 'OPEN';
    if (this.#situation.open) return 'OPEN';
    const known = [...loose.values()].every(({ values }) => values !== null);
    const answers = known ? loose : this.#strict.find(hold, fail);
    if (answers === null) return 'OPEN';
    const [action = '', ...aliases] = names;
    const context = this.#contextOf(new Map([...answers].map(([key, { values }]) => [key, values ?? []])));
    const request = { action, ...(aliases.length > 0 ? { aliases } : {}), resource, context };
    return this.#confirm(direction, request) ? 'SHOWN' : 'OPEN';
  }

  #complete(hold: Conjunction, fail: readonly Conjunction[]): boolean {
    return [hold, ...fail].every((one) => one.every((literal) => this.#isComplete(literal)));
  }

  /** Whether all is known that the key of a literal may say. */
  #isComplete(literal: number): boolean {
    let known = this.#completeOf[literal >> 1];
    if (known === undefined) {
      const plain = this.#situation.conditionOf(literal);
      known = plain === null || this.#classesOf(plain.condition.key.toLowerCase()).complete;
      this.#completeOf[literal >> 1] = known;
    }
    return known;
  }

  #contextOf(answers: ReadonlyMap<string, readonly string[]>): ReadonlyMap<string, readonly string[]> {
    const context = new Map([...answers].filter(([, values]) => values.length > 0));
    for (const [key, supposed] of this.#situation.suppositions) {
      if (supposed.kind === 'VALUE') context.set(key, [supposed.value]);
      else if (supposed.kind === 'SEVERAL' && !context.has(key))
        context.set(
          key,
          this.#classesOf(key).answer({ hold: [], fail: [] }, false, this.#budget)?.values ?? ['a', 'a'],
        );
    }
    return context;
  }

  #classesOf(key: string): KeyClasses {
    let classes = this.#classes.get(key);
    if (classes === undefined) {
      classes = new KeyClasses([...(this.#plain.get(key) ?? [])], this.#situation.countOf(key), this.#budget);
      this.#classes.set(key, classes);
    }
    return classes;
  }
}

/** The side that allows more, and the other. */
function sidesOf(direction: Direction): readonly ['before' | 'after', 'before' | 'after'] {
  return direction === 'gained' ? ['after', 'before'] : ['before', 'after'];
}

/** Numbers of the patterns that a resource fits. */
function fitted(patterns: readonly NumberedPattern[], resource: string): readonly number[] {
  const segments = resource.split(':');
  return patterns.flatMap(({ number, pattern }) => (fitsSegmented(pattern, segments) ? [number] : []));
}

/** A text that fits a pattern and, as far as it may choose, little else. */
function memberOf({ segments }: SegmentedPattern): string {
  return segments
    .map((glob) => glob.map((token) => (token === anyRun ? 'zq' : token === anyOne ? 'z' : token)).join(''))
    .join(':');
}
