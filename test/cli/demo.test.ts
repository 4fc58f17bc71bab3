import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { commandOf } from '../kit/shared.js';

it('the demo tells its story over real HTTP, and every request comes out as it says', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, commandOf('cli/demo.ts'));
  expect(stdout).toContain('every request came out as the story says');
  expect(stdout).toMatch(
    /may I create a training job in `speech`\?\n[^\n]*\n {4}-> REFUSED: DENY for reason NO_MATCHING_ALLOW/,
  );
  expect(stdout).toMatch(/may I create a training job in `vision`\?\n[^\n]*\n {4}-> ALLOWED/);
  expect(stdout).toMatch(/annotator: and now\?\n[^\n]*\n {4}-> ALLOWED/);
  expect(stdout).toMatch(
    /agency training-jobs assumed by service modelarts on behalf of user erin: may I list the data\?\n[^\n]*\n {4}-> ALLOWED/,
  );
  expect(stdout).toMatch(
    /on behalf of user erin: may I still list it\?\n[^\n]*\n {4}-> REFUSED: the session of the agency has ended/,
  );
  expect(stdout).toMatch(/erin: may I still\?\n[^\n]*\n {4}-> REFUSED/);
});
