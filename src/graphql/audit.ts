/** The audit trail: every change, by whom, and what it made of what. */
import {
  Arg,
  Args,
  ArgsType,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  Int,
  ObjectType,
  Query,
  registerEnumType,
  Resolver,
  Root,
  Subscription,
} from 'type-graphql';
import {
  AuditFeed,
  BadInput,
  describeActor,
  maySeeImages,
  type AuditEvent as AuditEventRecord,
  type Call,
  type Filters,
  type Id,
  type Instant,
  type JsonImage,
  type Order,
  type Orders,
  type Workspace as WorkspaceRecord,
} from '../iam/index.js';
import { Actor, behind } from './actors.js';
import { connection, connectionOf, PageArguments, windowOf, type ConnectionOf } from './connections.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { Feed, type News } from './feeds.js';
import { given } from './inputs.js';
import { decodeId, encodeNodeId, isNodeKind, nodeKinds, readNodeId, type NodeKind } from './node-ids.js';
import { Node } from './node-interface.js';
import { OrderDirections, type OrderDirection } from './ordering.js';
import { DateTime, JsonValue } from './scalars.js';
import { Workspace } from './workspaces.js';

const ActorKinds = {
  ROOT: 'ROOT',
  USER: 'USER',
  SERVICE: 'SERVICE',
  AGENCY: 'AGENCY',
  OPERATOR: 'OPERATOR',
} as const;

type ActorKind = keyof typeof ActorKinds;

registerEnumType(ActorKinds, {
  name: 'AuditActorKind',
  description: 'Kind of who made a change.',
  valuesConfig: {
    ROOT: { description: 'Root user of the account.' },
    USER: { description: 'User of the account.' },
    SERVICE: { description: 'Service of the account in its own name.' },
    AGENCY: { description: 'Session of an agency.' },
    OPERATOR: { description: 'Operator on the machine itself, and the program as it starts.' },
  },
});

/** The Node behind each kind of actor. */
const actorNodes: Readonly<Record<string, NodeKind>> = {
  ROOT: 'User',
  USER: 'User',
  SERVICE: 'Service',
  AGENCY: 'Agency',
};

/** Stands for the id that the operator does not have. */
const operatorId = 'operator';

const AuditEventOrderFields = { REVISION: 'REVISION' } as const satisfies {
  readonly [By in Orders['auditEvent']]: By;
};

registerEnumType(AuditEventOrderFields, {
  name: 'AuditEventOrderField',
  description: 'Value that a list of audit events is ordered by.',
  valuesConfig: {
    REVISION: { description: 'Revision of the account, then place within the change: the order of what happened.' },
  },
});

@ObjectType({ description: 'Actor of an audit event: who made the change, as it was then.', simpleResolvers: true })
export class AuditEventActor {
  @Field(() => ID, {
    description: 'Identifier of the user, service or agency, which may be gone meanwhile; `operator` for the operator.',
  })
  id!: string;

  @Field(() => ActorKinds, { description: 'Kind of the actor.' })
  kind!: ActorKind;

  @Field(() => String, { description: 'Name of the actor at the time.' })
  name!: string;

  @Field(() => String, {
    description:
      'Actor in words, with those behind a session: `agency A assumed by service modelarts on behalf of user U`.',
  })
  description!: string;

  @Field(() => Actor, {
    nullable: true,
    description: 'Actor who assumed the agency, by the name of that moment; null for others.',
  })
  assumedBy!: Actor | null;

  @Field(() => Actor, {
    nullable: true,
    description: 'User on whose behalf the agency acted; null for others and when it acted on nobody’s.',
  })
  onBehalfOf!: Actor | null;

  @Field(() => String, {
    nullable: true,
    description: 'Name that the session was given when the agency was assumed; null for others.',
  })
  sessionName!: string | null;
}

@ObjectType({ description: 'Target of an audit event: the row that was changed.', simpleResolvers: true })
export class AuditEventTarget {
  @Field(() => ID, {
    description: 'Identifier of the object, which may be gone meanwhile; a plain one for what is no object of its own.',
  })
  id!: string;

  @Field(() => String, { description: 'Kind of the row, for instance `user`, `grant` or `membership`.' })
  kind!: string;
}

@Permission({ action: 'bailiwick:audit:list', scope: 'ANY' })
@ObjectType({
  description: 'Change of one row, written together with the change itself. Needs `bailiwick:audit:list`.',
  implements: Node,
  simpleResolvers: true,
})
export class AuditEvent extends Node {
  @Field(() => Int, { description: 'Revision of the account that the change made; events of one change share it.' })
  revision!: number;

  @Field(() => Int, { description: 'Place of the event within its change, counted from 0.' })
  sequence!: number;

  @Field(() => DateTime, { description: 'Timestamp of the change.' })
  at!: Instant;

  @Field(() => String, { description: 'Operation that made the change, for instance `createUser`.' })
  operation!: string;

  @Field(() => String, { description: 'Identifier of the request that asked for the change.' })
  requestId!: string;
}

export const AuditEventConnection = connectionOf('AuditEvent', () => AuditEvent, {
  item: 'audit event',
  items: 'audit events',
});

@InputType({ description: 'Filter of a list of audit events; members are ANDed.' })
class AuditEventFilterInput {
  @Field(() => String, { nullable: true, description: 'Operation that made the changes, for instance `createUser`.' })
  operation?: string | null;

  @Field(() => ID, {
    nullable: true,
    description: 'Identifier of the user, service or agency who made the changes; `operator` for the operator.',
  })
  actorId?: string | null;

  @Field(() => ID, { nullable: true, description: 'Identifier of what was changed.' })
  targetId?: string | null;

  @Field(() => DateTime, { nullable: true, description: 'Timestamp that the changes were made at or after.' })
  since?: Instant | null;

  @Field(() => DateTime, { nullable: true, description: 'Timestamp that the changes were made before.' })
  until?: Instant | null;
}

@InputType({ description: 'Order of a list of audit events.' })
class AuditEventOrderInput {
  @Field(() => AuditEventOrderFields, { description: 'Value that the audit events are ordered by.' })
  field!: Orders['auditEvent'];

  @Field(() => OrderDirections, { description: 'Direction of the order.' })
  direction!: OrderDirection;
}

@ArgsType()
class AuditEventListArguments extends PageArguments {
  @Field(() => AuditEventFilterInput, { nullable: true, description: 'Filter of the list.' })
  filter?: AuditEventFilterInput | null;

  @Field(() => AuditEventOrderInput, { nullable: true, description: 'Order of the list; newest first unless given.' })
  orderBy?: AuditEventOrderInput | null;
}

interface RecordedArguments {
  readonly filter?: AuditEventFilterInput | null;
  readonly afterRevision?: number | null;
}

class RecordedFeed extends Feed {
  readonly wakening = 'EVERY';

  constructor(private readonly events: AuditFeed) {
    super();
  }

  async next(call: Call): Promise<News> {
    const events = await this.events.next(call);
    return { events, more: events.length > 0 };
  }
}

function recordedFeed({ filter, afterRevision }: RecordedArguments, { call }: GraphContext): RecordedFeed {
  return new RecordedFeed(new AuditFeed(filterOf(filter), afterRevision ?? call.account?.revision ?? 0));
}

@Resolver(() => AuditEvent)
export class AuditResolver {
  @Permission({ action: 'bailiwick:audit:list', scope: 'ANY' })
  @Query(() => AuditEventConnection, {
    nullable: true,
    description:
      'Changes made in account scope; inside a workspace those made in that workspace. Needs `bailiwick:audit:list`.',
  })
  async auditEvents(
    @Args(() => AuditEventListArguments) args: AuditEventListArguments,
    @Ctx() { call: { reader }, cursors }: GraphContext,
  ): Promise<ConnectionOf<AuditEventRecord>> {
    const window = windowOf(cursors.of('auditEvents'), args, orderOf(args.orderBy));
    const filter = filterOf(args.filter);
    return connection(await reader.page('auditEvent', filter, window), window, () =>
      reader.count('auditEvent', filter),
    );
  }

  @Permission({ action: 'bailiwick:audit:list', scope: 'ANY' })
  @Subscription(() => AuditEvent, {
    nullable: true,
    description:
      'Each change once it is made, in order, none left out and none twice: those made in account scope; inside a workspace those made in that workspace. Needs `bailiwick:audit:list`.',
    subscribe: ({ args, context }) => recordedFeed(args as RecordedArguments, context as GraphContext),
  })
  auditEventRecorded(
    @Root() event: AuditEventRecord,
    @Arg('filter', () => AuditEventFilterInput, { nullable: true, description: 'Filter of the events.' })
    _filter: AuditEventFilterInput | null | undefined,
    @Arg('afterRevision', () => Int, {
      nullable: true,
      description:
        'Revision that the events come after, for whoever lost the connection: the one of the last event that arrived, or one before it. The present one unless given.',
    })
    _afterRevision: number | null | undefined,
  ): AuditEventRecord {
    return event;
  }

  @FieldResolver(() => AuditEventActor, { description: 'Actor who made the change.' })
  actor(@Root() { accountId, actorKind, actorId, actorName, delegation }: AuditEventRecord): AuditEventActor {
    const node = actorNodes[actorKind];
    const kind = actorKind as ActorKind;
    return {
      id: node === undefined ? operatorId : encodeNodeId(node, actorId),
      kind,
      name: actorName,
      description:
        kind === 'OPERATOR'
          ? `operator ${actorName}`
          : describeActor({ kind, name: actorName, ...(delegation === null ? {} : { delegation }) }),
      ...behind(accountId, delegation),
    };
  }

  @FieldResolver(() => JsonValue, {
    nullable: true,
    description:
      'Row before the change, without secrets, with plain identifiers; null when it was created, or when the caller may not see what it is about.',
  })
  async before(@Root() event: AuditEventRecord, @Ctx() { call, loaders }: GraphContext): Promise<JsonImage | null> {
    return event.before !== null && (await maySeeImages(call, event, (kind, id) => loaders.find(kind, id)))
      ? event.before
      : null;
  }

  @FieldResolver(() => JsonValue, {
    nullable: true,
    description:
      'Row after the change, without secrets, with plain identifiers; null when it was deleted, or when the caller may not see what it is about.',
  })
  async after(@Root() event: AuditEventRecord, @Ctx() { call, loaders }: GraphContext): Promise<JsonImage | null> {
    return event.after !== null && (await maySeeImages(call, event, (kind, id) => loaders.find(kind, id)))
      ? event.after
      : null;
  }

  @FieldResolver(() => AuditEventTarget, { description: 'Target of the change.' })
  target(@Root() { targetKind, targetId }: AuditEventRecord): AuditEventTarget {
    const node = nodeOfRecord.get(targetKind);
    return { id: node === undefined ? targetId : encodeNodeId(node, targetId), kind: targetKind };
  }

  @FieldResolver(() => Workspace, {
    nullable: true,
    description: 'Workspace that the change was made in; null for account scope, or when the caller may not read it.',
  })
  workspace(
    @Root() { workspaceId }: AuditEventRecord,
    @Ctx() { loaders }: GraphContext,
  ): Promise<WorkspaceRecord | null> | null {
    // Events of a workspace are read from inside it only: whoever got here has entered it.
    return workspaceId === '' ? null : loaders.find('workspace', workspaceId);
  }
}

/** The Node type of each kind of record that has one. */
const nodeOfRecord: ReadonlyMap<string, NodeKind> = new Map(
  Object.entries(nodeKinds).flatMap(([node, record]) => (isNodeKind(node) ? [[record, node] as const] : [])),
);

function filterOf(input: AuditEventFilterInput | null | undefined): Filters['auditEvent'] {
  const { actorId, targetId, ...others } = given(input);
  return {
    ...others,
    ...(actorId === undefined ? {} : { actorId: actorOf(actorId) }),
    ...(targetId === undefined ? {} : targetOf(targetId)),
  };
}

function actorOf(input: string): Id {
  if (input === operatorId) return '';
  const node = readNodeId(input);
  if (node === null) return input;
  if (Object.values(actorNodes).includes(node.kind)) return decodeId(node.kind, input);
  throw new BadInput(`\`${input}\` is the id of a ${node.kind}; give the id of a User, Service or Agency`);
}

/** A Node id names the kind too; a plain id may be that of several kinds. */
function targetOf(input: string): Pick<Filters['auditEvent'], 'targetKind' | 'targetId'> {
  const node = readNodeId(input);
  if (node === null) return { targetId: input };
  return { targetKind: nodeKinds[node.kind], targetId: decodeId(node.kind, input) };
}

function orderOf(input: AuditEventOrderInput | null | undefined): Order<Orders['auditEvent']> {
  return { by: input?.field ?? 'REVISION', direction: input?.direction ?? 'DESC' };
}
