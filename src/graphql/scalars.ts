/** Scalars of the API. Times are RFC 3339 in UTC outside and milliseconds since 1970 inside. */
import { GraphQLError, GraphQLScalarType, Kind, print, type ValueNode } from 'graphql';
import type { Instant } from '../iam/index.js';

const rfc3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})$/;

function parseInstant(value: unknown): Instant {
  const match = typeof value === 'string' ? rfc3339.exec(value) : null;
  const at = match === null ? NaN : Date.parse(String(value).toUpperCase());
  if (match === null || Number.isNaN(at) || !isCalendarDay(Number(match[1]), Number(match[2]), Number(match[3]))) {
    throw new GraphQLError('a timestamp is written as in RFC 3339, for instance `2030-01-31T08:00:00Z`');
  }
  return at;
}

/** JavaScript reads the 30th of February as the 2nd of March. */
function isCalendarDay(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(2000, month - 1, day));
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/** Of times that were written lately: writing one takes longer than all else that a list does with it. */
const written = new Map<Instant, string>();
const mostWritten = 10_000;

function textOf(instant: Instant): string {
  const known = written.get(instant);
  if (known !== undefined) return known;
  const text = new Date(instant).toISOString();
  if (written.size === mostWritten) written.clear();
  written.set(instant, text);
  return text;
}

export const DateTime = new GraphQLScalarType<Instant, string>({
  name: 'DateTime',
  description:
    'Timestamp as in RFC 3339, always answered in UTC with milliseconds: `2030-01-31T08:00:00.000Z`. Inputs may name another offset.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339',
  serialize: (value) => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
      throw new GraphQLError('a timestamp inside the server is a whole number of milliseconds');
    }
    return textOf(value);
  },
  parseValue: parseInstant,
  parseLiteral: (node) => parseInstant(node.kind === Kind.STRING ? node.value : null),
});

/** Deeper JSON is refused: nothing here needs it, and what reads it may recurse. */
const deepest = 64;

export const JsonValue = new GraphQLScalarType<unknown, unknown>({
  name: 'JSON',
  description: `Any JSON value, at most ${deepest} levels deep.`,
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc8259',
  serialize: (value) => value,
  parseValue: (value) => {
    checkDepth(value, 0);
    return value;
  },
  parseLiteral: (node, variables) => literal(node, variables ?? {}, 0),
});

function checkDepth(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth >= deepest) throw tooDeep();
  for (const member of Object.values(value)) checkDepth(member, depth + 1);
}

function literal(node: ValueNode, variables: Readonly<Record<string, unknown>>, depth: number): unknown {
  switch (node.kind) {
    case Kind.STRING:
    case Kind.BOOLEAN:
      return node.value;
    case Kind.INT:
    case Kind.FLOAT: {
      const number = Number(node.value);
      if (!Number.isFinite(number)) throw new GraphQLError(`the number \`${node.value}\` is too large`);
      return number;
    }
    case Kind.NULL:
      return null;
    case Kind.VARIABLE:
      return variables[node.name.value];
    case Kind.LIST:
      if (depth >= deepest) throw tooDeep();
      return node.values.map((item) => literal(item, variables, depth + 1));
    case Kind.OBJECT:
      if (depth >= deepest) throw tooDeep();
      // fromEntries makes `__proto__` a member like any other, as JSON.parse does; assignment would not.
      return Object.fromEntries(
        node.fields.map((field) => [field.name.value, literal(field.value, variables, depth + 1)]),
      );
    case Kind.ENUM:
      throw new GraphQLError(`\`${print(node)}\` is no JSON value; quote it`);
  }
}

function tooDeep(): GraphQLError {
  return new GraphQLError(`the JSON value is more than ${deepest} levels deep`);
}
