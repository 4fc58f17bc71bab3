/**
 * Connections that change an account over HTTP, one mutation after another, and remember what was acknowledged: until
 * the server dies under them. What was under way then is in doubt, and may be there or not.
 */
import { post } from '../kit/exchange.js';
import type { Chance } from './chance.js';

export interface Acknowledged {
  readonly revision: number;
  readonly operation: string;
  /** What the trail must say of it: kind and id of the row. */
  readonly kind: string;
  readonly id: string;
  /** How many events it makes at least: it writes several rows, and none without the others. */
  readonly events: number;
}

export interface Notes {
  readonly acknowledged: Acknowledged[];
  /** Groups as they must be now; null for one that must not be there. */
  readonly groups: Map<string, { readonly description: string } | null>;
  /** Groups of which a mutation was under way when the server died. */
  readonly doubtful: Set<string>;
}

export function emptyNotes(): Notes {
  return { acknowledged: [], groups: new Map(), doubtful: new Set() };
}

export async function signIn(url: string, password: string): Promise<string> {
  const answer = await post(url, null, {
    query: `mutation SignIn($input: SignInInput!) { signIn(input: $input) { token userErrors { message } } }`,
    variables: { input: { account: 'default', userName: 'admin', password, scope: { account: true } } },
  });
  const { token } = (answer.data?.['signIn'] ?? {}) as { readonly token?: string };
  if (token === undefined) throw new Error(`nobody could sign in: ${answer.text}`);
  return token;
}

interface Payload {
  readonly revision: number | null;
  readonly userErrors: readonly { readonly message: string }[];
  readonly object?: { readonly id: string } | null;
}

/** Ends when the server does not answer any more. Throws when it refuses anything. */
export async function keepWriting(
  url: string,
  token: string,
  name: string,
  chance: Chance,
  notes: Notes,
): Promise<void> {
  const ask = async (mutation: string, type: string, fields: string, input: object): Promise<Payload | null> => {
    const query = `mutation Write($input: ${type}Input!) { done: ${mutation}(input: $input) { revision ${fields} userErrors { message } } }`;
    const answer = await post(url, token, { query, variables: { input } }).catch(() => null);
    // The connection broke, or the answer did: nothing was acknowledged.
    if (answer === null || answer.data === null) {
      if (answer !== null && answer.errors.length > 0) throw new Error(`${mutation} failed: ${answer.text}`);
      return null;
    }
    const payload = answer.data['done'] as Payload | null;
    if (payload === null || payload.userErrors.length > 0) throw new Error(`${mutation} was refused: ${answer.text}`);
    return payload;
  };
  const groups: string[] = [];
  for (let number = 0; ; number += 1) {
    const known = groups.length > 0 ? groups[chance.below(groups.length)] : undefined;
    const choice = known === undefined ? 0 : chance.below(5);
    const title = `${name}-${number}`;
    if (choice <= 1) {
      const done = await ask('createGroup', 'CreateGroup', 'object: group { id }', { name: title, description: title });
      if (done === null) return;
      const id = plainId(done);
      groups.push(id);
      notes.groups.set(id, { description: title });
      note(notes, done, 'createGroup', 'group', id, 1);
    } else if (choice === 2 && known !== undefined) {
      // A user, a membership: together or not at all.
      const done = await ask('createUser', 'CreateUser', 'object: user { id }', { name: title, groupIds: [known] });
      if (done === null) return;
      note(notes, done, 'createUser', 'user', plainId(done), 2);
    } else if (choice === 3 && known !== undefined) {
      notes.doubtful.add(known);
      const done = await ask('updateGroup', 'UpdateGroup', '', { id: known, description: title });
      if (done === null) return;
      notes.doubtful.delete(known);
      notes.groups.set(known, { description: title });
      note(notes, done, 'updateGroup', 'group', known, 1);
    } else if (known !== undefined) {
      notes.doubtful.add(known);
      const done = await ask('deleteGroup', 'DeleteGroup', '', { id: known });
      if (done === null) return;
      notes.doubtful.delete(known);
      groups.splice(groups.indexOf(known), 1);
      notes.groups.set(known, null);
      note(notes, done, 'deleteGroup', 'group', known, 1);
    }
  }
}

/** What the database calls it: an identifier of the API is `<Kind>:<id>` in base64url. */
function plainId({ object }: Payload): string {
  return Buffer.from(object?.id ?? '', 'base64url')
    .toString()
    .replace(/^\w+:/, '');
}

function note(notes: Notes, { revision }: Payload, operation: string, kind: string, id: string, events: number): void {
  if (revision === null || id === '') throw new Error(`${operation} was acknowledged without a revision or an id`);
  notes.acknowledged.push({ revision, operation, kind, id, events });
}
