/**
 * Backups: one format for every database, written while the database is used and restored whole or not at all.
 *
 * It must never know a secret key, nor where a backup is kept: bytes come in and go out, and whoever calls looks at rows.
 */
export { NoBackup, openBackup, type BackupHeader, type OpenBackup } from './format.js';
export { readThrough, RestoreRefused, type Restored, type RestoringOptions } from './filling.js';
export { restoreStore } from './restoration.js';
export { backUpStore, totalRows, type WritingOptions } from './writing.js';
