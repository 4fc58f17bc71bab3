/** One seed for all generated cases of a run, printed so that any run can be repeated: `POLICY_SEED=… npm test`. */
import { basename } from 'node:path';
import fc from 'fast-check';
import { expect } from 'vitest';

const chosen = Number(process.env['POLICY_SEED']);
export const seed = Number.isSafeInteger(chosen) && process.env['POLICY_SEED'] ? chosen : Date.now() & 0x7fffffff;

process.stderr.write(`generated cases of ${basename(expect.getState().testPath ?? '')}: POLICY_SEED=${seed}\n`);
fc.configureGlobal({ seed });
