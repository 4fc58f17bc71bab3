/**
 * Batched reads for one call: what many resolvers ask for one by one reaches the store in one statement each. A loader
 * remembers what it read, so loaders are made anew with every call and never outlive it.
 */
import DataLoader from 'dataloader';
import type { Id, Kind, Page, Reader, Records, Relation, Relations, Window } from '../iam/index.js';

export interface Loaders {
  /** A row by id; null when it is missing or out of scope. */
  find<K extends Kind>(kind: K, id: Id): Promise<Records[K] | null>;
  /** A page of what is linked to one parent. */
  pageOf<R extends Relation>(
    relation: R,
    parentId: Id,
    window: Window<Relations[R]['order']>,
  ): Promise<Page<Relations[R]['row']>>;
  countOf(relation: Relation, parentId: Id): Promise<number>;
  /** What a use-case answers for many ids at once; `question` names it. Null where it answers nothing. */
  by<V>(question: string, id: Id, read: (ids: readonly Id[]) => Promise<ReadonlyMap<Id, V>>): Promise<V | null>;
}

export function createLoaders(reader: Reader): Loaders {
  const loaders = new Map<string, DataLoader<Id, unknown>>();
  /** The loader of one question; `read` answers a map with an entry for every id that was found. */
  function load<V>(key: string, id: Id, read: (ids: readonly Id[]) => Promise<ReadonlyMap<Id, V>>): Promise<V | null> {
    let loader = loaders.get(key) as DataLoader<Id, V | null> | undefined;
    if (loader === undefined) {
      loader = new DataLoader<Id, V | null>(async (ids) => {
        const found = await read(ids);
        return ids.map((each) => found.get(each) ?? null);
      });
      loaders.set(key, loader);
    }
    return loader.load(id);
  }
  return {
    find: (kind, id) => load(`find ${kind}`, id, (ids) => reader.find(kind, ids)),
    pageOf: async (relation, parentId, window) => {
      const key = `page ${relation} ${nameOf(window)}`;
      const page = await load(key, parentId, (ids) => reader.pagesOf(relation, ids, window));
      return page ?? { rows: [], hasNext: false, hasPrevious: false };
    },
    countOf: async (relation, parentId) =>
      (await load(`count ${relation}`, parentId, (ids) => reader.countsOf(relation, ids))) ?? 0,
    by: (question, id, read) => load(`by ${question}`, id, read),
  };
}

/** A text for each window and no other; most have no bound. */
function nameOf(window: Window): string {
  const { order, limit, backward, after, before } = window;
  if (after !== null || before !== null) return JSON.stringify(window);
  return `${order.by} ${order.direction} ${limit} ${backward}`;
}
