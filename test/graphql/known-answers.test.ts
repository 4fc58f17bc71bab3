/** A list whose objects are allowed together, or are shown many times, shows what asking about each would show. */
import { beforeAll, describe, expect, it } from 'vitest';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { openContext } from '../../src/graphql/context.js';
import { resolvers } from '../../src/graphql/resolvers.js';
import { buildGuardedSchema } from '../../src/graphql/schema.js';
import type { Id } from '../../src/iam/index.js';
import { allow } from './acts.js';
import { openStage, type Stage } from './stage.js';

const schema = buildGuardedSchema({ resolvers, catalogue: platformCatalogue });
const people = Array.from({ length: 24 }, (_, n) => `person-${String(n).padStart(2, '0')}`);

let stage: Stage;
const ids = new Map<string, Id>();
let groupId: Id;

beforeAll(async () => {
  stage = await openStage(schema);
  for (const name of people) ids.set(name, await stage.user(name));
  groupId = await stage.group('people', [...ids.values()]);
});

const userUrn = (name: string): string => `iam:*:*:user:${ids.get(name) ?? ''}`;
/** The list itself; whom it shows is another question. */
const list = { Effect: 'Allow', Action: ['iam:groups:getGroup', 'iam:users:listUsersForGroup'] };
const all = { Effect: 'Allow', Action: ['iam:users:getUser'] };

/** Statements of the caller, and whom of the people they show. */
const rows: readonly (readonly [string, () => readonly object[], readonly string[]])[] = [
  ['an Allow without a resource shows everybody', () => [list, all], people],
  [
    'a Deny of one late in the list hides that one, though all before it are allowed',
    () => [list, all, { Effect: 'Deny', Action: ['iam:users:getUser'], Resource: [userUrn('person-20')] }],
    people.filter((name) => name !== 'person-20'),
  ],
  [
    'a Deny under a condition that holds hides everybody',
    () => [
      list,
      all,
      { Effect: 'Deny', Action: ['iam:users:getUser'], Condition: { StringLike: { 'g:UserName': ['asker*'] } } },
    ],
    [],
  ],
  [
    'a Deny under a condition that does not hold hides nobody',
    () => [
      list,
      all,
      { Effect: 'Deny', Action: ['iam:users:getUser'], Condition: { StringEquals: { 'g:UserName': ['nobody'] } } },
    ],
    people,
  ],
  [
    'an Allow of ten shows ten',
    () => [list, { Effect: 'Allow', Action: ['iam:users:getUser'], Resource: people.slice(0, 10).map(userUrn) }],
    people.slice(0, 10),
  ],
];

interface Shown {
  readonly edges: readonly ({ readonly node: { readonly name: string } } | null)[];
  readonly nodes: readonly ({ readonly name: string } | null)[];
}

describe('what a list shows', () => {
  it.each(rows)('%s', async (meaning, statements, shown) => {
    const asker = await stage.user(`asker-${rows.findIndex(([words]) => words === meaning)}`);
    await allow(stage, asker, statements());
    const token = await stage.token(asker, 'account');
    // Four times in one operation.
    const members = 'members(first: 100) { edges { node { name } } nodes { name } }';
    const { group } = await stage.get<{ group: Record<'members' | 'again', Shown> }>(
      token,
      `query ($id: ID!) { group(id: $id) { ${members} again: ${members} } }`,
      { id: groupId },
    );
    const named = (found: readonly ({ readonly name: string } | null | undefined)[]): readonly string[] =>
      found.flatMap((user) => (user?.name.startsWith('person-') === true ? [user.name] : [])).sort();
    for (const { edges, nodes } of [group.members, group.again]) {
      expect(named(edges.map((edge) => edge?.node))).toEqual(shown);
      expect(named(nodes)).toEqual(shown);
    }
  });

  it('is asked anew with every call', async () => {
    const token = await stage.token(stage.root, 'account');
    const context = await openContext(stage.iam, {
      requestId: 'r1',
      credential: { kind: 'token', token },
      environment: { now: stage.iam.now(), sourceAddress: null },
    });
    const { answers } = context;
    await context.renew();
    expect(context.answers).not.toBe(answers);
  });
});
