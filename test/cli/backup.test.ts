/** `bailiwick backup` and `restore` as a person runs them: files, keys, what is said, and what a kill leaves. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { copyFile, link, lstat, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { backUp, type BackupOptions } from '../../src/cli/backup.js';
import { describeFailure } from '../../src/cli/refusal.js';
import { restore, type RestoreOptions } from '../../src/cli/restore.js';
import { readSettings, type Settings } from '../../src/settings.js';
import { commandLineSource } from '../../src/store/index.js';
import { runProgram, startProgram } from '../kit/program.js';
import {
  databaseFileOf,
  emptyInstallation,
  newFolder,
  openInstallation,
  safeAccount,
  write,
  type Environment,
} from './installations.js';

interface Told {
  readonly output: string;
  readonly errors: string;
}

function collector(): { readonly stream: Writable; readonly text: () => string } {
  let text = '';
  return {
    stream: new Writable({
      write: (chunk, _, done) => {
        text += String(chunk);
        done();
      },
    }),
    text: () => text,
  };
}

async function backedUp(environment: Environment, path: string, options: Partial<BackupOptions> = {}): Promise<Told> {
  const output = collector();
  const errors = collector();
  await backUp(
    readSettings(environment),
    path,
    { force: false, ...options },
    { output: output.stream, errors: errors.stream },
  );
  return { output: output.text(), errors: errors.text() };
}

async function restoredInto(
  environment: Environment,
  path: string,
  options: Partial<RestoreOptions> = {},
  input: Readable & { isTTY?: boolean } = Readable.from([]),
): Promise<Told> {
  const output = collector();
  const errors = collector();
  await restore(
    readSettings(environment),
    path,
    { replace: false, yes: false, dryRun: false, endSessions: false, ...options },
    { input, output: output.stream, errors: errors.stream },
  );
  return { output: output.text(), errors: errors.text() };
}

/** What would stand on the terminal. */
async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return describeFailure(error);
  }
  throw new Error('it was not refused');
}

async function run(environment: Environment, statement: string): Promise<void> {
  const source = commandLineSource(readSettings(environment).databaseUrl);
  await source.initialize();
  await source.query(statement);
  await source.destroy();
}

/** Another place with the same key. */
async function placeWithKeyOf(environment: Environment, database: 'sqlite' | 'postgres'): Promise<Environment> {
  const place = await emptyInstallation(database);
  await copyFile(environment.BAILIWICK_SECRET_KEY_FILE ?? '', place.BAILIWICK_SECRET_KEY_FILE ?? '');
  return place;
}

describe.each(['sqlite', 'postgres'] as const)('%s', (database) => {
  let environment: Environment;
  let settings: Settings;
  let folder: string;
  let file: string;

  beforeAll(async () => {
    environment = await emptyInstallation(database);
    settings = readSettings(environment);
    folder = await newFolder();
    file = join(folder, 'backup.jsonl.gz');
    const { iam, close } = await openInstallation(environment);
    const account = await safeAccount(iam);
    await write(iam, account, async (transaction) => {
      await transaction.insert('accessKey', {
        id: 'AKEXAMPLE',
        accountId: account.id,
        ownerKind: 'USER',
        ownerId: account.rootUserId,
        sealedSecret: iam.sealing.seal('a secret access key', 'AKEXAMPLE'),
        description: '',
        enabled: true,
        lastUsedAt: null,
        createdAt: iam.now(),
      });
      // What safeAccount has is sealed with nothing.
      await transaction.remove('secondFactor', account.rootUserId);
    });
    await close();
    const told = await backedUp(environment, file);
    expect(told.output).toMatch(
      /^backed up [\d,]+ rows of 1 accounts to `.*backup\.jsonl\.gz` \([\d,]+ bytes\), as of 20\S+Z\nkeep a copy of the secret key file `.*` too, and not beside it: /,
    );
    expect(told.errors).toBe('');
  });

  test('the file is for its owner alone, and holds neither key nor open secret', async () => {
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['backup.jsonl.gz']);
    const text = gunzipSync(await readFile(file)).toString();
    const key = await readFile(settings.secretKeyFile);
    for (const form of ['hex', 'base64', 'base64url', 'latin1'] as const)
      expect(text).not.toContain(key.toString(form));
    expect(text).not.toContain('a secret access key');
    expect(text).not.toContain('canary-of-the-root-user-1');
    expect(text).toContain('AKEXAMPLE');
  });

  test('a file that is there is not touched without --force', async () => {
    const taken = join(folder, 'taken');
    await writeFile(taken, 'mine');
    expect(await refusal(backedUp(environment, taken))).toBe(
      `bailiwick: \`${taken}\` is there already; choose another name, or write over it with --force\n`,
    );
    expect(await readFile(taken, 'utf8')).toBe('mine');
    await backedUp(environment, taken, { force: true });
    expect((await stat(taken)).mode & 0o777).toBe(0o600);
    expect((await restoredInto(environment, taken, { dryRun: true })).output).toMatch(/is whole/);
    expect(await refusal(backedUp(environment, join(folder, 'nowhere', 'x')))).toMatch(/cannot be written: ENOENT/);
  });

  test('nothing that the installation lives on, and no device, is written over', async () => {
    const key = settings.secretKeyFile;
    const before = await readFile(key);
    const inside = join(folder, 'inside');
    await symlink(dirname(key), inside);
    await symlink(key, join(folder, 'link'));
    await link(key, join(folder, 'hard'));
    const keys = ['link', 'hard', 'inside/secret.key', 'inside/../keys/secret.key'];
    for (const path of [key, relative('.', key), ...keys.map((name) => `${folder}/${name}`)]) {
      expect(await refusal(backedUp(environment, path, { force: true }))).toBe(
        `bailiwick: \`${path}\` is where the secret key file \`${key}\` belongs; choose another name\n`,
      );
    }
    expect(await readFile(key)).toEqual(before);
    const absent = { ...environment, BAILIWICK_SECRET_KEY_FILE: join(folder, 'absent.key') };
    await symlink(join(folder, 'elsewhere'), join(folder, 'inner'));
    await mkdir(join(folder, 'elsewhere'));
    for (const name of ['absent.key', 'inner/../absent.key']) {
      expect(await refusal(backedUp(absent, `${folder}/${name}`))).toMatch(/is where the secret key file/);
    }
    await writeFile(join(folder, 'mine'), 'mine');
    await symlink(join(folder, 'mine'), join(folder, 'pointer'));
    await symlink(join(folder, 'nowhere'), join(folder, 'dangling'));
    for (const name of ['pointer', 'dangling']) {
      expect(await refusal(backedUp(environment, join(folder, name), { force: true }))).toMatch(/is a symbolic link, /);
    }
    expect(await readFile(join(folder, 'mine'), 'utf8')).toBe('mine');
    await promisify(execFile)('mkfifo', [join(folder, 'fifo')]);
    for (const name of ['fifo', '.']) {
      expect(await refusal(backedUp(environment, `${folder}/${name}`, { force: true }))).toMatch(/is no regular file/);
    }
    expect((await stat(join(folder, 'fifo'))).isFIFO()).toBe(true);
    if (database !== 'sqlite') return;
    const file = databaseFileOf(environment);
    for (const end of ['', '-wal', '-shm', '-journal', '.lock']) {
      expect(await refusal(backedUp(environment, file + end, { force: true }))).toMatch(
        /is where the database.* belongs/,
      );
    }
    // Through a link to its folder, where the file itself is not there yet.
    await symlink(dirname(file), join(folder, 'data'));
    const wal = join(folder, 'data', `${basename(file)}-wal`);
    expect(await refusal(backedUp(environment, wal))).toMatch(/is where the database's file `.*-wal` belongs/);
    // And where the database itself is named by a link, beside what that leads to.
    await symlink(file, join(folder, 'link.db'));
    const linked = { ...environment, BAILIWICK_DATABASE_URL: `sqlite:${join(folder, 'link.db')}` };
    for (const end of ['', '-wal', '.lock']) {
      expect(await refusal(backedUp(linked, file + end, { force: true }))).toMatch(/is where the database.* belongs/);
    }
    expect(readdirSync(folder).filter((name) => name.includes('unfinished'))).toEqual([]);
  });

  test('there is no backup of nothing', async () => {
    const path = join(folder, 'nothing');
    expect(await refusal(backedUp(await emptyInstallation(database), path))).toBe(
      'bailiwick: the database is not there, or empty; check BAILIWICK_DATABASE_URL\n',
    );
    expect(existsSync(path)).toBe(false);
  });

  test('--dry-run says whether it is whole; it is restored into either database', async () => {
    for (const into of ['sqlite', 'postgres'] as const) {
      const place = await placeWithKeyOf(environment, into);
      const dry = await restoredInto(place, file, { dryRun: true });
      expect(dry.output).toMatch(
        /^`.*` is whole: [\d,]+ rows of \S+, as of .*; the secret key file opens all 1 sealed secrets\nnothing was restored\n$/,
      );
      const told = await restoredInto(place, file);
      expect(told.output).toMatch(
        /^restored [\d,]+ rows as of \S+ from `.*` into .*\n {2}account `account-\d+`: [\d,]+ audit events; their chain holds\n {2}the secret key file opens all 1 sealed secrets\neverything is as it was at 20\S+Z: who was disabled, .*\n {2}do that anew before .*\n {2}sessions that were open then are open again, .*`--end-sessions` .*\nstart the server; .*\n$/,
      );
      const { iam, close } = await openInstallation(place);
      expect(await iam.store.access.accounts()).toHaveLength(1);
      await close();
    }
  });

  test('it asks for the right key, and says what another one costs', async () => {
    const missing = await emptyInstallation(database);
    expect(await refusal(restoredInto(missing, file))).toMatch(
      /the secret key file `.*` is missing; put that of the backup there/,
    );
    await writeFile(missing.BAILIWICK_SECRET_KEY_FILE ?? '', randomBytes(32), { mode: 0o600 });
    const wrong = await refusal(restoredInto(missing, file));
    expect(wrong).toMatch(/is not the one that belongs to the backup; .*--accept unopened-secrets/);
    expect(wrong).not.toContain((await readFile(missing.BAILIWICK_SECRET_KEY_FILE ?? '')).toString('hex'));
    const told = await restoredInto(missing, file, { accept: 'unopened-secrets' });
    expect(told.output).toMatch(/1 of 1 sealed secrets are NOT opened/);
    expect(await refusal(restoredInto(missing, file, { accept: 'everything' }))).toMatch(
      /`--accept` takes unopened-secrets, broken-trail/,
    );
  });

  test('without a key at hand the backup says so, and its secrets are tried one by one', async () => {
    const keyless = { ...environment, BAILIWICK_SECRET_KEY_FILE: join(folder, 'no.key') };
    const path = join(folder, 'keyless');
    expect((await backedUp(keyless, path)).output).toMatch(/was not there; find it/);
    const place = await emptyInstallation(database);
    await writeFile(place.BAILIWICK_SECRET_KEY_FILE ?? '', randomBytes(32), { mode: 0o600 });
    expect(await refusal(restoredInto(place, path))).toMatch(
      /opens only 0 of 1 sealed secrets of the backup; nothing was restored/,
    );
    await copyFile(settings.secretKeyFile, place.BAILIWICK_SECRET_KEY_FILE ?? '');
    expect((await restoredInto(place, path)).output).toMatch(/opens all 1/);
  });

  test('a trail that did not hold is told, and restored only when that is accepted', async () => {
    const place = await placeWithKeyOf(environment, database);
    await restoredInto(place, file);
    await run(place, `UPDATE "audit_events" SET "actor_name" = 'somebody else' WHERE "position" = 2`);
    const path = join(folder, 'broken');
    await backedUp(place, path);
    const target = await placeWithKeyOf(environment, database);
    expect(await refusal(restoredInto(target, path))).toMatch(
      /the audit trail of account `.*` does not hold \(first at event 2\), .*nothing was restored/,
    );
    expect((await restoredInto(target, path, { accept: 'broken-trail' })).output).toMatch(
      /their chain is BROKEN at 1 places/,
    );
  });

  test.runIf(database === 'sqlite')('a database that is a link stays one, and one that is a FIFO is left', async () => {
    const place = await placeWithKeyOf(environment, database);
    const path = databaseFileOf(place);
    const real = join(folder, 'real.db');
    await writeFile(real, '');
    await symlink(real, path);
    await restoredInto(place, file);
    expect([(await lstat(path)).isSymbolicLink(), (await stat(real)).size > 0]).toEqual([true, true]);
    const fifo = await placeWithKeyOf(environment, database);
    await promisify(execFile)('mkfifo', [databaseFileOf(fifo)]);
    expect(await refusal(restoredInto(fifo, file, { replace: true, yes: true }))).toMatch(
      /the database .* is no regular file; nothing was restored\n$/,
    );
    expect((await stat(databaseFileOf(fifo))).isFIFO()).toBe(true);
  });

  test('replacing is asked for', async () => {
    const place = await placeWithKeyOf(environment, database);
    await restoredInto(place, file);
    expect(await refusal(restoredInto(place, file))).toMatch(
      /is in use \(accounts: 1\); .*--replace; nothing was restored\n$/,
    );
    const answered = (answer: string) =>
      restoredInto(
        place,
        file,
        { replace: true },
        Object.assign(new PassThrough(), { isTTY: true }).end(`${answer}\n`),
      );
    const unasked = 'bailiwick: nothing was restored; `--yes` replaces without being asked\n';
    expect(await refusal(answered('no'))).toBe(unasked);
    const left = Object.assign(new PassThrough(), { isTTY: true }).end();
    expect(await refusal(restoredInto(place, file, { replace: true }, left))).toBe(unasked);
    const { errors, output } = await answered('yes');
    expect(errors).toMatch(/replace everything in .*\? Only `yes` does: /);
    expect(errors + output).not.toContain('canary-of-the-database');
    expect((await restoredInto(place, file, { replace: true, yes: true })).output).toMatch(/^restored /);
  });

  // Up to a dozen starts of the program, one after the other: of a busy machine they take more than a minute.
  test('killed at any moment, a restore leaves all or nothing', { timeout: 240_000 }, async () => {
    const place = await placeWithKeyOf(environment, database);
    const shown = Object.fromEntries(
      Object.entries(place).map(([name, value]) => [name.replace('BAILIWICK_', ''), value]),
    );
    for (let pause = 600, outcome = ''; outcome !== 'ended'; pause *= 2.5) {
      const running = startProgram('cli/bailiwick.ts', ['restore', file], { settings: shown });
      outcome = await Promise.race([
        running.ended.then(() => 'ended'),
        new Promise<string>((resolve) => setTimeout(() => resolve('late'), pause)),
      ]);
      running.kill('SIGKILL');
      await running.ended;
      const whole = outcome === 'ended';
      const again = await runProgram('cli/bailiwick.ts', ['backup', join(folder, `after-${pause}`)], {
        settings: shown,
      });
      // It can have been killed after the last step and before it ended.
      if (again.status === 0) expect(again.stdout).toMatch(/rows of 1 accounts/);
      else expect([whole, again.stderr]).toEqual([false, expect.stringMatching(/is not there, or empty/)]);
      if (again.status === 0) break;
    }
    if (database === 'sqlite')
      expect(readdirSync(join(databaseFileOf(place), '..')).filter((name) => name.includes('restoring'))).toEqual([]);
  });
});

test('as commands: statuses, and help that names the other', async () => {
  const help = await runProgram('cli/bailiwick.ts', ['backup', '--help'], {});
  expect(help.stdout).toMatch(/bailiwick restore/);
  const refused = await runProgram('cli/bailiwick.ts', ['restore', '/nowhere/at-all'], {
    settings: { SECRET_KEY_FILE: '/nowhere/key' },
  });
  expect([refused.status, refused.stderr]).toEqual([1, expect.stringMatching(/^bailiwick: the secret key file/)]);
  const unasked = await runProgram('cli/bailiwick.ts', ['restore', '/nowhere/at-all', '--yes'], {});
  expect([unasked.status, unasked.stderr]).toEqual([2, expect.stringMatching(/^bailiwick: --yes answers what/)]);
  expect((await runProgram('cli/bailiwick.ts', ['backup'], {})).status).toBe(2);
});
