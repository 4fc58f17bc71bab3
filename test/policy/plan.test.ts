/** Plans against the engine that they are plans of. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  buildContext,
  evaluate,
  isExact,
  planDecision,
  upperBound,
  weightOf,
  sizeOf,
  withSegments,
  type Condition,
  type Plan,
  type PolicySource,
  type RequestContext,
  type Statement,
} from '../../src/policy/index.js';
import { action, actionPattern, documentOf, personal, resource, statement } from './arbitraries.js';
import { testHolds, verdictOf, type Described } from './plans.js';
import './seed.js';

const urnKeys = [
  { key: 'g:requestedregion', segment: 1, otherwise: null },
  { key: 'g:resourceaccount', segment: 2, otherwise: 'acc' },
] as const;

/** The context of one resource, as whoever asks the engine about it makes it. */
function contextOf(known: ReadonlyMap<string, readonly string[]>, { urn, tags }: Described): RequestContext {
  const [, region = '', account = ''] = urn.split(':');
  const entries: [string, string | readonly string[]][] = [...known];
  if (region !== '' && region !== '*') entries.push(['g:RequestedRegion', region]);
  entries.push(['g:ResourceAccount', account === '' || account === '*' ? 'acc' : account]);
  for (const { key, value } of tags) if (value !== '') entries.push([`g:ResourceTag/${key}`, value]);
  return buildContext(entries);
}

const texts = [
  'x',
  'bob',
  'a*',
  '',
  '%',
  '_',
  '[a]',
  "o'b",
  '"',
  'Ä',
  'X',
  '😀',
  '5',
  'true',
  'acc',
  'eu',
  '*',
] as const;
const keys = ['team', 'Team', 'TEAM', 'stage', 'Σς', 'k\'"%'] as const;
const tags = fc.array(fc.record({ key: fc.constantFrom(...keys), value: fc.constantFrom(...texts) }), { maxLength: 4 });
const described: fc.Arbitrary<Described> = fc
  .tuple(
    resource.map((urn) => urn ?? 'obs:eu:acc:bucket:a'),
    fc.boolean(),
    tags,
  )
  .map(([urn, loud, labels]) => ({
    urn: loud ? urn.replace(/^[^:]*/, (text) => text.toUpperCase()) : urn,
    tags: labels,
  }));

const aboutResources: fc.Arbitrary<Condition> = fc.record({
  operator: fc
    .tuple(
      fc.constantFrom('', '', '', 'ForAnyValue:', 'ForAllValues:'),
      fc.constantFrom('StringEquals', 'StringEquals', 'StringNotEquals', 'StringEqualsIgnoreCase', 'StringLike', 'StringNotLike', 'StringStartWith', 'StringNotEndWith', 'StringNotMatchAnyOf', 'Null', 'IsNullOrEmpty', 'NumberEquals', 'NumericNotEquals', 'Bool', 'IpAddress', 'NotIpAddress', 'DateEquals', 'Unknown'),
      fc.constantFrom('', '', '', 'IfExists'),
    )
    .map((parts) => parts.join('')),
  key: fc.constantFrom('g:ResourceTag/team', 'G:RESOURCETAG/TEAM', 'g:ResourceTag/stage', 'g:ResourceTag/σς', "g:ResourceTag/K'\"%", 'g:RequestedRegion', 'g:resourceAccount', 'g:UserName'),
  values: fc.array(fc.constantFrom(...texts, 'true', 'false', '?*', '*', '${g:UserName}', "${g:Team, 'x'}", '${g:ResourceTag/stage}', '${bad', '${*}', 'e?', '10.0.0.0/8'), { minLength: 1, maxLength: 3 }),
}); // prettier-ignore
const onRegion = fc.constantFrom('modelarts:${g:RequestedRegion}:*:*:*', "obs:*:*:bucket:${g:ResourceTag/team, 'a'}");

const rule: fc.Arbitrary<Statement> = fc
  .tuple(
    statement(['ALLOW', 'ALLOW', 'DENY']),
    fc.array(aboutResources, { maxLength: 1 }),
    fc.nat(9),
    fc.nat(9),
    onRegion,
  )
  .map(([one, conditions, keeps, widens, odd]) => ({
    ...one,
    actions: one.actions.length > 0 && widens < 8 ? ['*'] : one.actions,
    resources: one.resources !== null && keeps === 0 ? [...one.resources, odd] : one.resources,
    conditions: [...(keeps < 3 ? one.conditions : []), ...conditions],
  }));
const sourcesOf = (statements: readonly Statement[]): PolicySource<null>[] => [
  { name: 'p', document: documentOf(statements), origin: null },
];

describe('a plan', () => {
  it('says of every resource what the engine says, or leaves it open', () => {
    const seen = { exact: 0, open: 0, allowed: 0, refused: 0, constant: 0 };
    const worlds = fc.tuple(
      fc.array(rule, { minLength: 1, maxLength: 5 }),
      action,
      personal,
      fc.array(described, { minLength: 12, maxLength: 12 }),
    );
    fc.assert(
      fc.property(worlds, ([statements, act, entries, resources]) => {
        const context = buildContext(Object.entries(entries as Record<string, string[]>));
        const sources = sourcesOf(statements);
        const plan = planDecision(sources, { action: act, context, urnKeys });
        const bound = upperBound(plan);
        for (const one of resources) {
          const request = { action: act, resource: one.urn, context: contextOf(context, one) };
          const allowed = evaluate(sources, request).effect === 'ALLOW';
          const verdict = verdictOf(plan, (test) => testHolds(test, one));
          const may = verdictOf(bound, (test) => testHolds(test, one));
          // Knowing some of the segments changes nothing for resources that have them.
          const [service = '', , account = '', type = ''] = one.urn.split(':');
          const narrowed = withSegments(plan, [service, null, account, type, null]);
          const known = verdictOf(narrowed, (test) => testHolds(test, one));
          const right =
            (verdict === null ? !isExact(plan) : verdict === allowed) &&
            (may === true || (may === false && !allowed)) &&
            known === verdict;
          if (!right) expect({ one, verdict, may, known }).toEqual({ one, allowed });
          seen[verdict === null ? 'open' : allowed ? 'allowed' : 'refused'] += 1;
        }
        seen.exact += Number(isExact(plan));
        seen.constant += Number(plan.kind === 'EVERY' || plan.kind === 'NONE');
      }),
      { numRuns: 4_000 },
    );
    process.stderr.write(`plans: ${JSON.stringify(seen)}\n`);
    // Or they would agree by saying nothing.
    expect(seen.exact - seen.constant).toBeGreaterThan(500);
    expect(seen.allowed).toBeGreaterThan(5_000);
    expect(seen.open).toBeLessThan((seen.allowed + seen.refused) / 4);
  });

  it('of what conditions and resources commonly say leaves nothing open', () => {
    const common: fc.Arbitrary<Condition> = fc.record({
      operator: fc.constantFrom('StringEquals', 'StringNotEquals', 'StringLike', 'StringNotLike', 'StringEqualsIfExists', 'Null'),
      key: fc.constantFrom('g:ResourceTag/team', 'g:ResourceTag/stage', 'g:RequestedRegion'),
      values: fc.array(fc.constantFrom('x', 'true', 'vision-*', '*'), { minLength: 1, maxLength: 3 }),
    }); // prettier-ignore
    const rules = fc
      .tuple(statement(), fc.array(common, { maxLength: 2 }))
      .map(([one, conditions]) => ({ ...one, conditions }));
    fc.assert(
      fc.property(fc.array(rules, { maxLength: 5 }), action, (statements, act) => {
        const context = buildContext([['g:UserName', 'alice']]);
        expect(isExact(planDecision(sourcesOf(statements), { action: act, context, urnKeys }))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('of a large policy is given up rather than large', () => {
    const many = Array.from({ length: 400 }, (_, n) => `obs:*:*:bucket:b${n}`);
    const allow: Statement = {
      index: 0,
      sid: null,
      effect: 'ALLOW',
      actions: ['*'],
      notActions: null,
      resources: many,
      notResources: null,
      conditions: [],
    };
    const request = { action: 'obs:bucket:get', context: buildContext([]), urnKeys };
    const plan = planDecision(sourcesOf([allow]), request);
    expect(isExact(plan)).toBe(false);
    expect(sizeOf(plan, weightOf)).toBe(1);
    expect(upperBound(plan)).toEqual({ kind: 'EVERY' });
    const denied = planDecision(
      sourcesOf([
        { ...allow, resources: null },
        { ...allow, effect: 'DENY' },
      ]),
      request,
    );
    expect(upperBound(denied)).toEqual({ kind: 'EVERY' });
    const few = planDecision(sourcesOf([{ ...allow, resources: many.slice(0, 9) }]), request);
    expect([isExact(few), sizeOf(few, weightOf)]).toEqual([true, 9]);
  });

  it.each<[string, readonly Partial<Statement>[], Plan]>([
    ['is everything for an Allow without limits', [{}], { kind: 'EVERY' }],
    ['is nothing without an Allow', [{ effect: 'DENY' }], { kind: 'NONE' }],
    [
      'is the tag itself for an Allow by tag, whatever else allows the same',
      [
        { conditions: [{ operator: 'StringEquals', key: 'g:resourcetag/Team', values: ['x'] }] },
        {
          resources: ['obs:eu:*:*:*'],
          conditions: [{ operator: 'StringEquals', key: 'g:ResourceTag/team', values: ['x'] }],
        },
      ],
      { kind: 'TEST', test: { about: 'TAG', key: 'team', fits: [['x']] } },
    ],
    [
      'takes a Deny by tag away and keeps what has no tag',
      [{}, { effect: 'DENY', conditions: [{ operator: 'StringEquals', key: 'g:ResourceTag/team', values: ['x'] }] }],
      { kind: 'NOT', of: { kind: 'TEST', test: { about: 'TAG', key: 'team', fits: [['x']] } } },
    ],
  ])('%s', (_, statements, expected) => {
    const whole = statements.map((one) => ({
      index: 0,
      sid: null,
      effect: 'ALLOW' as const,
      actions: ['obs:*:*'],
      notActions: null,
      resources: null,
      notResources: null,
      conditions: [],
      ...one,
    }));
    expect(planDecision(sourcesOf(whole), { action: 'obs:bucket:get', context: buildContext([]) })).toEqual(expected);
  });

  it('puts nothing of other actions into it', () => {
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 4 }), actionPattern, (statements, pattern) => {
        const away = statements.map((one) => ({ ...one, notActions: null, actions: [`never${pattern}`] }));
        expect(planDecision(sourcesOf(away), { action: 'obs:bucket:get', context: buildContext([]) })).toEqual({
          kind: 'NONE',
        });
      }),
      { numRuns: 200 },
    );
  });
});
