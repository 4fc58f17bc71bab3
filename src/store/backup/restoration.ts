/** Restores a backup into whichever database a URL names. */
import { locationOf } from '../location.js';
import { expectKnown, type RestoringOptions } from './filling.js';
import type { OpenBackup } from './format.js';
import { restorePostgres } from './restoring-postgres.js';
import { restoreSqlite } from './restoring-sqlite.js';

export async function restoreStore(url: string, backup: OpenBackup, options: RestoringOptions): Promise<void> {
  expectKnown(backup.header.migrations);
  const location = locationOf(url);
  if (location.database === 'sqlite') await restoreSqlite(location, backup, options);
  else await restorePostgres(location, backup, options);
}
