/** Numbers, instants and addresses against other readers of the same texts. Imports past the door: these are inner parts. */
import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { liesIn, readAddress, readAddressBlock, writeAddressBlock } from '../../src/policy/addresses.js';
import { compareDecimals, readDecimal, readInstant } from '../../src/policy/quantities.js';
import './seed.js';

const two = (value: number): string => String(value).padStart(2, '0');

describe('instants', () => {
  it('are those of the platform', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date('0000-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }), (date) => {
        expect(readInstant(date.toISOString())).toBe(BigInt(date.getTime()) * 1_000_000n);
      }),
      { numRuns: 2000 },
    ); // prettier-ignore
  });

  it('are refused exactly when the calendar lacks them', () => {
    const field = fc.tuple(fc.integer({ min: 0, max: 9999 }), fc.nat({ max: 14 }), fc.nat({ max: 33 }), fc.nat({ max: 25 }), fc.nat({ max: 61 }), fc.nat({ max: 61 })); // prettier-ignore
    fc.assert(
      fc.property(field, ([year, month, day, hour, minute, second]) => {
        const text = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}Z`;
        const date = new Date(text);
        // The platform rolls 30 February over to March and knows an hour 24; printing shows that it did.
        const exists = !Number.isNaN(date.getTime()) && date.toISOString() === text.replace('Z', '.000Z');
        expect(readInstant(text) !== null).toBe(exists);
      }),
      { numRuns: 5000 },
    );
  });

  it('with an offset are the same instant in UTC', () => {
    fc.assert(
      fc.property(fc.nat({ max: 23 }), fc.nat({ max: 59 }), fc.constantFrom('+', '-'), (hour, minute, sign) => {
        const text = `2024-02-29T12:00:00${sign}${two(hour)}:${two(minute)}`;
        expect(readInstant(text)).toBe(BigInt(Date.parse(text)) * 1_000_000n);
      }),
    );
  });
});

describe('decimals', () => {
  it('compare as numbers do where floating point is exact', () => {
    const quarter = fc.integer({ min: -4_000_000, max: 4_000_000 }).map((value) => value / 4);
    fc.assert(
      fc.property(quarter, quarter, (a, b) => {
        const [left, right] = [readDecimal(a.toFixed(3)), readDecimal(b.toFixed(2))];
        if (left === null || right === null) throw new Error('both are decimals');
        expect(Math.sign(compareDecimals(left, right))).toBe(Math.sign(a - b));
      }),
    );
  });

  it.each(['', '-', '+1', '.5', '5.', '1e3', '0x1', ' 1', '1 ', '1_000', 'NaN', 'Infinity', '1'.repeat(101), '١'])(
    '`%s` is none',
    (text) => expect(readDecimal(text)).toBeNull(),
  );
});

describe('addresses', () => {
  it.each([
    ['10.1.2.3', '10.1.2.3'],
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['10.1.2.3/32', '10.1.2.3'],
    ['255.255.255.255/1', '128.0.0.0/1'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['::ffff:192.0.2.9', '192.0.2.9'],
    ['::ffff:192.0.2.9/120', '192.0.2.0/24'],
    ['2001:DB8::1/32', '2001:db8::/32'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['10:0:0:0:0:0:0:10', '10::10'],
    ['::', '::'],
    ['::/0', '::/0'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['fe80::1/10', 'fe80::/10'],
  ])('the block %s is written %s, which is the same block', (text, written) => {
    const block = readAddressBlock(text);
    if (block === null) throw new Error('it can be read');
    expect(writeAddressBlock(block)).toBe(written);
    const again = readAddressBlock(written);
    expect(again).toMatchObject({ bits: block.bits, prefix: block.prefix });
    expect(writeAddressBlock(again ?? block)).toBe(written);
  });

  const anyAddress = fc.oneof(fc.ipV4(), fc.ipV6(), fc.ipV4().map((text) => `::ffff:${text}`), fc.stringMatching(/^[0-9a-f:.]{1,20}$/)); // prettier-ignore

  it('are those of the platform', () => {
    fc.assert(
      fc.property(anyAddress, (text) => {
        expect(readAddress(text) !== null).toBe(isIP(text) !== 0);
      }),
      { numRuns: 5000 },
    );
  });

  it('lie in the blocks that the platform puts them in', () => {
    const v4 = fc.tuple(fc.ipV4(), fc.nat({ max: 32 }), fc.ipV4(), fc.constant('ipv4' as const));
    const v6 = fc.tuple(fc.ipV6(), fc.nat({ max: 128 }), fc.ipV6(), fc.constant('ipv6' as const));
    fc.assert(
      fc.property(fc.oneof(v4, v6), fc.boolean(), ([network, prefix, other, family], near) => {
        const asked = near ? network : other;
        const list = new BlockList();
        list.addSubnet(network, prefix, family);
        const address = readAddress(asked);
        const block = readAddressBlock(`${network}/${prefix}`);
        if (address === null || block === null) throw new Error('both can be read');
        expect(liesIn(address, block)).toBe(list.check(asked, family));
      }),
      { numRuns: 3000 },
    );
  });

  it.each(['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/08', '::/129', '10.0.0.0/-1', '10.0.0.0/8/8', '/8', '10.0.0.0 /8'])(
    '`%s` is no block',
    (text) => expect(readAddressBlock(text)).toBeNull(),
  );
});
