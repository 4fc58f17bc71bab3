/**
 * A full disk as clients meet it: changes are refused whole and say why, reads go on, and when there is room again changes
 * work without a restart, with everything there that was acknowledged.
 */
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { expect, it } from 'vitest';
import { backUpStore } from '../../src/store/index.js';
import { codesOf, post } from '../kit/exchange.js';
import { startHouse, type TestHouse } from '../kit/house.js';
import { mountSmallDisk, whyNoSmallDisk } from '../kit/small-disk.js';
import { emptyTemplate, startPostgres } from '../store/databases.js';

const makeGroup = `mutation M($name: String!, $description: String!) {
  createGroup(input: { name: $name, description: $description }) { group { id } userErrors { code } }
}`;
const description = 'x'.repeat(250);
/** More than any of these disks hold. */
const many = 3_000;

async function namesIn(house: TestHouse, token: string): Promise<readonly string[]> {
  const names: string[] = [];
  for (let after: string | null = null; ;) {
    const { groups }: { groups: { nodes: { name: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string } } } =
      await house.gql(
        token,
        'query G($after: String) { groups(first: 100, after: $after) { nodes { name } pageInfo { hasNextPage endCursor } } }',
        { after },
      );
    names.push(...groups.nodes.map(({ name }) => name));
    if (!groups.pageInfo.hasNextPage) return names.sort();
    after = groups.pageInfo.endCursor;
  }
}

/** Everything that is promised of a disk that becomes full and has room again. */
async function fillsAndRecovers(house: TestHouse, code: string, makeRoom: () => Promise<void>): Promise<void> {
  const token = await house.signIn(house.root, 'account');
  const acknowledged = ['admin'];
  const create = async (name: string) => {
    const answer = await post(house.url, token, { query: makeGroup, variables: { name, description } });
    if (answer.status === 200) {
      expect(answer.data).toMatchObject({ createGroup: { userErrors: [] } });
      acknowledged.push(name);
    }
    return answer;
  };
  let answer = await create('group 0');
  // Some at a time, as they come.
  for (let made = 1; answer.status === 200 && made < many; made += 5) {
    const answers = await Promise.all(Array.from({ length: 5 }, (_, n) => create(`group ${made + n}`)));
    answer = answers.find(({ status }) => status !== 200) ?? answer;
  }
  expect(answer.status).toBe(503);
  expect(answer.headers['retry-after']).toBe('5');
  expect(answer.data).toBeNull();
  expect(answer.errors).toMatchObject([
    {
      message:
        'the disk of the database is full and nothing was changed; reads go on, changes do as soon as there is room',
      extensions: { code: 'UNAVAILABLE', retryAfter: 5 },
    },
  ]);
  expect(house.log.join('')).toContain(code);
  expect(house.log.join('')).not.toContain('a defect was masked');

  // Reads go on, whoever reads, and show whole changes.
  expect(await namesIn(house, token)).toEqual([...acknowledged].sort());
  expect((await fetch(`${house.origin}/readyz`)).status).toBe(200);
  const { auditEvents } = await house.gql<{ auditEvents: { nodes: unknown[] } }>(
    token,
    '{ auditEvents(first: 100) { nodes { operation } } }',
  );
  expect(auditEvents.nodes.length).toBeGreaterThan(0);
  // A backup to somewhere else is a way out.
  let lines = '';
  await backUpStore(house.databaseUrl, { keyCheck: null, now: Date.now, tell: () => undefined }, async (bytes) => {
    lines = (await buffer(Readable.from(bytes))).toString();
  });
  for (const name of acknowledged) expect(lines).toContain(`"${name}"`);
  expect(lines).toMatch(/"end":true/);
  // Of an operation with several changes some may find a place; each is whole or absent, and is told so.
  const parts = Array.from({ length: 15 }, (_, n) => `part ${n}`);
  const fields = parts.map(
    (name, n) => `p${n}: createGroup(input: { name: "${name}", description: "${description}" }) { group { id } }`,
  );
  const some = await post(house.url, token, { query: `mutation { ${fields.join(' ')} }` });
  expect(codesOf(some).every((told) => told === 'UNAVAILABLE')).toBe(true);
  acknowledged.push(...parts.filter((_, n) => some.data?.[`p${n}`] != null));
  expect(await namesIn(house, token)).toEqual([...acknowledged].sort());

  await makeRoom();
  // At once, by the same server.
  for (let n = 0; n < 20; n += 1) expect((await create(`room ${n}`)).status).toBe(200);
  expect(await namesIn(house, token)).toEqual([...acknowledged].sort());
  expect((await house.signIn(house.root)).length).toBeGreaterThan(0);
}

it('SQLite that may not grow', async () => {
  const house = await startHouse({ database: 'sqlite' });
  const { writer } = (house.iam.store as unknown as { readonly engine: { readonly writer: DataSource } }).engine;
  const [{ page_count: pages } = { page_count: 0 }] = await writer.query<{ page_count: number }[]>('PRAGMA page_count');
  await writer.query(`PRAGMA max_page_count = ${pages + 20}`);
  await fillsAndRecovers(house, 'SQLITE_FULL', async () => {
    await writer.query('PRAGMA max_page_count = 1000000');
  });
  await house.stop();
});

const why = await whyNoSmallDisk();
const where = why === null ? '' : ` (skipped: ${why})`;

it.skipIf(why !== null)(`SQLite on a disk that is full${where}`, async () => {
  const disk = await mountSmallDisk(4);
  try {
    const house = await startHouse({ databaseUrl: `sqlite:${join(disk.folder, 'test.db')}` });
    await fillsAndRecovers(house, 'SQLITE_FULL', () => disk.resize(64));
    await house.stop();
  } finally {
    await disk.unmount();
  }
});

const whyNot = process.env.TEST_POSTGRES_URL ? 'the PostgreSQL server is not ours' : why;

it.skipIf(whyNot !== null)(
  `PostgreSQL on a disk that is full${whyNot === null ? '' : ` (skipped: ${whyNot})`}`,
  async () => {
    // Tables, indexes and catalogues; the server itself and its log lie elsewhere.
    const disk = await mountSmallDisk(64);
    const server = await startPostgres();
    const client = new pg.Client({ connectionString: server.urlOf('postgres') });
    try {
      const place = join(disk.folder, 'tables');
      await mkdir(place);
      await promisify(execFile)('chown', ['postgres', place]);
      await client.connect();
      await client.query(`CREATE TABLESPACE small LOCATION '${place}'`);
      await client.query(`CREATE DATABASE small TEMPLATE ${emptyTemplate} TABLESPACE small`);
      const house = await startHouse({ database: 'postgres', databaseUrl: server.urlOf('small') });
      await disk.leave(200);
      await fillsAndRecovers(house, '53100', () => disk.resize(128));
      await house.stop();
    } finally {
      await client.end();
      await server.stop();
      await disk.unmount();
    }
  },
);
