/** JSON as it comes: what is refused is known from how it was written, and what is called plain has nothing hidden in it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readJson } from '../../src/http/json-text.js';
import '../policy/seed.js';

/** A value and how it is written: the spelling of texts and numbers, blanks, names given twice. */
interface Written {
  readonly text: string;
  readonly levels: number;
  readonly twice: boolean;
  /** Nothing stands for something else; null: cannot be told, for one number has several spellings. */
  readonly bare: boolean | null;
}

const characters = fc.constantFrom(
  'a',
  'b',
  ':',
  ',',
  '{',
  '}',
  '[',
  ']',
  ' ',
  '"',
  '\\',
  '\n',
  '\0',
  'é',
  '😀',
  '\ud800',
);

/** A string literal: escaped where it must be, and perhaps where it need not. */
const literal = fc
  .tuple(fc.array(fc.tuple(characters, fc.boolean()), { maxLength: 4 }), fc.boolean())
  .map(([pieces, unescaped]) => {
    const written = pieces.map(([piece, escaped]) => {
      const must = piece === '"' || piece === '\\' || piece < ' ' || piece === '\ud800';
      if (!must && (unescaped || !escaped)) return piece;
      return [...Array(piece.length).keys()]
        .map((i) => `\\u${piece.charCodeAt(i).toString(16).padStart(4, '0')}`)
        .join('');
    });
    const text = `"${written.join('')}"`;
    return { text, means: pieces.map(([piece]) => piece).join(''), bare: !text.includes('\\') };
  });

const blank = fc.constantFrom('', '', '', '', '', '', '', '', ' ', '\n\t');
const scalar: fc.Arbitrary<Written> = fc.oneof(
  literal.map(({ text, bare }) => ({ text, levels: 0, twice: false, bare })),
  fc.constantFrom('true', 'false', 'null', '0', '7').map((text) => ({ text, levels: 0, twice: false, bare: true })),
  fc
    .constantFrom('1000', '1e3', '-0', '1.50', '1E400', '123456789012345678901', '5e-324')
    .map((text) => ({ text, levels: 0, twice: false, bare: null })),
);

const { value: written } = fc.letrec<{ value: Written }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.tuple(fc.array(tie('value'), { maxLength: 3 }), blank).map(([items, gap]) => ({
      text: `[${gap}${items.map(({ text }) => text).join(`,${gap}`)}]`,
      levels: 1 + Math.max(0, ...items.map(({ levels }) => levels)),
      twice: items.some(({ twice }) => twice),
      bare: all([gap === '', ...items.map(({ bare }) => bare)]),
    })),
    fc.tuple(fc.array(fc.tuple(literal, tie('value')), { maxLength: 3 }), blank).map(([members, gap]) => {
      const names = members.map(([{ means }]) => means);
      return {
        text: `{${members.map(([name, { text }]) => `${name.text}${gap}:${text}`).join(`${gap},`)}}`,
        levels: 1 + Math.max(0, ...members.map(([, { levels }]) => levels)),
        twice: new Set(names).size < names.length || members.some(([, { twice }]) => twice),
        bare: all([gap === '' || members.length === 0, ...members.flatMap(([name, { bare }]) => [name.bare, bare])]),
      };
    }),
  ),
}));

function all(parts: readonly (boolean | null)[]): boolean | null {
  return parts.includes(false) ? false : parts.includes(null) ? null : true;
}

/** What is refused, told by its message; null when it is taken. */
function refusalOf(text: string): string | null {
  try {
    readJson(text, 'it');
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

describe('JSON as it comes', () => {
  it('is refused where a name is twice in one object, however it is spelled, and only there', () => {
    const counts = { twice: 0, plain: 0, other: 0 };
    fc.assert(
      fc.property(written, ({ text, twice, bare }) => {
        if (twice) {
          counts.twice += 1;
          expect(refusalOf(text), text).toContain('a name twice in one object');
          return;
        }
        const read = readJson(text, 'it');
        expect(read.value, text).toEqual(JSON.parse(text));
        if (bare !== null) expect(read.plain, text).toBe(bare);
        counts[read.plain ? 'plain' : 'other'] += 1;
      }),
      { numRuns: 3_000 },
    );
    expect(Math.min(...Object.values(counts)), JSON.stringify(counts)).toBeGreaterThan(10);
  });

  it('has no text that cannot be stored, where it is plain', () => {
    fc.assert(
      fc.property(written, ({ text, twice }) => {
        if (twice || !text.isWellFormed() || !readJson(text, 'it').plain) return;
        const texts: string[] = [];
        JSON.parse(text, (name, value: unknown) => {
          texts.push(name, String(value));
          return value;
        });
        expect(texts.filter((one) => !one.isWellFormed() || one.includes('\0'))).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('has at most sixty-four levels, whatever else is in it', () => {
    fc.assert(
      fc.property(written, fc.integer({ min: 55, max: 70 }), fc.boolean(), ({ text, levels, twice }, around, lists) => {
        const deep = lists
          ? `${'['.repeat(around)}${text}${']'.repeat(around)}`
          : `${'{"a":'.repeat(around)}${text}${'}'.repeat(around)}`;
        const refusal = refusalOf(deep);
        if (levels + around > 64) expect(refusal).toBe('it is nested deeper than 64 levels; flatten it');
        else if (twice) expect(refusal).toContain('a name twice');
        else expect(refusal).toBeNull();
      }),
      { numRuns: 1_000 },
    );
  });

  it('is refused for a name twice even where the dropped value is shorter than what is kept', () => {
    for (const text of ['{"a":1,"a":"longer than the other"}', '{"":0,"":0}', '{"a":[],"b":{"c":1,"c":1}}']) {
      expect(refusalOf(text), text).toContain('a name twice');
    }
  });

  it('keeps a member named __proto__ as one of its own, and counts it', () => {
    expect(readJson('{"__proto__":{"a":1}}', 'it')).toMatchObject({ plain: true });
    expect(refusalOf('{"__proto__":{"a":1},"__proto__":{"a":1}}')).toContain('a name twice');
  });
});
