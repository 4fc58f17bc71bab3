/** `bailiwick apply` and `bailiwick export`. */
import type { Command } from 'commander';
import { readSettings } from '../settings.js';
import type { ApplyOptions } from './apply.js';
import { operatorHelp } from './operator-help.js';
import { describeFailure } from './refusal.js';

export function addApplyCommands(program: Command): void {
  program
    .command('apply')
    .description('make an account as files say: users, groups, policies, grants, workspaces; shows the plan first')
    .argument('<path>', 'a folder with .yaml, .json and .jsonl files, or one file')
    .option('--account <name>', 'name of the account; needed where there are several')
    .option('--as <user>', 'with the rights of this user, who must hold what is given; those of root unless given')
    .option(
      '--prune <kinds>',
      'delete what the files do not name, of these kinds: Grant,User,Group,Policy,EnterpriseProject',
    )
    .option('--dry-run', 'show the plan and change nothing')
    .option('--exit-code', 'with --dry-run: end with status 3 when there is something to do')
    .option('--yes', 'apply without being asked')
    .option('--full', 'show every change, and what stays as it is')
    .option('--json', 'print the plan, and what came of it, as JSON')
    .addHelpText(
      'after',
      `
The plan shows what would be created (+), changed (~) and deleted (-). Nothing is deleted without --prune. What the files
hold, and what a document means: docs/apply.md.

Ends with status 0 when all is done, 1 when something is left to do, 2 when files or plan are refused and nothing was done.

  bailiwick apply access/ --dry-run
  bailiwick apply access/ --yes --prune Grant,User
${operatorHelp}`,
    )
    .action(async (path: string, options: ApplyOptions) => {
      const { apply } = await import('./apply.js');
      let stopped = false;
      // What is under way is finished; a second signal ends the process, which loses only what is under way.
      process.once('SIGINT', () => {
        stopped = true;
        process.stderr.write('\nending after what is under way\n');
      });
      const { stdin: input, stdout: output, stderr: errors } = process;
      try {
        process.exitCode = await apply(readSettings(process.env), path, options, {
          input,
          output,
          errors,
          isStopped: () => stopped,
        });
      } catch (error) {
        process.stderr.write(describeFailure(error));
        process.exitCode = 2;
      }
    });

  program
    .command('export')
    .description('write an account as files that `bailiwick apply` reads; the same account is the same bytes')
    .argument('<folder>', 'folder for the files, which is made if it is not there')
    .option('--account <name>', 'name of the account; needed where there are several')
    .addHelpText('after', operatorHelp)
    .action(async (folder: string, options: Pick<ApplyOptions, 'account'>) => {
      const { exportTo } = await import('./apply.js');
      await exportTo(readSettings(process.env), folder, options, { output: process.stdout, errors: process.stderr });
    });
}
