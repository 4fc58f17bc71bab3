/** Truth table of plans on both databases: what is there, what files say, what would be done, and that it is done. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { PrunableKind } from '../../src/apply/index.js';
import type { Iam } from '../../src/iam/index.js';
import { describeChanges, describeProblems, isEmpty, newLand, openIam } from './land.js';
import table from './plans.json' with { type: 'json' };

interface Row {
  readonly name: string;
  readonly before?: string;
  readonly files: string;
  readonly prune?: readonly PrunableKind[];
  readonly plan?: readonly string[];
  readonly problems?: readonly string[];
}

describe.each(['sqlite', 'postgres'] as const)('on %s', (database) => {
  let iam: Iam;
  beforeAll(async () => {
    iam = await openIam(database);
  });

  test.each(table as readonly Row[])('$name', async ({ before, files, prune = [], plan = [], problems = [] }) => {
    const land = await newLand(iam);
    if (before !== undefined) expect(await land.apply(before)).toMatchObject({ failure: null });
    const made = await land.plan(files, { prune });
    const found = describeProblems(made).map((line) => line.replace(/\/\S+\.yaml/, 'FILE'));
    expect(found.map((line, index) => line.slice(0, problems[index]?.length ?? line.length))).toEqual(problems);
    if (problems.length > 0) return;
    expect(describeChanges(made)).toEqual(plan);
    const { done, total, failure } = await land.apply(files, { prune });
    expect([done, failure]).toEqual([total, null]);
    expect(isEmpty(await land.plan(files, { prune }))).toBe(true);
  });
});
