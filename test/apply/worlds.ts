/** Random accounts as files: names and texts as hostile as the rules allow, and documents of policies in any spelling. */
import fc from 'fast-check';
import { stringify } from 'yaml';
import { fold } from '../../src/iam/index.js';

const letters = fc.constantFrom(...'abcXYZäßŒπЖ中'.split(''));
const inner = fc.constantFrom(...'ab0 ._-Ünul'.split(''));

const nameOf = (allowed: fc.Arbitrary<string>, least: number): fc.Arbitrary<string> =>
  fc
    .tuple(letters, fc.array(allowed, { minLength: least - 1, maxLength: 12 }), letters)
    .map(([first, middle, last]) => `${first}${middle.join('')}${last}`);

const plainName = fc.oneof(
  nameOf(inner, 1),
  fc.constantFrom('null', 'yes', 'No', 'true', 'x', 'n.a.', 'on', 'e1', 'NaN'),
);
const tightName = nameOf(fc.constantFrom(...'ab0_-Ü'.split('')), 3);

/** Anything that can be stored: lines, quotes, what looks like YAML. */
const text = fc.oneof(
  { weight: 2, arbitrary: fc.constant('') },
  fc.constantFrom(
    '- a: b',
    '---',
    'a\n---\nb',
    '...\n',
    '%YAML 1.1',
    '  lead',
    'trail  ',
    'a\r\nb',
    '\t',
    '# c',
    '"',
    "'",
    '!x',
    '&a',
    '*a',
    '2030-01-01',
    '0x1F',
    '1e3',
    '~',
    '{a: 1}',
    'a: b\n\n\n',
    '\n',
    '\u2028\u0085\ufeff',
    '\u001b[31m',
  ),
  fc.string({ unit: 'grapheme', maxLength: 40 }).filter((each) => !each.includes('\u0000')),
);

function distinct<T>(arbitrary: fc.Arbitrary<T>, key: (value: T) => string, most: number): fc.Arbitrary<T[]> {
  return fc.uniqueArray(arbitrary, { selector: key, maxLength: most });
}

const named = (names: fc.Arbitrary<string>, most: number) => distinct(names, fold, most);

const statements = fc.constantFrom(
  { Effect: 'Allow', Action: ['modelarts:notebook:create', 'modelarts:notebook:list'] },
  { Effect: 'Deny', Action: ['modelarts:*:*'] },
  { Effect: 'Allow', Action: ['modelarts:trainJob:*'], Resource: ['modelarts:*:*:trainJob:*'] },
  {
    Effect: 'Allow',
    Action: ['modelarts:notebook:list'],
    Condition: { StringEquals: { 'g:UserName': ['a\n"b"', 'null'] } },
  },
);

/** As a value, or as one of the texts that say it. */
const policyDocument = fc
  .tuple(
    fc.array(statements, { minLength: 1, maxLength: 3 }),
    fc.constantFrom('value', 'compact', 'pretty', 'lines', 'escaped'),
  )
  .map(([all, spelling]): unknown => {
    const value = { Version: '1.1', Statement: all };
    const compact = JSON.stringify(value);
    if (spelling === 'value') return value;
    if (spelling === 'pretty') return JSON.stringify(value, null, 2);
    if (spelling === 'lines') return ` ${compact.replace('{', '{\r\n')}\n\n`;
    return spelling === 'escaped' ? compact.replace('"Allow"', '"\\u0041llow"') : compact;
  });

export interface GeneratedWorld {
  readonly files: string;
  readonly documents: number;
}

export const worlds: fc.Arbitrary<GeneratedWorld> = fc
  .record({
    projects: named(tightName, 3),
    policies: named(plainName, 4),
    groups: named(plainName, 4),
    users: named(plainName, 6),
    workspaces: named(tightName, 3),
  })
  .chain((names) => {
    const some = (from: readonly string[], most: number) =>
      from.length === 0 ? fc.constant([]) : fc.subarray([...from], { maxLength: Math.min(most, from.length) });
    const one = (from: readonly string[]) => fc.constantFrom(...from);
    const every = (list: readonly string[], fields: Record<string, fc.Arbitrary<unknown>>, kind: string) =>
      fc.tuple(...list.map((name) => fc.record({ kind: fc.constant(kind), name: fc.constant(name), ...fields })));
    const subjects = [
      ...names.users.map((user) => ({ user })),
      ...[...names.groups, 'admin'].map((group) => ({ group })),
    ];
    const scopes = [
      'all',
      'allWorkspaces',
      { workspace: 'default' },
      ...names.workspaces.map((workspace) => ({ workspace })),
      ...names.projects.map((enterpriseProject) => ({ enterpriseProject })),
    ];
    const grant = fc.record({
      kind: fc.constant('Grant'),
      policy: one([...names.policies, 'OBS ReadOnlyAccess']),
      subject: fc.constantFrom(...subjects),
      scope: fc.constantFrom(...scopes),
      expiresAt: fc.constantFrom(undefined, undefined, '2099-01-01T00:00:00Z'),
    });
    const parts: fc.Arbitrary<unknown>[] = [
      every(names.projects, { description: text, enabled: fc.boolean() }, 'EnterpriseProject'),
      every(names.policies, { description: text, document: policyDocument }, 'Policy'),
      every(names.groups, { description: text }, 'Group'),
      every(
        names.users,
        {
          description: text,
          enabled: fc.boolean(),
          groups: some([...names.groups, 'admin'], 3),
          defaultModelArtsAccess: fc.constantFrom(undefined, 'ENDED'),
        },
        'User',
      ),
      every(
        names.workspaces,
        {
          description: text,
          visibility: fc.constantFrom('PUBLIC', 'PRIVATE', 'INTERNAL'),
          members: some(names.users, 4),
          enterpriseProject: one([...names.projects, 'default']),
        },
        'Workspace',
      ),
      distinct(grant, ({ policy, subject, scope }) => fold(JSON.stringify([policy, subject, scope])), 6),
    ];
    return fc.tuple(...parts).map((all) => {
      const documents = (all as object[][]).flat();
      return {
        files: documents.map((document) => `---\n${stringify(document, { aliasDuplicateObjects: false })}`).join(''),
        documents: documents.length,
      };
    });
  });
