/** Inputs of a `@oneOf` type: whether values of variables choose as they should, and where a document writes one out. */
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

/** Requests that somebody else received: a signature is counted each time that it is looked at. */
const lookedAtOnce: ReadonlySet<string> = new Set(['SignedRequestInput']);

/** A member of an input, or a variable, behind which one of several could be given, or what is looked at only once. */
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

/**
 * Whether exactly one of several is given wherever that is asked for in a value of this type, and none that may be looked
 * at only once. Whatever else may be wrong with the value is for others to find.
 */
export function choosesPlainly(type: GraphQLInputType, value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (isNonNullType(type)) return choosesPlainly(type.ofType, value);
  if (isListType(type)) {
    const inner = type.ofType;
    return Array.isArray(value) ? value.every((item) => choosesPlainly(inner, item)) : choosesPlainly(inner, value);
  }
  if (!isInputObjectType(type) || typeof value !== 'object') return true;
  if (lookedAtOnce.has(type.name)) return false;
  const members = value as Readonly<Record<string, unknown>>;
  if (type.isOneOf) {
    const names = Object.keys(members);
    if (names.length !== 1 || members[names[0] ?? ''] == null) return false;
  }
  return choicesIn(type).every((choice) => choosesPlainly(choice.type, members[choice.name]));
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
    return (
      named.isOneOf ||
      lookedAtOnce.has(named.name) ||
      Object.values(named.getFields()).some((field) => reaches(field.type))
    );
  };
  return reaches(type);
}
