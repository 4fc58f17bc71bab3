/** What a plan says of one resource, written from the words of its tests: what the engine and the databases are held to. */
import { fitsPattern, tagFacts, type Expression, type OpenTest, type ResourceTest } from '../../src/policy/index.js';

export interface Described {
  readonly urn: string;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
}

/** Null: open. */
export type Verdict = boolean | null;

export function verdictOf<Test>(expression: Expression<Test>, verdict: (test: Test) => Verdict): Verdict {
  switch (expression.kind) {
    case 'EVERY':
      return true;
    case 'NONE':
      return false;
    case 'TEST':
      return verdict(expression.test);
    case 'NOT': {
      const inner = verdictOf(expression.of, verdict);
      return inner === null ? null : !inner;
    }
    case 'ALL':
    case 'ANY': {
      const ends = expression.kind === 'ANY';
      const verdicts = expression.of.map((part) => verdictOf(part, verdict));
      return verdicts.includes(ends) ? ends : verdicts.includes(null) ? null : !ends;
    }
  }
}

export function testHolds(test: ResourceTest | OpenTest, { urn, tags }: Described): Verdict {
  switch (test.about) {
    case 'OPEN':
      return null;
    case 'URN': {
      const [service = '', region = '', account = '', type = '', ...path] = urn.split(':');
      const segments = [service.toLowerCase(), region, account, type, path.join(':')];
      return test.segments.every((pattern, i) => fitsPattern(pattern, segments[i] ?? ''));
    }
    case 'TAG': {
      const value = tagFacts(tags).get(test.key);
      return value !== undefined && test.fits.some((pattern) => fitsPattern(pattern, value));
    }
    case 'TAG_ABSENT':
      return !tagFacts(tags).has(test.key);
  }
}
