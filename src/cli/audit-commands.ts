/** `bailiwick audit …`. */
import { once } from 'node:events';
import type { Command } from 'commander';
import { readSettings } from '../settings.js';
import { listed, positionOf } from './option-values.js';
import { describeFailure } from './refusal.js';

const auditHelp = `
Set the same variables as for the server. It reads alone, and can run beside the server.
`;

export function addAuditCommands(program: Command): void {
  const audit = program.command('audit').description('the audit trail, and what proves that nobody has changed it');
  audit
    .command('head')
    .description('print where the trail of an account ends, signed; to be kept elsewhere')
    .option('--account <name>', 'name of the account; may be left out when there is only one')
    .addHelpText('after', auditHelp)
    .action(async ({ account: name }: { readonly account?: string }) => {
      const { printHead } = await import('./audit.js');
      process.stdout.write(await printHead(readSettings(process.env), name));
    });
  audit
    .command('public-key')
    .description('print the public key that heads are signed with')
    .addHelpText('after', auditHelp)
    .action(async () => {
      const { printPublicKey } = await import('./audit.js');
      process.stdout.write(await printPublicKey(readSettings(process.env)));
    });
  audit
    .command('export')
    .description('print the whole trail of an account, an event in each line, with a signed head at its end')
    .option('--account <name>', 'name of the account; may be left out when there is only one')
    .option('--after <position>', 'only what comes after this position', positionOf, 0)
    .addHelpText('after', auditHelp)
    .action(async ({ account, after }: { readonly account?: string; readonly after: number }) => {
      const { exportTrail } = await import('./audit.js');
      await exportTrail(readSettings(process.env), { account, after }, writeOut);
    });
  audit
    .command('verify')
    .description('say whether the trail is what it was, as far as that can be known')
    .argument('[file]', 'an export, `-` for standard input; the database unless given')
    .option('--head <file>', 'a head that was kept; can be given several times', listed)
    .option('--public-key <file>', 'key that heads and exports must be signed with')
    .option('--account <name>', 'only this account of the database')
    .option('--after <position>', 'the export is a part that begins after this position', positionOf, 0)
    .option('--json', 'print everything as JSON')
    .addHelpText(
      'after',
      `
Verifying an export needs neither database nor key file, nor any other setting. Verifying the database reads alone, and
can run beside the server.

Ends with status 0 when what was verified holds, 1 when something does not, 2 when nothing can be said. Without a head it
cannot know whether the end was cut off, nor whether everything was written anew: docs/audit.md.

  bailiwick audit verify --head head.json
  bailiwick audit verify --head head.json --public-key audit.pem export.jsonl
`,
    )
    .action(async (file: string | undefined, options: AuditVerifyOptions) => {
      const { auditStatus, verifyAudit } = await import('./audit-verification.js');
      const { printVerification, printVerificationAsJson } = await import('./audit-report.js');
      const { head: heads = [], publicKey = null, account = null, after } = options;
      try {
        const wanted = { file: file ?? null, heads, publicKey, account, after };
        const verification = await verifyAudit(wanted, () => readSettings(process.env));
        process.stdout.write((options.json ? printVerificationAsJson : printVerification)(verification));
        process.exitCode = auditStatus(verification);
      } catch (error) {
        // Status 1 says that something was changed.
        process.stderr.write(describeFailure(error));
        process.exitCode = 2;
      }
    });
}

interface AuditVerifyOptions {
  readonly head?: readonly string[];
  readonly publicKey?: string;
  readonly account?: string;
  readonly after: number;
  readonly json?: true;
}

/** Waits where the reader is slower than the database. */
async function writeOut(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}
