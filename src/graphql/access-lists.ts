/** Lists of access: what somebody can do, and who can do something; three verdicts, for what is not known yet. */
import { Args, ArgsType, Ctx, Field, ID, InputType, ObjectType, Query, registerEnumType, Resolver } from 'type-graphql';
import type { AccessLevel } from '../catalogue/index.js';
import {
  whatCan,
  whoCan,
  type AccessPage,
  type AccessVerdict,
  type ListedPrincipalKind,
  type OpenAccess,
  type Order,
} from '../iam/index.js';
import type { Expression, OpenKeyTest } from '../policy/index.js';
import { ContextEntryInput, DecidingStatement, principalOf, PrincipalInput, shownStatement } from './access.js';
import { Actor, actorOf } from './actors.js';
import { connectionOf, PageArguments, windowOf, type ConnectionOf } from './connections.js';
import type { GraphContext } from './context.js';
import type { ListCursors } from './cursors.js';
import { Permission } from './directives.js';
import { valueOf } from './errors.js';
import { given } from './inputs.js';
import { decodeOptionalId } from './node-ids.js';
import { AccessLevels } from './services.js';

const AccessVerdicts = { YES: 'YES', IF: 'IF', NO: 'NO' } as const satisfies {
  readonly [One in AccessVerdict]: One;
};

registerEnumType(AccessVerdicts, {
  name: 'AccessVerdict',
  description: 'Verdict on access while some condition keys, or the resource, are not known yet.',
  valuesConfig: {
    YES: { description: 'It is allowed whatever they come to.' },
    IF: { description: 'It depends on them.' },
    NO: { description: 'It is denied whatever they come to.' },
  },
});

const ListedPrincipalKinds = { USER: 'USER', SERVICE: 'SERVICE', AGENCY: 'AGENCY' } as const;

registerEnumType(ListedPrincipalKinds, {
  name: 'PrincipalKind',
  description: 'Kind of a principal that is listed.',
  valuesConfig: {
    USER: { description: 'User of the account, the root user among them.' },
    SERVICE: { description: 'Service of the account.' },
    AGENCY: { description: 'Agency of the account.' },
  },
});

const kindNames: Readonly<Record<keyof typeof ListedPrincipalKinds, ListedPrincipalKind>> = {
  USER: 'user',
  SERVICE: 'service',
  AGENCY: 'agency',
};

@ObjectType({ description: 'Access that is listed: a verdict, and what it depends on.', simpleResolvers: true })
class ListedAccess {
  @Field(() => AccessVerdicts, { description: 'Verdict on the access.' })
  verdict!: AccessVerdict;

  @Field(() => [String], {
    description: 'Condition keys that are not known yet and that the verdict depends on; empty unless it is IF.',
  })
  conditionKeys!: readonly string[];

  @Field(() => Boolean, { description: 'Indicates that it depends on which resource it is about.' })
  dependsOnResource!: boolean;

  @Field(() => String, {
    nullable: true,
    description: 'What must hold for the action to be allowed, in words; null without `bailiwick:access:explain`.',
  })
  condition!: string | null;

  @Field(() => Boolean, {
    description:
      'Indicates that the verdict is exact. Only an IF may be inexact: it was the most that could be said without calculating for too long.',
  })
  exact!: boolean;

  @Field(() => [DecidingStatement], {
    nullable: true,
    description: 'Statements that decide it, or may; null without `bailiwick:access:explain`.',
  })
  statements!: readonly DecidingStatement[] | null;
}

@ObjectType({ description: 'Action that a principal can do, or may under conditions.', simpleResolvers: true })
class ActionAccess extends ListedAccess {
  @Field(() => String, { description: 'Action by its canonical name.' })
  action!: string;
}

@ObjectType({ description: 'Principal that can do something, or may under conditions.', simpleResolvers: true })
class PrincipalAccess extends ListedAccess {
  @Field(() => Actor, { description: 'Actor that the verdict is about.' })
  actor!: Actor;
}

const ActionAccessConnection = connectionOf('ActionAccess', () => ActionAccess, {
  item: 'action',
  items: 'actions that a principal can do',
});
const PrincipalAccessConnection = connectionOf('PrincipalAccess', () => PrincipalAccess, {
  item: 'principal',
  items: 'principals that can do something',
});

@InputType({ description: 'Filter of a list of actions that a principal can do; absent members filter nothing.' })
class ActionAccessFilter {
  @Field(() => String, { nullable: true, description: 'Service of the actions, for instance `modelarts`.' })
  service?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Kind of resource of the actions, for instance `modelarts:notebook`.',
  })
  resourceKind?: string | null;

  @Field(() => AccessLevels, { nullable: true, description: 'Access level of the actions.' })
  accessLevel?: AccessLevel | null;

  @Field(() => [AccessVerdicts], {
    nullable: true,
    description:
      'Verdicts to list; absent: YES and IF. Without IF an action is left out when no more than an inexact IF could be said of it.',
  })
  verdicts?: AccessVerdict[] | null;
}

@InputType({ description: 'Filter of a list of principals that can do something; absent members filter nothing.' })
class PrincipalAccessFilter {
  @Field(() => ListedPrincipalKinds, { nullable: true, description: 'Kind of the principals.' })
  kind?: keyof typeof ListedPrincipalKinds | null;

  @Field(() => [AccessVerdicts], {
    nullable: true,
    description:
      'Verdicts to list; absent: YES and IF. Nobody is listed with NO. Without IF whoever can do it is left out when no more than an inexact IF could be said of them.',
  })
  verdicts?: AccessVerdict[] | null;

  @Field(() => ID, { nullable: true, description: 'Identifier of a group that the users are members of.' })
  groupId?: string | null;

  @Field(() => String, { nullable: true, description: 'Text in the name of the principals, letter case disregarded.' })
  nameContains?: string | null;
}

/** What both lists are asked with. */
@ArgsType()
class AccessListArguments extends PageArguments {
  @Field(() => ID, {
    nullable: true,
    description: 'Identifier of the workspace of the list; absent: the scope of the viewer.',
  })
  workspaceId?: string | null;

  @Field(() => [ContextEntryInput], { nullable: true, description: 'Condition keys that are known.' })
  context?: ContextEntryInput[] | null;
}

@ArgsType()
class WhatCanArguments extends AccessListArguments {
  @Field(() => PrincipalInput, { nullable: true, description: 'Principal of the list; absent: the viewer.' })
  principal?: PrincipalInput | null;

  @Field(() => String, {
    nullable: true,
    description: 'URN of the resource of the list; absent: any resource, YES being for every one.',
  })
  resource?: string | null;

  @Field(() => ActionAccessFilter, { nullable: true, description: 'Filter of the list.' })
  filter?: ActionAccessFilter | null;
}

@ArgsType()
class WhoCanArguments extends AccessListArguments {
  @Field(() => String, { description: 'Action of the list.' })
  action!: string;

  @Field(() => String, {
    nullable: true,
    description: 'URN of the resource of the list; absent: about no resource in particular.',
  })
  resource?: string | null;

  @Field(() => PrincipalAccessFilter, { nullable: true, description: 'Filter of the list.' })
  filter?: PrincipalAccessFilter | null;
}

const byName = { by: 'NAME', direction: 'ASC' } as const satisfies Order;

@Resolver()
export class AccessListResolver {
  @Permission({ action: 'bailiwick:access:enumerate', scope: 'ANY' })
  @Query(() => ActionAccessConnection, {
    nullable: true,
    description:
      'Actions of the catalogue that a principal can do, by name. Condition keys that nobody knows before a request is made, such as tags, stay open: the verdict is IF where they matter. A page may be shorter than asked for while more follow. Needs `bailiwick:access:enumerate`; for anyone but the viewer `bailiwick:access:check` too.',
  })
  async whatCan(
    @Args(() => WhatCanArguments) { principal, filter, ...args }: WhatCanArguments,
    @Ctx() context: GraphContext,
  ): Promise<ConnectionOf<ActionAccess>> {
    const { iam, call } = context;
    const asked = {
      ...placeOf(args),
      principal: principal == null ? null : principalOf(principal),
      filter: given(filter ?? {}),
    };
    const cursors = context.cursors.of(`whatCan ${JSON.stringify(asked)}`);
    const found = valueOf(context, await whatCan(iam, iam.calls, call, asked, windowOf(cursors, args, byName)));
    return shownPage(found, cursors, ({ action, ...access }) => ({ action, ...shownAccess(access) }));
  }

  @Permission({ action: 'bailiwick:access:enumerate', scope: 'ANY' })
  @Query(() => PrincipalAccessConnection, {
    nullable: true,
    description:
      'Principals that can do something, by kind and name: users, then services, then agencies; as asked about by id, without a second factor or an address. In a workspace only those that are visible there, and may enter. A page may be shorter than asked for while more follow. Needs `bailiwick:access:enumerate`.',
  })
  async whoCan(
    @Args(() => WhoCanArguments) { action, filter, ...args }: WhoCanArguments,
    @Ctx() context: GraphContext,
  ): Promise<ConnectionOf<PrincipalAccess>> {
    const { iam, call } = context;
    const { kind, groupId, ...rest } = filter ?? {};
    const asked = {
      ...placeOf(args),
      action,
      filter: {
        ...given(rest),
        ...(kind == null ? {} : { kind: kindNames[kind] }),
        ...(groupId == null ? {} : { groupId: decodeOptionalId('Group', groupId) ?? '' }),
      },
    };
    const cursors = context.cursors.of(`whoCan ${JSON.stringify(asked)}`);
    const found = valueOf(context, await whoCan(iam, iam.calls, call, asked, windowOf(cursors, args, byName)));
    return shownPage(found, cursors, ({ principal, ...access }) => ({
      actor: actorOf(call.accountId, principal),
      ...shownAccess(access),
    }));
  }
}

/** Where it is asked, about what, and with what known. */
function placeOf({ resource, workspaceId, context }: AccessListArguments & { readonly resource?: string | null }) {
  return {
    resource: resource ?? null,
    workspaceId: decodeOptionalId('Workspace', workspaceId ?? null),
    context: context ?? [],
  };
}

function shownAccess({ keys, resource, condition, statements, ...access }: OpenAccess): ListedAccess {
  return {
    verdict: access.verdict,
    exact: access.exact,
    conditionKeys: keys,
    dependsOnResource: resource,
    condition: condition === null ? null : wordsOf(condition),
    statements: statements?.map(shownStatement) ?? null,
  };
}

/** Pages are joined by where they began and ended to look, which need not be an item of the page. */
function shownPage<R, Node>(
  { rows, hasNext, hasPrevious, first, last }: AccessPage<R>,
  cursors: ListCursors,
  show: (record: R) => Node,
): ConnectionOf<Node> {
  const edges = rows.map(({ record, position }) => ({ node: show(record), cursor: cursors.encode(byName, position) }));
  return {
    edges,
    nodes: edges.map(({ node }) => node),
    pageInfo: {
      hasNextPage: hasNext,
      hasPreviousPage: hasPrevious,
      startCursor: first === null ? null : cursors.encode(byName, first),
      endCursor: last === null ? null : cursors.encode(byName, last),
    },
    totalCount: null,
  };
}

/** A condition as a person reads it, brackets where AND and OR meet. */
function wordsOf(condition: Expression<OpenKeyTest>): string {
  switch (condition.kind) {
    case 'EVERY':
      return 'always';
    case 'NONE':
      return 'never';
    case 'NOT':
      return `not (${wordsOf(condition.of)})`;
    case 'ALL':
    case 'ANY':
      return condition.of
        .map((part) => (part.kind === 'ALL' || part.kind === 'ANY' ? `(${wordsOf(part)})` : wordsOf(part)))
        .join(condition.kind === 'ALL' ? ' and ' : ' or ');
    case 'TEST': {
      const { test } = condition;
      if (test.about === 'CONDITION') return `${test.key} ${test.operator} ${JSON.stringify(test.values)}`;
      return test.about === 'RESOURCE'
        ? `the resource fits \`${test.pattern}\``
        : `keys of \`${test.pattern}\` are absent and the rest of it fits`;
    }
  }
}
