/**
 * Sends what the generator thinks of, many at once, and keeps a record of each: between which revisions it happened and
 * what came back. Bursts of everything alternate with quiet reading, in which an answer has one moment only.
 */
import type { Dice } from './random.js';
import { Generator, type Ask, type Operation } from './generator.js';
import type { Place } from './reads.js';
import { requestOf } from './requests.js';
import type { Credential } from './server.js';
import type { Id } from './state.js';
import { plain, sessionOf, type Actor, type World } from './world.js';

export interface Record {
  readonly index: number;
  readonly ask: Ask;
  /** As the product heard it: the session may be another by now. */
  readonly sessionId: Id | null;
  /** Moments on one clock of the run. */
  readonly sent: number;
  readonly answered: number;
  /** The server's clock, about. */
  readonly at: number;
  readonly request: string;
  readonly status: number;
  readonly text: string;
  readonly answer: Answer;
}

export interface Answer {
  readonly data?: { readonly [name: string]: unknown } | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions: { readonly code: string; readonly reason?: string };
  }[];
}

export interface Done {
  readonly object?: { readonly id: string; readonly createdAt?: string; readonly updatedAt?: string } | null;
  readonly userErrors: readonly { readonly code: string }[];
  readonly revision: number | null;
}

export interface RunOptions {
  readonly operations: number;
  readonly concurrency: number;
  readonly told?: (done: number) => void;
}

const cycle = { all: 100, quiet: 35 } as const;
const step = 10 * 60_000;
/** Tokens are good for a day. */
const longest = 20 * 60 * 60_000;

export class Run {
  readonly records: Record[] = [];
  readonly #generator: Generator;
  readonly #tokens = new Map<string, Promise<string>>();
  readonly #sessions = new Map<Id, Id>();
  readonly #expiresAt: number;
  #clock = 0;
  #advanced = 0;

  constructor(
    private readonly world: World,
    dice: Dice,
  ) {
    this.#generator = new Generator(world, dice);
    for (const { id, sessionId } of world.actors) if (sessionId !== null) this.#sessions.set(id, sessionId);
    this.#expiresAt = world.server.now() + 23 * 60 * 60_000;
  }

  async play({ operations, concurrency, told = () => undefined }: RunOptions): Promise<void> {
    for (let done = 0; done < operations; done = this.records.length) {
      const size = Math.min(cycle.all, operations - done);
      const quiet = Math.floor((size * cycle.quiet) / cycle.all);
      await this.#together(size - quiet, concurrency, false);
      await this.#together(quiet, concurrency, true);
      if (done % (2 * cycle.all) === 0 && this.#advanced + step < longest) {
        this.world.server.advance(step);
        this.#advanced += step;
      }
      told(this.records.length);
    }
  }

  async #together(count: number, concurrency: number, quiet: boolean): Promise<void> {
    let left = count;
    const one = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await this.#send(this.#generator.next(quiet));
      }
    };
    await Promise.all(Array.from({ length: concurrency }, one));
  }

  async #send(ask: Ask): Promise<void> {
    const { server } = this.world;
    const { actor, operation, workspaceId } = ask;
    const sessionId = this.#sessions.get(actor.id) ?? null;
    const credential = operation.name === 'signIn' ? null : await this.#credential(actor, sessionId, workspaceId);
    const { query, variables } = operation.name === 'signIn' ? this.#signIn(actor) : requestOf(operation);
    const at = server.now();
    const sent = (this.#clock += 1);
    const { status, text } = await server.send(credential, query, variables);
    const answered = (this.#clock += 1);
    const answer = JSON.parse(text) as Answer;
    const request = JSON.stringify(variables);
    const record: Record = {
      index: this.records.length,
      ask: operation.name === 'signIn' ? { ...ask, operation } : ask,
      sessionId,
      sent,
      answered,
      at,
      request,
      status,
      text,
      answer,
    };
    this.records.push(record);
    await this.#learn(record);
  }

  async #credential(actor: Actor, sessionId: Id | null, workspaceId: Id | null): Promise<Credential> {
    const { server } = this.world;
    const { accountId } = server;
    if (actor.key !== null) return { kind: 'key', key: actor.key, accountId, workspaceId };
    if (sessionId === null) throw new Error('people act by a session');
    const name = `${sessionId} ${workspaceId ?? ''}`;
    // As `switchScope` would have given it when the workspace was still open to them.
    const token =
      this.#tokens.get(name) ??
      server.iam.tokens.issue({
        accountId,
        userId: actor.id,
        sessionId,
        scope: { accountId, workspaceId },
        expiresAt: this.#expiresAt,
      });
    this.#tokens.set(name, token);
    return { kind: 'token', token: await token };
  }

  #signIn({ name, password }: Actor) {
    return {
      query: `mutation($input: SignInInput!) { done: signIn(input: $input) { token userErrors { code message } revision } }`,
      variables: { input: { account: 'default', userName: name, password, scope: { account: true } } },
    };
  }

  async #learn({ ask, answer }: Record): Promise<void> {
    const { operation, workspaceId, actor } = ask;
    const done = answer.data?.['done'] as (Done & { token?: string | null }) | null | undefined;
    if (done != null && done.userErrors.length === 0) {
      if (operation.name === 'signIn') this.#sessions.set(actor.id, sessionOf(done.token ?? ''));
      this.#generator.note(operation, done.object == null ? null : { id: plain(done.object.id) }, workspaceId);
      if (operation.name === 'updateUser' && operation.enabled) await this.#comeBack(operation.id);
    }
    if (workspaceId !== null) {
      const closed = answer.errors?.some(({ extensions }) => extensions.reason === 'WORKSPACE_CLOSED') === true;
      this.#generator.noteEntry(actor.id, workspaceId, closed);
    }
    this.#keepCursors(operation, workspaceId, answer);
  }

  /** Whoever is let in again signs in, if the sessions they had were ended. */
  async #comeBack(userId: Id): Promise<void> {
    const actor = this.world.actors.find(({ id }) => id === userId);
    if (actor === undefined || actor.password === null) return;
    const operation: Operation = { name: 'signIn', userId };
    await this.#send({ actor, operation, workspaceId: null });
  }

  #keepCursors(operation: Operation, workspaceId: Id | null, answer: Answer): void {
    if (!('window' in operation)) return;
    const { by, direction } = operation.window;
    for (const [cursor, place] of cursorsOf(by, answer)) {
      this.#generator.keepCursor({ list: operation.name, by, direction, workspaceId }, cursor, place);
    }
  }
}

interface Edge {
  readonly cursor: string;
  readonly node: { readonly id: string; readonly [name: string]: unknown } | null;
}

export interface List {
  readonly totalCount: number | null;
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
  readonly edges: readonly (Edge | null)[];
}

/** The cursors of an answer, with the places that its rows say they stand for. */
export function cursorsOf(by: string, { data }: Answer): readonly (readonly [string, Place])[] {
  const list = data?.['list'] as List | null | undefined;
  return (list?.edges ?? []).flatMap((edge) => {
    if (edge?.node == null) return [];
    return [[edge.cursor, placeOf(by, edge.node)] as const];
  });
}

export function placeOf(by: string, node: NonNullable<Edge['node']>): Place {
  if (by === 'REVISION') return eventPlace(Number(node['revision']), Number(node['sequence']));
  const names: { readonly [by: string]: string } = {
    NAME: 'name',
    URN: 'urn',
    CREATED_AT: 'createdAt',
    UPDATED_AT: 'updatedAt',
  };
  const key = String(node[names[by] ?? '']);
  return { key: by === 'NAME' ? key.toLowerCase() : key, id: plain(node.id) };
}

export function eventPlace(revision: number, sequence: number): Place {
  return { key: revision, id: `${revision}.${String(sequence).padStart(6, '0')}` };
}
