/**
 * Rows of SQLite in one text. Each value of a row that crosses from SQLite to JavaScript by itself costs more than reading
 * it did; as JSON, written by SQLite in its own thread, the rows of a list cost a quarter (docs/decisions/0096-packed-rows.md).
 *
 * For statements with a name of its own for every column, and only columns of tables and numbers in them: what a function
 * of JSON has made would be packed as what it says, and a blob cannot be.
 */
import { Rows, type Raw } from './rows.js';

/** Texts of statements that are remembered; of lists there are some hundred. */
const most = 1_000;

export class PackedRows {
  /** The columns of each statement, which nothing tells before it has answered a row. */
  readonly #columns = new Map<string, readonly string[]>();

  /** A statement for the same rows, packed; null while its columns are not known. */
  pack(text: string): string | null {
    const columns = this.#columns.get(text);
    if (columns === undefined) return null;
    const quoted = columns.map((name) => `"${name}"`).join(',');
    // The rows keep their order: SQLite drops that of an inner statement only where no aggregate can tell.
    return `SELECT json_group_array(json_array(${quoted})) AS "packed" FROM (${text})`;
  }

  /** Takes the columns of a statement from what it answered; false where that tells nothing. */
  learn(text: string, { columns, values }: Rows): boolean {
    if (values.length === 0 || this.#columns.size >= most) return false;
    this.#columns.set(text, columns);
    return true;
  }

  /** The rows in the answer to a packed statement. */
  unpack(text: string, [answer]: readonly Raw[]): Rows {
    const values = JSON.parse(String(answer?.packed)) as readonly (readonly unknown[])[];
    return new Rows(this.#columns.get(text) ?? [], values);
  }
}
