/** The chain as both databases keep it: unbroken however many write, and every deed on its rows found. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  beginningOf,
  hashedMembers,
  linkAfter,
  verifyTrail,
  type ChainedEvent,
  type Head,
} from '../../src/audit-chain/index.js';
import type { Store } from '../../src/iam/index.js';
import { commandLineSource, inspectStore, openStore, type Inspection } from '../../src/store/index.js';
import { migrations } from '../../src/store/migrations/index.js';
import { tables } from '../../src/store/tables.js';
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

async function inspected<T>(url: string, work: (inspection: Inspection) => Promise<T>): Promise<T> {
  const inspection = await inspectStore(url);
  if (inspection === null) throw new Error('there is no database');
  try {
    return await work(inspection);
  } finally {
    await inspection.close();
  }
}

const verified = (url: string, account: string, heads: readonly Head[] = []) =>
  inspected(url, ({ trail }) => verifyTrail(trail, account, heads));

async function headNow(store: Store, account: string): Promise<Head> {
  const end = (await store.access.auditChain(account)) ?? beginningOf(account);
  return { account, position: end.position, hash: end.hash, at: new Date(noon).toISOString() };
}

const addGroup = (store: Store, accountId: string, id: string) =>
  write(store, origin(accountId), (open) => open.insert('group', record('group', accountId, id, { name: id })));

/** Statements by whoever can write the database, whatever its rules. */
async function statements(
  url: string,
  work: (run: (text: string) => Promise<unknown>) => Promise<void>,
): Promise<void> {
  const source = commandLineSource(url);
  await source.initialize();
  await work((text) => source.query(text));
  await source.destroy();
}

test('what is hashed is every column of an event but the hash itself', () => {
  expect([...hashedMembers, 'hash'].toSorted()).toEqual(Object.keys(tables.auditEvent.columns).toSorted());
});

describe.each([sqlite, postgres])('$name', (database) => {
  test('fifty changes at once, and as many elsewhere, make one unbroken chain for each account', async () => {
    const url = await database.freshUrl();
    const store = await openStore(url);
    await founded(store, 'a');
    await founded(store, 'b');
    const early = await headNow(store, 'a');
    await Promise.all(
      [...Array(50).keys()].flatMap((index) => [
        addGroup(store, 'a', `g${index}`),
        addGroup(store, 'b', `g${index}`),
        store.transaction(origin('a'), async (open) => {
          await open.insert('group', record('group', 'a', `lost${index}`, { name: `lost${index}` }));
          return { commit: false, value: null };
        }),
      ]),
    );
    const late = await headNow(store, 'a');
    await store.close();
    expect(late.position).toBe(early.position + 50);
    for (const account of ['a', 'b']) {
      const verdict = await verified(url, account);
      expect(verdict).toMatchObject({ breaks: [], events: 58, provenThrough: null, end: { position: 58, adopted: 0 } });
    }
    expect(await verified(url, 'a', [late, early])).toMatchObject({ breaks: [], provenThrough: 58 });
    // The chain of one account says nothing of another.
    const [stranger] = (await verified(url, 'b', [{ ...late, account: 'b' }])).breaks;
    expect(stranger).toMatchObject({ kind: 'REWRITTEN', from: 1, to: 58 });
  });

  test('stores that share a database chain to the same end', async () => {
    if (database.name === 'sqlite') return;
    const url = await database.freshUrl();
    const stores = [await openStore(url), await openStore(url)] as const;
    await founded(stores[0], 'a');
    await Promise.all([...Array(50).keys()].map((index) => addGroup(stores[index % 2] ?? stores[0], 'a', `g${index}`)));
    for (const store of stores) await store.close();
    expect(await verified(url, 'a')).toMatchObject({ breaks: [], events: 58 });
  });

  test('it is verified while events go on being made', async () => {
    const url = await database.freshUrl();
    const store = await openStore(url);
    await founded(store, 'a');
    const writing = Promise.all([...Array(40).keys()].map((index) => addGroup(store, 'a', `g${index}`)));
    for (let round = 0; round < 3; round += 1) expect((await verified(url, 'a')).breaks).toEqual([]);
    await writing;
    expect(await verified(url, 'a')).toMatchObject({ breaks: [], events: 48 });
    await store.close();
  });

  test('one transaction with many events, and one without any, go on in the same chain', async () => {
    const url = await database.freshUrl();
    const store = await openStore(url);
    await founded(store, 'a');
    await write(store, origin('a'), async (open) => {
      for (let index = 0; index < 1_200; index += 1) {
        await open.insert('group', record('group', 'a', `g${index}`, { name: `Grüppe ${index} “\u2028”` }));
      }
    });
    const before = await headNow(store, 'a');
    await write(store, origin('a'), (open) => open.insert('spentSignature', record('spentSignature', 'a', 's')));
    expect(await headNow(store, 'a')).toEqual(before);
    await addGroup(store, 'a', 'last');
    await store.close();
    expect(await verified(url, 'a', [before])).toMatchObject({ breaks: [], events: 1_209, provenThrough: 1_208 });
  });

  test('events from before there was a chain are chained as they are found', async () => {
    const url = await database.freshUrl();
    const source = commandLineSource(url);
    const before = migrations.findIndex(({ name }) => name.startsWith('AuditChains'));
    source.setOptions({ migrations: migrations.slice(0, before) });
    await source.initialize();
    await source.runMigrations({ transaction: 'all' });
    await source.query(
      `INSERT INTO "accounts" ("id", "name", "name_key", "root_user_id", "authorization_mode", "workspaces_enabled", "revision", "access_revision", "created_at")
        VALUES ('old', 'Old', 'old', 'root', 'LOOSE', TRUE, 601, 1, ${noon}), ('new', 'New', 'new', 'root', 'LOOSE', TRUE, 0, 0, ${noon})`,
    );
    const image = `'{"id":"root","10":"ü","list":[1.5,null,{"b":1,"a":2}]}'`;
    const values = [...Array(1_202).keys()].map(
      (index) =>
        `('old', '${1 + Math.floor(index / 2)}.00000${index % 2}', ${1 + Math.floor(index / 2)}, ${index % 2}, ${noon + index}, 'createUser', 'USER', 'root', 'Root', NULL, '', 'user', 'u${index}', NULL, ${image}, 'r')`,
    );
    await source.query(
      `INSERT INTO "audit_events" ("account_id", "id", "revision", "sequence", "at", "operation", "actor_kind", "actor_id", "actor_name", "delegation", "workspace_id", "target_kind", "target_id", "before", "after", "request_id")
        VALUES ${values.join(', ')}`,
    );
    await source.destroy();
    const store = await openStore(url);
    expect(await store.access.auditChain('new')).toMatchObject({ ...beginningOf('new'), adopted: 0 });
    await addGroup(store, 'old', 'g');
    await store.close();
    const verdict = await verified(url, 'old');
    expect(verdict).toMatchObject({ breaks: [], events: 1_203, end: { position: 1_203, adopted: 1_202 } });
    await statements(url, async (run) => {
      await run(`UPDATE "audit_events" SET "actor_id" = 'x' WHERE "account_id" = 'old' AND "position" = 700`);
    });
    expect((await verified(url, 'old')).breaks).toMatchObject([{ kind: 'ALTERED', from: 700, event: '350.000001' }]);
    // Back and forth again.
    const again = commandLineSource(url);
    await again.initialize();
    for (const _ of migrations.slice(before)) await again.undoLastMigration({ transaction: 'all' });
    await again.runMigrations({ transaction: 'all' });
    await again.destroy();
    expect(await verified(url, 'old')).toMatchObject({ breaks: [], end: { position: 1_203, adopted: 1_203 } });
  });

  test('deeds by chance on the rows are found with a head from after them, hidden or not', async () => {
    const url = await database.freshUrl();
    const store = await openStore(url);
    await founded(store, 'a');
    for (let index = 0; index < 12; index += 1) await addGroup(store, 'a', `g${index}`);
    const head = await headNow(store, 'a');
    await addGroup(store, 'a', 'later');
    await store.close();
    const length = head.position;
    const done = new Map<string, number>();
    await statements(url, async (run) => {
      await run(`CREATE TABLE "kept_events" AS SELECT * FROM "audit_events"`);
      await run(`CREATE TABLE "kept_chains" AS SELECT * FROM "audit_chains"`);
      await fc.assert(
        fc.asyncProperty(fc.nat(), async (start) => {
          const dice = diceOf(start);
          const chosen = 1 + Math.floor(dice() * length);
          const names = Object.keys(deeds);
          const name = names[Math.floor(dice() * names.length)] ?? '';
          await deeds[name]?.(run, chosen, dice);
          const covered = dice() < 0.5;
          if (covered) await rewrite(url, run);
          const verdict = await verified(url, 'a', [head]);
          expect(verdict.numberOfBreaks, `${name} at ${chosen}${covered ? ', covered' : ''}`).toBeGreaterThan(0);
          done.set(name, (done.get(name) ?? 0) + 1);
          for (const table of ['events', 'chains']) {
            await run(`DELETE FROM "audit_${table}"`);
            await run(`INSERT INTO "audit_${table}" SELECT * FROM "kept_${table}"`);
          }
        }),
        { numRuns: 60, seed, endOnFailure: true },
      );
    });
    expect([...done.values()].reduce((sum, count) => sum + count)).toBe(60);
    expect(await verified(url, 'a', [head])).toMatchObject({ breaks: [], provenThrough: length });
  });

  test('without any head the rows themselves show what is not hidden, the end cut off too', async () => {
    const url = await database.freshUrl();
    const store = await openStore(url);
    await founded(store, 'a');
    await store.close();
    const shows = async (statement: string) => {
      await statements(url, async (run) => void (await run(statement)));
      return (await verified(url, 'a')).breaks;
    };
    // Another spelling of the same JSON is not what was written.
    expect(await shows(`UPDATE "audit_events" SET "after" = ' ' || "after" WHERE "position" = 3`)).toMatchObject([
      { kind: 'ALTERED', from: 3, to: 3 },
    ]);
    await shows(`UPDATE "audit_events" SET "after" = TRIM("after") WHERE "position" = 3`);
    expect(await shows(`UPDATE "audit_events" SET "after" = '{' WHERE "position" = 3`)).toMatchObject([
      { kind: 'ALTERED', from: 3, to: 3 },
    ]);
    expect(await shows(`DELETE FROM "audit_events" WHERE "position" > 2`)).toEqual([
      { kind: 'CUT_OFF', from: 3, to: 8, event: null },
    ]);
    expect(await shows(`UPDATE "audit_chains" SET "position" = 1`)).toMatchObject([{ kind: 'END_DIFFERS', from: 2 }]);
    expect(await shows(`DELETE FROM "audit_chains"`)).toMatchObject([{ kind: 'END_DIFFERS' }]);
    expect(await shows(`DELETE FROM "audit_events"`)).toMatchObject([{ kind: 'END_DIFFERS', from: 0 }]);
  });
});

type Run = (text: string) => Promise<unknown>;

const deeds: Readonly<Record<string, (run: Run, chosen: number, dice: () => number) => Promise<unknown>>> = {
  'edit a text': (run, chosen, dice) => {
    const columns = [
      'operation',
      'actor_kind',
      'actor_id',
      'actor_name',
      'workspace_id',
      'target_kind',
      'target_id',
      'request_id',
    ];
    const column = columns[Math.floor(dice() * columns.length)] ?? 'operation';
    return run(`UPDATE "audit_events" SET "${column}" = "${column}" || 'x' WHERE "position" = ${chosen}`);
  },
  'edit a number': (run, chosen, dice) => {
    const column = ['at', 'revision', 'sequence'][Math.floor(dice() * 3)] ?? 'at';
    return run(`UPDATE "audit_events" SET "${column}" = "${column}" + 1000 WHERE "position" = ${chosen}`);
  },
  'edit an image': (run, chosen) =>
    run(
      `UPDATE "audit_events" SET "after" = REPLACE("after", ':', ':1'), "before" = '{}' WHERE "position" = ${chosen}`,
    ),
  'take an image away': (run, chosen) => run(`UPDATE "audit_events" SET "after" = NULL WHERE "position" = ${chosen}`),
  'delete one': (run, chosen) => run(`DELETE FROM "audit_events" WHERE "position" = ${chosen}`),
  'delete some': (run, chosen) =>
    run(`DELETE FROM "audit_events" WHERE "position" BETWEEN ${chosen} AND ${chosen + 3}`),
  'cut off the end': (run, chosen) => run(`DELETE FROM "audit_events" WHERE "position" >= ${chosen}`),
  'cut off the beginning': (run, chosen) => run(`DELETE FROM "audit_events" WHERE "position" <= ${chosen}`),
  'delete all': (run) => run(`DELETE FROM "audit_events"`),
  'exchange the contents of two': async (run, chosen) => {
    const id = (position: number | string) => `(SELECT "target_id" FROM "kept_events" WHERE "position" = ${position})`;
    // Two that tell of the same would not differ afterwards.
    const other = `(SELECT MIN("position") FROM "kept_events" WHERE "target_id" <> ${id(chosen)})`;
    await run(`UPDATE "audit_events" SET "target_id" = ${id(other)} WHERE "position" = ${chosen}`);
    await run(`UPDATE "audit_events" SET "target_id" = ${id(chosen)} WHERE "position" = ${other}`);
  },
  'exchange the places of two': async (run, chosen) => {
    const other = chosen === 1 ? 2 : chosen - 1;
    await run(`UPDATE "audit_events" SET "revision" = "revision" + 5000 WHERE "position" = ${chosen}`);
    await run(`UPDATE "audit_events" SET "position" = 0 WHERE "position" = ${other}`);
    await run(`UPDATE "audit_events" SET "position" = ${other} WHERE "position" = ${chosen}`);
  },
};

/** As somebody does it who knows how events are chained: every place and hash anew, and the end of the chain too. */
async function rewrite(url: string, run: Run): Promise<void> {
  const events = await inspected(url, async ({ trail }) => {
    const found: ChainedEvent[] = [];
    for await (const event of trail.events('a')) found.push(event);
    return found;
  });
  let last = beginningOf('a');
  for (const event of events) {
    last = linkAfter(last, { ...event, position: last.position + 1 });
    await run(
      `UPDATE "audit_events" SET "position" = ${last.position}, "hash" = '${last.hash}' WHERE "id" = '${String(event.id)}'`,
    );
  }
  await run(`UPDATE "audit_chains" SET "position" = ${last.position}, "hash" = '${last.hash}'`);
}
