import { describe, expect, it } from 'vitest';
import { parsePolicy, type Statement, statementCovers, statementsMayOverlap } from '../../src/policy/index.js';
import { readTable } from './table.js';

interface CoverageRow {
  sentence: string;
  held: unknown;
  given: unknown;
  covers: boolean;
  overlap: boolean;
  sameActions?: string[][];
}

function read(statement: unknown): Statement {
  const { document, problems } = parsePolicy({ Version: '5.0', Statement: [statement] }, 'ANY');
  const [parsed] = document?.statements ?? [];
  if (parsed === undefined) throw new Error(JSON.stringify(problems));
  return parsed;
}

describe('comparing statements', () => {
  it.each(readTable<CoverageRow>('coverage.json'))('$sentence', ({ held, given, covers, overlap, sameActions }) => {
    expect(statementCovers(read(held), read(given))).toBe(covers);
    expect(statementsMayOverlap(read(held), read(given), sameActions)).toBe(overlap);
    expect(statementsMayOverlap(read(given), read(held), sameActions), 'the other way round').toBe(overlap);
  });
});
