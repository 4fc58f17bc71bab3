/**
 * The API's schema with the real guard over resolvers that always have something: every field yields an object, every
 * list one item, every text the same. So an operation asks everything that it can ask.
 */
import { readFileSync } from 'node:fs';
import { mapSchema, MapperKind } from '@graphql-tools/utils';
import {
  buildSchema,
  getNamedType,
  getNullableType,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  type GraphQLField,
  type GraphQLFieldConfig,
  type GraphQLInputType,
  type GraphQLOutputType,
  type GraphQLSchema,
} from 'graphql';
import { guardSchema } from '../../src/graphql/guard.js';
import { readRules, type SchemaRules } from '../../src/graphql/rules.js';

/** Every text that the pretended resolvers answer. */
export const sameText = 'some';

export interface Pretence {
  /** Type of what stands behind an interface. */
  type: string | null;
  /** Whether payloads are those of an idempotent repeat. */
  replayed: boolean;
}

export function plainSchema(): GraphQLSchema {
  return buildSchema(readFileSync(new URL('../../schema/schema.graphql', import.meta.url), 'utf8'));
}

export function pretendSchema(plain: GraphQLSchema, rules: SchemaRules, pretence: Pretence): GraphQLSchema {
  const pretending = mapSchema(plain, {
    [MapperKind.COMPOSITE_FIELD]: (field: GraphQLFieldConfig<unknown, unknown>) => ({
      ...field,
      resolve: () => pretended(plain, field.type, pretence),
    }),
    [MapperKind.ABSTRACT_TYPE]: (type) => {
      type.resolveType = (value: { readonly __typename: string }) => value.__typename;
      return type;
    },
  });
  // Subscriptions are answered event by event; the guard wants to know what they listen to.
  const fields = pretending.getSubscriptionType()?.getFields() ?? {};
  for (const field of Object.values(fields)) field.subscribe = () => undefined;
  return guardSchema(pretending, { ...rules, ...readTypes(plain) });
}

function readTypes(plain: GraphQLSchema): Pick<SchemaRules, 'types' | 'fields' | 'roots'> {
  const { types, fields, roots } = readRules(plain);
  return { types, fields, roots };
}

function pretended(schema: GraphQLSchema, type: GraphQLOutputType, pretence: Pretence): unknown {
  const nullable = getNullableType(type);
  if (isListType(nullable)) return [pretended(schema, nullable.ofType, pretence)];
  const named = getNamedType(type);
  if (isEnumType(named)) return named.getValues()[0]?.value;
  if (isLeafType(named)) {
    const values: Readonly<Record<string, unknown>> = { Int: 1, Float: 1, Boolean: true };
    return values[named.name] ?? sameText;
  }
  const possible = isAbstractType(named) ? schema.getPossibleTypes(named) : [named];
  const chosen = possible.find(({ name }) => name === pretence.type) ?? possible[0];
  const texts = new Proxy<Record<string, unknown>>(
    {
      __typename: chosen?.name,
      replayed: pretence.replayed && chosen !== undefined && 'getFields' in chosen && 'replayed' in chosen.getFields(),
      node: { __typename: '', id: sameText, urn: sameText },
    },
    {
      get: (own, name) =>
        typeof name === 'string' && name in own ? own[name] : name === 'then' ? undefined : sameText,
    },
  );
  return texts;
}

/** A value for each argument that has to be given; and somebody else’s id where one’s own is meant without. */
export function neededArguments({ args }: GraphQLField<unknown, unknown>): Readonly<Record<string, unknown>> {
  const needed = args.filter(({ type, defaultValue }) => isNonNullType(type) && defaultValue === undefined);
  return Object.fromEntries(needed.map(({ name, type }) => [name, valueFor(type)]));
}

function valueFor(type: GraphQLInputType): unknown {
  const nullable = getNullableType(type);
  if (isListType(nullable)) return [valueFor(nullable.ofType)];
  if (isEnumType(nullable)) return nullable.getValues()[0]?.name;
  if (!isInputObjectType(nullable)) {
    const values: Readonly<Record<string, unknown>> = { Int: 1, Float: 1, Boolean: true };
    return values[nullable.toString()] ?? 'given';
  }
  const members = Object.values(nullable.getFields());
  const given = nullable.isOneOf
    ? members.slice(0, 1)
    : members.filter(
        ({ name, type: of, defaultValue }) => name === 'userId' || (isNonNullType(of) && defaultValue === undefined),
      );
  return Object.fromEntries(given.map((member) => [member.name, valueFor(member.type)]));
}
