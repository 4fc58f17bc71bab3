/**
 * The verdicts that lists must show, found the long way: every question is decided for every completion of what is open.
 * Knows nothing of formulas, of policies that are about an action, or of what rows a reader has.
 */
import type { AccessRequest, Id } from '../../src/iam/index.js';
import { completionsOf, openKeys, valuesThatCount } from './open-keys.js';
import type { World } from './generated-world.js';

export type Effect = 'ALLOW' | 'DENY';
export type Verdict = 'YES' | 'IF' | 'NO';

export interface OpenQuestion {
  readonly principalId: Id;
  readonly request: Omit<AccessRequest, 'resource'>;
  /** Several where it is about any resource. */
  readonly resources: readonly (string | null)[];
}

/** Decides some requests as they stand; answers in their order. */
export type Decider = (requests: readonly AccessRequest[]) => Promise<readonly Effect[]>;

/** Of a question that two completions answer differently the others need no answer: most are settled by a few. */
const firstLook = 12;

/** What the decisions for one question show. */
export interface Shown {
  /** YES and NO are what every decision said. */
  readonly verdict: Verdict;
  /** False: YES or NO was all that was seen, and not every completion was looked at. */
  readonly settled: boolean;
}

/** Decisions that may still be made, above the first few of each question. */
export interface Budget {
  left: number;
}

/**
 * The verdict of each question.
 *
 * @param most how many completions of one question are looked at
 */
export async function verdictsOf(
  world: World,
  questions: readonly OpenQuestion[],
  decide: Decider,
  budget: Budget,
  most = Infinity,
): Promise<readonly Shown[]> {
  const known = new Map<string, ReturnType<typeof completionsOf>>();
  const open = questions.map(({ principalId, request, resources }) => {
    const said = new Set(request.context.map(({ key }) => key.toLowerCase()));
    const name = JSON.stringify([principalId, ...said]);
    const completions = known.get(name) ?? completionsFor(world, principalId, said);
    known.set(name, completions);
    const all = completions.length * resources.length;
    return { request, resources, completions, all, count: Math.min(most, all), effects: new Set<Effect>(), next: 0 };
  });
  for (const look of [firstLook, Infinity]) {
    const unsettled = open.filter(({ effects, next, count }) => effects.size < 2 && next < count);
    const share = look === firstLook ? look : Math.floor(Math.max(0, budget.left) / unsettled.length);
    const round = unsettled.flatMap((one) => {
      const from = one.next;
      one.next = Math.min(one.count, from + share);
      return Array.from({ length: one.next - from }, (_, i) => ({ one, request: requestAt(one, from + i) }));
    });
    if (look !== firstLook) budget.left -= round.length;
    const effects = await decide(round.map(({ request }) => request));
    for (const [i, { one }] of round.entries()) one.effects.add(effects[i] ?? 'DENY');
  }
  return open.map(({ effects, next, all }) => {
    if (effects.size === 2) return { verdict: 'IF', settled: true };
    return { verdict: effects.has('ALLOW') ? 'YES' : 'NO', settled: next === all };
  });
}

function completionsFor(world: World, principalId: Id, said: ReadonlySet<string>) {
  const policies = world.textsOf(principalId);
  // A key that nothing names which the principal was given makes no difference to it.
  const keys = openKeys.filter(({ key }) => policies.includes(key) && !said.has(key.toLowerCase()));
  return completionsOf(keys.map((one) => ({ key: one.key, values: valuesThatCount(one, policies, principalId) })));
}

interface Open extends Pick<OpenQuestion, 'request' | 'resources'> {
  readonly completions: ReturnType<typeof completionsOf>;
}

/** Every completion about every resource once, neighbours differing in both. */
function requestAt({ request, resources, completions }: Open, place: number): AccessRequest {
  const column = place % resources.length;
  const row = (column + Math.floor(place / resources.length)) % completions.length;
  const context = [...request.context, ...(completions[row] ?? [])];
  return { ...request, resource: resources[column] ?? null, context };
}
