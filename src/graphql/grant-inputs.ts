/** What a grant is asked for by: subjects, scopes, filters and orders of lists, read into the words of the business. */
import { ArgsType, Field, ID, InputType, registerEnumType } from 'type-graphql';
import {
  BadInput,
  type Filters,
  type GrantScopeKind,
  type Id,
  type Order,
  type Orders,
  type SubjectKind,
} from '../iam/index.js';
import { PageArguments } from './connections.js';
import { OneOf } from './directives.js';
import { decodeId } from './node-ids.js';
import { OrderDirections, type OrderDirection } from './ordering.js';

export const SubjectKinds = { USER: 'USER', GROUP: 'GROUP', AGENCY: 'AGENCY', SERVICE: 'SERVICE' } as const satisfies {
  readonly [Kind in SubjectKind]: Kind;
};

registerEnumType(SubjectKinds, {
  name: 'SubjectKind',
  description: 'Kind of the subject of a grant.',
  valuesConfig: {
    USER: { description: 'One user.' },
    GROUP: { description: 'Every member of a group.' },
    AGENCY: { description: 'Sessions of an agency.' },
    SERVICE: { description: 'Service in its own name.' },
  },
});

export const GrantScopeKinds = {
  ALL: 'ALL',
  ACCOUNT: 'ACCOUNT',
  ALL_WORKSPACES: 'ALL_WORKSPACES',
  WORKSPACE: 'WORKSPACE',
  ENTERPRISE_PROJECT: 'ENTERPRISE_PROJECT',
} as const satisfies { readonly [Kind in GrantScopeKind]: Kind };

registerEnumType(GrantScopeKinds, {
  name: 'GrantScopeKind',
  description: 'Kind of the scope that a grant reaches.',
  valuesConfig: {
    ALL: { description: 'Account and every workspace.' },
    ACCOUNT: { description: 'Account scope; actions of account-level services in workspaces, too.' },
    ALL_WORKSPACES: { description: 'Every workspace, present and future.' },
    WORKSPACE: { description: 'One workspace.' },
    ENTERPRISE_PROJECT: { description: 'Workspaces of one enterprise project.' },
  },
});

const GrantOrderFields = { CREATED_AT: 'CREATED_AT' } as const satisfies { readonly [By in Orders['grant']]: By };

registerEnumType(GrantOrderFields, {
  name: 'GrantOrderField',
  description: 'Value that a list of grants is ordered by.',
  valuesConfig: { CREATED_AT: { description: 'Timestamp of when the grant was created.' } },
});

@OneOf()
@InputType({ description: 'Subject of a grant: exactly one of the members.' })
export class SubjectInput {
  @Field(() => ID, { nullable: true, description: 'Identifier of a user.' })
  user?: string | null;

  @Field(() => ID, { nullable: true, description: 'Identifier of a group.' })
  group?: string | null;

  @Field(() => ID, { nullable: true, description: 'Identifier of an agency.' })
  agency?: string | null;

  @Field(() => ID, { nullable: true, description: 'Identifier of a service.' })
  service?: string | null;
}

@OneOf()
@InputType({ description: 'Scope of a grant: exactly one of the members.' })
export class GrantScopeInput {
  @Field(() => Boolean, {
    nullable: true,
    description: 'Indicates the account and every workspace; only `true` has a meaning.',
  })
  all?: boolean | null;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Indicates account scope; only `true` has a meaning. A policy of project-level services is widened to `all`, visibly.',
  })
  account?: boolean | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Indicates every workspace, present and future; only `true` has a meaning.',
  })
  allWorkspaces?: boolean | null;

  @Field(() => ID, { nullable: true, description: 'Identifier of one workspace.' })
  workspace?: string | null;

  @Field(() => ID, { nullable: true, description: 'Identifier of one enterprise project.' })
  enterpriseProject?: string | null;
}

@InputType({ description: 'Filter of a list of grants; members are ANDed.' })
class GrantFilterInput {
  @Field(() => ID, { nullable: true, description: 'Identifier of the policy of the grants.' })
  policyId?: string | null;

  @Field(() => SubjectInput, { nullable: true, description: 'Subject of the grants.' })
  subject?: SubjectInput | null;

  @Field(() => SubjectKinds, { nullable: true, description: 'Kind of the subject of the grants.' })
  subjectKind?: SubjectKind | null;

  @Field(() => GrantScopeInput, { nullable: true, description: 'Scope of the grants, exactly.' })
  scope?: GrantScopeInput | null;

  @Field(() => GrantScopeKinds, { nullable: true, description: 'Kind of the scope of the grants.' })
  scopeKind?: GrantScopeKind | null;
}

@InputType({ description: 'Order of a list of grants.' })
class GrantOrderInput {
  @Field(() => GrantOrderFields, { description: 'Value that the grants are ordered by.' })
  field!: Orders['grant'];

  @Field(() => OrderDirections, { description: 'Direction of the order.' })
  direction!: OrderDirection;
}

@ArgsType()
export class NestedGrantArguments extends PageArguments {
  @Field(() => GrantOrderInput, { nullable: true, description: 'Order of the list; oldest first unless given.' })
  orderBy?: GrantOrderInput | null;
}

@ArgsType()
export class GrantListArguments extends NestedGrantArguments {
  @Field(() => GrantFilterInput, { nullable: true, description: 'Filter of the list.' })
  filter?: GrantFilterInput | null;
}

export function grantOrder(order: GrantOrderInput | null | undefined): Order<Orders['grant']> {
  return { by: order?.field ?? 'CREATED_AT', direction: order?.direction ?? 'ASC' };
}

interface Subject {
  readonly kind: SubjectKind;
  readonly id: Id;
}

export function subjectOf({ user, group, agency, service }: SubjectInput): Subject {
  if (user != null) return { kind: 'USER', id: decodeId('User', user) };
  if (group != null) return { kind: 'GROUP', id: decodeId('Group', group) };
  if (agency != null) return { kind: 'AGENCY', id: decodeId('Agency', agency) };
  if (service != null) return { kind: 'SERVICE', id: decodeId('Service', service) };
  throw new BadInput('a subject is exactly one of `user`, `group`, `agency` and `service`');
}

export function scopeOf(input: GrantScopeInput): { readonly kind: GrantScopeKind; readonly id: Id } {
  const { all, account, allWorkspaces, workspace, enterpriseProject } = input;
  if (workspace != null) return { kind: 'WORKSPACE', id: decodeId('Workspace', workspace) };
  if (enterpriseProject != null) {
    return { kind: 'ENTERPRISE_PROJECT', id: decodeId('EnterpriseProject', enterpriseProject) };
  }
  if (all === true) return { kind: 'ALL', id: '' };
  if (account === true) return { kind: 'ACCOUNT', id: '' };
  if (allWorkspaces === true) return { kind: 'ALL_WORKSPACES', id: '' };
  throw new BadInput('`false` names no scope; give `true` to one of `all`, `account` and `allWorkspaces`, or an id');
}

/** The filter of the store; null when its members exclude each other, so that nothing can match. */
export function filterOf(input: GrantFilterInput): Filters['grant'] | null {
  const subject = input.subject == null ? null : subjectOf(input.subject);
  const scope = input.scope == null ? null : scopeOf(input.scope);
  const subjectKind = input.subjectKind ?? subject?.kind;
  const scopeKind = input.scopeKind ?? scope?.kind;
  if ((subject !== null && subject.kind !== subjectKind) || (scope !== null && scope.kind !== scopeKind)) return null;
  return {
    ...(input.policyId == null ? {} : { policyId: decodeId('Policy', input.policyId) }),
    ...(subjectKind === undefined ? {} : { subjectKind }),
    ...(subject === null ? {} : { subjectId: subject.id }),
    ...(scopeKind === undefined ? {} : { scopeKind }),
    ...(scope === null ? {} : { scopeId: scope.id }),
  };
}
