/**
 * Which operations may be compiled (docs/decisions/0089-prepared-operations.md). The compiler writes a program, and what a
 * client wrote must never become a part of it; and the program grows with what it is made of, not with the text of the
 * document. So this is a list of what may stand in a document, and whatever is not on it is left to the executor.
 */
import {
  doTypesOverlap,
  getNamedType,
  getNullableType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isObjectType,
  isSpecifiedScalarType,
  Kind,
  TypeInfo,
  typeFromAST,
  visit,
  visitWithTypeInfo,
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { fragmentsOf } from './fragments.js';

/**
 * Largest that is compiled. Each field and each argument is one, fields of an interface for each type that may stand there, and
 * what is asked for more than once each time: so the compiler writes them. A field of an input is four, as it is written with
 * many checks, and every operation is ten from the beginning.
 */
export const largestCompiled = 400;

const sizeOfInputField = 4;
const smallest = 10;

/** Names are written into the program again and again. */
const longestName = 64;

/** The compiler walks through everything below a field, for each field; so far it may go altogether. */
const longestWalk = 5_000;

/** How large a program an operation is compiled to, at most `largestCompiled`; null: it may not be compiled. */
export function compiledSizeOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): number | null {
  const root = schema.getRootType(operation.operation);
  if (root == null || !isHarmless(schema, document)) return null;
  const fragments = fragmentsOf(document);
  if (new Walk(fragments).lengthOf(operation.selectionSet) > longestWalk) return null;
  const inputs = sizeOfInputs(schema, operation);
  const size = smallest + inputs + new Expansion(schema, fragments).sizeOf(root, operation.selectionSet);
  return size > largestCompiled ? null : size;
}

/**
 * Whether nothing but names, numbers and whole variables stands in a document. The compiler writes values into its program
 * as source text, and looks in texts for marks of its own, so that a text could be read as a program; it reads variables
 * within lists, objects and JSON otherwise than the executor; an object of its program has `__proto__` for what it inherits
 * from; and it puts names of answers together with `_`, so that two with one within could be taken for one another.
 */
function isHarmless(schema: GraphQLSchema, document: DocumentNode): boolean {
  const types = new TypeInfo(schema);
  let harmless = true;
  const refuse = (): void => {
    harmless = false;
  };
  const checkLeaf = (): void => {
    const type = getNullableType(types.getInputType());
    // A scalar of the schema's own makes of a value what it likes.
    harmless &&= isEnumType(type) || (type != null && 'name' in type && isSpecifiedScalarType(type));
  };
  visit(
    document,
    visitWithTypeInfo(types, {
      [Kind.NAME]: (node) => {
        harmless &&= node.value !== '__proto__' && node.value.length <= longestName;
      },
      [Kind.FIELD]: ({ alias }) => {
        harmless &&= !(alias?.value.includes('_') ?? false);
      },
      [Kind.STRING]: refuse,
      [Kind.LIST]: refuse,
      [Kind.OBJECT]: refuse,
      [Kind.INT]: checkLeaf,
      [Kind.FLOAT]: checkLeaf,
      [Kind.BOOLEAN]: checkLeaf,
      [Kind.ENUM]: checkLeaf,
      [Kind.NULL]: checkLeaf,
    }),
  );
  return harmless;
}

/** Infinite where an input may stand within itself: the compiler would not come to an end. */
function sizeOfInputs(schema: GraphQLSchema, { variableDefinitions = [] }: OperationDefinitionNode): number {
  const sizes = variableDefinitions.map(({ type: node }) => {
    // A switch over kinds of node is all that tells the overloads apart.
    const type = typeFromAST(schema, node) as GraphQLInputType | undefined;
    return type === undefined ? Infinity : sizeOfInput(type, new Set());
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

function sizeOfInput(type: GraphQLInputType, around: ReadonlySet<GraphQLInputObjectType>): number {
  const named = getNamedType(type);
  if (!isInputObjectType(named)) return sizeOfInputField;
  if (around.has(named)) return Infinity;
  const within = new Set([...around, named]);
  return Object.values(named.getFields()).reduce(
    (sum, field) => sum + sizeOfInput(field.type, within),
    sizeOfInputField,
  );
}

interface Walked {
  /** Selections, with those of fragments wherever they are spread, whether or not their conditions can hold. */
  readonly selections: number;
  /** Selections below each field, together. */
  readonly length: number;
}

/** How far the compiler walks: again for each field, through every spread again. Each fragment is measured once. */
class Walk {
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly #ofFragments = new Map<string, Walked>();

  constructor(fragments: ReadonlyMap<string, FragmentDefinitionNode>) {
    this.#fragments = fragments;
  }

  lengthOf(selectionSet: SelectionSetNode): number {
    return this.#through(selectionSet).length;
  }

  #through(selectionSet: SelectionSetNode | undefined): Walked {
    let selections = 0;
    let length = 0;
    for (const selection of selectionSet?.selections ?? []) {
      const below =
        selection.kind === Kind.FRAGMENT_SPREAD
          ? this.#throughFragment(selection.name.value)
          : this.#through(selection.selectionSet);
      selections += 1 + below.selections;
      length += below.length + (selection.kind === Kind.FIELD ? below.selections : 0);
    }
    return { selections, length };
  }

  #throughFragment(name: string): Walked {
    const known = this.#ofFragments.get(name);
    if (known !== undefined) return known;
    // Validation has refused those that spread themselves.
    this.#ofFragments.set(name, { selections: Infinity, length: Infinity });
    const walked = this.#through(this.#fragments.get(name)?.selectionSet);
    this.#ofFragments.set(name, walked);
    return walked;
  }
}

/** Counts what the compiler writes, and stops when it is too much: a few names can stand for millions of fields. */
class Expansion {
  readonly #schema: GraphQLSchema;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  #counted = 0;

  constructor(schema: GraphQLSchema, fragments: ReadonlyMap<string, FragmentDefinitionNode>) {
    this.#schema = schema;
    this.#fragments = fragments;
  }

  sizeOf(type: GraphQLCompositeType, selectionSet: SelectionSetNode): number {
    this.#add(type, selectionSet);
    return this.#counted;
  }

  #add(type: GraphQLCompositeType, selectionSet: SelectionSetNode): void {
    const possible = isAbstractType(type) ? this.#schema.getPossibleTypes(type) : [type];
    for (const each of possible) this.#addOf(each, selectionSet);
  }

  #addOf(type: GraphQLObjectType, { selections }: SelectionSetNode): void {
    for (const selection of selections) {
      if (this.#counted > largestCompiled) return;
      this.#counted += 1;
      if (selection.kind === Kind.FIELD) {
        this.#counted += selection.arguments?.length ?? 0;
        const below = getNamedType(type.getFields()[selection.name.value]?.type);
        if (selection.selectionSet !== undefined && isCompositeType(below)) this.#add(below, selection.selectionSet);
        continue;
      }
      const fragment = selection.kind === Kind.INLINE_FRAGMENT ? selection : this.#fragments.get(selection.name.value);
      if (fragment !== undefined && this.#fits(type, fragment.typeCondition?.name.value)) {
        this.#addOf(type, fragment.selectionSet);
      }
    }
  }

  #fits(type: GraphQLObjectType, condition: string | undefined): boolean {
    const wanted = condition === undefined ? type : this.#schema.getType(condition);
    return (
      isCompositeType(wanted) && (isObjectType(wanted) ? wanted === type : doTypesOverlap(this.#schema, type, wanted))
    );
  }
}
