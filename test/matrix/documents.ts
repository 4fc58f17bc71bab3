/** Operations that ask for everything: every field reachable from a root field, nested, generated from the schema. */
import {
  getNamedType,
  isAbstractType,
  isInputObjectType,
  isNonNullType,
  isObjectType,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';

/** Steps to a leaf: field names and `... on Type` conditions. */
type Path = readonly string[];

interface Tree {
  readonly [step: string]: Tree;
}

/** Levels that an operation may have below its root field. */
const deepest = 11;

function levelsOf(path: Path): number {
  return path.filter((step) => !step.startsWith('... on ')).length;
}

/**
 * Selections that together reach every leaf within `hops` objects of this type, each within the limits of an
 * operation. Wrappers of lists are no hop.
 */
export function selections(
  schema: GraphQLSchema,
  type: GraphQLNamedType,
  hops: number,
  leaves = 220,
): readonly string[] {
  const ofSchema = written.get(schema) ?? new Map<string, readonly string[]>();
  written.set(schema, ofSchema);
  const key = `${type.name} ${hops} ${leaves}`;
  const known = ofSchema.get(key) ?? write(schema, type, hops, leaves);
  ofSchema.set(key, known);
  return known;
}

/** The same are asked for again and again, and the deep ones take longer to write than to answer. */
const written = new WeakMap<GraphQLSchema, Map<string, readonly string[]>>();

function write(schema: GraphQLSchema, type: GraphQLNamedType, hops: number, leaves: number): readonly string[] {
  const paths = pathsOf(schema, type, hops).filter((path) => levelsOf(path) <= deepest);
  const texts: string[] = [];
  for (let from = 0; from < paths.length; from += leaves) texts.push(print(treeOf(paths.slice(from, from + leaves))));
  return texts;
}

function pathsOf(schema: GraphQLSchema, type: GraphQLNamedType, hops: number): readonly Path[] {
  if (isAbstractType(type)) {
    return schema
      .getPossibleTypes(type)
      .flatMap((possible) => pathsOf(schema, possible, hops).map((path) => [`... on ${possible.name}`, ...path]));
  }
  if (!isObjectType(type)) return [];
  return Object.values(type.getFields()).flatMap((field): readonly Path[] => {
    if (needsArguments(field)) return [];
    const next = getNamedType(field.type);
    if (!isObjectType(next) && !isAbstractType(next)) return [[field.name]];
    const left = isWrapper(next) ? hops : hops - 1;
    if (left <= 0) return [];
    // What `nodes` reaches, `edges` reaches as well; one of them is enough below the first list.
    if (field.name === 'nodes') return [];
    return pathsOf(schema, next, left).map((path) => [field.name, ...path]);
  });
}

function isWrapper(type: GraphQLNamedType): boolean {
  return /(Connection|Edge|PageInfo)$/.test(type.name);
}

function needsArguments(field: GraphQLField<unknown, unknown>): boolean {
  return field.args.some(({ type, defaultValue }) => isNonNullType(type) && defaultValue === undefined);
}

function treeOf(paths: readonly Path[]): Tree {
  const root: Record<string, Tree> = {};
  for (const path of paths) {
    let at = root;
    for (const step of path) at = at[step] ??= {};
  }
  return root;
}

function print(tree: Tree): string {
  const inner = Object.entries(tree).map(([step, below]) =>
    Object.keys(below).length === 0 ? step : `${step} ${print(below)}`,
  );
  return `{ ${inner.join(' ')} }`;
}

/** Names of the input's members of kind ID, for mutations that can be pointed at somebody else's objects. */
export function idMembers(mutation: GraphQLField<unknown, unknown>): readonly string[] {
  const input = mutation.args.find(({ name }) => name === 'input');
  const type = input === undefined ? null : getNamedType(input.type);
  if (!isInputObjectType(type)) return [];
  return Object.values(type.getFields())
    .filter((member) => getNamedType(member.type).name === 'ID' && member.name !== 'idempotencyKey')
    .map(({ name }) => name);
}

export function rootType(schema: GraphQLSchema): GraphQLObjectType {
  const type = schema.getQueryType();
  if (type == null) throw new Error('the schema has no Query');
  return type;
}
