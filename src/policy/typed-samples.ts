/**
 * Texts of each typed kind of condition values, such that no condition tells any other text of the kind from all of them:
 * what is listed, and one of each gap between, before and after.
 */
import { type Address, readAddressBlock, writeAddressBlock } from './addresses.js';
import { readDecimal, readInstant } from './quantities.js';

export const typed = ['number', 'date', 'boolean', 'ip'] as const;
/** Every type but text. */
export type TypedValueType = (typeof typed)[number];

/** Longer listed numbers leave no room for one between two of them, which the classes count on. */
const longestSafeNumber = 90;

/** Texts of a type: each listed value, and one of each gap between, before and after them. */
export function textsOfType(
  type: TypedValueType,
  listed: readonly string[],
): { readonly texts: readonly string[]; readonly complete: boolean } {
  switch (type) {
    case 'boolean':
      return { texts: ['true', 'false'], complete: true };
    case 'number':
      return numbersAround(listed);
    case 'date':
      return instantsAround(listed);
    case 'ip':
      return { texts: addressesAround(listed), complete: true };
  }
}

function numbersAround(listed: readonly string[]): { readonly texts: readonly string[]; readonly complete: boolean } {
  const read = listed.map(readDecimal).filter((each) => each !== null);
  const scale = Math.max(0, ...read.map((each) => each.scale)) + 1;
  const points = [...new Set(read.map(({ digits, scale: own }) => digits * 10n ** BigInt(scale - own)))].sort(inOrder);
  const unit = 10n ** BigInt(scale);
  const [first = 0n] = points;
  const values = [...points, first - unit];
  for (const [i, point] of points.entries()) {
    const next = points[i + 1];
    // One digit more than any listed number has: there is always room for one beside it.
    if (next === undefined) values.push(point + unit);
    else values.push(next - point > unit ? nextMultiple(point, unit) : point + 1n);
  }
  const texts = values.map((value) => decimalText(value, scale));
  return { texts: [...listed, ...texts], complete: listed.every((text) => text.length <= longestSafeNumber) };
}

/** The least multiple of a unit above a number. */
function nextMultiple(above: bigint, unit: bigint): bigint {
  const beyond = ((above % unit) + unit) % unit;
  return above - beyond + unit;
}

function decimalText(value: bigint, scale: number): string {
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0');
  const fraction = digits.slice(-scale).replace(/0+$/, '');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -scale)}${fraction === '' ? '' : `.${fraction}`}`;
}

function inOrder(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function instantsAround(listed: readonly string[]): { readonly texts: readonly string[]; readonly complete: boolean } {
  const second = 1_000_000_000n;
  const points = [...new Set(listed.map(readInstant).filter((each) => each !== null))].sort(inOrder);
  const [first = 0n] = points;
  const around = [first - second];
  for (const [i, point] of points.entries()) {
    const next = points[i + 1];
    around.push(point, next === undefined || next - point > second ? point + second : point + 1n);
  }
  const texts = around.map(instantText).filter((text) => readInstant(text) !== null);
  // At the ends of the calendar a gap may have no text, or one that only an offset can write.
  const safe = listed.every((text) => !/^(000\d|999\d)/.test(text));
  return { texts: [...listed, ...texts], complete: safe };
}

/** An instant in UTC, to the nanosecond where it needs it. */
function instantText(instant: bigint): string {
  const second = 1_000_000_000n;
  const nanoseconds = ((instant % second) + second) % second;
  const seconds = (instant - nanoseconds) / second;
  const day = 86_400n;
  const time = ((seconds % day) + day) % day;
  const { year, month, date } = dateOf(Number((seconds - time) / day));
  const pad = (value: number | bigint, length: number): string => String(value).padStart(length, '0');
  const clock = `${pad(time / 3600n, 2)}:${pad((time / 60n) % 60n, 2)}:${pad(time % 60n, 2)}`;
  const fraction = nanoseconds === 0n ? '' : `.${pad(nanoseconds, 9)}`;
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(date, 2)}T${clock}${fraction}Z`;
}

/** The Gregorian date of a day counted from 1970-01-01. */
function dateOf(days: number): { year: number; month: number; date: number } {
  // Years that begin in March have their leap day at the end; eras of 400 years are all alike.
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const ofEra = shifted - era * 146_097;
  const year = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  );
  const ofYear = ofEra - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  const marchMonth = Math.floor((5 * ofYear + 2) / 153);
  const date = ofYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return { year: year + era * 400 + (month <= 2 ? 1 : 0), month, date };
}

/** Where a block begins and where it has just ended: between these, no block tells addresses apart. */
function addressesAround(listed: readonly string[]): readonly string[] {
  const afterMapped = 0x1_0000n << 32n;
  const points: Address[] = [
    { bits: 32, value: 0n },
    { bits: 128, value: 0n },
    // Addresses before it that carry an IPv4 one are not of the IPv6 family.
    { bits: 128, value: afterMapped },
  ];
  for (const text of listed) {
    const block = readAddressBlock(text);
    if (block === null) continue;
    const { bits } = block;
    const size = 1n << BigInt(bits - block.prefix);
    const begin = (block.value / size) * size;
    points.push({ bits, value: begin });
    if (begin + size < 1n << BigInt(bits)) points.push({ bits, value: begin + size });
  }
  return points.map((point) => writeAddressBlock({ ...point, prefix: point.bits }));
}
