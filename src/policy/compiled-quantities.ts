/**
 * Typed values as conditions meet them most of the time, read into plain numbers: whole numbers, instants to the second in
 * UTC, IPv4 addresses. Each reader answers NaN for every other text, which then goes the long way (quantities.ts,
 * addresses.ts); what it does read, it reads as the long way does.
 */

const zero = 48;

/** A whole number of at most 15 digits. */
export function readSmallInteger(text: string): number {
  const negative = text.charCodeAt(0) === 45;
  const from = negative ? 1 : 0;
  if (text.length === from || text.length - from > 15) return NaN;
  let value = 0;
  for (let i = from; i < text.length; i += 1) {
    const digit = text.charCodeAt(i) - zero;
    if (digit < 0 || digit > 9) return NaN;
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}

/** `2026-01-31T08:30:00Z` as milliseconds since 1970; the years 1000 to 9999. */
export function readUtcSecond(text: string): number {
  if (text.length !== 20 || text.charCodeAt(4) !== 45 || text.charCodeAt(7) !== 45 || text.charCodeAt(10) !== 84) {
    return NaN;
  }
  if (text.charCodeAt(13) !== 58 || text.charCodeAt(16) !== 58 || text.charCodeAt(19) !== 90) return NaN;
  const year = pairAt(text, 0) * 100 + pairAt(text, 2);
  const month = pairAt(text, 5);
  const day = pairAt(text, 8);
  const hour = pairAt(text, 11);
  const minute = pairAt(text, 14);
  const second = pairAt(text, 17);
  // The 29th and later depend on the month.
  if (!(year >= 1000 && month >= 1 && month <= 12 && day >= 1 && day <= 28)) return NaN;
  if (!(hour <= 23 && minute <= 59 && second <= 59)) return NaN;
  // Days of the Gregorian calendar, counted from March so that the leap day comes last.
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return ((((era * 146_097 + dayOfEra - 719_468) * 24 + hour) * 60 + minute) * 60 + second) * 1000;
}

/** NaN unless both are digits. */
function pairAt(text: string, at: number): number {
  const tens = text.charCodeAt(at) - zero;
  const ones = text.charCodeAt(at + 1) - zero;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN;
}

/** `192.0.2.1` as a number below 2^32; parts without leading zeros. */
export function readDottedAddress(text: string): number {
  let value = 0;
  let part = -1;
  let parts = 0;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === 46) {
      if (part < 0) return NaN;
      value = value * 256 + part;
      parts += 1;
      part = -1;
      continue;
    }
    const digit = code - zero;
    if (digit < 0 || digit > 9 || part === 0) return NaN;
    part = part < 0 ? digit : part * 10 + digit;
    if (part > 255) return NaN;
  }
  return parts === 3 && part >= 0 ? value * 256 + part : NaN;
}
