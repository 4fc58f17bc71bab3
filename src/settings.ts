/**
 * Settings of the program: one table that is read at start, checked as a whole, and printed as help. Everything comes
 * from the environment, with the prefix `BAILIWICK_`; a variable that nobody knows is refused, because a mistyped
 * setting must never be a missing one.
 */
import { isIP } from 'node:net';
import { suggestName } from './catalogue/index.js';
import type { DocumentMode } from './http/index.js';
import { passwordLimits, textRules, usualTokenKeys } from './iam/index.js';

export const settingPrefix = 'BAILIWICK_';

/** Where Apollo Studio's explorer runs: a page of theirs in the visitor's browser, which then talks to this server. */
const studioOrigin = 'https://studio.apollographql.com';

const documentModes = ['any', 'known', 'only'] as const satisfies readonly DocumentMode[];

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export const accountName = {
  pattern: /^[\p{L}\p{N}][\p{L}\p{N}_.-]{0,63}$/u,
  /** What the pattern allows, in words. */
  allowed: 'up to 64 letters, digits, `-`, `_` and `.`, a letter or digit first',
} as const;

export interface Settings {
  readonly port: number;
  readonly host: string;
  readonly databaseUrl: string;
  /** Connections to PostgreSQL that this process has at most. */
  readonly databasePool: number;
  /** Seconds to wait for one of them; in SQLite for a lock that another program holds. */
  readonly databaseWaitSeconds: number;
  readonly databaseStatementSeconds: number;
  readonly databaseLockSeconds: number;
  readonly databaseIdleSeconds: number;
  readonly secretKeyFile: string;
  readonly accountName: string;
  readonly adminName: string;
  /** Null: a random one is made and printed once. */
  readonly adminPassword: string | null;
  /** Origins whose pages may read answers; empty is closed. */
  readonly corsOrigins: readonly string[];
  /** Addresses and CIDR blocks whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  /** Host names under which callers reach this server; empty: not known. */
  readonly publicHosts: readonly string[];
  readonly documents: DocumentMode;
  /** Folder of `.graphql` files that are known beside the shipped ones. */
  readonly documentsFolder: string | null;
  /** Null: no metrics. */
  readonly metricsPort: number | null;
  readonly metricsHost: string;
  /** Where sshd’s command asks for keys; null: nowhere. */
  readonly sshSocket: string | null;
  /** Points of one actor within a minute. */
  readonly pointsPerMinute: number;
  /** Requests of one address without a good credential, within a minute. */
  readonly strangersPerMinute: number;
  /** Failed sign-ins of one address within a minute. */
  readonly failedSignInsPerMinute: number;
  /** Principals whose rights are kept in memory; of rows about them and of their tokens, twice as many. */
  readonly rememberedPrincipals: number;
  /** WebSockets that may be open at once; 0: nothing is subscribed to. */
  readonly connections: number;
  readonly connectionsPerActor: number;
  readonly subscriptionsPerConnection: number;
  /** Seconds in which a connection must say who it is. */
  readonly connectionInitSeconds: number;
  readonly connectionPingSeconds: number;
  /** Bytes of one message that a connection may send. */
  readonly connectionMessageBytes: number;
  readonly studio: boolean;
  readonly explorer: boolean;
  /** Null: nothing is reported to Apollo. Both or neither. */
  readonly apolloKey: string | null;
  readonly apolloGraphRef: string | null;
  readonly logLevel: LogLevel;
  readonly drainSeconds: number;
  readonly tokenKeyDays: number;
  readonly tokenKeyEpoch: number;
}

/** Every problem of the environment at once, so that nobody mends them one start at a time. */
export class SettingsRefused extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'SettingsRefused';
  }
}

/** What a value turned out to be; `problem` continues the name of the variable and says what to write instead. */
type Reading<T> = { readonly value: T } | { readonly problem: string };

interface Setting<T> {
  /** Without the prefix. */
  readonly variable: string;
  readonly meaning: string;
  /** As it would be written in the environment; null: there is none, and `meaning` says what happens then. */
  readonly fallback: string | null;
  readonly secret?: boolean;
  readonly read: (text: string | null) => Reading<T>;
}

/** The table. Its order is the order of the help. */
const table: { readonly [Name in keyof Settings]: Setting<Settings[Name]> } = {
  port: {
    variable: 'PORT',
    meaning: 'port to listen on; 0 takes any free one',
    fallback: '4000',
    read: wholeNumber(0, 65_535),
  },
  host: {
    variable: 'HOST',
    meaning: 'address to listen on; 0.0.0.0 for every one this machine has',
    fallback: '127.0.0.1',
    read: matching(/^[A-Za-z0-9.:_-]{1,253}$/, 'is no address or host name; write one such as `127.0.0.1`'),
  },
  databaseUrl: {
    variable: 'DATABASE_URL',
    meaning: 'database: `sqlite:<path>` or `postgres://user:password@host/name`',
    fallback: 'sqlite:data/bailiwick.db',
    secret: true,
    read: matching(
      /^(sqlite:.+|postgres(ql)?:\/\/.+)$/s,
      'names no database; write `sqlite:<path>` or `postgres://user:password@host/name`',
    ),
  },
  databasePool: {
    variable: 'DATABASE_POOL',
    meaning:
      'connections to PostgreSQL that this process has at most; all processes together must stay below its own limit',
    fallback: '10',
    read: wholeNumber(2, 500),
  },
  databaseWaitSeconds: {
    variable: 'DATABASE_WAIT_SECONDS',
    meaning: 'seconds to wait for a connection to PostgreSQL, or for a SQLite database that another program has locked',
    fallback: '5',
    read: wholeNumber(1, 60),
  },
  databaseStatementSeconds: {
    variable: 'DATABASE_STATEMENT_SECONDS',
    meaning: 'seconds that one statement may take in PostgreSQL; migrations may take as long as they need',
    fallback: '15',
    read: wholeNumber(1, 600),
  },
  databaseLockSeconds: {
    variable: 'DATABASE_LOCK_SECONDS',
    meaning: 'seconds that a statement waits for what another transaction holds in PostgreSQL',
    fallback: '10',
    read: wholeNumber(1, 600),
  },
  databaseIdleSeconds: {
    variable: 'DATABASE_IDLE_SECONDS',
    meaning: 'seconds after which PostgreSQL ends a transaction in which nothing happens',
    fallback: '30',
    read: wholeNumber(1, 600),
  },
  secretKeyFile: {
    variable: 'SECRET_KEY_FILE',
    meaning: 'file of the 32 bytes that sign tokens; made on the first start, to be kept apart from the database',
    fallback: 'data/secret.key',
    read: matching(/^[^\0]+$/s, 'is no path; write the path of a file'),
  },
  accountName: {
    variable: 'ACCOUNT_NAME',
    meaning: 'name of the account that the first start makes',
    fallback: 'default',
    read: matching(accountName.pattern, `is no account name; write ${accountName.allowed}`),
  },
  adminName: {
    variable: 'ADMIN_NAME',
    meaning: 'name of the root user that the first start makes',
    fallback: 'admin',
    read: (text) => readUserName(text ?? ''),
  },
  adminPassword: {
    variable: 'ADMIN_PASSWORD',
    meaning: 'password of that root user; when absent, a random one is made and printed once',
    fallback: null,
    secret: true,
    read: readPassword,
  },
  corsOrigins: {
    variable: 'CORS_ORIGINS',
    meaning: 'origins whose pages may read answers, with commas between; none when absent',
    fallback: null,
    read: readOrigins,
  },
  trustedProxies: {
    variable: 'TRUSTED_PROXIES',
    meaning:
      'addresses and CIDR blocks of proxies whose `X-Forwarded-For` is believed, with commas between; none when absent',
    fallback: null,
    read: readAddressBlocks,
  },
  publicHosts: {
    variable: 'PUBLIC_HOSTS',
    meaning:
      'host names, with their ports, under which callers reach this server, with commas between: signed requests must have been made for one of them; when absent, for none of a service’s',
    fallback: null,
    read: readHosts,
  },
  pointsPerMinute: {
    variable: 'POINTS_PER_MINUTE',
    meaning: 'points that the operations of one actor may cost within a minute; see `rateLimit` in the API',
    fallback: '20000000',
    read: wholeNumber(1_000, 999_999_999),
  },
  strangersPerMinute: {
    variable: 'STRANGERS_PER_MINUTE',
    meaning: 'requests without a good credential that one address may send within a minute',
    fallback: '6000',
    read: wholeNumber(1, 999_999_999),
  },
  failedSignInsPerMinute: {
    variable: 'FAILED_SIGN_INS_PER_MINUTE',
    meaning: 'sign-ins from one address that may fail within a minute, whoever they name',
    fallback: '60',
    read: wholeNumber(1, 999_999_999),
  },
  documents: {
    variable: 'DOCUMENTS',
    meaning:
      '`known` answers documents of known text only, `only` those sent by their id; who may `bailiwick:documents:execute` sends any',
    fallback: 'any',
    read: (text) => {
      const mode = documentModes.find((known) => known === text);
      return mode === undefined
        ? { problem: `is ${shown(text)}; write one of ${documentModes.join(', ')}` }
        : { value: mode };
    },
  },
  documentsFolder: {
    variable: 'DOCUMENTS_FOLDER',
    meaning: 'folder of `.graphql` files that are known beside the ones of the program',
    fallback: null,
    read: matchingOrAbsent(/^[^\0]+$/s, 'is no path; write the path of a folder'),
  },
  metricsPort: {
    variable: 'METRICS_PORT',
    meaning: 'port of a listener of its own that answers `/metrics` in the format of Prometheus; none when absent',
    fallback: null,
    read: (text) => (text === null ? { value: null } : wholeNumber(0, 65_535)(text)),
  },
  metricsHost: {
    variable: 'METRICS_HOST',
    meaning: 'address that the metrics are read at; whoever reaches it may read them',
    fallback: '127.0.0.1',
    read: matching(/^[A-Za-z0-9.:_-]{1,253}$/, 'is no address or host name; write one such as `127.0.0.1`'),
  },
  sshSocket: {
    variable: 'SSH_SOCKET',
    meaning:
      'path of a Unix socket at which `bailiwick ssh-authorized-keys` asks who may get into a notebook; none when absent',
    fallback: null,
    // The kernel takes 107 bytes.
    read: matchingOrAbsent(/^\/[\x21-\x7e]{1,99}$/, 'is no absolute path of at most 100 plain characters'),
  },
  rememberedPrincipals: {
    variable: 'REMEMBERED_PRINCIPALS',
    meaning:
      'principals whose rights are kept in memory, a kilobyte or more each; others are read when they come; of rows about them and of their tokens, twice as many',
    fallback: '20000',
    read: wholeNumber(100, 10_000_000),
  },
  connections: {
    variable: 'CONNECTIONS',
    meaning: 'WebSockets that may be open at once in this process, for subscriptions; with 0 there are none',
    fallback: '1000',
    read: wholeNumber(0, 100_000),
  },
  connectionsPerActor: {
    variable: 'CONNECTIONS_PER_ACTOR',
    meaning: 'WebSockets that one actor may have open at once, and one address that has not said yet who is there',
    fallback: '50',
    read: wholeNumber(1, 100_000),
  },
  subscriptionsPerConnection: {
    variable: 'SUBSCRIPTIONS_PER_CONNECTION',
    meaning: 'subscriptions that one WebSocket may have at once',
    fallback: '20',
    read: wholeNumber(1, 1_000),
  },
  connectionInitSeconds: {
    variable: 'CONNECTION_INIT_SECONDS',
    meaning: 'seconds in which a WebSocket must say who is there',
    fallback: '5',
    read: wholeNumber(1, 60),
  },
  connectionPingSeconds: {
    variable: 'CONNECTION_PING_SECONDS',
    meaning: 'seconds between two pings of a WebSocket; one that answers none until the next is closed',
    fallback: '30',
    read: wholeNumber(1, 3_600),
  },
  connectionMessageBytes: {
    variable: 'CONNECTION_MESSAGE_BYTES',
    meaning: 'bytes of the longest message that a WebSocket may send',
    fallback: '65536',
    read: wholeNumber(1_024, 1_048_576),
  },
  studio: {
    variable: 'STUDIO',
    meaning: `\`on\` adds ${studioOrigin} to these origins, so that Apollo Studio can explore this server`,
    fallback: 'off',
    read: onOrOff,
  },
  explorer: {
    variable: 'EXPLORER',
    meaning: '`on` serves a page at `/explorer` to try the API with; it needs no internet',
    fallback: 'off',
    read: onOrOff,
  },
  apolloKey: {
    variable: 'APOLLO_KEY',
    meaning:
      'key of a graph in Apollo Studio, to report there how often operations run; nothing is reported when absent',
    fallback: null,
    secret: true,
    read: matchingOrAbsent(/^[\x21-\x7e]{1,256}$/, 'is no key; write the one that Apollo Studio shows'),
  },
  apolloGraphRef: {
    variable: 'APOLLO_GRAPH_REF',
    meaning: 'the graph that the key is for, such as `my-graph@current`',
    fallback: null,
    read: matchingOrAbsent(
      /^[A-Za-z][A-Za-z0-9_-]{0,63}(@[A-Za-z0-9_./-]{1,63})?$/,
      'names no graph; write one such as `my-graph@current`',
    ),
  },
  logLevel: {
    variable: 'LOG_LEVEL',
    meaning: `least severity that is logged: ${logLevels.join(', ')}`,
    fallback: 'info',
    read: (text) => {
      const level = logLevels.find((known) => known === text);
      return level === undefined
        ? { problem: `is ${shown(text)}; write one of ${logLevels.join(', ')}` }
        : { value: level };
    },
  },
  drainSeconds: {
    variable: 'DRAIN_SECONDS',
    meaning: 'seconds that running requests have to finish once the server is asked to stop',
    fallback: '20',
    read: wholeNumber(0, 3_600),
  },
  tokenKeyDays: {
    variable: 'TOKEN_KEY_DAYS',
    meaning: 'days for which one key signs tokens, 1 to 365; a change ends every token',
    fallback: String(usualTokenKeys.days),
    read: wholeNumber(1, 365),
  },
  tokenKeyEpoch: {
    variable: 'TOKEN_KEY_EPOCH',
    meaning: 'raise it by one in an emergency: every token ends at once',
    fallback: String(usualTokenKeys.epoch),
    read: wholeNumber(0, 999_999_999),
  },
};

const rows = Object.values(table) as readonly Setting<unknown>[];
const variables = rows.map(({ variable }) => settingPrefix + variable);

/** Reads and checks all settings; throws `SettingsRefused` with every problem. An empty variable counts as absent. */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const problems = Object.keys(environment)
    .filter((name) => name.startsWith(settingPrefix) && !variables.includes(name))
    .sort()
    .map((name) => {
      const near = suggestName(name, variables);
      const advice = near === null ? 'see `bailiwick serve --help` for those there are' : `did you mean ${near}?`;
      return `${name} is no setting; ${advice}`;
    });
  const values = new Map<string, unknown>();
  for (const [name, { variable, fallback, read }] of Object.entries(table) as [string, Setting<unknown>][]) {
    const text = environment[settingPrefix + variable];
    const reading = read(text === undefined || text === '' ? fallback : text);
    if ('problem' in reading) problems.push(`${settingPrefix}${variable} ${reading.problem}`);
    else values.set(name, reading.value);
  }
  if ((values.get('apolloKey') === null) !== (values.get('apolloGraphRef') === null)) {
    const names = ['APOLLO_KEY', 'APOLLO_GRAPH_REF'].map((name) => settingPrefix + name);
    problems.push(`${names.join(' and ')} go together; set both or neither`);
  }
  const [port, host, metricsPort, metricsHost] = ['port', 'host', 'metricsPort', 'metricsHost'].map((name) =>
    values.get(name),
  );
  const everywhere = [host, metricsHost].some((address) => address === '0.0.0.0' || address === '::');
  if (typeof port === 'number' && port !== 0 && port === metricsPort && (host === metricsHost || everywhere)) {
    const names = ['PORT', 'METRICS_PORT'].map((name) => settingPrefix + name);
    problems.push(`${names.join(' and ')} are both \`${port}\`; metrics need a port of their own`);
  }
  if (problems.length > 0) throw new SettingsRefused(problems);
  // INVARIANT: the table has one row for each member of Settings, which its type says.
  const settings = Object.fromEntries(values) as unknown as Settings;
  if (!settings.studio) return settings;
  return { ...settings, corsOrigins: [...new Set([...settings.corsOrigins, studioOrigin])] };
}

/** The table as help: variable, meaning, default. */
export function describeSettings(): string {
  const width = Math.max(...variables.map((variable) => variable.length));
  return rows
    .map(({ variable, meaning, fallback }) => {
      const otherwise = fallback === null ? '' : ` (default: ${fallback})`;
      return `  ${(settingPrefix + variable).padEnd(width)}  ${meaning}${otherwise}`;
    })
    .join('\n');
}

/** The URL of a database without its password, for messages; without its options too, which may hold one. */
export function withoutPassword(databaseUrl: string): string {
  if (databaseUrl.startsWith('sqlite:')) return databaseUrl;
  return databaseUrl.replace(/\?.*$/s, '').replace(/^(postgres(?:ql)?:\/\/[^:@/]*):[^/]*@/, '$1@');
}

function wholeNumber(minimum: number, maximum: number): (text: string | null) => Reading<number> {
  return (text) => {
    const value = text !== null && /^\d{1,9}$/.test(text) ? Number(text) : NaN;
    if (value >= minimum && value <= maximum) return { value };
    return { problem: `is ${shown(text)}; write a whole number from ${minimum} to ${maximum}` };
  };
}

function onOrOff(text: string | null): Reading<boolean> {
  if (text === 'on' || text === 'off') return { value: text === 'on' };
  return { problem: `is ${shown(text)}; write \`on\` or \`off\`` };
}

function matching(pattern: RegExp, problem: string): (text: string | null) => Reading<string> {
  return (text) => (text !== null && pattern.test(text) ? { value: text } : { problem });
}

function matchingOrAbsent(pattern: RegExp, problem: string): (text: string | null) => Reading<string | null> {
  const read = matching(pattern, problem);
  return (text) => (text === null ? { value: null } : read(text));
}

function readUserName(text: string): Reading<string> {
  const { minimum, maximum, pattern, allowed } = textRules.userName;
  const length = [...text].length;
  if (length >= minimum && length <= maximum && pattern.test(text) && text.trim() !== '') return { value: text };
  return { problem: `is ${shown(text)}; write ${minimum} to ${maximum} ${allowed}` };
}

// Never repeats the value: what was meant as a password must not stand in a terminal's history of messages.
function readPassword(text: string | null): Reading<string | null> {
  if (text === null) return { value: null };
  const { minimumLength, maximumLength } = passwordLimits;
  const length = [...text].length;
  if (length >= minimumLength && length <= maximumLength) return { value: text };
  return {
    problem: `has ${length} characters; write ${minimumLength} to ${maximumLength}, or leave it out for a random one`,
  };
}

function readOrigins(text: string | null): Reading<readonly string[]> {
  const origins = (text ?? '').split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]));
  const wrong = origins.find((origin) => !isOrigin(origin));
  if (wrong === undefined) return { value: [...new Set(origins)] };
  if (wrong === '*') return { problem: 'is `*`, which would let every page in; name the origins, with commas between' };
  return { problem: `has ${shown(wrong)}; write origins such as \`https://console.example.com\`, without a path` };
}

function readHosts(text: string | null): Reading<readonly string[]> {
  const hosts = (text ?? '').split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim().toLowerCase()]));
  const wrong = hosts.find((host) => !/^([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(:\d{1,5})?$/.test(host));
  if (wrong === undefined) return { value: [...new Set(hosts)] };
  return { problem: `has ${shown(wrong)}; write host names such as \`iam.example.com\` or \`10.0.0.7:4000\`` };
}

function readAddressBlocks(text: string | null): Reading<readonly string[]> {
  const blocks = (text ?? '').split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]));
  const wrong = blocks.find((block) => !isAddressBlock(block));
  if (wrong !== undefined)
    return { problem: `has ${shown(wrong)}; write addresses such as \`10.0.0.7\` or \`fd00::/8\`` };
  const everywhere = blocks.find((block) => block.endsWith('/0'));
  if (everywhere === undefined) return { value: [...new Set(blocks)] };
  return { problem: `has ${shown(everywhere)}, by which everybody could choose their own address; name the proxies` };
}

function isAddressBlock(text: string): boolean {
  const [address = '', length, ...more] = text.split('/');
  const bits = isIP(address) === 6 ? 128 : isIP(address) === 4 ? 32 : -1;
  if (bits < 0 || more.length > 0) return false;
  return length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= bits);
}

function isOrigin(text: string): boolean {
  if (!/^https?:\/\//.test(text)) return false;
  try {
    return new URL(text).origin === text;
  } catch {
    return false;
  }
}

function shown(text: string | null): string {
  return `\`${(text ?? '').slice(0, 60).replaceAll(/[\0-\x1f\x7f`]/g, '?')}\``;
}
