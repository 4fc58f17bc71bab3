/** The databases of the tests leave alone how a run ends. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

test('a process that fails and has nothing left to do ends as failed, though a database could have been started in it', () => {
  const databases = new URL('databases.ts', import.meta.url).href;
  const program = `await import(${JSON.stringify(databases)}); process.exitCode = 3;`;
  const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    cwd: fileURLToPath(new URL('../../', import.meta.url)),
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(3);
});
