/**
 * What public test suites of other policy engines say, in our words. Each row tells where it comes from; where we decide otherwise it
 * has our answer, theirs, and why. Provenance and licences: docs/decisions/0080-public-vectors.md.
 */
import { describe, expect, it } from 'vitest';
import { buildContext, CompiledSources, evaluate, parsePolicy, type PolicyDialect } from '../../src/policy/index.js';
import { parsed } from './parsed.js';
import { readTable } from './table.js';

interface Provenance {
  suite: string;
  licence: string;
  file: string;
  case: string;
}

interface DecisionRow {
  sentence: string;
  /** The statements of each policy. */
  policies: unknown[][];
  action: string;
  resource?: string;
  context?: Record<string, string[]>;
  reason: 'ALLOWED' | 'EXPLICIT_DENY' | 'NO_MATCHING_ALLOW';
  missing?: string[];
  /** A piece of the one problem. */
  problem?: string;
  differs?: { theirs: 'ALLOW' | 'DENY' | 'UNDECIDED'; why: string };
  provenance: Provenance;
}

interface DocumentRow {
  sentence: string;
  document: unknown;
  /** Custom policies when not given. */
  dialect?: PolicyDialect;
  /** Codes of what is wrong; empty when the document is taken. */
  faults: string[];
  differs?: { theirs: 'TAKEN' | 'REFUSED'; why: string };
  provenance: Provenance;
}

const decisions = readTable<DecisionRow>('public-vectors.json');
const documents = readTable<DocumentRow>('public-vectors-documents.json');

describe('decisions of public suites', () => {
  it.each(decisions)('$sentence', ({ policies, action, resource, context, reason, missing, problem, differs }) => {
    const sources = policies.map((statements, origin) => ({
      name: `p${origin}`,
      document: parsed({ Version: '1.1', Statement: statements }),
      origin,
    }));
    const request = { action, resource: resource ?? null, context: buildContext(Object.entries(context ?? {})) };
    const compiled = new CompiledSources(sources);
    for (const answer of [evaluate(sources, request), compiled.evaluate(request), compiled.evaluate(request)]) {
      expect(answer.reason).toBe(reason);
      expect(answer.missingContextKeys).toEqual(missing ?? []);
      expect(answer.problems).toHaveLength(problem === undefined ? 0 : 1);
      expect(answer.problems.join()).toContain(problem ?? '');
      // A difference that has gone must not stay written down.
      expect(answer.effect).not.toBe(differs?.theirs);
    }
    expect(compiled.effectOf(request)).toBe(reason === 'ALLOWED' ? 'ALLOW' : 'DENY');
  });
});

describe('documents of public suites', () => {
  it.each(documents)('$sentence', ({ document, dialect, faults, differs }) => {
    const answer = parsePolicy(document, dialect ?? 'CUSTOM');
    expect(answer.problems.filter(({ severity }) => severity === 'ERROR').map(({ code }) => code)).toEqual(faults);
    expect(answer.document === null ? 'REFUSED' : 'TAKEN').not.toBe(differs?.theirs);
  });
});

describe('where they come from', () => {
  const all = [...decisions, ...documents];

  it('each row has its suite, and nothing but permissive licences', () => {
    const licences = new Map(all.map(({ provenance }) => [provenance.suite, provenance.licence]));
    expect(Object.fromEntries(licences)).toEqual({
      'scality/Arsenal': 'Apache-2.0',
      'seaweedfs/seaweedfs': 'Apache-2.0',
      'versity/versitygw': 'Apache-2.0',
      'roggervalf/iam-policies': 'MIT',
    });
    for (const { provenance } of all) {
      expect(provenance.file).not.toBe('');
      expect(provenance.case).not.toBe('');
    }
  });

  it('has every sentence once in both tables', () => {
    expect(new Set(all.map(({ sentence }) => sentence)).size).toBe(all.length);
  });
});
