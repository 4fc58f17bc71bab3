/** Rows that SQLite packed into one text are the rows that it would have answered one by one. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FreeConnection } from '../../src/store/connection.js';
import { Rows } from '../../src/store/rows.js';
import { canBeStored, sql } from '../../src/store/sql.js';

let folder: string;
let source: DataSource;
let asked: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bailiwick-packed-'));
  const silent = () => undefined;
  source = new DataSource({
    type: 'sqlite',
    database: join(folder, 'rows.db'),
    logger: {
      logQuery: (text) => void asked.push(text),
      logQueryError: silent,
      logQuerySlow: silent,
      logSchemaBuild: silent,
      logMigration: silent,
      log: silent,
    },
  });
  asked = [];
  await source.initialize();
  await source.query('CREATE TABLE "things" ("place" bigint, "words" varchar, "number" bigint, "nothing" varchar)');
});
afterAll(async () => {
  for (const connection of connections) connection.close();
  await source.destroy();
  await rm(folder, { recursive: true });
});

const listed = sql`SELECT "place", "words", "number", "nothing", 1 AS "one" FROM "things" ORDER BY "place" DESC`;

const connections: FreeConnection[] = [];

/** A connection that knows no columns yet. */
function connect(): FreeConnection {
  asked = [];
  const connection = new FreeConnection('sqlite', source);
  connections.push(connection);
  return connection;
}

describe('many rows on SQLite', () => {
  it('are the same, in the same order, packed and not', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }).filter(canBeStored),
      fc.constantFrom('', '"', '\\', '\n', '\u001f', '\u2028', '{"a": [1]}', '[]', 'null', '12', '1e3', '😀'),
    );
    const row = fc.record({
      words: fc.option(text),
      number: fc.option(fc.oneof(fc.integer(), fc.maxSafeInteger())),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 30 }), async (rows) => {
        await source.query('DELETE FROM "things"');
        for (const [place, { words, number }] of rows.entries()) {
          await source.query('INSERT INTO "things" VALUES (?, ?, ?, NULL)', [place, words, number]);
        }
        const connection = connect();
        const plain = await connection.rows(listed);
        expect(plain.map(({ place }) => place)).toEqual([...rows.keys()].reverse());
        expect(await connection.manyRows(listed)).toEqual(Rows.of(plain));
        expect(await connection.manyRows(listed)).toEqual(Rows.of(plain));
        // The second time its columns were known.
        expect(asked.map((each) => each.includes('json_group_array'))).toEqual([false, false, true]);
      }),
      { numRuns: 60 },
    );
  });

  it('may be none, before and after the columns are known', async () => {
    await source.query('DELETE FROM "things"');
    const connection = connect();
    expect((await connection.manyRows(listed)).values).toEqual([]);
    await source.query('INSERT INTO "things" VALUES (1, ?, 2, NULL)', ['one']);
    await connection.manyRows(listed);
    await source.query('DELETE FROM "things"');
    expect((await connection.manyRows(listed)).values).toEqual([]);
    expect(asked.at(-1)).toContain('json_group_array');
  });
});
