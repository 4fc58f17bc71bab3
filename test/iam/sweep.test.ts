/** What is swept and what stays, through what people do; on both databases. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGroup, keepSweeping, signOut, sweepExpired, type Swept } from '../../src/iam/index.js';
import { databases } from '../store/databases.js';
import { must, Scene } from './scene.js';

const hour = 3_600_000;

for (const database of Object.values(databases())) {
  describe(`sweeping on ${database.name}`, () => {
    let scene: Scene;
    beforeAll(async () => {
      scene = await Scene.open(await database.readyUrl());
    });
    afterAll(async () => {
      await scene.close();
      await database.stop();
    });

    it('leaves a repeat its answer for a day, and forgets it after', async () => {
      const input = { name: 'kept', idempotencyKey: 'once' };
      must(await createGroup(scene.iam, await scene.root(), input));
      scene.clock.at += 23 * hour;
      expect((await sweepExpired(scene.iam)).idempotencyRecord).toBe(0);
      expect(await createGroup(scene.iam, await scene.root(), input)).toMatchObject({ replayed: true });
      scene.clock.at += hour;
      expect((await sweepExpired(scene.iam)).idempotencyRecord).toBe(1);
      expect((await sweepExpired(scene.iam)).idempotencyRecord).toBe(0);
    });

    it('leaves an open session, and one that ended until it would have expired, and a day more', async () => {
      await sweepExpired(scene.iam);
      const user = await scene.user();
      const [open, ended] = [await scene.session(user), await scene.session(user)];
      must(await signOut(scene.iam, await scene.call(user, null, ended)));
      const { accountId } = await scene.root();
      const left = async () =>
        (
          await scene.iam.store.transaction(scene.origin('test'), async (transaction) => ({
            commit: false,
            value: await transaction.idsWhere('session', { userId: user.id }),
          }))
        ).value;
      scene.clock.at += 47 * hour;
      await sweepExpired(scene.iam);
      expect(await left()).toEqual([open, ended].sort());
      scene.clock.at += hour;
      const before = (await scene.iam.store.access.account(accountId))?.accessRevision;
      expect((await sweepExpired(scene.iam)).session).toBeGreaterThanOrEqual(2);
      expect(await left()).toEqual([]);
      expect((await scene.iam.store.access.account(accountId))?.accessRevision).toBe(before);
    });

    it('leaves a spent signature until its date refuses it by itself, on a clock that is behind too', async () => {
      const { accountId } = await scene.root();
      const expiresAt = scene.clock.at + hour / 4;
      await scene.iam.store.transaction(scene.origin('test'), async (transaction) => {
        await transaction.insert('spentSignature', { id: 'spent', accountId, expiresAt });
        return { commit: true, value: undefined };
      });
      scene.clock.at = expiresAt + hour / 12 - 1;
      expect((await sweepExpired(scene.iam)).spentSignature).toBe(0);
      scene.clock.at += 1;
      expect((await sweepExpired(scene.iam)).spentSignature).toBe(1);
    });

    it('goes on in the background and ends when asked to, though it failed', async () => {
      const reports: (Swept | Error)[] = [];
      let heard: () => void = () => undefined;
      const twice = new Promise<void>((resolve) => {
        heard = () => {
          if (reports.length === 2) resolve();
        };
      });
      let fails = true;
      const flaky = {
        ...scene.iam,
        now: () => {
          if (fails) throw new Error('no clock');
          return scene.clock.at;
        },
      };
      const sweeping = keepSweeping(
        flaky,
        {
          done: (swept) => {
            reports.push(swept);
            heard();
          },
          failed: (error) => {
            reports.push(error as Error);
            fails = false;
            heard();
          },
        },
        20,
      );
      await twice;
      await sweeping.stop();
      const { length } = reports;
      expect(reports[0]).toBeInstanceOf(Error);
      expect(reports[1]).toMatchObject({ spentSignature: 0 });
      await new Promise((resolve) => setTimeout(resolve, 60));
      expect(reports).toHaveLength(length);
    });
  });
}
