/**
 * Kills the server again and again, in the middle of writes and of its start, and holds the database against what was
 * acknowledged. Nothing is told to the server: SIGKILL is what a lack of memory, a crash and a pulled plug look like to it.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { verifyTrail } from '../../src/audit-chain/index.js';
import { commandLineSource, inspectStore } from '../../src/store/index.js';
import { migrations } from '../../src/store/migrations/index.js';
import { Chance } from './chance.js';
import { faultsOf } from './proof.js';
import { type Server, settingsOf, startServer } from './server.js';
import { emptyNotes, keepWriting, signIn, type Notes } from './writers.js';

export interface Place {
  readonly databaseUrl: string;
  readonly keyFile: string;
}

export interface CrashOptions {
  readonly kills: number;
  readonly connections: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}

export interface CrashReport {
  readonly acknowledged: number;
  readonly killsWhileWriting: number;
  readonly killsWhileStarting: number;
  readonly faults: readonly string[];
}

const password = 'Password of the root user 1';

/** Writes until it is killed, starts anew, proves, and so on. Every third kill falls into a start. */
export async function crash(place: Place, { kills, connections, seed, say }: CrashOptions): Promise<CrashReport> {
  const chance = new Chance(seed);
  const notes = emptyNotes();
  const settings = settingsOf(place, password);
  const faults: string[] = [];
  let [whileWriting, whileStarting, longestStart] = [0, 0, 0];
  let token: string | null = null;
  for (let kill = 1; kill <= kills && faults.length === 0; kill += 1) {
    const begun = performance.now();
    if (kill % 3 === 0) {
      const server = startServer(settings);
      await pause(chance.next() * longestStart);
      await server.kill();
      whileStarting += 1;
      continue;
    }
    const { server, url } = await started(settings);
    longestStart = Math.max(longestStart, performance.now() - begun);
    faults.push(...(await faultsOf(place.databaseUrl, notes)));
    token ??= await signIn(url, password);
    await writeUntilKilled(server, url, token, { name: `k${kill}`, connections, chance, notes });
    whileWriting += 1;
    say(`kill ${kill} of ${kills}: ${notes.acknowledged.length} acknowledged`);
  }
  const { server } = await started(settings);
  faults.push(...(await faultsOf(place.databaseUrl, notes)));
  await server.kill();
  const acknowledged = notes.acknowledged.length;
  return { acknowledged, killsWhileWriting: whileWriting, killsWhileStarting: whileStarting, faults };
}

async function writeUntilKilled(
  server: Server,
  url: string,
  token: string,
  { name, connections, chance, notes }: { name: string; connections: number; chance: Chance; notes: Notes },
): Promise<void> {
  const before = notes.acknowledged.length;
  const writers = Array.from({ length: connections }, (_, index) =>
    keepWriting(url, token, `${name}-${index}`, chance, notes),
  );
  const all = Promise.all(writers);
  // A fault of a writer shows at once, and not only when the server is dead.
  const first = (async () => {
    while (notes.acknowledged.length === before) await pause(5);
  })();
  await Promise.race([all, first]);
  await Promise.race([all, pause(chance.next() * 400)]);
  await server.kill();
  await all;
}

/** A server that listens; one that was killed before it has left nothing that keeps the next from starting. */
async function started(
  settings: Readonly<Record<string, string>>,
): Promise<{ readonly server: Server; readonly url: string }> {
  const server = startServer(settings);
  const url = await server.listening;
  if (url === null) throw new Error(`the server did not start: ${await server.kill()}`);
  return { server, url };
}

export interface MigrationReport {
  /** How often the kill left the old tables, and how often all was done. */
  readonly old: number;
  readonly done: number;
  readonly faults: readonly string[];
}

const eventsBefore = 3_000;

/** Kills the server while it brings a database of the first release up to date: afterwards it is the old one or the new one. */
export async function crashInMigrations(
  makePlace: () => Promise<Place>,
  { kills, seed, say }: Omit<CrashOptions, 'connections'>,
): Promise<MigrationReport> {
  const chance = new Chance(seed);
  const faults: string[] = [];
  let [old, done] = [0, 0];
  let place = await oldPlace(await makePlace());
  let longest = 3_000;
  for (let kill = 1; kill <= kills && faults.length === 0; kill += 1) {
    const begun = performance.now();
    const server = startServer(settingsOf(place, password));
    const rest = pause((0.3 + 0.9 * chance.next()) * longest);
    await Promise.race([rest, server.listening]);
    await server.kill();
    const { names, events } = await migrationsIn(place.databaseUrl);
    if (names === 1) old += 1;
    else if (names === migrations.length) {
      done += 1;
      longest = performance.now() - begun;
    } else faults.push(`${names} of ${migrations.length} migrations are in the database`);
    if (events < eventsBefore) faults.push(`only ${events} events of ${eventsBefore} are left`);
    say(`kill ${kill} of ${kills}: ${names === 1 ? 'old' : 'done'}`);
    if (names > 1) {
      faults.push(...(await startsWhole(place)));
      place = await oldPlace(await makePlace());
    }
  }
  faults.push(...(await startsWhole(place)));
  return { old, done, faults };
}

async function startsWhole(place: Place): Promise<readonly string[]> {
  const { server } = await started(settingsOf(place, password));
  await server.kill();
  const { names, events } = await migrationsIn(place.databaseUrl);

  const inspection = await inspectStore(place.databaseUrl);
  if (inspection === null) return ['the database is gone'];
  try {
    const { numberOfBreaks, events: verified } = await verifyTrail(inspection.trail, 'old', []);
    const whole = names === migrations.length && numberOfBreaks === 0 && verified === events && events >= eventsBefore;
    return whole ? [] : [`after a start: ${names} migrations, ${events} events, ${numberOfBreaks} breaks`];
  } finally {
    await inspection.close();
  }
}

async function migrationsIn(url: string): Promise<{ readonly names: number; readonly events: number }> {
  const source = commandLineSource(url);
  await source.initialize();
  try {
    const [row] = await source.query<{ names: number; events: number }[]>(
      `SELECT (SELECT COUNT(*) FROM "migrations") AS "names", (SELECT COUNT(*) FROM "audit_events") AS "events"`,
    );
    return { names: Number(row?.names), events: Number(row?.events) };
  } finally {
    await source.destroy();
  }
}

/** A database of the first release with an account and a trail, and a secret key file. */
async function oldPlace(place: Place): Promise<Place> {
  const { databaseUrl, keyFile } = place;
  await mkdir(dirname(keyFile), { recursive: true, mode: 0o700 });
  await writeFile(keyFile, randomBytes(32), { mode: 0o600 });
  if (databaseUrl.startsWith('sqlite:')) await mkdir(dirname(databaseUrl.slice('sqlite:'.length)), { recursive: true });
  const source = commandLineSource(databaseUrl);
  source.setOptions({ migrations: migrations.slice(0, 1) });
  await source.initialize();
  try {
    await source.runMigrations({ transaction: 'all' });
    await source.query(
      `INSERT INTO "accounts" ("id", "name", "name_key", "root_user_id", "authorization_mode", "revision", "access_revision", "created_at")
        VALUES ('old', 'Old', 'old', 'root', 'LOOSE', ${eventsBefore}, 1, 0)`,
    );
    const rows = Array.from(
      { length: eventsBefore },
      (_, index) =>
        `('old', '${index + 1}.000000', ${index + 1}, 0, 0, 'test', 'USER', 'root', 'root', '', 'user', 'root', '{"name":"root"}', '{"name":"root ${index}"}', 'r')`,
    );
    for (let from = 0; from < rows.length; from += 500) {
      await source.query(
        `INSERT INTO "audit_events" ("account_id", "id", "revision", "sequence", "at", "operation", "actor_kind", "actor_id", "actor_name", "workspace_id", "target_kind", "target_id", "before", "after", "request_id")
          VALUES ${rows.slice(from, from + 500).join(', ')}`,
      );
    }
  } finally {
    await source.destroy();
  }
  return place;
}
