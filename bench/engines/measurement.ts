/** How engines are measured on a world: answers against each other, then time in turns. */
import { bailiwick, reference } from './bailiwick.js';
import { casbin } from './casbin.js';
import { casl } from './casl.js';
import { cedar } from './cedar.js';
import { type Adapter, type OpenEngine } from './engine.js';
import { pbac } from './pbac.js';
import { type World } from './worlds.js';

export const ours = bailiwick;
export const peers: readonly Adapter[] = [casbin, casl, cedar, pbac];
export const adapters: readonly Adapter[] = [ours, ...peers];

export interface Effort {
  readonly rounds: number;
  /** How long one turn of an engine is meant to take. */
  readonly turnMs: number;
  /** How long an engine may take over the requests of a world before the rest are left out for it. */
  readonly patienceMs: number;
}

export interface Checked {
  /** Requests answered, from the first on. */
  readonly answered: number;
  /** Whose determining statements were compared as well. */
  readonly statementsCompared: number;
  readonly disagreements: readonly string[];
  readonly firstNs: number;
  /** What opening the engine took. */
  readonly openNs: number;
}

export interface Shares {
  readonly allowed: number;
  readonly forbidden: number;
}

const ns = (): number => Number(process.hrtime.bigint());

/** What the requests of a world come to, by our engine. */
export interface Answers {
  readonly allowed: readonly boolean[];
  readonly determining: readonly string[];
}

export function answersOf(engine: OpenEngine, world: World): Answers {
  const places = world.requests.map((_request, place) => place);
  return {
    allowed: places.map((place) => engine.allows(place)),
    determining: places.map((place) => joined(engine.determining?.(place) ?? [])),
  };
}

export function sharesOf({ allowed, determining }: Answers): Shares {
  const count = (holds: (place: number) => boolean) => allowed.filter((_one, place) => holds(place)).length;
  return {
    allowed: count((place) => allowed[place] === true) / allowed.length,
    forbidden: count((place) => allowed[place] === false && determining[place] !== '') / allowed.length,
  };
}

function joined(ids: readonly string[]): string {
  return [...ids].sort().join(' ');
}

/** Asks an engine what ours was asked, as far as its time reaches; that is its warming up too. */
export function checkAnswers(
  name: string,
  open: () => OpenEngine,
  world: World,
  expected: Answers,
  patienceMs: number,
): Checked & { readonly engine: OpenEngine } {
  const opens = ns();
  const engine = open();
  const openNs = ns() - opens;
  const disagreements: string[] = [];
  let answered = 0;
  let statementsCompared = 0;
  let spent = 0;
  let firstNs = 0;
  const count = world.requests.length;
  while (answered < count && (answered < 20 || spent < patienceMs * 1e6)) {
    const place = answered;
    const began = ns();
    const allowed = engine.allows(place);
    const took = ns() - began;
    spent += took;
    if (place === 0) firstNs = took;
    answered += 1;
    const told = (what: string) =>
      disagreements.push(`${name}, ${world.name}, request ${place}: ${what}: ${JSON.stringify(world.requests[place])}`);
    if (allowed !== expected.allowed[place]) told(allowed ? 'allowed by it alone' : 'refused by it alone');
    if (engine.determining === undefined) continue;
    statementsCompared += 1;
    const again = ns();
    const ids = joined(engine.determining(place));
    spent += ns() - again;
    if (ids !== expected.determining[place]) told(`determined by [${ids}], not [${expected.determining[place]}]`);
  }
  return { answered, statementsCompared, disagreements, firstNs, openNs, engine };
}

export interface Contestant {
  readonly name: string;
  readonly decide: (request: number) => boolean;
  readonly renew: (from: number, to: number) => void;
  /** Requests it is asked, from the first on. */
  readonly requests: number;
}

export interface Timing {
  readonly name: string;
  readonly medianNs: number;
  readonly decisionsPerTurn: number;
}

/** Turns in a round of each that is quick enough: what else the machine does for a second then falls on all of them. */
const turnsInRound = 5;

/** Nanoseconds per decision: engines take turns within each round, so that what else the machine does falls on all. */
export function timeInTurns(contestants: readonly Contestant[], { rounds, turnMs }: Effort): Timing[] {
  const runs = contestants.map((contestant) => {
    turn(contestant, Math.min(contestant.requests, decisionsIn(contestant, turnMs)));
    return { contestant, decisions: decisionsIn(contestant, turnMs), figures: [] as number[] };
  });
  for (let round = 0; round < rounds; round += 1) {
    const taken = runs.map((): number[] => []);
    for (let step = 0; step < runs.length * turnsInRound; step += 1) {
      const place = (step + round) % runs.length;
      const [run, turns] = [runs[place], taken[place]];
      if (run === undefined || turns === undefined) continue;
      const spentMs = (turns.reduce((sum, each) => sum + each, 0) * run.decisions) / 1e6;
      if (spentMs < turnMs * turnsInRound) turns.push(turn(run.contestant, run.decisions));
    }
    for (const [place, turns] of taken.entries()) {
      runs[place]?.figures.push(turns.reduce((sum, each) => sum + each, 0) / turns.length);
    }
  }
  return runs.map(({ contestant, decisions, figures }) => ({
    name: contestant.name,
    medianNs: medianOf(figures),
    decisionsPerTurn: decisions,
  }));
}

/** How many times longer a turn may be so that all requests are asked in it. */
const longestTurn = 16;

/** How many decisions fill a turn, after a few have told how long one takes. */
function decisionsIn(contestant: Contestant, turnMs: number): number {
  let decisions = Math.min(contestant.requests, 5);
  for (;;) {
    const each = turn(contestant, decisions);
    const wanted = Math.ceil((turnMs * 1e6) / each);
    if (decisions >= wanted || decisions >= 2_000_000 || each * decisions > turnMs * 5e5) {
      // Whole rounds of the requests, once at least where that can be waited for: all get the same mixture.
      const whole = Math.floor(wanted / contestant.requests) * contestant.requests;
      if (whole > 0) return whole;
      return wanted * longestTurn >= contestant.requests ? contestant.requests : Math.max(5, wanted);
    }
    decisions = Math.min(wanted, decisions * 8);
  }
}

let allowedSoFar = 0;

/** So many requests are read anew, then decided: few enough that none has left the processor's memory in between. */
const arrivingTogether = 50;

function turn({ decide, renew, requests }: Contestant, decisions: number): number {
  let allowed = 0;
  let took = 0;
  let place = 0;
  for (let left = decisions; left > 0;) {
    const end = Math.min(requests, place + Math.min(left, arrivingTogether));
    renew(place, end);
    left -= end - place;
    const began = ns();
    for (; place < end; place += 1) if (decide(place)) allowed += 1;
    took += ns() - began;
    if (place === requests) place = 0;
  }
  // Read, so that no compiler finds that nobody needs the answers.
  allowedSoFar += allowed;
  return took / decisions;
}

/** The sum of all answers so far. */
export function answersGiven(): number {
  return allowedSoFar;
}

/** Users whose first decision is timed: the same for every engine that is quick enough, as later ones share more. */
const mostFirst = 300;

export interface FirstDecision {
  readonly meanNs: number;
  /** What reading the policies took before, in nanoseconds. */
  readonly openNs: number;
  readonly users: number;
}

/** The mean first decision of a user in a fresh build, in which policies are read and no rights put together; the median of some. */
export function timeFirstDecisions(
  open: () => OpenEngine,
  world: World,
  checked: Checked,
  patienceMs: number,
): FirstDecision {
  // One that took so long is not asked for again.
  if (world.users === 1 && checked.firstNs > patienceMs * 1e6) {
    return { meanNs: checked.firstNs, openNs: checked.openNs, users: 1 };
  }
  const seen = new Set<number>();
  const firsts = world.requests.flatMap(({ user }, place) => {
    if (seen.has(user)) return [];
    seen.add(user);
    return [place];
  });
  const builds = firsts.length >= 20 ? 3 : 7;
  const means: number[] = [];
  const opening: number[] = [];
  let users = 0;
  const began = ns();
  for (let build = 0; build < builds; build += 1) {
    const opens = ns();
    const engine = open();
    opening.push(ns() - opens);
    let spent = 0;
    let asked = 0;
    for (const place of firsts.slice(0, mostFirst)) {
      // An engine that is slow is asked less, and once at least.
      if (users > 0 && ns() - began > patienceMs * 1e6) break;
      engine.renew(place, place + 1);
      const start = ns();
      engine.allows(place);
      spent += ns() - start;
      asked += 1;
      users += 1;
    }
    if (asked > 0) means.push(spent / asked);
    if (ns() - began > patienceMs * 1e6) break;
  }
  return { meanNs: medianOf(means), openNs: medianOf(opening), users };
}

export function medianOf(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? NaN)) / 2;
}

export { reference };
