/**
 * What is measured, row by row, as bytes that go over the wire: an operation of the API with its variables, or the same
 * question as another server takes it.
 */
import type { Seeded } from './seed.js';
import {
  actionOf,
  decideIn,
  policiesOf,
  poolKey,
  type Reason,
  urnOf,
  type AccessRequest,
  type World,
} from './world.js';

export const rowNames = ['viewer', 'check', 'check-100', 'check-1000', 'users', 'create', 'check-signed'] as const;
export type RowName = (typeof rowNames)[number];

export interface Row {
  readonly name: RowName;
  readonly meaning: string;
  /** Decisions in one request; 0: it asks for none. */
  readonly decisions: number;
  /** Which token is sent; the access key of the caller signs instead where that is `SIGNED`. */
  readonly credential: 'CALLER' | 'KEEPER' | 'SIGNED';
  /** Requests after which a server is taken to be warm, whatever the machine does meanwhile. */
  readonly warm: number;
  readonly query: string;
  /** Of the requests, one after the other; then from the start again. */
  readonly variables: readonly object[];
  /** Questions of each request, where it asks for decisions. */
  readonly asked: readonly (readonly AccessRequest[])[];
}

/** Stands in a body for a number that no request before had; as long as that number is. */
export const stamp = '#########';

const viewerQuery = 'query Viewer { viewer { actor { id kind name } account { id name } scope { kind } } }';
const checkQuery =
  'query Check($requests: [AccessRequestInput!]!) { checkAccess(requests: $requests) { effect reason } }';
const usersQuery =
  'query Users { users(first: 100) { edges { node { id name description enabled createdAt groups(first: 10) { edges { node { id name } } } } } pageInfo { hasNextPage } } }';
const createQuery =
  'mutation Create($input: CreateUserInput!) { createUser(input: $input) { user { name description enabled } userErrors { code message } } }';

export function rowsOf(world: World): Row[] {
  const none: readonly (readonly AccessRequest[])[] = [];
  const check = (name: RowName, meaning: string, length: number, count: number): Row => {
    const batches = Array.from({ length: count }, (_none, batch) =>
      Array.from({ length }, (_one, i) => requestAt(world, batch * length + i)),
    );
    const credential = name === 'check-signed' ? 'SIGNED' : 'CALLER';
    const variables = batches.map((batch) => ({ requests: batch.map(accessRequestInput) }));
    return {
      name,
      meaning,
      decisions: length,
      credential,
      warm: Math.max(40, Math.ceil(16_000 / (length + 3))),
      query: checkQuery,
      variables,
      asked: batches,
    };
  };
  const count = world.requests.length;
  return [
    {
      name: 'viewer',
      meaning: 'who am I',
      decisions: 0,
      credential: 'CALLER',
      warm: 4_000,
      query: viewerQuery,
      variables: [{}],
      asked: none,
    },
    check('check', 'one decision', 1, count),
    check('check-100', '100 decisions in a request', 100, Math.max(1, Math.floor(count / 100))),
    check('check-1000', '1,000 decisions in a request', 1_000, Math.max(1, Math.floor(count / 1_000))),
    {
      name: 'users',
      meaning: '100 users with their groups',
      decisions: 0,
      credential: 'KEEPER',
      warm: 120,
      query: usersQuery,
      variables: [{}],
      asked: none,
    },
    {
      name: 'create',
      meaning: 'a user is created',
      decisions: 0,
      credential: 'KEEPER',
      warm: 400,
      query: createQuery,
      variables: [{ input: { name: `zz-${stamp}`, description: 'made by the bench' } }],
      asked: none,
    },
    check('check-signed', 'one decision, the request signed', 1, Math.min(count, 500)),
  ];
}

function requestAt({ requests }: World, place: number): AccessRequest {
  const found = requests[place % requests.length];
  if (found === undefined) throw new Error('the world asks for nothing');
  return found;
}

function accessRequestInput(request: AccessRequest): object {
  const { pool } = request;
  return {
    action: actionOf(request),
    resource: urnOf(request),
    ...(pool === null ? {} : { context: [{ key: poolKey, values: [pool] }] }),
  };
}

/** What a user is told about the requests of a world, by its own rules. */
export function reasonsOf(world: World, user: number): ReadonlyMap<AccessRequest, Reason> {
  const held = policiesOf(world, user);
  return new Map(world.requests.map((request) => [request, decideIn(held, request)]));
}

export function bodyOf({ query }: Row, variables: object): string {
  return JSON.stringify(Object.keys(variables).length === 0 ? { query } : { query, variables });
}

/** A POST as it is sent. */
export function bytesOf(path: string, port: number, headers: Readonly<Record<string, string>>, body: string): Buffer {
  const lines = [
    `POST ${path} HTTP/1.1`,
    `host: 127.0.0.1:${port}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

export function tokenOf(row: Row, seeded: Seeded, caller: number): string {
  const token = row.credential === 'KEEPER' ? seeded.keeperToken : seeded.tokens[caller];
  if (token === undefined) throw new Error(`user ${caller} has no session`);
  return token;
}

/** What an answer says, in a form in which two can be compared. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  /** Effects, where the row asks for decisions. */
  readonly effects: readonly string[];
}

export function readGraphQL(row: Row, status: number, body: string): Answer {
  const { data, errors } = JSON.parse(body) as { data?: Record<string, unknown> | null; errors?: unknown };
  if (errors !== undefined || data == null) return { status, text: `errors: ${body.slice(0, 400)}`, effects: [] };
  const decided = row.decisions === 0 ? [] : (data['checkAccess'] as readonly { readonly effect: string }[]);
  return { status, text: JSON.stringify(data), effects: decided.map(({ effect }) => effect) };
}
