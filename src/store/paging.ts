/**
 * Windows of lists: keyset paging in both directions over (order key, id), so that a page costs the same wherever it is
 * and rows that come or go meanwhile neither repeat nor hide others.
 */
import type { Page, Position, Row, Window } from '../iam/index.js';
import type { Rows } from './rows.js';
import { all, never, raw, sql, type Sql } from './sql.js';

/** What a list is ordered by. Neither column may hold NULL. */
export interface Sorting {
  readonly key: Sql;
  readonly id: Sql;
  readonly numeric: boolean;
}

/** What is listed: columns, of which one is the id, FROM and WHERE of it. */
export interface Source {
  readonly columns: Sql;
  readonly from: Sql;
  readonly where: Sql;
}

/** What is answered of the rows that a ranking chose: columns, of which one is the id. */
export interface Shown {
  readonly columns: Sql;
  readonly join: Sql;
}

interface Bounds {
  /** Between both bounds. */
  readonly inside: Sql;
  /** At or before the bound `after`: were there any, the page has something previous. */
  readonly past: Sql;
  /** At or after the bound `before`. */
  readonly beyond: Sql;
}

/** One page, in one statement: the window, and beside it whether anything lies outside its bounds. */
export function pageStatement(source: Source, sorting: Sorting, window: Window): Sql {
  const { inside, past, beyond } = boundsOf(sorting, window);
  const listing = sql`SELECT ${source.columns}, ${sorting.key} AS "sortKey"
    FROM ${source.from} WHERE ${source.where} AND ${inside}
    ORDER BY ${sorting.key} ${reading(window)}, ${sorting.id} ${reading(window)} LIMIT ${limitOf(window) + 1}`;
  if (window.after === null && window.before === null) return listing;
  const some = (condition: Sql) =>
    condition === never ? never : sql`EXISTS (SELECT 1 FROM ${source.from} WHERE ${source.where} AND ${condition})`;
  return sql`SELECT outside."past", outside."beyond", listing.*
    FROM (SELECT ${some(past)} AS "past", ${some(beyond)} AS "beyond") outside
    LEFT JOIN (${listing}) listing ON TRUE
    ORDER BY listing."sortKey" ${reading(window)}, listing."id" ${reading(window)}`;
}

/**
 * One page for each parent, in one statement. Rows outside the bounds are ranked apart; the first of them is answered
 * too, so that a parent whose window is empty still says what lies outside it. Only keys are ranked, however many there
 * are; `shown` brings the columns of those that are answered, joined on "sortId".
 */
export function pagesStatement(source: Source, parentId: Sql, sorting: Sorting, window: Window, shown: Shown): Sql {
  const { inside, past, beyond } = boundsOf(sorting, window);
  const mark = (condition: Sql) => sql`CASE WHEN ${condition} THEN 1 ELSE 0 END`;
  const columns = sql`${source.columns}, ${parentId} AS "parentId", ${sorting.key} AS "sortKey", ${sorting.id} AS "sortId"`;
  // Most windows have no bound, and then nothing lies outside.
  if (window.after === null && window.before === null) {
    return sql`WITH placed AS (
        SELECT ${columns}, ROW_NUMBER() OVER (PARTITION BY ${parentId}
          ORDER BY ${sorting.key} ${reading(window)}, ${sorting.id} ${reading(window)}) AS "place"
        FROM ${source.from} WHERE ${source.where})
      SELECT placed."parentId", placed."sortKey", ${shown.columns} FROM placed ${shown.join}
      WHERE placed."place" <= ${limitOf(window) + 1}
      ORDER BY placed."parentId", placed."place"`;
  }
  return sql`WITH listed AS (
      SELECT ${columns}, ${mark(inside)} AS "inside", ${mark(past)} AS "isPast", ${mark(beyond)} AS "isBeyond"
      FROM ${source.from} WHERE ${source.where}),
    placed AS (
      SELECT listed.*, MAX("isPast") OVER (PARTITION BY "parentId") AS "past",
        MAX("isBeyond") OVER (PARTITION BY "parentId") AS "beyond",
        ROW_NUMBER() OVER (PARTITION BY "parentId", "inside"
          ORDER BY "sortKey" ${reading(window)}, "sortId" ${reading(window)}) AS "place"
      FROM listed)
    SELECT placed."parentId", placed."sortKey", placed."inside", placed."past", placed."beyond", ${shown.columns}
    FROM placed ${shown.join}
    WHERE (placed."inside" = 1 AND placed."place" <= ${limitOf(window) + 1})
      OR (placed."inside" = 0 AND placed."place" = 1)
    ORDER BY placed."parentId", placed."inside" DESC, placed."place"`;
}

/** Makes pages of the rows of one of these statements: of all of them, or of those of a parent. */
export function pages<R>(
  all: Rows,
  { numeric }: Sorting,
  { limit, backward }: Window,
  record: (row: readonly unknown[]) => R,
): (rows: Rows['values']) => Page<R> {
  const [past, beyond, inside] = [all.place('past'), all.place('beyond'), all.place('inside')];
  const [sortKey, id] = [all.place('sortKey'), all.place('id')];
  const isListed = (row: readonly unknown[]) => row[id] !== null && (inside < 0 || isTrue(row[inside]));
  return (rows) => {
    const found = rows.filter(isListed);
    const isPast = past >= 0 && rows.some((row) => isTrue(row[past]));
    const isBeyond = beyond >= 0 && rows.some((row) => isTrue(row[beyond]));
    const more = found.length > limit;
    if (more) found.length = limit;
    const shown = found.map((row): Row<R> => {
      const key = numeric ? Number(row[sortKey]) : String(row[sortKey]);
      return { record: record(row), position: { key, id: String(row[id]) } };
    });
    return backward
      ? { rows: shown.reverse(), hasPrevious: more || isPast, hasNext: isBeyond }
      : { rows: shown, hasPrevious: isPast, hasNext: more || isBeyond };
  };
}

function isTrue(stored: unknown): boolean {
  return stored === true || Number(stored) === 1;
}

/** The direction in which rows are read: the end of a list is read backwards. */
function reading(window: Window): Sql {
  return raw((window.order.direction === 'DESC') === window.backward ? 'ASC' : 'DESC');
}

function boundsOf(sorting: Sorting, window: Window): Bounds {
  const [later, earlier] = window.order.direction === 'ASC' ? ['>', '<'] : ['<', '>'];
  const compared = (operator: string, position: Position) => {
    if ((typeof position.key === 'number') !== sorting.numeric) {
      throw new TypeError(`a position in the order ${window.order.by} has a key of another type`);
    }
    return sql`(${sorting.key}, ${sorting.id}) ${raw(operator)} (${position.key}, ${position.id})`;
  };
  const { after, before } = window;
  return {
    inside: all([
      ...(after === null ? [] : [compared(later, after)]),
      ...(before === null ? [] : [compared(earlier, before)]),
    ]),
    past: after === null ? never : compared(`${earlier}=`, after),
    beyond: before === null ? never : compared(`${later}=`, before),
  };
}

function limitOf(window: Window): number {
  if (!Number.isSafeInteger(window.limit) || window.limit < 0) {
    throw new TypeError(`the limit of a page must be a whole number from 0, not ${window.limit}`);
  }
  return window.limit;
}
