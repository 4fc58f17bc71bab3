/** The rules of new passwords: weaknesses.json, and random passwords that keep whatever an account asks for. */
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Overloaded } from '../../src/iam/outcome.js';
import { createPasswords, randomPassword, weakness, type PasswordPolicy } from '../../src/iam/passwords.js';

interface Row {
  readonly sentence: string;
  readonly password: string;
  readonly policy: PasswordPolicy;
  /** Part of what is said; null: nothing is wrong. */
  readonly weak: string | null;
}

const rows = JSON.parse(readFileSync(new URL('weaknesses.json', import.meta.url), 'utf8')) as readonly Row[];
const seed = Number(process.env['BAILIWICK_TEST_SEED'] ?? Date.now() & 0x7fffffff);

describe('a new password', () => {
  it.each(rows)('$sentence', ({ password, policy, weak }) => {
    const fault = weakness(password, 'Ann-Walker1', policy);
    if (weak === null) expect(fault).toBeNull();
    else expect(fault).toContain(weak);
    // What is said of it never holds it.
    expect(fault ?? '').not.toContain(password);
  });

  it(`made at random keeps any policy and is never the same (BAILIWICK_TEST_SEED=${seed})`, () => {
    const policies = fc.record({
      passwordKinds: fc.integer({ min: 2, max: 4 }),
      passwordLength: fc.integer({ min: 6, max: 32 }),
      passwordRepeats: fc.integer({ min: 0, max: 32 }),
    });
    const made = new Set<string>();
    fc.assert(
      fc.property(policies, (policy) => {
        const password = randomPassword('ann', policy);
        expect(weakness(password, 'ann', policy)).toBeNull();
        expect(password.length).toBeGreaterThanOrEqual(20);
        expect(made.has(password)).toBe(false);
        made.add(password);
      }),
      { seed, numRuns: 500 },
    );
  });
});

describe('hashing', () => {
  it('tells the password from others, and never says that nobody has it', async () => {
    const passwords = createPasswords();
    const hash = await passwords.hash('Correct-horse-9');
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(await passwords.verify(hash, 'Correct-horse-9')).toBe(true);
    expect(await passwords.verify(hash, 'correct-horse-9')).toBe(false);
    expect(await passwords.verify(null, 'nobody has this password')).toBe(false);
    expect(await passwords.verify(await passwords.hash('x'.repeat(300)), 'x'.repeat(300))).toBe(false);
  });

  it('refuses whoever fills the line alone, and nobody else for it', async () => {
    const passwords = createPasswords(1, 10, 2);
    const outcome = (work: Promise<unknown>) =>
      work.then(
        () => 'done',
        (error: unknown) => (error instanceof Overloaded ? 'overloaded' : error),
      );
    const greedy = Array.from({ length: 5 }, () => outcome(passwords.hash('Some-password-1', 'greedy')));
    const other = outcome(passwords.verify(null, 'Some-password-1', 'other'));
    const nobody = Array.from({ length: 3 }, () => outcome(passwords.verify(null, 'Some-password-1')));
    expect(await Promise.all(greedy)).toEqual(['done', 'done', 'done', 'overloaded', 'overloaded']);
    expect(await Promise.all([other, ...nobody])).toEqual(['done', 'done', 'done', 'done']);
    // The line is empty again, and so is theirs.
    const again = Array.from({ length: 3 }, () => outcome(passwords.hash('Some-password-1', 'greedy')));
    expect(await Promise.all(again)).toEqual(['done', 'done', 'done']);
  });
});
