/** Run by the tests of the lock as a process of its own: takes and gives back the lock that each line of its input names. */
import { createInterface } from 'node:readline';
import { LockFile } from '../../src/store/lock-file.js';

let lock: LockFile | null = null;
process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  let answer = 'held';
  try {
    if (line === '') await lock?.release();
    else lock = await LockFile.take(line);
  } catch (error) {
    answer = error instanceof Error ? error.message : String(error);
  }
  process.stdout.write(`${answer}\n`);
}
