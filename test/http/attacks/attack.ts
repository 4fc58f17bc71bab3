/** What a line of the attack list is, and what it means that it holds. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codesOf, userErrorsOf } from '../../kit/exchange.js';
import { startTarget, type Reply, type Shot, type Target } from './target.js';

type Data = Readonly<Record<string, unknown>>;

export interface Attack {
  /** The attack, as a sentence. */
  readonly says: string;
  readonly send: Shot | ((target: Target) => Shot | Promise<Shot>);
  /** Status of the answer; 0: the server hangs up without one. */
  readonly status: number;
  /** `extensions.code` of every error. */
  readonly code?: string;
  /** Code of the first of `userErrors`. */
  readonly userError?: string;
  readonly message?: RegExp;
  /** All the data that is answered; none unless given. Of a refusal in `userErrors` it is not looked at. */
  readonly data?: Data | ((target: Target) => Data);
  /** An attempt that is counted, which raises the revision; rows stay as they are but for the counters. */
  readonly counted?: true;
  /** What else must be so. */
  readonly also?: (reply: Reply, target: Target) => void | Promise<void>;
}

/** Runs a table against one server, which must be alive and unharmed after the last. */
export function describeAttacks(category: string, attacks: readonly Attack[], honest: (target: Target) => Shot): void {
  describe(category, () => {
    let target: Target;
    beforeAll(async () => {
      target = await startTarget();
    });
    afterAll(() => target.stop());

    it.each(attacks)('$says', async (attack) => {
      const shot = typeof attack.send === 'function' ? await attack.send(target) : attack.send;
      const before = await target.snapshot();
      const reply = await target.shoot(shot);
      const after = await target.snapshot();
      expectHeld(attack, reply, target);
      expect(after.rows).toEqual(before.rows);
      if (attack.counted !== true) expect(after.revisions).toBe(before.revisions);
      await attack.also?.(reply, target);
      // Whoever is honest is answered as before.
      const answer = await target.shoot(honest(target));
      expect({ status: answer.status, codes: codesOf(answer) }, answer.text).toEqual({ status: 200, codes: [] });
    });

    it('leaves the server alive, without a defect in its log and without a stack trace', async () => {
      expect(await target.shoot({ path: '/readyz', method: 'GET' })).toMatchObject({ status: 200, text: 'ok\n' });
      const lines = target.log().map((line) => JSON.parse(line) as { level: number; msg: string });
      expect(lines.length).toBeGreaterThan(attacks.length / 2);
      expect(lines.filter(({ level }) => level >= 50)).toEqual([]);
      expect(target.log().join('\n')).not.toContain('"stack"');
    });
  });
}

function expectHeld(attack: Attack, reply: Reply, target: Target): void {
  const { status, code, userError, message, data } = attack;
  expect(reply.status, reply.text.slice(0, 500)).toBe(status);
  expect(reply.status).toBeLessThan(500);
  expect(reply.answers).toBe(status === 0 ? 0 : 1);
  expect(new Set(codesOf(reply)), reply.text.slice(0, 500)).toEqual(new Set(code === undefined ? [] : [code]));
  if (message !== undefined) expect(reply.errors[0]?.message ?? userErrorsOf(reply)[0]?.message).toMatch(message);
  expect(userErrorsOf(reply)[0]?.code, reply.text.slice(0, 500)).toBe(userError);
  if (userError === undefined) {
    const wanted = typeof data === 'function' ? data(target) : (data ?? null);
    expect(reply.data, reply.text.slice(0, 500)).toEqual(wanted);
  }
  expect(reply.text).not.toMatch(/node_modules|node:internal|\bat \S+ \(|sqlite|SELECT /i);
}
