/**
 * How the time of an evaluation grows with its input, on inputs made to be dear: at most as pattern × text.
 *
 *     npm run bench:growth [-- <what, a piece of a name>]
 *
 * Each kind of input is made small and then twice as large, again and again, up to the limits of a document and a kilobyte of text, both the
 * pattern and the text. `pattern` is what the patterns and values that a statement lists come to once their variables are put in; `text` is
 * what the request gives. For the reference form, for the compiled form, and for the compiled form with its making, the table has the time of the
 * processor for the largest input, and how often more than pattern × text it grew: 1 is in proportion, below 1 is less. Ends with
 * status 1 when some kind grew more than four times as much over its whole range; what grew by one more factor of the size would be at eight and more.
 */
import {
  buildContext,
  CompiledSources,
  evaluate,
  parsePolicy,
  type PolicyDocument,
  policyLimits,
  type PolicyRequest,
  type PolicySource,
} from '../src/policy/index.js';

/** An input of one size. */
interface Input {
  readonly statements: readonly object[];
  readonly action?: string;
  readonly resource?: string;
  readonly context?: Record<string, readonly string[]>;
  /** Characters that variables in patterns come to. */
  readonly putIn?: number;
}

interface Kind {
  readonly name: string;
  /** The first size; it is doubled `doublings` times. */
  readonly from: number;
  readonly doublings: number;
  readonly make: (size: number) => Input;
}

const most = 4;
const limits = policyLimits.CUSTOM;
const asked = 'obs:object:GetObject';
const key = 'k:key';

const like = (operator: string, listed: readonly string[], request: readonly string[]): Input => ({
  statements: [{ Effect: 'Allow', Action: [asked], Condition: { [operator]: { [key]: listed } } }],
  context: { [key]: request },
});
const on = (patterns: readonly string[], path: string, member = 'Resource'): Input => ({
  statements: [{ Effect: 'Allow', Action: [asked], [member]: patterns.map((pattern) => `obs:*:*:object:${pattern}`) }],
  resource: `obs:::object:${path}`,
});
const times = (text: string, characters: number): string =>
  text.repeat(Math.ceil(characters / text.length)).slice(0, characters);
const list = (count: number, item: (i: number) => string): string[] => Array.from({ length: count }, (_, i) => item(i));

/** Patterns against which a text is nearly right at every place. */
const dear: readonly (readonly [what: string, pattern: (n: number) => string, text: (n: number) => string])[] = [
  ['one star, then nearly the text', (n) => `*${times('a', n / 2)}b*c`, (n) => times('a', n)],
  ['one star, then nearly the text, one `?`', (n) => `*${times('a', n / 2)}?b*c`, (n) => times('a', n)],
  ['stars at every second place', (n) => `${times('*a', n - 1)}b`, (n) => times('a', n)],
  ['stars and `?` by turns', (n) => `${times('*?a', n - 1)}b`, (n) => times('a', n)],
  ['a row of stars', (n) => `${times('*', n - 1)}b`, (n) => times('a', n)],
  ['a row of `?`', (n) => times('?', n), (n) => times('a', n)],
  ['`?` and stars, as many as fit', (n) => `${times('?*', n - 1)}b`, (n) => times('a', n)],
  ['longer and longer pieces', (n) => `*${times('aaab*aaaaab*aaaaaaaab*', n - 2)}c`, (n) => times('aaaaaaaaab', n)],
  ['pairs of surrogates', (n) => `*${times('😀', n / 2)}?b*`, (n) => times('😀', n)],
  ['a deep path', (n) => `${times('*/a', n - 2)}/b`, (n) => times('a/', n)],
];

const kinds: readonly Kind[] = [
  ...dear.map(([what, pattern, text]): Kind => {
    const make = (n: number): Input => like('StringLike', [pattern(n)], [text(n)]);
    return { name: `StringLike: ${what}`, from: 128, doublings: 3, make };
  }),
  ...dear.map(([what, pattern, text]): Kind => {
    return { name: `Resource: ${what}`, from: 128, doublings: 3, make: (n) => on([pattern(n)], text(n)) };
  }),
  ...(['Resource', 'NotResource'] as const).map((member): Kind => {
    const make = (n: number): Input =>
      on(
        list(limits.resources, (i) => `*${times('a', n / 20)}?b${i}*`),
        times('a', n),
        member,
      );
    return { name: `${member}: ten patterns`, from: 256, doublings: 3, make };
  }),
  {
    name: 'Action: forty patterns',
    from: 25,
    doublings: 3,
    make: (n) => ({
      statements: [{ Effect: 'Allow', Action: list(40, (i) => `obs:object:*${times('a', n / 2)}?b${i}*`) }],
      action: `obs:object:${times('a', n * 8)}`,
    }),
  },
  {
    name: 'NotAction: forty patterns',
    from: 25,
    doublings: 3,
    make: (n) => ({
      statements: [{ Effect: 'Allow', NotAction: list(40, (i) => `obs:object:*${times('a', n / 2)}?b${i}*`) }],
      action: `obs:object:${times('a', n * 8)}`,
    }),
  },
  ...[
    'StringEquals',
    'StringNotEquals',
    'StringEqualsIgnoreCase',
    'StringStartWith',
    'StringEndWith',
    'ForAllValues:StringNotLike',
  ].map((operator): Kind => ({
    name: `${operator}: many listed, many given`,
    from: 16,
    doublings: 5,
    make: (n) => like(operator, list(n, (i) => `v${i}`), list(n, (i) => `w${i}`)), // prettier-ignore
  })),
  {
    name: 'StringEquals: long, the last character differs',
    from: 64,
    doublings: 4,
    make: (n) => like('StringEquals', list(4, (i) => times('a', n - 1) + String(i)), list(4, () => `${times('a', n - 1)}b`)), // prettier-ignore
  },
  {
    name: 'NumericEquals: many listed, many given',
    from: 8,
    doublings: 5,
    make: (n) => like('NumericEquals', list(n, (i) => String(i)), list(n, (i) => `${i}.5`)), // prettier-ignore
  },
  {
    name: 'NumericLessThan: as many digits as a number may have',
    from: 10,
    doublings: 3,
    make: (n) => like('NumericLessThan', list(20, () => times('1', n)), list(20, () => times('9', n))), // prettier-ignore
  },
  {
    name: 'DateEquals: many listed, many given',
    from: 4,
    doublings: 5,
    make: (n) => like('DateEquals', list(n, (i) => `2026-01-31T08:30:00.${String(i).padStart(3, '0')}Z`), list(n, () => '2026-01-31T08:30:00.999Z')), // prettier-ignore
  },
  {
    name: 'IpAddress: many blocks, many addresses',
    from: 8,
    doublings: 5,
    make: (n) => like('IpAddress', list(n, (i) => `10.0.${i % 256}.0/24`), list(n, (i) => `192.0.2.${i % 256}`)), // prettier-ignore
  },
  {
    name: 'IpAddress: blocks of the long kind',
    from: 4,
    doublings: 5,
    make: (n) => like('IpAddress', list(n, (i) => `2001:db8:0:${i.toString(16)}::/64`), list(n, (i) => `2001:db9::${i.toString(16)}`)), // prettier-ignore
  },
  ...(['StringLike', 'StringEquals'] as const).map((operator): Kind => ({
    name: `${operator}: many variables, long values`,
    from: 8,
    doublings: 4,
    make: (n) => {
      const { statements } = like(operator, [list(n, () => '${k:v}').join(operator === 'StringLike' ? '*?' : '')], []);
      const value = times('a', n * 4);
      return { statements, context: { [key]: [`${times('a', n * 8)}b`], 'k:v': [value] }, putIn: n * value.length };
    },
  })),
  {
    name: 'Resource: many variables, long values',
    from: 8,
    doublings: 4,
    make: (n) => {
      const value = times('a', n * 4);
      const path = `${times('a', n * 8)}b`;
      return { ...on([list(n, () => '${k:v}').join('*')], path), context: { 'k:v': [value] }, putIn: n * value.length };
    },
  },
  {
    name: 'Resource: many variables that nobody knows',
    from: 16,
    doublings: 4,
    make: (n) => on([list(n / 2, (i) => `\${k:v${i}}`).join('*a')], times('a', n * 8)),
  },
  {
    name: 'Condition: ten operators with as many keys as fit',
    from: 1,
    doublings: 3,
    make: (n) => {
      const operators = ['StringLike', 'StringNotLike', 'StringMatch', 'StringEndWith', 'StringNotEndWith', 'StringStartWith', 'StringNotStartWith', 'StringEquals', 'StringNotEquals', 'StringLikeIfExists']; // prettier-ignore
      const wanted = (operator: string): string => (operator.includes('Not') ? 'x' : operator.includes('End') ? 'a' : operator.endsWith('Equals') ? times('a', n * 64) : operator.includes('Start') ? 'aa' : '*a?a*'); // prettier-ignore
      const keys = list(n, (i) => `k:key${i}`);
      const ofOperator = (operator: string) => Object.fromEntries(keys.map((one) => [one, [wanted(operator)]]));
      const condition = Object.fromEntries(operators.map((operator) => [operator, ofOperator(operator)]));
      return {
        statements: [{ Effect: 'Allow', Action: [asked], Condition: condition }],
        context: Object.fromEntries(keys.map((one) => [one, [times('a', n * 64)]])),
      };
    },
  },
  {
    name: 'Statement: as many as a document has',
    from: 1,
    doublings: 3,
    make: (n) => ({
      statements: list(n, String).map((i) => ({ Effect: 'Deny', Action: [`obs:*:*Get*`], Resource: [`obs:*:*:object:*${times('a', n * 16)}?b${i}*`] })), // prettier-ignore
      resource: `obs:::object:${times('a', n * 64)}`,
    }),
  },
];

const charactersOf = (value: unknown): number =>
  typeof value === 'string'
    ? value.length
    : typeof value === 'object' && value !== null
      ? Object.values(value).reduce<number>((sum, one) => sum + charactersOf(one), 0)
      : 0;

/** Only these grow, and each meets its own kind alone. */
const lastSegments = (names: readonly string[] | null): readonly string[] =>
  (names ?? []).map((name) => name.slice(name.lastIndexOf(':') + 1));

function read(name: string, statements: readonly object[]): PolicyDocument {
  const { document, problems } = parsePolicy({ Version: '1.1', Statement: statements }, 'ANY');
  if (document === null) throw new Error(`${name}: ${JSON.stringify(problems[0])}`);
  return document;
}

/** Milliseconds of the processor for one run: the least of several batches, each long enough to be told. */
function timeOf(run: () => void): number {
  let batch = 1;
  let least = Infinity;
  for (let rounds = 0; rounds < 5;) {
    const before = process.cpuUsage();
    for (let i = 0; i < batch; i += 1) run();
    const { user, system } = process.cpuUsage(before);
    const spent = (user + system) / 1000;
    if (spent < 4) batch *= spent < 1 ? 8 : 2;
    else {
      least = Math.min(least, spent / batch);
      rounds += 1;
    }
  }
  return least;
}

interface Measurement {
  readonly product: number;
  /** Of the reference form, the compiled form, and the compiled form with its making. */
  readonly times: readonly number[];
}

function measure(name: string, input: Input): Measurement {
  const document = read(name, input.statements);
  const sources: PolicySource<number>[] = [{ name: 'p', document, origin: 0 }];
  const request: PolicyRequest = {
    action: input.action ?? asked,
    resource: input.resource ?? null,
    context: buildContext(Object.entries(input.context ?? {}).map(([one, values]) => [one, [...values]] as const)),
  };
  const compiled = new CompiledSources(sources);
  if (compiled.evaluate(request).effect !== evaluate(sources, request).effect) throw new Error(`${name}: two answers`);
  const pattern = charactersOf(document.statements.map(({ actions, notActions, resources, notResources, conditions }) => [[actions, notActions, resources, notResources].map(lastSegments), conditions.map(({ values }) => values)])); // prettier-ignore
  const text = charactersOf([
    lastSegments([request.action, request.resource ?? '']),
    Object.values(input.context ?? {}),
  ]);
  return {
    product: (pattern + (input.putIn ?? 0)) * text,
    times: [
      timeOf(() => evaluate(sources, request)),
      timeOf(() => compiled.evaluate(request)),
      // What is made of a document is kept beside it, so each time the document is another one.
      timeOf(() => new CompiledSources([{ name: 'p', document: { ...document }, origin: 0 }]).evaluate(request)),
    ],
  };
}

const wanted = process.argv[2] ?? '';
const forms = ['reference', 'compiled', 'with making'];
process.stdout.write(`${'largest, microseconds, and growth over pattern × text'.padEnd(56)}${'product'.padStart(10)}  ${forms.map((form) => form.padEnd(18)).join('')}\n`); // prettier-ignore
let worst = { growth: 0, name: '', time: 0, slowest: '' };
for (const { name, from, doublings, make } of kinds.filter((kind) => kind.name.includes(wanted))) {
  const measured = list(doublings + 1, String).map((i) => measure(name, make(from * 2 ** Number(i))));
  const first = measured[0];
  const last = measured.at(-1);
  if (first === undefined || last === undefined) continue;
  const cells = forms.map((_form, form) => {
    const time = last.times[form] ?? 0;
    const growth = time / (first.times[form] ?? 1) / (last.product / first.product);
    if (growth > worst.growth) worst = { ...worst, growth, name };
    if (time > worst.time) worst = { ...worst, time, slowest: name };
    return `${(time * 1000).toFixed(1).padStart(9)} ${growth.toFixed(2).padStart(6)}  `;
  });
  process.stdout.write(`${name.padEnd(56)}${last.product.toExponential(1).padStart(10)}  ${cells.join('')}\n`);
}
process.stdout.write(
  `the most growth: ${worst.growth.toFixed(2)} (${worst.name}); the slowest: ${worst.time.toFixed(2)} ms (${worst.slowest})\n`,
);
process.exitCode = worst.growth > most ? 1 : 0;
