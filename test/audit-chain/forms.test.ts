/** Forms that never change: what was kept years ago must still fit. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  beginningOf,
  canonicalJson,
  hashedMembers,
  isGenuine,
  jsonAsWritten,
  publicKeyFrom,
  publicKeyText,
  readExportLine,
  readSignedHead,
} from '../../src/audit-chain/index.js';
import { account, headOf, key, otherKey, trailOf } from './trails.js';

describe('canonical JSON', () => {
  test('is that of RFC 8785', () => {
    const given = String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`;
    const canonical = String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`;
    expect(canonicalJson(JSON.parse(given))).toBe(canonical);
    const names = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, '\u00f6': 7 };
    expect(canonicalJson(names)).toBe('{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"\u{1f600}":5,"\ufb33":3}');
  });

  test('leaves out what is undefined, as what is stored does', () => {
    expect(canonicalJson({ b: undefined, a: [undefined, NaN] })).toBe('{"a":[null,null]}');
  });

  test.each(['{"a":1,"a":2}', ' {}', '{"a": 1}', '1.0', '{', '', '"\\u0041"', 'null', 'true', '5', '"text"'])(
    '%j is not taken for what was written',
    (text) => {
      expect(jsonAsWritten(text)).toBe(text);
    },
  );
});

test('a line of an export that is nested deeper than can be read is none', () => {
  expect(readExportLine(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`)).toBeNull();
});

describe('the chain', () => {
  test('is what its description says, told in other words', () => {
    const sha = (text: string) => createHash('sha256').update(text).digest('hex');
    let hash = sha(`bailiwick audit chain 1\n${account}`);
    for (const event of trailOf(5)) {
      const { hash: own, ...said } = event;
      const sorted = (value: unknown): unknown =>
        typeof value === 'object' && value !== null && !Array.isArray(value)
          ? Object.fromEntries(
              Object.entries(value)
                .toSorted(([a], [b]) => (a < b ? -1 : 1))
                .map(([n, v]) => [n, sorted(v)]),
            )
          : Array.isArray(value)
            ? value.map(sorted)
            : value;
      // Only names that are numbers come in another order in JavaScript's objects; here they come first either way.
      hash = sha(`bailiwick audit event 1\n${hash}\n${JSON.stringify(sorted(said))}`);
      expect(own).toBe(hash);
    }
  });

  test('has not changed', () => {
    expect(beginningOf(account).hash).toBe('93f9a6f1eafb3bf03efb4343970877489d589162e0dd20bf9b6624b7aeb0ab8f');
    expect(trailOf(5).at(-1)?.hash).toBe('6ee68b87c0002de710a53fa0700c761619f103d6a75d982a78cde80d413957ea');
    expect(hashedMembers).toHaveLength(17);
  });
});

describe('a head', () => {
  const head = headOf(trailOf(5), 5);

  test('is signed as it was ever since', () => {
    expect(head.signature).toBe(
      'bmKdhKNMPJysipt6jvzP218M0Sao6dISoRbtWSmIiMoIFHER8fKhznuXjcK8nfdsK7ohXVRYzjoI1E_qM-M7Dg',
    );
    expect(isGenuine(head, key.publicKey)).toBe(true);
    expect(isGenuine(head, otherKey.publicKey)).toBe(false);
  });

  test.each(['account', 'position', 'hash', 'at', 'publicKey', 'signature'] as const)(
    'with another %s is not genuine',
    (name) => {
      const other = headOf(trailOf(6), 6, otherKey);
      const changed = { ...head, ...(name === 'account' ? { account: 'x' } : { [name]: other[name] }) };
      expect(isGenuine(changed, key.publicKey)).toBe(false);
    },
  );

  test('is read back from JSON, and its key from a file', () => {
    expect(readSignedHead(JSON.parse(JSON.stringify({ ...head, more: 1 })))).toEqual(head);
    expect(publicKeyFrom(publicKeyText(key.publicKey))).toBe(key.publicKey);
    expect(publicKeyFrom(key.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString())).toBeNull();
  });
});
