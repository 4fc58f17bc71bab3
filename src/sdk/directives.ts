/** The two directives for schemas of other services, and reading them; a schema that they do not cover is refused. */
import {
  DirectiveLocation,
  getDirectiveValues,
  getNamedType,
  GraphQLDirective,
  GraphQLList,
  GraphQLNonNull,
  GraphQLSchema,
  GraphQLString,
  isInterfaceType,
  isLeafType,
  isObjectType,
  type ConstDirectiveNode,
  type GraphQLArgument,
  type GraphQLField,
  printSchema,
  type GraphQLObjectType,
} from 'graphql';
import { checkTemplate, parseTemplate, type Template } from '../urn-templates/index.js';

/** For schemas made in code: give them to the schema, and put them on fields and types as its library has it. */
export const permissionDirective = new GraphQLDirective({
  name: 'permission',
  description:
    'Permission needed for a field, or for every object of a type wherever it is reached; asked of Bailiwick.',
  locations: [DirectiveLocation.FIELD_DEFINITION, DirectiveLocation.OBJECT],
  args: {
    action: { type: GraphQLString, description: 'Action asked for, as the catalogue names it.' },
    anyOf: {
      type: new GraphQLList(new GraphQLNonNull(GraphQLString)),
      description: 'Actions of which one is enough; given instead of `action`.',
    },
    resource: {
      type: GraphQLString,
      description:
        'Template of the URN asked about: `{args.input.id}` is a declared argument, `{source.id}` a plain field of the object, `{account}` the account. Absent: none in particular.',
    },
  },
});

export const publicDirective = new GraphQLDirective({
  name: 'public',
  description: 'Marks a root field that needs no permission.',
  locations: [DirectiveLocation.FIELD_DEFINITION],
  args: {
    reason: { type: new GraphQLNonNull(GraphQLString), description: 'Reason why everybody may use the field.' },
  },
});

/** For schemas written as text. */
export const permissionTypeDefs = `${printSchema(
  new GraphQLSchema({ directives: [permissionDirective, publicDirective] }),
)}\n`;

export interface PermissionRule {
  readonly anyOf: readonly [string, ...string[]];
  readonly resource: Template | null;
}

export interface SchemaRules {
  /** By `Type.field`. */
  readonly fields: ReadonlyMap<string, PermissionRule>;
  /** By the name of the object type. */
  readonly types: ReadonlyMap<string, PermissionRule>;
}

/** A schema that cannot be served guarded: a mistyped directive must never be a missing one. */
export class SchemaNotGuarded extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`the schema is not guarded; ${problems.length} to mend:\n${problems.map((one) => `  - ${one}`).join('\n')}`);
    this.name = 'SchemaNotGuarded';
  }
}

/** @throws SchemaNotGuarded naming everything that is wrong */
export function readRules(schema: GraphQLSchema): SchemaRules {
  const problems: string[] = [];
  const fields = new Map<string, PermissionRule>();
  const types = new Map<string, PermissionRule>();
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__')) continue;
    if (isInterfaceType(type)) {
      for (const field of Object.values(type.getFields())) {
        if (directivesOf(field).some(isOurs)) {
          problems.push(
            `${type.name}.${field.name}: stands on an interface, which guards nothing; put it on the types`,
          );
        }
      }
    }
    if (!isObjectType(type)) continue;
    const onType = readDirectives(type.name, directivesOf(type), null, plainFieldsOf(type), problems);
    if (onType.permission !== null) types.set(type.name, onType.permission);
    const isRoot = roots.includes(type);
    if (isRoot && onType.permission !== null) problems.push(`${type.name}: guard the root fields one by one`);
    for (const field of Object.values(type.getFields())) {
      const at = `${type.name}.${field.name}`;
      const source = isRoot ? null : plainFieldsOf(type);
      const { permission, open } = readDirectives(at, directivesOf(field), field.args, source, problems);
      if (permission !== null) fields.set(at, permission);
      if (permission !== null && open) problems.push(`${at}: has both @permission and @public`);
      if (isRoot && permission === null && !open) problems.push(`${at}: has neither @permission nor @public`);
      if (!isRoot && open) problems.push(`${at}: only root fields are @public`);
    }
  }
  if (problems.length > 0) throw new SchemaNotGuarded(problems);
  return { fields, types };
}

function directivesOf(element: {
  readonly astNode?: { readonly directives?: readonly ConstDirectiveNode[] } | null | undefined;
  readonly extensionASTNodes?: readonly { readonly directives?: readonly ConstDirectiveNode[] }[] | undefined;
}): readonly ConstDirectiveNode[] {
  return [element.astNode, ...(element.extensionASTNodes ?? [])].flatMap((node) => node?.directives ?? []);
}

function isOurs({ name }: ConstDirectiveNode): boolean {
  return name.value === permissionDirective.name || name.value === publicDirective.name;
}

/** Fields whose value a template may name: leaves without a resolver of their own, so that reading them runs nothing. */
function plainFieldsOf(type: GraphQLObjectType): ReadonlySet<string> {
  const isPlain = (field: GraphQLField<unknown, unknown>) =>
    field.resolve === undefined && isLeafType(getNamedType(field.type));
  return new Set(
    Object.values(type.getFields())
      .filter(isPlain)
      .map(({ name }) => name),
  );
}

function readDirectives(
  at: string,
  directives: readonly ConstDirectiveNode[],
  args: readonly GraphQLArgument[] | null,
  source: ReadonlySet<string> | null,
  problems: string[],
): { readonly permission: PermissionRule | null; readonly open: boolean } {
  const named = (name: string) => directives.filter((directive) => directive.name.value === name);
  const permissions = named(permissionDirective.name);
  const publics = named(publicDirective.name);
  if (permissions.length > 1 || publics.length > 1) problems.push(`${at}: has the same directive more than once`);
  for (const node of publics) {
    const reason = valuesOf(at, publicDirective, node, problems)?.['reason'];
    if (typeof reason === 'string' && reason.trim() === '') problems.push(`${at}: @public gives no reason`);
  }
  const [first] = permissions;
  return {
    permission: first === undefined ? null : readPermission(at, first, args, source, problems),
    open: publics.length > 0,
  };
}

function readPermission(
  at: string,
  node: ConstDirectiveNode,
  args: readonly GraphQLArgument[] | null,
  source: ReadonlySet<string> | null,
  problems: string[],
): PermissionRule | null {
  const values = valuesOf(at, permissionDirective, node, problems) as {
    readonly action?: string | null;
    readonly anyOf?: readonly string[] | null;
    readonly resource?: string | null;
  } | null;
  if (values === null) return null;
  if ((values.action == null) === (values.anyOf == null)) {
    problems.push(`${at}: @permission must have one of \`action\` and \`anyOf\``);
    return null;
  }
  const [action, ...others] = values.anyOf ?? [values.action ?? ''];
  const unnamed = [action, ...others].find((one) => one === undefined || !/^[^:*?\s]+:[^:*?\s]*:[^*?\s]+$/.test(one));
  if (action === undefined || unnamed !== undefined) {
    problems.push(`${at}: \`${unnamed ?? ''}\` names no action; write \`service:type:operation\``);
    return null;
  }
  const resource = values.resource == null ? null : parseTemplate(values.resource);
  if (typeof resource === 'string') {
    problems.push(`${at}: resource \`${values.resource}\` ${resource}`);
    return null;
  }
  const faults = resource === null ? [] : checkTemplate(resource, { arguments: args, source });
  // Who asks is found out by Bailiwick, with the answer.
  const namesCaller = resource?.parts.some((part) => {
    return typeof part !== 'string' && (part.kind === 'caller' || (part.kind === 'argument' && part.orCaller));
  });
  if (namesCaller === true)
    problems.push(`${at}: resource \`${values.resource}\` names the caller, who is not known yet`);
  for (const fault of faults) problems.push(`${at}: resource \`${values.resource}\` ${fault}`);
  return { anyOf: [action, ...others], resource };
}

/** Checked against the definition; graphql checks arguments only for operations, not for schemas. */
function valuesOf(
  at: string,
  definition: GraphQLDirective,
  node: ConstDirectiveNode,
  problems: string[],
): Record<string, unknown> | null {
  for (const { name } of node.arguments ?? []) {
    if (definition.args.some((argument) => argument.name === name.value)) continue;
    problems.push(`${at}: @${definition.name} has the unknown argument \`${name.value}\``);
  }
  try {
    return getDirectiveValues(definition, { directives: [node] }) ?? null;
  } catch (error) {
    problems.push(`${at}: @${definition.name}: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}
