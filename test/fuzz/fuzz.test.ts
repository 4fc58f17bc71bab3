/** A small run of `npm run fuzz:policy`: the compiled form answers what the reference form answers, to the letter. */
import { expect, it } from 'vitest';
import { seed } from '../policy/seed.js';
import { compareFrom } from './comparison.js';

it('the compiled engine and the reference form agree on generated pairs of policies and requests', () => {
  const { tally, disagreement } = compareFrom(seed, 1, 10_000, () => undefined);
  expect(disagreement).toBeNull();
  for (const [what, count] of Object.entries(tally)) expect(count, what).toBeGreaterThan(200);
});
