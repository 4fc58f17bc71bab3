/**
 * A whole server in one line, as end-to-end tests need it: fresh database, business, API, real HTTP on a free port.
 *
 *     const house = await startHouse({ database: 'sqlite' });
 *     const token = await house.signIn(house.root);
 *     await house.gql(token, '{ viewer { actor { name } } }');
 *
 * Houses stop by themselves after the last test of the file.
 */
import { randomBytes } from 'node:crypto';
import type { GraphQLSchema } from 'graphql';
import { afterAll } from 'vitest';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { buildGuardedSchema, resolvers, type ThrottleLimits } from '../../src/graphql/index.js';
import { openListener, type ListenerOptions, type Metrics, type TrustedDocuments } from '../../src/http/index.js';
import { createAccount, createIam, type Iam } from '../../src/iam/index.js';
import { openStore, type DatabaseLimits } from '../../src/store/index.js';
import { databases, type TestDatabase } from '../store/databases.js';
import { describeExchange, errorsOf, post, userErrorsOf, type Answer } from './exchange.js';

export type DatabaseName = TestDatabase['name'];

/** The databases to run a suite on: `describe.each(databaseNames)`. */
export const databaseNames: readonly DatabaseName[] = ['sqlite', 'postgres'];

/** Somebody who can sign in. */
export interface Person {
  readonly id: string;
  readonly name: string;
  readonly password: string;
  /** Name of the account. */
  readonly account: string;
}

/** Absent: workspace `"0"`, as the API has it. */
export type TokenScope = 'account' | { readonly workspace: string };

export interface HouseOptions {
  /** Another server on the database of this one, with its key. */
  readonly beside?: TestHouse;
  readonly database?: DatabaseName;
  /** URL of the database to use, where it is not one of those that all files share. */
  readonly databaseUrl?: string;
  readonly limits?: Partial<DatabaseLimits>;
  readonly corsOrigins?: readonly string[];
  readonly trustedProxies?: readonly string[];
  /** Names under which the server is reached, as `BAILIWICK_PUBLIC_HOSTS` has them. */
  readonly hosts?: readonly string[];
  readonly throttle?: ThrottleLimits;
  readonly preparation?: ListenerOptions['preparation'];
  readonly metrics?: Metrics;
  readonly socketLimits?: ListenerOptions['socketLimits'];
  readonly connectionLimits?: ListenerOptions['connectionLimits'];
  readonly documents?: TrustedDocuments;
  readonly explorer?: ListenerOptions['explorer'];
  readonly reports?: ListenerOptions['reports'];
}

export interface TestHouse {
  readonly database: DatabaseName;
  readonly iam: Iam;
  /** Of the API itself. */
  readonly url: string;
  /** Without a path. */
  readonly origin: string;
  readonly databaseUrl: string;
  readonly masterKey: Uint8Array;
  /** Root of the account `default`. */
  readonly root: Person;
  /** Lines of the log so far. */
  readonly log: readonly string[];
  /** Texts of the SQL statements so far. */
  readonly statements: readonly string[];
  /** Makes another account and answers its root. */
  addAccount(name: string): Promise<Person>;
  /** Moves the clock of the house. */
  advance(milliseconds: number): void;
  signIn(person: Pick<Person, 'name' | 'password' | 'account'>, scope?: TokenScope): Promise<string>;
  /** Data of an operation that must succeed: errors and userErrors fail with everything that is known about them. */
  gql<T = Record<string, never>>(token: string | null, query: string, variables?: object): Promise<T>;
  /** The answer to an operation, whatever it is. */
  ask(token: string | null, query: string, variables?: object): Promise<Answer>;
  stop(): Promise<void>;
}

const sources = databases();
const running = new Set<TestHouse>();
/** Where the schema is kept: this module is loaded again for each file, the program once for each worker. */
const worker = globalThis as { bailiwickTestSchema?: GraphQLSchema };

afterAll(async () => {
  for (const house of [...running]) await house.stop();
  await sources.sqlite.stop();
  await sources.postgres.stop();
});

/** Metadata of type-graphql is global, so the schema is built once for a worker. Nobody changes it. */
export function testSchema(): GraphQLSchema {
  worker.bailiwickTestSchema ??= buildGuardedSchema({ resolvers, catalogue: platformCatalogue });
  return worker.bailiwickTestSchema;
}

export async function startHouse({
  beside,
  database = beside?.database ?? 'sqlite',
  databaseUrl: ownUrl,
  limits = {},
  hosts = [],
  ...edge
}: HouseOptions = {}): Promise<TestHouse> {
  let ahead = 0;
  const now = (): number => Date.now() + ahead;
  const statements: string[] = [];
  const databaseUrl = ownUrl ?? beside?.databaseUrl ?? (await sources[database].readyUrl());
  const store = await openStore(databaseUrl, { now, limits, log: (text) => void statements.push(text) });
  const watched = edge.metrics === undefined ? {} : { observer: edge.metrics.observer };
  const masterKey = beside?.masterKey ?? randomBytes(32);
  const iam = createIam({ store, masterKey, now, hosts, ...watched });
  const log: string[] = [];
  const listener = await openListener({
    iam,
    schema: testSchema(),
    ...edge,
    log: { level: 'debug', stream: { write: (line) => void log.push(line) } },
  });

  const addAccount = async (name: string): Promise<Person> => {
    const rootPassword = `Root of ${name} 1`;
    const { root } = await createAccount(iam, { name, rootName: 'admin', rootPassword });
    return { id: root.id, name: root.name, password: rootPassword, account: name };
  };
  const root = beside?.root ?? (await addAccount('default'));
  const origin = await listener.listen('127.0.0.1', 0);
  const url = `${origin}/graphql`;

  const house: TestHouse = {
    database,
    iam,
    url,
    origin,
    databaseUrl,
    masterKey,
    root,
    log,
    statements,
    addAccount,
    advance: (milliseconds) => {
      ahead += milliseconds;
    },
    signIn: async ({ account, name: userName, password }, scope) => {
      const chosen = scope === undefined ? null : scope === 'account' ? { account: true } : scope;
      const { signIn } = await house.gql<{ signIn: { token: string } }>(null, signInMutation, {
        input: { account, userName, password, scope: chosen },
      });
      return signIn.token;
    },
    gql: async <T>(token: string | null, query: string, variables: object = {}) => {
      const answer = await house.ask(token, query, variables);
      if (answer.status !== 200 || errorsOf(answer).length > 0 || userErrorsOf(answer).length > 0) {
        throw new Error(describeExchange(query, variables, answer, log));
      }
      return answer.data as T;
    },
    ask: (token, query, variables = {}) => post(url, token, { query, variables }),
    stop: async () => {
      if (!running.delete(house)) return;
      await listener.stop(5);
      await iam.clearings.stop();
      await store.close();
    },
  };
  running.add(house);
  return house;
}

const signInMutation = /* GraphQL */ `
  mutation SignIn($input: SignInInput!) {
    signIn(input: $input) {
      token
      userErrors {
        code
        message
        path
        reference
      }
    }
  }
`;
