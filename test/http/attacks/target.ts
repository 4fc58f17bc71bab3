/**
 * The server under attack: the program itself in a process of its own, with NODE_ENV unset, on a database that is looked
 * at from outside. Two accounts, and somebody of every kind that attacks are about.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import sqlite3 from 'sqlite3';
import { addAccount, initialise } from '../../../src/cli/operator.js';
import { readSecretKey } from '../../../src/cli/secret-key.js';
import { readSettings } from '../../../src/settings.js';
import { errorsOf, exchange, post, userErrorsOf, type Answer, type Exchange } from '../../kit/exchange.js';
import { startProgram } from '../../kit/program.js';
import { sign, type Key, type Unsigned } from '../../kit/signing.js';

/** A request as a client would send it, or bytes as no client would. */
export type Shot =
  | ({ readonly path?: string } & Exchange)
  | {
      /** Sent as they are; the answer is complete when the server has hung up. */
      readonly raw: string | Uint8Array;
    };

export interface Reply extends Answer {
  /** How many answers came: more than one is a second request that was smuggled in. */
  readonly answers: number;
}

export interface Signer {
  readonly key: Key;
  /** Id of the key as a Node. */
  readonly id: string;
}

export interface Target {
  readonly url: string;
  readonly origin: string;
  readonly masterKey: Uint8Array;
  readonly accountId: string;
  readonly rootId: string;
  readonly passwords: Readonly<Record<'admin' | 'ann', string>>;
  /** Of root in workspace "0" and in the account, of ann, of the other account's root; and one whose session has ended. */
  readonly tokens: Readonly<Record<'root' | 'account' | 'ann' | 'foreign' | 'ended' | 'audience', string>>;
  /** Node ids. */
  readonly ids: Readonly<
    Record<
      'ann' | 'dora' | 'engineers' | 'closed' | 'foreignUser' | 'foreignWorkspace' | 'service' | 'foreignService',
      string
    >
  >;
  readonly keys: Readonly<Record<'service' | 'besieged' | 'disabled' | 'deleted' | 'foreign', Key>>;
  readonly userKeyNode: string;
  shoot(shot: Shot): Promise<Reply>;
  /** Sends an operation signed; what the caller gives wins over what is usual. */
  signed(key: Key, query: string, more?: Partial<Unsigned>): Exchange;
  gql<T = Record<string, never>>(token: string | null, query: string, variables?: object): Promise<T>;
  /** Digest of every row that an attack must not touch, and the revision of each account. */
  snapshot(): Promise<Snapshot>;
  log(): readonly string[];
  stop(): Promise<void>;
}

export interface Snapshot {
  readonly revisions: string;
  readonly rows: Readonly<Record<string, string>>;
}

const adminPassword = 'Root of default 1';

export async function startTarget(): Promise<Target> {
  const folder = await mkdtemp(join(tmpdir(), 'bailiwick-attacks-'));
  const database = join(folder, 'test.db');
  const place = {
    PORT: '0',
    DATABASE_URL: `sqlite:${database}`,
    SECRET_KEY_FILE: join(folder, 'secret.key'),
    ADMIN_PASSWORD: adminPassword,
    LOG_LEVEL: 'debug',
    // All attacks come from one address; what it is held back by has tests of its own.
    FAILED_SIGN_INS_PER_MINUTE: '1000000',
    STRANGERS_PER_MINUTE: '1000000',
  };
  const settings = readSettings(
    Object.fromEntries(Object.entries(place).map(([name, value]) => [`BAILIWICK_${name}`, value])),
  );
  await initialise(settings);
  const [, acmePassword = ''] = /password: (\S+)/.exec(await addAccount(settings, 'acme', { rootName: 'boss' })) ?? [];
  const masterKey = await readSecretKey(place.SECRET_KEY_FILE);
  if (masterKey === null) throw new Error('there is no secret key');
  const program = startProgram('main.ts', [], { settings: place });
  const [, url = ''] = await program.until(/listening on (\S+)/);

  const gql = async <T>(token: string | null, query: string, variables: object = {}): Promise<T> => {
    const answer = await post(url, token, { query, variables });
    if (answer.status === 200 && errorsOf(answer).length === 0 && userErrorsOf(answer).length === 0) {
      return answer.data as T;
    }
    throw new Error(`the scene cannot be set: ${query} ${JSON.stringify(variables)} ${answer.text}`);
  };
  const shoot = async (shot: Shot): Promise<Reply> => {
    if ('raw' in shot) return raw(url, shot.raw);
    const answer = await exchange(new URL(url).origin + (shot.path ?? '/graphql'), shot);
    return { ...answer, answers: 1 };
  };
  const scene = await setScene({ gql, url, acmePassword });
  return {
    url,
    origin: new URL(url).origin,
    masterKey,
    ...scene,
    gql,
    shoot,
    signed: (key, query, more = {}) => signedExchange(url, key, query, more),
    snapshot: () => readRows(database),
    log: () => program.stderr().split('\n').filter(Boolean),
    stop: async () => {
      program.kill('SIGTERM');
      await program.ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

type Gql = Target['gql'];

const made = (type: string, object: string, mutation: string): string =>
  `mutation Make($input: ${type}!) { made: ${mutation}(input: $input) { ${object} userErrors { code message } } }`;

async function setScene({ gql, url, acmePassword }: { gql: Gql; url: string; acmePassword: string }) {
  const signIn = async (account: string, userName: string, password: string, scope: object | null): Promise<string> => {
    const query = made('SignInInput', 'token', 'signIn');
    const input = { account, userName, password, scope };
    return (await gql<{ made: { token: string } }>(null, query, { input })).made.token;
  };
  const make = async (token: string, mutation: string, type: string, object: string, input: object) => {
    const answer = await gql<{ made: Record<string, { id: string }> }>(
      token,
      made(type, `${object} { id }`, mutation),
      { input },
    );
    return answer.made[object]?.id ?? '';
  };
  const account = await signIn('default', 'admin', adminPassword, { account: true });
  const foreignAccount = await signIn('acme', 'boss', acmePassword, { account: true });
  const user = (token: string, name: string, password: string) =>
    make(token, 'createUser', 'CreateUserInput', 'user', { name, password });
  const annPassword = 'Password of ann 1';
  const ann = await user(account, 'ann', annPassword);
  const dora = await user(account, 'dora', 'Password of dora 1');
  await user(account, 'lola', 'Password of lola 1');
  await user(account, 'mia', 'Password of mia 1');
  await make(account, 'updateUser', 'UpdateUserInput', 'user', { id: dora, enabled: false });
  for (let attempt = 0; attempt < 5; attempt += 1) {
    await post(url, null, {
      query: made('SignInInput', 'token', 'signIn'),
      variables: { input: { account: 'default', userName: 'lola', password: 'a wrong one' } },
    });
  }
  const mia = await signIn('default', 'mia', 'Password of mia 1', null);
  await bindSecondFactor(gql, mia);
  const engineers = await make(account, 'createGroup', 'CreateGroupInput', 'group', { name: 'engineers' });
  const workspace = (token: string, name: string) =>
    make(token, 'createWorkspace', 'CreateWorkspaceInput', 'workspace', { name, visibility: 'PRIVATE' });
  const closed = await workspace(account, 'closed-lab');
  const foreignWorkspace = await workspace(foreignAccount, 'their-lab');
  const foreignUser = await user(foreignAccount, 'eve', 'Password of eve 1');

  const service = async (token: string, name: string): Promise<{ readonly id: string; readonly key: Key }> => {
    const query = made('CreateServiceInput', 'service { id } accessKeyId secretAccessKey', 'createService');
    const answer = await gql<{ made: Key & { service: { id: string } } }>(token, query, { input: { name } });
    const { service: row, accessKeyId, secretAccessKey } = answer.made;
    return { id: row.id, key: { accessKeyId, secretAccessKey } };
  };
  const training = await service(account, 'training');
  const besieged = await service(account, 'besieged');
  const theirs = await service(foreignAccount, 'storage');
  // Services act in a scope that a grant reaches.
  const asks = await make(account, 'createPolicy', 'CreatePolicyInput', 'policy', {
    name: 'asks and makes groups',
    document: { Version: '1.1', Statement: [{ Effect: 'Allow', Action: ['iam:groups:createGroup'] }] },
  });
  for (const { id } of [training, besieged]) {
    await make(account, 'grantPolicy', 'GrantPolicyInput', 'grant', {
      policyId: asks,
      subject: { service: id },
      scope: { all: true },
    });
  }
  const userKey = async (token: string, userId: string) => {
    const query = made('CreateAccessKeyInput', 'accessKey { id accessKeyId } secretAccessKey', 'createAccessKey');
    const answer = await gql<{ made: { accessKey: { id: string; accessKeyId: string }; secretAccessKey: string } }>(
      token,
      query,
      { input: { userId } },
    );
    const { accessKey, secretAccessKey } = answer.made;
    return { node: accessKey.id, key: { accessKeyId: accessKey.accessKeyId, secretAccessKey } };
  };
  const disabled = await userKey(account, ann);
  await make(account, 'updateAccessKey', 'UpdateAccessKeyInput', 'accessKey', { id: disabled.node, enabled: false });
  const deleted = await userKey(account, ann);
  await gql(account, made('DeleteAccessKeyInput', 'deletedAccessKeyId', 'deleteAccessKey'), {
    input: { id: deleted.node },
  });
  const foreign = await userKey(foreignAccount, foreignUser);

  // Changing keys ends sessions, so tokens come last.
  const tokens = {
    root: await signIn('default', 'admin', adminPassword, null),
    account,
    ann: await signIn('default', 'ann', annPassword, null),
    foreign: foreignAccount,
    ended: await signIn('default', 'ann', annPassword, null),
    audience: '',
  };
  await gql(tokens.ended, 'mutation { signOut { endedAt } }');
  const narrowed = await gql<{ made: { token: string } }>(
    tokens.ann,
    made('SwitchScopeInput', 'token', 'switchScope'),
    {
      input: { scope: { workspace: '0' }, audience: training.id },
    },
  );
  tokens.audience = narrowed.made.token;
  const viewer = await gql<{ viewer: { account: { id: string }; user: { id: string } } }>(
    account,
    '{ viewer { account { id } user { id } } }',
  );
  const keys = {
    service: training.key,
    besieged: besieged.key,
    disabled: disabled.key,
    deleted: deleted.key,
    foreign: foreign.key,
  };
  for (const key of [keys.service, keys.besieged, keys.foreign]) {
    // The first use of a key is written down.
    const answer = await exchange(url, signedExchange(url, key, '{ __typename }', {}));
    if (answer.status !== 200) throw new Error(`a key does not sign: ${answer.text}`);
  }
  return {
    accountId: plain(viewer.viewer.account.id),
    rootId: plain(viewer.viewer.user.id),
    passwords: { admin: adminPassword, ann: annPassword },
    tokens,
    ids: {
      ann,
      dora,
      engineers,
      closed,
      foreignUser,
      foreignWorkspace,
      service: training.id,
      foreignService: theirs.id,
    },
    keys,
    userKeyNode: disabled.node,
  };
}

/** The id inside a Node id. */
export function plain(node: string): string {
  return Buffer.from(node, 'base64url').toString().replace(/^\w+:/, '');
}

async function bindSecondFactor(gql: Gql, token: string): Promise<void> {
  const { TOTP, Secret } = await import('otpauth');
  const { made: factor } = await gql<{ made: { secret: string } }>(
    token,
    made('CreateSecondFactorInput', 'secret', 'createSecondFactor'),
    { input: {} },
  );
  const code = new TOTP({ secret: Secret.fromBase32(factor.secret) }).generate();
  await gql(token, made('ConfirmSecondFactorInput', 'revision', 'confirmSecondFactor'), { input: { code } });
}

function signedExchange(url: string, key: Key, query: string, more: Partial<Unsigned>): Exchange {
  const body = JSON.stringify({ query });
  const headers = { host: new URL(url).host };
  const request = sign(key, { body, at: Date.now(), ...more, headers: { ...headers, ...more.headers } });
  const { host: _host, ...rest } = request.headers;
  return {
    method: request.method,
    headers: [
      'content-type',
      'application/json',
      ...Object.entries(rest).flat(),
      'authorization',
      request.authorization,
    ],
    body: request.body,
  };
}

/** What attempts may leave behind: counters, and when somebody was last seen. */
const counters: Readonly<Record<string, readonly string[]>> = {
  accounts: ['revision', 'access_revision'],
  passwords: ['failures', 'first_failure_at', 'locked_until', 'active_at'],
  stranger_attempts: ['id', 'account_id', 'attempts', 'last_at'],
};

async function readRows(path: string): Promise<Snapshot> {
  const database = await new Promise<sqlite3.Database>((resolve, reject) => {
    const opened = new sqlite3.Database(path, sqlite3.OPEN_READONLY, (error) =>
      error === null ? resolve(opened) : reject(error),
    );
  });
  const all = <Row>(sql: string): Promise<Row[]> =>
    new Promise((resolve, reject) =>
      database.all<Row>(sql, (error, rows) => (error === null ? resolve(rows) : reject(error))),
    );
  try {
    const names = await all<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name");
    const rows: Record<string, string> = {};
    for (const { name } of names) {
      const left = new Set(counters[name] ?? []);
      const kept = (await all<Record<string, unknown>>(`SELECT * FROM "${name}"`)).map((row) =>
        JSON.stringify(Object.entries(row).filter(([column]) => !left.has(column))),
      );
      if (name === 'stranger_attempts') continue;
      rows[name] = `${kept.length} rows ${createHash('sha256').update(kept.sort().join('\n')).digest('hex')}`;
    }
    const revisions = await all<{ name: string; revision: number }>(
      'SELECT name, revision FROM accounts ORDER BY name',
    );
    return { revisions: JSON.stringify(revisions), rows };
  } finally {
    await new Promise<void>((resolve) => database.close(() => resolve()));
  }
}

/** Sends bytes and reads until the server hangs up, which the bytes must make it do. */
async function raw(url: string, bytes: string | Uint8Array): Promise<Reply> {
  const { hostname, port } = new URL(url);
  const text = await new Promise<string>((resolve, reject) => {
    const chunks: Buffer[] = [];
    const told = (): string => Buffer.concat(chunks).toString();
    const socket = connect(Number(port), hostname, () => void writeUntil(socket, bytes, () => chunks.length > 0));
    socket.setTimeout(20_000, () => socket.destroy(new Error(`the server does not hang up; it said ${told()}`)));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    // The server may hang up while the rest is still being sent.
    socket.on('error', (error) => (chunks.length === 0 && !isReset(error) ? reject(error) : resolve(told())));
    socket.on('close', () => resolve(told()));
  });
  const [head = '', body = ''] = splitOnce(text);
  const [first = '', ...lines] = head.split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1] ?? 0);
  const result = readJson(body.slice(0, Number(headers['content-length'] ?? body.length)));
  return { status, headers, text, answers: text.match(/HTTP\/1\.1 \d{3} /g)?.length ?? 0, ...result };
}

/** Stops when an answer begins: to write to somebody who has hung up would lose what they said. */
async function writeUntil(socket: Socket, bytes: string | Uint8Array, answered: () => boolean): Promise<void> {
  const whole = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
  for (let at = 0; at < whole.length && !answered() && !socket.destroyed; at += 16_384) {
    socket.write(whole.subarray(at, at + 16_384));
    await setImmediate();
  }
}

function isReset(error: Error): boolean {
  return 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}

function splitOnce(text: string): readonly [string, string] {
  const at = text.indexOf('\r\n\r\n');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 4)];
}

function readJson(text: string): Pick<Answer, 'data' | 'errors'> {
  try {
    const { data = null, errors = [] } = JSON.parse(text) as Partial<Pick<Answer, 'data' | 'errors'>>;
    return { data, errors };
  } catch {
    return { data: null, errors: [] };
  }
}
