/**
 * Whether an answer tells of anything that its scope does not show. Every object has an id that nothing else has, and
 * words in its name, labels and URN that stand nowhere else; all of an answer is searched for them, what is encoded in
 * it too: data, errors, extensions, cursors, events.
 */
import type { Done, Record } from './run.js';
import { isAdministrator, Sight, userMayEnter, type Id, type State } from './state.js';
import { plain, type World } from './world.js';

type Kind = 'resource' | 'workspace' | 'user' | 'group' | 'policy' | 'grant' | 'service' | 'project';

interface Marked {
  readonly kind: Kind;
  readonly id: Id;
}

const mark = /zq[0-9a-z]{8}|(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])/g;
/** Node ids and cursors are base64url; tokens are cut at their dots. */
const encoded = /[A-Za-z0-9_-]{20,}/g;

export class Leaks {
  searched = 0;
  /** Whose word it is: of several, where the URN of a resource that has gone was registered again. */
  readonly #known = new Map<string, readonly Marked[]>();
  /** `<workspace> <kind> <id>`: was shown there at some time. */
  readonly #shownOnce = new Set<string>();

  constructor({ state }: World) {
    this.learn(state);
  }

  get marks(): number {
    return this.#known.size;
  }

  learn(state: State): void {
    const kinds: readonly (readonly [Kind, ReadonlyMap<Id, object> | ReadonlySet<Id>])[] = [
      ['resource', state.resources],
      ['workspace', state.workspaces],
      ['user', state.users],
      ['group', state.groups],
      ['policy', state.policies],
      ['grant', state.grants],
      ['service', state.services],
      ['project', state.projects],
    ];
    for (const [kind, objects] of kinds) {
      for (const [id, object] of objects.entries()) {
        const text =
          typeof object === 'string' ? object : JSON.stringify({ ...object, id, creatorId: '', ownerId: '' });
        if (kind === 'grant' || kind === 'policy') this.#keep(id, { kind, id });
        const own =
          kind === 'grant' ? id : kind === 'policy' ? `${id} ${String((object as { name?: string }).name)}` : text;
        for (const word of ownWords(kind, own, object)) this.#keep(word, { kind, id });
      }
    }
  }

  /** Names what the answer should not tell of; null when there is nothing. */
  find({ ask, text, request, answer }: Record, moments: readonly State[], all: readonly State[]): string | null {
    this.searched += text.length;
    const words = new Set(wordsIn(text));
    if (words.size === 0) return null;
    // What the request itself names is no news to whoever sent it.
    const echoed = new Set(wordsIn(request));
    // Nor is what a mutation made or changed to whoever did it (rule 15).
    const done = answer.data?.['done'] as Done | null | undefined;
    const own = done?.object == null ? null : plain(done.object.id);
    for (const word of words) {
      const bearers = this.#known.get(word) ?? [];
      const [first] = bearers;
      if (first === undefined || echoed.has(word) || bearers.some(({ id }) => id === own)) continue;
      if (!bearers.some((marked) => this.#mayShow(marked, word, ask, moments, all))) {
        return `${first.kind} ${first.id} (${word})`;
      }
    }
    return null;
  }

  #mayShow(
    marked: Marked,
    word: string,
    { actor, workspaceId, operation }: Record['ask'],
    moments: readonly State[],
    all: readonly State[],
  ): boolean {
    if (marked.id === actor.id || marked.id === workspaceId) return true;
    const at = (state: State): boolean => this.#isShown(marked, workspaceId, actor.id, state);
    if (moments.some(at)) return true;
    if (operation.name !== 'auditEvents') return false;
    // The account's trail tells that something happened to a workspace by its id, never what (docs/decisions/0026).
    if (workspaceId === null) return marked.kind === 'workspace' ? word === marked.id : marked.kind !== 'resource';
    // Images keep the plain ids of a row's owner and of who registered it, where it was moved to as well; never a name.
    if (word === marked.id && (marked.kind === 'user' || marked.kind === 'service')) return true;
    // Events tell what was, of what was here then.
    const key = `${workspaceId} ${marked.kind} ${marked.id}`;
    if (this.#shownOnce.has(key)) return true;
    const known = all.some(at);
    if (known) this.#shownOnce.add(key);
    return known;
  }

  #isShown({ kind, id }: Marked, workspaceId: Id | null, actorId: Id, state: State): boolean {
    const sight = new Sight(state, workspaceId, 0);
    switch (kind) {
      case 'resource':
        return sight.resource(id);
      case 'workspace':
        // Administrators enter every one, those that have gone too.
        return workspaceId === null
          ? isAdministrator(state, actorId) || userMayEnter(state, id, actorId)
          : id === workspaceId;
      case 'user':
        return sight.user(id);
      case 'group':
        return sight.group(id);
      case 'policy':
        return sight.policy(id);
      case 'grant':
        return sight.grant(id);
      case 'service':
        return sight.service(id);
      case 'project':
        return sight.project(id);
    }
  }

  #keep(word: string, marked: Marked): void {
    const bearers = this.#known.get(word) ?? [];
    if (!bearers.some(({ id }) => id === marked.id)) this.#known.set(word, [...bearers, marked]);
  }
}

/** Words that are an object's own, not those of others that it names. */
function ownWords(kind: Kind, text: string, object: object | string): readonly string[] {
  if (typeof object === 'string') return [object];
  if (kind === 'resource') {
    const { id, urn, name, tags } = object as State['resources'] extends ReadonlyMap<Id, infer R> ? R : never;
    const account = urn.split(':')[2];
    return wordsIn(JSON.stringify([id, urn, name, tags])).filter((word) => word !== account);
  }
  const { id, name = '' } = object as { readonly id: Id; readonly name?: string };
  return kind === 'grant' ? [id] : [id, ...wordsIn(name)].filter((word) => text.includes(word));
}

function wordsIn(text: string): readonly string[] {
  const decoded = text.match(encoded)?.map((word) => Buffer.from(word, 'base64url').toString('latin1')) ?? [];
  return [text, ...decoded].flatMap((part) => part.match(mark) ?? []);
}
