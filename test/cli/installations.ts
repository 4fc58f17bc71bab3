/** Installations for the doctor: made by the program's own commands, safe in every respect, on either database. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll } from 'vitest';
import { thisMachine, type Machine } from '../../src/cli/machine.js';
import { createAccount, type Account, type ChangeOrigin, type Iam, type Transaction } from '../../src/iam/index.js';
import { openHouse, type House } from '../../src/house.js';
import { readSettings } from '../../src/settings.js';
import { databases } from '../store/databases.js';

export type Environment = Readonly<Record<string, string>>;

const sources = databases();
const folders: string[] = [];

afterAll(async () => {
  await sources.sqlite.stop();
  await sources.postgres.stop();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bailiwick-doctor-'));
  folders.push(folder);
  return folder;
}

/** Settings of an installation without anything in it yet; on PostgreSQL with a role that owns that one database. */
export async function emptyInstallation(database: 'sqlite' | 'postgres'): Promise<Environment> {
  const folder = await newFolder();
  for (const name of ['keys', 'database']) await mkdir(join(folder, name), { mode: 0o700 });
  const given = await sources[database].freshUrl();
  return {
    BAILIWICK_SECRET_KEY_FILE: join(folder, 'keys', 'secret.key'),
    BAILIWICK_DATABASE_URL:
      database === 'sqlite' ? `sqlite:${join(folder, 'database', 'bailiwick.db')}` : await ownedByItsRole(given),
  };
}

/** Of an empty database, by a role that may do everything. */
export function superuserUrl(): Promise<string> {
  return sources.postgres.freshUrl();
}

/** The password of the role is a canary. */
export const databasePassword = 'canary-of-the-database';

async function ownedByItsRole(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const name = new URL(url).pathname.slice(1);
  try {
    await client.query(`CREATE ROLE ${name} LOGIN PASSWORD '${databasePassword}'`);
    await client.query(`ALTER DATABASE ${name} OWNER TO ${name}`);
  } finally {
    await client.end();
  }
  return Object.assign(new URL(url), { username: name, password: databasePassword }).href;
}

export function databaseFileOf(environment: Environment): string {
  return (environment.BAILIWICK_DATABASE_URL ?? '').replace('sqlite:', '');
}

export function folderOf(environment: Environment): string {
  return dirname(dirname(environment.BAILIWICK_SECRET_KEY_FILE ?? ''));
}

/** A house on the installation, as the server has one. */
export function openInstallation(environment: Environment): Promise<House> {
  return openHouse(readSettings(environment));
}

let accounts = 0;

/** An account with nothing to find in it. */
export async function safeAccount(iam: Iam): Promise<Account> {
  accounts += 1;
  const { account } = await createAccount(iam, {
    name: `account-${accounts}`,
    rootName: 'admin',
    rootPassword: 'canary-of-the-root-user-1',
    authorizationMode: 'STRICT',
  });
  await write(iam, account, (transaction) =>
    transaction.insert('secondFactor', {
      id: account.rootUserId,
      accountId: account.id,
      sealedSecret: 'canary-of-a-second-factor',
      confirmedAt: iam.now(),
      lastCounter: 0,
      createdAt: iam.now(),
    }),
  );
  return account;
}

/** Writes rows as they could come to be, without the rules of the use-cases. */
export async function write(
  iam: Iam,
  account: Account,
  work: (transaction: Transaction) => Promise<unknown>,
): Promise<void> {
  const origin: ChangeOrigin = {
    accountId: account.id,
    workspaceId: null,
    operation: 'test',
    actorKind: 'OPERATOR',
    actorId: 'operator',
    actorName: 'operator',
    requestId: 'test',
    at: iam.now(),
  };
  await iam.store.transaction(origin, async (transaction) => {
    await work(transaction);
    return { commit: true, value: undefined };
  });
}

/** This machine as it should be: not as root, on a Node of today, with files and room enough. */
export function safeMachine(environment: Environment, more: Partial<Machine> = {}): Machine {
  return {
    ...thisMachine(environment),
    userId: 1000,
    nodeVersion: '24.11.0',
    openFiles: async () => 65_536,
    freeBytes: async () => 50 * 1024 ** 3,
    ...more,
  };
}

export function newId(): string {
  return randomBytes(16).toString('hex');
}
