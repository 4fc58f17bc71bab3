/**
 * What a full explanation costs: near misses and the way to yes of a principal with many statements. Of the built code:
 *
 *     npm run bench:explain -- [statements, 1000] [questions, 4000] [seed, 11] [part of a make-up's name]
 *
 * with the options of Node that `npm start` gives.
 *
 * Every question is asked five times, in five rounds over all of them, so that none is answered from what the one before
 * left behind. Prints, for several make-ups of the statements, in milliseconds:
 *
 * - least: what the code costs. Of the times that a question took the least, and of those over the questions the median
 *   and the 99th percentile, by the clock. Neither others on the machine nor the collection of garbage, which strikes a
 *   question in one round and not in all five, are in it.
 * - processor: of everything that was asked, the median and the 99th percentile of the time that the processor spent,
 *   everything that the process did meanwhile included: collecting garbage and compiling, on other cores too.
 * - clock: the same by the clock, which others on the machine make longer.
 * - first: what the first explanation for a principal takes, which makes everything ready.
 *
 * Ends with status 1 when the 99th percentile of the least is above one millisecond somewhere.
 */
import type * as Policy from '../src/policy/index.js';
import type { ExplanationOptions, PolicySource, Statement } from '../src/policy/index.js';
import { randomOf } from '../test/policy/explained-denials.js';

// As the product runs it: what compiles on the way marks every function with its name, which costs.
const built = new URL('../dist/policy/index.js', import.meta.url).href;
const { buildContext, explain } = (await import(built)) as typeof Policy;

const size = Number(process.argv[2] ?? 1000);
const questions = Number(process.argv[3] ?? 4000);
const most = 1;
const random = randomOf(Number(process.argv[4] ?? 11));
/** Questions before those that are measured. */
const warming = 1000;
const rounds = 5;
const one = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;

const conditions: readonly Statement['conditions'][] = [
  [],
  [{ operator: 'Bool', key: 'g:MFAPresent', values: ['true'] }],
  [{ operator: 'IpAddress', key: 'g:SourceIp', values: ['10.0.0.0/8', '192.0.2.0/24'] }],
  [{ operator: 'StringEquals', key: 'g:ResourceTag/team', values: ['red', 'blue'] }],
  [
    { operator: 'DateGreaterThan', key: 'g:CurrentTime', values: ['2027-01-01T00:00:00Z'] },
    { operator: 'StringLike', key: 'g:ResourceTag/team', values: ['re*'] },
  ],
];

const services = ['modelarts', 'obs', 'ecs', 'vpc', 'swr'];
const types = ['notebook', 'pool', 'job', 'image', 'service', 'dataset'];
const operations = ['create', 'delete', 'get', 'list', 'update', 'start', 'stop'];
const two = (number: number): string => String(number).padStart(2, '0');
const action = (): string => `${one(services)}:${one(types)}:${one(operations)}`;

const kinds: readonly (readonly [name: string, make: (i: number) => Partial<Statement>])[] = [
  ['actions by name, some resources', () => ({ actions: [action(), action()], resources: random() < 0.5 ? null : [`*:*:*:*:team-${one(['a', 'b', 'c'])}/*`] })],
  ['a third of them patterns', () => ({ actions: [random() < 0.33 ? `${one(services)}:${one(types)}:*` : action()] })],
  ['all about one action, one resource each', (i) => ({ actions: ['modelarts:notebook:get'], resources: [`modelarts::acc:notebook:n${i}`] })],
  ['all about one action and every resource', () => ({ actions: ['modelarts:notebook:get'] })],
  ['all about one action, a time and a value each', (i) => ({ actions: ['modelarts:notebook:get'], conditions: [{ operator: 'DateLessThan', key: 'g:CurrentTime', values: [`2026-${two(1 + (i % 12))}-${two(1 + (i % 28))}T00:00:00Z`] }, { operator: 'StringEquals', key: 'g:ResourceTag/team', values: [`t${i}`] }] })],
  ['all about one action, the own name in the resource', (i) => ({ actions: ['modelarts:notebook:get'], resources: [`modelarts::acc:notebook:\${g:UserName}/${i % 50}`] })],
]; // prettier-ignore

function statementsOf(make: (i: number) => Partial<Statement>): readonly PolicySource<number>[] {
  const sources: PolicySource<number>[] = [];
  for (let i = 0; i < size; i += 5) {
    const statements = Array.from({ length: Math.min(5, size - i) }, (_, index): Statement => ({
      index,
      sid: null,
      effect: random() < 0.9 ? 'ALLOW' : 'DENY',
      actions: [],
      notActions: null,
      resources: null,
      notResources: null,
      // An Allow without a condition would allow everything, and there would be nothing to explain.
      conditions: one(conditions.slice(1)),
      ...make(i + index),
    }));
    sources.push({ name: `p${i}`, document: { version: '5.0', statements, depends: [] }, origin: i });
  }
  return sources;
}

const options: ExplanationOptions<number> = {
  mayBecome: (key, values) => key !== 'g:mfapresent' || values.length > 0,
  mayEdit: () => true,
  mayGrant: true,
};
/** As the service asks: of some sources, about facts that come together, and of which the caller's name is none. */
const asServed: ExplanationOptions<number> = {
  ...options,
  takesPart: (origin) => origin % 50 !== 0,
  sameKeys: [['g:sourceip', 'hw:sourceip']],
  entails: (key, values) => {
    if (key === 'g:mfapresent') return [['g:mfaage', values[0] === 'true' ? ['0'] : []]];
    return key === 'g:mfaage' ? [['g:mfapresent', [values.length === 0 ? 'false' : 'true']]] : [];
  },
  mayBecome: (key, values) => key !== 'g:username' && values.length === 1,
};
let slow = false;
const asked = [
  ...kinds.map(([name, make]) => ({ name, make, options })),
  ...kinds.map(([name, make]) => ({ name: `${name}, as served`, make, options: asServed })),
];
for (const { name, make, options } of asked.filter(({ name }) => name.includes(process.argv[5] ?? ''))) {
  const sources = statementsOf(make);
  const single = name.startsWith('all');
  const requests = Array.from({ length: questions }, () => ({
    action: single ? 'modelarts:notebook:get' : action(),
    resource: random() < 0.3 ? null : `modelarts::acc:notebook:${one(['n7', 'n8888', 'team-a/x', 'team-d/y'])}`,
    context: buildContext([
      ['g:MFAPresent', 'false'],
      ['g:CurrentTime', '2026-11-27T00:00:00Z'],
      ['g:UserName', 'alice'],
      ...(random() < 0.5 ? [['g:SourceIp', '203.0.113.9'] as const] : []),
      ...(random() < 0.5 ? [['g:ResourceTag/team', one(['red', 'green'])] as const] : []),
    ]),
  }));
  const taken: number[] = [];
  const used: number[] = [];
  const least = requests.map(() => Infinity);
  let ways = 0;
  let denials = 0;
  const from = process.hrtime.bigint();
  const first = requests[0];
  if (first !== undefined) explain(sources, first, options);
  const cold = Number(process.hrtime.bigint() - from) / 1e6;
  for (let i = 0; i < warming; i += 1) {
    const request = requests[i % requests.length];
    if (request !== undefined) explain(sources, request, options);
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const [i, request] of requests.entries()) {
      const cpu = process.cpuUsage();
      const start = process.hrtime.bigint();
      const { effect, ways: found } = explain(sources, request, options);
      const took = Number(process.hrtime.bigint() - start) / 1e6;
      const { user, system } = process.cpuUsage(cpu);
      taken.push(took);
      used.push((user + system) / 1e3);
      least[i] = Math.min(least[i] ?? Infinity, took);
      if (round > 0) continue;
      if (effect === 'DENY') denials += 1;
      if (found.length > 0) ways += 1;
    }
  }
  for (const list of [least, taken, used]) list.sort((a, b) => a - b);
  const at = (share: number, of: readonly number[]): number =>
    of[Math.min(of.length - 1, Math.floor(share * of.length))] ?? 0;
  const both = (of: readonly number[]): string => `${at(0.5, of).toFixed(3)} and ${at(0.99, of).toFixed(3)}`;
  if (at(0.99, least) > most) slow = true;
  process.stdout.write(
    `${name.padEnd(61)} least ${both(least)}  processor ${both(used)}  clock ${both(taken)}  first ${cold.toFixed(2)}  (${denials} of ${questions} denied, ${ways} with a way)\n`,
  );
}
process.exitCode = slow ? 1 : 0;
