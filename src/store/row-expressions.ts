/**
 * What policies say of rows of the register, as SQL that means exactly the same on every database: letter case counts, a
 * character is a code point, and only wildcards of the pattern are wildcards. Every test answers true or false, never
 * NULL, so that its negation is its opposite.
 */
import type { RowExpression, RowTest } from '../iam/index.js';
import type { Pattern } from '../policy/index.js';
import { property } from './rows.js';
import { all, always, among, any, byDialect, canBeStored, never, raw, sql, type Sql } from './sql.js';
import { tagKeyLine, tagLine, tagValue } from './tag-lines.js';

/** Values of one tag that are looked for one by one; more are looked up in a list. */
const fewValues = 4;

/** Terms that stand side by side; more are put in brackets, because SQLite takes a thousand in one row for a thousand deep. */
const sideBySide = 32;

export function rowExpression(row: string, expression: RowExpression): Sql {
  switch (expression.kind) {
    case 'EVERY':
      return always;
    case 'NONE':
      return never;
    case 'NOT':
      return sql`NOT ${rowExpression(row, expression.of)}`;
    case 'ALL':
      return joined(
        all,
        expression.of.map((part) => rowExpression(row, part)),
      );
    case 'ANY':
      return joined(
        any,
        expression.of.map((part) => rowExpression(row, part)),
      );
    case 'TEST':
      return rowTest(row, expression.test);
  }
}

function joined(join: (conditions: readonly Sql[]) => Sql, conditions: readonly Sql[]): Sql {
  if (conditions.length <= sideBySide) return join(conditions);
  const half = conditions.length >> 1;
  return join([joined(join, conditions.slice(0, half)), joined(join, conditions.slice(half))]);
}

function rowTest(row: string, test: RowTest): Sql {
  switch (test.about) {
    case 'KIND':
      return sql`(${among(property(row, 'kind'), test.oneOf)})`;
    case 'OWNER':
      return sql`(${property(row, 'ownerId')} IS NOT NULL AND ${property(row, 'ownerId')} = ${test.id})`;
    case 'REGISTERED_BY':
      return sql`(${property(row, 'registeredBy')} = ${test.id})`;
    case 'URN':
      return urnFits(property(row, 'urn'), property(row, 'urnPath'), test.segments);
    case 'TAG':
      return tagFits(property(row, 'tagsKey'), test.key, test.fits);
    case 'TAG_ABSENT':
      return sql`(${placeOf(property(row, 'tagsKey'), sql`${tagKeyLine(test.key)}`)} = 0)`;
  }
}

/**
 * Each segment fits its pattern. Only the first four colons cut, and no wildcard reaches across one of them: so segments are
 * cut out and compared one by one, but for those that are plain text, which are compared with their
 * colons, and for the path, which has a column of its own.
 */
function urnFits(urn: Sql, path: Sql, segments: readonly Pattern[]): Sql {
  if (!segments.every(isStorable)) return never;
  // What a variable stands for may hold a colon; compared with its colons it would be found across two segments.
  if (segments.slice(0, -1).some(holdsColon)) return never;
  const conditions: Sql[] = [];
  /** Where the next segment begins, from 1. */
  let start = sql`1`;
  /** Plain segments from there on, each with its colon. */
  let plain = '';
  const comparePlain = (ofService: boolean) => {
    if (plain === '') return;
    const length = lengthOf(plain);
    const text = sql`substr(${urn}, ${start}, ${length})`;
    conditions.push(sql`${ofService ? sql`lower(${text})` : text} = ${plain}`);
    start = sql`${start} + ${length}`;
    plain = '';
  };
  for (const [i, pattern] of segments.slice(0, -1).entries()) {
    const text = plainText(pattern);
    if (text !== null) {
      plain += `${text}:`;
      // The service alone has no letter case, in ASCII alone: no service has other letters.
      if (i === 0) comparePlain(true);
      continue;
    }
    comparePlain(false);
    const rest = sql`substr(${urn}, ${start})`;
    const colon = placeOf(rest, sql`${':'}`);
    const segment = sql`substr(${urn}, ${start}, ${colon} - 1)`;
    conditions.push(fits(i === 0 ? sql`lower(${segment})` : segment, pattern));
    start = sql`${start} + ${colon}`;
  }
  comparePlain(false);
  conditions.push(fits(path, segments.at(-1) ?? []));
  return all(conditions.filter((condition) => condition !== always));
}

function holdsColon(pattern: Pattern): boolean {
  return pattern.some((part) => typeof part === 'string' && part.includes(':'));
}

/** Some of the patterns fits the value of the tag; false where it has none. */
function tagFits(lines: Sql, key: string, patterns: readonly Pattern[]): Sql {
  const storable = patterns.filter(isStorable);
  const values = storable.map(plainText).filter((text) => text !== null);
  const beginnings = storable.map(beginningOf).filter((text) => text !== null);
  const others = storable.filter((pattern) => plainText(pattern) === null && beginningOf(pattern) === null);
  const begin = tagKeyLine(key);
  const place = placeOf(lines, sql`${begin}`);
  const rest = sql`substr(${lines}, ${place} + ${lengthOf(begin)})`;
  /** The value as it is written in the line. */
  const written = sql`substr(${rest}, 1, ${placeOf(rest, sql`${'\n'}`)} - 1)`;
  const isThere = sql`${place} > 0`;
  const valueFits =
    values.length <= fewValues
      ? values.map((value) => sql`${placeOf(lines, sql`${tagLine(key, value)}`)} > 0`)
      : [all([isThere, among(written, values.map(tagValue))])];
  // Characters are escaped one by one, so that a text begins as its escaped form does.
  const begins = beginnings.map((text) => sql`${placeOf(lines, sql`${`${begin}${tagValue(text).slice(0, -1)}`}`)} > 0`);
  const found = any([...valueFits, ...begins]);
  if (others.length === 0) return found;
  const value = byDialect({ sqlite: sql`json_extract(${written}, '$')`, postgres: sql`(${written})::jsonb #>> '{}'` });
  const patternFits = any(others.map((pattern) => fits(sql`(${value})`, pattern)));
  // What is no line is no JSON: it must not be read.
  return any([found, sql`CASE WHEN ${isThere} THEN ${patternFits} ELSE FALSE END`]);
}

function fits(text: Sql, pattern: Pattern): Sql {
  const plain = plainText(pattern);
  if (plain !== null) return sql`${text} = ${plain}`;
  if (pattern.length === 1 && pattern.every((part) => typeof part === 'object' && part.any === 'RUN')) return always;
  return byDialect({
    // In GLOB a class of one character is that character.
    sqlite: sql`${text} GLOB ${written(pattern, '*', '?', (part) => part.replace(/[*?[]/g, '[$&]'))}`,
    postgres: sql`${text} LIKE ${written(pattern, '%', '_', (part) => part.replace(/[\\%_]/g, '\\$&'))} ESCAPE '\\'`,
  });
}

function written(pattern: Pattern, run: string, one: string, escape: (part: string) => string): string {
  return pattern.map((part) => (typeof part === 'string' ? escape(part) : part.any === 'RUN' ? run : one)).join('');
}

/** The one text that fits; null for a pattern with wildcards. */
function plainText(pattern: Pattern): string | null {
  return pattern.every((part) => typeof part === 'string') ? pattern.join('') : null;
}

/** What every text that fits begins with and may go on from as it likes; null for a pattern of another form. */
function beginningOf(pattern: Pattern): string | null {
  const [text, run, ...rest] = pattern;
  return typeof text === 'string' && typeof run === 'object' && run.any === 'RUN' && rest.length === 0 ? text : null;
}

/** What no database can hold, no row has: a test for it is not asked. */
function isStorable(pattern: Pattern): boolean {
  return pattern.every((part) => typeof part !== 'string' || canBeStored(part));
}

/** Place of a text in another, from 1; 0 when it is not there. */
function placeOf(text: Sql, part: Sql): Sql {
  return byDialect({ sqlite: sql`instr(${text}, ${part})`, postgres: sql`strpos(${text}, ${part})` });
}

/** In characters, as databases count. Ours alone, so it may stand in the text of a statement. */
function lengthOf(text: string): Sql {
  return raw(String(Array.from(text).length));
}
