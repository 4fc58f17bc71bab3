/** The root fields of the schema with their rules, and operations that ask them; all read from the schema itself. */
import {
  getNamedType,
  isCompositeType,
  isObjectType,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';
import { readRules, type RootRule } from '../../src/graphql/rules.js';

export interface RootField {
  /** `Query.users` */
  readonly at: string;
  readonly kind: 'query' | 'mutation' | 'subscription';
  readonly field: GraphQLField<unknown, unknown>;
  readonly rule: RootRule;
}

export function rootFields(schema: GraphQLSchema): readonly RootField[] {
  const { roots } = readRules(schema);
  const of = (type: GraphQLObjectType | null | undefined, kind: RootField['kind']): RootField[] =>
    Object.values(type?.getFields() ?? {}).map((field) => {
      const at = `${type?.name ?? ''}.${field.name}`;
      const rule = roots.get(at);
      if (rule === undefined) throw new Error(`${at} has no rule`);
      return { at, kind, field, rule };
    });
  return [
    ...of(schema.getQueryType(), 'query'),
    ...of(schema.getMutationType(), 'mutation'),
    ...of(schema.getSubscriptionType(), 'subscription'),
  ];
}

/** An operation for one field with exactly these arguments as variables. */
export function operationFor({ kind, field }: RootField, args: Readonly<Record<string, unknown>>): string {
  const used = field.args.filter(({ name }) => name in args);
  const variables = used.map(({ name, type }) => `$${name}: ${String(type)}`).join(', ');
  const values = used.map(({ name }) => `${name}: $${name}`).join(', ');
  const head = variables === '' ? kind : `${kind} Asked(${variables})`;
  return `${head} { answer: ${field.name}${values === '' ? '' : `(${values})`} ${selection(field)} }`;
}

function selection(field: GraphQLField<unknown, unknown>): string {
  const type = getNamedType(field.type);
  if (!isCompositeType(type)) return '';
  if (isObjectType(type) && 'userErrors' in type.getFields()) return '{ __typename userErrors { code message } }';
  return '{ __typename }';
}
