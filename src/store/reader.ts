/** Reads of one scope. Every statement made here carries the confinement of what it reads. */
import type {
  Filters,
  Id,
  Kind,
  Instant,
  ListedKind,
  Orders,
  Page,
  Reader,
  Records,
  Relation,
  Relations,
  Scope,
  Window,
} from '../iam/index.js';
import { confinement, type View } from './confinement.js';
import type { Connection } from './connection.js';
import { filtered } from './lists.js';
import { pages, pagesStatement, pageStatement, type Sorting } from './paging.js';
import { relations, relationSorting, relationSource } from './relations.js';
import { columnsOf, property, recordsOf, selected } from './rows.js';
import { all, among, sql, table } from './sql.js';
import { tables } from './tables.js';

export class ScopedReader implements Reader {
  constructor(
    private readonly connection: Connection,
    readonly scope: Scope,
    private readonly now: () => Instant,
  ) {}

  async find<K extends Kind>(kind: K, ids: readonly Id[]): Promise<ReadonlyMap<Id, Records[K]>> {
    if (ids.length === 0) return new Map();
    const rows = await this.connection.manyRows(
      sql`SELECT ${selected(kind, 'target')} FROM ${table(tables[kind].name)} target
        WHERE ${confinement(kind, 'target', this.view())} AND ${among(property('target', 'id'), ids)}`,
    );
    const [record, id] = [recordsOf(kind, rows), rows.place('id')];
    return new Map(rows.values.map((row) => [String(row[id]), record(row)]));
  }

  async page<K extends ListedKind>(kind: K, filter: Filters[K], window: Window<Orders[K]>): Promise<Page<Records[K]>> {
    const sorting = listSorting(kind, window.order.by);
    const source = {
      columns: selected(kind, 'target'),
      from: sql`${table(tables[kind].name)} target`,
      where: all([confinement(kind, 'target', this.view()), filtered(kind, 'target', filter)]),
    };
    const rows = await this.connection.manyRows(pageStatement(source, sorting, window));
    return pages(rows, sorting, window, recordsOf(kind, rows))(rows.values);
  }

  async count<K extends ListedKind>(kind: K, filter: Filters[K]): Promise<number> {
    const [row] = await this.connection.rows(
      sql`SELECT COUNT(*) AS "count" FROM ${table(tables[kind].name)} target
        WHERE ${confinement(kind, 'target', this.view())} AND ${filtered(kind, 'target', filter)}`,
    );
    return Number(row?.count);
  }

  async pagesOf<R extends Relation>(
    relation: R,
    parentIds: readonly Id[],
    window: Window<Relations[R]['order']>,
  ): Promise<ReadonlyMap<Id, Page<Relations[R]['row']>>> {
    if (parentIds.length === 0) return new Map();
    const { target, link } = relations[relation];
    const sorting = relationSorting(relation, window.order.by);
    const source = relationSource(relation, parentIds, this.view());
    const rows = await this.connection.manyRows(pagesStatement(source, source.parentId, sorting, window, source.shown));
    const byParent = new Map<Id, (readonly unknown[])[]>(parentIds.map((id) => [id, []]));
    const [parentId, linkedAt] = [rows.place('parentId'), rows.place('linkedAt')];
    for (const row of rows.values) byParent.get(String(row[parentId]))?.push(row);
    const targetOf = recordsOf(target, rows);
    const record = (row: readonly unknown[]) =>
      link === null ? targetOf(row) : { target: targetOf(row), addedAt: Number(row[linkedAt]) };
    const pageOf = pages(rows, sorting, window, record);
    return new Map([...byParent].map(([id, found]) => [id, pageOf(found) as unknown as Page<Relations[R]['row']>]));
  }

  async countsOf(relation: Relation, parentIds: readonly Id[]): Promise<ReadonlyMap<Id, number>> {
    const counts = new Map<Id, number>(parentIds.map((id) => [id, 0]));
    if (parentIds.length === 0) return counts;
    const { from, where, parentId } = relationSource(relation, parentIds, this.view());
    const rows = await this.connection.rows(
      sql`SELECT ${parentId} AS "parentId", COUNT(*) AS "count" FROM ${from} WHERE ${where} GROUP BY ${parentId}`,
    );
    for (const row of rows) counts.set(String(row.parentId), Number(row.count));
    return counts;
  }

  private view(): View {
    return { scope: this.scope, now: this.now() };
  }
}

function listSorting(kind: ListedKind, by: string): Sorting {
  const name = (tables[kind].orders as Readonly<Record<string, string | undefined>>)[by];
  if (name === undefined) throw new TypeError(`a list of ${kind} has no order \`${by}\``);
  return {
    key: property('target', name),
    id: property('target', 'id'),
    numeric: columnsOf(kind)[name]?.type === 'bigint',
  };
}
