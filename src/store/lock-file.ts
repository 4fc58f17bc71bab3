/**
 * The server is the only process that writes a SQLite database (rule 27). SQLite itself would let others in, and what
 * they change would raise no revision that this process has seen: caches would go on answering.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, open, readFile, rename, unlink, writeFile } from 'node:fs/promises';

/** Locks of this very process, for the case that a process gets the number of a dead one: the rule in containers. */
const held = new Set<string>();

interface Holder {
  readonly pid: number;
  /** When the process began, as its system counts, so that a later process with its number is not mistaken for it. */
  readonly began: string;
}

export class LockFile {
  private constructor(private readonly path: string) {}

  static async take(database: string): Promise<LockFile> {
    const path = `${database}.lock`;
    const mine = JSON.stringify({ pid: process.pid, began: beginningOf(process.pid) } satisfies Holder);
    for (let attempt = 0; attempt < 5; attempt += 1) {
      if (held.has(path)) throw inUse(database, process.pid);
      if (await place(path, mine)) {
        held.add(path);
        return new LockFile(path);
      }
      const found = await readFile(path, 'utf8').catch(() => null);
      if (found === null) continue;
      const holder = holderOf(found);
      if (holder !== null && isAlive(holder)) throw inUse(database, holder.pid);
      await discard(path, found);
    }
    throw new Error(`the lock file ${path} keeps changing; wait until the other process has started or ended`);
  }

  async release(): Promise<void> {
    held.delete(this.path);
    await unlink(this.path).catch(() => undefined);
  }
}

/** Puts a lock where there is none. It appears with all that it says, so that nobody mistakes it for one that is void. */
async function place(path: string, content: string): Promise<boolean> {
  const aside = asideOf(path);
  await writeFile(aside, content, { mode: 0o600 });
  try {
    await link(aside, path);
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await unlink(aside);
  }
}

/** Removes the lock of a dead process, unless another process has taken it over meanwhile. */
async function discard(path: string, stale: string): Promise<void> {
  const aside = asideOf(path);
  try {
    await rename(path, aside);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return;
    throw error;
  }
  if ((await readFile(aside, 'utf8')) !== stale) await link(aside, path).catch(() => undefined);
  await unlink(aside);
}

function asideOf(path: string): string {
  return `${path}.${randomBytes(6).toString('hex')}`;
}

function holderOf(text: string): Holder | null {
  try {
    const parsed = JSON.parse(text) as Partial<Holder> | null;
    if (typeof parsed?.pid !== 'number' || typeof parsed.began !== 'string') return null;
    return { pid: parsed.pid, began: parsed.began };
  } catch {
    return null;
  }
}

function isAlive({ pid, began }: Holder): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!isCode(error, 'EPERM')) return false;
  }
  const now = beginningOf(pid);
  return began === '' || now === '' || now === began;
}

/** Field 22 of /proc/<pid>/stat within this boot; '' where there is no such thing. */
function beginningOf(pid: number): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return `${boot}.${fields[19] ?? ''}`;
  } catch {
    return '';
  }
}

function inUse(database: string, pid: number): Error {
  return new Error(
    `the database ${database} is already open in process ${pid}; stop that process first, or ask it through its API`,
  );
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** Makes an empty file that only its owner can read; SQLite gives its side files the same mode. */
export async function createPrivately(path: string): Promise<void> {
  const file = await open(path, 'a', 0o600);
  await file.close();
}
