/**
 * Cursors of lists: the place of a row in one order of one list, sealed. A place names the row, and the row at the end of
 * a page may be one that the caller may not read, so nobody but this installation can read a cursor, or make one. Nor is
 * it of use in another list, under another parent or in another scope.
 */
import { BadInput, type Id, type Order, type Position, type Scope, type Sealing } from '../iam/index.js';

export interface Cursors {
  /** `list`: its field, `users` or `Group.members`; `parentId` where every parent has a list of its own. */
  of(list: string, parentId?: Id): ListCursors;
}

export interface ListCursors {
  encode(order: Order, position: Position): string;
  /** The position in a cursor of exactly this order; any other, and anything that was not made here, is refused. */
  decode(order: Order, cursor: string): Position;
}

const longest = 2048;

export function createCursors(
  sealing: Pick<Sealing, 'sealStably' | 'open'>,
  { accountId, workspaceId }: Scope,
): Cursors {
  return {
    of: (list, parentId = '') =>
      cursorsNamed(sealing, ({ by, direction }) =>
        JSON.stringify(['cursor', accountId, workspaceId, list, parentId, by, direction]),
      ),
  };
}

function cursorsNamed(sealing: Pick<Sealing, 'sealStably' | 'open'>, nameOf: (order: Order) => string): ListCursors {
  return {
    encode: (order, { key, id }) => sealing.sealStably(JSON.stringify([key, id]), nameOf(order)),
    decode: (order, cursor) => {
      const content = cursor.length <= longest ? sealing.open(cursor, nameOf(order)) : null;
      // A cursor has one spelling: base64url lets several stand for the same bytes.
      if (content === null || sealing.sealStably(content, nameOf(order)) !== cursor) {
        throw new BadInput('the cursor is not one of this list in this order; begin without a cursor');
      }
      // INVARIANT: what opens was sealed by `encode` for this very order.
      const [key, id] = JSON.parse(content) as [Position['key'], Position['id']];
      return { key, id };
    },
  };
}
