import { describe, expect, it } from 'vitest';
import { parsePolicy, policyLimits } from '../../src/policy/index.js';

const codesOf = (input: unknown): string[] => parsePolicy(input, 'ANY').problems.map(({ code }) => code);
const good = { Version: '1.1', Statement: [{ Effect: 'Deny', Action: ['a:b:c'] }] };

describe('text that means harm', () => {
  it.each([
    ['deep arrays', '['.repeat(100_000)],
    ['deep objects', '{"a":'.repeat(100_000)],
    ['deep arrays within the limit of length', '['.repeat(20_000)],
  ])('%s', (_, text) => {
    expect(['TOO_DEEP', 'IAM.1021']).toEqual(expect.arrayContaining(codesOf(text)));
  });

  it('huge text is refused unread, in no time', () => {
    const started = performance.now();
    const parsed = parsePolicy(`{"Version":"1.1","Statement":[${'{},'.repeat(10_000_000)}]}`, 'CUSTOM');
    expect(parsed.problems.map(({ code, line, column }) => [code, line, column])).toEqual([['IAM.1021', 1, 1]]);
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  it('as many problems as fit are found in bounded time', () => {
    const text = `{"Version":"1.1","Statement":[${'{},'.repeat(8000)}{}]}`.slice(0, 4 * policyLimits.ANY.characters);
    const started = performance.now();
    expect(codesOf(`${text.slice(0, 24_000)}{}]}`).length).toBeGreaterThan(10_000);
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  it('names of Object.prototype are names', () => {
    const text = '{"__proto__":{"Version":"1.1"},"constructor":1,"toString":2,"hasOwnProperty":3}';
    expect(codesOf(text)).toEqual(['IAM.1024', 'MISSING_FIELD', ...new Array<string>(4).fill('UNKNOWN_FIELD')]);
    expect(Object.prototype).not.toHaveProperty('Version');
  });

  it('an operator or key named like one is not found by accident', () => {
    const text = JSON.stringify(good).replace('"Action"', '"Condition":{"constructor":{"__proto__":["a"]}},"Action"');
    expect(codesOf(text)).toEqual(['UNKNOWN_OPERATOR']);
  });
});

describe('values that mean harm', () => {
  const cyclic: Record<string, unknown> = { ...good };
  cyclic['Statement'] = [cyclic];
  let shared: unknown = ['x'];
  for (let level = 0; level < 12; level += 1) shared = new Array<unknown>(50).fill(shared);
  const getter = Object.defineProperty({ ...good }, 'Depends', { get: () => 1, enumerable: true });
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const throwing = new Proxy({}, { ownKeys: () => { throw new Error('no'); } }); // prettier-ignore

  it.each<[string, unknown, string]>([
    ['undefined', undefined, 'NOT_JSON'],
    ['a function', () => 1, 'NOT_JSON'],
    ['a symbol', Symbol('x'), 'NOT_JSON'],
    ['a bigint', 1n, 'NOT_JSON'],
    ['not a number', Number.NaN, 'NOT_JSON'],
    ['a date', new Date(0), 'NOT_JSON'],
    ['a map', new Map(), 'NOT_JSON'],
    ['an instance of a class', new (class Policy {})(), 'NOT_JSON'],
    ['a member of a wrong kind', { ...good, Depends: () => 1 }, 'NOT_JSON'],
    ['a hole in an array', { ...good, Statement: new Array(1) }, 'NOT_JSON'],
    ['a getter, which might hide a condition', getter, 'NOT_JSON'],
    ['a revoked proxy', revoked.proxy, 'NOT_JSON'],
    ['a proxy that throws', throwing, 'NOT_JSON'],
    ['a cycle', cyclic, 'TOO_DEEP'],
    ['parts shared a billion times', shared, 'IAM.1021'],
    ['an array of great length', new Array(4_000_000_000), 'NOT_JSON'],
    ['a long string', { ...good, Version: 'x'.repeat(10_000_000) }, 'IAM.1021'],
  ])('%s', (_, value, code) => {
    const started = performance.now();
    const parsed = parsePolicy(value, 'CUSTOM');
    expect(parsed.document).toBeNull();
    expect(parsed.problems.map((problem) => problem.code)).toContain(code);
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  it('a member without a value is not there, as JSON has it', () => {
    expect(codesOf({ ...good, Depends: undefined })).toEqual([]);
    expect(codesOf({ ...good, Version: undefined })).toEqual(['IAM.1024']);
  });

  it('objects without a prototype are plain', () => {
    expect(codesOf(Object.assign(Object.create(null) as object, good))).toEqual([]);
  });

  it('is read once: the document does not change with the value', () => {
    const actions = ['a:b:c'];
    const { document } = parsePolicy({ Version: '1.1', Statement: [{ Effect: 'Deny', Action: actions }] }, 'CUSTOM');
    actions.push('d:e:f');
    expect(document?.statements[0]?.actions).toEqual(['a:b:c']);
  });
});
