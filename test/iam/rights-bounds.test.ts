import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Rights, RightsSource } from '../../src/iam/index.js';
import { leastOf, mostOf } from '../../src/iam/rights-bounds.js';
import { buildContext, evaluate, type Statement } from '../../src/policy/index.js';
import { action, documentOf, impersonal, personal, resource, statement } from '../policy/arbitraries.js';
import '../policy/seed.js';

const settled = fc.record({ 'g:ProjectName': fc.constantFrom(['blue'], ['red']) });
const named: fc.Arbitrary<Statement> = fc
  .tuple(statement(), fc.constantFrom('StringEquals', 'StringNotEquals', 'NotAnOperator'), fc.boolean())
  .map(([one, operator, besides]) => ({
    ...one,
    conditions: [...(besides ? one.conditions : []), { operator, key: 'g:projectname', values: ['blue'] }],
  }));

function rightsOf(statements: readonly Statement[]): Rights {
  const source = { name: 'some', document: documentOf(statements), origin: {} } as unknown as RightsSource;
  return { principal: { kind: 'AGENCY', id: 'a1', name: 'Some', mfaAt: null }, sources: [source], unreadable: [] };
}

describe('bounds of rights', () => {
  it('hold whatever resource of the service a question is about, under whatever circumstances', () => {
    const statements = fc.array(fc.oneof(statement(), named), { maxLength: 4 });
    let allowedAlways = 0;
    let allowedSometimes = 0;
    fc.assert(
      fc.property(statements, action, resource, settled, personal, impersonal, (written, act, on, known, ...rest) => {
        const service = act.slice(0, act.indexOf(':'));
        fc.pre(on === null || on.startsWith(`${service}:`));
        const rights = rightsOf(written);
        const effect = (sources: Rights['sources'], about: string | null, ...entries: readonly object[]) =>
          evaluate(sources, {
            action: act,
            resource: about,
            context: buildContext(entries.flatMap((each) => Object.entries(each as Record<string, string[]>))),
          }).effect;
        const actual = effect(rights.sources, on, ...rest, known);
        const least = effect(leastOf(rights, service).sources, null, known);
        const most = effect(mostOf(rights, service).sources, null, known);
        if (least === 'ALLOW') expect([actual, most]).toEqual(['ALLOW', 'ALLOW']);
        if (actual === 'ALLOW') expect(most).toBe('ALLOW');
        allowedAlways += Number(least === 'ALLOW');
        allowedSometimes += Number(most === 'ALLOW' && least === 'DENY');
      }),
      { numRuns: 20_000 },
    );
    // Or the bounds would hold by never saying anything.
    expect(allowedAlways).toBeGreaterThan(200);
    expect(allowedSometimes).toBeGreaterThan(200);
  });
});
