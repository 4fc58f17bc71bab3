/**
 * Which permissions an operation asks for, read from its text alone: what the guard would ask wherever the operation
 * could lead, whoever runs it. Pure over a schema, its rules and a document, so that a command and the server say the
 * same; a test holds it against what the guard really asks.
 *
 * What use-cases ask about rows is not known here: `needs` repeats what the description of a field says of it.
 */
import {
  getNamedType,
  getNullableType,
  isAbstractType,
  isCompositeType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  valueFromASTUntyped,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql';
import { escapeSegment, type Template } from '../urn-templates/index.js';
import type {
  AskedPermission,
  AskedResource,
  DeclaredNeeds,
  DeclaredPermission,
  DeclaredPermissions,
  FittingScope,
  OperationPermissions,
  ReadOptions,
} from './asked-permissions.js';
import { fragmentsOf } from './fragments.js';
import { isPayload, type SchemaRules } from './rules.js';

/** Far more than an operation that is answered can have. */
const usualMost = 20_000;

/** The document must be valid for the schema. */
export function permissionsOfOperation(
  schema: GraphQLSchema,
  declared: DeclaredPermissions,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  options: ReadOptions = {},
): OperationPermissions {
  const reading = new Reading(schema, declared, document, operation, options);
  const root = schema.getRootType(operation.operation);
  const places = root == null ? everywhere : reading.root(operation.selectionSet, root);
  return {
    kind: operation.operation,
    name: operation.name?.value ?? null,
    asked: [...reading.asked.values()],
    open: [...reading.open],
    scope: fitting(places.doors),
    wholeScope: fitting(places.whole),
    needs: [...reading.needs.values()],
    complete: reading.complete,
  };
}

type Place = 'ACCOUNT' | 'WORKSPACE';
type Places = readonly Place[];

/** Where what was read lets somebody in: at its doors, and in all of its parts. */
interface Fits {
  readonly doors: Places;
  readonly whole: Places;
}

const both: Places = ['ACCOUNT', 'WORKSPACE'];
const everywhere: Fits = { doors: both, whole: both };

function fitting(places: Places): FittingScope {
  const [first, second] = places;
  if (first === undefined) return 'IMPOSSIBLE';
  return second === undefined ? first : 'EITHER';
}

function within(one: Places, other: Places): Places {
  return one.filter((place) => other.includes(place));
}

function alsoWithin(one: Fits, other: Fits): Fits {
  return { doors: within(one.doors, other.doors), whole: within(one.whole, other.whole) };
}

/** Of several types the object is of one: what fits any of them fits. */
function anyFit(fits: readonly Fits[]): Fits {
  if (fits.length === 0) return everywhere;
  const some = (read: (one: Fits) => Places): Places =>
    both.filter((place) => fits.some((one) => read(one).includes(place)));
  return { doors: some(({ doors }) => doors), whole: some(({ whole }) => whole) };
}

/** Where a selection stands. */
interface Spot {
  readonly path: readonly string[];
  readonly onType: string | null;
  readonly conditional: boolean;
}

class Reading {
  readonly asked = new Map<string, AskedPermission>();
  readonly open = new Set<string>();
  readonly needs = new Map<string, DeclaredNeeds>();
  complete = true;
  readonly #schema: GraphQLSchema;
  readonly #declared: DeclaredPermissions;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly #variables: ReadonlyMap<string, unknown>;
  readonly #plain: (text: string) => string;
  readonly #most: number;
  #steps = 0;

  constructor(
    schema: GraphQLSchema,
    declared: DeclaredPermissions,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    { variables, plain = (text) => text, most = usualMost }: ReadOptions,
  ) {
    this.#schema = schema;
    this.#declared = declared;
    this.#plain = plain;
    this.#most = most;
    this.#fragments = fragmentsOf(document);
    // A default is what is sent only when no value is: known where the values are.
    this.#variables =
      variables === undefined
        ? new Map()
        : new Map(
            (operation.variableDefinitions ?? []).map(({ variable: { name }, defaultValue }) => [
              name.value,
              variables[name.value] !== undefined || defaultValue === undefined
                ? (variables[name.value] ?? null)
                : valueFromASTUntyped(defaultValue),
            ]),
          );
  }

  root(selectionSet: SelectionSetNode, type: GraphQLObjectType): Fits {
    let fits = everywhere;
    for (const { node, conditional } of this.#fieldsOf(selectionSet, type, false)) {
      const path = [responseName(node)];
      const spot = { path, onType: null, conditional };
      const name = node.name.value;
      if (name === '__schema' || name === '__type') {
        if (this.#declared.customs) this.#note(`${type.name}.${name}`, introspection, 'ERROR', node, spot, {});
        continue;
      }
      const field = type.getFields()[name];
      if (field === undefined) continue;
      const coordinate = `${type.name}.${name}`;
      const rule = this.#declared.roots.get(coordinate);
      if (rule === undefined) this.open.add(coordinate);
      else {
        fits = alsoWithin(fits, this.#note(coordinate, rule, 'ERROR', node, spot, { arguments: field }));
        this.#noteNeeds(coordinate, path, field, rule);
      }
      fits = alsoWithin(fits, this.#below(node, field, null, spot));
    }
    return fits;
  }

  /** What stands before the value of a field, and below it. */
  #below(node: FieldNode, field: GraphQLField<unknown, unknown>, parent: GraphQLObjectType | null, spot: Spot): Fits {
    const type = getNamedType(field.type);
    if (!isCompositeType(type) || node.selectionSet === undefined) return everywhere;
    const refused = isNonNullType(innermost(field.type)) ? 'ERROR' : 'NULL';
    const payload =
      parent !== null && this.#declared.customs && isPayload(parent.name) && isOwnObject(field.type) ? parent : null;
    const set = node.selectionSet;
    if (isObjectType(type)) {
      return alsoWithin(this.#gate(type, refused, node, spot, payload), this.#selections(set, type, spot));
    }
    return anyFit(
      this.#typesMeant(set, type).map((possible) => {
        const there = { ...spot, onType: possible.name };
        return alsoWithin(this.#gate(possible, refused, node, there, payload), this.#selections(set, possible, there));
      }),
    );
  }

  #selections(selectionSet: SelectionSetNode, type: GraphQLObjectType, spot: Spot): Fits {
    let fits = everywhere;
    for (const { node, conditional } of this.#fieldsOf(selectionSet, type, spot.conditional)) {
      const field = type.getFields()[node.name.value];
      if (field === undefined) continue;
      const there = { ...spot, path: [...spot.path, responseName(node)], conditional };
      const coordinate = `${type.name}.${field.name}`;
      const rule = this.#declared.fields.get(coordinate);
      if (rule !== undefined) {
        const refused = isNonNullType(field.type) ? 'ERROR' : 'NULL';
        fits = alsoWithin(fits, this.#note(coordinate, rule, refused, node, there, { arguments: field }));
      }
      fits = alsoWithin(fits, this.#below(node, field, type, there));
    }
    return fits;
  }

  /** The question of an object's type; that of its node before an edge. */
  #gate(
    type: GraphQLObjectType,
    refused: AskedPermission['whenRefused'],
    node: FieldNode,
    spot: Spot,
    payload: GraphQLObjectType | null,
  ): Fits {
    // What a mutation made is readable in its payload; an idempotent repeat made nothing.
    if (payload !== null && !('replayed' in payload.getFields())) return everywhere;
    const more = { onlyWhenRepeated: payload !== null };
    const rule = this.#declared.types.get(type.name);
    if (rule !== undefined) return this.#note(type.name, rule, refused, node, spot, more);
    const behind = this.#declared.customs && type.name.endsWith('Edge') ? type.getFields()['node'] : undefined;
    const named = behind === undefined ? null : getNamedType(behind.type);
    if (named === null || !isCompositeType(named)) return everywhere;
    if (isObjectType(named)) {
      const ofNode = this.#declared.types.get(named.name);
      return ofNode === undefined ? everywhere : this.#note(named.name, ofNode, refused, node, spot, more);
    }
    return anyFit(
      this.#schema.getPossibleTypes(named).map((possible) => {
        const ofNode = this.#declared.types.get(possible.name);
        const there = { ...spot, onType: possible.name };
        return ofNode === undefined ? everywhere : this.#note(possible.name, ofNode, refused, node, there, more);
      }),
    );
  }

  #note(
    coordinate: string,
    { anyOf, resource, scope }: DeclaredPermission,
    whenRefused: AskedPermission['whenRefused'],
    node: FieldNode,
    { path, onType, conditional }: Spot,
    more: { readonly arguments?: GraphQLField<unknown, unknown>; readonly onlyWhenRepeated?: boolean },
  ): Fits {
    const asked = resource === null ? null : this.#filled(resource, node, more.arguments);
    const question = {
      coordinate,
      path,
      anyOf,
      scope,
      resource: asked,
      whenRefused,
      onType,
      onlyWhenRepeated: more.onlyWhenRepeated ?? false,
      conditional,
      node,
    };
    const key = `${path.join('.')} ${coordinate} ${onType ?? ''} ${JSON.stringify(asked?.parts)}`;
    const known = this.asked.get(key);
    if (known === undefined) this.asked.set(key, question);
    // Selected twice, it is left out only when both are.
    else if (known.conditional && !conditional) this.asked.set(key, { ...known, conditional });
    if (question.onlyWhenRepeated) return everywhere;
    const places: Places = scope === 'ANY' ? both : [scope];
    return { doors: whenRefused === 'ERROR' ? places : both, whole: places };
  }

  #noteNeeds(
    coordinate: string,
    path: readonly string[],
    { description }: GraphQLField<unknown, unknown>,
    { anyOf }: DeclaredPermission,
  ): void {
    const sentence = /\bNeeds [^.]+\./.exec((description ?? '').replaceAll(/\s+/g, ' '))?.[0];
    if (sentence === undefined) return;
    const named = [...sentence.matchAll(/`([\w-]+:[\w-]*:[\w-]+)`/g)].map(([, action = '']) => action);
    const further = [...new Set(named)].filter((action) => !anyOf.includes(action));
    this.needs.set(path.join('.'), { coordinate, path, sentence, further });
  }

  /** Types that the selections mean: those that they have conditions for, else all there are. */
  #typesMeant(set: SelectionSetNode, type: GraphQLCompositeType): readonly GraphQLObjectType[] {
    if (!isAbstractType(type)) return [type];
    const possible = this.#schema.getPossibleTypes(type);
    const conditions = this.#conditionsIn(set);
    const meant = possible.filter(({ name }) => conditions.some((condition) => this.#includes(condition, name)));
    return meant.length === 0 ? possible : meant;
  }

  #conditionsIn({ selections }: SelectionSetNode): readonly GraphQLNamedType[] {
    return selections.flatMap((selection) => {
      if (selection.kind === Kind.FIELD) return [];
      const fragment = selection.kind === Kind.FRAGMENT_SPREAD ? this.#fragments.get(selection.name.value) : selection;
      if (fragment === undefined) return [];
      const on =
        fragment.typeCondition === undefined ? undefined : this.#schema.getType(fragment.typeCondition.name.value);
      const inner = this.#conditionsIn(fragment.selectionSet);
      return isObjectType(on) ? [on] : inner.length > 0 || on === undefined ? inner : [];
    });
  }

  #includes(condition: GraphQLNamedType, typeName: string): boolean {
    if (isObjectType(condition)) return condition.name === typeName;
    return isAbstractType(condition) && this.#schema.getPossibleTypes(condition).some(({ name }) => name === typeName);
  }

  /** The fields that an object of this type answers, fragments put in place. */
  #fieldsOf(
    { selections }: SelectionSetNode,
    type: GraphQLObjectType,
    conditional: boolean,
  ): { readonly node: FieldNode; readonly conditional: boolean }[] {
    return selections.flatMap((selection) => {
      this.#steps += 1;
      if (this.#steps > this.#most) {
        this.complete = false;
        return [];
      }
      const here = conditional || (selection.directives ?? []).some(({ name }) => /^(skip|include)$/.test(name.value));
      if (selection.kind === Kind.FIELD) {
        return selection.name.value === '__typename' ? [] : [{ node: selection, conditional: here }];
      }
      const fragment = selection.kind === Kind.FRAGMENT_SPREAD ? this.#fragments.get(selection.name.value) : selection;
      if (fragment === undefined) return [];
      const on =
        fragment.typeCondition === undefined ? undefined : this.#schema.getType(fragment.typeCondition.name.value);
      if (on !== undefined && !this.#includes(on, type.name)) return [];
      return this.#fieldsOf(fragment.selectionSet, type, here);
    });
  }

  #filled(
    { text, parts }: Template,
    node: FieldNode,
    field: GraphQLField<unknown, unknown> | undefined,
  ): AskedResource {
    const whole = parts.length === 1;
    return {
      template: text,
      parts: parts.map((part) => {
        if (typeof part === 'string' || part.kind !== 'argument') return part;
        const value = this.#argument(node, field, part.path);
        if (value === unknown) return part;
        if (value == null) return part.orCaller ? { kind: 'caller' } : part;
        if (typeof value !== 'string' && typeof value !== 'number') return part;
        const plain = this.#plain(String(value));
        return whole ? plain : escapeSegment(plain);
      }),
    };
  }

  /** The value of an argument, or of a member of it; `unknown` where the document leaves it to a variable. */
  #argument(node: FieldNode, field: GraphQLField<unknown, unknown> | undefined, path: readonly string[]): unknown {
    const [name = '', ...members] = path;
    let value: ValueNode | undefined = node.arguments?.find((argument) => argument.name.value === name)?.value;
    if (value === undefined) return field?.args.find((argument) => argument.name === name)?.defaultValue ?? null;
    for (const [index, member] of members.entries()) {
      if (value.kind === Kind.VARIABLE) return this.#memberOf(value.name.value, members.slice(index));
      if (value.kind !== Kind.OBJECT) return null;
      value = value.fields.find(({ name: { value: own } }) => own === member)?.value;
      if (value === undefined) return null;
    }
    return value.kind === Kind.VARIABLE ? this.#memberOf(value.name.value, []) : valueFromASTUntyped(value);
  }

  #memberOf(variable: string, path: readonly string[]): unknown {
    if (!this.#variables.has(variable)) return unknown;
    return path.reduce<unknown>(
      (owner, name) => (typeof owner === 'object' && owner !== null ? (owner as Record<string, unknown>)[name] : null),
      this.#variables.get(variable),
    );
  }
}

const unknown = Symbol('left to a variable');

const introspection: DeclaredPermission = { anyOf: ['bailiwick:schema:introspect'], resource: null, scope: 'ANY' };

function responseName(node: FieldNode): string {
  return node.alias?.value ?? node.name.value;
}

/** What the mutation is about, rather than a list. */
function isOwnObject(type: GraphQLOutputType): boolean {
  return isObjectType(getNullableType(type)) && !getNamedType(type).name.endsWith('Edge');
}

function innermost(type: GraphQLOutputType): GraphQLOutputType {
  const nullable = getNullableType(type);
  return isListType(nullable) ? innermost(nullable.ofType) : type;
}

/** The rules of this API as an analysis takes them; public root fields are left out. */
export function declaredByRules({
  roots,
  types,
  fields,
}: Pick<SchemaRules, 'roots' | 'types' | 'fields'>): DeclaredPermissions {
  const guarded = [...roots].flatMap(([at, rule]) => (rule.kind === 'permission' ? [[at, rule] as const] : []));
  return { roots: new Map(guarded), types, fields, customs: true };
}
