/**
 * The product as it is run: business, API and real HTTP on a database of its own, without a test runner around it, so
 * that a run can be of any size. What the run sends goes over connections that stay open.
 */
import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { buildGuardedSchema, resolvers } from '../../src/graphql/index.js';
import { openListener } from '../../src/http/index.js';
import { createAccount, createIam, type Iam } from '../../src/iam/index.js';
import { openStore } from '../../src/store/index.js';
import { sign, type Key } from '../kit/signing.js';

export interface Reply {
  readonly status: number;
  readonly text: string;
}

/** How a request proves who sends it, and where that acts. */
export type Credential =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'key'; readonly key: Key; readonly accountId: string; readonly workspaceId: string | null };

export interface Server {
  readonly iam: Iam;
  readonly accountId: string;
  readonly rootId: string;
  readonly rootPassword: string;
  /** Defects that the server logged. */
  readonly defects: readonly string[];
  now(): number;
  advance(milliseconds: number): void;
  send(credential: Credential | null, query: string, variables: object): Promise<Reply>;
  stop(): Promise<void>;
}

let schema: ReturnType<typeof buildGuardedSchema> | null = null;

export async function startServer(databaseUrl: string): Promise<Server> {
  // Metadata of type-graphql is global: one schema for all servers of a process.
  schema ??= buildGuardedSchema({ resolvers, catalogue: platformCatalogue });
  let ahead = 0;
  const now = (): number => Date.now() + ahead;
  const store = await openStore(databaseUrl, { now });
  const iam = createIam({ store, masterKey: randomBytes(32), now });
  const defects: string[] = [];
  const log = { level: 'error', stream: { write: (line: string) => void defects.push(line.trim()) } } as const;
  // Nobody is kept waiting here: how much one may ask is another test's business.
  const throttle = { points: 1e12, strangers: 1e9, failedSignIns: 1e9 };
  const listener = await openListener({ iam, schema, log, throttle });
  const rootPassword = 'Root of the replay 1';
  const { account, root } = await createAccount(iam, { name: 'default', rootName: 'admin', rootPassword });
  const origin = await listener.listen('127.0.0.1', 0);
  const { host, hostname, port } = new URL(origin);
  const agent = new Agent({ keepAlive: true });
  let count = 0;

  const post = (headers: Readonly<Record<string, string>>, body: string): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const length = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const options = { hostname, port, path: '/graphql', method: 'POST', agent, headers: { ...length, ...headers } };
      const sent = request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('error', reject);
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
      });
      sent.on('error', reject);
      sent.end(body);
    });

  return {
    iam,
    accountId: account.id,
    rootId: root.id,
    rootPassword,
    defects,
    now,
    advance: (milliseconds) => {
      ahead += milliseconds;
    },
    send: (credential, query, variables) => {
      // Two of the same bytes within a second would have the same signature.
      const body = JSON.stringify({ query, variables, extensions: { count: (count += 1) } });
      if (credential === null) return post({}, body);
      if (credential.kind === 'token') return post({ authorization: `Bearer ${credential.token}` }, body);
      const { key, accountId, workspaceId } = credential;
      const scope: Readonly<Record<string, string>> =
        workspaceId === null ? { 'x-domain-id': accountId } : { 'x-workspace-id': workspaceId };
      const { headers, authorization } = sign(key, { headers: { host, ...scope }, body, at: now() });
      return post({ ...headers, authorization }, body);
    },
    stop: async () => {
      agent.destroy();
      await listener.stop(5);
      await store.close();
    },
  };
}
