/**
 * Condition keys that nobody knows before a request is made, the conditions that generated policies set on them, and
 * everything that they may come to as far as those conditions can tell: nothing, a value, several.
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

type Entries = readonly { readonly key: string; readonly values: readonly string[] }[];

const mostTogether = 3;

/**
 * Every way in which a request may bring these keys, the plainest first.
 *
 * @param more values that a text may have besides
 */
export function completionsOf(keys: readonly OpenKey[], more: readonly string[]): readonly Entries[] {
  const name = JSON.stringify([keys.map(({ key }) => key), more]);
  const found = known.get(name) ?? combine(keys, more);
  known.set(name, found);
  return found;
}

const known = new Map<string, readonly Entries[]>();

function combine(keys: readonly OpenKey[], more: readonly string[]): readonly Entries[] {
  return keys.reduce<readonly Entries[]>(
    (before, { key, values }) =>
      subsets(values.includes('') ? [...new Set([...values, ...more])] : values).flatMap((chosen) =>
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
