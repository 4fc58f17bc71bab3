/** The compiled form against the reference form, pair by pair: a pair is one request put to one set of policies. */
import {
  CompiledSources,
  evaluate,
  type Evaluation,
  type PolicyRequest,
  type PolicySource,
} from '../../src/policy/index.js';
import { Draw, drawWorld } from './worlds.js';

/** How often what came out; none of them may stay empty in a long run. */
export interface Tally {
  pairs: number;
  allowed: number;
  denied: number;
  byDefault: number;
  statements: number;
  missing: number;
  problems: number;
}

export interface Disagreement {
  /** Of the world: it alone makes it again. */
  readonly seed: number;
  readonly sources: readonly PolicySource<number>[];
  readonly request: PolicyRequest;
  readonly what: string;
  readonly reference: unknown;
  readonly compiled: unknown;
}

export const emptyTally = (): Tally => ({ pairs: 0, allowed: 0, denied: 0, byDefault: 0, statements: 0, missing: 0, problems: 0 }); // prettier-ignore

const everySource = (): boolean => true;

/** One world, all of its requests; the first disagreement, or null. */
export function compareWorld(seed: number, tally: Tally): Disagreement | null {
  const draw = new Draw(seed);
  const { sources, requests } = drawWorld(draw);
  const compiled = new CompiledSources(sources);
  const all = draw.chance(0.7);
  const mask = draw.below(2 ** 16);
  const takesPart = all ? everySource : (origin: number): boolean => ((mask >> (origin % 16)) & 1) === 1;
  const taking = all ? sources : sources.filter(({ origin }) => takesPart(origin));
  const remember = draw.chance(0.7);
  // Some are asked again: what is remembered of the first time must not show.
  for (const request of [...requests, ...requests.slice(0, 3)]) {
    const reference = evaluate(taking, request);
    const answers: [string, unknown, unknown][] = [
      ['evaluate', shown(reference), shown(compiled.evaluate(request, takesPart, remember))],
      ['effectOf', reference.effect, compiled.effectOf(request, takesPart, remember)],
    ];
    for (const [what, expected, answer] of answers) {
      if (JSON.stringify(expected) !== JSON.stringify(answer)) {
        return { seed, sources: taking, request, what, reference: expected, compiled: answer };
      }
    }
    count(tally, reference);
  }
  return null;
}

function shown({ effect, reason, statements, missingContextKeys, problems }: Evaluation<number>): unknown {
  return [effect, reason, statements.map(({ source, statement }) => [source.origin, statement.index]), missingContextKeys, problems]; // prettier-ignore
}

function count(tally: Tally, { reason, statements, missingContextKeys, problems }: Evaluation<number>): void {
  tally.pairs += 1;
  if (reason === 'ALLOWED') tally.allowed += 1;
  else if (reason === 'EXPLICIT_DENY') tally.denied += 1;
  else tally.byDefault += 1;
  tally.statements += statements.length;
  if (missingContextKeys.length > 0) tally.missing += 1;
  if (problems.length > 0) tally.problems += 1;
}

/** Worlds from the seed on until so many pairs were compared. */
export function compareFrom(seed: number, step: number, pairs: number, told: (tally: Tally) => void): { readonly tally: Tally; readonly disagreement: Disagreement | null } {
  const tally = emptyTally();
  let next = 100_000;
  for (let world = seed; tally.pairs < pairs; world += step) {
    const disagreement = compareWorld(world, tally);
    if (disagreement !== null) return { tally, disagreement };
    if (tally.pairs >= next) {
      told(tally);
      next += 100_000;
    }
  }
  return { tally, disagreement: null };
} // prettier-ignore
