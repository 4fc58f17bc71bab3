/**
 * What the doctor says of backups. Whether there is one it cannot know: a backup is a file that was taken elsewhere. That is no
 * finding, because nothing was found, and must not be silence either.
 */
import { resolve } from 'node:path';
import { readSettings, SettingsRefused, type Settings } from '../settings.js';
import type { Machine } from './machine.js';

export interface BackupAdvice {
  /** How a backup is made, and how it is tried without touching a database. */
  readonly commands: readonly string[];
  /** Is in no backup, and has to be kept beside none. */
  readonly secretKeyFile: string;
  readonly database: 'sqlite' | 'postgres';
}

/** Null where there is nothing to keep yet, or nobody can tell where it is. */
export async function adviseBackup(machine: Machine): Promise<BackupAdvice | null> {
  let settings: Settings;
  try {
    settings = readSettings(machine.environment);
  } catch (error) {
    if (error instanceof SettingsRefused) return null;
    throw error;
  }
  const secretKeyFile = resolve(settings.secretKeyFile);
  // The first start makes it, before it makes an account.
  if ((await machine.file(secretKeyFile)) === null) return null;
  const database = settings.databaseUrl.startsWith('sqlite:') ? 'sqlite' : 'postgres';
  return { commands: ['bailiwick backup FILE', 'bailiwick restore --dry-run FILE'], secretKeyFile, database };
}

/** For people. */
export function printBackupAdvice({ commands: [make, tryOut], secretKeyFile, database }: BackupAdvice): string {
  const lines = [
    'not looked at: whether there is a backup, which cannot be told from here',
    `  do:  run \`${make}\`, beside the running server too, and keep FILE on another machine; \`${tryOut}\` says whether it is whole`,
    `  do:  keep a copy of \`${secretKeyFile}\` apart from the backups: none of them has it, and without it access keys and second factors are lost`,
  ];
  if (database === 'sqlite') {
    lines.push(
      '  mind: a copy of the database file is no backup while the server runs: what was written last is in a file beside it',
    );
  }
  return `${lines.join('\n')}\n`;
}
