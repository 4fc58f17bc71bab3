/**
 * `extensions.permissions` of a response, for who asks for it with `extensions: {permissions: true}`: each permission that
 * the operation asks, and what it comes to for the caller.
 *
 * INVARIANT: nothing in it depends on a row. Where the question is about an object, the answer is that for all objects
 * of the kind at once; whether one was there, or was refused, cannot be told from it.
 */
import type { DocumentNode, GraphQLSchema, OperationDefinitionNode } from 'graphql';
import { fitsScope, type Call } from '../iam/index.js';
import { anyOf, withSegments } from '../policy/index.js';
import {
  shownResource,
  type AskedPermission,
  type AskedResource,
  type DeclaredPermissions,
} from './asked-permissions.js';
import { plainId } from './node-ids.js';
import { declaredByRules, permissionsOfOperation } from './operation-permissions.js';
import { readRules } from './rules.js';

/** DEPENDS: on which object it is, or on what is known of it. */
export type ReportedEffect = 'ALLOW' | 'DENY' | 'DEPENDS';

export interface ReportedPermission {
  readonly path: readonly string[];
  readonly coordinate: string;
  readonly onType: string | null;
  readonly anyOf: readonly string[];
  readonly scope: AskedPermission['scope'];
  /** With what the caller sent; the rest are placeholders. */
  readonly resource: string | null;
  readonly whenRefused: AskedPermission['whenRefused'];
  readonly effect: ReportedEffect;
}

export interface PermissionReport {
  readonly asked: readonly ReportedPermission[];
  /** False when there were more. */
  readonly complete: boolean;
}

/** Most entries of a report. */
export const longestReport = 200;

/** Far more than an operation within the limits has, unless interfaces stand in interfaces. */
const mostSteps = 10_000;

export function wantsReport({ extensions }: { readonly extensions?: unknown }): boolean {
  return (
    typeof extensions === 'object' &&
    extensions !== null &&
    'permissions' in extensions &&
    extensions.permissions === true
  );
}

/**
 * Null for who may not read the schema: the report says what stands there. The operation is within the limits. What it
 * says is true as the operation begins; a mutation may change it for those after.
 */
export function reportPermissions(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
  call: Call,
): PermissionReport | null {
  if (call.principal.kind === 'ANONYMOUS' || !call.may('bailiwick:schema:introspect')) return null;
  const options = { variables, plain: plainId, most: mostSteps };
  const { asked, complete } = permissionsOfOperation(schema, declaredBy(schema), document, operation, options);
  const remembered = new Map<string, ReportedEffect>();
  const reported = asked
    .filter(({ onlyWhenRepeated }) => !onlyWhenRepeated)
    .slice(0, longestReport + 1)
    .map((question): ReportedPermission => {
      const { path, coordinate, onType, scope, whenRefused } = question;
      const resource = question.resource === null ? null : shownResource(question.resource);
      const key = JSON.stringify([question.anyOf, resource, scope]);
      const effect = remembered.get(key) ?? effectOf(question, call);
      remembered.set(key, effect);
      return { path, coordinate, onType, anyOf: question.anyOf, scope, resource, whenRefused, effect };
    });
  return { asked: reported.slice(0, longestReport), complete: complete && reported.length <= longestReport };
}

const known = new WeakMap<GraphQLSchema, DeclaredPermissions>();

function declaredBy(schema: GraphQLSchema): DeclaredPermissions {
  const found = known.get(schema) ?? declaredByRules(readRules(schema));
  known.set(schema, found);
  return found;
}

function effectOf({ anyOf: actions, resource, scope }: AskedPermission, call: Call): ReportedEffect {
  if (!fitsScope(call.facts, scope)) return 'DENY';
  const segments = resource === null ? null : segmentsOf(resource, call);
  if (segments === null || segments.every((segment) => segment !== null)) {
    return call.ask(actions, segments === null ? null : segments.join(':'), scope).effect;
  }
  // An argument that its template needs was left out: the door refuses, whoever asks.
  if (resource?.parts.some((part) => typeof part !== 'string' && part.kind === 'argument')) return 'DENY';
  const plan = withSegments(anyOf(actions.map((action) => call.plan({ action }))), segments);
  return plan.kind === 'EVERY' ? 'ALLOW' : plan.kind === 'NONE' ? 'DENY' : 'DEPENDS';
}

const open = '\u0000';

/** The five segments of the URN; null for those that an object decides. */
function segmentsOf({ parts }: AskedResource, { accountId, principal }: Call): readonly (string | null)[] {
  const text = parts
    .map((part) => {
      if (typeof part === 'string') return part;
      return part.kind === 'account' ? accountId : part.kind === 'caller' ? principal.id : open;
    })
    .join('');
  if (text === open) return [null, null, null, null, null];
  const [service = '', region = '', account = '', type = '', ...path] = text.split(':');
  return [service, region, account, type, path.join(':')].map((each) => (each.includes(open) ? null : each));
}
