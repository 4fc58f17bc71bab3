/**
 * What the catalogue's check of a document costs, for documents that are at every limit at once and hard to check:
 *
 *     npm run build:program && npx tsx bench/check-document.ts [rounds, 9]
 *
 * Measures what is built, as it is run. For each make-up prints the median of the time that the processor spent on reading
 * the document and on checking it, in milliseconds, and how many problems were found; ends with status 1 when some check
 * takes more than 50.
 */
import type * as Catalogue from '../src/catalogue/index.js';
import type * as Policy from '../src/policy/index.js';
import { randomOf } from '../test/policy/explained-denials.js';

const built = new URL('../dist/', import.meta.url);
const { checkDocument, platformCatalogue } = (await import(new URL('catalogue/index.js', built).href)) as typeof Catalogue; // prettier-ignore
const { parsePolicy, policyLimits } = (await import(new URL('policy/index.js', built).href)) as typeof Policy;

const rounds = Number(process.argv[2] ?? 9);
const most = 50;
const limits = policyLimits.CUSTOM;
const random = randomOf(5);
const one = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
const letters = (count: number): string => Array.from({ length: count }, () => one([...'abcdefghijklmnop'])).join('');
const names = platformCatalogue.rows.map(({ name }) => name);
const slip = (name: string): string => {
  const at = name.lastIndexOf(':') + 1;
  return `${name.slice(0, at)}${name.slice(at + 1)}${letters(1)}`;
};
const hostile = `${'*a'.repeat(20)}:${'*a'.repeat(20)}:${'*a'.repeat(22)}`;

/** Statements that take turns in taking one entry more, until the text is as long as it may be. */
function fill(start: (index: number) => object, action: (index: number) => string): string {
  const statements = Array.from({ length: limits.statements }, (_, index) => ({ ...start(index), Action: [] as string[] }));
  const text = (): string => JSON.stringify({ Version: '1.1', Statement: statements });
  let length = text().length;
  for (let index = 0; index < limits.statements * limits.actions; index += 1) {
    const name = action(index);
    if (length + name.length + 3 > limits.characters) break;
    statements[index % limits.statements]?.Action.push(name);
    length += name.length + 3;
  }
  return text();
} // prettier-ignore

const allow = (): object => ({ Effect: 'Allow' });
const turns = (index: number): object => ({ Effect: index % 2 === 0 ? 'Allow' : 'Deny' });
const stars = ['*:*:*', 'a*:*:*', '*:?*:*', 'o*:*:*', '*:*:?*', '*:*:c*'];
const keys = ['g:SourceIp', 'g:UserName', 'g:MFAPresent', 'x:unknown', 'modelarts:poolId', 'g:ResourceTag/x'];
const conditioned = (index: number): object => ({
  ...turns(index),
  Condition: Object.fromEntries(
    ['StringEquals', 'StringNotEquals', 'StringLike', 'StringNotLike', 'StringStartWith', 'StringEndWith'].map(
      (operator) => [operator, Object.fromEntries(keys.slice(0, 4).map((key) => [key, ['a*b']]))],
    ),
  ),
});
const narrowed = (index: number): object => ({
  ...turns(index),
  Resource: Array.from({ length: limits.resources }, (_, at) => `obs:*:*:bucket:${'*a'.repeat(10)}${at}`),
});
const unknownKeys = (index: number): object => ({
  ...turns(index),
  Condition: {
    StringEquals: Object.fromEntries(Array.from({ length: limits.keys }, (_, at) => [`g:SourceI${at}`, [`\${g:Usr${at}}`]])),
    StringLike: Object.fromEntries(Array.from({ length: limits.keys }, (_, at) => [`g:Usern${at}`, [`\${g:Prncpl${at}}`]])),
  },
}); // prettier-ignore

const makeUps: readonly (readonly [name: string, text: string])[] = [
  ['short patterns of every service', fill(allow, () => one(stars))],
  ['short patterns, allowed and denied', fill(turns, () => one(stars))],
  ['short names nobody knows', fill(allow, (index) => `a:${index.toString(36)}:b`)],
  ['short patterns nobody knows', fill(allow, (index) => `${index.toString(36)}:*:b`)],
  ['names with slips', fill(allow, () => slip(one(names)))],
  ['patterns with slips', fill(allow, () => slip(one(names)).replace(/:[^:]*:/, ':*:'))],
  ['names that are known', fill(turns, () => one(names))],
  ['hostile patterns', fill(turns, () => hostile)],
  ['conditions too', fill(conditioned, () => one(stars))],
  ['resources too', fill(narrowed, () => one(['obs:*:*', 'obs:*:?*', 'obs:bucket:*']))],
  ['unknown keys and variables', fill(unknownKeys, () => one(stars))],
];

const middle = (list: number[]): number => list.sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;
function spent(act: () => void): number {
  const before = process.cpuUsage();
  act();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e3;
}

let slow = false;
for (const [name, text] of makeUps) {
  const reading: number[] = [];
  const checking: number[] = [];
  let found = 0;
  for (let round = 0; round < rounds; round += 1) {
    let parsed = parsePolicy(text, 'CUSTOM');
    reading.push(spent(() => (parsed = parsePolicy(text, 'CUSTOM'))));
    if (parsed.document === null) throw new Error(`${name}: ${JSON.stringify(parsed.problems)}`);
    checking.push(spent(() => (found = checkDocument(parsed, platformCatalogue).length)));
  }
  const took = middle(checking);
  if (took > most) slow = true;
  process.stdout.write(
    `${name.padEnd(36)} ${text.length} characters  read ${middle(reading).toFixed(1)}  checked ${took.toFixed(1)}  (${found} problems)\n`,
  );
}
process.exitCode = slow ? 1 : 0;
