/** Problems that the caller can mend, as payloads show them: one interface, concrete types where there is more to say. */
import 'reflect-metadata';
import { Field, Int, InterfaceType, ObjectType, registerEnumType } from 'type-graphql';
import { userErrorCodes, type UserErrorCode, type UserProblem } from '../iam/index.js';

/** The enum as type-graphql wants it: names that are their own values. */
const UserErrorCodes = Object.fromEntries(Object.keys(userErrorCodes).map((code) => [code, code])) as {
  readonly [Code in UserErrorCode]: Code;
};

registerEnumType(UserErrorCodes, {
  name: 'UserErrorCode',
  description: 'Code of a problem that the caller can mend. New ones may be added; treat an unknown one as INVALID.',
  valuesConfig: Object.fromEntries(
    Object.entries(userErrorCodes).map(([code, description]) => [code, { description }]),
  ),
});

@InterfaceType({ description: 'Problem of an input that the caller can mend. When there is one, nothing was changed.' })
export abstract class UserError {
  @Field(() => UserErrorCodes, { description: 'Code of the problem.' })
  code!: UserErrorCode;

  @Field(() => String, { description: 'Message of the problem; says what to do next.' })
  message!: string;

  @Field(() => [String], {
    nullable: true,
    description: 'Path of the input value that has the problem, for instance `["input", "name"]`.',
  })
  path!: readonly string[] | null;

  @Field(() => String, {
    nullable: true,
    description: 'Code that the platform’s own APIs give this problem, for instance `IAM.1109`.',
  })
  reference!: string | null;
}

@ObjectType({ description: 'Problem with nothing more to say.', implements: UserError, simpleResolvers: true })
export class GenericUserError extends UserError {}

@ObjectType({ description: 'Problem inside a policy document.', implements: UserError, simpleResolvers: true })
export class PolicyDocumentError extends UserError {
  @Field(() => String, { description: 'JSON pointer of the place in the document (RFC 6901).' })
  pointer!: string;

  @Field(() => Int, { nullable: true, description: 'Line of the place, counted from 1, when the document was text.' })
  line!: number | null;

  @Field(() => Int, { nullable: true, description: 'Column of the place, counted from 1, when the document was text.' })
  column!: number | null;
}

@ObjectType({ description: 'Problem of a maximum that was reached.', implements: UserError, simpleResolvers: true })
export class LimitExceededError extends UserError {
  @Field(() => Int, { description: 'Maximum that applies.' })
  limit!: number;
}

@ObjectType({
  description: 'Problem of giving more than one holds oneself.',
  implements: UserError,
  simpleResolvers: true,
})
export class NotHeldError extends UserError {
  @Field(() => [String], { description: 'Actions of the gain that the caller does not hold there.' })
  actions!: readonly string[];
}

export type ShownProblem = UserProblem & { readonly __typename: string };

/** Names the concrete type of a problem by what it has to say. */
export function shownProblem(problem: UserProblem): ShownProblem {
  return { ...problem, __typename: typeOf(problem) };
}

function typeOf({ pointer, limit, actions }: UserProblem): string {
  if (pointer !== undefined) return PolicyDocumentError.name;
  if (limit !== undefined) return LimitExceededError.name;
  if (actions !== undefined) return NotHeldError.name;
  return GenericUserError.name;
}
