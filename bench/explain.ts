/**
 * What a full explanation costs: near misses and the way to yes of a principal with many statements. Of the built code:
 *
 *     npx tsc -p tsconfig.build.json && npx tsx bench/explain.ts [statements, 1000] [questions, 4000] [seed, 11] [part of a make-up's name]
 *
 * Prints, for several make-ups of the statements, the median and the 99th percentile of the time that the processor spent
 * on an explanation (others may use the machine), in milliseconds, everything that the process did meanwhile included; the
 * same by the clock; and what the first explanation for a principal takes, which makes everything ready. Ends with status 1
 * when some 99th percentile of the processor is above one millisecond.
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
let slow = false;
for (const [name, make] of kinds.filter(([name]) => name.includes(process.argv[5] ?? ''))) {
  const sources = statementsOf(make);
  const single = name.startsWith('all');
  const asked = Array.from({ length: questions }, () => ({
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
  let ways = 0;
  let denials = 0;
  const from = process.hrtime.bigint();
  const first = asked[0];
  if (first !== undefined) explain(sources, first, options);
  const cold = Number(process.hrtime.bigint() - from) / 1e6;
  for (let i = 0; i < warming; i += 1) {
    const request = asked[i % asked.length];
    if (request !== undefined) explain(sources, request, options);
  }
  for (const request of asked) {
    const cpu = process.cpuUsage();
    const start = process.hrtime.bigint();
    const { effect, ways: found } = explain(sources, request, options);
    taken.push(Number(process.hrtime.bigint() - start) / 1e6);
    const { user, system } = process.cpuUsage(cpu);
    used.push((user + system) / 1e3);
    if (effect === 'DENY') denials += 1;
    if (found.length > 0) ways += 1;
  }
  const at = (share: number, of = taken): number => of[Math.min(of.length - 1, Math.floor(share * of.length))] ?? 0;
  for (const list of [taken, used]) list.sort((a, b) => a - b);
  if (at(0.99, used) > most) slow = true;
  process.stdout.write(
    `${name.padEnd(51)} median ${at(0.5, used).toFixed(3)}  p99 ${at(0.99, used).toFixed(3)}  by the clock ${at(0.5).toFixed(3)} and ${at(0.99).toFixed(3)}  first ${cold.toFixed(2)}  (${denials} of ${questions} denied, ${ways} with a way)\n`,
  );
}
process.exitCode = slow ? 1 : 0;
