/**
 * Values that a key could take to make conditions on it come out one way or the other: what they list, what lies next to
 * that, what fits two of them at once, and none at all. Enough of them that whatever can be reached by changing keys is
 * reached by these, and few.
 */
import { type AddressBlock, liesIn, readAddress, readAddressBlock, writeAddressBlock } from './addresses.js';
import type { RequestContext } from './context.js';
import type { Condition } from './document.js';
import { anyOne, anyRun, type Glob, literalGlob } from './globs.js';
import { type Operator, type OperatorValueType, readOperator } from './operators.js';
import { type Decimal, readDecimal, readInstant } from './quantities.js';
import { readTemplate, resolveTemplate, type Template, templateGlob, templateText } from './templates.js';

/** Values of one key: a request has all of one list at once; the empty list stands for a key that is absent. */
export type KeyValues = readonly string[];

/** Listed values that are looked at for one key. */
const mostListed = 40;

/** Patterns of which each pair is looked at. */
const mostPaired = 8;

interface Listed {
  readonly operator: Operator;
  readonly asSet: boolean;
  readonly template: Template;
}

/** Values for one key, those that say most to a reader first: listed ones, then what lies beside them, absence last. */
export function valuesFor(conditions: readonly Condition[], context: RequestContext): readonly KeyValues[] {
  const listed = listedBy(conditions, context);
  const ofType = (type: OperatorValueType): readonly Listed[] =>
    listed.filter(({ operator }) => operator.valueType === type && !isPresence(operator));
  const texts = [
    ...textValues(ofType('string')),
    ...(ofType('boolean').length > 0 ? ['true', 'false'] : []),
    ...numberValues(ofType('number').map(({ template }) => templateText(template))),
    ...dateValues(ofType('date').map(({ template }) => templateText(template))),
    ...addressValues(ofType('ip').map(({ template }) => templateText(template))),
    // Where only presence is asked for, any text does.
    ...(listed.every(({ operator }) => isPresence(operator)) ? ['x'] : []),
  ];
  const single = [...new Set(texts)].map((text) => [text]);
  const sets = listed.some(({ asSet }) => asSet) ? setsOf(single.slice(0, mostPaired)) : [];
  return [...single, ...sets, []];
}

function listedBy(conditions: readonly Condition[], context: RequestContext): readonly Listed[] {
  const listed: Listed[] = [];
  for (const condition of conditions) {
    listed.push(...readListed(condition, context));
    if (listed.length >= mostListed) break;
  }
  return listed.slice(0, mostListed);
}

function isPresence({ comparison }: Operator): boolean {
  return comparison === 'ABSENT' || comparison === 'ABSENT_OR_EMPTY';
}

function readListed({ operator, values }: Condition, context: RequestContext): readonly Listed[] {
  const use = readOperator(operator);
  if (use === null) return [];
  const asSet = use.prefix !== null || operator.includes('AnyOf');
  return values.flatMap((text) => {
    const { template } = readTemplate(text);
    if (template === null) return [];
    const resolved = resolveTemplate(template, context);
    const told = resolved.missing.length + resolved.problems.length === 0;
    return told ? [{ operator: use.operator, asSet, template: resolved.template }] : [];
  });
}

function setsOf(single: readonly KeyValues[]): readonly KeyValues[] {
  return single.flatMap((one, i) => single.slice(i + 1).map((other) => [...one, ...other]));
}

/** Texts that fit each pattern, that fit two of them, and one that fits none. */
function textValues(listed: readonly Listed[]): readonly string[] {
  if (listed.length === 0) return [];
  const globs = listed.map(({ operator, template }) => globOf(operator, template));
  const own = globs.flatMap((glob) => ['', 'x', 'other'].map((filling) => fill(glob, filling)));
  const paired = globs.slice(0, mostPaired);
  const both = paired.flatMap((glob, i) =>
    paired.slice(i + 1).flatMap((other) => {
      const meeting = meetingOf(glob, other);
      return meeting === null ? [] : [fill(meeting, ''), fill(meeting, 'x')];
    }),
  );
  const cased = listed.some(({ operator }) => operator.comparison === 'EQUALS_IGNORING_CASE')
    ? own.flatMap((text) => [text.toUpperCase(), text.toLowerCase()])
    : [];
  return [...own, ...both, ...cased, 'other', 'another'].filter((text) => text !== '');
}

function globOf({ comparison }: Operator, template: Template): Glob {
  if (comparison === 'FITS_PATTERN') return templateGlob(template);
  const text = literalGlob(templateText(template));
  return comparison === 'STARTS_WITH' ? [...text, anyRun] : comparison === 'ENDS_WITH' ? [anyRun, ...text] : text;
}

function fill(glob: Glob, filling: string): string {
  return glob
    .map((token) => (token === anyRun ? filling : token === anyOne ? filling.charAt(0) || 'x' : token))
    .join('');
}

/** A pattern that fits only what both fit, or null; longest ones are not looked at. */
function meetingOf(a: Glob, b: Glob): Glob | null {
  if (a.length * b.length > 4_096) return null;
  const dead = new Set<number>();
  const walk = (i: number, j: number): Glob | null => {
    const at = i * (b.length + 1) + j;
    if (dead.has(at)) return null;
    const left = a[i];
    const right = b[j];
    let found: Glob | null = null;
    if (left === undefined && right === undefined) found = [];
    else if (left === anyRun && right === anyRun) {
      const rest = walk(i + 1, j) ?? walk(i, j + 1);
      found = rest === null ? null : rest[0] === anyRun ? rest : [anyRun, ...rest];
    } else if (left === anyRun)
      found = walk(i + 1, j) ?? (right === undefined ? null : prefixed(right, walk(i, j + 1)));
    else if (right === anyRun) found = walk(i, j + 1) ?? (left === undefined ? null : prefixed(left, walk(i + 1, j)));
    else if (left !== undefined && right !== undefined && (left === anyOne || right === anyOne || left === right)) {
      found = prefixed(left === anyOne ? right : left, walk(i + 1, j + 1));
    }
    if (found === null) dead.add(at);
    return found;
  };
  return walk(0, 0);
}

function prefixed(token: Glob[number], rest: Glob | null): Glob | null {
  return rest === null ? null : [token, ...rest];
}

/** Each number, what lies between two that follow each other, and what lies beyond the least and the greatest. */
function numberValues(texts: readonly string[]): readonly string[] {
  const read = texts.map(readDecimal).filter((one): one is Decimal => one !== null);
  if (read.length === 0) return [];
  // One more place than any has, so that there is a number between two.
  const scale = Math.max(...read.map((one) => one.scale)) + 1;
  const scaled = read.map(({ digits, scale: own }) => digits * 10n ** BigInt(scale - own));
  const unit = 10n ** BigInt(scale);
  return around(scaled, unit).map((value) => writeDecimal(value, scale));
}

function writeDecimal(value: bigint, scale: number): string {
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0');
  const fraction = digits.slice(-scale).replace(/0+$/, '');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -scale)}${fraction === '' ? '' : `.${fraction}`}`;
}

const second = 1_000_000_000n;

function dateValues(texts: readonly string[]): readonly string[] {
  const read = texts.map(readInstant).filter((one): one is bigint => one !== null);
  return around(read, second).flatMap(writeInstant);
}

/** As the documents write it; years that take more than four digits are not written. */
function writeInstant(value: bigint): string[] {
  const nanoseconds = ((value % second) + second) % second;
  const seconds = (value - nanoseconds) / second;
  const day = ((seconds % 86_400n) + 86_400n) % 86_400n;
  const [year, month, date] = civilDate(Number((seconds - day) / 86_400n));
  if (year < 0 || year > 9_999) return [];
  const two = (number: number | bigint): string => String(number).padStart(2, '0');
  const time = `${two(day / 3_600n)}:${two((day / 60n) % 60n)}:${two(day % 60n)}`;
  const fraction = nanoseconds === 0n ? '' : `.${String(nanoseconds).padStart(9, '0').replace(/0+$/, '')}`;
  return [`${String(year).padStart(4, '0')}-${two(month)}-${two(date)}T${time}${fraction}Z`];
}

/** Year, month and day of a number of days since 1970, counted in eras of 400 years that begin in March. */
function civilDate(days: number): readonly [year: number, month: number, day: number] {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const ofEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1_460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  );
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * ofYear + 2) / 153);
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  return [yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, ofYear - Math.floor((153 * fromMarch + 2) / 5) + 1];
}

/** The values, one unit beyond each where another does not lie nearer, and the middles between neighbours. */
function around(values: readonly bigint[], unit: bigint): readonly bigint[] {
  const sorted = [...new Set(values)].sort((a, b) => (a < b ? -1 : 1));
  const found: bigint[] = [...sorted];
  for (const [i, value] of sorted.entries()) {
    const next = sorted[i + 1];
    const previous = sorted[i - 1];
    if (next === undefined || next - value > unit) found.push(value + unit);
    else if (next - value > 1n) found.push(value + (next - value) / 2n);
    if (previous === undefined || value - previous > unit) found.push(value - unit);
  }
  return [...new Set(found)];
}

/** An address inside each block, just before it and just after it: with nested blocks each difference has one of them. */
function addressValues(texts: readonly string[]): readonly string[] {
  const blocks = texts.map(readAddressBlock).filter((block): block is AddressBlock => block !== null);
  if (blocks.length === 0) return [];
  const inside: string[] = [];
  const beside: string[] = [];
  for (const block of blocks) {
    const size = 1n << BigInt(block.bits - block.prefix);
    const first = (block.value / size) * size;
    const write = (value: bigint): string[] =>
      value < 0n || value >= 1n << BigInt(block.bits)
        ? []
        : [writeAddressBlock({ ...block, value, prefix: block.bits })];
    // The first of a block is its name, not a host of it.
    inside.push(...(size > 2n ? write(first + 1n) : []), ...write(first), ...write(first + size - 1n));
    beside.push(...write(first + size), ...write(first - 1n));
  }
  const elsewhere = ['192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1'].filter((text) => {
    const address = readAddress(text);
    return address !== null && !blocks.some((block) => liesIn(address, block));
  });
  return [...inside, ...elsewhere, ...beside];
}
