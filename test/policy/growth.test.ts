/**
 * Steps of the matchers, counted: never more than pattern × text, whatever the two are. Tokens are read once a step, so a list that
 * counts how often it is read counts the steps. Times are measured by `npm run bench:growth`.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGlob } from '../../src/policy/compiled-texts.js';
import { type Glob, globsOverlap, matchesGlob, readGlob } from '../../src/policy/globs.js';
import './seed.js';

interface Counter {
  steps: number;
}

/** The list, and every list that is made from it by filtering, counts the reading of its items. */
function counted(glob: Glob, counter: Counter): Glob {
  const handler: ProxyHandler<Glob[number][]> = {
    get(target, property, receiver): unknown {
      if (property === 'constructor') return { [Symbol.species]: Counting };
      if (typeof property === 'string' && /^\d+$/.test(property)) counter.steps += 1;
      return Reflect.get(target, property, receiver);
    },
  };
  function Counting(): Glob {
    return new Proxy<Glob[number][]>([], handler);
  }
  return new Proxy([...glob], handler);
}

function stepsOf(pattern: string, text: string, matches: (glob: Glob, text: string) => boolean): number {
  const counter = { steps: 0 };
  matches(counted(readGlob(pattern), counter), text);
  return counter.steps;
}

const matchers = [
  ['the reference form', matchesGlob],
  ['the compiled form', (glob: Glob, text: string) => compileGlob(glob)(text)],
] as const;

const times = (text: string, characters: number): string => text.repeat(characters).slice(0, characters);

/** The compiled form looks through the tokens some times beforehand. */
const mostSteps = (pattern: number, text: number): number => (pattern + 1) * (text + 1) + 12 * (pattern + 1);

/** A pattern and a text of a size, with nearly a fit at every place. */
const dear: readonly (readonly [what: string, pattern: (n: number) => string])[] = [
  ['one star and nearly the text', (n) => `*${times('a', n / 2)}?b`],
  ['a star in the middle as well', (n) => `*${times('a', n / 2)}?b*c`],
  ['stars and single wildcards by turns', (n) => `${times('*?a', n)}b`],
  ['single wildcards', (n) => times('?', n)],
  ['pieces that grow', (n) => `*${times('a?ab*aaa?ab*aaaaaa?ab*', n)}c`],
];

describe('steps of matching', () => {
  const wild = fc.string({ unit: fc.constantFrom('a', 'a', 'b', '*', '?', '😀'), maxLength: 60 });
  const text = fc.string({ unit: fc.constantFrom('a', 'a', 'a', 'b', '😀'), maxLength: 60 });

  it.each(matchers)('%s takes at most as many as pattern × text', (_form, matches) => {
    fc.assert(
      fc.property(wild, text, (pattern, value) => {
        const [p, t] = [Array.from(pattern).length, Array.from(value).length];
        expect(stepsOf(pattern, value, matches)).toBeLessThanOrEqual(mostSteps(p, t));
      }),
      { numRuns: 3_000 },
    );
  });

  it.each(matchers.flatMap(([form, matches]) => dear.map(([what, pattern]) => ({ form, what, pattern, matches }))))(
    '$form: twice the pattern and twice the text, $what, takes at most four times as many',
    ({ pattern, matches }) => {
      const steps = [64, 128, 256, 512].map((n) => stepsOf(pattern(n), times('a', n), matches));
      expect(steps.at(-1)).toBeLessThanOrEqual(mostSteps(pattern(512).length, 512));
      for (const [i, some] of steps.slice(1).entries()) expect(some / (steps[i] ?? 0)).toBeLessThan(4.2);
    },
  );

  it.each(matchers)(
    '%s does take a part of them on the dearest, so that the bound is no empty one',
    (_form, matches) => {
      expect(stepsOf(`*${times('a', 256)}?b`, times('a', 512), matches)).toBeGreaterThan((256 * 512) / 4);
    },
  );

  it('of two patterns that may overlap are looked at once for each pair of places', () => {
    fc.assert(
      fc.property(wild, wild, (a, b) => {
        const counter = { steps: 0 };
        globsOverlap(counted(readGlob(a), counter), counted(readGlob(b), counter));
        expect(counter.steps).toBeLessThanOrEqual(2 * (Array.from(a).length + 1) * (Array.from(b).length + 1));
      }),
      { numRuns: 500 },
    );
  });
});
