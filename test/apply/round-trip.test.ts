/**
 * Laws of export and apply, over random accounts on both databases: what is exported plans nothing on its own account,
 * and makes an empty account the same, byte for byte; and what has been applied, in however many transactions and over
 * whatever was there before, has nothing left to do.
 */
import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { prunableKinds } from '../../src/apply/index.js';
import { seed } from '../policy/seed.js';
import { describeChanges, isEmpty, newLand, openIam } from './land.js';
import { worlds } from './worlds.js';

const runs = { sqlite: 25, postgres: 10 } as const;

describe.each(['sqlite', 'postgres'] as const)('on %s', (database) => {
  test(
    'an export plans nothing where it comes from, and is the same again where it goes',
    { timeout: 300_000 },
    async () => {
      const iam = await openIam(database);
      await fc.assert(
        fc.asyncProperty(worlds, fc.constantFrom(1, 3, 500), async ({ files, documents }, atOnce) => {
          const here = await newLand(iam);
          if (documents > 0) {
            const { done, total, failure } = await here.apply(files, { atOnce });
            expect([done, failure?.message]).toEqual([total, undefined]);
          }
          const exported = await here.export();
          const again = await here.plan(exported);
          expect([isEmpty(again), describeChanges(again).filter((line) => !line.startsWith('='))]).toEqual([true, []]);
          const there = await newLand(iam);
          expect((await there.apply(exported)).failure).toBeNull();
          expect(await there.export()).toBe(exported);
        }),
        { numRuns: runs[database], seed },
      );
    },
  );

  test('files that were applied over others, and pruned, have nothing left to do', { timeout: 300_000 }, async () => {
    const iam = await openIam(database);
    const kinds = fc.subarray([...prunableKinds]);
    await fc.assert(
      fc.asyncProperty(worlds, worlds, kinds, async (before, after, prune) => {
        const land = await newLand(iam);
        if (before.documents > 0) await land.apply(before.files);
        const plan = await land.plan(after.files, { prune });
        // Names that meet by chance can ask for what cannot be; that is another test's affair.
        fc.pre(plan.problems.length === 0);
        const { done, total, failure } = await land.apply(after.files, { prune });
        expect([done, failure?.message]).toEqual([total, undefined]);
        const rest = await land.plan(after.files, { prune });
        expect([isEmpty(rest), describeChanges(rest).filter((line) => !line.startsWith('='))]).toEqual([true, []]);
      }),
      { numRuns: runs[database], seed },
    );
  });
});
