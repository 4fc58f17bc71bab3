/** What is unsafe about the database and the accounts in it. Reads alone, and beside whoever uses it. */
import { reviewAccounts, type AccountFinding, type AccountFindingCode } from '../iam/index.js';
import type { Settings } from '../settings.js';
import { inspectStore, type Inspection } from '../store/index.js';
import { isLoopback } from './doctor-settings.js';
import { finding, type Finding } from './findings.js';
import type { Machine } from './machine.js';

export interface DatabaseFindings {
  readonly findings: readonly Finding[];
  /** Whether it has an account; false when that could not be found out. */
  readonly inUse: boolean;
}

/** Milliseconds by which clocks may differ: a doctor's question takes some itself, and tokens bear five minutes. */
const skew = { warning: 5_000, error: 60_000 } as const;

export async function databaseFindings(settings: Settings, machine: Machine): Promise<DatabaseFindings> {
  let inspection: Inspection | null;
  try {
    inspection = await inspectStore(settings.databaseUrl, machine.now);
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    return { findings: [finding('DATABASE_UNREADABLE', what)], inUse: false };
  }
  // The first start makes the file.
  if (inspection === null) return { findings: [], inUse: false };
  try {
    const { begun, store, pending, unknown } = inspection;
    const findings = [...connectionFindings(settings, inspection), ...(await clockFindings(inspection, machine))];
    if (unknown.length > 0) {
      const what = `the database has migrations that this program does not know: ${unknown.join(', ')}`;
      findings.push(finding('DATABASE_NEWER', what, { subjects: unknown }));
      return { findings, inUse: true };
    }
    if (pending.length > 0) {
      findings.push(
        finding('MIGRATIONS_PENDING', `migrations are to be made: ${pending.join(', ')}`, { subjects: pending }),
      );
      return { findings, inUse: begun };
    }
    findings.push(...(await writeTimeFindings(inspection, machine)));
    findings.push(...(await reviewAccounts(store, machine.now())).map(accountFinding));
    return { findings, inUse: (await store.access.accounts()).length > 0 };
  } catch (error) {
    // The driver's own words may hold what a statement was about; what matters is that it failed.
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
    return { findings: [finding('DATABASE_UNREADABLE', `the database stopped answering: ${code}`)], inUse: false };
  } finally {
    await inspection.close();
  }
}

/** @returns findings about how one gets to the database */
export function connectionFindings(
  { databaseUrl }: Pick<Settings, 'databaseUrl'>,
  { encrypted, superuser }: Pick<Inspection, 'encrypted' | 'superuser'>,
): Finding[] {
  const findings: Finding[] = [];
  const host = encrypted === null ? null : postgresHost(databaseUrl);
  if (encrypted === false && host !== null && !isLoopback(host)) {
    findings.push(finding('POSTGRES_WITHOUT_TLS', `the connection to PostgreSQL on \`${host}\` is not encrypted`));
  }
  if (superuser === true) findings.push(finding('POSTGRES_SUPERUSER', 'the role of the database is a superuser'));
  return findings;
}

/** Null where the database is reached through a socket of this machine. */
function postgresHost(databaseUrl: string): string | null {
  const url = new URL(databaseUrl);
  const host = url.searchParams.get('host') ?? decodeURIComponent(url.hostname);
  return host === '' || host.startsWith('/') ? null : host;
}

async function clockFindings({ clock }: Inspection, { now }: Machine): Promise<readonly Finding[]> {
  const before = now();
  const theirs = await clock();
  if (theirs === null) return [];
  const off = Math.round(theirs - (before + now()) / 2);
  if (Math.abs(off) < skew.warning) return [];
  const what = `the clock of the database is ${seconds(off)} ${off > 0 ? 'ahead of' : 'behind'} that of this machine`;
  return [finding('CLOCK_SKEW', what, { severity: Math.abs(off) < skew.error ? 'WARNING' : 'ERROR' })];
}

/** A change made later than now: some clock was, or is, wrong. */
async function writeTimeFindings({ latestChange }: Inspection, { now }: Machine): Promise<readonly Finding[]> {
  const ahead = ((await latestChange()) ?? 0) - now();
  if (ahead < skew.warning) return [];
  const what = `the last change in the database was made ${seconds(ahead)} from now, by the clock of this machine`;
  return [finding('CLOCK_SKEW', what, { severity: ahead < skew.error ? 'WARNING' : 'ERROR' })];
}

function seconds(milliseconds: number): string {
  return `${Math.round(Math.abs(milliseconds) / 1000)} seconds`;
}

const texts: { readonly [Code in AccountFindingCode]: (names: string) => string } = {
  ADMINISTRATOR_WITHOUT_SECOND_FACTOR: (names) => `administrators without a second factor: ${names}`,
  ROOT_ACCESS_KEY: (names) => `the root user has access keys: ${names}`,
  LOOSE_MODE: () => 'the authorization mode is LOOSE',
  LOCKOUT_DISABLED: () => 'failed attempts to sign in do not lock a user as they should',
  ACCESS_KEY_UNUSED: (names) => `access keys that nobody uses: ${names}`,
  AGENCY_WITHOUT_EXTERNAL_ID: (names) => `agencies that another account may use without an external id: ${names}`,
  FULL_ACCESS_OUTSIDE_ADMIN: (names) => `everything is granted outside the group \`admin\`: ${names}`,
};

/** How many are named in a line that people read; programs get all. */
const named = 5;

function accountFinding({ code, account, subjects }: AccountFinding): Finding {
  const more = subjects.length > named ? ` and ${subjects.length - named} more` : '';
  const names = subjects.slice(0, named).map((name) => `\`${name}\``);
  return finding(code, texts[code](names.join(', ') + more), { account, subjects });
}
