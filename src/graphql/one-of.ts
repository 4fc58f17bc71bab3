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

/** Whether a value chooses as it should; whatever else may be wrong with it is for others to find. */
type Choosing = (value: unknown) => boolean;

/** A variable behind which objects stand. */
export interface Choice {
  readonly name: string;
  /** Whether exactly one is given wherever one of several is asked for, no list for an object, and nothing that may be looked at only once. */
  readonly isPlain: Choosing;
}

/** Such variables of an operation. */
export function choicesOf(schema: GraphQLSchema, { variableDefinitions = [] }: OperationDefinitionNode): Choice[] {
  return variableDefinitions.flatMap(({ variable, type: node }) => {
    // A switch over kinds of node is all that tells the overloads apart.
    const type = typeFromAST(schema, node) as GraphQLInputType | undefined;
    if (type === undefined || !isChoice(type)) return [];
    return [{ name: variable.name.value, isPlain: choosingOf(type) }];
  });
}

/** Made once of a type, as a batch has a thousand values of it. */
function choosingOf(type: GraphQLInputType): Choosing {
  if (isNonNullType(type)) return choosingOf(type.ofType);
  if (isListType(type)) {
    const ofItem = choosingOf(type.ofType);
    return (value) => (Array.isArray(value) ? value.every(ofItem) : ofItem(value));
  }
  if (!isInputObjectType(type)) return () => true;
  const known = ofObjects.get(type);
  if (known !== undefined) return known;
  if (lookedAtOnce.has(type.name)) return (value) => value === undefined || value === null;
  const { isOneOf } = type;
  // Filled below: types may contain themselves.
  const choices: Choice[] = [];
  const choosing: Choosing = (value) => {
    if (typeof value !== 'object' || value === null) return true;
    if (Array.isArray(value)) return false;
    const members = value as Readonly<Record<string, unknown>>;
    if (isOneOf) {
      const names = Object.keys(members);
      if (names.length !== 1 || members[names[0] ?? ''] == null) return false;
    }
    return choices.every(({ name, isPlain }) => isPlain(members[name]));
  };
  ofObjects.set(type, choosing);
  for (const field of Object.values(type.getFields())) {
    if (isChoice(field.type)) choices.push({ name: field.name, isPlain: choosingOf(field.type) });
  }
  return choosing;
}

const ofObjects = new WeakMap<GraphQLInputObjectType, Choosing>();

function isChoice(type: GraphQLInputType): boolean {
  return isInputObjectType(getNamedType(type));
}
