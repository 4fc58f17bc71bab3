/** The search itself: what it finds, wherever and however it stands, and what it does not take for a finding. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seed } from '../policy/seed.js';
import { formsOf } from './forms.js';
import { Ledger, newPassword, type Kept } from './ledger.js';
import { Search } from './search.js';

/** Cuts bytes where the numbers say, as files and streams do. */
function* cut(bytes: Uint8Array, lengths: readonly number[]): Generator<Uint8Array> {
  let at = 0;
  for (let turn = 0; at < bytes.length; turn += 1) {
    const length = lengths[turn % lengths.length] ?? bytes.length;
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

async function findingsIn(values: Iterable<Kept>, bytes: Uint8Array, lengths = [bytes.length], text = true) {
  const search = new Search(values);
  await search.read('there', { name: 'bytes', bytes: cut(bytes, lengths), text });
  return [...search.findings.values()];
}

const bytes = (minLength: number, maxLength = 200) => fc.uint8Array({ minLength, maxLength });
const chunkLengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 });
const plain = (value: string) => ({ kind: 'secret', value });

describe(`bytes (seed ${seed})`, () => {
  test('are found at whatever offset, however the stream is cut, and nothing else is', async () => {
    const values = fc.uniqueArray(bytes(16, 90), { minLength: 1, maxLength: 20, selector: (value) => String(value) });
    await fc.assert(
      fc.asyncProperty(values, bytes(0), bytes(0), chunkLengths, fc.nat(), async (all, before, after, lengths, n) => {
        const planted = all[n % all.length] ?? new Uint8Array(16);
        const kept = all.map((value, index) => ({ kind: value === planted ? 'planted' : `absent ${index}`, value }));
        const found = await findingsIn(kept, Buffer.concat([before, planted, after]), lengths);
        expect(found).toContainEqual(expect.objectContaining({ kind: 'planted', at: before.length }));
        // Of a value that is part of the planted one, or of which a piece is, the finding is right.
        const all16 = Buffer.concat([before, planted, after]).toString('latin1');
        for (const { kind, form } of found) {
          const { value } = kept.find((one) => one.kind === kind) ?? { value: new Uint8Array(0) };
          const pieces = formsOf(value).find(([name]) => name === form)?.[1] ?? new Uint8Array(0);
          const starts = Array.from({ length: pieces.length - 15 }, (_, index) => index);
          const text = Buffer.from(pieces).toString('latin1');
          expect(starts.some((start) => all16.includes(text.slice(start, start + 16)))).toBe(true);
        }
      }),
      { seed, numRuns: 500 },
    );
  });

  test('of a value are found by half of it', async () => {
    const value = 'k5Yw0uJr7Qm2Zx9Tn4Bv6Lp1Hs8Dg3Fc_aEoIq-X';
    for (const half of [value.slice(0, 20), value.slice(20), value.slice(9, 28)]) {
      expect(await findingsIn([plain(value)], Buffer.from(`....${half}....`))).toHaveLength(1);
    }
    expect(await findingsIn([plain(value)], Buffer.from(`....${value.slice(0, 15)}....`))).toEqual([]);
  });
});

describe('a value', () => {
  test('is found in every form, by one name for each', async () => {
    const value = newPassword();
    const names = new Set<string>();
    for (const [form, written] of formsOf(value)) {
      names.add(form);
      const found = await findingsIn([plain(value)], Buffer.concat([Buffer.from('<'), written, Buffer.from('>')]));
      expect(found.map(({ form }) => form)).toContain(form);
    }
    expect([...names]).toEqual(
      expect.arrayContaining(['plain', 'JSON', 'SQL', 'COPY', 'percent', 'hexadecimal', 'base64', 'latin1', 'UTF-16']),
    );
  });

  test('is found within something that was encoded as a whole', async () => {
    for (const value of ['k5Yw0uJr7Qm2Zx9Tn4Bv6Lp1Hs8Dg3Fc_aEoIq-X', newPassword()]) {
      for (const before of ['', 'a', 'ab', 'abc']) {
        const whole = Buffer.from(`${before}${value}, and on`);
        for (const encoding of ['base64', 'base64url', 'hex'] as const) {
          const found = await findingsIn([plain(value)], Buffer.from(whole.toString(encoding)));
          expect(found.length, `${encoding} after ${before.length} bytes`).toBeGreaterThan(0);
        }
      }
    }
  });

  test('that is an encoding is found as the bytes that it stands for', async () => {
    const raw = Buffer.from(Array.from({ length: 32 }, (_, index) => (index * 151 + 7) & 255));
    const base32 = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
    const decoded = Buffer.from('48656c6c6f21deadbeef48656c6c6f21deadbeef', 'hex');
    for (const [value, stored] of [
      [raw.toString('hex'), raw],
      [raw.toString('base64url'), raw],
      [base32, decoded],
    ] as const) {
      expect(await findingsIn([plain(value)], stored)).toMatchObject([{ form: 'bytes', at: 0 }]);
      expect((await findingsIn([plain(value)], Buffer.from(stored.toString('base64')))).length).toBeGreaterThan(0);
    }
  });
});

describe('a code of six digits', () => {
  const code = [plain('271828')];

  test('is found where it stands by itself in a text', async () => {
    for (const text of ['"271828"', '\\"271828\\"', "'271828'", 'the code 271828 is', '?totp=271828&', '`271828`']) {
      expect(await findingsIn(code, Buffer.from(text), [3]), text).toHaveLength(1);
    }
  });

  test('is not what a number, a time or an identifier has by chance', async () => {
    for (const text of [':271828,', '12:00:00.271828Z', 'a271828b', '"1271828"', '"271828.5"', '0271828', '[271828]']) {
      expect(await findingsIn(code, Buffer.from(text), [3]), text).toEqual([]);
    }
    expect(await findingsIn(code, Buffer.from('"271828"'), [8], false)).toEqual([]);
  });

  test('is all that may be shorter than sixteen bytes', () => {
    expect(() => new Search([plain('fifteen bytes..')])).toThrow('too short');
  });
});

test('the ledger counts values by kind, each once, and keeps of a token what proves it', () => {
  const ledger = new Ledger();
  ledger.keep('password', 'one password');
  ledger.keep('password', 'one password');
  expect(ledger.keepToken('token', 'head.claims.signature')).toBe('head.claims.signature');
  ledger.keepBytes('master key', new Uint8Array(32));
  expect([...ledger.counts()]).toEqual([
    ['master key', 1],
    ['password', 1],
    ['token', 1],
  ]);
  expect([...ledger.all()]).toContainEqual({ kind: 'token', value: 'signature' });
  expect(() => ledger.keepToken('token', 'no token')).toThrow('three parts');
});
