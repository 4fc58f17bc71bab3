import { describe, expect, it } from 'vitest';
import { buildContext, evaluate, parsePolicy } from '../../src/policy/index.js';
import { readTable } from './table.js';

interface DecisionRow {
  sentence: string;
  policies: unknown[];
  action: string;
  aliases?: string[];
  resource?: string;
  context?: Record<string, string[]>;
  reason: 'ALLOWED' | 'EXPLICIT_DENY' | 'NO_MATCHING_ALLOW';
  /** `p0#1` is statement 1 of the first policy; not given when only the reason matters. */
  statements?: string[];
  missing: string[];
  /** A piece of each problem. */
  problems: string[];
}

describe('decisions', () => {
  it.each(readTable<DecisionRow>('decisions.json'))('$sentence', (row) => {
    const sources = row.policies.map((policy, index) => {
      const { document, problems } = parsePolicy(policy, 'ANY');
      if (document === null) throw new Error(JSON.stringify(problems));
      return { name: `p${index}`, document, origin: index };
    });
    const evaluation = evaluate(sources, {
      action: row.action,
      ...(row.aliases === undefined ? {} : { aliases: row.aliases }),
      resource: row.resource ?? null,
      context: buildContext(Object.entries(row.context ?? {})),
    });
    expect(evaluation.reason).toBe(row.reason);
    expect(evaluation.effect).toBe(row.reason === 'ALLOWED' ? 'ALLOW' : 'DENY');
    expect(evaluation.missingContextKeys).toEqual(row.missing);
    expect(evaluation.problems).toHaveLength(row.problems.length);
    row.problems.forEach((piece, index) => expect(evaluation.problems[index]).toContain(piece));
    const named = evaluation.statements.map(({ source, statement }) => `${source.name}#${statement.index}`);
    if (row.statements !== undefined) expect(named).toEqual(row.statements);
    if (row.reason === 'NO_MATCHING_ALLOW') expect(named).toEqual([]);
  });

  it('gives back the origin that a source came with', () => {
    const { document } = parsePolicy({ Version: '1.1', Statement: [{ Effect: 'Allow', Action: ['a:b:c'] }] }, 'CUSTOM');
    if (document === null) throw new Error('the document is good');
    const origin = { grant: 'g1' };
    const request = { action: 'a:b:c', resource: null, context: buildContext([]) };
    expect(evaluate([{ name: 'p', document, origin }], request).statements[0]?.source.origin).toBe(origin);
  });
});
