/** The doctor: each finding provoked once in an installation that else has none, on both databases. */
import { chmod, copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import pg from 'pg';
import sqlite3 from 'sqlite3';
import { beforeAll, describe, expect, test } from 'vitest';
import { adviseBackup } from '../../src/cli/doctor-backup.js';
import { connectionFindings } from '../../src/cli/doctor-database.js';
import { isLoopback } from '../../src/cli/doctor-settings.js';
import { diagnose, exitStatus, printFindings, printFindingsAsJson } from '../../src/cli/doctor.js';
import { finding, findingCodes, type Finding, type FindingCode } from '../../src/cli/findings.js';
import type { Machine } from '../../src/cli/machine.js';
import { initialise } from '../../src/cli/operator.js';
import { fullAccessId } from '../../src/catalogue/index.js';
import type { Account, Iam, Transaction } from '../../src/iam/index.js';
import type { House } from '../../src/house.js';
import { readSettings } from '../../src/settings.js';
import { runProgram, startProgram } from '../kit/program.js';
import {
  databaseFileOf,
  databasePassword,
  emptyInstallation,
  folderOf,
  newFolder,
  newId,
  openInstallation,
  safeAccount,
  safeMachine,
  superuserUrl,
  write,
  type Environment,
} from './installations.js';

const day = 24 * 60 * 60 * 1000;
const databaseNames = ['sqlite', 'postgres'] as const;

/** Every code that some test below has provoked. */
const provoked = new Set<FindingCode>();

function codesOf(findings: readonly Finding[]): readonly FindingCode[] {
  const codes = [...new Set(findings.map(({ code }) => code))];
  for (const code of codes) provoked.add(code);
  return codes;
}

/** An installation with one account and nothing to find. */
async function safeInstallation(database: 'sqlite' | 'postgres'): Promise<Environment> {
  const environment = await emptyInstallation(database);
  const house = await openInstallation(environment);
  await safeAccount(house.iam);
  await house.close();
  return environment;
}

/** A copy of a SQLite installation, to be spoiled. */
async function copyOf(environment: Environment): Promise<Environment> {
  const folder = await newFolder();
  for (const name of ['keys', 'database']) await mkdir(join(folder, name), { mode: 0o700 });
  const copy = {
    BAILIWICK_SECRET_KEY_FILE: join(folder, 'keys', 'secret.key'),
    BAILIWICK_DATABASE_URL: `sqlite:${join(folder, 'database', 'bailiwick.db')}`,
  };
  await copyFile(environment.BAILIWICK_SECRET_KEY_FILE ?? '', copy.BAILIWICK_SECRET_KEY_FILE);
  await copyFile(databaseFileOf(environment), databaseFileOf(copy));
  return copy;
}

async function execute(environment: Environment, statement: string): Promise<void> {
  const { BAILIWICK_DATABASE_URL: url = '' } = environment;
  if (url.startsWith('postgres')) {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(statement).finally(() => client.end());
    return;
  }
  const file = new sqlite3.Database(databaseFileOf(environment));
  await new Promise<void>((resolve, reject) => file.exec(statement, (error) => (error ? reject(error) : resolve())));
  await new Promise((resolve) => file.close(resolve));
}

let safe: { readonly sqlite: Environment; readonly postgres: Environment };
beforeAll(async () => {
  safe = { sqlite: await safeInstallation('sqlite'), postgres: await safeInstallation('postgres') };
});

describe.each(databaseNames)('an installation on %s', (database) => {
  test('that is safe has no finding at all', async () => {
    const findings = await diagnose(safeMachine(safe[database]));
    expect(findings).toEqual([]);
    expect(exitStatus(findings, true)).toBe(0);
    expect(printFindings(findings)).toBe('nothing unsafe was found\n');
    const report = { errors: 0, warnings: 0, notes: 0, findings: [], backup: null };
    expect(JSON.parse(printFindingsAsJson(findings))).toEqual(report);
  });

  test('is told how a backup is made, and what is not in it', async () => {
    const advice = await adviseBackup(safeMachine(safe[database]));
    expect(advice).toMatchObject({ database, secretKeyFile: safe[database].BAILIWICK_SECRET_KEY_FILE });
    const said = printFindings([], advice);
    expect(said).toMatch(/^nothing unsafe was found\n\nnot looked at: whether there is a backup/);
    expect(said).toContain(`keep a copy of \`${safe[database].BAILIWICK_SECRET_KEY_FILE}\` apart`);
    expect(said.includes('a copy of the database file is no backup')).toBe(database === 'sqlite');
    expect(JSON.parse(printFindingsAsJson([], advice))).toMatchObject({ findings: [], backup: advice });
    expect(printFindings([finding('LOOSE_MODE', '')], advice)).toMatch(/1 warning, 0 notes\n\nnot looked at: /);
  });

  test('is told nothing of backups where there is nothing to keep, or where nobody knows what', async () => {
    expect(await adviseBackup(safeMachine(await emptyInstallation(database)))).toBeNull();
    expect(await adviseBackup(safeMachine({ ...safe[database], BAILIWICK_PROT: '1' }))).toBeNull();
  });

  test('that has not begun has none either, and is not begun by looking', async () => {
    const environment = await emptyInstallation(database);
    const findings = await diagnose(safeMachine(environment));
    // PostgreSQL is there before its tables are.
    expect(codesOf(findings)).toEqual(database === 'sqlite' ? [] : ['MIGRATIONS_PENDING']);
    if (database === 'sqlite') expect(await readdir(dirname(databaseFileOf(environment)))).toEqual([]);
    expect(await initialise(readSettings(environment))).toContain('made account');
  });

  test('as the first start leaves it has what only people can mend', async () => {
    const environment = await emptyInstallation(database);
    await initialise(readSettings(environment));
    const findings = await diagnose(safeMachine(environment));
    expect(codesOf(findings)).toEqual(['ADMINISTRATOR_WITHOUT_SECOND_FACTOR', 'LOOSE_MODE']);
    expect(findings[0]).toMatchObject({ account: 'default', subjects: ['admin'] });
  });

  const ofSettings: readonly [FindingCode, string, Environment][] = [
    ['SETTINGS_REFUSED', 'a setting that there is not', { BAILIWICK_PROT: '4000' }],
    [
      'ADMIN_PASSWORD_SET',
      'a good password for the first start, long after it',
      { BAILIWICK_ADMIN_PASSWORD: 'V3ry-long.and.odd' },
    ],
    ['LISTENS_BEYOND_LOOPBACK', 'listening on every address', { BAILIWICK_HOST: '0.0.0.0' }],
    ['LISTENS_BEYOND_LOOPBACK', 'listening on every address of IPv6', { BAILIWICK_HOST: '::' }],
    ['CORS_ORIGIN_WITHOUT_TLS', 'pages that come by http', { BAILIWICK_CORS_ORIGINS: 'http://console.example.com' }],
    [
      'METRICS_BEYOND_LOOPBACK',
      'metrics on every address',
      { BAILIWICK_METRICS_PORT: '9464', BAILIWICK_METRICS_HOST: '0.0.0.0' },
    ],
    ['APOLLO_REPORTING', 'reports to Apollo', { BAILIWICK_APOLLO_KEY: 'canary', BAILIWICK_APOLLO_GRAPH_REF: 'g@x' }],
    ['TOKEN_KEY_PERIOD_LONG', 'one key for a year', { BAILIWICK_TOKEN_KEY_DAYS: '365' }],
    ['LOG_QUIET', 'no log', { BAILIWICK_LOG_LEVEL: 'silent' }],
    ['TLS_CHECKS_OFF', 'certificates that are not checked', { NODE_TLS_REJECT_UNAUTHORIZED: '0' }],
    ['INSPECTOR_OPEN', 'the inspector of Node', { NODE_OPTIONS: '--max-old-space-size=400 --inspect=0.0.0.0' }],
  ];
  test.each(ofSettings)('%s is found: %s', async (code, _sentence, more) => {
    expect(codesOf(await diagnose(safeMachine({ ...safe[database], ...more })))).toEqual([code]);
  });

  test('settings that are dangerous only where others reach the server are found there', async () => {
    const more = { BAILIWICK_STUDIO: 'on', BAILIWICK_EXPLORER: 'on', BAILIWICK_CORS_ORIGINS: 'http://localhost:3000' };
    expect(await diagnose(safeMachine({ ...safe[database], ...more }))).toEqual([]);
    const beyond = await diagnose(safeMachine({ ...safe[database], ...more, BAILIWICK_HOST: '192.0.2.7' }));
    expect(codesOf(beyond)).toEqual([
      'LISTENS_BEYOND_LOOPBACK',
      'CORS_ORIGIN_WITHOUT_TLS',
      'STUDIO_BEYOND_LOOPBACK',
      'EXPLORER_BEYOND_LOOPBACK',
    ]);
  });

  test('listening beyond loopback is no finding where a proxy is named', async () => {
    const behind = { BAILIWICK_HOST: '0.0.0.0', BAILIWICK_TRUSTED_PROXIES: '10.0.0.7' };
    expect(codesOf(await diagnose(safeMachine({ ...safe[database], ...behind })))).toEqual([]);
  });

  test.each(['Admin-2026!', 'changeme', 'P@ssw0rd1234', 'short-1', 'aaaaaaaaaaaaA1', 'nimdanimda12'])(
    'the password %s for the first start is weak, in use or not',
    async (password) => {
      const more = { BAILIWICK_ADMIN_PASSWORD: password.padEnd(8, '1'), BAILIWICK_ADMIN_NAME: 'admin' };
      const findings = await diagnose(safeMachine({ ...safe[database], ...more }));
      expect(codesOf(findings)).toEqual(['ADMIN_PASSWORD_WEAK', 'ADMIN_PASSWORD_SET']);
      expect(printFindings(findings) + printFindingsAsJson(findings)).not.toContain(password);
    },
  );

  const ofMachine: readonly [FindingCode, string, Partial<Machine>][] = [
    ['RUNNING_AS_ROOT', 'root', { userId: 0 }],
    ['NODE_TOO_OLD', 'an old Node', { nodeVersion: '18.20.4' }],
    ['NODE_TOO_OLD', 'a Node that is a little too old', { nodeVersion: '20.18.3' }],
    ['NODE_END_OF_LIFE', 'a Node without releases', { nodeVersion: '21.7.3' }],
    ['OPEN_FILES_FEW', 'few open files', { openFiles: async () => 1024 }],
    ['CLOCK_SKEW', 'a clock that is behind', { now: () => Date.now() - 10 * 60_000 }],
  ];
  test.each(ofMachine)('%s is found: %s', async (code, _sentence, more) => {
    const findings = await diagnose(safeMachine(safe[database], more));
    expect(codesOf(findings)).toEqual([code]);
  });

  test('migrations that are to be made, and those of a newer program', async () => {
    const environment = await safeInstallation(database);
    const name = `"name" LIKE 'SpentSignatures%'`;
    await execute(environment, `UPDATE "migrations" SET "name" = 'Later' || "name" WHERE ${name}`);
    expect(codesOf(await diagnose(safeMachine(environment)))).toEqual(['DATABASE_NEWER']);
    await execute(environment, `DELETE FROM "migrations" WHERE "name" LIKE 'Later%'`);
    const pending = await diagnose(safeMachine(environment));
    expect(codesOf(pending)).toEqual(['MIGRATIONS_PENDING']);
    expect(pending[0]?.subjects).toEqual(['SpentSignatures1764300000000']);
    await rm(environment.BAILIWICK_SECRET_KEY_FILE ?? '');
    expect(codesOf(await diagnose(safeMachine(environment)))).toContain('SECRET_KEY_MISSING');
  });

  test('a database that does not answer, without its password', async () => {
    const url = database === 'sqlite' ? `sqlite:${await newFolder()}` : 'postgres://ann:canary-word@127.0.0.1:1/bw';
    const findings = await diagnose(safeMachine({ ...safe[database], BAILIWICK_DATABASE_URL: url }));
    expect(codesOf(findings)).toEqual(['DATABASE_UNREADABLE']);
    expect(printFindings(findings)).not.toContain('canary-word');
  });

  test('a secret key that is missing beside a database in use', async () => {
    const environment = { ...safe[database], BAILIWICK_SECRET_KEY_FILE: join(await newFolder(), 'secret.key') };
    expect(codesOf(await diagnose(safeMachine(environment)))).toEqual(['SECRET_KEY_MISSING']);
  });
});

describe.each(databaseNames)('accounts on %s', (database) => {
  let environment: Environment;
  let house: House;
  let iam: Iam;
  beforeAll(async () => {
    environment = await emptyInstallation(database);
    // Open all the while: the doctor looks on beside it.
    house = await openInstallation(environment);
    iam = house.iam;
    return () => house.close();
  });

  const key = (account: Account, more: object) => ({
    ...{ id: newId().slice(0, 20).toUpperCase(), accountId: account.id, ownerKind: 'USER' as const },
    ...{ ownerId: account.rootUserId, sealedSecret: 'canary-of-an-access-key', description: '', enabled: true },
    ...{ lastUsedAt: null, createdAt: iam.now() },
    ...more,
  });
  const user = (account: Account, more: object = {}) => ({
    ...{ id: newId(), accountId: account.id, name: 'ann', description: '', enabled: true, root: false, version: 1 },
    ...{ defaultModelArtsAccess: 'ENDED' as const, createdAt: iam.now(), updatedAt: iam.now() },
    ...more,
  });
  const agency = (account: Account, more: object = {}) => ({
    ...{ id: newId(), accountId: account.id, name: 'for-others', description: '', trustKind: 'ACCOUNT' as const },
    ...{
      trustedId: 'other',
      durationDays: null,
      expiresAt: null,
      externalId: null,
      workspaceId: '',
      sourceAddresses: [],
      version: 1,
    },
    ...{ createdAt: iam.now(), updatedAt: iam.now() },
    ...more,
  });
  const grant = (account: Account, subjectId: string, more: object = {}) => ({
    ...{ id: newId(), accountId: account.id, policyId: fullAccessId, subjectKind: 'USER' as const, subjectId },
    ...{ scopeKind: 'ALL' as const, scopeId: '', expiresAt: null, createdAt: iam.now(), createdBy: account.rootUserId },
    ...more,
  });
  const policy = async (transaction: Transaction, account: Account, statement: object): Promise<string> => {
    const id = newId();
    const dates = { createdAt: iam.now(), updatedAt: iam.now() };
    const text = JSON.stringify({ Version: '1.1', Statement: [statement] });
    await transaction.insert('policy', {
      ...{ id, accountId: account.id, name: `policy-${id}`, description: '', origin: 'CUSTOM', level: 'BOTH' },
      ...{ defaultVersion: 1, latestVersion: 1, version: 1, ...dates },
    });
    await transaction.insert('policyVersion', {
      ...{ id: `${id}.1`, accountId: account.id, policyId: id, number: 1, text },
      ...{ createdAt: iam.now(), createdBy: account.rootUserId },
    });
    return id;
  };
  const member = async (transaction: Transaction, account: Account, more: object = {}): Promise<void> => {
    const made = user(account, more);
    await transaction.insert('user', made);
    const groupId = (await transaction.idOfName('group', 'admin')) ?? '';
    await transaction.insert('membership', {
      ...{ id: `${groupId}.${made.id}`, accountId: account.id, groupId, userId: made.id, addedAt: iam.now() },
    });
  };

  type Row = readonly [
    code: FindingCode | null,
    sentence: string,
    subjects: readonly (string | RegExp)[],
    provoke: (transaction: Transaction, account: Account) => Promise<unknown>,
  ];
  const rows: readonly Row[] = [
    [null, 'nothing was done', [], async () => undefined],
    ['LOOSE_MODE', 'the account is LOOSE', [], (t, a) => t.update('account', a.id, { authorizationMode: 'LOOSE' })],
    [
      'LOCKOUT_DISABLED',
      'a lock that never comes was written by hand',
      [],
      (t, a) => t.update('accountSettings', a.id, { failuresBeforeLock: 1_000_000 }),
    ],
    ['LOCKOUT_DISABLED', 'a lock ends at once', [], (t, a) => t.update('accountSettings', a.id, { lockMinutes: 0 })],
    ['ADMINISTRATOR_WITHOUT_SECOND_FACTOR', 'a member of the group admin has none', ['ann'], (t, a) => member(t, a)],
    [null, 'a disabled member of the group admin has none', [], (t, a) => member(t, a, { enabled: false })],
    [
      'ADMINISTRATOR_WITHOUT_SECOND_FACTOR',
      'the root user has one that was never confirmed',
      ['admin'],
      (t, a) => t.update('secondFactor', a.rootUserId, { confirmedAt: null }),
    ],
    ['ROOT_ACCESS_KEY', 'the root user has a key', [/^[0-9A-F]{20}$/], (t, a) => t.insert('accessKey', key(a, {}))],
    [null, 'the root user has a key that is disabled', [], (t, a) => t.insert('accessKey', key(a, { enabled: false }))],
    [
      'ACCESS_KEY_UNUSED',
      'a key was made 91 days ago and never used',
      [/^[0-9A-F]{20}$/],
      async (t, a) => {
        const ann = user(a);
        await t.insert('user', ann);
        await t.insert('accessKey', key(a, { ownerId: ann.id, createdAt: iam.now() - 91 * day }));
      },
    ],
    [
      'ACCESS_KEY_UNUSED',
      'a key of a service was last used 91 days ago',
      [/^[0-9A-F]{20}$/],
      (t, a) => {
        const dates = { createdAt: iam.now() - 400 * day, lastUsedAt: iam.now() - 91 * day };
        return t.insert('accessKey', key(a, { ownerKind: 'SERVICE', ownerId: newId(), ...dates }));
      },
    ],
    [
      null,
      'an old key was used 89 days ago',
      [],
      (t, a) => {
        const dates = { createdAt: iam.now() - 400 * day, lastUsedAt: iam.now() - 89 * day };
        return t.insert('accessKey', key(a, { ownerKind: 'SERVICE', ownerId: newId(), ...dates }));
      },
    ],
    [
      'AGENCY_WITHOUT_EXTERNAL_ID',
      'another account may use an agency by its name alone',
      ['for-others'],
      (t, a) => t.insert('agency', agency(a)),
    ],
    [
      null,
      'it must know an external id',
      [],
      (t, a) => t.insert('agency', agency(a, { externalId: 'canary-external' })),
    ],
    [null, 'the agency has expired', [], (t, a) => t.insert('agency', agency(a, { expiresAt: iam.now() - 1 }))],
    [
      null,
      'the agency is for a service',
      [],
      (t, a) => t.insert('agency', agency(a, { trustKind: 'SERVICE', trustedId: 'modelarts' })),
    ],
    [
      'FULL_ACCESS_OUTSIDE_ADMIN',
      'FullAccess was granted to a user',
      ['user ann by FullAccess in ALL'],
      async (t, a) => {
        const ann = user(a);
        await t.insert('user', ann);
        await t.insert('grant', grant(a, ann.id));
      },
    ],
    [
      'FULL_ACCESS_OUTSIDE_ADMIN',
      'an agency may do everything in one workspace by a policy of the account',
      [/^agency for-others by policy-[0-9a-f]+ in WORKSPACE$/],
      async (t, a) => {
        const made = agency(a, { externalId: 'canary-external' });
        await t.insert('agency', made);
        const policyId = await policy(t, a, { Effect: 'Allow', Action: ['*:*:*'] });
        const scope = { scopeKind: 'WORKSPACE', scopeId: '0' };
        await t.insert('grant', grant(a, made.id, { policyId, subjectKind: 'AGENCY', ...scope }));
      },
    ],
    [
      null,
      'a user may do everything in one service, and everything was granted once and has expired',
      [],
      async (t, a) => {
        const ann = user(a);
        await t.insert('user', ann);
        const policyId = await policy(t, a, { Effect: 'Allow', Action: ['modelarts:*:*'] });
        await t.insert('grant', grant(a, ann.id, { policyId }));
        await t.insert('grant', grant(a, ann.id, { expiresAt: iam.now() - 1 }));
      },
    ],
  ];

  test.each(rows)('%s: %s', async (code, _sentence, subjects, provoke) => {
    const account = await safeAccount(iam);
    await write(iam, account, (transaction) => provoke(transaction, account));
    const findings = (await diagnose(safeMachine(environment))).filter((each) => each.account === account.name);
    expect(codesOf(findings)).toEqual(code === null ? [] : [code]);
    expect(findings[0]?.subjects ?? []).toEqual(
      subjects.map((subject) => (typeof subject === 'string' ? subject : (expect.stringMatching(subject) as string))),
    );
  });

  test('many subjects are named in part for people and all for programs, and no secret for anybody', async () => {
    const account = await safeAccount(iam);
    await write(iam, account, async (transaction) => {
      for (let number = 0; number < 7; number += 1) {
        await transaction.insert('agency', agency(account, { name: `for-others-${number}` }));
      }
    });
    const findings = await diagnose(safeMachine(environment));
    const [found] = findings.filter((each) => each.account === account.name);
    expect(found?.what).toMatch(/`for-others-4` and 2 more$/);
    expect(found?.subjects).toHaveLength(7);
    const secretKey = await readFile(environment.BAILIWICK_SECRET_KEY_FILE ?? '');
    const said = printFindings(findings) + printFindingsAsJson(findings);
    for (const secret of ['canary', databasePassword, secretKey.toString('hex'), secretKey.toString('base64')]) {
      expect(said).not.toContain(secret);
    }
  });
});

describe('files', () => {
  const rows: readonly [readonly FindingCode[], string, (spoiled: Environment) => Promise<Environment>][] = [
    [
      ['SECRET_KEY_OPEN'],
      'the key can be read by the group',
      async (spoiled) => {
        await chmod(spoiled.BAILIWICK_SECRET_KEY_FILE ?? '', 0o640);
        return spoiled;
      },
    ],
    [
      ['SECRET_KEY_UNUSABLE'],
      'the key has lost a byte',
      async (spoiled) => {
        await writeFile(spoiled.BAILIWICK_SECRET_KEY_FILE ?? '', Buffer.alloc(31, 'random-bytes-they-are-not'));
        return spoiled;
      },
    ],
    [
      ['SECRET_KEY_UNUSABLE'],
      'the key was made by hand',
      async (spoiled) => {
        await writeFile(spoiled.BAILIWICK_SECRET_KEY_FILE ?? '', '0123456789'.repeat(4).slice(0, 32));
        return spoiled;
      },
    ],
    [
      ['SECRET_KEY_UNUSABLE'],
      'a folder stands where the key should be',
      async (spoiled) => ({ ...spoiled, BAILIWICK_SECRET_KEY_FILE: dirname(spoiled.BAILIWICK_SECRET_KEY_FILE ?? '') }),
    ],
    [
      ['SECRET_KEY_BESIDE_DATABASE'],
      'key and database share a folder',
      async (spoiled) => {
        const beside = join(dirname(databaseFileOf(spoiled)), 'secret.key');
        await copyFile(spoiled.BAILIWICK_SECRET_KEY_FILE ?? '', beside);
        return { ...spoiled, BAILIWICK_SECRET_KEY_FILE: beside };
      },
    ],
    [
      ['FOLDER_OPEN'],
      'everybody may write into the folder of the key',
      async (spoiled) => {
        await chmod(dirname(spoiled.BAILIWICK_SECRET_KEY_FILE ?? ''), 0o777);
        return spoiled;
      },
    ],
    [
      ['FOLDER_OPEN'],
      'the group may write into the folder of the database',
      async (spoiled) => {
        await chmod(dirname(databaseFileOf(spoiled)), 0o770);
        return spoiled;
      },
    ],
    [
      [],
      'everybody may write into the folder of the key, but only the owner remove',
      async (spoiled) => {
        await chmod(dirname(spoiled.BAILIWICK_SECRET_KEY_FILE ?? ''), 0o1777);
        return spoiled;
      },
    ],
    [
      ['SSH_FOLDER_OPEN'],
      'everybody may write into the folder of the socket that sshd asks at',
      async (spoiled) => {
        const folder = await newFolder();
        await chmod(folder, 0o1777);
        return { ...spoiled, BAILIWICK_SSH_SOCKET: join(folder, 'ssh.sock') };
      },
    ],
    [
      [],
      'the group may write into that folder',
      async (spoiled) => {
        const folder = await newFolder();
        await chmod(folder, 0o770);
        return { ...spoiled, BAILIWICK_SSH_SOCKET: join(folder, 'ssh.sock') };
      },
    ],
    [
      ['DATABASE_OPEN'],
      'everybody may read the database',
      async (spoiled) => {
        await chmod(databaseFileOf(spoiled), 0o644);
        return spoiled;
      },
    ],
  ];
  test.each(rows)('%j: %s', async (codes, _sentence, spoil) => {
    const environment = await spoil(await copyOf(safe.sqlite));
    expect(codesOf(await diagnose(safeMachine(environment)))).toEqual(codes);
  });

  test.each([
    ['DISK_NEARLY_FULL', 900 * 1024 ** 2],
    ['DISK_FULL', 10 * 1024 ** 2],
  ] as const)('%s with %i bytes of room', async (code, free) => {
    const findings = await diagnose(safeMachine(safe.sqlite, { freeBytes: async () => free }));
    expect(codesOf(findings)).toEqual([code]);
  });

  test('what this machine says of itself is read as it is', async () => {
    const { file, freeBytes, openFiles } = safeMachine({});
    const path = safe.sqlite.BAILIWICK_SECRET_KEY_FILE ?? '';
    expect(await file(path)).toEqual({ folder: false, mode: 0o600, size: 32 });
    expect(await file(`${path}.not`)).toBeNull();
    expect(await freeBytes(folderOf(safe.sqlite))).toBeGreaterThan(0);
    expect(await openFiles()).toBe(65_536);
  });
});

describe('PostgreSQL', () => {
  const url = (host: string) => ({ databaseUrl: `postgres://bw:hunter2@${host}/bw` });
  const ordinary = { encrypted: false, superuser: false };

  test.each([
    ['db.example.com', false, ['POSTGRES_WITHOUT_TLS']],
    ['192.0.2.1:5432', false, ['POSTGRES_WITHOUT_TLS']],
    ['db.example.com', true, []],
    ['127.0.0.1', false, []],
    ['[::1]:5432', false, []],
    ['localhost', false, []],
  ] as const)('on %s, encrypted %s', (host, encrypted, codes) => {
    const findings = connectionFindings(url(host), { ...ordinary, encrypted });
    expect(codesOf(findings)).toEqual(codes);
    expect(printFindings(findings)).not.toContain('hunter2');
  });

  test('through a socket of this machine needs no TLS', () => {
    expect(connectionFindings({ databaseUrl: 'postgres:///bw?host=/run/postgresql' }, ordinary)).toEqual([]);
    expect(
      connectionFindings({ databaseUrl: 'postgres://bw@127.0.0.1/bw?host=db.example.com' }, ordinary),
    ).toHaveLength(1);
  });

  test('a role that may do everything is found, by asking the server', async () => {
    const environment = { ...safe.postgres, BAILIWICK_DATABASE_URL: await superuserUrl() };
    const findings = await diagnose(safeMachine(environment));
    expect(codesOf(findings)).toEqual(['POSTGRES_SUPERUSER', 'MIGRATIONS_PENDING']);
  });

  test('a clock ahead is found, a little ahead is a warning', async () => {
    const ahead = (seconds: number) => diagnose(safeMachine(safe.postgres, { now: () => Date.now() + seconds * 1000 }));
    expect((await ahead(600))[0]).toMatchObject({ code: 'CLOCK_SKEW', severity: 'ERROR' });
    expect((await ahead(20))[0]).toMatchObject({ code: 'CLOCK_SKEW', severity: 'WARNING' });
  });
});

describe('the command', () => {
  test('changes nothing, beside a running server or where none runs', async () => {
    const settings = Object.fromEntries(
      Object.entries({ ...(await copyOf(safe.sqlite)), BAILIWICK_PORT: '0' }).map(([name, value]) => [
        name.replace('BAILIWICK_', ''),
        value,
      ]),
    );
    const file = String(settings['DATABASE_URL']).replace('sqlite:', '');
    const traces = async () => {
      const names = (await readdir(dirname(file))).sort();
      return Promise.all(names.map(async (name) => [name, (await stat(join(dirname(file), name))).mtimeMs]));
    };
    const before = await traces();
    const alone = await runProgram('cli/bailiwick.ts', ['doctor', '--json'], { settings });
    expect(await traces()).toEqual(before);
    // As this machine is, which may be none to be proud of; the accounts are safe.
    const report = JSON.parse(alone.stdout) as { errors: number; findings: { code: string; account: string | null }[] };
    expect(report.findings.filter(({ account }) => account !== null)).toEqual([]);
    expect(alone.stderr).toBe('');
    expect(alone.status).toBe(report.errors > 0 ? 2 : 0);

    const server = startProgram('main.ts', [], { settings });
    await server.until(/listening on/);
    const lock = await readFile(`${file}.lock`, 'utf8');
    const beside = await runProgram('cli/bailiwick.ts', ['doctor', '--json'], { settings });
    expect(beside.stdout).toBe(alone.stdout);
    expect(await readFile(`${file}.lock`, 'utf8')).toBe(lock);
    server.kill('SIGTERM');
    expect((await server.ended).status).toBe(0);
  });

  test('advises what makes a whole backup, in which the key is not', async () => {
    const environment = await emptyInstallation('sqlite');
    await initialise(readSettings(environment));
    const { BAILIWICK_DATABASE_URL: DATABASE_URL = '', BAILIWICK_SECRET_KEY_FILE: SECRET_KEY_FILE = '' } = environment;
    const settings = { DATABASE_URL, SECRET_KEY_FILE };
    const file = join(await newFolder(), 'backup.jsonl.gz');
    const { commands = [] } = (await adviseBackup(safeMachine(environment))) ?? {};
    expect(commands).toHaveLength(2);
    for (const command of commands) {
      const [program, ...words] = command.split(' ');
      expect(program).toBe('bailiwick');
      const given = words.map((word) => (word === 'FILE' ? file : word));
      const { status, stderr } = await runProgram('cli/bailiwick.ts', given, { settings });
      expect(status, stderr).toBe(0);
    }
    const [text, key] = [gunzipSync(await readFile(file)), await readFile(SECRET_KEY_FILE)];
    expect(text.includes('root user of the account')).toBe(true);
    for (const form of [key, key.toString('hex'), key.toString('base64').slice(0, 42), key.toString('base64url')]) {
      expect(text.includes(form)).toBe(false);
    }
  });

  test('says by its status how bad it is', async () => {
    const settings = { PROT: '1' };
    const refused = await runProgram('cli/bailiwick.ts', ['doctor'], { settings });
    expect(refused.status).toBe(2);
    expect(refused.stdout).toMatch(
      /^error SETTINGS_REFUSED: BAILIWICK_PROT is no setting; did you mean BAILIWICK_PORT\?\n {2}why: /,
    );
    expect(refused.stdout).toMatch(/\n1 error, \d+ warnings?, 0 notes\n$/);
    expect((await runProgram('cli/bailiwick.ts', ['doctor', '--help'])).stdout).toContain('Ends with status 0');
  });

  test.each([
    [[], 0, 0],
    [['APOLLO_REPORTING'], 0, 0],
    [['LOOSE_MODE'], 0, 1],
    [['LOOSE_MODE', 'DISK_FULL'], 2, 2],
  ] as const)('%j ends with %i, and with --strict with %i', (codes, plain, strict) => {
    const findings = codes.map((code) => finding(code, ''));
    expect([exitStatus(findings, false), exitStatus(findings, true)]).toEqual([plain, strict]);
  });
});

test('loopback is told from what only looks like it', () => {
  for (const host of [
    '127.0.0.1',
    '127.1.2.3',
    '::1',
    '[::1]',
    'localhost',
    'LOCALHOST',
    'a.localhost',
    '::ffff:127.0.0.1',
  ]) {
    expect(isLoopback(host), host).toBe(true);
  }
  for (const host of ['0.0.0.0', '::', '127.0.0.1.example.com', 'localhost.example.com', '10.0.0.1', '128.0.0.1', '']) {
    expect(isLoopback(host), host).toBe(false);
  }
});

test('every code of the table was provoked above', () => {
  expect([...findingCodes].filter((code) => !provoked.has(code))).toEqual([]);
});
