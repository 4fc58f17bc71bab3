/** `bailiwick restore`: a database as it was when a backup of it was made, whole or not at all. */
import { createReadStream } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { EndMisstored, verifyTrail } from '../audit-chain/index.js';
import { endRestoredSessions, isOpenSession, sealedRows, type SealedRows } from '../iam/index.js';
import { withoutPassword, type Settings } from '../settings.js';
import {
  DatabaseError,
  DatabaseUnavailable,
  NewerDatabaseError,
  NoBackup,
  openBackup,
  readThrough,
  RestoreRefused,
  restoreStore,
  totalRows,
  type BackupHeader,
  type OpenBackup,
  type Restored,
} from '../store/index.js';
import { isConfirmed } from './confirmation.js';
import { counted, Progress } from './progress.js';
import { isSystemError, StartRefused, UsageRefused } from './refusal.js';
import { readSecretKey } from './secret-key.js';

type BackedUpRow = Parameters<SealedRows['opens']>[1];

/** What stops a restore unless it is accepted. */
const acceptable = ['unopened-secrets', 'broken-trail'] as const;
type Acceptable = (typeof acceptable)[number];

export interface RestoreOptions {
  readonly replace: boolean;
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly endSessions: boolean;
  /** With commas between. */
  readonly accept?: string;
}

export interface RestoreTerminal {
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly output: Writable;
  readonly errors: Writable & { readonly isTTY?: boolean };
}

export async function restore(
  settings: Settings,
  path: string,
  options: RestoreOptions,
  terminal: RestoreTerminal,
): Promise<void> {
  if (options.yes && !options.replace) {
    throw new UsageRefused('--yes answers what --replace asks; give --replace with it, or leave it out');
  }
  const accepted = acceptedIn(options.accept);
  const key = await readSecretKey(settings.secretKeyFile);
  if (key === null) {
    throw new StartRefused(
      `the secret key file \`${settings.secretKeyFile}\` is missing; put that of the backup there, or set BAILIWICK_SECRET_KEY_FILE`,
    );
  }
  const secrets = new SecretsSeen(sealedRows(key), settings.secretKeyFile, accepted);
  try {
    const backup = await openBackup(createReadStream(path));
    secrets.expectKey(backup.header);
    if (options.dryRun) await lookThrough(path, backup, secrets, options.endSessions, terminal);
    else await restoreFrom(settings, path, backup, secrets, { ...options, accepted }, terminal);
  } catch (error) {
    if (error instanceof StartRefused) throw error;
    if (error instanceof NoBackup) {
      throw new StartRefused(`\`${path}\` is no backup that can be restored: ${error.message}; nothing was restored`);
    }
    if (
      error instanceof RestoreRefused ||
      error instanceof EndMisstored ||
      error instanceof DatabaseError ||
      error instanceof DatabaseUnavailable ||
      error instanceof NewerDatabaseError
    ) {
      throw new StartRefused(`${error.message}; nothing was restored`);
    }
    if (isSystemError(error)) throw new StartRefused(`\`${error.path ?? path}\`: ${error.code}; nothing was restored`);
    throw error;
  }
}

async function lookThrough(
  path: string,
  backup: OpenBackup,
  secrets: SecretsSeen,
  endSessions: boolean,
  { output, errors }: RestoreTerminal,
): Promise<void> {
  const progress = new Progress(errors);
  const now = Date.now();
  let open = 0;
  await readThrough(backup, {
    watch: (kind, row) => {
      secrets.see(kind, row);
      if (kind === 'session' && isOpenSession(sessionIn(row), now)) open += 1;
    },
    tell: (done, total) => progress.tell('reading', done, total),
  }).finally(() => progress.close());
  secrets.expectOpened();
  const { header } = backup;
  output.write(
    `\`${path}\` is whole: ${counted(totalRows(header))} rows of ${header.database}, as of ${header.at}; ${secrets.describe()}\n`,
  );
  if (endSessions) {
    const sessions = `sessions of people that were open then would be ended: ${counted(open)}`;
    output.write(`with \`--end-sessions\` ${sessions}; everybody would sign in anew\n`);
  }
  output.write('nothing was restored\n');
}

function sessionIn({ endedAt = null, expiresAt }: BackedUpRow): Parameters<typeof isOpenSession>[0] {
  return { endedAt: endedAt === null ? null : Number(endedAt), expiresAt: Number(expiresAt) };
}

async function restoreFrom(
  settings: Settings,
  path: string,
  backup: OpenBackup,
  secrets: SecretsSeen,
  options: RestoreOptions & { readonly accepted: ReadonlySet<Acceptable> },
  terminal: RestoreTerminal,
): Promise<void> {
  const { output, errors } = terminal;
  const database = withoutPassword(settings.databaseUrl);
  if (options.replace && !options.yes && !(await isConfirmed(`replace everything in ${database}?`, terminal))) {
    throw new StartRefused('nothing was restored; `--yes` replaces without being asked');
  }
  const progress = new Progress(errors);
  const verified: string[] = [];
  let ended = 0;
  await restoreStore(settings.databaseUrl, backup, {
    replace: options.replace,
    watch: (kind, row) => secrets.see(kind, row),
    tell: (done, total) => progress.tell('restoring', done, total),
    wait: (what) => progress.wait(what),
    limits: { connectionWait: settings.databaseWaitSeconds * 1000 },
    amend: async ({ accounts, transaction }) => {
      if (!options.endSessions) return;
      for (const { id } of accounts) ended += await endRestoredSessions(transaction, id, Date.now());
    },
    verify: async (restored) => {
      secrets.expectOpened();
      const checking = new Progress(errors);
      verified.push(...(await verifyTrails(restored, options.accepted, checking)));
      checking.close();
    },
  }).finally(() => progress.close());
  const { header } = backup;
  output.write(`restored ${counted(totalRows(header))} rows as of ${header.at} from \`${path}\` into ${database}\n`);
  for (const line of verified) output.write(`  ${line}\n`);
  output.write(`  ${secrets.describe()}\n`);
  output.write(describeReturn(header, options.endSessions ? ended : null));
  output.write(
    'start the server; hold heads of the audit trail that you kept against it with `bailiwick audit verify`\n',
  );
}

/**
 * What nobody thinks of who is glad to have the data back.
 *
 * @param ended how many sessions were; null when they were left
 */
function describeReturn({ at }: BackupHeader, ended: number | null): string {
  const sessions =
    ended === null
      ? 'sessions that were open then are open again, and their tokens good until they expire; `--end-sessions` ends them while it restores'
      : `sessions of people that were open then were ended: ${counted(ended)}; everybody signs in anew`;
  return `everything is as it was at ${at}: who was disabled, and what was revoked, changed or deleted after that (grants, passwords, access keys), is in force again as before
  do that anew before you let anybody in; events of the audit trail that you kept say what it was
  ${sessions}
`;
}

/** @returns a line for each account */
async function verifyTrails(
  { accounts, trail }: Restored,
  accepted: ReadonlySet<Acceptable>,
  progress: Progress,
): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const [index, { id, name }] of accounts.entries()) {
    progress.tell('verifying audit trails of accounts', index, accounts.length);
    const { events, numberOfBreaks, breaks } = await verifyTrail(trail, id, []);
    if (numberOfBreaks > 0 && !accepted.has('broken-trail')) {
      throw new StartRefused(
        `the audit trail of account \`${name}\` does not hold (first at event ${breaks[0]?.from ?? 0}), as it did not when the backup was made; nothing was restored; \`--accept broken-trail\` restores it as it is`,
      );
    }
    lines.push(
      `account \`${name}\`: ${counted(events)} audit events; ${numberOfBreaks === 0 ? 'their chain holds' : `their chain is BROKEN at ${counted(numberOfBreaks)} places`}`,
    );
  }
  return lines;
}

/** Whether the key at hand is the one that the secrets of the backup are sealed with. */
class SecretsSeen {
  #sealed = 0;
  #unopened = 0;

  constructor(
    private readonly sealed: SealedRows,
    private readonly keyFile: string,
    private readonly accepted: ReadonlySet<Acceptable>,
  ) {}

  /** Before anything is read, where the backup says of which key it is. */
  expectKey({ keyCheck }: BackupHeader): void {
    if (keyCheck === null || keyCheck === this.sealed.keyCheck || this.accepted.has('unopened-secrets')) return;
    throw new StartRefused(
      `the secret key file \`${this.keyFile}\` is not the one that belongs to the backup; put that one there, or set BAILIWICK_SECRET_KEY_FILE. With \`--accept unopened-secrets\` it is restored all the same, and access keys and second factors are lost`,
    );
  }

  see(kind: Parameters<SealedRows['opens']>[0], row: Parameters<SealedRows['opens']>[1]): void {
    const opens = this.sealed.opens(kind, row);
    if (opens === null) return;
    this.#sealed += 1;
    if (!opens) this.#unopened += 1;
  }

  expectOpened(): void {
    if (this.#unopened === 0 || this.accepted.has('unopened-secrets')) return;
    throw new StartRefused(
      `the secret key file \`${this.keyFile}\` opens only ${this.#sealed - this.#unopened} of ${this.#sealed} sealed secrets of the backup; nothing was restored; put the key file of the backup there. With \`--accept unopened-secrets\` it is restored all the same, and those are lost`,
    );
  }

  describe(): string {
    if (this.#unopened === 0) return `the secret key file opens all ${counted(this.#sealed)} sealed secrets`;
    return `${counted(this.#unopened)} of ${counted(this.#sealed)} sealed secrets are NOT opened by the secret key file`;
  }
}

function acceptedIn(given: string | undefined): ReadonlySet<Acceptable> {
  const words = (given ?? '').split(',').filter((word) => word !== '');
  return new Set(
    words.map((word) => {
      const known = acceptable.find((each) => each === word.trim());
      if (known !== undefined) return known;
      throw new StartRefused(`\`--accept\` takes ${acceptable.join(', ')}, with commas between, not \`${word}\``);
    }),
  );
}
