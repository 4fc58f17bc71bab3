/**
 * SQL as a value: text pieces, parameters and nested fragments, rendered once at the end for one database. Nothing a
 * caller sends can become SQL text, because only literals of this folder and `raw` become text.
 *
 *     const young = sql`${column('t', 'created_at')} > ${limit}`;
 *     render(sql`SELECT 1 FROM "users" t WHERE ${young}`, 'postgres');
 *     // { text: 'SELECT 1 FROM "users" t WHERE t."created_at" > $1', parameters: [limit] }
 */
export type Dialect = 'sqlite' | 'postgres';
export type Scalar = string | number | boolean;

type Piece =
  string | { readonly parameter: Scalar } | { readonly list: readonly string[] } | { readonly [D in Dialect]: Sql };

export class Sql {
  constructor(readonly pieces: readonly Piece[]) {}
}

export function sql(strings: TemplateStringsArray, ...inserts: readonly (Sql | Scalar)[]): Sql {
  const pieces: Piece[] = [strings[0] ?? ''];
  inserts.forEach((insert, index) => {
    if (insert instanceof Sql) pieces.push(...insert.pieces);
    // INVARIANT: an absent value must never turn a condition into one that matches other rows.
    else if (insert === undefined || insert === null) throw new TypeError('a value of a condition is missing');
    else pieces.push({ parameter: insert });
    pieces.push(strings[index + 1] ?? '');
  });
  return new Sql(pieces);
}

/** Text of our own: names of tables and columns, never anything that came from outside. */
export function raw(text: string): Sql {
  return new Sql([text]);
}

export function table(name: string): Sql {
  return raw(`"${name}"`);
}

export function column(alias: string, name: string): Sql {
  return raw(`${alias}."${name}"`);
}

export function byDialect(fragments: { readonly [D in Dialect]: Sql }): Sql {
  return new Sql([fragments]);
}

export const always = raw('TRUE');
export const never = raw('FALSE');

export function join(fragments: readonly Sql[], separator: string): Sql {
  return new Sql(
    fragments.flatMap((fragment, index) => (index === 0 ? fragment.pieces : [separator, ...fragment.pieces])),
  );
}

export function all(conditions: readonly Sql[]): Sql {
  return conditions.length === 0 ? always : sql`(${join(conditions, ' AND ')})`;
}

export function any(conditions: readonly Sql[]): Sql {
  return conditions.length === 0 ? never : sql`(${join(conditions, ' OR ')})`;
}

/** Whether a column is one of these. The list is one parameter however long it is, so no limit is ever reached. */
export function among(subject: Sql, values: readonly string[]): Sql {
  const list = new Sql([{ list: values }]);
  return byDialect({
    sqlite: sql`${subject} IN (SELECT value FROM json_each(${list}))`,
    postgres: sql`${subject} = ANY(${list}::text[])`,
  });
}

/** Whether a column contains this text: `%`, `_` and `\` stand for themselves. */
export function contains(subject: Sql, text: string): Sql {
  return sql`${subject} LIKE ${`%${text.replace(/[\\%_]/g, '\\$&')}%`} ESCAPE '\\'`;
}

export interface Rendered {
  readonly text: string;
  readonly parameters: unknown[];
}

export function render(fragment: Sql, dialect: Dialect): Rendered {
  const parameters: unknown[] = [];
  const place = (parameter: unknown) => {
    parameters.push(parameter);
    return dialect === 'postgres' ? `$${parameters.length}` : '?';
  };
  const write = (pieces: readonly Piece[]): string =>
    pieces
      .map((piece) => {
        if (typeof piece === 'string') return piece;
        if ('parameter' in piece) {
          if (typeof piece.parameter === 'string') refuseUnstorable(piece.parameter);
          return place(piece.parameter);
        }
        if ('list' in piece) {
          piece.list.forEach(refuseUnstorable);
          return place(dialect === 'postgres' ? piece.list : JSON.stringify(piece.list));
        }
        return write(piece[dialect].pieces);
      })
      .join('');
  return { text: write(fragment.pieces), parameters };
}

/**
 * PostgreSQL has no U+0000 in text, and no encoding has half a surrogate pair. The edge refuses both; here they are a
 * defect of the caller, and the same one on every database.
 */
export function refuseUnstorable(text: string): void {
  if (text.includes('\u0000')) throw new UnstorableError('text with U+0000 cannot be stored or looked for');
  if (/\p{Surrogate}/u.test(text)) {
    throw new UnstorableError('text with half a surrogate pair cannot be stored or looked for');
  }
}

export function canBeStored(text: string): boolean {
  return !text.includes('\u0000') && !/\p{Surrogate}/u.test(text);
}

/** A value that no database of ours can hold. */
export class UnstorableError extends Error {
  constructor(message: string) {
    super(`${message}; refuse it where it comes in`);
    this.name = 'UnstorableError';
  }
}
