/** Texts that fit some patterns and as few others as can be, held against all short texts of a small alphabet. */
import { describe, expect, it } from 'vitest';

import { type Glob, matchesGlob, readGlob } from '../../src/policy/globs.js';
import { cutShort, type LeastText, leastTexts } from '../../src/policy/least-texts.js';
import { Draw } from '../fuzz/worlds.js';
import { seed } from './seed.js';

/** Every text of these letters, up to so many; the last letter stands for all that no pattern mentions. */
function textsOf(letters: readonly string[], length: number): string[] {
  if (length === 0) return [''];
  const shorter = textsOf(letters, length - 1);
  return [...shorter, ...shorter.filter((text) => text.length === length - 1).flatMap((text) => letters.map((letter) => text + letter))]; // prettier-ignore
}

const placesOf = (globs: readonly Glob[], text: string): number[] =>
  globs.flatMap((glob, place) => (matchesGlob(glob, text) ? [place] : []));

describe('least texts', () => {
  const draw = new Draw(seed);
  const texts = textsOf(['a', 'b', 'y'], 6);
  const pattern = (): Glob =>
    readGlob(draw.list(1 + draw.below(4), () => draw.one(['a', 'b', '*', '?', '*', 'a'])).join('')); // prettier-ignore

  it('match every text that fits with one that fits no more of what is avoided and no less of what is sought', () => {
    for (let turn = 0; turn < 80; turn += 1) {
      const hold = draw.list(draw.below(3), pattern);
      const avoided = draw.list(draw.below(5), pattern);
      const sought = draw.list(draw.below(3), pattern);
      const useless = draw.below(8);
      const hopeless = (place: number): boolean => place === useless;
      const aim = { hold, avoided, sought, hopeless, mayOccur: () => true };
      const found = [...leastTexts(aim, { left: 1e6 })] as LeastText[];
      const told = JSON.stringify([seed, turn, [hold, avoided, sought].map((list) => list.map((glob) => glob.map((token) => typeof token === 'string' ? token : token.description).join('')))]); // prettier-ignore
      for (const { text, ...fits } of found) {
        expect(placesOf(hold, text), told).toEqual(hold.map((_, place) => place));
        expect([...fits.avoided], told).toEqual(placesOf(avoided, text));
        expect([...fits.sought], told).toEqual(placesOf(sought, text));
        expect(fits.avoided.some(hopeless), told).toBe(false);
      }
      for (const text of texts) {
        const fits = placesOf(avoided, text);
        if (placesOf(hold, text).length < hold.length || fits.some(hopeless)) continue;
        const liked = placesOf(sought, text);
        const served = found.some(
          (one) =>
            one.avoided.every((place) => fits.includes(place)) && liked.every((place) => one.sought.includes(place)),
        );
        expect(served, `${told} ${text}`).toBe(true);
      }
    }
  });

  it('say so when the budget ends first', () => {
    const aim = { hold: [readGlob('a*b*c')], avoided: [readGlob('*a?b*')], sought: [], hopeless: () => false, mayOccur: () => true }; // prettier-ignore
    expect([...leastTexts(aim, { left: 3 })].at(-1)).toBe(cutShort);
  });

  it('are few, whatever is avoided has wildcards', () => {
    const avoided = Array.from({ length: 200 }, (_, i) => readGlob(`*team-${i}*`));
    const aim = { hold: [readGlob('*team-5*')], avoided, sought: [], hopeless: () => false, mayOccur: () => true };
    const found = [...leastTexts(aim, { left: 50_000 })] as LeastText[];
    expect(found.map((one) => one.avoided)).toEqual([[5]]);
  });
});
