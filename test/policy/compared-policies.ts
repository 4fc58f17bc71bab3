/**
 * What a comparison of policies says, held against a universe of requests: one that a verdict denies is looked for by mere
 * asking. How the universe is made shares nothing with the search: members of patterns alone, of what two of them have in
 * common, and values on and beside those that conditions list.
 */
import {
  buildContext,
  comparePolicies,
  CompiledSources,
  type ComparisonOptions,
  type ComparisonVerdict,
  evaluate,
  type PolicyComparison,
  type PolicyDocument,
  type PolicyRequest,
  type PolicySource,
  type Statement,
  type Witness,
} from '../../src/policy/index.js';
import { Draw } from '../fuzz/worlds.js';
import { drawPair } from './policy-pairs.js';

export interface ComparisonTally {
  readonly verdicts: Record<ComparisonVerdict, number>;
  readonly unknownByKind: Record<string, number>;
  witnesses: number;
  confirmed: number;
  requests: number;
}

export const emptyComparisonTally = (): ComparisonTally => ({
  verdicts: { EQUIVALENT: 0, NARROWER: 0, WIDER: 0, INCOMPARABLE: 0, UNKNOWN: 0 },
  unknownByKind: {},
  witnesses: 0,
  confirmed: 0,
  requests: 0,
});

/** Compares one generated pair and tries to prove the verdict wrong; what is wrong in words, or null. */
export function checkPair(seed: number, tally: ComparisonTally, requests: number): string | null {
  const { kind, before, after, options } = drawPair(seed);
  const comparison = comparePolicies(before, after, options);
  tally.verdicts[comparison.verdict] += 1;
  if (comparison.verdict === 'UNKNOWN') tally.unknownByKind[kind] = (tally.unknownByKind[kind] ?? 0) + 1;
  const told = (what: string): string =>
    `${what} (seed ${seed}, ${kind})\n${JSON.stringify({ before, after, options, comparison })}`;
  const fault = faultOf(comparison, before, after, tally);
  if (fault !== null) return told(fault);
  const refuted = refutation(comparison, before, after, new Draw(seed), requests, tally, options);
  return refuted === null ? null : told(refuted);
}

/** Whether the witnesses are what they are said to be, and the verdict what they make it. */
export function faultOf(
  { verdict, gained, lost }: PolicyComparison,
  before: readonly PolicyDocument[],
  after: readonly PolicyDocument[],
  tally: ComparisonTally,
): string | null {
  const shown = `${gained === null ? '' : 'gained'} ${lost === null ? '' : 'lost'}`.trim();
  const due: Record<ComparisonVerdict, readonly string[]> = { EQUIVALENT: [''], NARROWER: ['lost'], WIDER: ['gained'], INCOMPARABLE: ['gained lost'], UNKNOWN: ['', 'gained', 'lost'] }; // prettier-ignore
  if (!due[verdict].includes(shown)) return `${verdict} goes with no witnesses like "${shown}"`;
  for (const [witness, effects] of [
    [gained, 'DENY ALLOW'],
    [lost, 'ALLOW DENY'],
  ] as const) {
    // prettier-ignore
    if (witness === null) continue;
    tally.witnesses += 1;
    const fault = witnessFault(witness, effects, before, after);
    if (fault !== null) return fault;
    tally.confirmed += 1;
  }
  return null;
}

function witnessFault(
  { request, context, before: said, after: saidAfter }: Witness,
  effects: string,
  before: readonly PolicyDocument[],
  after: readonly PolicyDocument[],
): string | null {
  const asked = { ...request, context: buildContext(context) };
  for (const [form, made] of [
    ['as given', request],
    ['from its context as written', asked],
  ] as const) {
    // prettier-ignore
    const reference = [before, after].map((side) => evaluate(sourcesOf(side), made).effect).join(' ');
    const compiled = [before, after]
      .map((side) => new CompiledSources(sourcesOf(side)).evaluate(made).effect)
      .join(' ');
    if (reference !== effects || compiled !== effects) return `a witness ${form} is decided ${reference}, ${compiled}`;
  }
  return `${said.effect} ${saidAfter.effect}` === effects ? null : 'a witness tells decisions other than its own';
}

export function sourcesOf(documents: readonly PolicyDocument[]): PolicySource<number>[] {
  return documents.map((document, origin) => ({ name: `p${origin}`, document, origin }));
}

/** A request of the universe that shows what the verdict denies. */
export function refutation(
  { verdict }: PolicyComparison,
  before: readonly PolicyDocument[],
  after: readonly PolicyDocument[],
  draw: Draw,
  requests: number,
  tally: ComparisonTally,
  options: ComparisonOptions = {},
): string | null {
  const denials: Record<ComparisonVerdict, readonly string[]> = { EQUIVALENT: ['gained', 'lost'], NARROWER: ['gained'], WIDER: ['lost'], INCOMPARABLE: [], UNKNOWN: [] }; // prettier-ignore
  const denied = denials[verdict];
  if (denied.length === 0) return null;
  const sides = [new CompiledSources(sourcesOf(before)), new CompiledSources(sourcesOf(after))] as const;
  const all = (): boolean => true;
  for (const request of universe(
    [...before, ...after].flatMap(({ statements }) => statements),
    draw,
    requests,
    options,
  )) {
    tally.requests += 1;
    const [was, is] = sides.map((side) => side.effectOf(request, all));
    const shows = was === is ? '' : is === 'ALLOW' ? 'gained' : 'lost';
    if (denied.includes(shows))
      return `${verdict}, but ${shows}: ${JSON.stringify({ ...request, context: [...(request.context as ReadonlyMap<string, readonly string[]>)] })}`; // prettier-ignore
  }
  return null;
}

/** Requests, each part of which matters to some statement; at most so many, drawn evenly when there are more. */
function* universe(
  statements: readonly Statement[],
  draw: Draw,
  most: number,
  options: ComparisonOptions,
): Generator<PolicyRequest> {
  const free = options.actions === undefined || (options.anyAction ?? true);
  const known = (options.actions ?? []).map(([action = '', ...aliases]) => ({ action, aliases }));
  const patterns = [...new Set(statements.flatMap(({ actions, notActions }) => [...actions, ...(notActions ?? [])]))];
  const aliased = new Set(known.filter(({ aliases }) => aliases.length > 0).flatMap(({ action, aliases }) => [action, ...aliases])); // prettier-ignore
  const named = membersOf(patterns.map((pattern) => pattern.toLowerCase()), 3).filter((name) => !/[*?\s]/.test(name) && name !== '' && !aliased.has(name)); // prettier-ignore
  const actions = [...known, ...(free ? named.map((action) => ({ action, aliases: [] })) : [])];
  const values = valuesOf(statements);
  const resourceTexts = [...new Set(statements.flatMap(({ resources, notResources }) => [...(resources ?? []), ...(notResources ?? [])]))]; // prettier-ignore
  const read = [...values].map(([key, list]) => [key, new Set(list)] as const);
  for (let turn = 0; turn < most; turn += 1) {
    const entries = read.flatMap(([key, list]): [string, string[]][] => {
      if (draw.chance(0.2)) return [];
      const from = [...list];
      const single = options.singleValued?.(key) === true || draw.chance(0.8);
      return [[key, single ? [draw.one(from)] : draw.list(1 + draw.below(2), () => draw.one(from))]];
    });
    const context = buildContext(entries);
    // Two patterns at a time, with what the request says in the place of variables.
    const filled = [draw, draw].flatMap(() =>
      resourceTexts.length === 0 ? [] : [fill(draw.one(resourceTexts), context)],
    );
    const resources = [...membersOf(filled, 5), null];
    for (let i = 0; i < 4; i += 1)
      yield {
        ...(actions.length === 0 ? { action: 'q:q:q' } : draw.one(actions)),
        resource: draw.one(resources),
        context,
      };
  }
}

function fill(pattern: string, context: ReadonlyMap<string, readonly string[]>): string {
  return pattern.replace(/\$\{([^},]*)(?:, *'([^']*)')? *\}/g, (_, key: string, fallback: string | undefined) =>
    '*?$'.includes(key) && key !== '' ? key : (context.get(key.trim().toLowerCase())?.[0] ?? fallback ?? 'q'),
  );
}

/** Members of each pattern and of what two of them have in common, and one of none. */
function membersOf(patterns: readonly string[], count: number): string[] {
  const members = new Set<string>([new Array(count).fill('q').join(':')]);
  const cut = patterns.map((pattern) =>
    /^\*+$/.test(pattern) ? new Array<string>(count).fill('*') : cutUp(pattern, count),
  );
  for (const one of cut) {
    for (const other of cut) {
      if (one.length !== other.length) continue;
      for (const filling of ['', 'q']) {
        const segments = one.map((segment, i) => common(orAny(segment, count), orAny(other[i] ?? '', count), filling));
        if (segments.every((segment) => segment !== null)) members.add(segments.join(':'));
      }
    }
    for (const filling of ['', 'q', 'q/q']) {
      members.add(one.map((segment) => orAny(segment, count).replaceAll('*', filling).replaceAll('?', 'q')).join(':'));
    }
  }
  return [...members];
}

function cutUp(pattern: string, count: number): string[] {
  const segments = pattern.split(':');
  return count === 5 && segments.length > 5 ? [...segments.slice(0, 4), segments.slice(4).join(':')] : segments;
}

/** A blank segment of a resource fits anything. */
function orAny(segment: string, count: number): string {
  return segment === '' && count === 5 ? '*' : segment;
}

/** A text that fits both: one pattern is read along the other, with a filling where both are open. */
function common(a: string, b: string, filling: string): string | null {
  const [x = '', y = ''] = [Array.from(a)[0], Array.from(b)[0]];
  const restA = a.slice(x.length);
  const restB = b.slice(y.length);
  if (x === '' && y === '') return '';
  if (x === '*' && y === '*') {
    const rest = common(restA, b, filling) ?? common(a, restB, filling);
    return rest === null ? null : filling + rest;
  }
  if (x === '*') return common(restA, b, filling) ?? (y === '' ? null : onward(y, common(a, restB, filling)));
  if (y === '*') return common(a, restB, filling) ?? (x === '' ? null : onward(x, common(restA, b, filling)));
  if (x === '' || y === '' || (x !== y && x !== '?' && y !== '?')) return null;
  return onward(x === '?' ? y : x, common(restA, restB, filling));
}

function onward(character: string, rest: string | null): string | null {
  return rest === null ? null : (character === '?' ? 'q' : character) + rest;
}

/** For each key what conditions list and what lies beside it, and what other keys say, for variables. */
function valuesOf(statements: readonly Statement[]): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>();
  const say = (key: string, said: readonly string[]): void => {
    values.set(key, [...(values.get(key) ?? ['', 'q', 'alice']), ...said]);
  };
  for (const { conditions, resources, notResources } of statements) {
    for (const { key, values: listed } of conditions) {
      for (const text of listed) {
        say(key.toLowerCase(), beside(text.replace(/\$\{([*?$])\}/g, '$1')));
        for (const [, other = ''] of text.matchAll(/\$\{([^},*?$]+)/g))
          say(other.trim().toLowerCase(), listed.flatMap(beside));
      }
    }
    for (const text of [...(resources ?? []), ...(notResources ?? [])]) {
      for (const [, key = ''] of text.matchAll(/\$\{([^},*?$]+)/g)) {
        say(key.trim().toLowerCase(), ['a', 'x', 'alice/x', 'a:b', ...[...(resources ?? []), ...(notResources ?? [])].map((other) => other.split(':')[4] ?? '')]); // prettier-ignore
      }
    }
  }
  return values;
}

function beside(text: string): string[] {
  const found = [text, `${text}q`, text.replaceAll('*', 'q').replaceAll('?', 'q'), text.replaceAll('*', ''), text.toUpperCase(), text.toLowerCase()]; // prettier-ignore
  if (/^-?\d+(\.\d+)?$/.test(text)) found.push(`${text}${text.includes('.') ? '' : '.0'}1`, String(Number(text) - 1), String(Number(text) + 1)); // prettier-ignore
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN;
  if (!Number.isNaN(time)) found.push(...[-1, 0, 1].map((step) => new Date(time + step * 1000).toISOString()));
  const [, first, last] = /^(\d+\.\d+\.\d+)\.(\d+)(?:\/\d+)?$/.exec(text) ?? [];
  if (first !== undefined) found.push(`${first}.${last ?? '0'}`, `${first}.255`, '9.9.9.9', '10.200.0.1', '192.0.2.9');
  if (text.includes('::')) found.push('::1', '2001:db8::5', '::ffff:10.1.2.9', '::ffff:9.9.9.9');
  if (/^(true|false)$/i.test(text)) found.push('true', 'false', 'maybe');
  return found;
}
