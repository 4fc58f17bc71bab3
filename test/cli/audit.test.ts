/** `bailiwick audit` on both databases: what docs/audit.md tells people to run, and what is said of a trail. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { beforeAll, describe, expect, test } from 'vitest';
import { auditHeadKey, createAccount, signedHead, type Account } from '../../src/iam/index.js';
import { exportTrail, printHead, printPublicKey } from '../../src/cli/audit.js';
import { printVerification, printVerificationAsJson } from '../../src/cli/audit-report.js';
import {
  auditStatus,
  verifyAudit,
  type Verification,
  type VerificationOptions,
} from '../../src/cli/audit-verification.js';
import { readSettings, type Settings } from '../../src/settings.js';
import { commandLineSource } from '../../src/store/index.js';
import { startProgram } from '../kit/program.js';
import {
  emptyInstallation,
  folderOf,
  newId,
  openInstallation,
  safeAccount,
  write,
  type Environment,
} from './installations.js';

/** Lines of the blocks of commands in the documentation. */
async function commandsOf(path: string): Promise<readonly string[]> {
  const text = await readFile(new URL(`../../${path}`, import.meta.url), 'utf8');
  return [...text.matchAll(/```sh\n(.*?)```/gs)].flatMap(([, block = '']) => block.trim().split('\n'));
}

describe.each(['sqlite', 'postgres'] as const)('%s', (database) => {
  let environment: Environment;
  let settings: Settings;
  let folder: string;
  let account: Account;
  const path = (name: string) => join(folder, name);
  const addGroups = async (count: number) => {
    const { iam, close } = await openInstallation(environment);
    for (let index = 0; index < count; index += 1) {
      await write(iam, account, async (transaction) => {
        const id = newId();
        const dated = { version: 1, createdAt: iam.now(), updatedAt: iam.now() };
        await transaction.insert('group', {
          id,
          accountId: account.id,
          name: id,
          description: '',
          builtIn: false,
          ...dated,
        });
      });
    }
    await close();
  };
  const verify = (more: Partial<VerificationOptions> = {}, input?: Readable): Promise<Verification> =>
    verifyAudit({ file: null, heads: [], publicKey: null, account: null, after: 0, ...more }, () => settings, input);
  const exported = async (after = 0, name?: string): Promise<string> => {
    let text = '';
    await exportTrail(settings, { account: name, after }, async (line) => void (text += line));
    return text;
  };
  const kept = async (name: string, text: string): Promise<string> => {
    await writeFile(path(name), text);
    return path(name);
  };
  const change = async (statement: string) => {
    const source = commandLineSource(settings.databaseUrl);
    await source.initialize();
    await source.query(statement);
    await source.destroy();
  };
  const lastPosition = async () => (JSON.parse(await printHead(settings, undefined)) as { position: number }).position;

  beforeAll(async () => {
    environment = await emptyInstallation(database);
    settings = readSettings(environment);
    folder = folderOf(environment);
    const { iam, close } = await openInstallation(environment);
    account = await safeAccount(iam);
    await close();
    await addGroups(5);
  });

  test('the commands of docs/audit.md run as they stand, and end with status 0', async () => {
    const commands = await commandsOf('docs/audit.md');
    expect(commands).toHaveLength(5);
    for (const command of commands) {
      const [, line = '', file] = /^bailiwick (.*?)(?: > (\S+))?$/.exec(command) ?? [];
      const { status, stdout, stderr } = await startProgram('cli/bailiwick.ts', line.split(' '), {
        cwd: folder,
        environment,
      }).ended;
      expect({ command, status, stderr }).toEqual({ command, status: 0, stderr: '' });
      if (file !== undefined) await writeFile(path(file), stdout);
      else expect(stdout).toMatch(/proven: positions 1 to \d+ .*\n(.*\n)*result: the chain holds\n$/);
    }
    // Far away: no setting, no database; and a status for each outcome.
    const trail = await readFile(path('trail.jsonl'), 'utf8');
    const far = (input: string, ...args: string[]) =>
      startProgram('cli/bailiwick.ts', ['audit', 'verify', ...args, '--head', 'head.json', '-'], { cwd: folder, input })
        .ended;
    expect((await far(trail)).status).toBe(0);
    const broken = await far(trail.replace('"operation":"test"', '"operation":"tset"'));
    expect(broken.status).toBe(1);
    expect(broken.stdout).toMatch(/BROKEN at position \d+: event \d+\.000000 is not what was chained/);
    expect(await far('{}\n')).toMatchObject({ status: 2, stdout: '' });
    expect((await far(trail, '--nonsense')).status).toBe(2);
  });

  test('with a head it says what is proven and what is not; without one, what cannot be known', async () => {
    const publicKey = await kept('key.pem', await printPublicKey(settings));
    const head = await kept('kept.json', await printHead(settings, undefined));
    const position = await lastPosition();
    await addGroups(2);
    const said = printVerification(await verify({ heads: [head], publicKey }));
    expect(said).toContain(`holds: each event follows from all before it`);
    expect(said).toContain(`proven: positions 1 to ${position} are what they were when that head was made\n`);
    expect(said).toContain(`not proven: positions ${position + 1} to ${position + 2}; no head from after them`);
    expect(said).toContain(`not known: whether events after position ${position + 2} were cut off`);
    expect(said).not.toContain('as far as the head is yours');
    expect(printVerification(await verify({ heads: [head] }))).toContain(
      'as far as the head is yours: give --public-key',
    );
    const bare = printVerification(await verify());
    expect(bare).not.toContain('  proven:');
    expect(bare).toContain(`not proven: positions 1 to ${position + 2}; no head from after them was given`);
    expect(bare).toContain('could have written them anew, with every hash, and nothing here would tell');
    expect(bare).toContain(`not known: whether events after position ${position + 2} were cut off`);
    expect(JSON.parse(printVerificationAsJson(await verify({ heads: [head], publicKey })))).toMatchObject({
      source: 'DATABASE',
      trails: [{ name: account.name, provenThrough: position, breaks: [], heads: [{ file: head, outcome: 'FITS' }] }],
    });
  });

  test('an export proves itself to whoever has the key, whole or in part', async () => {
    const publicKey = await kept('key.pem', await printPublicKey(settings));
    const position = await lastPosition();
    const whole = await kept('whole.jsonl', await exported());
    const [trail] = (await verify({ file: whole, publicKey })).trails;
    expect(trail).toMatchObject({ endIsGenuine: true, verdict: { breaks: [], provenThrough: position } });
    expect(printVerification(await verify({ file: whole }))).toContain(
      'not proven: who made this file; give --public-key',
    );
    const part = Readable.from(await exported(4));
    const verified = await verify({ file: '-', publicKey, after: 4 }, part);
    expect(verified.trails).toMatchObject([{ verdict: { breaks: [], after: 4, provenThrough: position } }]);
    expect(printVerification(verified)).toContain('not here: positions 1 to 4');
    const other = await kept(
      'other.pem',
      (await import('../../src/audit-chain/index.js')).publicKeyText(auditHeadKey(new Uint8Array(32)).publicKey),
    );
    const strange = await verify({ file: whole, publicKey: other });
    expect(auditStatus(strange)).toBe(1);
    expect(printVerification(strange)).toContain('the end of the file is not signed with the given key');
    await expect(exportTrail(settings, { account: undefined, after: 9_999 }, async () => undefined)).rejects.toThrow(
      'the trail has no event at position 9999',
    );
  });

  test('what is no head, of nobody here, or forged is told apart', async () => {
    const head = JSON.parse(await printHead(settings, undefined)) as Record<string, unknown>;
    const forged = await kept('forged.json', JSON.stringify({ ...head, position: 2 }));
    const verification = await verify({ heads: [forged] });
    expect(auditStatus(verification)).toBe(1);
    expect(printVerification(verification)).toMatch(/FORGED .*forged.json.*\nresult: a head is not genuine\n$/);
    const nobody = JSON.stringify(signedHead(auditHeadKey(new Uint8Array(32)), 'nobody', null, 0));
    const gone = await verify({ heads: [await kept('gone.json', nobody)] });
    expect(auditStatus(gone)).toBe(1);
    expect(printVerification(gone)).toContain('account nobody had 0 events and is not there');
    // As the API answers it, and with members that nobody asked for.
    const answer = { data: { auditHead: { __typename: 'AuditHead', ...head } } };
    const good = await verify({ heads: [await kept('answer.json', `\uFEFF${JSON.stringify(answer)}`)] });
    expect(good.trails).toMatchObject([{ verdict: { provenThrough: head['position'] } }]);
    for (const text of [
      '',
      '{}',
      JSON.stringify({ ...head, hash: 'x' }),
      JSON.stringify({ ...head, format: 'other' }),
    ]) {
      await expect(verify({ heads: [await kept('none.json', text)] })).rejects.toThrow('is no head of an audit trail');
    }
    await expect(verify({ file: path('gone.json'), account: account.name })).rejects.toThrow('leave --account out');
    await expect(verify({ after: 4 })).rejects.toThrow('--after is for an export of a part');
    await expect(verify({ heads: [path('absent.json')] })).rejects.toThrow('cannot be read: ENOENT');
    await expect(verify({ publicKey: await kept('none.pem', 'x') })).rejects.toThrow('is no public key of heads');
    await expect(verify({ file: await kept('none.jsonl', 'x\n') })).rejects.toThrow('is no export of an audit trail');
    const whole = await kept('whole.jsonl', await exported());
    await expect(verify({ file: whole, heads: [path('gone.json')] })).rejects.toThrow('which is not what is verified');
  });

  test('a row that is stored in another form is told with its column, in an export too', async () => {
    const head = await kept('kept.json', await printHead(settings, undefined));
    const before = await exported();
    expect(printVerification(await verify({ heads: [head] }))).toContain(
      'not proven: that no events were there before events were chained; the database says so\n',
    );
    const where = `WHERE "account_id" = '${account.id}' AND "position" = 3`;
    const [form, remark] =
      database === 'sqlite'
        ? [`printf('0x%x', "at")`, ': "at" is stored as TEXT, where a whole number belongs\n']
        : [`"at" + 9007199254740992`, ': "at" is stored as a number beyond 2^53, where a whole number belongs\n'];
    const at = (JSON.parse(before.split('\n')[3] ?? '') as { at: number }).at;
    await change(`UPDATE "audit_events" SET "at" = ${form} ${where}`);
    const verification = await verify({ heads: [head] });
    expect(auditStatus(verification)).toBe(1);
    const said = printVerification(verification);
    expect(said).toMatch(/BROKEN at position 3: event \S+ is not what was chained/);
    expect(said).toContain(remark);
    const file = await kept('misstored.jsonl', await exported());
    const far = await verify({ heads: [head], file });
    expect(far.trails).toMatchObject([
      { verdict: { breaks: [{ kind: 'ALTERED', from: 3, to: 3 }], provenThrough: null } },
    ]);
    await change(`UPDATE "audit_events" SET "at" = ${at} ${where}`);

    await change(`UPDATE "audit_chains" SET "adopted" = 2 WHERE "account_id" = '${account.id}'`);
    const adopted = printVerification(await verify({ heads: [head] }));
    expect(adopted).toContain('not known: what happened to positions 1 to 2 before events were chained');
    expect(adopted).toContain(
      'not proven: that no more events were there before events were chained; the database says so\n',
    );
    await change(`UPDATE "audit_chains" SET "adopted" = 9999 WHERE "account_id" = '${account.id}'`);
    expect(printVerification(await verify({ heads: [head] }))).toContain(
      '"adopted" is no number of events that are there',
    );
    await expect(printHead(settings, undefined)).rejects.toThrow('where the trail ends cannot be read: "adopted"');
    await change(`UPDATE "audit_chains" SET "adopted" = 0 WHERE "account_id" = '${account.id}'`);

    const hash = (form: string) => `UPDATE "audit_chains" SET "hash" = ${form} WHERE "account_id" = '${account.id}'`;
    await change(hash(`"hash" || '-'`));
    const unreadable = 'where the trail ends cannot be read: where the audit trail ends is no place in a chain';
    await expect(printHead(settings, undefined)).rejects.toThrow(unreadable);
    await expect(exported()).rejects.toThrow(unreadable);
    await change(hash(`substr("hash", 1, 64)`));
  });

  test('with several accounts one is named for a head, and all are verified', async () => {
    const { iam, close } = await openInstallation(environment);
    const { account: other } = await createAccount(iam, { name: 'other', rootName: 'admin', rootPassword: null });
    await close();
    await expect(printHead(settings, undefined)).rejects.toThrow(/several accounts; give one of .*`other`/);
    await expect(printHead(settings, 'nobody')).rejects.toThrow('there is no account `nobody`');
    const head = await kept('other.json', await printHead(settings, 'other'));
    const verification = await verify({ heads: [head] });
    expect(verification.trails.map(({ name }) => name).toSorted()).toEqual([account.name, 'other'].toSorted());
    expect(verification.trails.find(({ name }) => name === 'other')?.verdict.provenThrough).toBeGreaterThan(0);
    expect((await verify({ account: 'other' })).trails).toHaveLength(1);
    await expect(verify({ account: account.name, heads: [head] })).rejects.toThrow('which is not what is verified');
    // One account's rows under another's name.
    await change(`UPDATE "audit_events" SET "request_id" = 'x' WHERE "account_id" = '${other.id}' AND "position" = 1`);
    const said = printVerification(await verify({ heads: [head] }));
    expect(said).toMatch(/BROKEN at position 1: event \S+ is not what was chained/);
    expect(said).toMatch(/result: BROKEN\n$/);
  });

  test('a database that is not there, and a key that is not, are said', async () => {
    const elsewhere = { ...settings, databaseUrl: `sqlite:${path('absent.db')}` };
    await expect(printHead(elsewhere, undefined)).rejects.toThrow(`there is no database at \`${path('absent.db')}\``);
    await rm(settings.secretKeyFile);
    await expect(printHead(settings, undefined)).rejects.toThrow('is missing; run this where the server runs');
    // Verifying needs no key.
    expect((await verify({ account: account.name })).trails).toHaveLength(1);
  });
});
