/**
 * The proof before start-up that no field can be reached unasked: run on the schema before its resolvers are wrapped. A
 * guard that can be forgotten will be; a directive with a typing error must never count as none. All problems are
 * reported together.
 */
import { getDocumentNodeFromSchema } from '@graphql-tools/utils';
import {
  buildASTSchema,
  getNamedType,
  getNullableType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
  validateSchema,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
} from 'graphql';
import type { Catalogue } from '../catalogue/index.js';
import { permissionDirective } from './directives.js';
import {
  directivesOf,
  hasOwnResolver,
  isPayload,
  isRootType,
  isTransparent,
  readRules,
  type PermissionRule,
  type SchemaRules,
} from './rules.js';

/** Thrown when a schema cannot be shown to be guarded. */
export class SchemaNotGuarded extends Error {
  constructor(readonly problems: readonly string[]) {
    super(
      `the schema is not guarded; ${problems.length} to mend:\n${problems.map((each) => `  - ${each}`).join('\n')}`,
    );
    this.name = 'SchemaNotGuarded';
  }
}

/** Proves a schema and answers the rules that the guard has to enforce; throws `SchemaNotGuarded`. */
export function proveSchema(schema: GraphQLSchema, catalogue: Catalogue): SchemaRules {
  const rules = readRules(schema);
  const problems = [
    ...validateSchema(schema).map(({ message }) => message),
    ...rules.problems,
    ...unknownActions(rules, catalogue),
    ...Object.values(schema.getTypeMap()).flatMap((type) => coverage(schema, type, rules)),
    ...faultsOfPrint(schema, rules),
  ];
  if (problems.length > 0) throw new SchemaNotGuarded([...new Set(problems)].sort());
  return rules;
}

/** Every rule with its place. */
function permissionsOf({ roots, types, fields }: SchemaRules): readonly (readonly [string, PermissionRule])[] {
  return [...roots, ...types, ...fields].flatMap(([at, rule]) => (rule.kind === 'permission' ? [[at, rule]] : []));
}

function unknownActions(rules: SchemaRules, catalogue: Catalogue): readonly string[] {
  return permissionsOf(rules).flatMap(([at, rule]) =>
    rule.anyOf
      .filter((action) => catalogue.find(action) === undefined)
      .map((action) => {
        const near = catalogue.suggest(action);
        return `${at}: the catalogue has no action \`${action}\`${near === null ? '' : `; did you mean \`${near}\``}`;
      }),
  );
}

function coverage(schema: GraphQLSchema, type: GraphQLNamedType, rules: SchemaRules): readonly string[] {
  if (type.name.startsWith('__')) return [];
  if (isInterfaceType(type)) return interfaceFaults(schema, type.name, rules);
  if (!isObjectType(type)) return [];
  const fields = Object.values(type.getFields());
  if (isRootType(schema, type.name)) return fields.flatMap((field) => rootFaults(schema, type, field, rules));
  const guarded = rules.types.has(type.name);
  const problems: string[] = [];
  if (!guarded && !isTransparent(type)) {
    problems.push(`${type.name}: carries no @permission and is not listed as a plain value`);
  }
  if (guarded && isTransparent(type)) {
    problems.push(`${type.name}: carries @permission but counts as transparent; rename it or take it off the list`);
  }
  for (const field of fields) problems.push(...fieldFaults(schema, type, field, rules, guarded));
  return problems;
}

function rootFaults(
  schema: GraphQLSchema,
  root: GraphQLObjectType,
  field: GraphQLField<unknown, unknown>,
  rules: SchemaRules,
): readonly string[] {
  const at = `${root.name}.${field.name}`;
  const problems: string[] = [];
  // Whatever could not be read is reported where it was read.
  const mentioned = rules.problems.some((problem) => problem.startsWith(`${at}: `));
  if (!rules.roots.has(at) && !mentioned) problems.push(`${at}: needs one of @permission and @public`);
  if (root === schema.getSubscriptionType() && rules.roots.get(at)?.kind === 'public') {
    problems.push(`${at}: nobody listens without a credential, so it must carry @permission`);
  }
  if (isNonNullType(field.type)) problems.push(`${at}: must be nullable, or a refusal would take its siblings along`);
  if (root !== schema.getMutationType() && isPayload(getNamedType(field.type).name)) {
    problems.push(`${at}: only mutations answer payloads`);
  }
  return [...problems, ...nullabilityFaults(schema, at, field, rules)];
}

function fieldFaults(
  schema: GraphQLSchema,
  type: GraphQLObjectType,
  field: GraphQLField<unknown, unknown>,
  rules: SchemaRules,
  guarded: boolean,
): readonly string[] {
  const at = `${type.name}.${field.name}`;
  const problems: string[] = [];
  const ruled = rules.fields.has(at);
  if (hasOwnResolver(field) && !guarded && !ruled) {
    problems.push(
      `${at}: has a resolver of its own, but neither it nor its type carries @permission (a type whose fields only read properties says \`simpleResolvers: true\`)`,
    );
  }
  // What a mutation made is readable in its payload without its type's question, its relations are not ; and a
  // list tells its length even when it hides its items.
  if (!ruled && getNamedType(field.type).name.endsWith('Connection')) {
    problems.push(`${at}: yields a list of its own, so it must carry @permission`);
  }
  if (ruled && isNonNullType(field.type)) problems.push(`${at}: carries @permission, so it must be nullable`);
  if (isPayload(getNamedType(field.type).name)) problems.push(`${at}: only mutations answer payloads`);
  return [...problems, ...nullabilityFaults(schema, at, field, rules)];
}

/** A refused object becomes null, so wherever one can stand null must be allowed. */
function nullabilityFaults(
  schema: GraphQLSchema,
  at: string,
  field: GraphQLField<unknown, unknown>,
  rules: SchemaRules,
): readonly string[] {
  const named = getNamedType(field.type);
  const nodeOfEdge = isObjectType(named) && named.name.endsWith('Edge') ? named.getFields()['node'] : undefined;
  const reached = nodeOfEdge === undefined ? named : getNamedType(nodeOfEdge.type);
  if (!canBeGuarded(schema, reached, rules)) return [];
  // In its payload the object is not asked about; it is null beside userErrors all the same.
  if (isNonNullType(innermost(field.type))) {
    return [`${at}: yields objects of the guarded type ${reached.name}, so ${place(field.type)} must be nullable`];
  }
  return [];
}

function canBeGuarded(schema: GraphQLSchema, type: GraphQLNamedType, rules: SchemaRules): boolean {
  if (isObjectType(type)) return rules.types.has(type.name);
  if (!isInterfaceType(type) && !isUnionType(type)) return false;
  return schema.getPossibleTypes(type).some((possible) => rules.types.has(possible.name));
}

/** The type of the items when it is a list, of lists too. */
function innermost(type: GraphQLOutputType): GraphQLOutputType {
  const nullable = getNullableType(type);
  return isListType(nullable) ? innermost(nullable.ofType) : type;
}

function place(type: GraphQLOutputType): string {
  return isListType(getNullableType(type)) ? 'its items' : 'it';
}

/** What an interface's field declares must be declared by every type that implements it. */
function interfaceFaults(schema: GraphQLSchema, name: string, rules: SchemaRules): readonly string[] {
  const type = schema.getType(name);
  if (!isInterfaceType(type)) return [];
  const declared = Object.values(type.getFields()).filter((field) =>
    directivesOf(field).some((directive) => directive.name.value === permissionDirective.name),
  );
  return declared.flatMap((field) =>
    schema
      .getPossibleTypes(type)
      .filter((possible) => !rules.fields.has(`${possible.name}.${field.name}`))
      .map((possible) => `${possible.name}.${field.name}: lacks the @permission that ${name}.${field.name} declares`),
  );
}

/** What clients read must be valid and must say exactly what is enforced. */
function faultsOfPrint(schema: GraphQLSchema, rules: SchemaRules): readonly string[] {
  let reread: GraphQLSchema;
  try {
    // Refuses unknown directives, unknown and missing arguments, and directives at places that are not theirs.
    // Built from what is printed before it is a text: to print and parse it would be half of a start.
    reread = buildASTSchema(getDocumentNodeFromSchema(schema));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return message.split('\n\n').map((fault) => `in the printed schema: ${fault}`);
  }
  const printed = describe(readRules(reread));
  const enforced = describe(rules);
  return [...enforced]
    .filter(([at, rule]) => printed.get(at) !== rule)
    .map(([at]) => at)
    .concat([...printed.keys()].filter((at) => !enforced.has(at)))
    .map((at) => `${at}: the printed schema does not show the rule that is enforced`);
}

function describe({ roots, types, fields }: SchemaRules): ReadonlyMap<string, string> {
  return new Map(
    [...roots, ...types, ...fields].map(([at, rule]) => [
      at,
      rule.kind === 'public'
        ? `public ${rule.reason}`
        : `${rule.anyOf.join(' ')} | ${rule.resource?.text ?? ''} | ${rule.scope}`,
    ]),
  );
}
