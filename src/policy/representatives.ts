/**
 * Values of one key that make every difference which a few conditions on it can tell.
 *
 * Texts that are compared whole, truth values and plain decimals can be listed so: each listed value, what lies between
 * them, and something else. Of patterns, addresses and times some values are listed, and not all: `complete` says so.
 */
import { requestValueReads } from './conditions.js';
import type { RequestContext } from './context.js';
import { type OperatorUse, readOperator } from './operators.js';
import { compareDecimals, readDecimal } from './quantities.js';
import { readTemplate, resolveTemplate, templateText } from './templates.js';

/** One way in which tests come out. */
export interface Way {
  /** By the order of the tests. */
  readonly truths: readonly boolean[];
  /** Whether some value is known to bring it about. */
  readonly real: boolean;
}

interface Listed {
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
}

/** One of each type: whatever a key's values must read as, it can be there. */
const plain = ['true', '0', '192.0.2.7', '2020-01-01T00:00:00Z'];

/** Values that are combined with each other, where a key may have several. */
const mostMembers = 10;

/** A text that nobody lists, and that reads as nothing but text. */
const unlisted = '\u2402elsewhere';

/**
 * Ways in which conditions on one open key come out, over all that it may come to: nothing, a value, several.
 *
 * @param meets whether a condition holds where the key has these values; null: it is absent
 */
export function waysOf<C extends Listed>(
  conditions: readonly C[],
  context: RequestContext,
  { single, accepts }: { readonly single: boolean; readonly accepts: (value: string) => boolean },
  meets: (condition: C, values: readonly string[] | null) => boolean,
): { readonly ways: readonly Way[]; readonly complete: boolean } {
  const uses = conditions.map(({ operator }) => readOperator(operator));
  const listed = conditions.flatMap(({ values }, i) =>
    isPresence(uses[i]) ? [] : values.map((text) => textOf(text, context)),
  );
  const texts = [...new Set(listed.filter((text) => text !== null))];
  const { values, complete } = representatives(texts, uses);

  const ways = new Map<string, Way>();
  const add = (chosen: readonly string[] | null): string => {
    const truths = conditions.map((condition) => meets(condition, chosen));
    const key = truths.join();
    ways.set(key, { truths, real: true });
    return key;
  };
  add(null);
  // Values that no test tells apart, alone or beside others, are one.
  const types = uses.flatMap((use) => (use == null || isPresence(use) ? [] : [use.operator.valueType]));
  const members = new Map<string, string>();
  for (const value of [...values, ...plain].filter(accepts)) {
    const reads = types.map((type) => requestValueReads(type, value)).join();
    members.set(`${add([value])} ${reads} ${value === ''}`, value);
  }
  if (single) return { ways: [...ways.values()], complete };
  const distinct = [...members.values()];
  if (distinct.length > mostMembers) return { ways: [...ways.values()], complete: false };
  for (let bits = 1; bits < 2 ** distinct.length; bits++) add(distinct.filter((_, i) => ((bits >> i) & 1) === 1));
  return { ways: [...ways.values()], complete };
}

function isPresence(use: OperatorUse | null | undefined): boolean {
  return use?.operator.comparison === 'ABSENT' || use?.operator.comparison === 'ABSENT_OR_EMPTY';
}

/** A listed value as it is compared; null for one that cannot be read or resolved, and then it agrees with nothing. */
function textOf(text: string, context: RequestContext): string | null {
  const { template } = readTemplate(text);
  if (template === null) return null;
  const { template: resolved, missing, problems } = resolveTemplate(template, context);
  return missing.length > 0 || problems.length > 0 ? null : templateText(resolved);
}

function representatives(
  texts: readonly string[],
  uses: readonly (OperatorUse | null)[],
): { readonly values: readonly string[]; readonly complete: boolean } {
  const comparing = uses.flatMap((use) => (use === null || isPresence(use) ? [] : [use.operator]));
  const types = new Set(comparing.map(({ valueType }) => valueType));
  const kinds = new Set(comparing.map(({ comparison }) => comparison));
  const usual = ['', unlisted, ...texts];
  if (types.size === 0) return { values: usual, complete: true };
  if (types.size > 1) return { values: [...usual, ...texts.map(sampleOf)], complete: false };
  if (types.has('boolean')) return { values: [...usual, 'true', 'false'], complete: true };
  if (types.has('number')) return decimals(texts, usual);
  const whole = kinds.size === 1 && (kinds.has('EQUALS') || kinds.has('EQUALS_IGNORING_CASE'));
  if (types.has('string') && whole) return { values: usual, complete: true };
  return { values: [...usual, ...texts.map(sampleOf), '192.0.2.7', '2001:db8::7'], complete: false };
}

/** Some value that a pattern, or the block of an address, fits. */
function sampleOf(text: string): string {
  return text.replace(/\/\d+$/, '').replace(/[*?]/g, 'x');
}

/** Each decimal, and one between any two neighbours. */
function decimals(
  texts: readonly string[],
  usual: readonly string[],
): { readonly values: readonly string[]; readonly complete: boolean } {
  const plain = texts.every((text) => /^-?\d{1,15}(\.\d{1,15})?$/.test(text));
  if (!plain) return { values: [...usual, '0'], complete: false };
  // One digit finer than anything listed: just above and just below each.
  const step = 10n ** 16n;
  const near = texts.flatMap((text) => {
    const [whole = '0', fraction = ''] = text.replace('-', '').split('.');
    const size = BigInt(whole) * step + BigInt(fraction.padEnd(16, '0'));
    const scaled = text.startsWith('-') ? -size : size;
    return [scaled - 1n, scaled + 1n].map((one) => {
      const digits = String(one < 0n ? -one : one).padStart(17, '0');
      return `${one < 0n ? '-' : ''}${digits.slice(0, -16)}.${digits.slice(-16)}`;
    });
  });
  const values = [...usual, ...near, '0'];
  return { values, complete: near.every(readsRight) };
}

function readsRight(text: string): boolean {
  const read = readDecimal(text);
  return read !== null && compareDecimals(read, read) === 0;
}
