/** The conformance suite on PostgreSQL, and what only PostgreSQL must do: replicas, retries, collation. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Store } from '../../src/iam/index.js';
import { openStore } from '../../src/store/index.js';
import { conformanceOfAccess } from './conformance-access.js';
import { conformanceOfConfinement } from './conformance-confinement.js';
import { conformanceOfPaging } from './conformance-paging.js';
import { conformanceOfRaces } from './conformance-races.js';
import { conformanceOfWrites } from './conformance-writes.js';
import { databases } from './databases.js';
import { founded, ofAccount, origin, record, write } from './records.js';

const database = databases().postgres;
afterAll(() => database.stop());

conformanceOfWrites(database);
conformanceOfConfinement(database);
conformanceOfPaging(database);
conformanceOfAccess(database);
conformanceOfRaces(database);

describe('replicas', () => {
  let url: string;
  let replicas: readonly Store[];
  beforeAll(async () => {
    url = await database.freshUrl();
    // They start together: one migrates, the others wait for it.
    replicas = await Promise.all([1, 2, 3].map(() => openStore(url)));
  });
  afterAll(async () => {
    await Promise.all(replicas.map((store) => store.close()));
  });
  const replica = (index: number) => replicas[index % replicas.length] as Store;

  test('increments through three replicas at once lose nothing, and events follow the order of commits', async () => {
    await founded(replica(0), 'a');
    await write(replica(0), origin('a'), (open) => open.update('user', 'root', { description: '0' }));
    const revisions = await Promise.all(
      [...Array(90).keys()].map((index) =>
        write(replica(index), origin('a'), async (open) => {
          const user = await open.get('user', 'root');
          await open.update('user', 'root', { description: String(Number(user?.description) + 1) });
        }),
      ),
    );
    expect(await replica(1).access.user('a', 'root')).toMatchObject({ description: '90' });
    expect([...revisions].sort((one, other) => one - other)).toEqual([...Array(90).keys()].map((index) => index + 3));
    const window = { order: { by: 'REVISION', direction: 'ASC' }, limit: 200, backward: false } as const;
    const events = await replica(2)
      .reader(ofAccount('a'))
      .page('auditEvent', { targetId: 'root' }, { ...window, after: null, before: null });
    const counted = events.rows.slice(2).map(({ record: event }) => Number(event.after?.description));
    expect(counted).toEqual([...Array(90).keys()].map((index) => index + 1));
  });

  test('two replicas that make the same account: one of them is told so', async () => {
    const outcomes = await Promise.allSettled([founded(replica(0), 'twin'), founded(replica(1), 'twin')]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect((await replica(2).access.account('twin'))?.revision).toBe(1);
  });

  test('a transaction that must give way is done again, and only so often', async () => {
    await founded(replica(0), 'again');
    const attempt = async (failures: number) => {
      let tries = 0;
      const committed = await replica(0).transaction(origin('again'), async (open) => {
        tries += 1;
        await open.insert('group', record('group', 'again', `g${failures}`, { name: `g${failures}` }));
        if (tries <= failures) {
          const raise = "DO $$ BEGIN RAISE EXCEPTION 'give way' USING ERRCODE = '40P01'; END $$";
          await (open.access as unknown as { connection: { rows(sql: unknown): Promise<unknown> } }).connection.rows(
            rawSql(raise),
          );
        }
        return { commit: true, value: tries };
      });
      return committed.value;
    };
    const { raw: rawSql } = await import('../../src/store/sql.js');
    expect(await attempt(2)).toBe(3);
    await expect(attempt(9)).rejects.toThrow(
      'other changes kept getting in the way of this one; try again in a few seconds',
    );
    expect(await replica(1).reader(ofAccount('again')).count('group', { nameContains: 'g' })).toBe(1);
  });

  test('a connection that dies inside a transaction takes nothing else with it', async () => {
    await founded(replica(0), 'dying');
    const { raw: rawSql } = await import('../../src/store/sql.js');
    const dying = write(replica(0), origin('dying'), async (open) => {
      await open.insert('group', record('group', 'dying', 'lost', { name: 'lost' }));
      const inner = (open.access as unknown as { connection: { rows(sql: unknown): Promise<unknown> } }).connection;
      await inner.rows(rawSql('SELECT pg_terminate_backend(pg_backend_pid())'));
    });
    await expect(dying).rejects.toThrow('the database does not answer just now; try again in a few seconds');
    expect(await write(replica(0), origin('dying'), (open) => open.update('user', 'root', { description: 'x' }))).toBe(
      2,
    );
    expect((await replica(1).reader(ofAccount('dying')).find('group', ['lost'])).size).toBe(0);
  });

  test('text is compared by its bytes, whatever the language of the server', async () => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query<{ table: string }>(
      `SELECT table_name || '.' || column_name AS "table" FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name <> 'migrations' AND collation_name IS DISTINCT FROM 'C'
          AND column_name ~ '(_id|^id|_key|^urn|^kind|_kind)$' ORDER BY 1`,
    );
    await client.end();
    // Neither is looked up or ordered by.
    expect(rows.map((row) => row.table)).toEqual(['agencies.external_id', 'key_pairs.public_key']);
  });
});

describe('failures', () => {
  test('a server that cannot be reached is named, without the password', async () => {
    const failure = (await openStore('postgres://root:secret@127.0.0.1:1/bailiwick').catch(
      (error: unknown) => error,
    )) as Error;
    expect(failure.message).toMatch(
      /^cannot open the PostgreSQL database 127\.0\.0\.1:1\/bailiwick \(.*ECONNREFUSED.*\); check/,
    );
    expect(failure.message).not.toContain('secret');
  });

  test('a database of another encoding is refused', async () => {
    const url = new URL(await database.freshUrl());
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    await client.query(`CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'`);
    await client.end();
    url.pathname = '/latin';
    await expect(openStore(url.href)).rejects.toThrow(/has the encoding LATIN1; create it again with ENCODING 'UTF8'/);
  });
});
