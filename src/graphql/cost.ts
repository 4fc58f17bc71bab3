/**
 * What an operation costs, known before it runs: every field that yields an object costs a point, once for each object
 * of the lists above it. A page counts as long as `first` or `last` say, a list as long as the argument that it answers;
 * other lists count as `assumedLength`, or as long as the longest list that their field or the one above was given.
 * Fragments are priced once each, so pricing is linear in the document.
 */
import {
  __Schema as __schema,
  __Type as __type,
  getNamedType,
  getNullableType,
  isAbstractType,
  isCompositeType,
  isListType,
  isObjectType,
  Kind,
  valueFromASTUntyped,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql';
import { mostLooks } from '../iam/index.js';
import { pageSize } from './connections.js';
import { fragmentsOf } from './fragments.js';

/** Most points of one operation. */
export const dearestOperation = 500_000;

/** Points that every operation costs at least: reading, authenticating and answering it. */
const leastCost = 1;

const assumedLength = 10;
const mutationCost = 10;

/** A new password is hashed, a given one verified: tens of milliseconds of a core each. */
const hashingCost = 100;

/** How many passwords a mutation hashes or verifies at most; ten are remembered, and a new one is compared with each. */
const hashing: Readonly<Record<string, number>> = {
  signIn: 1,
  createUser: 1,
  deleteSecondFactor: 1,
  resetPassword: 11,
  changePassword: 12,
};

/** A session is a row for days and an event for ever: an actor makes some thousands of them a minute, not more. */
const assumptionCost = 10_000;

/** Milliseconds as a rule, tenths of a second of a core for documents that are made to take long. */
const comparisonCost = 100_000;

/** Each principal is looked for in all that happened since: milliseconds as a rule, tenths of a second in a long trail. */
const recallCost = 10_000;

/** Each action is decided for each of up to fifty agencies; a function is some forty actions, the usual question six functions. */
const readiness = { action: 50, actionsOfFunction: 40, functions: 6 } as const;

/** Reading the schema walks all of it, once for each field that is asked of it. */
const introspectionCost = 100;

/** Every action of the catalogue. */
const wholeCatalogue = 500;

/** A verdict over keys that are not known yet is worth some ten decisions; a page looks at so many actions or principals. */
const openVerdictCost = 10;
const lookedAt: Readonly<Record<string, number>> = { whatCan: wholeCatalogue, whoCan: mostLooks };

/** Lists that are as long as one of their arguments, and how long without it. */
const answered: Readonly<Record<string, { readonly argument: string; readonly otherwise: number }>> = {
  'Query.nodes': { argument: 'ids', otherwise: 1 },
  'Query.checkAccess': { argument: 'requests', otherwise: 1 },
  // About as many as a kind has.
  'Resource.viewerPermissions': { argument: 'actions', otherwise: 20 },
  'Workspace.viewerPermissions': { argument: 'actions', otherwise: 10 },
  'Viewer.permissions': { argument: 'actions', otherwise: wholeCatalogue },
};

type Variables = Readonly<Record<string, unknown>>;

export function costOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Variables,
): number {
  const fixed = fixedCosts.get(operation);
  if (fixed !== undefined) return fixed;
  const root = schema.getRootType(operation.operation);
  if (root == null) return leastCost;
  let given = variables;
  for (const { variable, defaultValue } of operation.variableDefinitions ?? []) {
    // A default that nobody looked at would be a page that nobody priced.
    if (valueAmong(given, variable.name.value) === undefined && defaultValue !== undefined) {
      given = { ...given, [variable.name.value]: valueFromASTUntyped(defaultValue) };
    }
  }
  const pricing = new Pricing(schema, document, given);
  const cost = Math.max(leastCost, pricing.ofSelections(operation.selectionSet, root, 1));
  if (!pricing.readsVariables) fixedCosts.set(operation, cost);
  return cost;
}

/** Costs of operations that cost the same whatever their variables. A document is served with one schema only. */
const fixedCosts = new WeakMap<OperationDefinitionNode, number>();

class Pricing {
  /** Whether the cost so far depends on what the variables are. */
  readsVariables = false;
  readonly #schema: GraphQLSchema;
  readonly #document: DocumentNode;
  readonly #variables: Variables;
  /** Length of the longest list in a variable: it may be used many times. */
  readonly #longest = new Map<string, number>();
  /** Null: none was met yet. */
  #fragments: ReadonlyMap<string, FragmentDefinitionNode> | null = null;
  /** By fragment and length of the page that it stands in. */
  readonly #known = new Map<string, number>();

  constructor(schema: GraphQLSchema, document: DocumentNode, variables: Variables) {
    this.#schema = schema;
    this.#document = document;
    this.#variables = variables;
  }

  /** @param page length of the page whose parts are selected, or of the longest list that their parent was given */
  ofSelections({ selections }: SelectionSetNode, type: GraphQLNamedType, page: number): number {
    let sum = 0;
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) sum += this.#ofField(selection, type, page);
      else if (selection.kind === Kind.FRAGMENT_SPREAD) sum += this.#ofFragment(selection.name.value, page);
      else {
        const on = selection.typeCondition?.name.value;
        sum += this.ofSelections(selection.selectionSet, (on && this.#schema.getType(on)) || type, page);
      }
    }
    return sum;
  }

  #ofFragment(name: string, page: number): number {
    const key = `${page} ${name}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    // Validation has refused cycles; one that came by all the same would cost more than anything may.
    this.#known.set(key, Infinity);
    const fragment = (this.#fragments ??= fragmentsOf(this.#document)).get(name);
    const type = fragment && this.#schema.getType(fragment.typeCondition.name.value);
    const cost = fragment && type ? this.ofSelections(fragment.selectionSet, type, page) : 0;
    this.#known.set(key, cost);
    return cost;
  }

  #ofField(node: FieldNode, parent: GraphQLNamedType, page: number): number {
    const name = node.name.value;
    const schemaField = schemaFields[name];
    if (schemaField !== undefined && parent === this.#schema.getQueryType()) {
      const below = node.selectionSet;
      return introspectionCost + (below === undefined ? 0 : this.ofSelections(below, schemaField, 1));
    }
    const field = isObjectType(parent) || isAbstractType(parent) ? fieldOf(parent, name) : undefined;
    if (field === undefined) return 0;
    const type = getNamedType(field.type);
    // The names are reserved; looking each of the types up takes longer than pricing.
    if (parent.name.startsWith('__')) {
      return introspectionCost + (node.selectionSet === undefined ? 0 : this.ofSelections(node.selectionSet, type, 1));
    }
    let given = 0;
    for (const { value } of node.arguments ?? []) given = Math.max(given, this.#longestList(value));
    const own = this.#own(node, field, parent, given);
    if (!isCompositeType(type) || node.selectionSet === undefined) return own;
    if (type.name.endsWith('Connection')) {
      return own + 1 + this.ofSelections(node.selectionSet, type, this.#pageLength(node));
    }
    if (!isListType(getNullableType(field.type))) return own + 1 + this.ofSelections(node.selectionSet, type, given);
    const length = this.#listLength(node, parent, Math.max(page, given));
    return own + length * (1 + this.ofSelections(node.selectionSet, type, 1));
  }

  /** What a field costs beside the objects that it yields. */
  #own(node: FieldNode, { name }: GraphQLField<unknown, unknown>, parent: GraphQLNamedType, given: number): number {
    if (parent === this.#schema.getMutationType()) {
      const made = name === 'assumeAgency' ? assumptionCost : 0;
      return mutationCost + given + made + (hashing[name] ?? 0) * hashingCost;
    }
    if (parent === this.#schema.getSubscriptionType() && name === 'permissionsChanged') {
      const asked = this.#argument(node, 'actions');
      return Array.isArray(asked) ? asked.length : wholeCatalogue;
    }
    if (parent === this.#schema.getQueryType() && name === 'authorizationReadiness') return this.#ofReadiness(node);
    // However short the page: what is not listed had to be looked at all the same.
    if (parent === this.#schema.getQueryType() && name in lookedAt) return (lookedAt[name] ?? 0) * openVerdictCost;
    if (parent === this.#schema.getQueryType() && name === 'comparePolicies') return comparisonCost;
    if (parent === this.#schema.getQueryType() && name === 'recallAccess') {
      return lengthOf(this.#argument(node, 'requests')) * recallCost;
    }
    if (parent !== this.#schema.getQueryType() || name !== 'simulateAccess') return name === 'totalCount' ? 1 : 0;
    const input = this.#argument(node, 'input') as { policies?: unknown; requests?: unknown } | undefined;
    return lengthOf(input?.policies) * lengthOf(input?.requests);
  }

  #ofReadiness(node: FieldNode): number {
    const input = this.#argument(node, 'input') as { functions?: unknown; actions?: unknown } | undefined;
    const actions = lengthOf(input?.actions);
    const functions = lengthOf(input?.functions);
    const asked = functions + actions === 0 ? readiness.functions : functions;
    return (actions + asked * readiness.actionsOfFunction) * readiness.action;
  }

  #pageLength(node: FieldNode): number {
    const asked = this.#argument(node, 'first') ?? this.#argument(node, 'last');
    // What is out of range is refused when it runs; until then it must not make the operation cheap.
    const length = typeof asked === 'number' && Number.isFinite(asked) ? asked : pageSize.default;
    return Math.min(pageSize.maximum, Math.max(1, length));
  }

  #listLength(node: FieldNode, parent: GraphQLNamedType, page: number): number {
    if (parent.name.endsWith('Connection')) return page;
    const known = answered[`${parent.name}.${node.name.value}`];
    if (known === undefined) return Math.max(assumedLength, page);
    const value = this.#argument(node, known.argument);
    return Array.isArray(value) ? value.length : known.otherwise;
  }

  #longestList(node: ValueNode): number {
    if (node.kind === Kind.LIST)
      return Math.max(node.values.length, ...node.values.map((value) => this.#longestList(value)));
    if (node.kind === Kind.OBJECT) return Math.max(0, ...node.fields.map(({ value }) => this.#longestList(value)));
    if (node.kind !== Kind.VARIABLE) return 0;
    this.readsVariables = true;
    const name = node.name.value;
    const longest = this.#longest.get(name) ?? longestList(valueAmong(this.#variables, name));
    this.#longest.set(name, longest);
    return longest;
  }

  #argument(node: FieldNode, name: string): unknown {
    const value = node.arguments?.find((argument) => argument.name.value === name)?.value;
    return value === undefined ? undefined : this.#valueOf(value);
  }

  /** Only as far as lengths and numbers are concerned. */
  #valueOf(node: ValueNode): unknown {
    if (node.kind === Kind.VARIABLE) {
      this.readsVariables = true;
      return valueAmong(this.#variables, node.name.value);
    }
    if (node.kind === Kind.INT) return Number(node.value);
    if (node.kind === Kind.LIST) return node.values;
    if (node.kind !== Kind.OBJECT) return undefined;
    return Object.fromEntries(node.fields.map((field) => [field.name.value, this.#valueOf(field.value)]));
  }
}

/** As the executor has it: what every object has, `constructor` for one, was not given. */
function valueAmong(variables: Variables, name: string): unknown {
  return Object.hasOwn(variables, name) ? variables[name] : undefined;
}

/** Types of what `__schema` and `__type` answer. */
const schemaFields: Readonly<Record<string, GraphQLNamedType | undefined>> = { __schema, __type };

/** Of variables with long lists, which are limited by them before their operation is priced by them. */
const longestLists = new WeakMap<object, number>();
/** Shorter ones are measured again sooner than they are remembered, however many a client sends. */
const rememberedFrom = 50;

/** Length of the longest list in variables. */
export function longestListAmong(variables: unknown): number {
  if (typeof variables !== 'object' || variables === null) return 0;
  let longest = Array.isArray(variables) ? variables.length : 0;
  for (const value of Object.values(variables)) longest = Math.max(longest, longestList(value));
  return longest;
}

function longestList(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const known = longestLists.get(value);
  if (known !== undefined) return known;
  const longest = findLongestList(value);
  if (longest >= rememberedFrom) longestLists.set(value, longest);
  return longest;
}

/** Does not recurse: nesting is the client's choice. */
function findLongestList(value: object): number {
  let longest = 0;
  const rest: unknown[] = [value];
  while (rest.length > 0) {
    const next = rest.pop();
    if (typeof next !== 'object' || next === null) continue;
    if (Array.isArray(next)) {
      if (next.length > longest) longest = next.length;
      // Texts and numbers have no length that counts.
      for (const item of next) if (typeof item === 'object') rest.push(item);
      continue;
    }
    const members = next as Readonly<Record<string, unknown>>;
    for (const name in members) if (typeof members[name] === 'object') rest.push(members[name]);
  }
  return longest;
}

function fieldOf(type: GraphQLNamedType, name: string): GraphQLField<unknown, unknown> | undefined {
  return 'getFields' in type ? (type.getFields()[name] as GraphQLField<unknown, unknown> | undefined) : undefined;
}

/** A single value stands for a list of one. */
function lengthOf(value: unknown): number {
  if (value === undefined || value === null) return 0;
  return Array.isArray(value) ? value.length : 1;
}
