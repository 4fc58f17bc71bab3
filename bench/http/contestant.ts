/** What the bench asks of each server, by way of its adapter. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Answer, Row, RowName } from './requests.js';
import type { Seeded } from './seed.js';
import type { Plan } from './servers/listening.js';
import type { World, WorldSize } from './world.js';

export interface Adapter {
  readonly name: string;
  /** What is run, for the table's footnotes. */
  readonly use: string;
  /** Rows that it takes part in. */
  readonly rows: readonly RowName[];
  /** Starts it. Answers null where it cannot be had on this machine. */
  open(site: Site): Promise<Server | null>;
}

/** What servers are opened on. */
export interface Site {
  /** Where a server may put files. */
  readonly folder: string;
  /** Folder of the built program: `dist`. */
  readonly program: string;
  /** Folder of the bundles (build.ts). */
  readonly bundles: string;
  readonly world: World;
  readonly size: WorldSize;
  readonly sdl: string;
  readonly seeded: Seeded;
  /** A database of one's own, filled. */
  database(name: string): Promise<{ readonly databaseUrl: string; readonly secretKeyFile: string }>;
  /** Bodies of our answers so far, by row. */
  readonly answers: Record<string, readonly string[]>;
}

export interface Server {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  /** Made anew where they are signed. */
  requestsOf(row: Row): readonly Buffer[];
  read(row: Row, status: number, body: string): Answer;
  stop(): Promise<void>;
}

export interface Started {
  readonly pid: number;
  /** Waits until the output has this; fails with everything printed if the process ends before. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  stop(): Promise<void>;
}

const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** Starts a process; what it writes to its standard error goes to a file, as a log does. */
export function start(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  log: string,
): Started {
  const others = Object.entries(process.env).filter(([name]) => !/^(BAILIWICK_|NODE_|VITEST|TEST)/.test(name));
  const stderr = openSync(log, 'w');
  const child = spawn(command, args, {
    env: { ...Object.fromEntries(others), ...environment },
    // It ends with its standard input, if it watches it; ours do.
    stdio: ['pipe', 'pipe', stderr],
  });
  closeSync(stderr);
  children.add(child);
  let printed = '';
  const ended = once(child, 'close').then(() => children.delete(child));
  child.on('error', (error) => (printed += error.message));
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (printed += text));
  return {
    pid: child.pid ?? 0,
    until: async (pattern) => {
      for (;;) {
        const found = pattern.exec(printed);
        if (found !== null) return found;
        if (!children.has(child)) {
          throw new Error(`${command} ${args.join(' ')} ended\n${printed}\n${readFileSync(log, 'utf8').slice(-2_000)}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    stop: async () => {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(late);
    },
  };
}

export const listening = /127\.0\.0\.1:(\d+)/;

export function planOf({ world, size, sdl, seeded, answers }: Site, rest: Partial<Plan> = {}): Plan {
  const { accountId, rootId } = seeded;
  return { seed: world.seed, size, accountId, rootId, sdl, answers, databaseUrl: '', secretKeyFile: '', ...rest };
}

/** Starts one of the bundled servers. */
export async function startBundled(
  site: Site,
  name: string,
  bundle: string,
  plan: Plan,
  { node = [], args = [] }: { readonly node?: readonly string[]; readonly args?: readonly string[] } = {},
): Promise<Started & { readonly port: number }> {
  const file = join(site.folder, `${name}.json`);
  await writeFile(file, JSON.stringify(plan), { mode: 0o600 });
  const script = join(site.bundles, 'servers', `${bundle}.js`);
  const log = join(site.folder, `${name}.log`);
  const started = start(process.execPath, [...node, script, file, ...args], { NODE_ENV: 'production' }, log);
  return { ...started, port: Number((await started.until(listening))[1]) };
}
