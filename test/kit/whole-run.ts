/**
 * What every file of a run shares, made once before the first: the program as plain JavaScript, so that starting it does
 * not mean translating it, and the door to the databases (database-door.ts).
 * The tests reach both through shared.ts. Their files lie in memory where there is room: they wait for the disk otherwise,
 * half of their time where SQLite is written.
 */
import { chmodSync, mkdirSync, readdirSync, statfsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { TestProject } from 'vitest/node';
import { openDatabaseDoor } from './database-door.js';
import { databaseDoor, programFolder } from './shared.js';
import { runFolder, translation } from './translated.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  removeLeftovers();
  await translateInto(runFolder);
  process.env[programFolder] = runFolder;
  const memory = memoryFolder();
  if (memory !== null) process.env['TMPDIR'] = memory;
  const database = await openDatabaseDoor();
  project.onTestsRerun(async () => {
    await translateInto(runFolder);
    database.forgetTables();
  });
  process.env[databaseDoor] = database.url;
  return async () => {
    await database.close();
    await rm(runFolder, { recursive: true, force: true });
    if (memory !== null) await rm(memory, { recursive: true, force: true });
  };
}

async function translateInto(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  const sources = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' });
  await build({
    absWorkingDir: root,
    entryPoints: sources.filter((name) => name.endsWith('.ts')).map((name) => `src/${name}`),
    ...translation,
    outdir: folder,
    // Traces name the lines that were written.
    sourcemap: 'inline',
    logLevel: 'warning',
  });
}

/** Folders of runs that were killed. */
function removeLeftovers(): void {
  removeDead(root, /^\.program-(\d+)$/);
  try {
    removeDead(`${memoryRoot}/`, /^bailiwick-tests-(\d+)$/);
  } catch {
    // There is no such place here.
  }
}

function removeDead(place: string, named: RegExp): void {
  for (const name of readdirSync(place)) {
    const [, pid] = named.exec(name) ?? [];
    if (pid === undefined || isAlive(Number(pid))) continue;
    // What cannot be removed, such as a disk that was mounted there, is no fault of this run.
    void rm(`${place}${name}`, { recursive: true, force: true }).catch(() => undefined);
  }
}

const memoryRoot = '/dev/shm';
/** Bytes; a run needs a quarter of it. */
const roomNeeded = 4 * 2 ** 30;

/** A folder in memory for whatever the tests write; null where there is none, or too little room. */
function memoryFolder(): string | null {
  try {
    const { bavail, bsize } = statfsSync(memoryRoot);
    if (bavail * bsize < roomNeeded) return null;
    const folder = `${memoryRoot}/bailiwick-tests-${process.pid}`;
    mkdirSync(folder);
    // PostgreSQL runs as a user of its own.
    chmodSync(folder, 0o1777);
    return folder;
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
