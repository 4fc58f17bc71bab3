/**
 * The verdicts that lists must show, found the long way: every question is decided for every completion of what is open.
 * Knows nothing of formulas, of policies that are about an action, or of what rows a reader has.
 */
import type { AccessRequest, Id } from '../../src/iam/index.js';
import { completionsOf, openKeys } from './open-keys.js';
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

/**
 * The verdict of each question.
 *
 * @param most how many completions of one question are looked at; when there are more, YES and NO are not certain
 */
export async function verdictsOf(
  world: World,
  questions: readonly OpenQuestion[],
  decide: Decider,
  most = Infinity,
): Promise<readonly Verdict[]> {
  const open = questions.map(({ principalId, request, resources }) => {
    const said = new Set(request.context.map(({ key }) => key.toLowerCase()));
    const text = world.textsOf(principalId);
    // A key that nothing names which the principal was given makes no difference to it.
    const keys = openKeys.filter(({ key }) => text.includes(key) && !said.has(key.toLowerCase()));
    // A value may be listed as the name of whoever asks.
    const named = text.includes('${g:UserName}') ? [principalId] : [];
    const completions = completionsOf(keys, named);
    const count = Math.min(most, completions.length * resources.length);
    return { request, resources, completions, count, effects: new Set<Effect>(), next: 0 };
  });
  for (let look = firstLook; ; look = Infinity) {
    const round = open.flatMap((one) => {
      if (one.effects.size === 2) return [];
      const from = one.next;
      one.next = Math.min(one.count, from + look);
      return Array.from({ length: one.next - from }, (_, i) => ({ one, request: requestAt(one, from + i) }));
    });
    if (round.length === 0) break;
    const effects = await decide(round.map(({ request }) => request));
    for (const [i, { one }] of round.entries()) one.effects.add(effects[i] ?? 'DENY');
  }
  return open.map(({ effects }) => (effects.size === 2 ? 'IF' : effects.has('ALLOW') ? 'YES' : 'NO'));
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
