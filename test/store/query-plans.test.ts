/**
 * What lists of resources read: with other workspaces beside, no statement of a first page or of a next one is planned to
 * look at a row of another workspace. Orders and windows are all tried, with what policies commonly ask.
 */
import pg from 'pg';
import sqlite3 from 'sqlite3';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Orders, Reader, RowExpression, RowTest, Store } from '../../src/iam/index.js';
import { allOf, anyOf, negation, testOf } from '../../src/policy/index.js';
import { openStore } from '../../src/store/index.js';
import { databases, type TestDatabase } from './databases.js';
import { founded, origin, record, write } from './records.js';

const { sqlite, postgres } = databases();
afterAll(async () => {
  await sqlite.stop();
  await postgres.stop();
});

const holds = (one: RowTest): RowExpression => testOf(one);
const team = holds({ about: 'TAG', key: 'team', fits: [['t1']] });
const anything = [{ any: 'RUN' }] as const;
const prefix = holds({ about: 'URN', segments: [anything, anything, anything, anything, ['p1-', { any: 'RUN' }]] });
const own = holds({ about: 'OWNER', id: 'u1' });
const predicates: Readonly<Record<string, RowExpression>> = {
  everything: { kind: 'EVERY' },
  'a tag': team,
  'no such tag': negation(team),
  'a prefix of the URN': prefix,
  'one’s own or a tag': anyOf([allOf([holds({ about: 'KIND', oneOf: ['training:job'] }), own]), team]),
  'one’s own': own,
};
const orders = ['NAME', 'URN', 'CREATED_AT', 'UPDATED_AT'] as const;
const size = 300;
const others = 60;

/** The same resources once more, in every other workspace. */
const columns = ['account_id', 'kind', 'name', 'name_key', 'owner_id', 'registered_by', 'tags', 'tags_key', 'urn_path', 'version', 'created_at', 'updated_at'].map((name) => `"${name}"`).join(', '); // prettier-ignore
const copies = `INSERT INTO "resources" ("id", "workspace_id", "urn", ${columns})
  SELECT source."id" || other."id", other."id", source."urn" || other."id", ${columns.replaceAll('"account', 'source."account').replaceAll(', "', ', source."')}
  FROM "resources" source JOIN "workspaces" other ON other."account_id" = source."account_id" AND other."id" <> '0'`;

/** The steps of a plan that read rows of the register, each with what confines it. */
type Explain = (statement: string, parameters: readonly unknown[]) => Promise<readonly string[]>;

interface Asked {
  readonly text: string;
  readonly parameters: readonly unknown[];
}

describe.each<TestDatabase>([sqlite, postgres])('$name', (database) => {
  let store: Store;
  let reader: Reader;
  let explain: Explain;
  let close: () => Promise<void>;
  const asked: Asked[] = [];

  beforeAll(async () => {
    const url = await database.freshUrl();
    store = await openStore(url);
    await founded(store, 'acc');
    await write(store, origin('acc', { workspaceId: '0' }), async (open) => {
      for (let n = 1; n <= others; n += 1) {
        await open.insert('workspace', record('workspace', 'acc', `w${n}`, { name: `w${n}` }));
      }
      for (let n = 0; n < size; n += 1) {
        await open.insert(
          'resource',
          record('resource', 'acc', `r${n}`, {
            urn: `training:cn:acc:job:p${n % 10}-${n}`,
            name: `n${(n * 7919) % 1000}`,
            ownerId: `u${n % 10}`,
            tags: [{ key: 'team', value: `t${n % 10}` }],
          }),
        );
      }
    });
    reader = store.reader({ accountId: 'acc', workspaceId: '0' });
    // What runs statements tells its logger of each with its parameters; the log of the store is told of none of those.
    const { source } = (reader as unknown as { connection: { source: DataSource } }).connection;
    source.logger.logQuery = (text, parameters) => void asked.push({ text, parameters: parameters ?? [] });
    if (database.name === 'sqlite') {
      const connection = new sqlite3.Database(new URL(url.replace('sqlite:', 'file:')).pathname);
      close = () => new Promise((resolve) => connection.close(() => resolve()));
      await new Promise<void>((resolve, reject) =>
        connection.run(copies, (error) => (error === null ? resolve() : reject(error))),
      );
      explain = (text, parameters) =>
        new Promise((resolve, reject) => {
          connection.all(`EXPLAIN QUERY PLAN ${text}`, [...parameters], (error, rows) => {
            if (error !== null) reject(error);
            const details = (rows as readonly { detail: string }[]).map(({ detail }) => detail);
            resolve(details.filter((detail) => /^(SCAN|SEARCH) (target|resources)\b/.test(detail)));
          });
        });
    } else {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      await client.query(copies);
      await client.query('ANALYZE');
      close = () => client.end();
      explain = async (text, parameters) => {
        const { rows } = await client.query(`EXPLAIN (FORMAT JSON) ${text}`, [...parameters]);
        return stepsOf((rows as readonly { 'QUERY PLAN': readonly { Plan: Step }[] }[])[0]?.['QUERY PLAN'][0]?.Plan);
      };
    }
  });
  afterAll(async () => {
    await close();
    await store.close();
  });

  async function stepsFor(work: () => Promise<unknown>): Promise<readonly string[]> {
    asked.length = 0;
    await work();
    const steps = await Promise.all(asked.map(({ text, parameters }) => explain(text, parameters)));
    return steps.flat();
  }

  /** Says of a step whether it is kept to the account and the workspace by an index. */
  const isConfined = (step: string): boolean => /account_id\W*=.*workspace_id\W*=/.test(step);

  test.each(Object.entries(predicates).flatMap(([name, visible]) => orders.map((by) => ({ name, by, visible }))))(
    '$name by $by stays in the workspace',
    async ({ by, visible }) => {
      const filter = { kinds: ['training:job', 'training:model'], visible };
      const page = (more: object, direction: 'ASC' | 'DESC', backward: boolean) =>
      reader.page('resource', filter, { order: { by, direction }, limit: 5, backward, after: null, before: null, ...more }); // prettier-ignore
      const first = await page({}, 'ASC', false);
      expect(first.rows).toHaveLength(5);
      const position = first.rows.at(-1)?.position;
      for (const work of [
        () => page({}, 'ASC', false),
        () => page({}, 'DESC', false),
        () => page({}, 'ASC', true),
        () => page({ after: position }, 'ASC', false),
        () => page({ before: position }, 'ASC', true),
        () => reader.count('resource', filter),
      ]) {
        const steps = await stepsFor(work);
        expect(steps.length).toBeGreaterThan(0);
        expect(steps.filter((step) => !isConfined(step))).toEqual([]);
      }
    },
  );

  test('a step that is not confined would have been seen', async () => {
    const steps = await explain(`SELECT target."id" FROM "resources" target WHERE target."name" = 'n'`, []);
    expect(steps.length).toBeGreaterThan(0);
    expect(steps.filter(isConfined)).toEqual([]);
  });

  test.each(orders)(
    'the first page by %s reads the index of its order and sorts nothing',
    async (by: Orders['resource']) => {
      // prettier-ignore
      const order = { by, direction: 'ASC' } as const;
      const filter = { visible: team };
      const page = () =>
        reader.page('resource', filter, { order, limit: 5, backward: false, after: null, before: null });
      const column = { NAME: 'name_key', URN: 'urn', CREATED_AT: 'created_at', UPDATED_AT: 'updated_at' }[by];
      if (database.name === 'sqlite') {
        expect(await stepsFor(page)).toEqual([expect.stringContaining(`ix_resources_workspace_id_${column}_id`)]);
      }
    },
  );
});

interface Step {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Plans?: readonly Step[];
}

function stepsOf(step: Step | undefined): readonly string[] {
  if (step === undefined) return [];
  const own =
    step['Relation Name'] === 'resources' || step['Node Type'] === 'Bitmap Index Scan'
      ? [`${step['Node Type']} ${step['Index Name'] ?? ''} ${step['Index Cond'] ?? ''}`]
      : [];
  // A bitmap is read where its index says.
  const inner = (step.Plans ?? []).flatMap((one) => stepsOf(one));
  return step['Node Type'] === 'Bitmap Heap Scan' ? inner : [...own, ...inner];
}
