/** A restore that waits says for what, and leaves nothing behind when whoever started it has had enough. */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { expect, test } from 'vitest';
import { runProgram, startProgram } from '../kit/program.js';
import { emptyInstallation, newFolder, openInstallation, safeAccount, type Environment } from './installations.js';

function settingsOf(environment: Environment): Environment {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name.replace('BAILIWICK_', ''), value]),
  );
}

test('Ctrl-C ends it, and PostgreSQL does not go on waiting for it', async () => {
  const from = await emptyInstallation('postgres');
  const { iam, close } = await openInstallation(from);
  await safeAccount(iam);
  await close();
  const file = join(await newFolder(), 'backup.jsonl.gz');
  expect((await runProgram('cli/bailiwick.ts', ['backup', file], { settings: settingsOf(from) })).status).toBe(0);

  const reading = new pg.Client({ connectionString: from.BAILIWICK_DATABASE_URL, application_name: 'a report' });
  await reading.connect();
  await reading.query('BEGIN');
  await reading.query('SELECT 1 FROM "accounts"');
  const running = startProgram('cli/bailiwick.ts', ['restore', file, '--replace', '--yes'], {
    settings: settingsOf(from),
  });
  await running.until(/^waiting for the table \S+, behind process \d+ \(a report, for \d+ s\) of the database\n/);
  running.kill('SIGINT');
  expect(await running.ended).toMatchObject({ status: null, signal: 'SIGINT', stdout: '' });

  // Others would queue behind what waits there for nobody. Its end is noticed every two seconds.
  const looking = new pg.Client({ connectionString: from.BAILIWICK_DATABASE_URL });
  await looking.connect();
  const waiting = async () => {
    const { rows } = await looking.query<{ count: string }>(
      `SELECT COUNT(*) AS "count" FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'bailiwick%'`,
    );
    return Number(rows[0]?.count);
  };
  while ((await waiting()) > 0) await pause(200);
  await looking.end();
  await reading.query('ROLLBACK');
  await reading.end();
  const again = await openInstallation(from);
  expect(await again.iam.store.access.accounts()).toHaveLength(1);
  await again.close();
});
