/** The files that an installation lives on, and what no command may do to them: write over them what it was told to write. */
import { lstat, readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import type { Settings } from '../settings.js';
import { locationOf } from '../store/index.js';
import { StartRefused } from './refusal.js';

type Places = Pick<Settings, 'databaseUrl' | 'secretKeyFile'>;

/** Null where the database is no file, or none that can be named. */
export function databaseFile({ databaseUrl }: Pick<Settings, 'databaseUrl'>): string | null {
  try {
    const location = locationOf(databaseUrl);
    return location.database === 'sqlite' ? location.path : null;
  } catch {
    return null;
  }
}

/**
 * Refuses to write where a file of the installation is or belongs, and over what is no regular file: a device or a FIFO
 * would be gone, and a file in its place. A symbolic link is refused as well, for neither answer is safe: replaced, it
 * may have been `/dev/stdout`; followed, it may point where somebody else has chosen.
 */
export async function refuseToOverwrite(path: string, settings: Places): Promise<void> {
  const names = await namesOf(path);
  for (const [own, what] of await ownFiles(settings)) {
    for (const name of await namesOf(own)) {
      if (!names.has(name)) continue;
      throw new StartRefused(`\`${path}\` is where ${what} \`${own}\` belongs; choose another name`);
    }
  }
  const there = await lstat(path).catch(() => null);
  if (there?.isSymbolicLink() === true) {
    throw new StartRefused(`\`${path}\` is a symbolic link, which is not written over; name the file itself`);
  }
  if (there?.isFile() === false) {
    throw new StartRefused(`\`${path}\` is no regular file and cannot be written over; choose another name`);
  }
}

async function ownFiles(settings: Places): Promise<ReadonlyMap<string, string>> {
  const database = databaseFile(settings);
  const files = new Map([[settings.secretKeyFile, 'the secret key file']]);
  if (database === null) return files;
  files.set(database, 'the database');
  // What SQLite keeps beside it, and the lock of whoever uses it: both go by where a link leads to.
  for (const name of [database, await realpath(database).catch(() => database)]) {
    for (const end of ['-wal', '-shm', '-journal', '.lock']) files.set(name + end, "the database's file");
  }
  return files;
}

/**
 * All by which a file can be told: device and inode where it is there, and its path without links, which is all there is
 * where it is not. Of a link, that of each file on the way to where it points.
 */
async function namesOf(path: string): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  const facts = await stat(path, { bigint: true }).catch(() => null);
  if (facts !== null) names.add(`${facts.dev}:${facts.ino}`);
  for (let next: string | null = path; next !== null;) {
    // Never made shorter as text: after a link, `..` is the folder above the one that it points to.
    const folder: string = await withoutLinks(dirname(next));
    const name = join(folder, basename(next));
    if (names.has(name)) break;
    names.add(name);
    const target: string | null = await readlink(name).catch(() => null);
    next = target === null || isAbsolute(target) ? target : `${folder}/${target}`;
  }
  return names;
}

/** A folder that is not there yet will be made in one that is. */
async function withoutLinks(folder: string): Promise<string> {
  try {
    return await realpath(folder);
  } catch {
    const above = dirname(folder);
    return above === folder ? resolve(folder) : join(await withoutLinks(above), basename(folder));
  }
}
