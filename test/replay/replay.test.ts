/** Who sees what, as an independent model has it, while many do everything at once; on both databases. */
import { afterAll, describe, expect, it } from 'vitest';
import { databases } from '../store/databases.js';
import { replay } from './program.js';

const sources = databases();
const seed = Number(process.env['REPLAY_SEED'] ?? Date.now() & 0x7fffffff);

afterAll(async () => {
  await sources.sqlite.stop();
  await sources.postgres.stop();
});

describe.each(['sqlite', 'postgres'] as const)('operations replayed on %s', (name) => {
  it('agree with the model, and nothing crosses a workspace', { timeout: 240_000 }, async () => {
    process.stderr.write(`replay on ${name}: REPLAY_SEED=${seed}\n`);
    const { report, found, defects } = await replay(await sources[name].readyUrl(), { seed, operations: 800 });
    expect(found).toEqual([]);
    expect(defects).toEqual([]);
    // A run in which little happens proves little.
    expect(report.writes).toBeGreaterThan(10);
    expect(report.exact).toBeGreaterThan(100);
  });
});
