/**
 * The server is the only process that writes a SQLite database (rule 27). SQLite itself would let others in, and what
 * they change would raise no revision that this process has seen: caches would go on answering.
 *
 * So beside the database lies a small one that keeps nothing but who holds it, and the holder has begun to write in it. That
 * is a lock of the system: it ends with its process, however that ends, and binds whoever has the file, from another container too
 * (docs/decisions/0101-one-process-on-sqlite.md).
 *
 * INVARIANT: The file is never removed, or two could hold a lock each, on the old file and on the new one. And nothing but SQLite
 * opens it in a process that may hold it: POSIX gives up all locks of a process when it closes the file once.
 */
import { closeSync, fchmodSync, fchownSync, openSync, readlinkSync, type Stats } from 'node:fs';
import { lstat, open, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import sqlite3 from 'sqlite3';

interface Holder {
  readonly pid: number;
  /** Where the number is that of a process: each container counts its own. 0 where the system does not say. */
  readonly namespace: number;
}

/** Milliseconds that others are given to finish a step of theirs: they read who holds the lock, or write it. */
const momentOfOthers = 5_000;

export class LockFile {
  private constructor(private readonly connection: sqlite3.Database) {}

  static async take(database: string): Promise<LockFile> {
    const file = await realPathOf(database);
    await refuseOtherNames(file);
    const path = `${file}.lock`;
    try {
      await place(path, file);
      const connection = await connect(path);
      try {
        await hold(connection, database);
        return new LockFile(connection);
      } catch (error) {
        await close(connection);
        throw error;
      }
    } catch (error) {
      throw refusalOf(error, path);
    }
  }

  async release(): Promise<void> {
    await close(this.connection);
  }
}

/** The lock is that of the file, by whatever links it was named. */
async function realPathOf(database: string): Promise<string> {
  const there = await lstat(database).catch(nullIfAbsent);
  if (there === null) return join(await realpath(dirname(database)), basename(database));
  const file = await realpath(database).catch(nullIfAbsent);
  if (file !== null) return file;
  throw new Error(
    `the database ${database} is a link to what is not there; mount what it points to, make an empty file there, or remove the link`,
  );
}

/** Under two names that no link leads from one to the other, a file would have two locks, and two logs of what was written last. */
async function refuseOtherNames(file: string): Promise<void> {
  const facts = await stat(file).catch(nullIfAbsent);
  if (facts === null || !facts.isFile()) return;
  if (facts.nlink > 1) {
    throw new Error(
      `the database ${file} has ${facts.nlink} names (hard links), and what SQLite keeps beside it belongs to one of them; remove the others, and make copies with \`bailiwick backup\``,
    );
  }
  const mounts = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  // The fifth field is where, with blanks as octal numbers.
  const places = mounts.split('\n').map((line) => line.split(' ')[4] ?? '');
  if (places.some((place) => unescaped(place) === file)) {
    throw new Error(
      `the database ${file} is mounted alone, and what SQLite keeps beside it would stay behind; mount the folder that it is in`,
    );
  }
}

function unescaped(place: string): string {
  return place.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}

/** Makes the file where there is none. Opened and closed in one go: a close that comes later takes the lock from this very process. */
async function place(path: string, database: string): Promise<void> {
  const owner = await stat(database).catch(nullIfAbsent);
  try {
    const file = openSync(path, 'wx', 0o600);
    try {
      if (owner !== null) openTo(file, owner);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
  }
}

/** Whoever may write the database may lock it, also after a command that another user gave; who only reads it may not. */
function openTo(file: number, { uid, gid, mode }: Stats): void {
  const others = [0o060, 0o006].filter((bits) => (mode & bits) === bits);
  fchmodSync(
    file,
    others.reduce((sum, bits) => sum | bits, 0o600),
  );
  try {
    fchownSync(file, process.getuid?.() === 0 ? uid : -1, gid);
  } catch {
    // It stays whose it is: not every file system, and not every container, lets one give files away.
  }
}

async function hold(connection: sqlite3.Database, database: string): Promise<void> {
  const mine: Holder = { pid: process.pid, namespace: namespaceOfProcesses() };
  // Without a file beside this one, which would have to be looked after as well.
  await run(connection, 'PRAGMA journal_mode = MEMORY');
  if (!(await begin(connection))) throw inUse(database, await holderOf(connection, mine, false));
  await run(connection, `PRAGMA user_version = ${mine.pid}; PRAGMA application_id = ${mine.namespace}; COMMIT`);
  // What is not committed nobody can read. Whoever begins in between has it.
  if (!(await begin(connection))) throw inUse(database, await holderOf(connection, mine, true));
}

/** False when another has begun. Its transaction ends with its process, so that there is nothing to wait for. */
async function begin(connection: sqlite3.Database): Promise<boolean> {
  connection.configure('busyTimeout', 0);
  try {
    await run(connection, 'BEGIN IMMEDIATE');
    return true;
  } catch (error) {
    if (isCode(error, 'SQLITE_BUSY')) return false;
    throw error;
  } finally {
    connection.configure('busyTimeout', momentOfOthers);
  }
}

/** Whoever has just begun is about to say who they are, over who it was before, or over us if we have just said so. */
async function holderOf(connection: sqlite3.Database, mine: Holder, written: boolean): Promise<Holder> {
  for (let attempt = 1; ; attempt += 1) {
    await pause(100);
    const pid = await numberOf(connection, 'user_version');
    const namespace = await numberOf(connection, 'application_id');
    const ours = written && pid === mine.pid && namespace === mine.namespace;
    if (attempt === 3 || (!ours && isHere({ pid, namespace }))) return { pid, namespace };
  }
}

/** Whether it is one of the processes that whoever reads the message sees by that number. */
function isHere({ pid, namespace }: Holder): boolean {
  if (pid === 0 || namespace !== namespaceOfProcesses()) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isCode(error, 'EPERM');
  }
}

function namespaceOfProcesses(): number {
  try {
    const [digits = '0'] = /\d+/.exec(readlinkSync('/proc/self/ns/pid')) ?? [];
    // SQLite keeps it with a sign.
    return Number(digits) | 0;
  } catch {
    return 0;
  }
}

function inUse(database: string, holder: Holder): Error {
  const where = isHere(holder) ? '' : ', which is none of those here and may be in another container';
  return new Error(
    `the database ${database} is already open in process ${holder.pid}${where}; stop that process first, or ask it through its API`,
  );
}

/** What else keeps the lock from being taken, with what to do about it. */
function refusalOf(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  switch (error.code) {
    case 'SQLITE_NOTADB':
    case 'SQLITE_CORRUPT':
      return new Error(
        `the lock file ${path} is damaged, or of an older version; see that nothing uses the database, then remove the lock file and try again`,
      );
    case 'SQLITE_FULL':
    case 'ENOSPC':
    case 'EDQUOT':
      return new Error(`there is no room for the lock file ${path}; make some on its disk, then try again`);
    case 'SQLITE_CANTOPEN':
    case 'SQLITE_PERM':
    case 'SQLITE_READONLY':
      return new Error(
        `the lock file ${path} cannot be written (${error.message}); it must be a file that belongs to who runs the server, on a disk that can be written to`,
      );
    case 'SQLITE_BUSY':
    case 'SQLITE_IOERR':
      // Where a network's file system has no locks, it also looks as if another had one for ever.
      return new Error(
        `the lock file ${path} cannot be locked (${error.message}); try again, and if it stays so, put the database on a disk of this machine: its file system may have no locks`,
      );
    default:
      return error;
  }
}

function connect(path: string): Promise<sqlite3.Database> {
  return new Promise((resolve, reject) => {
    const connection = new sqlite3.Database(path, sqlite3.OPEN_READWRITE | sqlite3.OPEN_FULLMUTEX, (error) => {
      if (error !== null) return reject(error);
      connection.configure('busyTimeout', momentOfOthers);
      resolve(connection);
    });
  });
}

function run(connection: sqlite3.Database, statement: string): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.exec(statement, (error) => (error === null ? resolve() : reject(error)));
  });
}

function numberOf(connection: sqlite3.Database, pragma: 'user_version' | 'application_id'): Promise<number> {
  return new Promise((resolve, reject) => {
    connection.get<Record<string, number>>(`PRAGMA ${pragma}`, (error, row) => {
      if (error === null) resolve(row[pragma] ?? 0);
      else reject(error);
    });
  });
}

function close(connection: sqlite3.Database): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.close((error) => (error === null ? resolve() : reject(error)));
  });
}

function nullIfAbsent(error: unknown): null {
  if (isCode(error, 'ENOENT')) return null;
  throw error;
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** Makes an empty file that only its owner can read; SQLite gives its side files the same mode. */
export async function createPrivately(path: string): Promise<void> {
  const file = await open(path, 'a', 0o600);
  await file.close();
}
