/**
 * Enforces the rules of a schema by wrapping its resolvers.
 *
 * Root fields: the question is asked before the resolver runs, and a refusal is an error. Objects of a guarded type: the
 * type's question is asked wherever a field yields one — in a list, on an edge, behind an interface — and a refused one
 * is null, silently, as if it did not exist. Nested fields with a rule of their own: asked on access, null when refused.
 *
 * INVARIANT: whatever goes wrong while asking ends in a refusal. INVARIANT: nothing here waits for anything that is not
 * a promise already: an async wrapper on every field would cost more than the questions.
 */
import { mapSchema, MapperKind } from '@graphql-tools/utils';
import {
  getNamedType,
  getNullableType,
  isAbstractType,
  isInterfaceType,
  isListType,
  isObjectType,
  type GraphQLFieldConfig,
  type GraphQLFieldResolver,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLSchema,
} from 'graphql';
import { BadInput, OutcomeUnknown, Unavailable, type Call, type Decision } from '../iam/index.js';
import type { GraphContext } from './context.js';
import { brokenCredential, refusal, shownUnavailable } from './errors.js';
import { Feed, streamOf } from './feeds.js';
import { isPayload, type PermissionRule, type RootRule, type SchemaRules } from './rules.js';
import { fillTemplate } from '../urn-templates/index.js';
import { plainId } from './node-ids.js';

type Args = Readonly<Record<string, unknown>>;
type Resolver = GraphQLFieldResolver<unknown, GraphContext, Record<string, unknown>>;
type FieldConfig = GraphQLFieldConfig<unknown, GraphContext, Record<string, unknown>>;
/** Lets an object through or answers null in its place. */
type Gate = (value: unknown, context: GraphContext) => unknown;

export function guardSchema(schema: GraphQLSchema, rules: SchemaRules): GraphQLSchema {
  const gates = new Gates(schema, rules);
  const kinds = new Map<string | undefined, 'query' | 'mutation' | 'subscription'>([
    [schema.getQueryType()?.name, 'query'],
    [schema.getMutationType()?.name, 'mutation'],
    [schema.getSubscriptionType()?.name, 'subscription'],
  ]);
  return mapSchema(schema, {
    [MapperKind.COMPOSITE_FIELD]: (field: FieldConfig, fieldName, typeName) => {
      const type = schema.getType(typeName);
      if (isInterfaceType(type)) return undefined;
      // Whoever is given an edge has been asked about its node; without a resolver it is that very node.
      if (type !== undefined && isEdge(type) && fieldName === 'node' && field.resolve === undefined) return undefined;
      const at = `${typeName}.${fieldName}`;
      const kind = kinds.get(typeName);
      const gate = gates.ofField(field.type);
      if (kind === undefined) {
        const ofPayload = isPayload(typeName) && isOwnObject(field.type);
        return guardNestedField(field, fieldName, rules.fields.get(at), ofPayload ? whenReplayed(gate) : always(gate));
      }
      const rule = rules.roots.get(at);
      if (kind === 'subscription') return guardSubscription(field, fieldName, rule, gate);
      return guardRootField(field, fieldName, rule, gate, kind === 'mutation');
    },
  });
}

function guardRootField(
  field: FieldConfig,
  fieldName: string,
  rule: RootRule | undefined,
  gate: Gate | null,
  isMutation: boolean,
): FieldConfig {
  const original = field.resolve ?? propertyReader(fieldName);
  if (!isMutation) {
    return {
      ...field,
      resolve: (source, args, context, info) => {
        enter(rule, args, context);
        return passed(original(source, args, context, info), gate, context);
      },
    };
  }
  // graphql runs root mutation fields one after the other. Actor, rights and loaders are made anew after each (rule 21):
  // its payload is read, and the next one asked, as what the change left behind.
  const mutate: Resolver = async (source, args, context, info) => {
    enter(rule, args, context);
    const { call } = context;
    try {
      const value = await original(source, args, context, info);
      await context.afterMutation();
      return await passed(value, gate, context);
    } catch (error) {
      throw shownUnavailable(call.hasChanged && error instanceof Unavailable ? unreadable(call, error) : error);
    }
  };
  const inSeries: Resolver = (source, args, context, info) => {
    const renewed = context.beforeMutation();
    return renewed === null
      ? mutate(source, args, context, info)
      : renewed.then((): unknown => mutate(source, args, context, info));
  };
  return { ...field, resolve: inSeries };
}

/** What is unavailable was not done, as everybody is told; what was done and cannot be answered any more is something else. */
function unreadable({ requestId }: Call, { message, detail }: Unavailable): OutcomeUnknown {
  const made = 'the change was made, but its result cannot be read just now; read it before you try again';
  return new OutcomeUnknown(made, requestId, detail ?? message);
}

function guardSubscription(
  field: FieldConfig,
  fieldName: string,
  rule: RootRule | undefined,
  gate: Gate | null,
): FieldConfig {
  const { subscribe: begin } = field;
  if (begin === undefined) throw new Error(`the subscription ${fieldName} has nothing to listen to`);
  const original = field.resolve ?? propertyReader(fieldName);
  return {
    ...field,
    subscribe: (source, args, context, info) => {
      enter(rule, args, context);
      return mapped(begin(source, args, context, info), (feed) => {
        if (!(feed instanceof Feed)) throw new Error(`the subscription ${fieldName} brings no feed`);
        return streamOf(feed, context, () => enter(rule, args, context));
      });
    },
    // The stream has opened the call anew for this event.
    resolve: (source, args, context, info) => {
      enter(rule, args, context);
      return passed(original(source, args, context, info), gate, context);
    },
  };
}

function guardNestedField(
  field: FieldConfig,
  fieldName: string,
  rule: PermissionRule | undefined,
  gateFor: ((source: unknown) => Gate | null) | null,
): FieldConfig {
  if (rule === undefined && gateFor === null) return field;
  const original = field.resolve ?? propertyReader(fieldName);
  return {
    ...field,
    resolve: (source, args, context, info) => {
      if (rule !== undefined && !isAllowed(rule, source, args, context)) return null;
      return passed(original(source, args, context, info), gateFor === null ? null : gateFor(source), context);
    },
  };
}

function always(gate: Gate | null): ((source: unknown) => Gate | null) | null {
  return gate === null ? null : () => gate;
}

/**
 * Rule 15: what a mutation made or changed is readable in its payload. An idempotent repeat made nothing: it shows the
 * object as it is by now, which is read like any other.
 */
function whenReplayed(gate: Gate | null): ((source: unknown) => Gate | null) | null {
  if (gate === null) return null;
  return (source) => ((source as { readonly replayed?: unknown }).replayed === true ? gate : null);
}

/** What the mutation is about, rather than a list: those are its relations. */
function isOwnObject(type: GraphQLOutputType): boolean {
  return isObjectType(getNullableType(type)) && !isEdge(getNamedType(type));
}

/** What a field without a resolver answers; unlike graphql's own, it needs nothing from the executor. */
function propertyReader(name: string): Resolver {
  return (source) => (source as Args | null | undefined)?.[name];
}

/** Opens a root field or throws. A field without a rule stays shut: the proof should never have let it through. */
function enter(rule: RootRule | undefined, args: Args, context: GraphContext): void {
  const { call } = context;
  if (call.broken !== null) throw brokenCredential(call);
  if (rule === undefined) throw new Error('a root field has no rule');
  if (rule.kind === 'public') return;
  const decision = ask(rule, undefined, args, context);
  if (decision === null) throw new BadInput('an id is empty; give the id of what is meant');
  if (decision.effect !== 'ALLOW') throw refusal(call, decision);
}

function isAllowed(rule: PermissionRule, source: unknown, args: Args, context: GraphContext): boolean {
  const value = soleValue(rule, source);
  if (value === null) return ask(rule, source, args, context)?.effect === 'ALLOW';
  const answers = context.answers.of(rule);
  answers.everywhere ??= context.call.mayEverywhere(rule.anyOf, rule.scope);
  if (answers.everywhere) return true;
  let allowed = answers.byValue.get(value);
  if (allowed === undefined) {
    allowed = ask(rule, source, args, context)?.effect === 'ALLOW';
    answers.byValue.set(value, allowed);
  }
  return allowed;
}

/** What of an object decides the answer of a rule, where that is one text; null where it is not, and each is asked about. */
function soleValue({ resource }: PermissionRule, source: unknown): string | null {
  const property = resource?.soleProperty;
  if (property == null || typeof source !== 'object' || source === null) return null;
  const value = (source as Args)[property];
  return typeof value === 'string' && value !== '' ? value : null;
}

const noArguments: Args = {};

/** Null: the action is allowed, but nothing says on which resource, and so nothing is. */
function ask(
  { anyOf, resource, scope }: PermissionRule,
  source: unknown,
  args: Args,
  { call }: GraphContext,
): Decision | null {
  if (resource === null) return call.ask(anyOf, null, scope);
  const urn = fillTemplate(resource, {
    accountId: call.accountId,
    callerId: call.principal.id,
    args,
    source,
    plain: plainId,
  });
  const decision = call.ask(anyOf, urn, scope);
  // Without its resource the question was another one; what it allows counts for nothing.
  return urn === null && decision.effect === 'ALLOW' ? null : decision;
}

/** The gates of a schema's types; a type that nothing guards has none. */
class Gates {
  readonly #schema: GraphQLSchema;
  readonly #rules: SchemaRules;

  constructor(schema: GraphQLSchema, rules: SchemaRules) {
    this.#schema = schema;
    this.#rules = rules;
  }

  /** The gate behind a field: lists go through item by item. */
  ofField(type: GraphQLOutputType): Gate | null {
    const nullable = getNullableType(type);
    if (!isListType(nullable)) return this.#ofType(getNamedType(nullable));
    const gate = this.ofField(nullable.ofType);
    return gate === null ? null : (items, context) => (isIterable(items) ? passedItems(items, gate, context) : items);
  }

  #ofType(type: GraphQLNamedType): Gate | null {
    if (isAbstractType(type)) return this.#ofAbstract(type.name);
    if (!isObjectType(type)) return null;
    const rule = this.#rules.types.get(type.name);
    if (rule !== undefined) return (value, context) => (isAllowed(rule, value, noArguments, context) ? value : null);
    // An edge tells of its node even without it (cursor, facts of the relationship), so it goes with the node.
    const node = isEdge(type) ? type.getFields()['node'] : undefined;
    const nodeGate = node === undefined ? null : this.#ofType(getNamedType(node.type));
    if (nodeGate === null) return null;
    return (edge, context) => {
      const nodeOfEdge = (edge as { readonly node?: unknown }).node;
      return nodeOfEdge == null || nodeGate(nodeOfEdge, context) !== null ? edge : null;
    };
  }

  /** Behind an interface or a union the object says what it is, by `__typename`. */
  #ofAbstract(name: string): Gate | null {
    const type = this.#schema.getType(name);
    if (!isAbstractType(type)) return null;
    const gates = new Map(
      this.#schema.getPossibleTypes(type).map((possible) => [possible.name, this.#ofType(possible)]),
    );
    if ([...gates.values()].every((gate) => gate === null)) return null;
    return (value, context) => {
      const gate = gates.get(typeNameOf(value));
      if (gate === undefined) throw new Error(`an object behind ${name} does not say which type it is`);
      return gate === null ? value : gate(value, context);
    };
  }
}

function isEdge(type: GraphQLNamedType): boolean {
  return isObjectType(type) && type.name.endsWith('Edge');
}

export function typeNameOf(value: unknown): string {
  const name = (value as { readonly __typename?: unknown } | null)?.__typename;
  return typeof name === 'string' ? name : '';
}

/** Sends a result through a gate: at once when it is there, when it arrives otherwise. */
function passed(result: unknown, gate: Gate | null, context: GraphContext): unknown {
  if (gate === null || result == null) return result;
  if (isPromise(result)) return result.then((value) => passed(value, gate, context));
  if (result instanceof Error) return result;
  return gate(result, context);
}

/** The items that a gate lets through, null in the place of the others; the very list where it lets all of them through. */
function passedItems(items: Iterable<unknown>, gate: Gate, context: GraphContext): readonly unknown[] {
  const list: readonly unknown[] = Array.isArray(items) ? items : Array.from(items);
  let shown: unknown[] | null = null;
  for (let at = 0; at < list.length; at += 1) {
    const item = list[at];
    const through = passed(item, gate, context);
    if (through === item) continue;
    shown ??= [...list];
    shown[at] = through;
  }
  return shown ?? list;
}

function mapped(result: unknown, map: (value: unknown) => unknown): unknown {
  return isPromise(result) ? result.then(map) : map(result);
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}
