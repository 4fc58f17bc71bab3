/**
 * Changes to what was restored that are part of restoring it: by the one write path, with their audit events, in the transaction or
 * the file that nobody else sees yet.
 */
import type { QueryRunner } from 'typeorm';
import type { Store } from '../../iam/index.js';
import { TransactionConnection } from '../connection.js';
import type { Entities } from '../entities.js';
import type { Dialect } from '../sql.js';
import { transact } from '../transaction.js';
import type { Restored, RestoringOptions } from './filling.js';
import { queryOf, type Query } from './tables.js';

export interface Amendment {
  readonly accounts: Restored['accounts'];
  readonly transaction: Store['transaction'];
}

/** As long as a timer can wait: nobody waits for it but whoever restores. */
const longest = 2 ** 31 - 1;

/** Begins and ends nothing: all of it is in a transaction already, which is taken back as a whole when anything fails. */
class EnclosedConnection extends TransactionConnection {
  override async control(): Promise<void> {
    await Promise.resolve();
  }
}

export async function amendRestored(
  runner: QueryRunner,
  dialect: Dialect,
  entities: Entities,
  { amend }: RestoringOptions,
): Promise<void> {
  if (amend === undefined) return;
  await amend({
    accounts: await accountsIn(queryOf(runner)),
    transaction: (origin, work) =>
      transact(new EnclosedConnection(dialect, runner), () => Promise.resolve(), origin, work, {
        entities,
        now: Date.now,
        longest,
      }),
  });
}

export async function accountsIn(query: Query): Promise<Restored['accounts']> {
  const accounts = await query(`SELECT "id", "name" FROM "accounts" ORDER BY "id"`);
  return accounts.map(({ id, name }) => ({ id: String(id), name: String(name) }));
}
