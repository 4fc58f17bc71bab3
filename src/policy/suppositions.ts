/**
 * What keys that variables read may come to: the cases that all of it falls into, for proofs; and where no proof is found,
 * values worth trying, which are what the documents themselves name, and something that none of them does.
 */
import type { Statement } from './document.js';
import { readOperator } from './operators.js';
import { keysIn, type Supposition, type Suppositions, templatesOf } from './situations.js';
import { readTemplate, templateText } from './templates.js';
import { textsOfType } from './typed-samples.js';

/** Values of one key that are tried, and combinations of those of several. */
const mostValues = 48;
const mostCombinations = 240;

/** Values of a key that are looked at one by one. */
const mostNamed = 12;

/** Every key open. */
export function openSuppositions(keys: readonly string[]): Suppositions {
  return new Map(keys.map((key) => [key, { kind: 'OPEN', count: 'ANY' }]));
}

/** Every key with a value of its own. */
export function likelySuppositions(keys: readonly string[]): Suppositions {
  return new Map(keys.map((key, place) => [key, { kind: 'VALUE', value: `zq${place + 1}` }]));
}

/** The cases that one of the open keys falls into; null when none is known to be told apart any more. */
export function casesOf(
  suppositions: Suppositions,
  statements: readonly Statement[],
  singleValued: (key: string) => boolean,
): readonly Suppositions[] | null {
  const instead = (key: string, cases: readonly Supposition[]): readonly Suppositions[] =>
    cases.map((supposed) => new Map(suppositions).set(key, supposed));
  for (const [key, supposed] of suppositions) {
    if (supposed.kind !== 'OPEN' || supposed.count === 'ONE') continue;
    const several = singleValued(key) ? [] : [{ kind: 'SEVERAL' } as const];
    return instead(key, [{ kind: 'ABSENT' }, ...several, { kind: 'OPEN', count: 'ONE', except: null }]);
  }
  for (const [key, supposed] of suppositions) {
    if (supposed.kind !== 'OPEN' || supposed.count === 'ANY' || supposed.except !== null) continue;
    const values = valuesNamed(key, statements);
    if (values.length === 0) continue;
    const known = values.map((value) => ({ kind: 'VALUE', value }) as const);
    return instead(key, [...known, { kind: 'OPEN', count: 'ONE', except: values }]);
  }
  return null;
}

/** Values of a key that conditions single out; none when they are too many to look at each. */
function valuesNamed(key: string, statements: readonly Statement[]): readonly string[] {
  const values = new Set<string>();
  for (const { conditions } of statements) {
    for (const condition of conditions) {
      if (condition.key.toLowerCase() !== key) continue;
      const { valueType, comparison } = readOperator(condition.operator)?.operator ?? {};
      const single = comparison === 'EQUALS' || comparison === 'EQUALS_IGNORING_CASE' || comparison === 'FITS_PATTERN';
      if (valueType !== 'string' || !single) continue;
      for (const text of condition.values) {
        const { template } = readTemplate(text);
        if (template !== null && template.every(({ kind }) => kind !== 'variable')) values.add(templateText(template));
      }
    }
  }
  return values.size > mostNamed ? [] : [...values];
}

/** The same with known values for the open keys, the likeliest first. */
export function* sampled(
  suppositions: Suppositions,
  statements: readonly Statement[],
  valuesOf: (key: string) => readonly string[],
): Generator<Suppositions> {
  const open = [...suppositions].flatMap(([key, { kind }]) => (kind === 'OPEN' ? [key] : []));
  const lists = open.map((key, i) => valuesFor(key, i, statements, valuesOf(key)));
  const tried = new Set<string>();
  const suppose = (values: readonly string[]): Suppositions | null => {
    const name = JSON.stringify(values);
    if (tried.has(name)) return null;
    tried.add(name);
    return new Map([
      ...suppositions,
      ...open.map((key, i) => [key, { kind: 'VALUE', value: values[i] ?? '' }] as const),
    ]);
  };
  for (const values of combinations(lists)) {
    const made = suppose(values);
    if (made !== null) yield made;
    if (tried.size >= mostCombinations) return;
  }
}

/** One list after the other with the firsts of the rest, then the lists against each other by turns. */
function* combinations(lists: readonly (readonly string[])[]): Generator<readonly string[]> {
  const firsts = lists.map(([first = '']) => first);
  for (const [i, list] of lists.entries()) {
    for (const value of list) yield firsts.with(i, value);
  }
  for (const value of lists.flat()) yield lists.map(() => value);
  if (lists.length < 2) return;
  for (let turn = 0; turn < 4 * mostCombinations; turn += 1) {
    let rest = turn * 7919;
    yield lists.map((list) => {
      const value = list[rest % list.length] ?? '';
      rest = Math.floor(rest / list.length) + turn;
      return value;
    });
  }
}

function valuesFor(
  key: string,
  place: number,
  statements: readonly Statement[],
  own: readonly string[],
): readonly string[] {
  const named = statements.flatMap(templatesOf);
  const all = named.join('\n');
  let fresh = `zq${place + 1}`;
  while (all.includes(fresh)) fresh += 'z';
  const pieces = named.flatMap((text) => {
    const segments = text.includes(':') ? [...text.split(':'), text.split(':').slice(4).join(':')] : [text];
    return segments.flatMap((segment) => {
      const bare = segment.replace(/\$\{[^}]*\}/g, '');
      return [bare.replace(/[*?]/g, ''), bare.replace(/[*?]/g, 'x'), ...bare.split(/[*?/]+/)];
    });
  });
  const typed = statements
    .flatMap(({ conditions }) => conditions)
    .flatMap((condition, _, conditions) => {
      const type = readOperator(condition.operator)?.operator.valueType ?? 'string';
      if (type === 'string' || !condition.values.some((value) => keysIn(value).includes(key))) return [];
      const like = conditions.filter((other) => other.key.toLowerCase() === condition.key.toLowerCase());
      const listed = like.flatMap(({ values }) => values).filter((value) => !value.includes('${'));
      return [...textsOfType(type, listed).texts, ...(type === 'number' ? ['7'] : [])];
    });
  return [...new Set([fresh, ...own, ...typed, ...pieces, '', 'a'])].slice(0, mostValues);
}
