/** The program as people run it, to be killed at any moment. */
import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { commandOf } from '../kit/shared.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

export interface Server {
  /** Null when it has ended before it listened. */
  readonly listening: Promise<string | null>;
  /** Stands it still in the middle of whatever it is doing, as a machine that swaps or moves would. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** Kills it, whatever it is doing; answers what it wrote to its log. */
  readonly kill: () => Promise<string>;
  /** What it wrote to its log, once it has ended for whatever reason. */
  readonly ended: Promise<string>;
}

/** @param settings without the prefix */
export function startServer(settings: Readonly<Record<string, string>>): Server {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('BAILIWICK_') && name !== 'NODE_ENV');
  const own = Object.entries(settings).map(([name, value]) => [`BAILIWICK_${name}`, value]);
  const child = spawn(process.execPath, commandOf('main.ts'), {
    cwd: root,
    env: Object.fromEntries([...others, ...own]) as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let output = '';
  let errors = '';
  const ended = new Promise<string>((resolve) => {
    child.once('close', () => {
      running.delete(child);
      resolve(errors);
    });
  });
  const listening = new Promise<string | null>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const [, url] = /listening on (\S+)/.exec(output) ?? [];
      if (url !== undefined) resolve(url);
    });
    void ended.then(() => resolve(null));
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4_000);
  });
  return {
    listening,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    kill: () => {
      child.kill('SIGKILL');
      return ended;
    },
    ended,
  };
}

const running = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Where a program has its data. */
export interface ProgramPlace {
  readonly databaseUrl: string;
  readonly keyFile: string;
}

/** Settings of a program that is worked on without an end by somebody who knows this password of root. */
export function settingsOf({ databaseUrl, keyFile }: ProgramPlace, password: string): Readonly<Record<string, string>> {
  return {
    PORT: '0',
    DATABASE_URL: databaseUrl,
    SECRET_KEY_FILE: keyFile,
    ADMIN_PASSWORD: password,
    EXPLORER: 'off',
    LOG_LEVEL: 'error',
    // Everybody is at one address here, and shows what was taken from them all the time.
    POINTS_PER_MINUTE: '999999999',
    STRANGERS_PER_MINUTE: '999999999',
    FAILED_SIGN_INS_PER_MINUTE: '999999999',
  };
}
