/**
 * Whether statements, one by one, show that one side allows nothing that the other does not: quick, never wrong, and silent
 * where several statements together are what matters.
 */
import type { Direction, SidedStatement } from './comparison-search.js';
import type { Statement } from './document.js';
import { findShadows } from './shadows.js';

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
    const idle = findShadows([...others, ...extra], namesOf).filter(({ part }) => part === null);
    return idle.filter(({ statement }) => extra.has(statement)).length === extra.size;
  }
}
