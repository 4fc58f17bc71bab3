/**
 * Condition keys that nobody knows before a request is made, the conditions that generated policies set on them, and
 * everything that they may come to as far as the conditions of one principal can tell: nothing, a value, several.
 */
import type { Dice } from '../replay/random.js';

export interface OpenKey {
  readonly key: string;
  /** Every value that some condition on the key tells from the others; of which a request may bring several. */
  readonly values: readonly string[];
  /** One of the conditions that are written about it, as it stands in a document. */
  readonly condition: (dice: Dice) => Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

type Written = readonly [operator: string, values: readonly string[]];

const presence: readonly Written[] = [
  ['Null', ['true']],
  ['Null', ['false']],
  ['IsNullOrEmpty', ['true']],
];

/** Texts that are compared whole, which a list tells apart exactly. */
const whole: readonly Written[] = [
  ['StringEquals', ['x']],
  ['StringEquals', ['y']],
  ['StringEquals', ['x', 'y']],
  ['StringEquals', ['${g:UserName}']],
  ['StringNotEquals', ['x']],
  ['StringNotEquals', ['y']],
  ['StringEqualsIfExists', ['x']],
  ['StringNotEqualsIfExists', ['y']],
  ['ForAnyValue:StringEquals', ['x']],
  ['ForAllValues:StringEquals', ['x', 'y']],
  ['ForAnyValue:StringNotEquals', ['x']],
  ...presence,
];

/** Of these a list may say IF where a longer calculation would say more. */
const vague: readonly Written[] = [
  ['StringLike', ['x*']],
  ['StringNotLike', ['*y']],
  ['StringEqualsIgnoreCase', ['X']],
];

function openKey(key: string, values: readonly string[], written: readonly Written[]): OpenKey {
  return {
    key,
    values,
    condition: (dice) => {
      const [operator, listed] = dice.pick(written);
      return { [operator]: { [key]: listed } };
    },
  };
}

const texts = ['', 'x', 'y', 'elsewhere'] as const;
const addresses: readonly Written[] = [
  ['IpAddress', ['192.0.2.0/24']],
  ['NotIpAddress', ['192.0.2.0/24']],
  ['IpAddress', ['192.0.2.7', '198.51.100.0/24']],
  ...presence,
];

export const openKeys: readonly OpenKey[] = [
  openKey('modelarts:poolType', texts, whole),
  openKey('g:ResourceTag/team', texts, whole),
  openKey('g:RequestTag/env', [...texts, 'X', 'xx', 'xy'], [...whole, ...vague, ...vague]),
  openKey('g:TagKeys', texts, whole),
  openKey('g:SourceVpc', texts, whole),
  // Known in a workspace, and open in the account.
  openKey(
    'g:EnterpriseProjectId',
    ['', '0', 'ep', 'x'],
    [['StringEquals', ['ep']], ['StringNotEquals', ['ep']], ['StringEquals', ['0', 'x']], ...presence],
  ),
  openKey(
    'trainer:size',
    ['', 'many', '0', '1', '1.5', '2', '3'],
    [
      ['NumericLessThan', ['2']],
      ['NumericGreaterThanEquals', ['1']],
      ['NumericEquals', ['1', '2']],
      ['NumericNotEquals', ['2']],
      ['NumericLessThanIfExists', ['1']],
      ...presence,
    ],
  ),
  openKey('g:ViaService', ['true', 'false'], [['Bool', ['true']], ['Bool', ['false']], ...presence]),
  openKey('g:SourceIp', ['192.0.2.7', '192.0.2.8', '198.51.100.9', '203.0.113.1'], addresses),
  openKey('hw:SourceIp', ['192.0.2.7', '192.0.2.8', '198.51.100.9', '203.0.113.1'], addresses),
];

/** Of values that nothing tells apart two are kept: whether there is one of them or several might make a difference. */
const mostAlike = 2;

/** What a listed value says of a value of the key, by operator; of operators that are not here each value is by itself. */
const sayings: Readonly<Record<string, (listed: string, value: string) => unknown>> = {
  // Whether a value is the empty text is told apart in any case.
  Null: () => null,
  IsNullOrEmpty: () => null,
  StringEquals: (listed, value) => listed === value,
  StringNotEquals: (listed, value) => listed === value,
  StringEqualsIgnoreCase: (listed, value) => listed.toLowerCase() === value.toLowerCase(),
  StringLike: fitsStar,
  StringNotLike: fitsStar,
  NumericEquals: order,
  NumericNotEquals: order,
  NumericLessThan: order,
  NumericGreaterThanEquals: order,
};

function fitsStar(listed: string, value: string): boolean {
  const [before = '', after = ''] = listed.split('*');
  return value.startsWith(before) && value.endsWith(after);
}

/** Null for what is no number. */
function order(listed: string, value: string): number | null {
  return Number.isNaN(Number(value)) ? null : Math.sign(Number(value) - Number(listed));
}

/**
 * Those of a key's values that some condition of these policies tells from the others. A key on which little is asked
 * comes to little: of two keys with all their values there are 8,649 completions, and most would say the same.
 *
 * @param policies documents, one a line
 * @param userName what `${g:UserName}` comes to
 */
export function valuesThatCount({ key, values }: OpenKey, policies: string, userName: string): readonly string[] {
  const asked = conditionsOn(key, policies, userName);
  // What is no text is refused where it does not read as what it should be.
  const named = values.includes('') && asked.some(([, listed]) => listed.includes(userName));
  const alike = new Map<string, number>();
  return [...new Set([...values, ...(named ? [userName] : [])])].filter((value) => {
    const said = asked.map(([operator, listed]) => {
      const saying = sayings[operator.replace(/^For(Any|All)Values?:|IfExists$/g, '')] ?? (() => value);
      return listed.map((one) => saying(one, value));
    });
    const what = JSON.stringify([value === '', said]);
    alike.set(what, (alike.get(what) ?? 0) + 1);
    return (alike.get(what) ?? 0) <= mostAlike;
  });
}

interface ReadDocument {
  readonly Statement?: readonly { readonly Condition?: Readonly<Record<string, Readonly<Record<string, string[]>>>> }[];
}

/** Each condition on the key, and the names that are compared with it: what holds a name is asked the value of the key. */
function conditionsOn(key: string, policies: string, userName: string): readonly Written[] {
  return policies.split('\n').flatMap((line) => {
    const { Statement = [] } = line === '' ? {} : (JSON.parse(line) as ReadDocument);
    return Statement.flatMap(({ Condition = {} }) =>
      Object.entries(Condition).flatMap(([operator, keys]) =>
        Object.entries(keys).flatMap(([name, listed]): Written[] => {
          if (name === key) return [[operator, listed.map((one) => (one === '${g:UserName}' ? userName : one))]];
          return listed.includes(`\${${key}}`) ? [['StringEquals', [userName]]] : [];
        }),
      ),
    );
  });
}

type Entries = readonly { readonly key: string; readonly values: readonly string[] }[];

const mostTogether = 3;

/** Every way in which a request may bring these keys, the plainest first. */
export function completionsOf(keys: readonly Pick<OpenKey, 'key' | 'values'>[]): readonly Entries[] {
  return keys.reduce<readonly Entries[]>(
    (before, { key, values }) =>
      subsets(values).flatMap((chosen) =>
        before.map((entries) => (chosen.length === 0 ? entries : [...entries, { key, values: chosen }])),
      ),
    [[]],
  );
}

function subsets(values: readonly string[]): readonly (readonly string[])[] {
  return values
    .reduce<readonly (readonly string[])[]>(
      (found, value) => [
        ...found,
        ...found.filter(({ length }) => length < mostTogether).map((some) => [...some, value]),
      ],
      [[]],
    )
    .toSorted((one, other) => one.length - other.length);
}
