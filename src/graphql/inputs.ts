/** What mutation inputs have in common, and small inputs that several subjects use. */
import 'reflect-metadata';
import { Field, ID, InputType, Int } from 'type-graphql';
import { BadInput, type ScopeChoice, type Tag } from '../iam/index.js';
import { OneOf } from './directives.js';
import { decodeId } from './node-ids.js';

@InputType()
export abstract class MutationInput {
  @Field(() => String, {
    nullable: true,
    description: 'Identifier of the client’s own for the mutation; echoed in the payload and otherwise ignored.',
  })
  clientMutationId?: string | null;
}

@InputType()
export abstract class CreationInput extends MutationInput {
  @Field(() => ID, {
    nullable: true,
    description:
      'Key that makes a retry safe, a UUID for instance: with the same key and input within 24 hours nothing is done twice.',
  })
  idempotencyKey?: string | null;
}

@InputType()
export abstract class UpdateInput extends MutationInput {
  @Field(() => Int, {
    nullable: true,
    description: 'Version of the object that the client read; if the object has changed since, the update is refused.',
  })
  expectedVersion?: number | null;
}

@InputType({ description: 'Label of a resource.' })
export class TagInput implements Tag {
  @Field(() => String, { description: 'Key of the label.' })
  key!: string;

  @Field(() => String, { description: 'Value of the label.' })
  value!: string;
}

@OneOf()
@InputType({ description: 'Scope to act in: the account, or exactly one workspace.' })
export class ScopeInput {
  @Field(() => Boolean, { nullable: true, description: 'Indicates account scope; only `true` has a meaning.' })
  account?: boolean | null;

  @Field(() => ID, { nullable: true, description: 'Identifier of the workspace to act in.' })
  workspace?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Indicates the workspace that the user chose last, the default one if that is closed to them by now; only `true` has a meaning.',
  })
  lastUsed?: boolean | null;
}

/** The members of an input that were given; null says the same as absent. */
export function given<T extends object>(input: T | null | undefined): { [K in keyof T]?: NonNullable<T[K]> } {
  const members = Object.entries(input ?? {}).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(members) as { [K in keyof T]?: NonNullable<T[K]> };
}

/** Members of every input that null cannot change anything in. */
const indifferent = ['clientMutationId', 'expectedVersion'];

/**
 * What an update changes: absent members stay as they are, null stands for the empty value of what has one. Where there
 * is none it is refused rather than passed over: the client meant something by it.
 */
export function changesOf<T extends object>(
  input: T,
  empty: { readonly [K in keyof T]?: NonNullable<T[K]> | null },
): T {
  const members = Object.entries(input).map(([name, value]): [string, unknown] => {
    if (value !== null || indifferent.includes(name)) return [name, value];
    if (Object.hasOwn(empty, name)) return [name, empty[name as keyof T]];
    throw new BadInput(`\`${name}\` cannot be null; leave it out to keep what there is`);
  });
  return Object.fromEntries(members) as T;
}

/** The scope that an input chooses; null when there is no input. */
export function scopeChoice(input: ScopeInput | null | undefined): ScopeChoice | null {
  if (input == null) return null;
  if (input.workspace != null) return { kind: 'workspace', id: decodeId('Workspace', input.workspace) };
  if (input.lastUsed === true) return { kind: 'lastUsed' };
  if (input.account !== true)
    throw new BadInput('`false` names no scope; give `account: true`, `lastUsed: true` or a workspace');
  return { kind: 'account' };
}
