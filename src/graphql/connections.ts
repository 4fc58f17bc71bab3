/**
 * Lists in pages, in the manner of Relay: `first`/`after` go forward, `last`/`before` backward, the order of rows is the
 * same either way. What a cursor is: cursors.ts.
 */
import 'reflect-metadata';
import type { GraphQLScalarType } from 'graphql';
import { ArgsType, Field, Int, ObjectType, type ClassType } from 'type-graphql';
import {
  BadInput,
  type Instant,
  type Linked,
  type ListedKind,
  type Order,
  type Orders,
  type Page,
  type Position,
  type Relation,
  type Relations,
  type Window,
} from '../iam/index.js';
import type { ListCursors } from './cursors.js';
import { DateTime } from './scalars.js';

export const pageSize = { default: 25, maximum: 100 } as const;

@ArgsType()
export class PageArguments {
  @Field(() => Int, {
    nullable: true,
    description: `Number of items from the start of the list, 1 to ${pageSize.maximum}; ${pageSize.default} when neither \`first\` nor \`last\` is given.`,
  })
  first?: number | null;

  @Field(() => String, { nullable: true, description: 'Cursor that the items come after.' })
  after?: string | null;

  @Field(() => Int, {
    nullable: true,
    description: `Number of items from the end of the list, 1 to ${pageSize.maximum}.`,
  })
  last?: number | null;

  @Field(() => String, { nullable: true, description: 'Cursor that the items come before.' })
  before?: string | null;
}

type OrderName = Orders[ListedKind] | Relations[Relation]['order'];

/** A window, with what its rows' cursors are made by. */
export type PageWindow<By extends OrderName = OrderName> = Window<By> & { readonly cursors: ListCursors };

/** The window of a list that page arguments ask for. */
export function windowOf<By extends OrderName>(
  cursors: ListCursors,
  args: PageArguments,
  order: Order<By>,
): PageWindow<By> {
  const { first = null, after = null, last = null, before = null } = args;
  if (first !== null && last !== null) throw new BadInput('give one of `first` and `last`, not both');
  const limit = first ?? last ?? pageSize.default;
  if (limit < 1 || limit > pageSize.maximum) {
    throw new BadInput(`\`${last === null ? 'first' : 'last'}\` is between 1 and ${pageSize.maximum}`);
  }
  return {
    order,
    limit,
    backward: last !== null,
    after: after === null ? null : cursors.decode(order, after),
    before: before === null ? null : cursors.decode(order, before),
    cursors,
  };
}

@ObjectType({ description: 'Place of a page in its list.', simpleResolvers: true })
export class PageInfo {
  @Field(() => Boolean, { description: 'Indicates that more items follow the page.' })
  hasNextPage!: boolean;

  @Field(() => Boolean, { description: 'Indicates that there are items before the page.' })
  hasPreviousPage!: boolean;

  @Field(() => String, { nullable: true, description: 'Cursor of the first item of the page.' })
  startCursor!: string | null;

  @Field(() => String, { nullable: true, description: 'Cursor of the last item of the page.' })
  endCursor!: string | null;
}

export interface EdgeOf<Node> {
  readonly node: Node;
  readonly cursor: string;
  /** Of lists of a relationship only. */
  readonly addedAt?: Instant;
}

export interface ConnectionOf<Node> {
  readonly edges: readonly EdgeOf<Node>[];
  readonly nodes: readonly Node[];
  readonly pageInfo: PageInfo;
  /** Counted only when it is asked for; null where counting would cost a scan. */
  readonly totalCount: (() => Promise<number | null>) | null;
}

export interface ConnectionWords {
  /** What is listed, in the singular and the plural: `user`, `users`. */
  readonly item: string;
  readonly items: string;
  /** For lists of a relationship, when the item joined it: `the user joined the group`. */
  readonly added?: string;
}

/**
 * Makes the types of a list: `<Name>Connection` and `<Name>Edge`.
 *
 *   export const UserConnection = connectionOf('User', () => User, { item: 'user', items: 'users' });
 */
export function connectionOf(
  name: string,
  node: () => ClassType | GraphQLScalarType,
  { item, items, added }: ConnectionWords,
): ClassType {
  @ObjectType(`${name}Edge`, { description: `Place of one ${item} in a list of ${items}.`, simpleResolvers: true })
  class Edge {
    @Field(node, {
      nullable: true,
      description: `Item at the end of the edge; null when the caller may not read the ${item}.`,
    })
    node!: unknown;

    @Field(() => String, { description: `Cursor of the ${item} in the list.` })
    cursor!: string;
  }
  if (added !== undefined) {
    Field(() => DateTime, { description: `Timestamp of when ${added}.` })(Edge.prototype, 'addedAt');
  }

  @ObjectType(`${name}Connection`, { description: `Page of a list of ${items}.`, simpleResolvers: true })
  class Connection {
    @Field(() => [Edge], {
      nullable: 'items',
      description: `Edges of the page, one for each ${item}; null where the caller may not read the ${item}.`,
    })
    edges!: unknown[];

    @Field(() => [node()], {
      nullable: 'items',
      description: `Items of the page without their edges; null where the caller may not read the ${item}.`,
    })
    nodes!: unknown[];

    @Field(() => PageInfo, { description: 'Place of the page in the list.' })
    pageInfo!: PageInfo;

    @Field(() => Int, {
      nullable: true,
      description: `Number of ${items} in the whole list; null where counting would be too costly.`,
    })
    totalCount!: number | null;
  }
  return Connection;
}

/** A page of rows as a connection shows it. */
export function connection<R>(
  page: Page<R>,
  window: CursorsOfList,
  totalCount: ConnectionOf<R>['totalCount'] = null,
): ConnectionOf<R> {
  const edges = page.rows.map(({ record, position }) => new OpenEdge(record, window, position));
  return assemble(page, edges, totalCount);
}

/** A page of a relationship: the facts of the relationship stand on the edges. */
export function linkedConnection<R>(
  page: Page<Linked<R>>,
  window: CursorsOfList,
  totalCount: ConnectionOf<R>['totalCount'] = null,
): ConnectionOf<R> {
  const edges = page.rows.map(
    ({ record: { target, addedAt }, position }) => new OpenEdge(target, window, position, addedAt),
  );
  return assemble(page, edges, totalCount);
}

type CursorsOfList = Pick<PageWindow, 'order' | 'cursors'>;

function assemble<R>(
  { hasNext, hasPrevious }: Page<unknown>,
  edges: readonly EdgeOf<R>[],
  totalCount: ConnectionOf<R>['totalCount'],
): ConnectionOf<R> {
  return {
    edges,
    nodes: edges.map(({ node }) => node),
    pageInfo: new OpenPageInfo(hasNext, hasPrevious, edges),
    totalCount,
  };
}

/** Sealing a cursor takes longer than all else of an edge: it is done when somebody asks for it. */
class OpenEdge<Node> implements EdgeOf<Node> {
  constructor(
    readonly node: Node,
    private readonly window: CursorsOfList,
    private readonly position: Position,
    readonly addedAt?: Instant,
  ) {}

  get cursor(): string {
    return this.window.cursors.encode(this.window.order, this.position);
  }
}

class OpenPageInfo implements PageInfo {
  constructor(
    readonly hasNextPage: boolean,
    readonly hasPreviousPage: boolean,
    private readonly edges: readonly EdgeOf<unknown>[],
  ) {}

  get startCursor(): string | null {
    return this.edges[0]?.cursor ?? null;
  }

  get endCursor(): string | null {
    return this.edges.at(-1)?.cursor ?? null;
  }
}
