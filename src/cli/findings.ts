/**
 * What `bailiwick doctor` can find, as one table: how bad it is, why, and what to do. Codes are stable: programs that
 * watch an installation go by them. No text repeats a secret.
 */
import type { AccountFindingCode } from '../iam/index.js';

/** ERROR: somebody can harm this installation now, or it will not work. WARNING: it is weaker than need be. NOTE: know it. */
export type Severity = 'ERROR' | 'WARNING' | 'NOTE';

interface Meaning {
  readonly severity: Severity;
  readonly why: string;
  readonly advice: string;
}

const ofInstallation = {
  SETTINGS_REFUSED: {
    severity: 'ERROR',
    why: 'the server does not start with settings that it does not understand',
    advice: 'correct the variable; `bailiwick serve --help` lists them all',
  },
  SECRET_KEY_MISSING: {
    severity: 'ERROR',
    why: 'the database has secrets sealed under that key, and the server does not start without it',
    advice: 'restore the file from its backup, or set BAILIWICK_SECRET_KEY_FILE to where it is',
  },
  SECRET_KEY_UNUSABLE: {
    severity: 'ERROR',
    why: 'the server needs 32 random bytes to sign tokens and to seal secrets',
    advice: 'restore the file from its backup; for an empty database remove it, and the first start makes one',
  },
  SECRET_KEY_OPEN: {
    severity: 'ERROR',
    why: 'whoever reads the key can make a token for every user, and the server does not start with it',
    advice: 'run `chmod 600` on the file; if others may have read it, raise BAILIWICK_TOKEN_KEY_EPOCH by one as well',
  },
  SECRET_KEY_BESIDE_DATABASE: {
    severity: 'WARNING',
    why: 'a copy or a backup of the folder has both, and the key is then no protection for what is sealed in the database',
    advice: 'move the key to a folder of its own, set BAILIWICK_SECRET_KEY_FILE to it, and back both up apart',
  },
  FOLDER_OPEN: {
    severity: 'ERROR',
    why: 'whoever may write into the folder can put another key or another database in the place of yours',
    advice: 'run `chmod go-w` on the folder',
  },
  SSH_FOLDER_OPEN: {
    severity: 'ERROR',
    why: 'whoever may write into the folder can put a socket of their own in the place of yours, and let anybody into notebooks',
    advice:
      'run `chmod o-w` on the folder, and leave its group to the server and the user that sshd runs its command as',
  },
  DATABASE_OPEN: {
    severity: 'ERROR',
    why: 'whoever reads the file has the hashes of all passwords, and the names and rights of everybody',
    advice: 'run `chmod 600` on the file and on those beside it that end in `-wal` and `-shm`',
  },
  DATABASE_UNREADABLE: {
    severity: 'ERROR',
    why: 'nothing in the database could be looked at, and the server will hardly start',
    advice: 'see that the database runs, that BAILIWICK_DATABASE_URL is right, and that this user may read it',
  },
  DATABASE_NEWER: {
    severity: 'ERROR',
    why: 'this program does not understand what the newer one has changed, and does not start with it',
    advice: 'install the newer version again, or restore a backup from before',
  },
  MIGRATIONS_PENDING: {
    severity: 'WARNING',
    why: 'the tables are older than this program; accounts could not be looked at',
    advice: 'back the database up and start the server, which brings the tables up to date; then ask the doctor again',
  },
  POSTGRES_WITHOUT_TLS: {
    severity: 'ERROR',
    why: 'passwords of the database and everything in it cross the network in the clear',
    advice: 'switch TLS on in PostgreSQL and add `?sslmode=verify-full` to BAILIWICK_DATABASE_URL',
  },
  POSTGRES_SUPERUSER: {
    severity: 'WARNING',
    why: 'a fault in this program would be one in every database of that server',
    advice: 'make a role that owns this one database and may do nothing else, and name it in BAILIWICK_DATABASE_URL',
  },
  CLOCK_SKEW: {
    severity: 'ERROR',
    why: 'tokens, locks and grants end by the clock: with a wrong one they end too early, or not when they should',
    advice: 'keep the clocks of all machines right with NTP (chrony or systemd-timesyncd)',
  },
  ADMIN_PASSWORD_WEAK: {
    severity: 'ERROR',
    why: 'it is the password of the root user, whom no policy binds, and it is easily guessed',
    advice: 'leave BAILIWICK_ADMIN_PASSWORD out for a random one; where it is in use, run `bailiwick reset-password`',
  },
  ADMIN_PASSWORD_SET: {
    severity: 'WARNING',
    why: 'it does nothing since there is an account, and stands in the environment for every child process to read',
    advice: 'remove BAILIWICK_ADMIN_PASSWORD from where this server is started',
  },
  LISTENS_BEYOND_LOOPBACK: {
    severity: 'ERROR',
    why: 'the listener speaks plain HTTP: on a network, tokens and passwords can be read by whoever is on the way',
    advice:
      'set BAILIWICK_HOST=127.0.0.1 and put a proxy that ends TLS in front; name it in BAILIWICK_TRUSTED_PROXIES if it is elsewhere',
  },
  CORS_ORIGIN_WITHOUT_TLS: {
    severity: 'WARNING',
    why: 'whoever is on the way can change a page that comes by http, and read answers with the token of its user',
    advice: 'serve the page by https and name that origin in BAILIWICK_CORS_ORIGINS',
  },
  STUDIO_BEYOND_LOOPBACK: {
    severity: 'WARNING',
    why: 'pages of Apollo, which are not yours, may read answers of a server that others reach',
    advice: 'set BAILIWICK_STUDIO=off; use the explorer of your own on loopback instead',
  },
  EXPLORER_BEYOND_LOOPBACK: {
    severity: 'WARNING',
    why: 'a page for pasting tokens is one more thing to attack, on the origin of the API itself',
    advice: 'set BAILIWICK_EXPLORER=off where others reach the server',
  },
  METRICS_BEYOND_LOOPBACK: {
    severity: 'WARNING',
    why: 'whoever reaches that port reads how many sign-ins fail and what is refused; it asks for no credential',
    advice: 'set BAILIWICK_METRICS_HOST to an address that only the collector reaches',
  },
  APOLLO_REPORTING: {
    severity: 'NOTE',
    why: 'names of operations and how often they run are sent to Apollo; values are not',
    advice: 'remove BAILIWICK_APOLLO_KEY and BAILIWICK_APOLLO_GRAPH_REF if that is not wanted',
  },
  TOKEN_KEY_PERIOD_LONG: {
    severity: 'WARNING',
    why: 'a signing key that leaks is good for as long as it signs',
    advice: 'set BAILIWICK_TOKEN_KEY_DAYS to 90 or less; the change ends every token once',
  },
  LOG_QUIET: {
    severity: 'WARNING',
    why: 'requests are logged with severity `info`: without them nobody can tell later who asked for what',
    advice: 'set BAILIWICK_LOG_LEVEL=info',
  },
  RUNNING_AS_ROOT: {
    severity: 'WARNING',
    why: 'a fault in this program would be one of the whole machine',
    advice: 'run it as a user of its own that owns the database and the key, and nothing else',
  },
  NODE_TOO_OLD: {
    severity: 'ERROR',
    why: 'this program is neither built nor tested for it',
    advice: 'install Node 20.19 or newer',
  },
  NODE_END_OF_LIFE: {
    severity: 'WARNING',
    why: 'holes that are found in it are no longer closed',
    advice: 'install a version of Node that has long-term support',
  },
  TLS_CHECKS_OFF: {
    severity: 'ERROR',
    why: 'with NODE_TLS_REJECT_UNAUTHORIZED=0 anybody can pretend to be the database, or any other server',
    advice: 'remove the variable, and name the certificate of your own authority in NODE_EXTRA_CA_CERTS instead',
  },
  INSPECTOR_OPEN: {
    severity: 'ERROR',
    why: 'whoever reaches the inspector of Node runs any code in the server and reads its keys',
    advice: 'remove `--inspect` from NODE_OPTIONS',
  },
  OPEN_FILES_FEW: {
    severity: 'WARNING',
    why: 'each connection is an open file: at the limit nobody new is answered',
    advice: 'raise it to 65536, for instance with LimitNOFILE in the unit of systemd',
  },
  DISK_FULL: {
    severity: 'ERROR',
    why: 'without room nothing can be written: no change, no sign-in, no audit event',
    advice: 'make room on the disk of the database',
  },
  DISK_NEARLY_FULL: {
    severity: 'WARNING',
    why: 'without room nothing can be written: no change, no sign-in, no audit event',
    advice: 'make room on the disk of the database',
  },
} as const satisfies Record<string, Meaning>;

const ofAccounts: { readonly [Code in AccountFindingCode]: Meaning } = {
  ADMINISTRATOR_WITHOUT_SECOND_FACTOR: {
    severity: 'WARNING',
    why: 'a password that was guessed or seen is enough to own the account',
    advice: 'let each of them sign in and set up a second factor with `createSecondFactor`',
  },
  ROOT_ACCESS_KEY: {
    severity: 'ERROR',
    why: 'no policy binds the root user and its key needs no second factor: whoever has it owns the account for good',
    advice: 'make a user with the rights that are needed, give it a key, and delete this one with `deleteAccessKey`',
  },
  LOOSE_MODE: {
    severity: 'WARNING',
    why: 'users whom no grant has reached may use ModelArts in every workspace that they can enter',
    advice: 'grant what is needed, then `setAuthorizationMode` to STRICT',
  },
  LOCKOUT_DISABLED: {
    severity: 'ERROR',
    why: 'the values lie outside what the API allows, so that passwords can be guessed without end',
    advice: 'set `failuresBeforeLock` and `lockMinutes` with `updateAccountSettings`',
  },
  ACCESS_KEY_UNUSED: {
    severity: 'WARNING',
    why: 'nobody has used it for 90 days, so nobody would notice that somebody else does',
    advice: 'disable it with `updateAccessKey`, and delete it when nobody misses it',
  },
  AGENCY_WITHOUT_EXTERNAL_ID: {
    severity: 'WARNING',
    why: 'the trusted account can be talked into using it for somebody else (the confused deputy)',
    advice: 'make the agency anew with an external id that only you and that account know',
  },
  FULL_ACCESS_OUTSIDE_ADMIN: {
    severity: 'WARNING',
    why: 'it makes an administrator whom the group `admin` does not show',
    advice: 'grant what is needed instead, or add the user to the group `admin`',
  },
};

const meanings = { ...ofInstallation, ...ofAccounts };

export type FindingCode = keyof typeof meanings;
export const findingCodes = Object.keys(meanings) as readonly FindingCode[];

export interface Finding extends Meaning {
  readonly code: FindingCode;
  /** What is the case, here. */
  readonly what: string;
  readonly account: string | null;
  /** All that it is about; `what` may name only some. */
  readonly subjects: readonly string[];
}

export function finding(
  code: FindingCode,
  what: string,
  about: { readonly account?: string; readonly subjects?: readonly string[]; readonly severity?: Severity } = {},
): Finding {
  const { account = null, subjects = [], severity = meanings[code].severity } = about;
  return { code, what, ...meanings[code], severity, account, subjects };
}

const ranks: readonly Severity[] = ['ERROR', 'WARNING', 'NOTE'];

/** The worst first, else in the order in which they were found. */
export function inOrder(findings: readonly Finding[]): readonly Finding[] {
  return [...findings].sort((one, other) => ranks.indexOf(one.severity) - ranks.indexOf(other.severity));
}

export function countsOf(findings: readonly Finding[]): Readonly<Record<Severity, number>> {
  const count = (severity: Severity): number => findings.filter((each) => each.severity === severity).length;
  return { ERROR: count('ERROR'), WARNING: count('WARNING'), NOTE: count('NOTE') };
}
