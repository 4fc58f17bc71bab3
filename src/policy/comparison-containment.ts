/**
 * Whether statements, one by one, show that one side allows nothing that the other does not: quick, never wrong, and silent
 * where several statements together are what matters.
 */
import type { Direction, SidedStatement } from './comparison-search.js';
import type { Statement } from './document.js';
import { findShadows } from './shadows.js';

/** How many parts of statements are laid over each other at most. */
const mostLaid = 150_000;

/** How much there is in statements to be laid over others. */
function weightOf(statements: Iterable<Statement>): number {
  let weight = 0;
  for (const { actions, notActions, resources, notResources, conditions } of statements) {
    weight += (notActions ?? actions).length + (notResources ?? resources ?? []).length;
    for (const { values } of conditions) weight += values.length;
  }
  return weight;
}

/** @param namesOf all names of one action */
export function isContained(
  direction: Direction,
  sided: readonly SidedStatement[],
  namesOf: (action: string) => readonly string[],
): boolean {
  const [mine, theirs] = direction === 'gained' ? (['after', 'before'] as const) : (['before', 'after'] as const);
  return within('ALLOW', mine, theirs) && within('DENY', theirs, mine);

  /** Whether what statements of one side alone say, others of the other side say too. */
  function within(effect: Statement['effect'], narrow: 'before' | 'after', wide: 'before' | 'after'): boolean {
    const own = sided.filter(({ statement }) => statement.effect === effect);
    const extra = new Set(own.filter((one) => one[narrow] && !one[wide]).map(({ statement }) => statement));
    if (extra.size === 0) return true;
    const others = own.filter((one) => one[wide]).map(({ statement }) => statement);
    if (others.length === 0) return false;
    if (weightOf(extra) * weightOf(others) > mostLaid) return false;
    const shadows = findShadows([...others, ...extra], namesOf, (statement) => extra.has(statement));
    return shadows.filter(({ part }) => part === null).length === extra.size;
  }
}
