/** A short history on each database; `npm run check:history` makes one as long as one likes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { databases } from '../store/databases.js';
import { violationsOf } from './laws.js';
import { linesOf } from './report.js';
import { record } from './run.js';

const sources = databases();
const folders: string[] = [];
afterAll(async () => {
  await sources.sqlite.stop();
  await sources.postgres.stop();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

// The command line's data source says what it does.
beforeAll(() => {
  vi.spyOn(console, 'log').mockReturnValue();
});

// It starts the program several times.
vi.setConfig({ testTimeout: 180_000 });

const seed = Number(process.env['HISTORY_SEED'] ?? Date.now() & 0x7fffffff);
process.stderr.write(`histories: HISTORY_SEED=${seed}\n`);

describe.each([
  ['sqlite', 1],
  ['postgres', 2],
] as const)('%s', (database, replicas) => {
  test('what was acknowledged binds every request after it, and stays, whatever is killed or stands still', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bailiwick-history-'));
    folders.push(folder);
    const report = await record({
      databaseUrl: await sources[database].readyUrl(),
      keyFile: join(folder, 'secret.key'),
      replicas,
      operations: 200,
      clients: 6,
      strikes: 2,
      seed,
      say: () => undefined,
    });
    expect(violationsOf(report.record).map(linesOf)).toEqual([]);
    expect(report.kills + report.pauses).toBeGreaterThan(0);
    const decided = report.record.operations.flatMap((one) => (one.kind === 'question' ? one.decisions : []));
    expect(new Set(decided.map(({ allowed }) => allowed))).toEqual(new Set([true, false]));
  });
});
