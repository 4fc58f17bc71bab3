/** The compiled form answers what the reference form answers, to the letter: effect, statements, missing keys, problems. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  buildContext,
  CompiledSources,
  evaluate,
  type Evaluation,
  explain,
  parsePolicy,
  type PolicyRequest,
  type PolicySource,
  prepareDocument,
  type Statement,
} from '../../src/policy/index.js';
import {
  action,
  documentOf,
  impersonal,
  personal,
  resource,
  resourcePattern,
  segmentPattern,
  segmentText,
  statement,
} from './arbitraries.js';
import './seed.js';

const entries = (record: Record<string, string[] | undefined>): [string, string[]][] =>
  Object.entries(record).flatMap(([key, values]) => (values === undefined ? [] : [[key, values]]));

const request: fc.Arbitrary<PolicyRequest> = fc
  .record({ action, aliases: fc.option(fc.array(action, { maxLength: 2 })), resource, personal, impersonal })
  .map(({ action, aliases, resource, personal, impersonal }) => ({
    action,
    ...(aliases === null ? {} : { aliases }),
    resource,
    context: buildContext([...entries(personal), ...entries(impersonal)]),
  }));

const sourcesOf = (world: readonly (readonly Statement[])[]): PolicySource<number>[] =>
  world.map((statements, origin) => ({ name: `p${origin}`, document: documentOf(statements), origin }));

const plain = ({ statements, ...rest }: Evaluation<number>) => ({
  ...rest,
  statements: statements.map(({ source, statement }) => [source.name, statement.index]),
});

const everywhere: Statement = {
  index: 0,
  sid: null,
  effect: 'ALLOW',
  actions: ['*'],
  notActions: null,
  resources: null,
  notResources: null,
  conditions: [],
};

it('a document that was made ready is not mistaken for a copy that says something else', () => {
  const { document, problems } = parsePolicy({ Version: '1.1', Statement: [{ Effect: 'Allow', Action: ['a:b:c'] }] }, 'SYSTEM'); // prettier-ignore
  if (document === null) throw new Error(JSON.stringify(problems));
  prepareDocument(document);
  const asked = { action: 'a:b:c', resource: null, context: buildContext([]) };
  const effectOf = (one: typeof document) =>
    new CompiledSources([{ name: 'p', document: one, origin: 0 }]).evaluate(asked).effect;
  expect(effectOf(document)).toBe('ALLOW');
  expect(effectOf({ ...document, statements: [] })).toBe('DENY');
  expect(effectOf(Object.assign({}, document, { statements: [] }))).toBe('DENY');
  expect(Object.keys(document)).toEqual(Object.keys(structuredClone(document)));
});

describe('the compiled form', () => {
  it.each([
    ['few documents, asked one by one', 3, 4, 1, 1_000],
    ['many documents, put together', 6, 8, 3, 100],
    ['as many statements as are found by an index', 12, 10, 6, 60],
  ] as const)('answers as the reference does: %s', (_what, statements, policies, copies, numRuns) => {
    const least = copies > 1 ? policies / 2 : 0;
    const document = fc.array(statement(), { minLength: copies > 1 ? statements / 2 : 0, maxLength: statements });
    const world = fc.array(document, { minLength: least, maxLength: policies });
    fc.assert(
      fc.property(world, fc.array(request, { minLength: 1, maxLength: 12 }), fc.boolean(), (given, asked, remember) => {
        const sources = sourcesOf(Array.from({ length: copies }, () => given).flat());
        const compiled = new CompiledSources(sources);
        // Each twice: what is remembered of the first time must not show.
        for (const one of [...asked, ...asked]) {
          const expected = evaluate(sources, one);
          expect(plain(compiled.evaluate(one, undefined, remember))).toEqual(plain(expected));
          expect(compiled.effectOf(one, undefined, remember)).toBe(expected.effect);
        }
      }),
      { numRuns },
    );
  });

  it('sources that take no part are as if they were not there', () => {
    const world = fc.array(fc.array(statement(), { maxLength: 3 }), { maxLength: 5 });
    fc.assert(
      fc.property(world, request, fc.integer({ min: 0, max: 31 }), (given, asked, part) => {
        const sources = sourcesOf(given);
        const takesPart = (origin: number): boolean => ((part >> origin) & 1) === 1;
        const compiled = new CompiledSources(sources).evaluate(asked, takesPart, true);
        expect(plain(compiled)).toEqual(
          plain(
            evaluate(
              sources.filter(({ origin }) => takesPart(origin)),
              asked,
            ),
          ),
        );
      }),
      { numRuns: 1_000 },
    );
  });

  it('is what an explanation shows, which asks each part that statements share once', () => {
    const world = fc.array(fc.array(statement(), { maxLength: 4 }), { maxLength: 5 });
    const asked = fc.array(fc.tuple(request, fc.integer({ min: 0, max: 31 })), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(world, asked, (given, asked) => {
        const sources = sourcesOf([...given, ...given]);
        for (const [one, part] of asked) {
          const takesPart = (origin: number): boolean => ((part >> (origin % 5)) & 1) === 1;
          const taking = sources.filter(({ origin }) => takesPart(origin));
          expect(plain(explain(sources, one, { takesPart }).evaluation)).toEqual(plain(evaluate(taking, one)));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('reads patterns as the reference does', () => {
    const like = (pattern: string, value: string) => {
      const conditions = [{ operator: 'StringLike', key: 'k', values: [pattern] }];
      const one = { index: 0, sid: null, effect: 'ALLOW', actions: ['*'], notActions: null } as const;
      const sources = sourcesOf([
        [
          { ...one, resources: null, notResources: null, conditions },
          { ...one, resources: [`obs:*:*:bucket:${pattern}`], notResources: null, conditions: [] },
        ],
      ]);
      const context = buildContext([['k', value]]);
      const asked = { action: 'obs:bucket:get', resource: `obs:::bucket:${value}`, context };
      expect(plain(new CompiledSources(sources).evaluate(asked))).toEqual(plain(evaluate(sources, asked)));
    };
    fc.assert(fc.property(segmentPattern, segmentText, like), { numRuns: 2_000 });
    // Half a pair is no part of the whole one.
    for (const [pattern, value] of [
      ['\ud83d*', '😀'],
      ['\ud83d*\ude00', '😀'],
      ['*\ude00', '😀'],
      ['?', '😀'],
      ['😀*', '😀😀'],
    ] as const) {
      like(pattern, value);
    }
  });

  it('meets what a statement leaves out as the reference does: nothing where a pattern fits, and told where one cannot be read', () => {
    const met = { YES: 0, NO: 0, UNTOLD: 0 };
    const leftOut = fc.array(resourcePattern, { minLength: 1, maxLength: 3 });
    const meets = (patterns: string[], effect: Statement['effect'], asked: PolicyRequest) => {
      const sources = sourcesOf([[{ ...everywhere, effect, notResources: patterns }]]);
      const expected = evaluate(sources, asked);
      expect(plain(new CompiledSources(sources).evaluate(asked))).toEqual(plain(expected));
      const told = expected.missingContextKeys.length + expected.problems.length > 0;
      met[told ? 'UNTOLD' : expected.statements.length > 0 ? 'YES' : 'NO'] += 1;
    };
    fc.assert(fc.property(leftOut, fc.constantFrom('ALLOW', 'DENY'), request, meets), { numRuns: 3_000, seed: 72 });
    expect(met.YES).toBeGreaterThan(500);
    expect(met.NO).toBeGreaterThan(500);
    expect(met.UNTOLD).toBeGreaterThan(100);
  });

  it('makes no whole character of halves that two variables say', () => {
    const context = buildContext([
      ['k:a', '\ud83d'],
      ['k:b', '\ude00'],
    ]);
    const asked = { action: 'obs:bucket:get', resource: 'obs:::bucket:😀', context };
    const patterns = ['obs:::bucket:${k:a}${k:b}'];
    for (const on of [{ resources: patterns }, { notResources: patterns, effect: 'DENY' as const }]) {
      const sources = sourcesOf([[{ ...everywhere, ...on }]]);
      expect(plain(new CompiledSources(sources).evaluate(asked))).toEqual(plain(evaluate(sources, asked)));
    }
  });

  it('keeps apart what it remembers of many actions, those without statements too', () => {
    const names = Array.from({ length: 24 }, (_one, i) => `obs:kind${i}:get`);
    // Every other has a statement: Allow, then Deny.
    const statements = names.flatMap((name, index): Statement[] =>
      index % 2 === 0 ? [] : [{ ...everywhere, index, effect: index % 4 === 1 ? 'ALLOW' : 'DENY', actions: [name] }],
    );
    const sources = sourcesOf([statements]);
    const compiled = new CompiledSources(sources);
    for (const name of [...names, ...names, ...names.toReversed()]) {
      const asked = { action: name, resource: null, context: new Map() };
      expect(plain(compiled.evaluate(asked, undefined, true)), name).toEqual(plain(evaluate(sources, asked)));
    }
  });

  it('refuses an action that is a pattern, and remembers nothing of it', () => {
    const sources = sourcesOf([[everywhere]]);
    const asked = { action: 'obs:*:get', resource: null, context: new Map() };
    const compiled = new CompiledSources(sources);
    expect(plain(compiled.evaluate(asked, undefined, true))).toEqual(plain(evaluate(sources, asked)));
  });
});
