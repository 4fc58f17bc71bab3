/**
 * Typed values in conditions: numbers, instants, booleans. All are exact: two texts are equal iff they mean the same.
 */

/** A decimal number as `digits × 10^-scale`. */
export interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

/** Digits that a number may have. Far above any real value; it keeps the cost of a comparison bounded. */
const longestNumber = 100;

/**
 * A finite decimal: optional minus, digits, optionally a point and more digits. No exponent, no plus, no spaces, no
 * grouping; null for anything else. Not read as floating point, in which `9007199254740993` equals its neighbour.
 */
export function readDecimal(text: string): Decimal | null {
  if (text.length > longestNumber) return null;
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? [];
  if (whole === undefined) return null;
  const digits = BigInt(whole + fraction);
  return { digits: sign === '-' ? -digits : digits, scale: fraction.length };
}

/** Negative, zero or positive as `a` is below, equal to or above `b`. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const scale = Math.max(a.scale, b.scale);
  const left = a.digits * 10n ** BigInt(scale - a.scale);
  const right = b.digits * 10n ** BigInt(scale - b.scale);
  return left < right ? -1 : left > right ? 1 : 0;
}

/**
 * An ISO 8601 instant as nanoseconds since 1970, or null.
 *
 * `2026-01-31T08:30:00Z`, with one to nine digits of fraction if wanted; an offset (`+02:00`) may stand for `Z`; a date
 * alone is its midnight in UTC. Hours end at 23, seconds at 59 (no leap second), days are those of the month. Letters
 * are upper case. Epoch seconds are refused: nothing tells them from milliseconds, a factor of a thousand in an expiry.
 */
export function readInstant(text: string): bigint | null {
  const match = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d)))?$/.exec(text);
  if (match === null) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((digits: string | undefined) => Number(digits ?? 0));
  const [offsetHour = 0, offsetMinute = 0] = match
    .slice(9, 11)
    .map((digits: string | undefined) => Number(digits ?? 0));
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return null;
  if (hour > 23 || minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59) return null;
  const offset = (offsetHour * 60 + offsetMinute) * (match[8] === '-' ? -1 : 1);
  const seconds = ((daysSinceEpoch(year, month, day) * 24 + hour) * 60 + minute - offset) * 60 + second;
  return BigInt(seconds) * 1_000_000_000n + BigInt((match[7] ?? '').padEnd(9, '0'));
}

/** `true` or `false` in any letter case; null for anything else. Clients write `True` too, and a Deny must not miss it. */
export function readBoolean(text: string): boolean | null {
  const lower = text.toLowerCase();
  return lower === 'true' ? true : lower === 'false' ? false : null;
}

function isLeapYear(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return isLeapYear(year) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** Days from 1970-01-01 to a date of the Gregorian calendar carried back to year 0. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  let days = day - 1;
  for (let earlier = 1; earlier < month; earlier += 1) days += daysInMonth(year, earlier);
  const before = year - 1;
  // Whole years before this one since year 0, itself a leap year of 366 days; 719,528 days lie between it and 1970.
  const leapDays = year === 0 ? 0 : Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400) + 1;
  return days + year * 365 + leapDays - 719_528;
}
