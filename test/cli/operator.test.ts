/** What the operator does without a server, and what a start refuses, within this process. */
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, describe, expect, test } from 'vitest';
import { addAccount, initialise, resetPassword, unlock } from '../../src/cli/operator.js';
import { describeFailure } from '../../src/cli/refusal.js';
import { createFirstAccount, openHouse } from '../../src/house.js';
import { serve } from '../../src/main.js';
import { readSettings, type Settings } from '../../src/settings.js';
import { databases } from '../store/databases.js';

const { postgres } = databases();
const folders: string[] = [];
afterAll(async () => {
  await postgres.stop();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

async function emptyPlace(more: Readonly<Record<string, string>> = {}): Promise<Settings> {
  const folder = await mkdtemp(join(tmpdir(), 'bailiwick-operator-'));
  folders.push(folder);
  return readSettings({
    BAILIWICK_DATABASE_URL: `sqlite:${join(folder, 'test.db')}`,
    BAILIWICK_SECRET_KEY_FILE: join(folder, 'keys', 'secret.key'),
    BAILIWICK_LOG_LEVEL: 'silent',
    ...more,
  });
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

describe('commands for the operator', () => {
  test('init makes an account once, account create another, unlock knows both', async () => {
    const settings = await emptyPlace();
    expect(await initialise(settings)).toMatch(
      /^made account `default` with root user `admin`\n\n {2}password: \S{20}\n\n.*stored nowhere; keep it\nstart the server with `bailiwick serve`\n$/,
    );
    expect(await initialise(settings)).toBe('the database has accounts already; nothing was changed\n');
    await addAccount(settings, 'plain', { rootName: 'boss', workspaces: false });
    const acme = await addAccount(settings, 'acme', { rootName: 'boss' });
    expect(acme).toMatch(/^made account `acme` with root user `boss`\n\n {2}password: \S{20}\n/);
    expect(await unlock(settings, 'acme', 'BOSS')).toBe('`BOSS` of account `acme` may try to sign in again\n');
    const { iam, close } = await openHouse(settings);
    const accounts = await iam.store.access.accounts();
    await close();
    expect(Object.fromEntries(accounts.map(({ name, workspacesEnabled }) => [name, workspacesEnabled]))).toEqual({
      default: true,
      plain: false,
      acme: true,
    });
  });

  test('of processes that start together on an empty database one makes the account, and all go on', async () => {
    const settings = await emptyPlace({ BAILIWICK_DATABASE_URL: await postgres.readyUrl() });
    const houses = await Promise.all([1, 2, 3].map(() => openHouse(settings)));
    expect(houses.map(({ empty }) => empty)).toEqual([true, true, true]);
    const created = await Promise.all(houses.map((house) => createFirstAccount(house, settings)));
    const [made, ...more] = created.filter((each) => each !== null);
    expect(more).toEqual([]);
    for (const { iam, close } of houses) {
      expect((await iam.store.access.accounts()).map(({ id }) => id)).toEqual([made?.account.id]);
      await close();
    }
    expect(await initialise(settings)).toBe('the database has accounts already; nothing was changed\n');
  });

  test('reset-password gives root a new password, and takes a lost second factor away when told to', async () => {
    const settings = await emptyPlace();
    await initialise(settings);
    const asked = (removeSecondFactor: boolean) => resetPassword(settings, 'default', 'ADMIN', { removeSecondFactor });
    expect(await asked(false)).toMatch(
      /^`ADMIN` of account `default` has a new password\n\n {2}password: \S{20}\n\nit is shown this once and stored nowhere; sign in and change it\n$/,
    );
    const [, password = ''] = /password: (\S+)/.exec(await asked(true)) ?? [];
    const { iam, close } = await openHouse(settings);
    const account = await iam.store.access.accountByName('default');
    const root = await iam.store.access.userByName(account?.id ?? '', 'admin');
    const kept = await iam.store.access.password(account?.id ?? '', root?.id ?? '');
    expect(await iam.passwords.verify(kept?.hash ?? null, password)).toBe(true);
    await close();
    expect(await refusal(resetPassword(settings, 'default', 'nobody', { removeSecondFactor: false }))).toBe(
      'bailiwick: there is no user `nobody` in account `default`; check both names\n',
    );
  });

  test('say in one line what they will not do', async () => {
    const settings = await emptyPlace();
    await initialise(settings);
    expect(await refusal(addAccount(settings, 'default', { rootName: 'admin' }))).toBe(
      'bailiwick: an account `default` exists already; choose another name\n',
    );
    expect(await refusal(addAccount(settings, 'a b', { rootName: 'admin' }))).toMatch(
      /^bailiwick: the account name is not allowed; /,
    );
    expect(await refusal(addAccount(settings, 'acme', { rootName: '1' }))).toMatch(
      /^bailiwick: the name of the root user is not allowed; /,
    );
    expect(await refusal(unlock(settings, 'default', 'nobody'))).toBe(
      'bailiwick: there is no user `nobody` in account `default`; check both names\n',
    );
    expect(await refusal(unlock(settings, 'nowhere', 'admin'))).toBe(
      'bailiwick: there is no user `admin` in account `nowhere`; check both names\n',
    );
  });

  test('account create on an empty database makes that account and no other', async () => {
    const settings = await emptyPlace();
    await addAccount(settings, 'acme', { rootName: 'admin' });
    const { iam, close } = await openHouse(settings);
    expect((await iam.store.access.accounts()).map(({ name }) => name)).toEqual(['acme']);
    await close();
  });
});

describe('the secret key', () => {
  test('is refused when it is open to others, of another size, or missing beside a database in use', async () => {
    const settings = await emptyPlace();
    const { secretKeyFile: key } = settings;
    await initialise(settings);
    expect((await stat(key)).mode & 0o777).toBe(0o600);
    await chmod(key, 0o640);
    expect(await refusal(openHouse(settings))).toBe(
      `bailiwick: the secret key file \`${key}\` is open to others; run \`chmod 600 ${key}\`\n`,
    );
    await chmod(key, 0o600);
    await writeFile(key, randomBytes(31));
    expect(await refusal(openHouse(settings))).toBe(
      `bailiwick: the secret key file \`${key}\` has 31 bytes, not 32; restore it, or set BAILIWICK_SECRET_KEY_FILE\n`,
    );
    await rm(key);
    expect(await refusal(openHouse(settings))).toBe(
      `bailiwick: the secret key file \`${key}\` is missing, but the database is in use; restore the file, or set BAILIWICK_SECRET_KEY_FILE\n`,
    );
    await expect(stat(key)).rejects.toThrow('ENOENT');
    // A refused start leaves the database free for the next one.
    await writeFile(key, randomBytes(32), { mode: 0o600 });
    await (await openHouse(settings)).close();
  });

  test('that stands where a folder should be is one line too', async () => {
    const place = await emptyPlace();
    expect(await refusal(openHouse({ ...place, secretKeyFile: '/dev/null/secret.key' }))).toMatch(
      /^bailiwick: the secret key file `\/dev\/null\/secret.key` cannot be (read|made): ENOTDIR\n$/,
    );
  });
});

describe('a start that cannot be', () => {
  const nowhere = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });

  test('on an address that is not of this machine says so, and lets the database go', async () => {
    const settings = { ...(await emptyPlace()), host: '192.0.2.1', port: 0 };
    expect(await refusal(serve(settings, nowhere()))).toBe(
      'bailiwick: `192.0.2.1` is no address of this machine; set BAILIWICK_HOST to one\n',
    );
    await (await openHouse(settings)).close();
  });

  test('on a database that does not answer says so, without its password', async () => {
    const free = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => free.once('listening', resolve));
    const { port } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    const settings = await emptyPlace({ BAILIWICK_DATABASE_URL: `postgres://ann:hunter2@127.0.0.1:${port}/bw` });
    const said = await refusal(openHouse(settings));
    expect(said).toMatch(/^bailiwick: [^\n]+\n$/);
    expect(said).not.toContain('hunter2');
  });
});
