/** A small schema with every way to reach an object. Not shipped. */
import {
  createUnionType,
  Arg,
  Args,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  InterfaceType,
  Int,
  Mutation,
  ObjectType,
  Query,
  Resolver,
  Root,
  Subscription,
} from 'type-graphql';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { connection, connectionOf, PageArguments, windowOf } from '../../src/graphql/connections.js';
import type { GraphContext } from '../../src/graphql/context.js';
import { OneOf, Permission, Public } from '../../src/graphql/directives.js';
import { answer } from '../../src/graphql/errors.js';
import { Feed, type News } from '../../src/graphql/feeds.js';
import { CreationInput, MutationInput, ScopeInput } from '../../src/graphql/inputs.js';
import { decodeId } from '../../src/graphql/node-ids.js';
import { CreationPayload, MutationPayload } from '../../src/graphql/payloads.js';
import { buildGuardedSchema } from '../../src/graphql/schema.js';
import { DateTime, JsonValue } from '../../src/graphql/scalars.js';
import { BadInput, problem, reject, succeed, type Page } from '../../src/iam/index.js';

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly joinedAt: number;
}

export const people: readonly Person[] = ['u1', 'u2', 'u3'].map((id, index) => ({
  id,
  name: `Name ${id}`,
  joinedAt: index,
}));

const person = (id: string): Person | null => people.find((each) => each.id === id) ?? null;

/** What resolvers did, in order. */
export const trail: string[] = [];

@InterfaceType({ description: 'Object with an id.' })
export abstract class Node {
  @Field(() => ID, { description: 'Id.' })
  id!: string;
}

@Permission({ action: 'iam:users:getUser', resource: 'iam::{account}:user:{source.id}', scope: 'ANY' })
@ObjectType({ description: 'A user.', implements: Node, simpleResolvers: true })
export class User extends Node {
  @Field(() => String, { description: 'Name.' })
  name!: string;

  @Field(() => DateTime, { description: 'Joined.' })
  joinedAt!: number;

  @Permission({ action: 'iam:credentials:getCredential', resource: 'iam:::credential:{source.id}', scope: 'ANY' })
  @Field(() => String, { nullable: true, description: 'Secret hint.' })
  hint!: string | null;
}

@Permission({ action: 'iam:groups:getGroup', resource: 'iam::{account}:group:{source.id}', scope: 'ANY' })
@ObjectType({ description: 'A group.', implements: Node, simpleResolvers: true })
export class Group extends Node {
  @Field(() => User, { nullable: true, description: 'Owner.' })
  owner!: Person | null;
}

@ObjectType({ description: 'A label.', simpleResolvers: true })
class Tag {
  @Field(() => String, { description: 'Key.' })
  key!: string;
}

const Found = createUnionType({ name: 'Found', description: 'User or label.', types: () => [User, Tag] as const });

const UserConnection = connectionOf('User', () => User, { item: 'user', items: 'users' });
const MemberConnection = connectionOf('Member', () => User, {
  item: 'member',
  items: 'members',
  added: 'the user joined',
});

@InputType({ description: 'Input.' })
class CreateUserInput extends CreationInput {
  @Field(() => String, { description: 'Name.' })
  name!: string;

  @Field(() => JsonValue, { nullable: true, description: 'Extra.' })
  extra?: unknown;
}

@ObjectType({ description: 'Payload.', simpleResolvers: true })
class CreateUserPayload extends CreationPayload {
  @Field(() => User, { nullable: true, description: 'The user.' })
  user!: Person | null;

  @Field(() => [User], { nullable: 'itemsAndList', description: 'Others.' })
  others!: readonly Person[];

  @Field(() => Group, { nullable: true, description: 'A group.' })
  group!: unknown;
}

@InputType({ description: 'Input.' })
class RenameUserInput extends MutationInput {
  @Field(() => ID, { description: 'User.' })
  id!: string;
}

@ObjectType({ description: 'Payload.', simpleResolvers: true })
class RenameUserPayload extends MutationPayload {
  @Field(() => User, { nullable: true, description: 'The user.' })
  user!: Person | null;
}

@OneOf()
@InputType({ description: 'Who.' })
class SubjectInput {
  @Field(() => ID, { nullable: true, description: 'User.' })
  user?: string;

  @Field(() => ID, { nullable: true, description: 'Group.' })
  group?: string;
}

const onePage = <R extends { id: string }>(records: readonly R[]): Page<R> => ({
  rows: records.map((record) => ({ record, position: { key: record.id, id: record.id } })),
  hasNext: false,
  hasPrevious: false,
});

const groupOf = (id: string) => ({ __typename: 'Group', id, owner: person('u2') });

export class PeopleFeed extends Feed {
  readonly wakening = 'EVERY';
  private told = false;

  async next(): Promise<News> {
    trail.push('looked');
    const events = this.told ? [] : people;
    this.told = true;
    return { events, more: false };
  }
}

async function* unguarded(): AsyncGenerator<Person> {
  yield* people;
}

@Resolver(() => Group)
export class SampleResolver {
  @Public('Says whether the service is up.')
  @Query(() => String, { nullable: true, description: 'Status.' })
  status(): string {
    trail.push('status');
    return 'up';
  }

  @Permission({ action: 'iam:users:getUser', resource: 'iam::{account}:user:{args.id}', scope: 'ANY' })
  @Query(() => User, { nullable: true, description: 'One user.' })
  user(@Arg('id', () => ID, { description: 'Id.' }) id: string): Person | null {
    trail.push(`user ${id}`);
    return person(decodeId('User', id));
  }

  @Permission({ action: 'iam:users:listUsers', scope: 'ANY' })
  @Query(() => UserConnection, { nullable: true, description: 'Users.' })
  users(@Args(() => PageArguments) page: PageArguments, @Ctx() { cursors }: GraphContext): unknown {
    trail.push('users');
    return connection(
      onePage(people),
      windowOf(cursors.of('people'), page, { by: 'NAME', direction: 'ASC' }),
      async () => {
        trail.push('count');
        return people.length;
      },
    );
  }

  @Permission({ action: 'iam:users:listUsers', scope: 'ANY' })
  @Query(() => [User], { nullable: 'itemsAndList', description: 'Users as they come.' })
  promised(): unknown {
    return Promise.resolve([people[0], Promise.resolve(people[1]), null]);
  }

  @Permission({ action: 'bailiwick:session:use', scope: 'ANY' })
  @Query(() => Node, { nullable: true, description: 'Any object.' })
  node(@Arg('id', () => ID, { description: 'Id.' }) id: string): unknown {
    return id.startsWith('g') ? groupOf(id) : { ...person(id), __typename: 'User' };
  }

  @Permission({ action: 'bailiwick:session:use', scope: 'ANY' })
  @Query(() => [Node], { nullable: 'itemsAndList', description: 'Any objects.' })
  nodes(): unknown {
    return [{ ...person('u1'), __typename: 'User' }, groupOf('g1'), { id: 'x', __typename: 'Nothing' }].slice(0, 2);
  }

  @Permission({ action: 'bailiwick:session:use', scope: 'ANY' })
  @Query(() => Node, { nullable: true, description: 'An object that does not say what it is.' })
  unnamed(): unknown {
    return person('u1');
  }

  @Permission({ action: 'bailiwick:session:use', scope: 'ANY' })
  @Query(() => User, { nullable: true, description: 'A user whose record lacks what the rule names.' })
  incomplete(): unknown {
    return { name: 'Nobody' };
  }

  @Permission({ action: 'bailiwick:session:use', scope: 'ANY' })
  @Query(() => [Found], { nullable: 'itemsAndList', description: 'A union.' })
  search(): unknown {
    return [
      { ...person('u1'), __typename: 'User' },
      { key: 'k', __typename: 'Tag' },
    ];
  }

  @Permission({ action: 'iam:groups:getGroup', scope: 'ANY' })
  @Query(() => Group, { nullable: true, description: 'A group.' })
  group(): unknown {
    return groupOf('g1');
  }

  @Permission({ anyOf: ['iam:users:createUser', 'iam:users:updateUser'], scope: 'ACCOUNT' })
  @Query(() => String, { nullable: true, description: 'Needs account scope.' })
  directory(): string {
    trail.push('directory');
    return 'open';
  }

  @Permission({ action: 'modelarts:workspace:get', scope: 'WORKSPACE' })
  @Query(() => String, { nullable: true, description: 'Needs a workspace.' })
  here(): string {
    return 'here';
  }

  @Permission({
    action: 'iam:credentials:listCredentials',
    resource: 'iam:::credential:{args.userId|caller}',
    scope: 'ANY',
  })
  @Query(() => String, { nullable: true, description: 'Defaults to the caller.' })
  credentials(@Arg('userId', () => ID, { nullable: true, description: 'User.' }) userId?: string): string {
    return userId ?? 'own';
  }

  @Public('Takes inputs apart.')
  @Query(() => JsonValue, { nullable: true, description: 'Echo.' })
  echo(
    @Arg('value', () => JsonValue, { nullable: true, description: 'Value.' }) value: unknown,
    @Arg('subject', () => SubjectInput, { nullable: true, description: 'Subject.' }) subject?: SubjectInput,
    @Arg('at', () => DateTime, { nullable: true, description: 'Time.' }) at?: number,
    @Arg('scope', () => ScopeInput, { nullable: true, description: 'Scope.' }) scope?: ScopeInput,
  ): unknown {
    return value ?? subject ?? at ?? scope ?? null;
  }

  @Public('Fails in every way.')
  @Query(() => Int, { nullable: true, description: 'Fault.' })
  fault(@Arg('kind', () => String, { description: 'Kind.' }) kind: string): unknown {
    if (kind === 'input') throw new BadInput('the cursor is bad', 'IAM.0011');
    if (kind === 'serialize') return 'no number';
    if (kind === 'string') throw 'a string'; // eslint-disable-line @typescript-eslint/only-throw-error
    throw Object.assign(new Error('password is hunter2'), { extensions: { code: 'FORBIDDEN' } });
  }

  @Permission({ action: 'bailiwick:session:use', scope: 'ANY' })
  @FieldResolver(() => MemberConnection, { nullable: true, description: 'Members.' })
  members(
    @Root() group: { id: string },
    @Args(() => PageArguments) page: PageArguments,
    @Ctx() { cursors }: GraphContext,
  ): unknown {
    trail.push(`members ${group.id}`);
    return connection(onePage(people), windowOf(cursors.of('people'), page, { by: 'NAME', direction: 'ASC' }));
  }

  @Permission({ action: 'iam:users:createUser', scope: 'ACCOUNT' })
  @Mutation(() => CreateUserPayload, { nullable: true, description: 'Creates.' })
  createUser(
    @Arg('input', () => CreateUserInput, { description: 'Input.' }) input: CreateUserInput,
    @Ctx() context: GraphContext,
  ): unknown {
    trail.push(`create ${input.name}`);
    if (input.name === '') {
      const problems = [
        problem('INVALID', 'a name is needed', 'name'),
        problem('LIMIT_EXCEEDED', 'too many', 'name', { limit: 3 }),
        problem('NOT_HELD', 'gain', 'name', { actions: ['a:b:c'] }),
        problem('POLICY_DOCUMENT', 'bad', 'extra', { pointer: '/Statement', line: 1, column: 2 }),
      ];
      return answer(context, input, reject(...problems), () => ({}));
    }
    const user = { id: 'new', name: input.name, joinedAt: 5 };
    return answer(context, input, succeed(user, 7), () => ({ user, others: people, group: groupOf('g1') }));
  }

  @Permission({ action: 'iam:users:updateUser', resource: 'iam::{account}:user:{args.input.id}', scope: 'ACCOUNT' })
  @Mutation(() => RenameUserPayload, { nullable: true, description: 'Renames.' })
  async renameUser(
    @Arg('input', () => RenameUserInput, { description: 'Input.' }) input: RenameUserInput,
    @Ctx() context: GraphContext,
  ): Promise<unknown> {
    trail.push(`rename ${decodeId('User', input.id)}`);
    return answer(context, input, succeed(people[0], 8), (user) => ({ user }));
  }

  @Permission({ action: 'bailiwick:audit:list', scope: 'ANY' })
  @Subscription(() => User, { nullable: true, description: 'Changes.', subscribe: () => new PeopleFeed() })
  userChanged(@Root() event: Person): unknown {
    return event;
  }

  @Permission({ action: 'bailiwick:audit:list', scope: 'ANY' })
  @Subscription(() => User, { nullable: true, description: 'A stream of its own.', subscribe: () => unguarded() })
  userRumoured(@Root() event: Person): unknown {
    return event;
  }
}

export const sample = buildGuardedSchema({
  resolvers: [SampleResolver],
  catalogue: platformCatalogue,
});
