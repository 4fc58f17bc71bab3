/** Where an input of a `@oneOf` type is given: in values of variables, and written out in a document. */
import {
  getNamedType,
  isInputObjectType,
  isListType,
  isNonNullType,
  Kind,
  TypeInfo,
  typeFromAST,
  visit,
  visitWithTypeInfo,
  type DocumentNode,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';

/** A member of an input, or a variable, behind which one of several could be given. */
export interface Choice {
  readonly name: string;
  readonly type: GraphQLInputType;
}

/** Variables of an operation behind which one of several could be given. */
export function choicesOf(schema: GraphQLSchema, { variableDefinitions = [] }: OperationDefinitionNode): Choice[] {
  return variableDefinitions.flatMap(({ variable, type: node }) => {
    // A switch over kinds of node is all that tells the overloads apart.
    const type = typeFromAST(schema, node) as GraphQLInputType | undefined;
    return type !== undefined && isChoice(type) ? [{ name: variable.name.value, type }] : [];
  });
}

/** Whether one of several is given anywhere in a value of this type. */
export function givesOneOf(type: GraphQLInputType, value: unknown): boolean {
  if (value === undefined || value === null) return false;
  if (isNonNullType(type)) return givesOneOf(type.ofType, value);
  if (isListType(type)) {
    const inner = type.ofType;
    return Array.isArray(value) ? value.some((item) => givesOneOf(inner, item)) : givesOneOf(inner, value);
  }
  if (!isInputObjectType(type)) return false;
  if (type.isOneOf) return true;
  const members = value as Readonly<Record<string, unknown>>;
  return choicesIn(type).some((choice) => givesOneOf(choice.type, members[choice.name]));
}

/** Whether one of several is written out somewhere in a document. */
export function writesOneOf(schema: GraphQLSchema, document: DocumentNode): boolean {
  const types = new TypeInfo(schema);
  let written = false;
  visit(
    document,
    visitWithTypeInfo(types, {
      [Kind.OBJECT]: {
        enter: () => {
          const type = getNamedType(types.getInputType());
          written ||= isInputObjectType(type) && type.isOneOf;
        },
      },
    }),
  );
  return written;
}

const known = new WeakMap<GraphQLInputObjectType, readonly Choice[]>();

/** Members behind which one of several could be given. */
function choicesIn(type: GraphQLInputObjectType): readonly Choice[] {
  const found = known.get(type);
  if (found !== undefined) return found;
  // Types may contain themselves.
  const choices = Object.values(type.getFields()).filter((field) => isChoice(field.type));
  known.set(type, choices);
  return choices;
}

function isChoice(type: GraphQLInputType): boolean {
  const seen = new Set<unknown>();
  const reaches = (inner: GraphQLInputType): boolean => {
    const named = getNamedType(inner);
    if (!isInputObjectType(named) || seen.has(named)) return false;
    seen.add(named);
    return named.isOneOf || Object.values(named.getFields()).some((field) => reaches(field.type));
  };
  return reaches(type);
}
