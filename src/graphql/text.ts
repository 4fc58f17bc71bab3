/**
 * Text that databases cannot all hold is refused at the edge, in this one place (rule 29): U+0000, which PostgreSQL
 * refuses, and lone surrogates, which have no UTF-8 form.
 */
import { Kind, visit, type DocumentNode } from 'graphql';
import { BadInput } from '../iam/index.js';

export function checkText(text: string): void {
  if (!text.isWellFormed() || text.includes('\0')) {
    throw new BadInput('text must not contain U+0000 or half of a surrogate pair; remove it');
  }
}

/** Values whose every text was seen to be good where they were read; they are not changed afterwards. */
const vouched = new WeakSet<object>();

/** Spares `checkTextIn` a value that cannot hold such text. */
export function vouchForText(value: unknown): void {
  if (typeof value === 'object' && value !== null) vouched.add(value);
}

/** Checks every string in a value of variables, names of members too. Does not recurse: nesting is the client's choice. */
export function checkTextIn(value: unknown): void {
  if (typeof value === 'object' && value !== null && vouched.has(value)) return;
  const rest: unknown[] = [value];
  while (rest.length > 0) {
    const next = rest.pop();
    if (typeof next === 'string') checkText(next);
    else if (Array.isArray(next)) for (const item of next) rest.push(item);
    else if (typeof next === 'object' && next !== null) {
      const members = next as Readonly<Record<string, unknown>>;
      for (const name of Object.keys(members)) {
        checkText(name);
        rest.push(members[name]);
      }
    }
  }
}

/** Checks every string written out in a document. */
export function checkTextOfDocument(document: DocumentNode): void {
  visit(document, { [Kind.STRING]: { enter: ({ value }) => checkText(value) } });
}
