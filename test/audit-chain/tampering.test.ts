/** Ten thousand deeds by chance, and every one found by whoever kept a head from after the events that it touched. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { verifyExport, type ExportVerdict, type SignedHead } from '../../src/audit-chain/index.js';
import { seed } from '../policy/seed.js';
import { account, diceOf, exported, headOf, key, otherKey, tampering, trailOf } from './trails.js';

const length = 18;
const trail = trailOf(length);

function verified(lines: readonly string[], heads: readonly SignedHead[] = [], publicKey: string | null = null) {
  return verifyExport(lines, { headsOf: () => heads, publicKey, after: 0 });
}

/** What is gone from the end is certain; that nothing before it was touched is not, and nobody says so. */
const firstBreak = ({ breaks }: ExportVerdict): number =>
  Math.min(...breaks.map(({ kind, from }) => (kind === 'CUT_OFF' ? 0 : from)));

describe('10,000 deeds', () => {
  const deedsDone = new Map<string, number>();

  test('each is found with any head from after what it touched, and never placed after it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), async (start, chosen) => {
        const { name, covered, events, first } = tampering(trail, diceOf(start));
        deedsDone.set(
          `${name}${covered ? ', covered' : ''}`,
          (deedsDone.get(`${name}${covered ? ', covered' : ''}`) ?? 0) + 1,
        );
        const head = headOf(trail, first + (chosen % (length - first + 1)));
        // Whoever writes the trail anew signs it too, with a key of their own.
        const verdict = await verified(exported(events, otherKey), [head]);
        expect(verdict.numberOfBreaks, name).toBeGreaterThan(0);
        // Where one event was altered and its hash with it, the next one shows it.
        expect(firstBreak(verdict), name).toBeLessThanOrEqual(first + 1);
        expect(verdict.provenThrough ?? 0, name).toBeLessThan(first);
      }),
      { numRuns: 10_000, seed },
    );
    // A hash that was altered and then written anew is the one that was there.
    expect(deedsDone.size).toBe(23);
  }, 300_000);

  test('each that is not covered is found without a head too, unless it only cut off the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (start) => {
        const { name, covered, events } = tampering(trail, diceOf(start));
        const verdict = await verified(exported(events, otherKey));
        const onlyShorter = events.every((event, index) => JSON.stringify(event) === JSON.stringify(trail[index]));
        expect(verdict.numberOfBreaks > 0, name).toBe(!covered && !onlyShorter);
        // Whatever it found: without a head nothing is proven.
        expect(verdict.provenThrough).toBeNull();
      }),
      { numRuns: 2_000, seed },
    );
  });

  test('each is found without a head by whoever knows the key: the end is not signed with it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (start) => {
        const verdict = await verified(exported(tampering(trail, diceOf(start)).events, otherKey), [], key.publicKey);
        expect(verdict.numberOfBreaks).toBeGreaterThan(0);
        // Null where the deed left an end that cannot be read at all.
        expect(verdict.endIsGenuine).not.toBe(true);
      }),
      { numRuns: 500, seed },
    );
  });
});

describe('an export byte by byte', () => {
  const lines = exported(trail.slice(0, 6));
  const text = lines.join('\n');

  test('another character anywhere in an event or the end is found', async () => {
    const [header = ''] = lines;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: header.length + 1, max: text.length - 1 }),
        fc.constantFrom('0', '1', 'a', 'f', '"', '{', '}', ',', ':', ' ', '\\', '\n', 'é', ''),
        async (at, other) => {
          fc.pre(text[at] !== other);
          const changed = text.slice(0, at) + other + text.slice(at + 1);
          const verdict = await verified(changed.split('\n'), [headOf(trail, 6)], key.publicKey);
          expect(verdict.numberOfBreaks, changed).toBeGreaterThan(0);
        },
      ),
      { numRuns: 3_000, seed },
    );
  });

  test('cut off anywhere, it is found without any head or key', async () => {
    for (let length = (lines[0] ?? '').length; length < text.length; length += 1) {
      expect((await verified(text.slice(0, length).split('\n'))).numberOfBreaks).toBeGreaterThan(0);
    }
  });

  test('with its last line or without a last line feed it is whole', async () => {
    for (const whole of [text, `${text}\n`]) {
      const split = whole.endsWith('\n') ? whole.slice(0, -1).split('\n') : whole.split('\n');
      expect((await verified(split, [headOf(trail, 6)], key.publicKey)).breaks).toEqual([]);
    }
  });
});

describe('a trail that nobody touched', () => {
  test('holds with any heads, each of which proves what comes before it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.subarray([...Array(length + 1).keys()]), async (positions) => {
        const verdict = await verified(
          exported(trail),
          positions.map((position) => headOf(trail, position)),
        );
        expect(verdict.breaks).toEqual([]);
        expect(verdict.heads.map(({ outcome }) => outcome)).toEqual(positions.map(() => 'FITS'));
        expect(verdict.provenThrough).toBe(positions.length === 0 ? null : Math.max(...positions));
        expect(verdict).toMatchObject({ account, events: length, last: { position: length } });
      }),
      { numRuns: 200, seed },
    );
  });

  test('and grown meanwhile holds with the heads of before', async () => {
    const verdict = await verified(exported(trailOf(length + 9)), [headOf(trail, length)]);
    expect(verdict).toMatchObject({ breaks: [], provenThrough: length, last: { position: length + 9 } });
  });

  test('a part of it is verified by the heads of its end, and says where it begins', async () => {
    const after = { position: 10, hash: String(trail[9]?.hash) };
    const part = exported(trail.slice(10), key, after);
    const expectation = { headsOf: () => [headOf(trail, 4), headOf(trail, 16)], publicKey: null };
    const verdict = await verifyExport(part, { ...expectation, after: 10 });
    expect(verdict).toMatchObject({ breaks: [], after: 10, provenThrough: 16 });
    expect(verdict.heads.map(({ outcome }) => outcome)).toEqual(['BEFORE', 'FITS']);
    // As a whole trail, it lacks its beginning, whatever it says of itself.
    const whole = await verifyExport(part, { ...expectation, after: 0 });
    expect(whole.breaks).toEqual([{ kind: 'MISSING', from: 1, to: 10, event: null }]);
    expect(whole.provenThrough).toBeNull();
  });
});
