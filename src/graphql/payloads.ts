/** What every mutation's payload has. Bases only: each payload is an object type of its own. */
import 'reflect-metadata';
import { Field, Int, ObjectType } from 'type-graphql';
import { UserError, type ShownProblem } from './user-errors.js';

@ObjectType({ simpleResolvers: true })
export abstract class MutationPayload {
  @Field(() => [UserError], { description: 'Problems of the input; when there is one, nothing was changed.' })
  userErrors!: readonly ShownProblem[];

  @Field(() => Int, {
    nullable: true,
    description: 'Revision of the account that the change made; null when nothing was changed.',
  })
  revision!: number | null;

  @Field(() => String, { nullable: true, description: 'Identifier that the client sent with the mutation.' })
  clientMutationId!: string | null;
}

/** Of mutations that take an `idempotencyKey`. */
@ObjectType({ simpleResolvers: true })
export abstract class CreationPayload extends MutationPayload {
  @Field(() => Boolean, {
    description:
      'Indicates that the idempotency key was used before: nothing was done again and secrets are not shown.',
  })
  replayed!: boolean;
}
