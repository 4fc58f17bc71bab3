/**
 * Generated denials and what becomes of their explanations: whether each gets a way to yes, whether the way works in the
 * reference form, and whether trying everything finds a shorter one. What is tried is written out here, value by value,
 * and owes nothing to the search that it judges.
 */
import {
  buildContext,
  type Change,
  CompiledSources,
  type Condition,
  evaluate,
  explain,
  type ExplanationOptions,
  type PolicyRequest,
  type PolicySource,
  type Statement,
  type Way,
} from '../../src/policy/index.js';

export type Source = PolicySource<number>;

export interface Denial {
  readonly sources: readonly Source[];
  readonly request: PolicyRequest;
  readonly entries: readonly (readonly [string, readonly string[]])[];
  readonly options: ExplanationOptions<number>;
}

/** A generator of numbers below one that always gives the same for one seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Operators and listed values by key, and what requests say of it. */
const keys: Readonly<Record<string, { operators: readonly string[]; listed: readonly string[]; said: readonly (readonly string[])[] }>> = {
  'g:MFAPresent': { operators: ['Bool', 'BoolIfExists', 'Null'], listed: ['true', 'false'], said: [['true'], ['false']] },
  'g:MFAAge': { operators: ['NumberLessThan', 'NumberGreaterThanEquals', 'NumberEquals', 'NumberNotEquals'], listed: ['300', '3600', '301'], said: [['0'], ['300'], ['300.5'], ['301'], ['900'], ['3600'], ['9999']] },
  'g:SourceIp': { operators: ['IpAddress', 'NotIpAddress', 'IpAddressIfExists'], listed: ['10.0.0.0/8', '10.1.0.0/16', '192.0.2.7', '2001:db8::/32'], said: [['10.0.0.1'], ['10.1.0.1'], ['192.0.2.7'], ['192.0.2.8'], ['2001:db8::1'], ['203.0.113.5']] },
  'g:CurrentTime': { operators: ['DateLessThan', 'DateGreaterThanEquals', 'DateGreaterThan'], listed: ['2027-01-01T00:00:00Z', '2027-06-01', '2028-01-01T00:00:00Z'], said: [['2026-12-01T00:00:00Z'], ['2027-01-01T00:00:00Z'], ['2027-03-01T00:00:00Z'], ['2027-06-01T00:00:00Z'], ['2027-09-01T00:00:00Z'], ['2028-01-01T00:00:00Z'], ['2029-01-01T00:00:00Z']] },
  'g:ResourceTag/team': { operators: ['StringEquals', 'StringNotEquals', 'StringLike', 'StringNotLike', 'StringStartWith', 'StringEndWith', 'StringEqualsIfExists', 'Null'], listed: ['red', 'blue', 're*', '*d', 'b?ue', '${g:UserName}', 'true', 'false'], said: [['red'], ['blue'], ['re'], ['rex'], ['read'], ['d'], ['alice'], ['true'], ['false'], ['green']] },
  'modelarts:poolType': { operators: ['StringEquals', 'StringNotEquals', 'StringEqualsIgnoreCase'], listed: ['public', 'dedicated', 'PUBLIC'], said: [['public'], ['dedicated'], ['PUBLIC'], ['own']] },
  'g:TagKeys': { operators: ['ForAnyValue:StringEquals', 'ForAllValues:StringEquals', 'ForAllValues:StringNotEquals', 'StringEqualsAnyOf'], listed: ['team', 'cost', 'secret'], said: [['team'], ['cost'], ['secret'], ['team', 'cost'], ['team', 'secret'], ['cost', 'secret'], ['other']] },
  'g:UserName': { operators: ['StringEquals', 'StringNotEquals'], listed: ['alice', 'bob'], said: [] },
}; // prettier-ignore

const fixed = ['g:username'];
const actions = ['create', 'delete', 'get', 'list'].flatMap((operation) => [`modelarts:notebook:${operation}`, `modelarts:pool:${operation}`]); // prettier-ignore
const patterns = [...actions, 'modelarts:notebook:*', 'modelarts:*:get', 'modelarts:*:*', '*:*:*'];
const resources = ['modelarts::acc:notebook:a', 'modelarts::acc:notebook:b/1', 'modelarts::acc:pool:a'];
const resourcePatterns = [
  ...resources,
  'modelarts:*:*:notebook:*',
  'modelarts:*:*:*:b/*',
  'modelarts::acc:notebook:${g:UserName}',
];

export function generateDenial(random: () => number): Denial {
  for (;;) {
    const world = generateWorld(random);
    if (evaluate(world.sources, world.request).effect === 'DENY') return world;
  }
}

function generateWorld(random: () => number): Denial {
  const one = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const some = <T>(list: readonly T[], most: number): T[] => [
    ...new Set(Array.from({ length: 1 + Math.floor(random() * most) }, () => one(list))),
  ];
  const condition = (): Condition => {
    const key = one(Object.keys(keys));
    const { operators = [], listed = [] } = keys[key] ?? {};
    const operator = one(operators);
    if (operator === 'Null') return { operator, key, values: [one(['true', 'false'])] };
    return {
      operator,
      key,
      values: some(
        listed.filter((text) => !/^(true|false)$/.test(text) || key === 'g:MFAPresent'),
        2,
      ),
    };
  };
  const statement = (index: number, allowing: boolean): Statement => ({
    index,
    sid: null,
    effect: allowing || random() < 0.65 ? 'ALLOW' : 'DENY',
    actions: random() < 0.95 ? some(patterns, 3) : [],
    notActions: null,
    resources: random() < 0.5 ? null : some(resourcePatterns, 2),
    notResources: null,
    conditions: Array.from({ length: Math.floor(random() * 4) }, condition),
  });
  const sources = Array.from({ length: 1 + Math.floor(random() * 4) }, (_, origin) => {
    // What the system ships may not be changed; it only allows.
    const system = random() < 0.2;
    const statements = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, index) => statement(index, system)).map((made) =>
      made.actions.length > 0 ? made : { ...made, actions: [one(actions)] },
    );
    return { name: `${system ? 'system' : 'custom'}-${origin}`, document: { version: '5.0' as const, statements, depends: [] }, origin };
  }); // prettier-ignore
  const entries = Object.entries(keys).flatMap(([key, { said }]): [string, readonly string[]][] =>
    key === 'g:UserName' ? [[key, ['alice']]] : random() < 0.5 ? [] : [[key, one(said)]],
  );
  const request = {
    action: one(actions),
    resource: random() < 0.2 ? null : one(resources),
    context: buildContext(entries),
  };
  return { sources, request, entries, options };
}

/** All may change but who asks; a second factor and an age are never taken away, nor is the clock. */
const options: ExplanationOptions<number> = {
  mayBecome: (key, values) =>
    !fixed.includes(key) && (values.length > 0 || !['g:mfapresent', 'g:currenttime'].includes(key)),
  mayEdit: ({ name }) => name.startsWith('custom'),
  mayGrant: true,
};

/** What a denial comes to after a way, in the reference form. */
export function follow({ sources, request, entries }: Denial, { changes }: Way<number>): 'ALLOW' | 'DENY' {
  const context = mapOf(entries);
  let after = [...sources];
  const statements = new Map<Statement, Statement | null>();
  const now = (one: Statement): Statement | null => (statements.has(one) ? (statements.get(one) ?? null) : one);
  for (const change of changes) {
    if (change.kind === 'CONTEXT') {
      if (change.to.length === 0) context.delete(change.key.toLowerCase());
      else context.set(change.key.toLowerCase(), change.to);
    } else if (change.kind === 'STATEMENT') {
      const before = now(change.statement);
      statements.set(change.statement, before === null ? null : edit(before, change));
    } else if (change.kind === 'GRANT') {
      after.push({
        name: 'grant',
        document: { version: '5.0', statements: [change.statement], depends: [] },
        origin: -1,
      });
    } else after.push(change.source);
  }
  after = after.map((source) => ({
    ...source,
    document: { ...source.document, statements: source.document.statements.flatMap((one) => now(one) ?? []) },
  }));
  return evaluate(after, { ...request, context }).effect;
}

function mapOf(entries: Denial['entries']): Map<string, readonly string[]> {
  return new Map(entries.map(([key, values]) => [key.toLowerCase(), values]));
}

function edit(one: Statement, change: Extract<Change<number>, { kind: 'STATEMENT' }>): Statement | null {
  const value = change.value ?? '';
  const without = (list: readonly string[] | null): readonly string[] => (list ?? []).filter((text) => text !== value);
  const { condition } = change;
  switch (change.edit) {
    case 'TAKE_AWAY':
      return null;
    case 'LEAVE_OUT_ACTION':
      return { ...one, actions: without(one.actions) };
    case 'LEAVE_OUT_RESOURCE':
      return { ...one, resources: without(one.resources) };
    case 'ADD_ACTION':
      return { ...one, actions: [...one.actions, value] };
    case 'ADD_RESOURCE':
      return { ...one, resources: [...(one.resources ?? []), value] };
    case 'ADD_VALUE':
      return { ...one, conditions: one.conditions.map((it) => (it === condition ? { ...it, values: [...it.values, value] } : it)) };
    case 'DROP_CONDITION':
      return { ...one, conditions: one.conditions.filter((it) => it !== condition) };
    case 'DROP_EXCEPTION':
      return one.notActions === null ? { ...one, notResources: without(one.notResources) } : { ...one, notActions: without(one.notActions) };
  } // prettier-ignore
}

/** How many elements a way has. */
export function elementsOf({ changes }: Way<number>): number {
  return changes.filter((change) => change.kind !== 'CONTEXT' || !change.entailed).length;
}

/** What trying everything gives each key: a list of its own, so that it tries what neither requests nor documents say. */
const tried: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'g:MFAPresent': [['true'], ['false']],
  'g:MFAAge': [['0'], ['1'], ['299.9'], ['300'], ['300.1'], ['301'], ['302'], ['3599'], ['3600'], ['3601'], ['100000']],
  'g:SourceIp': [['10.0.0.0'], ['10.200.3.4'], ['10.1.255.255'], ['192.0.2.7'], ['192.0.2.6'], ['2001:db8:1::2'], ['2001:db9::1'], ['8.8.8.8']],
  'g:CurrentTime': [['2026-11-30T12:00:00Z'], ['2026-12-31T23:59:59Z'], ['2027-01-01T00:00:00Z'], ['2027-01-01T00:00:01Z'], ['2027-05-31T23:59:59Z'], ['2027-06-01T00:00:00Z'], ['2027-06-02T00:00:00Z'], ['2027-12-31T00:00:00Z'], ['2028-01-01T00:00:00Z'], ['2028-01-01T00:00:01Z']],
  'g:ResourceTag/team': [['red'], ['blue'], ['re'], ['reblue'], ['readd'], ['d'], ['alice'], ['bXue'], ['true'], ['false'], ['zebra'], ['']],
  'modelarts:poolType': [['public'], ['dedicated'], ['PUBLIC'], ['Dedicated'], ['shared']],
  'g:TagKeys': [['team'], ['cost'], ['secret'], ['team', 'cost'], ['team', 'secret'], ['cost', 'secret'], ['team', 'cost', 'secret'], ['owner'], ['team', 'owner'], ['secret', 'owner']],
}; // prettier-ignore

/** The fewest keys, at most `most`, that allow when changed; null when no such few do. By trying everything. */
export function fewestKeys({ sources, request, entries, options }: Denial, most: number): number | null {
  const compiled = new CompiledSources(sources);
  const used = new Set(
    sources.flatMap(({ document }) =>
      document.statements.flatMap(({ conditions }) => conditions.map(({ key }) => key)),
    ),
  );
  const changeable = Object.entries(tried)
    .filter(([key]) => used.has(key))
    .map(([key, given]) => ({
      key: key.toLowerCase(),
      values: [...given, []].filter((values) => options.mayBecome?.(key.toLowerCase(), values) === true),
    }))
    .filter(({ values }) => values.length > 0);
  const context = mapOf(entries);
  const tries = (from: number, left: number): boolean => {
    if (left === 0) return compiled.evaluate({ ...request, context }, undefined, true).effect === 'ALLOW';
    for (let i = from; i <= changeable.length - left; i += 1) {
      const { key = '', values = [] } = changeable[i] ?? {};
      const before = context.get(key);
      for (const value of values) {
        if (value.length === 0) context.delete(key);
        else context.set(key, value);
        if (tries(i + 1, left - 1)) return true;
      }
      if (before === undefined) context.delete(key);
      else context.set(key, before);
    }
    return false;
  };
  for (let size = 1; size <= most; size += 1) if (tries(0, size)) return size;
  return null;
}

/** The fewest edits of statements, at most `most`, that allow; null when no such few do. By trying everything. */
export function fewestEdits({ sources, request, options }: Denial, most: number): number | null {
  const kind = (action: string): string => action.split(':').slice(0, 2).join(':');
  const edits: { readonly at: Statement; readonly change: (one: Statement) => Statement | null }[] = [];
  for (const source of sources.filter((one) => options.mayEdit?.(one) === true)) {
    for (const at of source.document.statements) {
      if (at.effect === 'DENY') edits.push({ at, change: () => null });
      else {
        // An Allow about nothing of this kind is not one to extend.
        const near = evaluate([{ ...source, document: { ...source.document, statements: [{ ...at, resources: null, conditions: [] }] } }], request).effect === 'ALLOW'; // prettier-ignore
        if (!near && !at.actions.some((one) => kind(one) === kind(request.action))) continue;
        edits.push({ at, change: (one) => ({ ...one, actions: [...one.actions, request.action] }) });
        edits.push({ at, change: (one) => ({ ...one, resources: null }) });
        for (const condition of at.conditions) {
          edits.push({
            at,
            change: (one) => ({ ...one, conditions: one.conditions.filter((it) => it !== condition) }),
          });
        }
      }
    }
  }
  const allowed = (chosen: readonly number[]): boolean => {
    const after = sources.map((source) => ({
      ...source,
      document: {
        ...source.document,
        statements: source.document.statements.flatMap((statement) => {
          let one: Statement | null = statement;
          for (const i of chosen) if (edits[i]?.at === statement && one !== null) one = edits[i].change(one);
          return one === null ? [] : [one];
        }),
      },
    }));
    return evaluate(after, request).effect === 'ALLOW';
  };
  const tries = (from: number, left: number, chosen: readonly number[]): boolean => {
    if (left === 0) return allowed(chosen);
    for (let i = from; i <= edits.length - left; i += 1) if (tries(i + 1, left - 1, [...chosen, i])) return true;
    return false;
  };
  for (let size = 1; size <= most; size += 1) if (tries(0, size, [])) return size;
  return null;
}

export interface Shares {
  readonly denials: number;
  readonly withWay: number;
  readonly verified: number;
  readonly minimal: number;
  readonly kinds: Readonly<Record<string, number>>;
  /** Up to some, for whoever wants to know why. */
  readonly longer: readonly { readonly denial: Denial; readonly way: Way<number>; readonly shorter: string }[];
  readonly without: readonly Denial[];
}

/**
 * Explains so many denials and judges the first way of each.
 *
 * @param tried how many elements are tried together at most
 */
export function judgeDenials(count: number, seed: number, tried: number): Shares {
  const random = randomOf(seed);
  const kinds: Record<string, number> = {};
  const longer: { denial: Denial; way: Way<number>; shorter: string }[] = [];
  const without: Denial[] = [];
  let verified = 0;
  let minimal = 0;
  let withWay = 0;
  for (let i = 0; i < count; i += 1) {
    const denial = generateDenial(random);
    const { ways } = explain(denial.sources, denial.request, denial.options);
    const [way] = ways;
    if (way === undefined) {
      without.push(denial);
      continue;
    }
    withWay += 1;
    kinds[way.kind] = (kinds[way.kind] ?? 0) + 1;
    if (ways.every((one) => follow(denial, one) === 'ALLOW')) verified += 1;
    const shorter = shorterThan(denial, way, tried);
    if (shorter === null) minimal += 1;
    else longer.push({ denial, way, shorter });
  }
  return { denials: count, withWay, verified, minimal, kinds, longer, without };
}

/** What trying everything finds that comes before a way; null for nothing. */
function shorterThan(denial: Denial, way: Way<number>, tried: number): string | null {
  const elements = elementsOf(way);
  const keysNeeded = fewestKeys(denial, way.kind === 'CONTEXT' ? Math.min(tried, elements - 1) : tried);
  if (keysNeeded !== null) return `${keysNeeded} keys do`;
  if (way.kind === 'CONTEXT') return null;
  const editsNeeded = fewestEdits(denial, way.kind === 'STATEMENT' ? Math.min(tried, elements - 1) : tried);
  return editsNeeded === null ? null : `${editsNeeded} edits do`;
}
