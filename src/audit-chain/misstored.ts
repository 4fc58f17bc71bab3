/**
 * What lies in a column in another form than any that this program writes: bytes for a text, a text for a number, NULL
 * for either. A reader might take it for what should be there, or overlook the row; to whoever verifies it never is what
 * was chained, so it keeps its form and is told with its column.
 */
export class Misstored {
  readonly #column: string;
  readonly #expected: string;

  /**
   * The public members are what an export shows in place of the value, and what is hashed: no event that was chained
   * has them.
   *
   * @param storedAs the form, for instance `BLOB`
   * @param value in hexadecimal digits where it is bytes
   * @param expected what belongs there, for instance `a whole number`
   */
  constructor(
    readonly storedAs: string,
    readonly value: string | null,
    column: string,
    expected: string,
  ) {
    this.#column = column;
    this.#expected = expected;
  }

  /** Never the value: it may be long, and is somebody else's. */
  get remark(): string {
    return `"${this.#column}" is stored as ${this.storedAs}, where ${this.#expected} belongs`;
  }
}

/** What is said of the members of an event, or of anything else that was read; empty when each is as it should be. */
export function remarksOn(members: object): readonly string[] {
  const remarks: string[] = [];
  for (const value of Object.values(members)) if (value instanceof Misstored) remarks.push(value.remark);
  return remarks;
}

/** Where the chain is said to end is no place. The message says what is wrong with which column. */
export class EndMisstored extends Error {}
