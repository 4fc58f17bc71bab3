/** `bailiwick apply` and `bailiwick export`: an account as files, on the machine itself (docs/apply.md). */
import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { Readable as Source } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  carryOut,
  documentFiles,
  exportAccount,
  exportMark,
  fileNames,
  makePlan,
  printable,
  printJson,
  printPlan,
  printPlace,
  printProblems,
  prunableKinds,
  readCurrent,
  readDocuments,
  showChange,
  type Carried,
  type Export,
  type Plan,
  type PlannedChange,
  type PrunableKind,
} from '../apply/index.js';
import type { Account, Iam, Id } from '../iam/index.js';
import { openAsItIs, openHouse, type House } from '../house.js';
import type { Settings } from '../settings.js';
import { isConfirmed } from './confirmation.js';
import { withDatabase } from './existing-database.js';
import { refuseToOverwrite } from './installation-files.js';
import { counted, Progress } from './progress.js';
import { describeFailure, isSystemError, StartRefused, UsageRefused } from './refusal.js';

export interface ApplyOptions {
  readonly account?: string;
  readonly as?: string;
  readonly prune?: string;
  readonly dryRun?: boolean;
  readonly exitCode?: boolean;
  readonly yes?: boolean;
  readonly full?: boolean;
  readonly json?: boolean;
}

/** The terminal, or what stands for it. */
export interface Terminal {
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly output: Writable;
  readonly errors: Writable & { readonly isTTY?: boolean };
  readonly isStopped: () => boolean;
}

/** What a command ends with: 1 and 2 are failures, 3 says that there is something to do. */
export type ApplyStatus = 0 | 1 | 2 | 3;

export async function apply(
  settings: Settings,
  path: string,
  options: ApplyOptions,
  terminal: Terminal,
): Promise<ApplyStatus> {
  if (options.exitCode === true && options.dryRun !== true) {
    throw new UsageRefused('--exit-code says what a plan holds; give --dry-run with it');
  }
  const prune = prunedKinds(options.prune);
  const progress = new Progress(terminal.errors);
  const reading = await readDocuments(path, (read) => progress.tell('reading', read, null)).catch((error: unknown) => {
    if (isSystemError(error)) throw new StartRefused(`\`${printable(path)}\` cannot be read: ${error.code}`);
    throw error;
  });
  progress.close();
  if (reading.problems.length > 0) return tellProblems(reading, terminal, options);
  if (reading.wanted.length === 0) {
    throw new StartRefused(`there is no document in \`${printable(path)}\`; docs/apply.md says what files hold`);
  }
  const opening = options.dryRun === true ? openAsItIs : openHouse;
  return withAccount(settings, options, opening, async (iam, account, userId) => {
    const current = await readCurrent(iam.store, account.id);
    const call = await iam.calls.openOperator('plan', account.id, userId);
    const plan = makePlan(reading.wanted, { call, now: call.now, current, prune });
    if (plan.problems.length > 0) return tellProblems(plan, terminal, options);
    const steps = plan.changes.some((change) => change.steps.length > 0);
    if (options.json !== true) terminal.output.write(printPlan(plan, options.full));
    if (options.dryRun === true || !steps) {
      if (options.json === true) tellJson(terminal.output, plan, null);
      return options.dryRun === true && options.exitCode === true && steps ? 3 : 0;
    }
    if (options.yes !== true && !(await isConfirmed('apply these changes?', terminal))) {
      if (options.json === true) tellJson(terminal.output, plan, null);
      terminal.errors.write('nothing was changed; `--yes` applies without being asked\n');
      return 1;
    }
    const running = new Progress(terminal.errors);
    let reached: Carried = { done: 0, total: 0, failure: null };
    const carried = await carryOut(iam, plan, {
      accountId: account.id,
      userId,
      current,
      tell: (done, total, operation) => {
        reached = { done, total, failure: null };
        running.tell(operation, done, total);
      },
      isStopped: terminal.isStopped,
    })
      .catch((error: unknown) => {
        // The database has gone, or a defect: what was committed before stands all the same.
        running.close();
        terminal.errors.write(`${describeFailure(error)}it ended after ${counted(reached.done)} steps, which stay\n`);
        return null;
      })
      .finally(() => running.close());
    if (carried === null) return 1;
    if (options.json === true) tellJson(terminal.output, plan, carried);
    else terminal.output.write(describeCarried(carried));
    if (carried.failure !== null) terminal.errors.write(`${describeFailedChange(carried.failure)}\n`);
    return carried.done === carried.total ? 0 : 1;
  });
}

function prunedKinds(given: string | undefined): readonly PrunableKind[] {
  return (given ?? '')
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
    .map((word) => {
      const kind = prunableKinds.find((each) => each === word);
      if (kind !== undefined) return kind;
      const known = prunableKinds.join(', ');
      const why =
        word === 'Workspace' ? '; what is in a workspace goes with it, so delete it by `deleteWorkspace`' : '';
      throw new StartRefused(`\`--prune\` takes ${known}, with commas between, not \`${word}\`${why}`);
    });
}

function tellProblems(
  { problems }: Pick<Plan, 'problems'>,
  { output, errors }: Terminal,
  { json }: ApplyOptions,
): ApplyStatus {
  if (json === true) {
    const shown = problems.map(({ place, message }) => ({
      file: place?.file ?? null,
      line: place?.line ?? null,
      column: place?.column ?? null,
      message,
    }));
    output.write(printJson({ problems: shown, changes: [], applied: null }));
  } else errors.write(`${printProblems(problems)}nothing was changed\n`);
  return 2;
}

function tellJson(output: Writable, plan: Plan, carried: Carried | null): void {
  const failure = carried?.failure ?? null;
  const applied =
    carried === null
      ? null
      : {
          done: carried.done,
          total: carried.total,
          failure: failure === null ? null : { ...showChange(failure.change), message: failure.message },
        };
  const changes = plan.changes.filter(({ verb }) => verb !== 'KEEP').map(showChange);
  const kept = plan.changes.length - changes.length;
  output.write(printJson({ problems: [], changes, kept, applied }));
}

function describeCarried({ done, total }: Carried): string {
  if (done === total) return `applied: ${counted(done)} steps\n`;
  return `applied: ${counted(done)} of ${counted(total)} steps; what was done stays, and applying the same files again goes on from there\n`;
}

function describeFailedChange({
  change,
  message,
}: {
  readonly change: PlannedChange;
  readonly message: string;
}): string {
  const place = change.place === null ? '' : `${printPlace(change.place)} `;
  return printable(`${place}${change.kind} \`${change.name}\` could not be ${verbs[change.verb]}: ${message}`);
}

const verbs = { CREATE: 'created', UPDATE: 'changed', DELETE: 'deleted', KEEP: 'kept' } as const;

/** @param opening how the database is opened, once it is known to be there and to have the account */
async function withAccount<T>(
  settings: Settings,
  options: Pick<ApplyOptions, 'account' | 'as'>,
  opening: (settings: Settings) => Promise<House>,
  work: (iam: Iam, account: Account, userId: Id | null) => Promise<T>,
): Promise<T> {
  const { account, userId } = await withDatabase(settings, ({ store }) => findAccount(store, options));
  const house = await opening(settings);
  try {
    return await work(house.iam, account, userId);
  } finally {
    await house.close();
  }
}

async function findAccount(
  { access }: Pick<Iam['store'], 'access'>,
  options: Pick<ApplyOptions, 'account' | 'as'>,
): Promise<{ readonly account: Account; readonly userId: Id | null }> {
  const accounts = await access.accounts();
  const [only] = accounts;
  const account =
    options.account !== undefined ? await access.accountByName(options.account) : accounts.length === 1 ? only : null;
  if (account == null) {
    const names = accounts.map(({ name }) => `\`${name}\``).join(', ');
    if (accounts.length === 0) throw new StartRefused('the database has no account; `bailiwick init` makes one');
    throw new StartRefused(
      options.account === undefined
        ? `say which account with --account: ${names}`
        : `there is no account \`${options.account}\`; there are ${names}`,
    );
  }
  const user = options.as === undefined ? null : await access.userByName(account.id, options.as);
  if (options.as !== undefined && user?.enabled !== true) {
    throw new StartRefused(`there is no enabled user \`${options.as}\` in account \`${account.name}\``);
  }
  return { account, userId: user?.id ?? null };
}

/** Writes an account into a folder. Files of an export before are replaced; others that `apply` would read are refused. */
export async function exportTo(
  settings: Settings,
  folder: string,
  options: Pick<ApplyOptions, 'account'>,
  { output, errors }: Pick<Terminal, 'output' | 'errors'>,
): Promise<void> {
  for (const name of Object.values(fileNames)) {
    for (const written of [name, unfinishedOf(name)]) await refuseToOverwrite(join(folder, written), settings);
  }
  await refuseOthers(folder);
  await withAccount(settings, options, openAsItIs, async (iam, account) => {
    const exported = exportAccount(await readCurrent(iam.store, account.id), iam.now());
    await mkdir(folder, { recursive: true }).catch((error: unknown) => {
      throw unwritable(folder, error);
    });
    for (const file of exported.files) {
      await writeFileOf(file, folder).catch((error: unknown) => {
        throw unwritable(folder, error);
      });
    }
    const parts = exported.files
      .filter(({ count }) => count > 0)
      .map(({ kind, count }) => `${counted(count)} in ${fileNames[kind]}`);
    output.write(`exported account \`${account.name}\`: ${parts.join(', ')}\n`);
    for (const what of exported.leftOut) errors.write(`left out: ${what}\n`);
  });
}

async function writeFileOf({ kind, count, documents }: Export['files'][number], folder: string): Promise<void> {
  const path = join(folder, fileNames[kind]);
  if (count === 0) {
    await rm(path, { force: true });
    return;
  }
  const unfinished = join(folder, unfinishedOf(fileNames[kind]));
  try {
    await pipeline(Source.from(joined(exportMark, documents)), createWriteStream(unfinished));
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

function unwritable(folder: string, error: unknown): unknown {
  if (!isSystemError(error)) return error;
  if (['EEXIST', 'ENOTDIR'].includes(error.code)) return noFolder(folder);
  return new StartRefused(`\`${error.path ?? folder}\` cannot be written: ${error.code}; the export is not whole`);
}

function noFolder(folder: string): StartRefused {
  return new StartRefused(`\`${folder}\` is no folder, and none can be made there; name another`);
}

/** Whole or not at all: a file that ends in the middle would be read as an account that lost people. */
function unfinishedOf(name: string): string {
  return `.${name}.unfinished`;
}

/** Few large writes instead of very many small ones. */
function* joined(firstLine: string, texts: Iterable<string>): Generator<string> {
  let some = `${firstLine}\n`;
  for (const text of texts) {
    some += text;
    if (some.length < 64 * 1024) continue;
    yield some;
    some = '';
  }
  if (some !== '') yield some;
}

/** What `apply` would read beside the export, and what bears the name of a file of it and was written by somebody. */
async function refuseOthers(folder: string): Promise<void> {
  const names = new Map(Object.values(fileNames).map((name) => [join(folder, name), name]));
  const beside: string[] = [];
  try {
    if (!existsSync(folder)) return;
    if (!(await stat(folder)).isDirectory()) throw noFolder(folder);
    for (const file of await documentFiles(folder)) {
      if (typeof file !== 'string') beside.push(file.place?.file ?? folder);
      else if (!names.has(file)) beside.push(file);
      else if (!(await isMarked(file))) {
        throw new StartRefused(
          `\`${printable(file)}\` would be replaced, and it does not begin as an export does: \`${exportMark}\`; move it away, or choose another folder`,
        );
      }
    }
  } catch (error) {
    if (isSystemError(error)) throw new StartRefused(`\`${folder}\` cannot be read: ${error.code}`);
    throw error;
  }
  if (beside.length === 0) return;
  const shown = beside.slice(0, mostNamed).map((file) => `\`${relative(folder, file)}\``);
  const more = beside.length > mostNamed ? ` and ${beside.length - mostNamed} more` : '';
  throw new StartRefused(
    `\`${folder}\` holds ${printable(shown.join(', '))}${more}, which would be applied beside the export; choose another folder`,
  );
}

const mostNamed = 5;

async function isMarked(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(exportMark.length), 0, exportMark.length, 0);
    return buffer.toString('utf8', 0, bytesRead) === exportMark;
  } finally {
    await file.close();
  }
}
