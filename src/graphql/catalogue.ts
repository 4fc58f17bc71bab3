/** The catalogue: the actions and resource kinds that policies may name, and drafts of policies made from them. */
import {
  Arg,
  Args,
  ArgsType,
  Ctx,
  Field,
  InputType,
  ObjectType,
  Query,
  registerEnumType,
  Resolver,
} from 'type-graphql';
import {
  accessLevels,
  draftPolicy,
  type AccessLevel,
  type ActionOrigin,
  type ActionRow,
  type Catalogue,
  type PolicyDraft as Draft,
  type ResourceKind as Kind,
} from '../catalogue/index.js';
import { BadInput, type Order, type Page, type Position, type Row, type Window } from '../iam/index.js';
import { connection, connectionOf, PageArguments, windowOf, type ConnectionOf } from './connections.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { OrderDirections, type OrderDirection } from './ordering.js';
import { PolicyEffects, PolicyProblem, type PolicyEffect } from './policy-documents.js';
import { JsonValue } from './scalars.js';
import { AccessLevels } from './services.js';

const ActionOrigins = {
  PLATFORM: 'PLATFORM',
  BAILIWICK: 'BAILIWICK',
  SERVICE: 'SERVICE',
} as const satisfies { readonly [Origin in ActionOrigin]: Origin };

registerEnumType(ActionOrigins, {
  name: 'ActionOrigin',
  description: 'Origin of an action.',
  valuesConfig: {
    PLATFORM: { description: 'Published catalogue of the platform.' },
    BAILIWICK: { description: 'Bailiwick itself.' },
    SERVICE: { description: 'Registration of a service of the account.' },
  },
});

const ActionOrderFields = { NAME: 'NAME' } as const;

registerEnumType(ActionOrderFields, {
  name: 'ActionOrderField',
  description: 'Value that a list of actions is ordered by.',
  valuesConfig: { NAME: { description: 'Name of the action, letter case disregarded.' } },
});

@Permission({ action: 'bailiwick:session:use', scope: 'ANY' })
@ObjectType({
  description: 'Action that a policy may name and a decision may be asked for. Needs `bailiwick:session:use`.',
  simpleResolvers: true,
})
export class Action {
  @Field(() => String, { description: 'Name of the action: `service:type:operation`.' })
  name!: string;

  @Field(() => String, { description: 'Service of the action, the first segment of its name.' })
  service!: string;

  @Field(() => String, { description: 'Name of the resource kind that the action is about: `service:type`.' })
  resourceKind!: string;

  @Field(() => String, { description: 'Operation of the action, the last segment of its name.' })
  operation!: string;

  @Field(() => AccessLevels, { description: 'Access level of the action.' })
  accessLevel!: AccessLevel;

  @Field(() => String, { description: 'Description of the action.' })
  description!: string;

  @Field(() => Boolean, {
    description: 'Indicates that the action belongs to an account-level service; others are about workspaces.',
  })
  global!: boolean;

  @Field(() => Boolean, { description: 'Indicates that a grant on an enterprise project can give the action.' })
  enterpriseProjectScope!: boolean;

  @Field(() => [String], {
    description:
      'Names of the actions that a caller needs besides for the act to succeed; holding one brings no other.',
  })
  dependsOn!: readonly string[];

  @Field(() => [String], { description: 'Condition keys of the action, beside those that every request has.' })
  conditionKeys!: readonly string[];

  @Field(() => String, {
    nullable: true,
    description: 'Name of the action that stands for all names of this one; null when it is this one.',
  })
  aliasOf!: string | null;

  @Field(() => [String], { description: 'Other names of the action; a policy that names one decides all of them.' })
  aliases!: readonly string[];

  @Field(() => Boolean, { description: 'Indicates that the action is of an older generation and no longer asked.' })
  legacy!: boolean;

  @Field(() => ActionOrigins, { description: 'Origin of the action.' })
  origin!: ActionOrigin;
}

export const ActionConnection = connectionOf('Action', () => Action, { item: 'action', items: 'actions' });

@InputType({ description: 'Filter of a list of actions; members are ANDed.' })
class ActionFilterInput {
  @Field(() => String, { nullable: true, description: 'Service of the actions, letter case disregarded.' })
  service?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Name of the resource kind of the actions, `service:type`, letter case disregarded.',
  })
  resourceKind?: string | null;

  @Field(() => AccessLevels, { nullable: true, description: 'Access level of the actions.' })
  accessLevel?: AccessLevel | null;

  @Field(() => String, {
    nullable: true,
    description: 'Text that the name or the description of the actions contains, letter case disregarded.',
  })
  search?: string | null;
}

@InputType({ description: 'Order of a list of actions.' })
class ActionOrderInput {
  @Field(() => ActionOrderFields, { description: 'Value that the actions are ordered by.' })
  field!: keyof typeof ActionOrderFields;

  @Field(() => OrderDirections, { description: 'Direction of the order.' })
  direction!: OrderDirection;
}

@ArgsType()
class ActionListArguments extends PageArguments {
  @Field(() => ActionFilterInput, { nullable: true, description: 'Filter of the list.' })
  filter?: ActionFilterInput | null;

  @Field(() => ActionOrderInput, { nullable: true, description: 'Order of the list; by name unless given.' })
  orderBy?: ActionOrderInput | null;
}

@ObjectType({ description: 'Actions of a resource kind at one access level.', simpleResolvers: true })
class AccessLevelActions {
  @Field(() => AccessLevels, { description: 'Access level of the actions.' })
  accessLevel!: AccessLevel;

  @Field(() => [Action], {
    nullable: 'items',
    description: 'Actions of the kind at the level; empty when it has none.',
  })
  actions!: readonly ShownAction[];
}

@ObjectType({ description: 'Kind of resource that policies can be about.', simpleResolvers: true })
export class ResourceKind {
  @Field(() => String, { description: 'Name of the kind: `service:type`.' })
  name!: string;

  @Field(() => String, { description: 'Service of the kind.' })
  service!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Label of the kind for people; null when its service gave none.',
  })
  label!: string | null;

  @Field(() => [AccessLevelActions], { description: 'Actions of the kind, one entry for each access level.' })
  actions!: readonly AccessLevelActions[];

  @Field(() => [String], { description: 'Names of the actions of other kinds that acting on the kind needs.' })
  dependsOn!: readonly string[];
}

@ObjectType({ description: 'Draft of a policy, ready for `createPolicy`; nothing is stored.', simpleResolvers: true })
export class PolicyDraft {
  @Field(() => JsonValue, {
    nullable: true,
    description: 'Document of the draft; null when the choice cannot become one valid document.',
  })
  document!: unknown;

  @Field(() => String, { nullable: true, description: 'Document of the draft as text.' })
  text!: string | null;

  @Field(() => [PolicyProblem], {
    description: 'Problems of the choice; their pointers are into the arguments, for instance `/resourceKinds/0`.',
  })
  problems!: Draft['problems'];
}

/** Kinds that one draft is made from. No policy could hold as many. */
const longestChoice = 1000;

@Resolver()
export class CatalogueResolver {
  @Permission({ action: 'bailiwick:session:use', scope: 'ANY' })
  @Query(() => ActionConnection, {
    nullable: true,
    description:
      'Actions that can be named in policies of the account, those of its own services among them. Needs `bailiwick:session:use`.',
  })
  actions(
    @Args(() => ActionListArguments) args: ActionListArguments,
    @Ctx() { call: { catalogue }, cursors }: GraphContext,
  ): ConnectionOf<ShownAction> {
    const window = windowOf(cursors.of('actions'), args, actionOrder(args.orderBy));
    const rows = catalogue.rows.filter(matching(args.filter ?? {})).map(shownAction(catalogue));
    return connection(pageInMemory(rows, byName, window), window, async () => rows.length);
  }

  @Permission({ action: 'bailiwick:session:use', scope: 'ANY' })
  @Query(() => [ResourceKind], {
    nullable: true,
    description:
      'Resource kinds of the account’s catalogue, to choose an authorization by; see `draftPolicy`. Needs `bailiwick:session:use`.',
  })
  resourceKinds(@Ctx() { call: { catalogue } }: GraphContext): readonly ResourceKind[] {
    // Some newer actions leave the type blank; each is an alias of one that has a kind, and is chosen there.
    return catalogue.resourceKinds.filter(({ name }) => !name.endsWith(':')).map(shownKind(catalogue));
  }

  @Permission({ action: 'bailiwick:session:use', scope: 'ANY' })
  @Query(() => PolicyDraft, {
    nullable: true,
    description:
      'Draft of a policy that allows or denies acting on kinds of resources, for `createPolicy`. Needs `bailiwick:session:use`.',
  })
  draftPolicy(
    @Arg('resourceKinds', () => [String], { description: 'Names of the resource kinds, as `resourceKinds` has them.' })
    resourceKinds: string[],
    @Arg('accessLevels', () => [AccessLevels], {
      description: 'Access levels to include; all five also include actions that a kind gains later.',
    })
    levels: AccessLevel[],
    @Arg('effect', () => PolicyEffects, { description: 'Effect of the draft.' }) effect: PolicyEffect,
    @Ctx() { call: { catalogue } }: GraphContext,
  ): Draft {
    if (resourceKinds.length > longestChoice) {
      throw new BadInput(`a draft is made from at most ${longestChoice} resource kinds; choose fewer`);
    }
    return draftPolicy({ resourceKinds, accessLevels: levels, effect }, catalogue);
  }
}

type ShownAction = Omit<ActionRow, 'resourceType' | 'projectScope'> & {
  readonly resourceKind: string;
  readonly aliases: readonly string[];
};

function shownAction(catalogue: Catalogue): (row: ActionRow) => ShownAction {
  return (row) => ({
    ...row,
    resourceKind: `${row.service}:${row.resourceType}`,
    aliases: catalogue.namesOf(row.name).filter((name) => name !== row.name),
  });
}

function shownKind(catalogue: Catalogue): (kind: Kind) => ResourceKind {
  return (kind) => ({
    ...kind,
    actions: accessLevels.map((accessLevel) => ({
      accessLevel,
      actions: kind.actions[accessLevel].map(shownAction(catalogue)),
    })),
  });
}

function matching({ service, resourceKind, accessLevel, search }: ActionFilterInput): (row: ActionRow) => boolean {
  const same = (wanted: string | null | undefined, actual: string) =>
    wanted == null || wanted.toLowerCase() === actual.toLowerCase();
  const contains = (text: string) => search == null || text.toLowerCase().includes(search.toLowerCase());
  return (row) =>
    same(service, row.service) &&
    same(resourceKind, `${row.service}:${row.resourceType}`) &&
    (accessLevel == null || accessLevel === row.accessLevel) &&
    (contains(row.name) || contains(row.description));
}

function actionOrder(order: ActionOrderInput | null | undefined): Order<'NAME'> {
  return { by: order?.field ?? 'NAME', direction: order?.direction ?? 'ASC' };
}

function byName({ name }: Pick<ActionRow, 'name'>): Position {
  return { key: name.toLowerCase(), id: name };
}

/** A window of rows that are in memory, with the same edges as the store's own pages. */
function pageInMemory<R>(rows: readonly R[], positionOf: (row: R) => Position, window: Window): Page<R> {
  const { order, after, before, backward, limit } = window;
  const compare = (a: Position, b: Position): number => {
    const sign = a.key === b.key ? Number(a.id > b.id) - Number(a.id < b.id) : a.key > b.key ? 1 : -1;
    return order.direction === 'ASC' ? sign : -sign;
  };
  const placed = rows
    .map((record): Row<R> => ({ record, position: positionOf(record) }))
    .sort((a, b) => compare(a.position, b.position));
  const inside = placed.filter(
    ({ position }) =>
      (after === null || compare(position, after) > 0) && (before === null || compare(position, before) < 0),
  );
  const past = after !== null && placed.some(({ position }) => compare(position, after) <= 0);
  const beyond = before !== null && placed.some(({ position }) => compare(position, before) >= 0);
  const more = inside.length > limit;
  return backward
    ? { rows: inside.slice(-limit), hasPrevious: more || past, hasNext: beyond }
    : { rows: inside.slice(0, limit), hasPrevious: past, hasNext: more || beyond };
}
