/** The program as people run it, on a database, with its log in a file; without a test runner, so of any length. */
import { spawn } from 'node:child_process';
import { mkdirSync, openSync, closeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { commandOf } from '../kit/shared.js';

export interface Program {
  /** Of the API. */
  readonly url: string;
  readonly metricsUrl: string;
  /** What it wrote for whoever watches it, and for whoever started it. */
  readonly logFile: string;
  readonly outputFile: string;
  readonly secretKeyFile: string;
  /** Ends it in good order. */
  stop(): Promise<void>;
}

const root = new URL('../../', import.meta.url);

/** Limits for people would end the scene; what they refuse is tested elsewhere. */
const unlimited = Object.fromEntries(
  ['POINTS', 'STRANGERS', 'FAILED_SIGN_INS'].map((what) => [`BAILIWICK_${what}_PER_MINUTE`, '999999999']),
);

export async function startProgram(folder: string, databaseUrl: string, adminPassword: string): Promise<Program> {
  const [logFile, outputFile] = [join(folder, 'log'), join(folder, 'output')];
  const secretKeyFile = join(folder, 'key', 'secret.key');
  mkdirSync(folder, { recursive: true });
  const others = Object.entries(process.env).filter(([name]) => !/^(BAILIWICK_|NODE_ENV$|VITEST)/.test(name));
  const streams = [outputFile, logFile].map((path) => openSync(path, 'w'));
  const child = spawn(process.execPath, commandOf('main.ts'), {
    cwd: root,
    env: {
      ...Object.fromEntries(others),
      BAILIWICK_PORT: '0',
      BAILIWICK_METRICS_PORT: '0',
      BAILIWICK_DATABASE_URL: databaseUrl,
      BAILIWICK_SECRET_KEY_FILE: secretKeyFile,
      BAILIWICK_ADMIN_PASSWORD: adminPassword,
      BAILIWICK_LOG_LEVEL: 'debug',
      ...unlimited,
    },
    stdio: ['ignore', ...streams],
  });
  for (const stream of streams) closeSync(stream);
  const killed = (): void => void child.kill('SIGKILL');
  process.once('exit', killed);
  const ended = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('exit', resolve));
  ended.catch(() => undefined);
  for (;;) {
    const output = await readFile(outputFile, 'utf8');
    const url = /^listening on (\S+)/m.exec(output)?.[1];
    const metricsUrl = /^metrics at (\S+)/m.exec(output)?.[1];
    if (url !== undefined && metricsUrl !== undefined) {
      const stop = async (): Promise<void> => {
        child.kill('SIGTERM');
        const status = await ended;
        process.off('exit', killed);
        if (status !== 0) throw new Error(`the program ended with ${status}: ${await readFile(logFile, 'utf8')}`);
      };
      return { url, metricsUrl, logFile, outputFile, secretKeyFile, stop };
    }
    if (child.exitCode !== null) throw new Error(`the program did not start: ${await readFile(logFile, 'utf8')}`);
    await wait(50);
  }
}
