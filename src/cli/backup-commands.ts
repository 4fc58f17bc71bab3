/** `bailiwick backup` and `bailiwick restore`. */
import type { Command } from 'commander';
import { readSettings } from '../settings.js';
import type { BackupOptions } from './backup.js';
import type { RestoreOptions } from './restore.js';

const backupHelp = `
Set the same variables as for the server. It can run beside the server, of either database: the file holds everything
that was acknowledged before it began, and of nothing a half. It is restored into either database, by \`bailiwick restore\`.

Nobody but its owner can read the file: password hashes, names and sealed secrets are in it. The secret key file is not;
keep a copy of that elsewhere. What the file holds, line by line: docs/backup.md.

Ends with status 0 when there is a backup, which has been read again and held against its checksum; else with status 1.

  bailiwick backup /var/backups/bailiwick-$(date +%F).jsonl.gz
`;

const restoreHelp = `
Set BAILIWICK_DATABASE_URL to where it shall be restored and BAILIWICK_SECRET_KEY_FILE to the key file of the backup.
Servers of that database are stopped first. A backup of SQLite can be restored into PostgreSQL, and the other way round;
one of an older version is brought up to date.

All of it is restored or nothing, whatever happens meanwhile. Before anybody sees it, its checksum, the references of its
rows and the audit chain of every account are verified, and the sealed secrets opened.

Everything is then as it was when the backup was made: who was disabled since, what was revoked or deleted since, is in force
again. Do that again before anybody is let in; --end-sessions ends all sessions of people, and what they obtained by them.

Ends with status 0 when it is restored, else with status 1, and nothing has changed.

  bailiwick restore --dry-run bailiwick.jsonl.gz
  bailiwick restore bailiwick.jsonl.gz
`;

export function addBackupCommands(program: Command): void {
  program
    .command('backup')
    .description('write everything in the database to a file, while the server goes on')
    .argument('<file>', 'file to write; one that is there already is not touched')
    .option('--force', 'write over a file that is there', false)
    .addHelpText('after', backupHelp)
    .action(async (file: string, options: BackupOptions) => {
      const { backUp } = await import('./backup.js');
      await backUp(readSettings(process.env), file, options, { output: process.stdout, errors: process.stderr });
    });

  program
    .command('restore')
    .description('make a database from a backup; refuses one that has accounts')
    .argument('<file>', 'what `bailiwick backup` has written')
    .option(
      '--dry-run',
      'read the backup to its end, say whether it is whole and the key file its own; change nothing',
      false,
    )
    .option('--replace', 'delete what is in the database; asks before it does', false)
    .option('--yes', 'with --replace: do not ask', false)
    .option('--end-sessions', 'end all sessions of people in it, which may have been ended since the backup', false)
    .option('--accept <faults>', 'restore in spite of `unopened-secrets`, `broken-trail`, with commas between')
    .addHelpText('after', restoreHelp)
    .action(async (file: string, options: RestoreOptions) => {
      const { restore } = await import('./restore.js');
      const { stdin: input, stdout: output, stderr: errors } = process;
      await restore(readSettings(process.env), file, options, { input, output, errors });
    });
}
