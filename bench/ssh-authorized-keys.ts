/**
 * What sshd waits for at each connection, against the start of a bare Node program:
 *
 *     npm run build:program && npx tsx bench/ssh-authorized-keys.ts [runs]
 *
 * Each round runs every program once, so that whatever else the machine does falls on all of them alike. Prints the medians
 * and their ratio to `node -e 0`; ends with status 1 above 3.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

const runs = Math.max(21, Number(process.argv[2] ?? 41));
const most = 3;
const folder = mkdtempSync(join(tmpdir(), 'bailiwick-bench-'));
const socket = join(folder, 'ssh.sock');
const key = 'restrict,pty,port-forwarding,from="192.0.2.7" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJYvet7FSxMdOMx1y6oba';

// A thread of its own answers: this one waits for the programs.
const server = new Worker(
  `const { createServer } = require('node:http');
   const { parentPort, workerData } = require('node:worker_threads');
   createServer((_, answer) => answer.end(workerData.key + '\\n')).listen(workerData.socket, () => parentPort.postMessage(0));`,
  { eval: true, workerData: { socket, key } },
);
await new Promise((resolve) => server.once('message', resolve));

const built = (file: string): string => new URL(`../dist/cli/${file}`, import.meta.url).pathname;
const asked = ['--notebook', 'modelarts:cn:account:notebook:bench', '--user', 'ma-user', '--socket', socket];
const programs: Readonly<Record<string, readonly string[]>> = {
  'node -e 0': ['-e', '0'],
  'bailiwick ssh-authorized-keys': [built('bailiwick.js'), 'ssh-authorized-keys', ...asked],
  'dist/cli/ssh-authorized-keys.js': [built('ssh-authorized-keys.js'), ...asked],
};
const times = new Map<string, number[]>();
for (let run = 0; run < runs; run += 1) {
  for (const [name, args] of Object.entries(programs)) {
    const from = process.hrtime.bigint();
    const { stdout, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    const milliseconds = Number(process.hrtime.bigint() - from) / 1e6;
    if (status !== 0 || (args[0] !== '-e' && stdout !== `${key}\n`)) throw new Error(`${name} failed: ${stdout}`);
    times.set(name, [...(times.get(name) ?? []), milliseconds]);
  }
}
await server.terminate();
rmSync(folder, { recursive: true });

const median = (name: string): number => (times.get(name) ?? []).toSorted((a, b) => a - b)[runs >> 1] ?? NaN;
for (const name of Object.keys(programs)) {
  const ratio = median(name) / median('node -e 0');
  process.stdout.write(`${name.padEnd(32)} ${median(name).toFixed(1)} ms  ×${ratio.toFixed(2)}\n`);
  if (ratio > most) process.exitCode = 1;
}
