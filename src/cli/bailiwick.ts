#!/usr/bin/env node
/** The command line. What needs a database is loaded only by the commands that use one. */
import { readFileSync } from 'node:fs';
import { printAuthorizedKeys } from './authorized-keys.js';

const [, , asked, ...others] = process.argv;
const wantsHelp = others.length === 1 && ['-h', '--help'].includes(others[0] ?? '');
if (asked === 'ssh-authorized-keys' && !wantsHelp) {
  // sshd waits for it at each connection: everything below takes many times longer to load than this takes to run.
  await printAuthorizedKeys(others);
  process.exit(0);
}

const { Command, Option } = await import('commander');
const { describeSettings, readSettings } = await import('../settings.js');
const { thisMachine } = await import('./machine.js');
const { checkPolicyFiles, printProblems, scopeNames } = await import('./policy-check.js');
const { addApplyCommands } = await import('./apply-commands.js');
const { addAuditCommands } = await import('./audit-commands.js');
const { addBackupCommands } = await import('./backup-commands.js');
const { operatorHelp } = await import('./operator-help.js');
const { listed } = await import('./option-values.js');
const { describeFailure, UsageRefused } = await import('./refusal.js');
const { outliveReaders } = await import('./standard-output.js');

const purposes = { serve: 'SERVES', apply: 'WORKS', export: 'WORKS', backup: 'WORKS', restore: 'WORKS' } as const;
outliveReaders(purposes[asked as keyof typeof purposes] ?? 'PRINTS');

const settingsHelp = `\nSettings, from the environment:\n${describeSettings()}\n`;

const doctorHelp = `
Looks at the settings (set the same variables as for the server), at this process and its machine, at files, database
and accounts. It reads alone, and can run beside the server. Best run as the user that runs the server. Whether there is
a backup it cannot know, and says how one is made.

Ends with status 0 when there is no error, 1 when there are warnings and --strict is given, 2 when there is an error.
Notes never count.
`;

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const program = new Command('bailiwick')
  .description('Who may do what, in which workspace, on whose behalf, and why.')
  .version(version)
  .showHelpAfterError('(add --help for what there is)')
  // Before the commands are made, which take it over. Status 1 says something of what was asked.
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));

program
  .command('serve')
  .description('run the server; on an empty database the first start makes an account and prints its password')
  .addHelpText('after', settingsHelp)
  .action(async () => {
    const settings = readSettings(process.env);
    const { serve } = await import('../main.js');
    await serve(settings);
  });

program
  .command('init')
  .description('make database, secret key and first account, and print its password, without serving')
  .addHelpText('after', settingsHelp)
  .action(async () => {
    const { initialise } = await import('./operator.js');
    process.stdout.write(await initialise(readSettings(process.env)));
  });

const account = program.command('account').description('accounts: tenants that share nothing with one another');
account
  .command('create')
  .description('make an account with its root user, and print a random password once')
  .argument('<name>', 'name of the account')
  .option('--root-name <name>', 'name of its root user', 'admin')
  .option('--no-workspaces', 'with the default workspace only, until `setWorkspacesEnabled` switches others on')
  .addHelpText('after', operatorHelp)
  .action(async (name: string, options: { readonly rootName: string; readonly workspaces: boolean }) => {
    const { addAccount } = await import('./operator.js');
    process.stdout.write(await addAccount(readSettings(process.env), name, options));
  });

program
  .command('unlock')
  .description('let a user whom failed attempts have locked out try again at once')
  .argument('<account>', 'name of the account')
  .argument('<user>', 'name of the user')
  .addHelpText('after', operatorHelp)
  .action(async (accountName: string, userName: string) => {
    const { unlock } = await import('./operator.js');
    process.stdout.write(await unlock(readSettings(process.env), accountName, userName));
  });

program
  .command('reset-password')
  .description('give a user a new random password, and print it once; ends the sessions of the user')
  .argument('<account>', 'name of the account')
  .argument('<user>', 'name of the user, the root user included')
  .option('--remove-second-factor', 'take the second factor away too, when the device is lost as well', false)
  .addHelpText('after', operatorHelp)
  .action(async (accountName: string, userName: string, options: { readonly removeSecondFactor: boolean }) => {
    const { resetPassword } = await import('./operator.js');
    process.stdout.write(await resetPassword(readSettings(process.env), accountName, userName, options));
  });

program
  .command('doctor')
  .description('say what is unsafe in this installation, and what to do; changes nothing')
  .option('--json', 'print the findings as JSON, with codes that do not change')
  .option('--strict', 'let warnings count for the status', false)
  .addHelpText('after', doctorHelp)
  .action(async (options: { readonly json?: true; readonly strict: boolean }) => {
    const { diagnose, exitStatus, printFindings, printFindingsAsJson } = await import('./doctor.js');
    const { adviseBackup } = await import('./doctor-backup.js');
    const machine = thisMachine(process.env);
    const [findings, backup] = [await diagnose(machine), await adviseBackup(machine)];
    process.stdout.write(options.json ? printFindingsAsJson(findings, backup) : printFindings(findings, backup));
    process.exitCode = exitStatus(findings, options.strict);
  });

program
  .command('ssh-authorized-keys')
  .description('for sshd: print the keys that may get into a notebook now, or nothing')
  .requiredOption('--notebook <urn>', 'URN of the notebook')
  .option('--user <name>', 'login name, `%u` in sshd_config; nothing is printed for another than the notebook’s')
  .option('--fingerprint <fingerprint>', 'fingerprint of the key that is offered, `%f` in sshd_config')
  .option('--socket <path>', 'socket of the server; BAILIWICK_SSH_SOCKET unless given')
  .addHelpText(
    'after',
    `
Whatever goes wrong, it prints nothing and ends with status 0, within two seconds. How sshd is set up for it:
docs/remote-access.md.
`,
  );

addAuditCommands(program);
addApplyCommands(program);
addBackupCommands(program);

const policy = program.command('policy').description('policy documents');
policy
  .command('check')
  .description('say everything that is wrong with custom policy documents; needs no server and no database')
  .argument('<file...>', 'files to check, `-` for standard input')
  .option('--json', 'print the problems as a JSON array')
  .option('--strict', 'let warnings fail the command too')
  .addOption(
    new Option('--scope <scope>', 'say also what has no effect when granted there').choices(Object.keys(scopeNames)),
  )
  .addHelpText(
    'after',
    `
Each problem is one line, \`file:line:column code message\`; warnings say so. Actions that services of your own register
are not known here. Ends with status 1 if there is an error, 0 if there are only warnings (with --strict: 1) or none.

  bailiwick policy check policies/*.json
  bailiwick policy check --scope enterprise-project policies/team.json
  jq .document export.json | bailiwick policy check -
`,
  )
  .action(async (files: readonly string[], options: CheckOptions) => {
    const scope = options.scope === undefined ? null : scopeNames[options.scope];
    const problems = await checkPolicyFiles(files, readStandardInput, scope);
    process.stdout.write(options.json ? `${JSON.stringify(problems, null, 2)}\n` : printProblems(problems));
    if (problems.some(({ severity }) => severity === 'ERROR' || options.strict)) process.exitCode = 1;
  });

policy
  .command('diff')
  .description('say what policy documents allow more, and what less, than others; needs no server and no database')
  .argument('<before>', 'file or folder, `-` for standard input')
  .argument('<after>', 'file or folder to compare with it, `-` for standard input')
  .option('--format <format>', '`text`, `json`, `markdown` for a comment, `github` for annotations', 'text')
  .option('--fail-on <outcome>', 'end with status 1 on `wider`, on `any` difference, or `never`', 'wider')
  .option('--alone', 'judge the documents as if nobody held other policies beside them', false)
  .option('--together', 'compare all documents of each side as one set, which somebody holds together', false)
  .addHelpText(
    'after',
    `
Each difference comes with a request that is decided otherwise, and the statements that decide it. Of folders, .json files
with the same name are compared; a file that stands on one side only, or /dev/null, allows nothing on the other.

EQUIVALENT and NARROWER allow nothing more; WIDER and INCOMPARABLE do; UNKNOWN took too long to decide and counts as
wider. A Deny that goes counts as wider too, since another policy may allow what it kept back; not so with --alone.

Ends with status 1 if --fail-on says so, with status 2 if something cannot be read or the command is used wrongly, else 0.

  bailiwick policy diff old.json new.json
  git show main:policies/team.json | bailiwick policy diff - policies/team.json
  git difftool --no-prompt --trust-exit-code --extcmd 'bailiwick policy diff' main -- policies
`,
  )
  .action(async (before: string, after: string, options: PolicyDiffCommandOptions) => {
    try {
      await comparePolicyFiles(before, after, options);
    } catch (error) {
      // Status 1 says that something is wider.
      process.stderr.write(describeFailure(error));
      process.exitCode = 2;
    }
  });

program
  .command('operations')
  .description('say which permissions GraphQL operations need, and the tightest policy for them; needs no server')
  .argument('<file...>', 'files and folders with operations, `-` for standard input')
  .option('--schema <file>', 'SDL with @permission to read them against; the schema of this version unless given')
  .option('--json', 'print everything as JSON')
  .option('--policy', 'print only the policies, for all operations together: one document, or one in each line')
  .option('--required', 'policies (and breaks) without what is null, silently, when refused', false)
  .option('--base <commit>', 'say whom the operations break that could run them as they were at that commit')
  .option('--before <file>', 'as --base, with files or folders of before; can be given several times', listed)
  .option('--groups <file>', 'answers of GroupPolicies and UserPolicies, which say who holds what')
  .option('--url <url>', 'address of the API that is asked for them instead')
  .option('--token-env <name>', 'variable of the environment with a token in account scope for it')
  .option('--fail-on <outcome>', 'end with status 1 on `breaks`, on `depends` too, or `never`', 'breaks')
  .addHelpText(
    'after',
    `
Reads .graphql and .gql files, and templates tagged \`gql\` or \`graphql\` in TypeScript and JavaScript. A fragment may stand in
any of the files. Problems are lines, \`file:line:column code message\`, and end it with status 2.

  bailiwick operations src/queries
  bailiwick operations --policy Users.graphql | bailiwick policy check -

Where a query changes, --base or --before says which groups (and users without one) can run it as it was and not as it
is: each alone, by what they hold now. It keeps, breaks, or depends on conditions and resources that it names. Operations
are paired by their names. What cannot be read or asked ends it with status 2.

  bailiwick operations src/queries --base origin/main --groups groups.json
  bailiwick operations src/queries --base origin/main --url https://iam.example.com/graphql --token-env TOKEN
`,
  )
  .action(async (files: readonly string[], options: OperationsOptions) => {
    const operations = await import('./operations.js');
    const requiredOnly = options.required;
    if (options.base !== undefined || options.before !== undefined) {
      try {
        await compareOperations(files, options);
      } catch (error) {
        // Status 1 says that something breaks.
        process.stderr.write(describeFailure(error));
        process.exitCode = 2;
      }
      return;
    }
    const analysis = await operations.analyseFiles(
      files,
      { schema: options.schema ?? null, requiredOnly },
      readStandardInput,
    );
    if (analysis.problems.length > 0) {
      process.stderr.write(operations.printDocumentProblems(analysis.problems));
      process.exitCode = 2;
      return;
    }
    const all = analysis.operations;
    process.stdout.write(
      options.policy === true
        ? operations.printPolicies(operations.policiesOfAll(all, requiredOnly))
        : options.json === true
          ? operations.operationsAsJson(all)
          : operations.printOperations(all),
    );
  });

interface PolicyDiffCommandOptions {
  readonly format: string;
  readonly failOn: string;
  readonly alone: boolean;
  readonly together: boolean;
}

async function comparePolicyFiles(before: string, after: string, options: PolicyDiffCommandOptions): Promise<void> {
  const { diffPolicies, fails, failures } = await import('./policy-diff.js');
  const { printDiff, reportFormats, verdictOf } = await import('./policy-diff-report.js');
  const { StartRefused } = await import('./refusal.js');
  const { alone, together } = options;
  const format = reportFormats.find((each) => each === options.format);
  const failOn = failures.find((each) => each === options.failOn);
  if (format === undefined) {
    throw new StartRefused(`--format takes ${reportFormats.join(', ')}, not \`${options.format}\``);
  }
  if (failOn === undefined) throw new StartRefused(`--fail-on takes ${failures.join(', ')}, not \`${options.failOn}\``);
  const { differences, problems } = await diffPolicies(before, after, { together }, readStandardInput);
  if (problems.length > 0) {
    process.stderr.write(printProblems(problems));
    process.exitCode = 2;
    return;
  }
  process.stdout.write(printDiff(differences, { format, alone }));
  const verdicts = differences.map(({ change }) => verdictOf(change, alone));
  if (fails(verdicts, failOn)) process.exitCode = 1;
}

interface CheckOptions {
  readonly json?: true;
  readonly strict?: true;
  readonly scope?: keyof typeof scopeNames;
}

interface OperationsOptions {
  readonly schema?: string;
  readonly json?: true;
  readonly policy?: true;
  readonly required: boolean;
  readonly base?: string;
  readonly before?: readonly string[];
  readonly groups?: string;
  readonly url?: string;
  readonly tokenEnv?: string;
  readonly failOn: string;
}

async function compareOperations(files: readonly string[], options: OperationsOptions): Promise<void> {
  const { compareFiles, printDocumentProblems } = await import('./operations.js');
  const { fetchHolders, readHolders } = await import('./operation-holders.js');
  const { printChanges } = await import('./operation-changes.js');
  const { StartRefused } = await import('./refusal.js');
  const { base, before, groups, url, tokenEnv, failOn } = options;
  if (!['breaks', 'depends', 'never'].includes(failOn)) {
    throw new StartRefused(`--fail-on takes \`breaks\`, \`depends\` or \`never\`, not \`${failOn}\``);
  }
  if (base !== undefined && before !== undefined) throw new StartRefused('give one of --base and --before');
  const token = tokenEnv === undefined ? undefined : process.env[tokenEnv];
  if (groups === undefined && (url === undefined || !token)) {
    throw new StartRefused('who holds what is said by --groups FILE, or by --url with a token in --token-env');
  }
  const holders = groups === undefined ? await fetchHolders(url ?? '', token ?? '') : await readHolders(groups);
  const { changes, unpaired, problems } = await compareFiles(
    files,
    {
      schema: options.schema ?? null,
      requiredOnly: options.required,
      before: base === undefined ? { files: before ?? [] } : { commit: base },
      holders,
    },
    readStandardInput,
  );
  if (problems.length > 0) {
    process.stderr.write(printDocumentProblems(problems));
    process.exitCode = 2;
    return;
  }
  const shown = { changes, notCompared: unpaired };
  process.stdout.write(options.json ? `${JSON.stringify(shown, null, 2)}\n` : printChanges(changes, unpaired));
  const counted = failOn === 'never' ? [] : failOn === 'depends' ? ['BREAKS', 'DEPENDS'] : ['BREAKS'];
  if (changes.some(({ outcome }) => counted.includes(outcome))) process.exitCode = 1;
}

async function readStandardInput(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(describeFailure(error));
  process.exit(error instanceof UsageRefused ? 2 : 1);
}
