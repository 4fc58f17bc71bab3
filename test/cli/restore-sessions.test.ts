/** What a restore brings back to life, and how the sessions among it are ended before anybody can use one. */
import { copyFile } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { backUp } from '../../src/cli/backup.js';
import { restore } from '../../src/cli/restore.js';
import { createAccount, resetLostPassword, signIn, type Id, type Session, type User } from '../../src/iam/index.js';
import type { House } from '../../src/house.js';
import { readSettings } from '../../src/settings.js';
import { openBackup, restoreStore } from '../../src/store/index.js';
import { emptyInstallation, newFolder, openInstallation, type Environment } from './installations.js';

const password = 'canary-of-the-root-user-1';
const environmentOf = ({ iam }: House) => ({ now: iam.now(), sourceAddress: null });

async function signedIn(house: House): Promise<string> {
  const { iam } = house;
  const nobody = await iam.calls.open({
    requestId: 'test',
    credential: { kind: 'none' },
    environment: environmentOf(house),
  });
  const issued = await signIn(iam, iam.calls, nobody, { account: 'acme', userName: 'admin', password, scope: null });
  if (issued.kind !== 'succeeded') throw new Error('nobody signed in');
  return issued.value.token;
}

/** Id of whom the token is good for; null for nobody. */
async function bearerOf(environment: Environment, token: string): Promise<Id | null> {
  const house = await openInstallation(environment);
  const credential = { kind: 'token', token } as const;
  const call = await house.iam.calls.open({ requestId: 'test', credential, environment: environmentOf(house) });
  await house.close();
  return call.user?.id ?? null;
}

/** Puts a session of this user into the database that nobody can go on with. */
async function pastSession({ iam }: House, user: User, times: Pick<Session, 'endedAt' | 'expiresAt'>): Promise<void> {
  const { id: userId, accountId } = user;
  const past = {
    id: `past-${times.expiresAt}`,
    accountId,
    userId,
    startedAt: 0,
    mfaAt: null,
    sourceAddress: '',
    scopesLeft: [],
  };
  const actor = { actorKind: 'USER', actorId: userId, actorName: user.name };
  const origin = { accountId, workspaceId: null, operation: 'test', ...actor, requestId: 'test', at: iam.now() };
  await iam.store.transaction(origin, async (transaction) => {
    await transaction.insert('session', { ...past, ...times });
    return { commit: true, value: undefined };
  });
}

async function restored(
  environment: Environment,
  file: string,
  endSessions: boolean,
  { dryRun = false } = {},
): Promise<string> {
  let text = '';
  const output = new Writable({
    write: (chunk, _, done) => {
      text += String(chunk);
      done();
    },
  });
  await restore(
    readSettings(environment),
    file,
    { replace: true, yes: true, dryRun, endSessions },
    { input: Readable.from([]), output, errors: new Writable({ write: (_chunk, _, done) => done() }) },
  );
  return text;
}

describe.each(['sqlite', 'postgres'] as const)('from %s', (from) => {
  test.each(['sqlite', 'postgres'] as const)(
    'into %s: what was ended is open again, unless it is ended',
    async (into) => {
      const environment = await emptyInstallation(from);
      const settings = readSettings(environment);
      const silent = new Writable({ write: (_chunk, _, done) => done() });
      const house = await openInstallation(environment);
      const { account, root } = await createAccount(house.iam, {
        name: 'acme',
        rootName: 'admin',
        rootPassword: password,
      });
      const tokens = [await signedIn(house), await signedIn(house)];
      const token = tokens[0] ?? '';
      const [now, day] = [house.iam.now(), 86_400_000];
      await pastSession(house, root, { endedAt: null, expiresAt: now - 2 * day });
      await pastSession(house, root, { endedAt: now, expiresAt: now + day });
      await house.close();
      const file = join(await newFolder(), 'backup.jsonl.gz');
      await backUp(settings, file, { force: false }, { output: silent, errors: silent });
      const later = await openInstallation(environment);
      await resetLostPassword(later.iam, 'acme', 'admin', { removeSecondFactor: false });
      await later.close();
      expect(await bearerOf(environment, token)).toBeNull();

      const place = from === into ? environment : await emptyInstallation(into);
      if (from !== into) {
        await copyFile(settings.secretKeyFile, place.BAILIWICK_SECRET_KEY_FILE ?? '');
      }
      expect(await restored(place, file, false, { dryRun: true })).not.toContain('sessions');
      expect(await restored(place, file, true, { dryRun: true })).toMatch(
        /^`.*` is whole: .*\nwith `--end-sessions` sessions of people that were open then would be ended: 2; everybody would sign in anew\nnothing was restored\n$/,
      );
      const told = await restored(place, file, false);
      expect(told).toMatch(
        /\neverything is as it was at 20\S+Z: who was disabled, and what was revoked, .*\n {2}do that anew .*\n {2}sessions .* `--end-sessions` ends them/,
      );
      expect(await bearerOf(place, token)).toBe(root.id);

      const ended = await restored(place, file, true);
      expect(ended).toMatch(/\n {2}account `acme`: [\d,]+ audit events; their chain holds\n/);
      expect(ended).toMatch(/\n {2}sessions of people that were open then were ended: 2; everybody signs in anew\n/);
      for (const each of tokens) expect(await bearerOf(place, each)).toBeNull();
      const { iam, close } = await openInstallation(place);
      const window = { order: { by: 'REVISION', direction: 'ASC' }, limit: 200, backward: false } as const;
      const events = await iam.store
        .reader({ accountId: account.id, workspaceId: null })
        .page('auditEvent', { operation: 'restore' }, { ...window, after: null, before: null });
      expect(events.rows.map(({ record }) => [record.actorKind, record.targetKind, record.before?.endedAt])).toEqual([
        ['OPERATOR', 'session', null],
        ['OPERATOR', 'session', null],
      ]);
      const { revision } = (await iam.store.access.account(account.id)) ?? {};
      await close();

      // In the same step: where it fails, what is replaced is still there.
      const refused = restoreStore(readSettings(place).databaseUrl, await openBackup(createReadStream(file)), {
        replace: true,
        watch: () => undefined,
        tell: () => undefined,
        amend: () => Promise.reject(new Error('not this one')),
        verify: async () => undefined,
      });
      await expect(refused).rejects.toThrow('not this one');
      const again = await openInstallation(place);
      expect((await again.iam.store.access.account(account.id))?.revision).toBe(revision);
      await again.close();
    },
  );
});
