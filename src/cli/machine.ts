/** What the doctor asks of the machine and of this process; a test says other things. */
import { readFile, stat, statfs } from 'node:fs/promises';

export interface FileFacts {
  readonly folder: boolean;
  /** Permission bits, the sticky bit included. */
  readonly mode: number;
  readonly size: number;
}

export interface Machine {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Null on systems without users of this kind. */
  readonly userId: number | null;
  /** Without the `v`. */
  readonly nodeVersion: string;
  readonly now: () => number;
  /** How many files a process started here may open; null where that cannot be told, or is not limited. */
  readonly openFiles: () => Promise<number | null>;
  /** Null where there is nothing of that name, or nothing that this user may see. */
  readonly file: (path: string) => Promise<FileFacts | null>;
  /** Bytes that an ordinary user can still write in this folder; null where that cannot be told. */
  readonly freeBytes: (folder: string) => Promise<number | null>;
}

export function thisMachine(environment: Machine['environment']): Machine {
  return {
    environment,
    userId: process.getuid?.() ?? null,
    nodeVersion: process.versions.node,
    now: Date.now,
    openFiles: async () => {
      const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
      const [, soft] = /^Max open files\s+(\d+)/m.exec(limits) ?? [];
      return soft === undefined ? null : Number(soft);
    },
    file: async (path) => {
      try {
        const facts = await stat(path);
        return { folder: facts.isDirectory(), mode: facts.mode & 0o7777, size: facts.size };
      } catch {
        return null;
      }
    },
    freeBytes: async (folder) => {
      try {
        const { bavail, bsize } = await statfs(folder);
        return bavail * bsize;
      } catch {
        return null;
      }
    },
  };
}
