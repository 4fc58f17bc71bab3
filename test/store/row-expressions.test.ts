/** What policies say of rows, as each database answers it, against what it means; with everything that SQL might misread. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Reader, Resource, RowExpression, RowTest, Store } from '../../src/iam/index.js';
import { allOf, anyOf, negation, testOf, type Pattern } from '../../src/policy/index.js';
import { commandLineSource, openStore } from '../../src/store/index.js';
import { migrations } from '../../src/store/migrations/index.js';
import { testHolds, verdictOf } from '../policy/plans.js';
import { databases } from './databases.js';
import { founded, noon, origin, record, write } from './records.js';

const seed = Number(process.env.BAILIWICK_TEST_SEED ?? Date.now() % 2 ** 31);
process.stderr.write(`generated cases of row-expressions.test.ts: BAILIWICK_TEST_SEED=${seed}\n`);

const { sqlite, postgres } = databases();
afterAll(async () => {
  await sqlite.stop();
  await postgres.stop();
});

// The command line's data source says what it does.
beforeAll(() => {
  vi.spyOn(console, 'log').mockReturnValue();
});

const hostile = ['a', 'A', 'b', '%', '_', '[', ']', '[a]', '[^a]', '^', '-', '*', '?', '\\', '\\%', "'", "''", '"', '","', '":"', '${', '$1', 'é', 'É', 'İ', 'ß', '😀', '\u2028', ' ', 'null', '{}'] as const; // prettier-ignore
const spell = (pieces: readonly string[]) =>
  fc.array(fc.constantFrom(...pieces), { maxLength: 4 }).map((chosen) => chosen.join(''));
const withoutColon = spell(hostile);
const withColons = spell([...hostile, ':', '::', ':a']);
const tagText = spell([...hostile, ':', '\n', '\n"a":"b"\n', '\u0001', '\r']);
const tagKey = fc.oneof(fc.constantFrom('team', 'Team', 'TEAM', 'k'), tagText.filter((text) => text !== '')); // prettier-ignore
const services = ['obs', 'OBS', 'model-arts', 'a'] as const;

const urn = fc
  .tuple(fc.constantFrom(...services), withoutColon, fc.constantFrom('acc', ''), withoutColon, withColons)
  .map((segments) => segments.join(':'));
const row = fc.record({
  urn,
  kind: fc.constantFrom('obs:a', 'obs:A', "o'b:%"),
  ownerId: fc.constantFrom(null, 'root', 'ROOT'),
  registeredBy: fc.constantFrom('training', 'root'),
  tags: fc.array(fc.record({ key: tagKey, value: tagText }), { maxLength: 4 }),
});

const wildcards = fc.array(fc.oneof({ weight: 2, arbitrary: fc.constantFrom<Pattern[number]>({ any: 'RUN' }, { any: 'ONE' }) }, fc.constantFrom<Pattern[number]>(...hostile, ':', '\u0000', '\ud800')), { maxLength: 4 }); // prettier-ignore
const anything: Pattern = [{ any: 'RUN' }];

/** Patterns that lie near what is there. */
function near(text: string, cut: number, form: number): Pattern {
  const characters = Array.from(text);
  const [head, tail] = [characters.slice(0, cut), characters.slice(cut)].map((part) => part.join(''));
  const filled = (...parts: readonly Pattern[number][]) => parts.filter((part) => part !== '');
  switch (form) {
    case 0:
      return filled(text);
    case 1:
      return filled(head ?? '', { any: 'RUN' });
    case 2:
      return filled({ any: 'RUN' }, tail ?? '');
    case 3:
      return filled(...characters.map((one, i) => (i === cut ? ({ any: 'ONE' } as const) : one)));
    case 4:
      return filled(text.toUpperCase());
    default:
      return anything;
  }
}

type Described = Pick<Resource, 'urn' | 'kind' | 'ownerId' | 'registeredBy' | 'tags'>;

function aim(rows: readonly Described[]): fc.Arbitrary<RowTest> {
  const one = fc.constantFrom(...rows);
  const forms = fc.array(fc.tuple(fc.nat(4), fc.nat(7)), { minLength: 5, maxLength: 5 });
  const urnTest = fc.tuple(one, forms, fc.array(fc.option(wildcards, { freq: 3 }), { minLength: 5, maxLength: 5 })).map(([{ urn: of }, shapes, others]): RowTest => {
    const [service = '', region = '', account = '', type = '', ...path] = of.split(':');
    const texts = [service.toLowerCase(), region, account, type, path.join(':')];
    const segments = texts.map((text, i) => {
      const [cut = 0, form = 0] = shapes[i] ?? [];
      const other = others[i];
      if (form === 6 && other != null) return other;
      return i === 0 && form === 4 ? anything : near(text, cut, form);
    });
    return { about: 'URN', segments };
  }); // prettier-ignore
  const tagged = fc.constantFrom(...rows.filter(({ tags }) => tags.length > 0));
  const tagTest = fc.tuple(tagged, fc.nat(3), fc.array(fc.tuple(fc.nat(3), fc.nat(4), fc.nat(4)), { minLength: 1, maxLength: 7 }), wildcards, fc.boolean()).map(([{ tags }, which, shapes, odd, wild]): RowTest => {
    const key = (tags[which % tags.length]?.key ?? '').toLowerCase();
    const fits = shapes.map(([at, cut, form]) => near(tags[at % tags.length]?.value ?? '', cut, wild ? form : 0));
    return { about: 'TAG', key, fits: wild ? [...fits, odd] : fits };
  }); // prettier-ignore
  return fc.oneof(
    { weight: 4, arbitrary: urnTest },
    { weight: 4, arbitrary: tagTest },
    tagged.map(({ tags }): RowTest => ({ about: 'TAG_ABSENT', key: (tags[0]?.key ?? '').toLowerCase() })),
    fc.constantFrom<RowTest>(
      { about: 'OWNER', id: 'root' },
      { about: 'REGISTERED_BY', id: 'training' },
      { about: 'KIND', oneOf: ['obs:a', "o'b:%"] },
      { about: 'KIND', oneOf: [] },
      { about: 'TAG_ABSENT', key: 'team' },
      { about: 'TAG_ABSENT', key: '\ud800' },
      { about: 'TAG', key: '\u0000', fits: [['a']] },
    ),
  );
}

function expressionOf(tests: fc.Arbitrary<RowTest>): fc.Arbitrary<RowExpression> {
  const { tree } = fc.letrec<{ tree: RowExpression; leaf: RowExpression }>((tie) => ({
    leaf: tests.map((one) => testOf(one)),
    tree: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      tie('leaf'),
      tie('tree').map((inner) => negation(inner)),
      fc.array(tie('tree'), { minLength: 1, maxLength: 3 }).map((of) => allOf(of)),
      fc.array(tie('tree'), { minLength: 1, maxLength: 3 }).map((of) => anyOf(of)),
    ),
  }));
  return tree;
}

function isMeant(expression: RowExpression, described: Described): boolean {
  const verdict = verdictOf(expression, (one) => {
    switch (one.about) {
      case 'KIND':
        return one.oneOf.includes(described.kind);
      case 'OWNER':
        return described.ownerId === one.id;
      case 'REGISTERED_BY':
        return described.registeredBy === one.id;
      case 'URN':
      case 'TAG':
      case 'TAG_ABSENT':
        return testHolds(one, described);
    }
  });
  return verdict === true;
}

describe.each([sqlite, postgres])('$name', (database) => {
  const [given] = fc.sample(fc.uniqueArray(row, { minLength: 150, maxLength: 150, selector: (one) => one.urn }), {
    seed,
    numRuns: 1,
  });
  const rows = given ?? [];
  let store: Store;
  let reader: Reader;
  const ids = async (visible: RowExpression): Promise<readonly string[]> => {
    const order = { by: 'URN', direction: 'ASC' } as const;
    const window = { order, limit: 1_000, backward: false, after: null, before: null };
    const page = await reader.page('resource', { visible }, window);
    expect(await reader.count('resource', { visible })).toBe(page.rows.length);
    return page.rows.map(({ record: { id } }) => id).sort();
  };

  beforeAll(async () => {
    store = await openStore(await database.freshUrl());
    await founded(store, 'acc');
    await write(store, origin('acc', { workspaceId: '0' }), async (transaction) => {
      for (const [n, one] of rows.entries())
        await transaction.insert('resource', record('resource', 'acc', `r${n}`, one));
    });
    reader = store.reader({ accountId: 'acc', workspaceId: '0' });
  });
  afterAll(() => store.close());

  test('every generated expression finds the rows that it means', async () => {
    let found = 0;
    await fc.assert(
      fc.asyncProperty(expressionOf(aim(rows)), async (visible) => {
        const expected = rows.flatMap((one, n) => (isMeant(visible, one) ? [`r${n}`] : [])).sort();
        expect(await ids(visible)).toEqual(expected);
        found += Number(expected.length > 0 && expected.length < rows.length);
      }),
      { seed, numRuns: 700 },
    );
    expect(found).toBeGreaterThan(250);
  });

  test('an expression of a thousand tests is answered', async () => {
    const tests = Array.from({ length: 1_000 }, (_, n) =>
      testOf<RowTest>({ about: 'TAG', key: `key-${n}`, fits: [[`${n}`]] }),
    );
    expect(await ids(anyOf(tests))).toEqual([]);
    expect(await ids(allOf(tests.map((one) => negation(one))))).toHaveLength(rows.length);
  });

  test('a colon in a segment before the path is none of those that cut', async () => {
    const urnOf = (urn: string) =>
      write(store, origin('acc', { workspaceId: '0' }), (open) => open.update('resource', 'r0', { urn }));
    const known = async (...segments: readonly Pattern[]) =>
      (await ids(testOf<RowTest>({ about: 'URN', segments }))).includes('r0');
    await urnOf('obs:a::::b');
    expect(await known(anything, anything, [], [], [':b'])).toBe(true);
    expect(await known(anything, anything, [], [':'], anything)).toBe(false);
    expect(await known(['obs'], ['a'], [':'], [], anything)).toBe(false);
    await urnOf(rows[0]?.urn ?? '');
  });

  test('tags are looked for as they are after a change', async () => {
    const team: RowExpression = testOf({ about: 'TAG', key: 'changing', fits: [['x']] });
    const change = (tags: readonly { key: string; value: string }[]) =>
      write(store, origin('acc', { workspaceId: '0' }), (open) => open.update('resource', 'r0', { tags }));
    await change([{ key: 'Changing', value: 'x' }]);
    expect(await ids(team)).toEqual(['r0']);
    await change([
      { key: 'Changing', value: 'x' },
      { key: 'changing', value: 'y' },
    ]);
    expect(await ids(team)).toEqual([]);
    await write(store, origin('acc', { workspaceId: '0' }), (open) => open.update('resource', 'r0', { name: 'other' }));
    await change([...(rows[0]?.tags ?? [])]);
    expect(await ids(team)).toEqual([]);
  });

  test('rows of an older database are found by their tags as new ones are', async () => {
    const url = await database.freshUrl();
    const source = commandLineSource(url);
    const before = migrations.filter(({ name }) => Number(/\d{13}$/.exec(name)?.[0]) < 1764780000000);
    source.setOptions({ migrations: before });
    await source.initialize();
    await source.runMigrations({ transaction: 'all' });
    const many = Array.from({ length: 2_100 }, (_, n) => ({ ...(rows[n % rows.length] as Described), n }));
    const quoted = (text: string | null) => (text === null ? 'NULL' : `'${text.replaceAll("'", "''")}'`);
    await source.query(`INSERT INTO "accounts" ("id", "name", "name_key", "root_user_id", "authorization_mode", "workspaces_enabled", "revision", "access_revision", "created_at")
      VALUES ('acc', 'Old', 'old', 'root', 'LOOSE', TRUE, 1, 1, ${noon})`);
    await source.query(`INSERT INTO "enterprise_projects" ("account_id", "id", "name", "name_key", "description", "enabled", "version", "created_at", "updated_at")
      VALUES ('acc', '0', 'p', 'p', '', TRUE, 1, ${noon}, ${noon})`);
    await source.query(`INSERT INTO "workspaces" ("account_id", "id", "name", "name_key", "description", "enterprise_project_id", "visibility", "creator_id", "status", "status_detail", "version", "created_at", "updated_at")
      VALUES ('acc', '0', 'w', 'w', '', '0', 'PUBLIC', 'root', 'NORMAL', '', 1, ${noon}, ${noon})`);
    for (let from = 0; from < many.length; from += 300) {
      const values = many.slice(from, from + 300).map(({ urn: of, kind, ownerId, registeredBy, tags, n }) =>
        `('acc', ${[`r${String(n)}`, '0', `${of}${n}`, kind, '', '', ownerId, registeredBy, JSON.stringify(tags)].map(quoted).join(', ')}, 1, ${noon}, ${noon})`,
      ); // prettier-ignore
      await source.query(
        `INSERT INTO "resources" ("account_id", "id", "workspace_id", "urn", "kind", "name", "name_key", "owner_id", "registered_by", "tags", "version", "created_at", "updated_at") VALUES ${values.join(', ')}`,
      );
    }
    await source.destroy();
    const upgraded = await openStore(url);
    const old = upgraded.reader({ accountId: 'acc', workspaceId: '0' });
    const tests = fc.sample(aim(rows), { seed, numRuns: 200 }).filter(({ about }) => about.startsWith('TAG'));
    for (const one of tests) {
      const visible: RowExpression = testOf(one);
      expect(await old.count('resource', { visible })).toBe(many.filter((described) => isMeant(visible, described)).length); // prettier-ignore
    }
    expect(tests.length).toBeGreaterThan(50);
    await upgraded.close();
  });
});
