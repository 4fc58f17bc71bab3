/** What must hold for every world, tried on generated ones. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  actionPatternCovers,
  buildContext,
  evaluate,
  matchesActionPattern,
  matchesResourcePattern,
  parsePolicy,
  type PolicyDialect,
  type PolicyRequest,
  type PolicySource,
  resourcePatternCovers,
  type Statement,
  statementCovers,
  statementsMayOverlap,
} from '../../src/policy/index.js';
import { action, documentOf, impersonal, personal, resource, resourcePattern, segmentPattern, segmentText, statement } from './arbitraries.js'; // prettier-ignore
import './seed.js';

const entries = (record: Record<string, string[] | undefined>): [string, string[]][] =>
  Object.entries(record).flatMap(([key, values]) =>
    values === undefined ? [] : [[key, values] as [string, string[]]],
  );

const request: fc.Arbitrary<PolicyRequest> = fc
  .record({ action, resource, personal, impersonal })
  .map(({ action, resource, personal, impersonal }) => ({
    action,
    resource,
    context: buildContext([...entries(personal), ...entries(impersonal)]),
  }));

const sourcesOf = (world: readonly (readonly Statement[])[]): PolicySource<number>[] =>
  world.map((statements, origin) => ({ name: `p${origin}`, document: documentOf(statements), origin }));
const world = fc.array(fc.array(statement(), { maxLength: 3 }), { maxLength: 4 });

function matches(one: Statement, asked: PolicyRequest): boolean {
  return evaluate(sourcesOf([[one]]), asked).statements.length > 0;
}

describe('deciding', () => {
  it('the order of policies and of statements never matters', () => {
    const shuffled = world.chain((policies) => {
      const orders = policies.map((statements) => fc.shuffledSubarray(statements, { minLength: statements.length }));
      return fc.tuple(fc.constant(policies), fc.tuple(...orders).chain((mixed) => fc.shuffledSubarray(mixed, { minLength: mixed.length }))); // prettier-ignore
    });
    // Indexes and names are places, so statements are told apart by being the same object.
    const plain = (policies: readonly (readonly Statement[])[]) =>
      policies.map((statements) => ({
        name: 'p',
        document: { version: '5.0' as const, statements, depends: [] },
        origin: 0,
      }));
    fc.assert(
      fc.property(shuffled, request, ([policies, mixed], asked) => {
        const one = evaluate(plain(policies), asked);
        const other = evaluate(plain(mixed), asked);
        expect([other.effect, other.reason]).toEqual([one.effect, one.reason]);
        expect(other.missingContextKeys).toEqual(one.missingContextKeys);
        expect(other.problems).toEqual(one.problems);
        const named = one.statements.map((determining) => determining.statement);
        expect(other.statements).toHaveLength(named.length);
        for (const { statement: found } of other.statements) expect(named).toContain(found);
      }),
      { numRuns: 500 },
    );
  });

  it('adding a Deny never allows; adding an Allow never refuses', () => {
    let changed = 0;
    fc.assert(
      fc.property(world, statement(), request, (policies, added, asked) => {
        const before = evaluate(sourcesOf(policies), asked);
        const after = evaluate(sourcesOf([...policies, [added]]), asked);
        if (before.effect === after.effect) return;
        changed += 1;
        expect(after.effect).toBe(added.effect);
        expect(after.statements.map(({ source }) => source.origin)).toEqual([policies.length]);
      }),
      { numRuns: 3000 },
    );
    expect(changed, 'cases in which the answer changed').toBeGreaterThan(30);
  });

  it('widening a pattern never narrows: an Allow allows no less, a Deny denies no less; among exceptions the other way round', () => {
    /** One of the four lists of patterns with one pattern, or one segment of it, fitting anything. */
    const widen = (one: Statement, list: 'actions' | 'notActions' | 'resources' | 'notResources', segment: number) => {
      const [first, ...others] = one[list] ?? [];
      if (first === undefined) return null;
      const cut = first.split(':');
      const about = list === 'actions' || list === 'notActions' ? 3 : 5;
      // In a pattern of another form only the whole is widened.
      const wider = cut.length === about && segment < about ? cut.with(segment, '*').join(':') : '*';
      return { ...one, [list]: [wider, ...others] };
    };
    const lists = fc.constantFrom('actions', 'notActions', 'resources', 'notResources');
    let changed = 0;
    fc.assert(
      fc.property(world, statement(), lists, fc.nat(5), request, (policies, one, list, segment, asked) => {
        const wider = widen(one, list, segment);
        if (wider === null) return;
        const excepts = list === 'notActions' || list === 'notResources';
        // An Allow whose exception a variable leaves unclear allows nothing: a pattern in its place excepts no more than that.
        if (excepts && one.effect === 'ALLOW' && one[list]?.[0]?.includes('${') === true) return;
        const before = evaluate(sourcesOf([...policies, [one]]), asked).effect;
        const after = evaluate(sourcesOf([...policies, [wider]]), asked).effect;
        if (before === after) return;
        changed += 1;
        expect(after).toBe(excepts === (one.effect === 'ALLOW') ? 'DENY' : 'ALLOW');
      }),
      { numRuns: 5000 },
    );
    expect(changed, 'cases in which the answer changed').toBeGreaterThan(10);
  });

  it('the answer follows from the statements one by one', () => {
    fc.assert(
      fc.property(world, request, (policies, asked) => {
        const all = policies.flat();
        const denied = all.some((one) => one.effect === 'DENY' && matches(one, asked));
        const allowed = all.some((one) => one.effect === 'ALLOW' && matches(one, asked));
        const { effect, reason } = evaluate(sourcesOf(policies), asked);
        expect(reason).toBe(denied ? 'EXPLICIT_DENY' : allowed ? 'ALLOWED' : 'NO_MATCHING_ALLOW');
        expect(effect).toBe(reason === 'ALLOWED' ? 'ALLOW' : 'DENY');
      }),
      { numRuns: 500 },
    );
  });

  it('a key that is named as missing is missing, and is one that the policies ask for', () => {
    fc.assert(
      fc.property(world, request, (policies, asked) => {
        for (const key of evaluate(sourcesOf(policies), asked).missingContextKeys) {
          expect(asked.context.has(key.toLowerCase())).toBe(false);
          expect(JSON.stringify(policies)).toContain(key);
        }
      }),
      { numRuns: 500 },
    );
  });
});

/** The plain meaning of a pattern, by another road: a regular expression. */
function asExpression(pattern: string): RegExp {
  return new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'su');
}

/** Every text of up to five letters; `c` stands for any letter that no pattern names. */
const shortTexts = (() => {
  const texts = [''];
  for (let from = 0, length = 1; length <= 5; length += 1) {
    const to = texts.length;
    for (; from < to; from += 1) for (const letter of 'abc') texts.push(`${texts[from]}${letter}`);
  }
  return texts;
})();

describe('patterns', () => {
  it('fit as a regular expression would', () => {
    fc.assert(
      fc.property(segmentPattern, segmentText, (pattern, text) => {
        const expected = asExpression(pattern).test(text);
        expect(matchesActionPattern(`x:${pattern}:x`, `x:${text}:x`)).toBe(expected);
        // A blank segment of a resource pattern is anything.
        expect(matchesResourcePattern(`x:::${pattern}:x`, `x:::${text}:x`)).toBe(expected || pattern === '');
      }),
      { numRuns: 3000 },
    );
  });

  it('that are said to cover do: every short text that fits the narrow fits the wide', () => {
    let covered = 0;
    let missed = 0;
    fc.assert(
      fc.property(segmentPattern, segmentPattern, (wide, narrow) => {
        const said = actionPatternCovers(`x:${wide}:x`, `x:${narrow}:x`);
        const fits = asExpression(wide);
        const within = asExpression(narrow);
        const counterexample = shortTexts.find((text) => within.test(text) && !fits.test(text));
        if (said) covered += 1;
        else if (counterexample === undefined) missed += 1;
        if (said) expect(counterexample).toBeUndefined();
        if (wide !== '' && narrow !== '')
          expect(resourcePatternCovers(`x:::y:${wide}`, `x:::y:${narrow}`)).toBe(said || /^\*+$/.test(wide));
      }),
      { numRuns: 3000 },
    );
    expect(covered, 'pairs said to cover').toBeGreaterThan(100);
    // Pairs with an inclusion that the laying-over test does not see, or none that short texts can disprove.
    expect(missed, 'pairs perhaps refused too much').toBeLessThan(covered / 5);
  });

  it('are said to overlap exactly when some short text fits both', () => {
    const of = (pattern: string): Statement => ({
      index: 0,
      sid: null,
      effect: 'ALLOW',
      actions: [`x:${pattern}:x`],
      notActions: null,
      resources: null,
      notResources: null,
      conditions: [],
    });
    const short = fc.stringMatching(/^[ab*?]{0,4}$/);
    fc.assert(
      fc.property(short, short, (a, b) => {
        const one = asExpression(a);
        const other = asExpression(b);
        const shared = shortTexts.some((text) => one.test(text) && other.test(text));
        const said = statementsMayOverlap(of(a), of(b));
        // Of four tokens each, two patterns that meet at all need not meet within five letters: only then they differ.
        if (shared) expect(said).toBe(true);
        else if (said) expect(a.length + b.length).toBeGreaterThan(5);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('covering', () => {
  it('what a covered statement matches for anybody, the covering one matches for its holder', () => {
    let covers = 0;
    let tested = 0;
    const allow = statement(['ALLOW']);
    // Half of the pairs are made by narrowing, or few would cover.
    const pair = fc.oneof(
      fc.tuple(allow, allow),
      fc.tuple(allow, allow).map(([held, other]): [Statement, Statement] => [held, { ...held, conditions: [...held.conditions, ...other.conditions] }]),
      fc.tuple(allow, allow).map(([held, other]): [Statement, Statement] => [{ ...held, notActions: null, actions: ['*'] }, { ...other, resources: held.resources, notResources: held.notResources, conditions: held.conditions }]),
    ); // prettier-ignore
    const asked = fc.record({ action, resource, giver: personal, receiver: personal, impersonal });
    fc.assert(
      fc.property(pair, fc.array(asked, { minLength: 20, maxLength: 20 }), ([held, given], requests) => {
        if (!statementCovers(held, given)) return;
        covers += 1;
        for (const { action, resource, giver, receiver, impersonal } of requests) {
          const ask = (who: typeof giver): PolicyRequest => ({
            action,
            aliases: ['obs:pool:get'],
            resource,
            context: buildContext([...entries(who), ...entries(impersonal)]),
          });
          if (!matches(given, ask(receiver))) continue;
          tested += 1;
          expect(matches(held, ask(giver)), 'held by the giver').toBe(true);
        }
      }),
      { numRuns: 3000 },
    );
    expect(covers, 'pairs that cover').toBeGreaterThan(200);
    expect(tested, 'requests matched by the narrower').toBeGreaterThan(200);
  });

  it('a resource pattern that covers does so whatever its variables come to', () => {
    let tested = 0;
    const pattern = resourcePattern;
    fc.assert(
      fc.property(
        pattern,
        pattern,
        fc.array(fc.tuple(resource, personal), { minLength: 20 }),
        (wide, narrow, cases) => {
          if (!resourcePatternCovers(wide, narrow)) return;
          for (const [name, who] of cases) {
            const asked = { action: 'obs:object:get', resource: name, context: buildContext(entries(who)) };
            const on = (one: string): Statement => ({ index: 0, sid: null, effect: 'ALLOW', actions: ['*'], notActions: null, resources: [one], notResources: null, conditions: [] }); // prettier-ignore
            if (!matches(on(narrow), asked)) continue;
            tested += 1;
            expect(matches(on(wide), { ...asked, context: buildContext([]) })).toBe(true);
          }
        },
      ),
      { numRuns: 2000 },
    );
    expect(tested).toBeGreaterThan(100);
  });

  it('statements that both match a request are said to overlap', () => {
    const names = ['obs:pool:get', 'modelarts:pool:get'];
    let met = 0;
    fc.assert(
      fc.property(statement(), statement(), fc.array(request, { minLength: 10, maxLength: 10 }), (a, b, requests) => {
        for (const asked of requests) {
          const named = names.includes(asked.action) ? { ...asked, aliases: names } : asked;
          if (!matches(a, named) || !matches(b, named)) continue;
          met += 1;
          expect(statementsMayOverlap(a, b, [names])).toBe(true);
        }
      }),
      { numRuns: 3000 },
    );
    expect(met, 'requests that both matched').toBeGreaterThan(100);
  });
});

describe('parsing', () => {
  const dialect = fc.constantFrom<PolicyDialect>('CUSTOM', 'SYSTEM', 'ANY', 'SESSION');
  const names = ['Version', 'Statement', 'Effect', 'Action', 'NotAction', 'Resource', 'NotResource', 'Condition', 'Sid', 'Depends', 'uri', 'StringEquals', 'Null', 'g:UserName', '__proto__', 'catalog']; // prettier-ignore
  /** Values that look like policies from afar. */
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 8, withCrossShrink: true },
      fc.oneof(fc.constantFrom('1.0', '1.1', '5.0', 'Allow', 'Deny', 'a:b:c', '*', 'obs:::bucket:${g:A}', '${', 'true', ''), fc.jsonValue({ maxDepth: 1 })),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...names), tie('tree'), { maxKeys: 5 }),
    ),
  })); // prettier-ignore

  function check(input: unknown, grammar: PolicyDialect): void {
    const { document, problems, locate, text } = parsePolicy(input, grammar);
    expect(document === null).toBe(problems.some(({ severity }) => severity === 'ERROR'));
    for (const { message, pointer, line, column } of problems) {
      expect(message).not.toMatch(/[\n\r]|\.$/);
      expect(pointer).toMatch(/^(\/|$)/);
      if (text === null) expect([line, column]).toEqual([null, null]);
      else expect(Math.min(line ?? 0, column ?? 0)).toBeGreaterThanOrEqual(1);
      locate(pointer);
    }
  }

  it('never throws on values of any kind', () => {
    fc.assert(fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true, withSparseArray: true, withTypedArray: true }), dialect, check), { numRuns: 2000 }); // prettier-ignore
    fc.assert(fc.property(tree, dialect, check), { numRuns: 3000 });
  });

  it('never throws on text of any kind', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), dialect, check), { numRuns: 2000 });
    fc.assert(fc.property(fc.json(), dialect, check), { numRuns: 1000 });
  });

  const broken = fc
    .tuple(tree, fc.nat(), fc.nat({ max: 3 }), fc.constantFrom('', '"', '{', '}', '[', ']', ',', ':', '\\', '\\u0000', '\ud800', '1', ' '))
    .map(([value, place, cut, put]) => {
      const text = JSON.stringify(value);
      const at = place % (text.length + 1);
      return text.slice(0, at) + put + text.slice(at + cut);
    }); // prettier-ignore

  it('never throws on text that was nearly right, and accepts as JSON what JSON.parse accepts', () => {
    let accepted = 0;
    fc.assert(
      fc.property(broken, dialect, (text, grammar) => {
        check(text, grammar);
        let isJson = true;
        try {
          JSON.parse(text);
        } catch {
          isJson = false;
        }
        if (isJson) accepted += 1;
        expect(parsePolicy(text, grammar).problems.some(({ code }) => code === 'JSON_SYNTAX')).toBe(!isJson);
      }),
      { numRuns: 3000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  it('reads text as it reads the value that the text stands for', () => {
    fc.assert(
      fc.property(tree, dialect, (value, grammar) => {
        const text = JSON.stringify(value);
        const parsed: unknown = JSON.parse(text);
        // A string would be taken for text.
        if (typeof parsed === 'string') return;
        const ofText = parsePolicy(text, grammar);
        const ofValue = parsePolicy(parsed, grammar);
        expect(ofText.document).toEqual(ofValue.document);
        const inOrder = (problems: typeof ofText.problems) =>
          problems.map(({ code, pointer, message }) => `${code} ${pointer} ${message}`).sort();
        expect(inOrder(ofText.problems)).toEqual(inOrder(ofValue.problems));
      }),
      { numRuns: 3000 },
    );
  });
});
