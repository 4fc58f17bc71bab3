/**
 * The two directives that say who may reach what. `@permission` declares a question and nothing else: the answer always
 * comes from the policy engine. Their arguments are plain strings, so that every schema tool can read them.
 */
import 'reflect-metadata';
import { DirectiveLocation, GraphQLDirective, GraphQLList, GraphQLNonNull, GraphQLString } from 'graphql';
import { Directive } from 'type-graphql';
import type { ActionName } from '../catalogue/index.js';
import type { RequiredScope } from '../iam/index.js';

export const permissionDirective = new GraphQLDirective({
  name: 'permission',
  description:
    'Permission needed for a field, or for every object of a type wherever it is reached. Asked before the field is resolved; a refused root field is an error, a refused object or nested field is null.',
  locations: [DirectiveLocation.FIELD_DEFINITION, DirectiveLocation.OBJECT],
  args: {
    action: { type: GraphQLString, description: 'Action asked for, as the catalogue names it.' },
    anyOf: {
      type: new GraphQLList(new GraphQLNonNull(GraphQLString)),
      description: 'Actions of which one is enough; given instead of `action`.',
    },
    resource: {
      type: GraphQLString,
      description:
        'Template of the URN asked about; absent when the question is about the scope as a whole. `{args.input.id}` stands for a declared argument, `{args.input.userId|caller}` for one that defaults to the caller, `{source.id}` for a field of the object, `{account}` (or a blank account segment) and `{caller}` for the caller’s own.',
    },
    scope: {
      type: new GraphQLNonNull(GraphQLString),
      description: 'Kind of scope that the credential must act in: `ACCOUNT`, `WORKSPACE` or `ANY`.',
    },
  },
});

export const publicDirective = new GraphQLDirective({
  name: 'public',
  description: 'Marks a root field that needs no permission. A broken credential is refused all the same.',
  locations: [DirectiveLocation.FIELD_DEFINITION],
  args: {
    reason: { type: new GraphQLNonNull(GraphQLString), description: 'Reason why everybody may use the field.' },
  },
});

/** Values of the argument `scope`, the only ones there are. */
export const requiredScopes: readonly RequiredScope[] = ['ACCOUNT', 'WORKSPACE', 'ANY'];

type SchemaDecorator = ReturnType<typeof Directive>;

export type PermissionOptions = {
  readonly resource?: string;
  readonly scope: RequiredScope;
} & (
  | { readonly action: ActionName; readonly anyOf?: never }
  | { readonly anyOf: readonly [ActionName, ...ActionName[]]; readonly action?: never }
);

/**
 * Declares the permission of a field or of an object type; the compiler knows the actions.
 *
 *   @Permission({ action: 'iam:users:getUser', resource: 'iam::{account}:user:{args.id}', scope: 'ANY' })
 */
export function Permission({ action, anyOf, resource, scope }: PermissionOptions): SchemaDecorator {
  const args = [
    ...(action === undefined ? [] : [`action: ${quote(action)}`]),
    ...(anyOf === undefined ? [] : [`anyOf: [${anyOf.map(quote).join(', ')}]`]),
    ...(resource === undefined ? [] : [`resource: ${quote(resource)}`]),
    `scope: ${quote(scope)}`,
  ];
  return Directive(`@permission(${args.join(', ')})`);
}

/** Declares that a root field is open to everybody, and why. */
export function Public(reason: string): SchemaDecorator {
  return Directive(`@public(reason: ${quote(reason)})`);
}

/** Marks an input of which exactly one member is given. type-graphql has no option for it; schema.ts makes it bind. */
export function OneOf(): SchemaDecorator {
  return Directive('@oneOf');
}

/** A JSON string is a GraphQL string. */
function quote(text: string): string {
  return JSON.stringify(text);
}
