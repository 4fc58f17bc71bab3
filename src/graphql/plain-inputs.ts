/**
 * What compiled coercion does not look at in values of variables: that of a `@oneOf` type exactly one is given, and that an
 * object is not an empty list.
 */
import {
  getNamedType,
  isInputObjectType,
  isListType,
  isNonNullType,
  typeFromAST,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';

/** Requests that somebody else received: a signature is counted each time that it is looked at. */
const lookedAtOnce: ReadonlySet<string> = new Set(['SignedRequestInput']);

/** Whether a value is as plain as it should be; whatever else may be wrong with it is for others to find. */
type IsPlain = (value: unknown) => boolean;

/** A variable behind which objects stand. */
export interface ObjectVariable {
  readonly name: string;
  /** Exactly one is given wherever one of several is asked for, no list for an object, nothing that may be looked at only once. */
  readonly isPlain: IsPlain;
}

/** Such variables of an operation. */
export function objectVariablesOf(
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
): ObjectVariable[] {
  return variableDefinitions.flatMap(({ variable, type: node }) => {
    // A switch over kinds of node is all that tells the overloads apart.
    const type = typeFromAST(schema, node) as GraphQLInputType | undefined;
    if (type === undefined || !isInputObjectType(getNamedType(type))) return [];
    return [{ name: variable.name.value, isPlain: plainnessOf(type) }];
  });
}

/** Made once of a type, as a batch has a thousand values of it. */
function plainnessOf(type: GraphQLInputType): IsPlain {
  if (isNonNullType(type)) return plainnessOf(type.ofType);
  if (isListType(type)) {
    const ofItem = plainnessOf(type.ofType);
    return (value) => (Array.isArray(value) ? value.every(ofItem) : ofItem(value));
  }
  if (!isInputObjectType(type)) return () => true;
  const known = ofObjects.get(type);
  if (known !== undefined) return known;
  if (lookedAtOnce.has(type.name)) return (value) => value === undefined || value === null;
  const { isOneOf } = type;
  // Filled below: types may contain themselves.
  const members: ObjectVariable[] = [];
  const isPlainObject: IsPlain = (value) => {
    if (typeof value !== 'object' || value === null) return true;
    if (Array.isArray(value)) return false;
    const given = value as Readonly<Record<string, unknown>>;
    if (isOneOf) {
      const names = Object.keys(given);
      if (names.length !== 1 || given[names[0] ?? ''] == null) return false;
    }
    return members.every(({ name, isPlain }) => isPlain(given[name]));
  };
  ofObjects.set(type, isPlainObject);
  for (const field of Object.values(type.getFields())) {
    if (isInputObjectType(getNamedType(field.type))) {
      members.push({ name: field.name, isPlain: plainnessOf(field.type) });
    }
  }
  return isPlainObject;
}

const ofObjects = new WeakMap<GraphQLInputObjectType, IsPlain>();
