/** See delegation-graphs.ts. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { seed } from '../policy/seed.js';
import { allowedByProduct, allowedByRules, delegations } from './delegation-graphs.js';

it('no session has a right outside its agency, its policy or its trust, nor lacks one: 100,000 graphs', async () => {
  const seen = { allowed: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(delegations, async (delegation) => {
      const expected = allowedByRules(delegation);
      seen[expected ? 'allowed' : 'refused'] += 1;
      expect(await allowedByProduct(delegation)).toBe(expected);
    }),
    { numRuns: 100_000, seed },
  );
  // Neither outcome is so rare that the other could stand for both.
  expect(seen.allowed).toBeGreaterThan(5_000);
  expect(seen.refused).toBeGreaterThan(5_000);
}, 120_000);
