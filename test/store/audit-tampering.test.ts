/**
 * Edits by chance of the rows of the trail, as a database takes them: every value in every form that a column will hold,
 * rows exchanged, doubled and deleted. Each is found by what `bailiwick audit verify` runs, with a head from after it.
 * `AUDIT_EDITS=10000` makes more of them.
 */
import type { QueryRunner } from 'typeorm';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { beginningOf, linkAfter, verifyTrail, type Head } from '../../src/audit-chain/index.js';
import type { Store } from '../../src/iam/index.js';
import { commandLineSource, openStore } from '../../src/store/index.js';
import { columnName } from '../../src/store/rows.js';
import { render, type Dialect, type Sql } from '../../src/store/sql.js';
import { tables } from '../../src/store/tables.js';
import { StoredTrail } from '../../src/store/trail.js';
import { diceOf } from '../audit-chain/trails.js';
import { seed } from '../policy/seed.js';
import { databases } from './databases.js';
import { founded, noon, origin, record, write } from './records.js';

const { sqlite, postgres } = databases();
afterAll(async () => {
  await sqlite.stop();
  await postgres.stop();
});

// The command line's data source says what it does.
beforeAll(() => {
  vi.spyOn(console, 'log').mockReturnValue();
});

/** In SQLite, whose columns hold anything; a quarter of them in PostgreSQL. */
const edits = Number(process.env['AUDIT_EDITS'] ?? 400);

/** A trail with all that events can have; a head of it, and some events after that. */
async function trailIn(url: string): Promise<Head> {
  const store = await openStore(url);
  await founded(store, 'a');
  for (let index = 0; index < 8; index += 1) {
    const id = `g${index}`;
    const change = origin('a', {
      at: noon + 1_000 * index,
      operation: `operation${index % 3}`,
      workspaceId: index % 2 === 0 ? null : '0',
      // What is read in place of bytes that are no UTF-8, written by somebody who means it.
      actorName: index % 2 === 0 ? 'Root' : 'R\uFFFDt',
      requestId: `request-${index}`,
      ...(index % 3 === 0 ? { delegation: { sessionId: `s${index}` } as never } : {}),
    });
    await write(store, change, (open) => open.insert('group', record('group', 'a', id, { name: `${id} \uFFFD “ü”` })));
    await write(store, change, (open) => open.update('group', id, { description: `the ${index}th, "so"` }));
    if (index % 2 === 0) await write(store, change, (open) => open.remove('group', id));
  }
  const head = await headNow(store);
  for (const id of ['later', 'last'])
    await write(store, origin('a'), (open) => open.insert('group', record('group', 'a', id, { name: id })));
  await store.close();
  return head;
}

async function headNow(store: Store): Promise<Head> {
  const { position, hash } = (await store.access.auditChain('a')) ?? beginningOf('a');
  return { account: 'a', position, hash, at: new Date(noon).toISOString() };
}

interface Hand {
  readonly dialect: Dialect;
  readonly run: (text: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;
  readonly trail: StoredTrail;
  readonly verified: () => ReturnType<typeof verifyTrail>;
}

/** On one connection, so that what somebody did is verified before it is taken back. */
async function inHand(url: string, heads: readonly Head[], work: (hand: Hand) => Promise<void>): Promise<void> {
  const source = commandLineSource(url);
  await source.initialize();
  const runner: QueryRunner = source.createQueryRunner();
  const dialect: Dialect = source.options.type === 'sqlite' ? 'sqlite' : 'postgres';
  const rows = async (statement: Sql) => {
    const { text, parameters } = render(statement, dialect);
    return (await runner.query(text, parameters)) as readonly Readonly<Record<string, unknown>>[];
  };
  const trail = new StoredTrail({ dialect, rows });
  try {
    await work({
      dialect,
      run: async (text) => (await runner.query(text)) as readonly Readonly<Record<string, unknown>>[],
      trail,
      verified: () => verifyTrail(trail, 'a', heads),
    });
  } finally {
    await runner.release();
    await source.destroy();
  }
}

const columns = Object.keys(tables.auditEvent.columns).map(columnName);

/** What a column says instead; `C` is the column itself. */
const common = [
  ...['NULL', `'null'`, `'"null"'`, `'{}'`, `'[]'`, `''`, `'x'`, '0', '1', '-1'],
  ...['C || C', `' ' || C`, `C || ' '`, `C || '0'`, 'upper(C)', 'lower(C)', 'C + 1', '-C', 'C * 10'],
  ...[`replace(C, ':', ': ')`, `replace(C, ',', ', ')`, `replace(C, '{', '{"id":1,')`, `replace(C, 'e', 'é')`],
  ...[`replace(C, '"version":1', '"version":1.0')`, `replace(C, 'true', '1')`, 'substr(C, 2)'],
];
const ofDialect: Readonly<Record<Dialect, readonly string[]>> = {
  sqlite: [
    ...['TEXT', 'BLOB', 'REAL', 'INTEGER'].map((form) => `CAST(C AS ${form})`),
    ...[`printf('0x%x', C)`, `printf('%e', C)`, `'0' || C`, `C || '.0'`, `C || '.5'`, `C || 'e0'`, `C || 'e1'`],
    ...['C + 0.0', 'C + 0.5', 'C + 9007199254740993', 'C * 1e300 * 1e300', '0.0', '-0.0', `x''`, `x'00'`],
    ...[
      'C || char(0)',
      `C || char(0) || 'x'`,
      `C || CAST(x'ff' AS TEXT)`,
      `CAST(x'f09f98' AS TEXT)`,
      'CAST(hex(C) AS BLOB)',
    ],
    ...['hex(C)', 'quote(C)', 'json_quote(C)', `replace(C, char(65533), CAST(x'f09f98' AS TEXT))`],
    ...[`CAST(replace(C, ',', ', ') AS BLOB)`, `CAST(printf('0x%x', C) AS BLOB)`, `CAST('' AS BLOB)`],
  ],
  postgres: [
    ...['C + 9007199254740992', '9223372036854775807', '-9223372036854775808', 'C - C', `C || chr(65533)`],
    ...[`replace(C, chr(65533), '?')`, `C || chr(1)`, `normalize(C, NFD)`, 'quote_literal(C)', 'to_json(C)::text'],
  ],
};

type Dice = (count: number) => number;

/** Statements, and what was done in words. */
function edit(hand: Hand, dice: Dice, last: number): readonly [name: string, statements: readonly string[]] {
  // Whoever puts one in after the last that the head is of has changed nothing of which it is.
  const at = 1 + dice(last - 1);
  const other = 1 + dice(last);
  const where = `WHERE "account_id" = 'a' AND "position"`;
  const column = columns[dice(columns.length)] ?? 'at';
  const forms = [...common, ...ofDialect[hand.dialect]];
  const form = forms[dice(forms.length)] ?? 'NULL';
  const set = (text: string) => `"${column}" = ${text}`;
  const ofOther = `(SELECT o."${column}" FROM "audit_events" o WHERE o."account_id" = 'a' AND o."position" = ${other})`;
  const kind = dice(40);
  if (kind < 30) {
    return [
      `${column} = ${form}`,
      [`UPDATE "audit_events" SET ${set(form.replaceAll('C', `"${column}"`))} ${where} = ${at}`],
    ];
  }
  if (kind < 32) return ['value of another', [`UPDATE "audit_events" SET ${set(ofOther)} ${where} = ${at}`]];
  if (kind === 32) return ['delete', [`DELETE FROM "audit_events" ${where} = ${at}`]];
  if (kind === 33) return ['delete some', [`DELETE FROM "audit_events" ${where} BETWEEN ${at} AND ${other}`]];
  if (kind === 34) return ['cut off', [`DELETE FROM "audit_events" ${where} >= ${at}`]];
  if (kind === 35) {
    const values = columns.map((name) =>
      name === 'id' ? `"id" || 'x'` : name === 'sequence' ? `"sequence" + 100` : `"${name}"`,
    );
    const names = columns.map((name) => `"${name}"`).join(', ');
    return [
      'double',
      [`INSERT INTO "audit_events" (${names}) SELECT ${values.join(', ')} FROM "audit_events" ${where} = ${at}`],
    ];
  }
  if (kind === 36) {
    const swap = ['revision', 'sequence', 'id'].map(
      (name) => `"${name}" = CASE "position" WHEN ${at} THEN (SELECT "${name}" FROM moved WHERE "position" = ${other})
        ELSE (SELECT "${name}" FROM moved WHERE "position" = ${at}) END`,
    );
    // Out of the way first: no two rows may say the same in between.
    return [
      'exchange',
      [
        `CREATE TEMPORARY TABLE moved AS SELECT "position", "revision", "sequence", "id" FROM "audit_events" ${where} IN (${at}, ${other})`,
        `UPDATE "audit_events" SET "revision" = "revision" + 1000000, "id" = 'moved' || "id" ${where} IN (${at}, ${other})`,
        `UPDATE "audit_events" SET ${swap.join(', ')} ${where} IN (${at}, ${other})`,
        `DROP TABLE moved`,
      ],
    ];
  }
  const chain = ['position', 'hash', 'adopted'][dice(3)] ?? 'hash';
  const chainForm = form.replaceAll('C', `"${chain}"`);
  return [`end: ${chain} = ${form}`, [`UPDATE "audit_chains" SET "${chain}" = ${chainForm} WHERE "account_id" = 'a'`]];
}

/** The rows as they are stored, in every form, by what tells them apart; a place is of an event. */
async function stored({ dialect, run }: Hand): Promise<ReadonlyMap<string, number>> {
  const shown = (name: string) =>
    dialect === 'sqlite'
      ? `typeof("${name}") || quote("${name}") || ifnull(hex(CAST("${name}" AS BLOB)), '')`
      : `COALESCE('=' || "${name}"::text, 'NULL')`;
  const all = (names: readonly string[]) => names.map(shown).join(` || '|' || `);
  const rows = await run(`SELECT ${all(columns)} AS "row", "position" AS "at" FROM "audit_events"
    UNION ALL SELECT ${all(['account_id', 'position', 'hash'])}, 0 FROM "audit_chains"
    UNION ALL SELECT ${dialect === 'sqlite' ? 'typeof("adopted")' : `''`} || CASE
      WHEN "adopted" BETWEEN 0 AND "position" THEN 'a number of them' ELSE 'none' END, 0 FROM "audit_chains"`);
  return new Map(rows.map((row) => [String(row['row']), Number(row['at'])]));
}

/** As somebody does it who knows how events are chained: every place and hash anew, and the end of the chain too. */
async function cover({ run, trail }: Hand): Promise<void> {
  let last = beginningOf('a');
  const statements: string[] = [];
  for await (const event of trail.events('a')) {
    last = linkAfter(last, { ...event, position: last.position + 1 });
    const id = String(event.id).replaceAll(`'`, `''`);
    statements.push(
      `UPDATE "audit_events" SET "position" = ${last.position}, "hash" = '${last.hash}' WHERE "id" = '${id}'`,
    );
  }
  for (const statement of statements) await run(statement);
  await run(`UPDATE "audit_chains" SET "position" = ${last.position}, "hash" = '${last.hash}'`);
}

describe.each([sqlite, postgres])('$name', (database) => {
  const wanted = Math.ceil(database.name === 'sqlite' ? edits : edits / 4);

  test(`${wanted} edits of rows, in every form that they can be stored in, are found with a later head`, async () => {
    const url = await database.freshUrl();
    const head = await trailIn(url);
    const random = diceOf(seed);
    const dice = (count: number) => Math.floor(random() * count);
    const outcomes = { found: 0, covered: 0, refused: 0, nothing: 0 };
    const done = new Set<string>();
    await inHand(url, [head], async (hand) => {
      const before = await stored(hand);
      expect(await hand.verified()).toMatchObject({ breaks: [], provenThrough: head.position });
      await hand.run('BEGIN');
      for (let number = 0; outcomes.found < wanted && number < 4 * wanted; number += 1) {
        const [name, statements] = edit(hand, dice, head.position);
        const covered = dice(8) === 0;
        await hand.run('SAVEPOINT edit');
        try {
          for (const statement of statements) await hand.run(statement);
          if (covered) await cover(hand);
        } catch {
          // A rule of the database forbids it.
          outcomes.refused += 1;
          await hand.run('ROLLBACK TO SAVEPOINT edit');
          continue;
        }
        const after = await stored(hand);
        const changed = [...before].filter(([row]) => !after.has(row));
        if (changed.length === 0 && after.size === before.size) {
          // What was written is what was there: some of SQLite's columns turn it back.
          outcomes.nothing += 1;
        } else {
          const verdict = await hand.verified();
          const what = `${name}${covered ? ', covered' : ''} (edit ${number})`;
          expect(verdict.numberOfBreaks, what).toBeGreaterThan(0);
          const places = changed.map(([, at]) => at).filter((at) => at > 0);
          if (places.length > 0) {
            const first = Math.min(...places);
            const shown = Math.min(...verdict.breaks.map(({ kind, from }) => (kind === 'CUT_OFF' ? 0 : from)));
            expect(shown, what).toBeLessThanOrEqual(first + 1);
            expect(verdict.provenThrough ?? 0, what).toBeLessThan(first);
          }
          outcomes.found += 1;
          outcomes.covered += covered ? 1 : 0;
          done.add(name);
        }
        await hand.run('ROLLBACK TO SAVEPOINT edit');
      }
      await hand.run('ROLLBACK');
      expect(await stored(hand)).toEqual(before);
      expect(await hand.verified()).toMatchObject({ breaks: [], provenThrough: head.position });
    });
    process.stderr.write(`${database.name}: ${JSON.stringify({ ...outcomes, ways: done.size })}\n`);
    expect(outcomes.found).toBe(wanted);
    expect(done.size).toBeGreaterThan(wanted / 10);
  });
});

describe('sqlite', () => {
  let url: string;
  let head: Head;
  beforeAll(async () => {
    url = await sqlite.freshUrl();
    head = await trailIn(url);
  });

  /** The first break that a statement makes. */
  const broken = async (statement: string) => {
    let found: unknown = null;
    await inHand(url, [head], async (hand) => {
      await hand.run('BEGIN');
      await hand.run(statement);
      [found = null] = (await hand.verified()).breaks;
      await hand.run('ROLLBACK');
    });
    return found;
  };
  const where = `WHERE "account_id" = 'a' AND "position" = 9`;

  test.each([
    [`"at" = printf('0x%x', "at")`, '"at" is stored as TEXT, where a whole number belongs'],
    [`"at" = CAST("at" AS BLOB)`, '"at" is stored as BLOB, where a whole number belongs'],
    [`"at" = "at" + 0.5`, '"at" is stored as a number that is not whole, where a whole number belongs'],
    [`"at" = 9007199254740993`, '"at" is stored as a number beyond 2^53, where a whole number belongs'],
    [`"actor_id" = CAST("actor_id" AS BLOB)`, '"actor_id" is stored as BLOB, where text belongs'],
    [`"actor_name" = CAST(x'ff' AS TEXT)`, '"actor_name" is stored as TEXT that is no UTF-8, where text belongs'],
    [`"after" = CAST("after" AS BLOB)`, '"after" is stored as BLOB, where text or NULL belongs'],
    [`"before" = 'null'`, '"before" is no JSON in the spelling in which this program writes it'],
    [`"before" = x''`, '"before" is stored as BLOB, where text or NULL belongs'],
    [`"hash" = CAST("hash" AS BLOB)`, '"hash" is stored as BLOB, where text belongs'],
    [`"position" = CAST("position" AS BLOB)`, '"position" is stored as BLOB, where a whole number belongs'],
  ])('SET %s is told with its place and its column', async (assignment, remark) => {
    expect(await broken(`UPDATE "audit_events" SET ${assignment} ${where}`)).toMatchObject({
      kind: 'ALTERED',
      from: 9,
      to: 9,
      remark,
    });
  });

  test('an event that sorts elsewhere because of its form is missing where it was', async () => {
    expect(await broken(`UPDATE "audit_events" SET "revision" = printf('0x%x', "revision") ${where}`)).toMatchObject({
      kind: 'MISSING',
      from: 9,
    });
  });

  test('an image nested deeper than can be read is told where it is', async () => {
    for (const depth of [1_000, 2_000, 3_000, 4_000, 100_000]) {
      const image = `${'['.repeat(depth)}${']'.repeat(depth)}`;
      expect(await broken(`UPDATE "audit_events" SET "after" = '${image}' ${where}`)).toMatchObject({ from: 9, to: 9 });
    }
  });

  test('reading comes to its end, whatever the last event of all is called', async () => {
    for (const id of [`CAST(x'f09f98' AS TEXT)`, `CAST("id" AS BLOB)`, `"id" || char(0)`]) {
      const last = `(SELECT MAX("position") FROM "audit_events")`;
      expect(await broken(`UPDATE "audit_events" SET "id" = ${id} WHERE "position" = ${last}`)).not.toBeNull();
    }
  });

  test.each([
    [`"position" = printf('0x%x', "position")`, '"position" is stored as TEXT'],
    [`"hash" = CAST("hash" AS BLOB)`, '"hash" is stored as BLOB'],
    [`"adopted" = 'x'`, '"adopted" is stored as TEXT'],
    [`"adopted" = "position" + 1`, '"adopted" is no number of events that are there'],
  ])('an end with %s is none', async (assignment, remark) => {
    expect(await broken(`UPDATE "audit_chains" SET ${assignment}`)).toMatchObject({
      kind: 'END_DIFFERS',
      remark: expect.stringContaining(remark) as unknown,
    });
  });

  test('nothing is chained to an end that is none', async () => {
    const place = await sqlite.freshUrl();
    const head = await trailIn(place);
    await inHand(
      place,
      [],
      async ({ run }) => void (await run(`UPDATE "audit_chains" SET "hash" = CAST("hash" AS BLOB)`)),
    );
    const store = await openStore(place);
    const adding = write(store, origin('a'), (open) =>
      open.insert('group', record('group', 'a', 'no', { name: 'no' })),
    );
    await expect(adding).rejects.toThrow('where the audit trail ends is no place in a chain');
    await store.close();
    await inHand(place, [head], async ({ verified }) => {
      expect((await verified()).breaks).toMatchObject([{ kind: 'END_DIFFERS' }]);
    });
  });
});
