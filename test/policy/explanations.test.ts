/** Why it is so, and the shortest way to yes: a truth table, and shares over generated denials. */
import { describe, expect, it } from 'vitest';
import {
  buildContext,
  describeChange,
  describeFailure,
  explain,
  type ExplanationOptions,
  type PolicyDocument,
  type PolicySource,
  type Statement,
} from '../../src/policy/index.js';
import { parsed } from './parsed.js';
import { judgeDenials } from './explained-denials.js';
import { seed } from './seed.js';
import { readTable } from './table.js';

interface Row {
  readonly sentence: string;
  readonly policies: readonly unknown[];
  readonly action: string;
  readonly resource: string | null;
  readonly context: Readonly<Record<string, readonly string[]>>;
  readonly reason: string;
  readonly nearMisses: readonly string[];
  /** The first. */
  readonly way: readonly string[];
}

const options: ExplanationOptions<number> = {
  mayBecome: (key, values) => key !== 'g:username' && (values.length > 0 || key !== 'g:mfapresent'),
  mayEdit: () => true,
  mayGrant: true,
};

function told(row: Row): Pick<Row, 'reason' | 'nearMisses' | 'way'> {
  const sources = row.policies.map((policy, i) => ({ name: `p${i}`, document: parsed(policy), origin: i }));
  const { action, resource } = row;
  const request = { action, resource, context: buildContext(Object.entries(row.context)) };
  const { reason, nearMisses, ways } = explain(sources, request, options);
  return {
    reason,
    nearMisses: nearMisses.map(
      ({ source, statement, failed }) => `${source.name}#${statement.index}: ${failed.map(describeFailure).join('; ')}`,
    ),
    way: ways[0]?.changes.map(describeChange) ?? [],
  };
}

describe('explanations', () => {
  it.each(readTable<Row>('explanations.json'))('$sentence', (row) => {
    const { reason, nearMisses, way } = row;
    expect(told(row)).toEqual({ reason, nearMisses, way });
  });

  it('nearly every generated denial gets a way to yes, each works, and hardly any is longer than need be', () => {
    const { denials, withWay, verified, minimal } = judgeDenials(400, seed, 2);
    expect(withWay).toBeGreaterThanOrEqual(0.99 * denials);
    expect(verified).toBe(withWay);
    expect(minimal).toBeGreaterThanOrEqual(0.95 * withWay);
  });

  const allow = (index: number, more: Partial<Statement> = {}): Statement => ({
    index,
    sid: null,
    effect: 'ALLOW',
    actions: ['modelarts:notebook:get'],
    notActions: null,
    resources: null,
    notResources: null,
    conditions: [],
    ...more,
  });
  const documentOf = (statements: readonly Statement[]): PolicyDocument => ({
    version: '5.0',
    statements,
    depends: [],
  });
  const sourceOf = (name: string, ...statements: Statement[]): PolicySource<number> => ({
    name,
    document: documentOf(statements),
    origin: 0,
  });
  const request = { action: 'modelarts:notebook:get', resource: null, context: buildContext([]) };

  it('takes a hyphen beside a variable of a resource as it is, and reads the value from what is asked about', () => {
    const row = {
      policies: [
        {
          Version: '5.0',
          Statement: [
            { Effect: 'Allow', Action: ['obs:object:get'], Resource: ['obs:eu:acc:object:team-${g:UserId}'] },
          ],
        },
      ],
      action: 'obs:object:get',
      resource: 'obs:eu:acc:object:team-ann',
      context: { 'g:UserId': ['bob'] },
    };
    expect(told({ ...row, sentence: '', reason: '', nearMisses: [], way: [] }).way).toEqual([
      'say `ann` for `g:userid` instead of `bob`',
    ]);
  });

  it('says how many near misses it leaves out', () => {
    const far = Array.from({ length: 30 }, (_, i) => allow(i, { resources: [`modelarts:*:*:notebook:${i}`] }));
    const { nearMisses, nearMissesLeftOut } = explain([sourceOf('many', ...far)], request, options);
    expect([nearMisses.length, nearMissesLeftOut]).toEqual([10, 20]);
  });

  it('of the policies offered, proposes the tightest that does by itself', () => {
    const candidates = [
      sourceOf('wide', allow(0, { actions: ['*:*:*'] })),
      sourceOf('other', allow(0, { actions: ['obs:bucket:list'] })),
      sourceOf('denying', allow(0), allow(1, { effect: 'DENY' })),
      sourceOf('tight', allow(0)),
      sourceOf('service', allow(0, { actions: ['modelarts:*:*'] })),
    ];
    const { ways } = explain([], request, { ...options, candidates });
    expect(ways.map(({ changes }) => changes.map(describeChange))).toEqual([
      ['grant an Allow of `modelarts:notebook:get`'],
      ['grant the policy `tight`'],
    ]);
  });

  it('what narrows must allow as well, and is not edited', () => {
    const narrowing = [sourceOf('session', allow(0, { actions: ['obs:bucket:list'] }))];
    const { reason, ways } = explain([sourceOf('granted', allow(0))], request, { ...options, narrowing });
    expect([reason, ways]).toEqual(['NARROWED', []]);
  });

  it('keys that are names of one thing change together, and count as one', () => {
    const condition = (key: string) => ({ operator: 'IpAddress', key, values: ['10.0.0.0/8'] });
    const both = allow(0, { conditions: [condition('g:SourceIp'), condition('hw:SourceIp')] });
    const sameKeys = [['g:sourceip', 'hw:sourceip']];
    const [way] = explain([sourceOf('both', both)], request, { ...options, sameKeys }).ways;
    expect(way?.changes).toEqual([
      { kind: 'CONTEXT', key: 'g:SourceIp', from: [], to: ['10.0.0.1'], entailed: false },
      { kind: 'CONTEXT', key: 'hw:SourceIp', from: [], to: ['10.0.0.1'], entailed: true },
    ]);
  });
});
