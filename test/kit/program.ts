/** The program as a process of its own: started, listened to, and ended by its id. */
import { spawn, type ChildProcess } from 'node:child_process';
import { afterAll } from 'vitest';
import { commandOf } from './shared.js';

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly pid: number;
  stdout(): string;
  stderr(): string;
  /** Waits until the output has this; fails with everything printed if the process ends before. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
}

export interface ProgramOptions {
  /** Without the prefix, which is added. Other settings of the environment are not passed on. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  readonly cwd?: string;
  /** A command with its options that is to start it, and ends it when it is killed itself. */
  readonly through?: readonly string[];
  /** Conditions of packages' exports: `bailiwick-source` for examples that import the SDK by its public name. */
  readonly conditions?: readonly string[];
}

const root = new URL('../../', import.meta.url);
const children = new Set<ChildProcess>();

afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** Starts a TypeScript file, named from `src`: `main.ts`, `cli/bailiwick.ts`, `../docs/examples/storage-service.ts`. */
export function startProgram(file: string, args: readonly string[], options: ProgramOptions = {}): Running {
  const others = Object.entries(process.env).filter(
    // Vitest sets NODE_ENV; people do not.
    ([name]) => !name.startsWith('BAILIWICK_') && name !== 'NODE_ENV',
  );
  const settings = Object.entries(options.settings ?? {}).map(([name, value]) => [`BAILIWICK_${name}`, value]);
  const conditions = (options.conditions ?? []).map((condition) => `--conditions=${condition}`);
  const [command = process.execPath, ...words] = [...(options.through ?? []), process.execPath];
  const child = spawn(command, [...words, ...conditions, ...commandOf(file), ...args], {
    cwd: options.cwd ?? root,
    env: {
      ...Object.fromEntries(others),
      // Or tsx would look for it where the program is started.
      TSX_TSCONFIG_PATH: new URL('tsconfig.json', root).pathname,
      ...options.environment,
      ...Object.fromEntries(settings),
    } as NodeJS.ProcessEnv,
    stdio: 'pipe',
  });
  children.add(child);
  let stdout = '';
  let stderr = '';
  const watchers = new Set<() => void>();
  const heard = (): void => {
    for (const watcher of [...watchers]) watcher();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    heard();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    heard();
  });
  // A program that ends without reading its input breaks the pipe; that is its affair.
  child.stdin.on('error', () => undefined).end(options.input ?? '');
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => {
      children.delete(child);
      resolve({ status, signal, stdout, stderr });
    });
  });
  return {
    pid: child.pid ?? 0,
    stdout: () => stdout,
    stderr: () => stderr,
    until: async (pattern) => {
      const found = new Promise<RegExpExecArray>((resolve) => {
        const look = (): void => {
          const match = pattern.exec(stdout) ?? pattern.exec(stderr);
          if (match === null) return;
          watchers.delete(look);
          resolve(match);
        };
        watchers.add(look);
        look();
      });
      const gone = ended.then(({ status }) => {
        throw new Error(`the program ended with ${status} before ${pattern}\nstdout: ${stdout}\nstderr: ${stderr}`);
      });
      gone.catch(() => undefined);
      return Promise.race([found, gone]);
    },
    kill: (signal) => child.kill(signal),
    ended,
  };
}

export async function runProgram(file: string, args: readonly string[], options: ProgramOptions = {}): Promise<Ended> {
  return startProgram(file, args, options).ended;
}
