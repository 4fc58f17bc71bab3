/**
 * A running notebook that one user may get into by SSH, on the real program as a process of its own, and the command that
 * sshd asks with, built as it is shipped.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { describeExchange, errorsOf, post, userErrorsOf } from './exchange.js';
import { startProgram, type Ended, type Running } from './program.js';

export interface Notebook {
  readonly server: Running;
  readonly url: string;
  readonly socket: string;
  readonly urn: string;
  readonly id: string;
  readonly user: { readonly id: string; readonly grantId: string; readonly policyId: string };
  readonly pair: {
    readonly id: string;
    readonly privateKey: string;
    readonly line: string;
    readonly fingerprint: string;
  };
  /** Data of an operation that must succeed, as root in the workspace or in the account, or as the user in the workspace. */
  as(who: 'root' | 'account' | 'user', query: string, variables?: object): Promise<Record<string, never>>;
  /** As the user, who may. */
  configure(input: object): Promise<void>;
  report(state: 'RUNNING' | 'STOPPED'): Promise<void>;
}

/** @param folder of the database, the key and the socket */
export async function startNotebook(folder: string): Promise<Notebook> {
  const socket = join(folder, 'ssh.sock');
  const password = 'Root-password-1';
  const server = startProgram('main.ts', [], {
    settings: {
      PORT: '0',
      DATABASE_URL: `sqlite:${join(folder, 'test.db')}`,
      SECRET_KEY_FILE: join(folder, 'secret.key'),
      ADMIN_PASSWORD: password,
      SSH_SOCKET: socket,
      LOG_LEVEL: 'warn',
    },
  });
  const [, url = ''] = await server.until(/listening on (\S+)/);

  const ask = async <T>(token: string | null, query: string, variables: object = {}): Promise<T> => {
    const answer = await post(url, token, { query, variables });
    if (errorsOf(answer).length > 0 || userErrorsOf(answer).length > 0) {
      throw new Error(describeExchange(query, variables, answer, [server.stderr()]));
    }
    return answer.data as T;
  };
  const signIn = async (userName: string, secret: string, scope: object | null): Promise<string> => {
    const query =
      'mutation In($input: SignInInput!) { signIn(input: $input) { token viewer { account { id } } userErrors { message } } }';
    const input = { account: 'default', userName, password: secret, scope };
    return (await ask<{ signIn: { token: string } }>(null, query, { input })).signIn.token;
  };
  const account = await signIn('admin', password, { account: true });
  const root = await signIn('admin', password, null);
  const { viewer } = await ask<{ viewer: { account: { id: string } } }>(root, '{ viewer { account { id } } }');
  const text = Buffer.from(viewer.account.id, 'base64url').toString();
  const urn = `modelarts:cn:${text.slice(text.indexOf(':') + 1)}:notebook:ann-1`;

  const make = async <T>(token: string, mutation: string, selection: string, input: object): Promise<T> => {
    const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
    const query = `mutation Make($input: ${type}!) { made: ${mutation}(input: $input) { ${selection} userErrors { code message path } } }`;
    return (await ask<{ made: T }>(token, query, { input })).made;
  };
  await make(account, 'setAuthorizationMode', 'revision', { mode: 'STRICT' });
  const { user } = await make<{ user: { id: string } }>(account, 'createUser', 'user { id }', {
    name: 'ann',
    password: 'Ann-password-1',
  });
  const { policy } = await make<{ policy: { id: string } }>(account, 'createPolicy', 'policy { id }', {
    name: 'notebooks',
    document: { Version: '1.1', Statement: [{ Effect: 'Allow', Action: ['modelarts:notebook:*'] }] },
  });
  const { grant } = await make<{ grant: { id: string } }>(account, 'grantPolicy', 'grant { id }', {
    policyId: policy.id,
    subject: { user: user.id },
    scope: { all: true },
  });
  const { resource } = await make<{ resource: { id: string } }>(root, 'registerResource', 'resource { id }', { urn });
  // Signed in each time: to be disabled ends every session.
  const asAnn = (): Promise<string> => signIn('ann', 'Ann-password-1', null);
  const made = await make<{ keyPair: { id: string; publicKey: string; fingerprint: string }; privateKey: string }>(
    await asAnn(),
    'createKeyPair',
    'keyPair { id publicKey fingerprint } privateKey',
    { name: 'desk' },
  );
  const configure = async (input: object): Promise<void> => {
    await make(await asAnn(), 'configureRemoteAccess', 'revision', { resourceId: resource.id, ...input });
  };
  const report = async (state: string): Promise<void> => {
    await make(root, 'reportInstanceState', 'revision', { resourceId: resource.id, state });
  };
  await report('RUNNING');
  return {
    server,
    url,
    socket,
    urn,
    id: resource.id,
    user: { id: user.id, grantId: grant.id, policyId: policy.id },
    pair: {
      id: made.keyPair.id,
      privateKey: made.privateKey,
      line: made.keyPair.publicKey,
      fingerprint: made.keyPair.fingerprint,
    },
    as: async (who, query, variables) => ask(who === 'user' ? await asAnn() : { root, account }[who], query, variables),
    configure,
    report,
  };
}

/** Builds the command into a folder; answers its path. */
export function buildSshCommand(folder: string): string {
  const source = new URL('../../src/cli/ssh-authorized-keys.ts', import.meta.url).pathname;
  const outfile = join(folder, 'ssh-authorized-keys.mjs');
  buildSync({ entryPoints: [source], outfile, bundle: true, platform: 'node', format: 'esm', target: 'node20' });
  return outfile;
}

/** Runs a program of ours by Node, as sshd would: with next to no environment. */
export function runAsSshd(file: string, args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [file, ...args], { env: { PATH: process.env['PATH'] ?? '' }, stdio: 'pipe' });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.end();
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => resolve({ status, signal, stdout, stderr }));
  });
}
