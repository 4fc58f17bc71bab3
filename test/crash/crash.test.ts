/** A few kills on each database; `npm run crash` makes as many as one likes. And the proof itself, which must be able to fail. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { commandLineSource, openStore } from '../../src/store/index.js';
import { databases } from '../store/databases.js';
import { founded, origin, record, write } from '../store/records.js';
import { crash, crashInMigrations, type Place } from './crash.js';
import { faultsOf } from './proof.js';
import { emptyNotes } from './writers.js';

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

// Each starts the program several times.
vi.setConfig({ testTimeout: 180_000 });

const seed = Number(process.env['CRASH_SEED'] ?? Date.now() & 0x7fffffff);
process.stderr.write(`kills: CRASH_SEED=${seed}\n`);
const say = () => undefined;

describe.each(['sqlite', 'postgres'] as const)('%s', (database) => {
  const makePlace = async (): Promise<Place> => {
    const folder = await mkdtemp(join(tmpdir(), 'bailiwick-crash-'));
    folders.push(folder);
    return { databaseUrl: await sources[database].freshUrl(), keyFile: join(folder, 'keys', 'secret.key') };
  };

  test('SIGKILL in the middle of writes and of a start loses nothing and leaves nothing by half', async () => {
    const report = await crash(await makePlace(), { kills: 3, connections: 4, seed, say });
    expect(report.faults).toEqual([]);
    expect(report).toMatchObject({ killsWhileWriting: 2, killsWhileStarting: 1 });
    expect(report.acknowledged).toBeGreaterThan(1);
  });

  test('SIGKILL in the middle of migrations leaves the old tables or the new ones', async () => {
    const report = await crashInMigrations(makePlace, { kills: 1, seed, say });
    expect(report.faults).toEqual([]);
    expect(report.old + report.done).toBe(1);
  });

  test('the proof sees what is lost, half, or not acknowledged', async () => {
    const url = await sources[database].freshUrl();
    const store = await openStore(url);
    await founded(store, 'default');
    const revision = await write(store, origin('default', { operation: 'createGroup' }), (open) =>
      open.insert('group', record('group', 'default', 'g', { name: 'g', description: 'said' })),
    );
    await store.close();
    const acknowledged = { revision, operation: 'createGroup', kind: 'group', id: 'g', events: 1 };
    const notes = { ...emptyNotes(), acknowledged: [acknowledged], groups: new Map([['g', { description: 'said' }]]) };
    expect(await faultsOf(url, notes)).toEqual([]);
    const other = (change: Partial<typeof acknowledged>) => ({
      ...notes,
      acknowledged: [{ ...acknowledged, ...change }],
    });
    expect(await faultsOf(url, other({ revision: revision + 1 }))).toEqual([expect.stringMatching(/and is not there/)]);
    expect(await faultsOf(url, other({ events: 2 }))).toEqual([expect.stringMatching(/by half: 1 of 2 events/)]);
    const said = { ...notes, groups: new Map([['g', { description: 'other' }]]) };
    expect(await faultsOf(url, said)).toEqual([expect.stringMatching(/says said, and other was acknowledged/)]);
    const source = commandLineSource(url);
    await source.initialize();
    await source.query(`DELETE FROM "groups" WHERE "id" = 'g'`);
    await source.query(`UPDATE "users" SET "description" = 'by itself' WHERE "id" = 'root'`);
    await source.query(`UPDATE "accounts" SET "revision" = 0`);
    await source.destroy();
    expect([...(await faultsOf(url, notes))].sort()).toEqual([
      'group g is gone and no event says so',
      'the account is at revision 0, its events at 2',
      'user root is not what its last event says',
    ]);
  });
});
