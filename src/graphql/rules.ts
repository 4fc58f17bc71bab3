/**
 * Reads the permission rules of a schema: which question stands before which root field, object type and nested field.
 * The guard enforces what is read here and the proof shows that nothing is missing, so both see the same rules.
 */
import {
  getDirectiveValues,
  isObjectType,
  type ConstDirectiveNode,
  type DirectiveNode,
  type GraphQLArgument,
  type GraphQLFieldConfig,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';
import type { RequiredScope } from '../iam/index.js';
import { permissionDirective, publicDirective, requiredScopes } from './directives.js';
import { checkTemplate, parseTemplate, type Template } from '../urn-templates/index.js';

export interface PermissionRule {
  readonly kind: 'permission';
  readonly anyOf: readonly string[];
  readonly resource: Template | null;
  readonly scope: RequiredScope;
}

export interface PublicRule {
  readonly kind: 'public';
  readonly reason: string;
}

export type RootRule = PermissionRule | PublicRule;

export interface SchemaRules {
  /** By coordinate: `Query.users`. */
  readonly roots: ReadonlyMap<string, RootRule>;
  /** By the name of the object type. */
  readonly types: ReadonlyMap<string, PermissionRule>;
  /** Fields of other types that carry a rule of their own, by coordinate: `User.lastSignInAt`. */
  readonly fields: ReadonlyMap<string, PermissionRule>;
  /** What could not be read, each with its place. */
  readonly problems: readonly string[];
}

/**
 * Types without a rule of their own: they are wrappers, or plain values whose content the field that yields them answers
 * for. Closed: besides the suffixes, only what stands here. A type that has an identity does not belong here.
 */
const transparentSuffixes = ['Payload', 'Connection', 'Edge'] as const;

const plainValues: ReadonlySet<string> = new Set([
  'AccessChange',
  'AccessDecision',
  'AccessExplanation',
  'AccessFailure',
  'AccessLevelActions',
  'AccessNearMiss',
  'AccessPermission',
  'AccessRecall',
  'AccessWay',
  'AccountSettings',
  'ActionAccess',
  'Actor',
  'AgencyPolicyDraft',
  'AgencyTrust',
  'AuditEventActor',
  'AuditEventTarget',
  'AuditHead',
  'AuthorizationFunction',
  'AuthorizationReadiness',
  'ChangedRequest',
  'ComparedDecision',
  'ContextEntry',
  'DecidingStatement',
  'DraftedAgencyPolicy',
  'FunctionReadiness',
  'GrantScope',
  'PageInfo',
  'PasswordSettings',
  'PermissionsChange',
  'PolicyComparison',
  'PolicyCondition',
  'PolicyDraft',
  'PolicyProblem',
  'PrincipalAccess',
  'RateLimit',
  'ReadinessProblem',
  'RecalledDecision',
  'PolicyStatement',
  'PolicyVersion',
  'RemoteAccessCheck',
  'RemoteAccessExplanation',
  'RequestScope',
  'ResourceKind',
  'SecondFactor',
  'ServiceAction',
  'ServiceResourceKind',
  'SignInSettings',
  'Tag',
  'TemporaryCredential',
  'WorkspaceQuota',
]);

export function isTransparent(type: GraphQLObjectType): boolean {
  return (
    plainValues.has(type.name) ||
    transparentSuffixes.some((suffix) => type.name.endsWith(suffix) && type.name !== suffix) ||
    type.getInterfaces().some((implemented) => implemented.name === 'UserError')
  );
}

export function isPayload(typeName: string): boolean {
  return typeName.endsWith('Payload');
}

export function isRootType(schema: GraphQLSchema, typeName: string): boolean {
  return [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].some(
    (root) => root?.name === typeName,
  );
}

/**
 * Resolvers that only read a property: they are not resolvers of a field's own, so they need no cover. INVARIANT: only
 * this folder's schema build adds to it, and only functions that read nothing but their source.
 */
const readers = new WeakSet<object>();

export function plainReader<F extends (source: never) => unknown>(read: F): F {
  readers.add(read);
  return read;
}

export function hasOwnResolver({ resolve }: Pick<GraphQLFieldConfig<unknown, unknown>, 'resolve'>): boolean {
  return resolve != null && !readers.has(resolve);
}

export function readRules(schema: GraphQLSchema): SchemaRules {
  const roots = new Map<string, RootRule>();
  const types = new Map<string, PermissionRule>();
  const fields = new Map<string, PermissionRule>();
  const problems: string[] = [];

  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    const root = isRootType(schema, type.name);
    const source = root ? null : plainFieldsOf(type);
    const report = (at: string) => (problem: string) => void problems.push(`${at}: ${problem}`);

    const onType = readDirectives(directivesOf(type), null, source, report(type.name));
    if (onType.permission !== null) {
      if (root) report(type.name)('a root type carries no permission; its fields do');
      else types.set(type.name, onType.permission);
    }
    if (onType.open !== null) report(type.name)('only root fields can be public');

    for (const field of Object.values(type.getFields())) {
      const at = `${type.name}.${field.name}`;
      const { permission, open } = readDirectives(directivesOf(field), field.args, source, report(at));
      if (!root) {
        if (open !== null) report(at)('only root fields can be public');
        if (permission !== null) fields.set(at, permission);
      } else if (permission !== null && open !== null) {
        report(at)('has both @permission and @public; leave one');
      } else if (permission !== null || open !== null) {
        const rule = permission ?? open;
        if (rule !== null) roots.set(at, rule);
      }
    }
  }
  return { roots, types, fields, problems };
}

/** Directives as they stand in the schema's syntax tree, the only place where type-graphql puts them. */
export function directivesOf(element: {
  readonly astNode?: { readonly directives?: readonly ConstDirectiveNode[] } | null;
}): readonly DirectiveNode[] {
  return element.astNode?.directives ?? [];
}

function plainFieldsOf(type: GraphQLObjectType): ReadonlySet<string> {
  return new Set(
    Object.values(type.getFields())
      .filter((field) => !hasOwnResolver(field))
      .map((field) => field.name),
  );
}

function readDirectives(
  directives: readonly DirectiveNode[],
  args: readonly GraphQLArgument[] | null,
  source: ReadonlySet<string> | null,
  report: (problem: string) => void,
): { readonly permission: PermissionRule | null; readonly open: PublicRule | null } {
  const named = (name: string): DirectiveNode | null => {
    const [first = null, ...others] = directives.filter((directive) => directive.name.value === name);
    if (others.length > 0) report(`has @${name} more than once`);
    return first;
  };
  const permission = named(permissionDirective.name);
  const open = named(publicDirective.name);
  return {
    permission: permission === null ? null : readPermission(permission, args, source, report),
    open: open === null ? null : readPublic(open, report),
  };
}

function readPublic(node: DirectiveNode, report: (problem: string) => void): PublicRule | null {
  const reason = valuesOf(publicDirective, node, report)?.['reason'];
  if (typeof reason !== 'string') return null;
  if (reason.trim() === '') report('@public gives no reason');
  return { kind: 'public', reason };
}

function readPermission(
  node: DirectiveNode,
  args: readonly GraphQLArgument[] | null,
  source: ReadonlySet<string> | null,
  report: (problem: string) => void,
): PermissionRule | null {
  const values = valuesOf(permissionDirective, node, report) as {
    readonly action?: string | null;
    readonly anyOf?: readonly string[] | null;
    readonly resource?: string | null;
    readonly scope: string;
  } | null;
  if (values === null) return null;
  const anyOf = values.anyOf ?? (values.action == null ? [] : [values.action]);
  if ((values.action == null) === (values.anyOf == null)) report('@permission must have one of `action` and `anyOf`');
  else if (anyOf.length === 0) report('@permission names no action');

  const scope = requiredScopes.find((known) => known === values.scope);
  if (scope === undefined) {
    report(`@permission has the unknown scope \`${values.scope}\`; use one of ${requiredScopes.join(', ')}`);
  }
  const parsed = values.resource == null ? null : parseTemplate(values.resource);
  if (typeof parsed === 'string') report(`resource \`${values.resource}\` ${parsed}`);
  const resource = typeof parsed === 'string' ? null : parsed;
  const faults = resource === null ? [] : checkTemplate(resource, { arguments: args, source });
  for (const fault of faults) report(`resource \`${values.resource}\` ${fault}`);

  if (scope === undefined || typeof parsed === 'string') return null;
  return { kind: 'permission', anyOf, resource, scope };
}

/** Argument values, checked against the definition. graphql checks them only for operations, not for schemas. */
function valuesOf(
  definition: typeof permissionDirective,
  node: DirectiveNode,
  report: (problem: string) => void,
): Record<string, unknown> | null {
  const unknown = (node.arguments ?? []).filter(
    ({ name }) => !definition.args.some((argument) => argument.name === name.value),
  );
  for (const { name } of unknown) report(`@${definition.name} has the unknown argument \`${name.value}\``);
  try {
    return getDirectiveValues(definition, { directives: [node] }) ?? null;
  } catch (error) {
    report(`@${definition.name}: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}
