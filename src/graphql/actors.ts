/** Whom a request acts as, wherever the API tells it. */
import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import { describeActor, type Delegation, type Id, type Principal, type PrincipalKind } from '../iam/index.js';
import { encodeNodeId, type NodeKind } from './node-ids.js';

export type ActorKind = Exclude<PrincipalKind, 'ANONYMOUS'>;

const ActorKinds = { ROOT: 'ROOT', USER: 'USER', SERVICE: 'SERVICE', AGENCY: 'AGENCY' } as const satisfies {
  readonly [Kind in ActorKind]: Kind;
};

registerEnumType(ActorKinds, {
  name: 'ActorKind',
  description: 'Kind of whom a request acts as.',
  valuesConfig: {
    ROOT: { description: 'Root user of the account, who bypasses policies.' },
    USER: { description: 'User of the account.' },
    SERVICE: { description: 'Service that signed the request with its own key.' },
    AGENCY: { description: 'Session of an agency.' },
  },
});

/** The Node behind each kind of actor. */
const actorNodes: Readonly<Record<ActorKind, NodeKind>> = {
  ROOT: 'User',
  USER: 'User',
  SERVICE: 'Service',
  AGENCY: 'Agency',
};

@ObjectType({ description: 'Whom a request acts as.', simpleResolvers: true })
export class Actor {
  @Field(() => ID, { description: 'Identifier of the user, service or agency.' })
  id!: string;

  @Field(() => ActorKinds, { description: 'Kind of the actor.' })
  kind!: ActorKind;

  @Field(() => String, { description: 'Name of the actor.' })
  name!: string;

  @Field(() => ID, {
    description: 'Identifier of the account of the actor; only who assumed an agency may be of another account.',
  })
  accountId!: string;

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
    description: 'User on whose behalf the agency acts; null for others and when it acts on nobody’s.',
  })
  onBehalfOf!: Actor | null;

  @Field(() => String, {
    nullable: true,
    description: 'Name that the session was given when the agency was assumed; null for others.',
  })
  sessionName!: string | null;
}

/** What the API shows of an actor of this account. */
export function actorOf(accountId: Id, principal: Principal): Actor {
  const { kind, id, name } = principal;
  if (kind === 'ANONYMOUS') throw new Error('nobody is no actor');
  return {
    id: encodeNodeId(actorNodes[kind], id),
    kind,
    name,
    accountId: encodeNodeId('Account', accountId),
    description: describeActor(principal),
    ...behind(accountId, principal.delegation ?? null),
  };
}

/** Those who stand behind a session of an agency; nothing for every other actor. */
export function behind(
  accountId: Id,
  delegation: Delegation | null,
): Pick<Actor, 'assumedBy' | 'onBehalfOf' | 'sessionName'> {
  if (delegation === null) return { assumedBy: null, onBehalfOf: null, sessionName: null };
  const { assumedBy, onBehalfOf, sessionName } = delegation;
  return {
    assumedBy: actorOf(assumedBy.accountId, { ...assumedBy, mfaAt: null }),
    onBehalfOf: onBehalfOf === null ? null : actorOf(accountId, { ...onBehalfOf, kind: 'USER', mfaAt: null }),
    sessionName,
  };
}
