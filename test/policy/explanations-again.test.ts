/** What is found out about statements for one request and kept must not show in what the next is told. */
import { describe, expect, it } from 'vitest';
import {
  buildContext,
  type Condition,
  describeChange,
  explain,
  type Explanation,
  type ExplanationOptions,
  type PolicyRequest,
  type PolicySource,
  type Statement,
} from '../../src/policy/index.js';
import { generateDenial, randomOf } from './explained-denials.js';
import { seed } from './seed.js';

type Source = PolicySource<number>;

/** The same, of which nothing is kept. */
const copied = (sources: readonly Source[]): readonly Source[] => structuredClone(sources);

const told = ({ ways, nearMisses, ...rest }: Explanation<number>): unknown => ({
  ...rest,
  evaluation: { ...rest.evaluation, statements: rest.evaluation.statements.map(({ statement }) => statement) },
  nearMisses: nearMisses.map(({ source, statement, failed }) => ({ source: source.name, statement, failed })),
  ways: ways.map(({ kind, changes }) => ({ kind, changes: changes.map(describeChange) })),
});

const entails: ExplanationOptions<number>['entails'] = (key, values) => {
  if (key === 'g:mfapresent') return [['g:mfaage', values[0] === 'true' ? ['0'] : []]];
  return key === 'g:mfaage' ? [['g:mfapresent', [values.length === 0 ? 'false' : 'true']]] : [];
};

describe('explanations of the same statements', () => {
  it('are those of statements that are explained for the first time, whoever asks and however', () => {
    const random = randomOf(seed);
    for (let i = 0; i < 20; i += 1) {
      const { sources, options } = generateDenial(random);
      const narrowing = [...generateDenial(random).sources.slice(0, 1)];
      const ways: readonly Partial<ExplanationOptions<number>>[] = [
        {},
        { entails },
        { entails, sameKeys: [['g:sourceip', 'hw:sourceip']] },
        { sameKeys: [['g:mfaage', 'g:resourcetag/team']] },
        { takesPart: (origin) => origin !== 0 },
        { takesPart: (origin) => origin !== 1 },
        { mayBecome: () => true },
        { narrowing, exempt: (origin) => origin === 1 },
      ];
      for (let asked = 0; asked < 24; asked += 1) {
        const { request } = generateDenial(random);
        const how = { ...options, ...ways[Math.floor(random() * ways.length)] };
        const anew = { ...how, ...(how.narrowing === undefined ? {} : { narrowing: copied(how.narrowing) }) };
        expect(told(explain(sources, request, how))).toEqual(told(explain(copied(sources), request, anew)));
      }
    }
  });
});

describe('explanations of many statements', () => {
  const action = 'modelarts:notebook:get';
  const allow = (index: number, conditions: readonly Condition[], resource: string | null = null): Statement => ({
    index,
    sid: null,
    effect: 'ALLOW',
    actions: [action],
    notActions: null,
    resources: resource === null ? null : [resource],
    notResources: null,
    conditions,
  });
  const equals = (key: string, ...values: string[]): Condition => ({ operator: 'StringEquals', key, values });
  const sourceOf = (statements: readonly Statement[]): readonly Source[] => [
    { name: 'many', document: { version: '5.0', statements, depends: [] }, origin: 0 },
  ];
  const request: PolicyRequest = { action, resource: 'modelarts::acc:notebook:n7', context: buildContext([]) };
  const options: ExplanationOptions<number> = {
    mayBecome: (key) => key !== 'g:username',
    entails,
    mayEdit: () => true,
  };
  const wayOf = (statements: readonly Statement[], more: ExplanationOptions<number> = {}): readonly string[] =>
    explain(sourceOf(statements), request, { ...options, ...more }).ways[0]?.changes.map(describeChange) ?? [];

  it('find the one that a fact mends behind hundreds that none does', () => {
    const hopeless = Array.from({ length: 400 }, (_, i) => allow(i, [equals('g:UserName', `u${i}`)]));
    const mended = allow(400, [equals('g:ResourceTag/team', 'red')]);
    expect(wayOf([...hopeless, mended])).toEqual(['say `red` for `g:ResourceTag/team`']);
  });

  it('find the one whose variable has a value that does behind hundreds whose variable has none', () => {
    const hopeless = Array.from({ length: 400 }, (_, i) => allow(i, [], `modelarts::acc:notebook:\${g:UserName}/${i}`));
    const mended = allow(400, [], 'modelarts::acc:notebook:${g:Team}7');
    expect(wayOf([...hopeless, mended])).toEqual(['say `n` for `g:team`']);
  });

  it('change one key where hundreds before it want two', () => {
    const two = Array.from({ length: 300 }, (_, i) =>
      allow(i, [equals('g:ResourceTag/team', 'red'), equals('modelarts:poolType', `p${i}`)]),
    );
    const one = allow(300, [equals('g:ResourceTag/team', 'blue')]);
    expect(wayOf([...two, one])).toEqual(['say `blue` for `g:ResourceTag/team`']);
  });

  it('tell conditions apart that read alike with a line break between their values', () => {
    const statements = [allow(0, [equals('g:Team', 'red\nblue')]), allow(1, [equals('g:Team', 'red', 'blue')])];
    const context = buildContext([['g:Team', 'red']]);
    const { reason, evaluation, nearMisses } = explain(sourceOf(statements), { ...request, context }, options);
    expect(reason).toBe('ALLOWED');
    expect(evaluation.statements.map(({ statement }) => statement.index)).toEqual([1]);
    expect(nearMisses.map(({ statement }) => statement.index)).toEqual([0]);
  });

  it('count a second factor and its age as one, whichever of them is asked for', () => {
    const second: Condition = { operator: 'Bool', key: 'g:MFAPresent', values: ['true'] };
    const young: Condition = { operator: 'NumberLessThan', key: 'g:MFAAge', values: ['300'] };
    const team = equals('g:ResourceTag/team', 'red');
    const statements = [allow(0, [second, young, team])];
    const [way] = explain(sourceOf(statements), request, options).ways;
    const elements = way?.changes.filter((change) => change.kind === 'CONTEXT' && !change.entailed);
    expect([way?.kind, elements?.length]).toEqual(['CONTEXT', 2]);
  });
});
