/**
 * `@permission` on the schema of another service: every question is asked of Bailiwick, those of one level of fields in
 * one request. A refused root field is an error; a refused nested field or object is null where it may be, else an error.
 * Where nobody can be asked everything guarded is refused, and says so.
 */
import type { IncomingMessage } from 'node:http';
import { mapSchema, MapperKind, printSchemaWithDirectives } from '@graphql-tools/utils';
import {
  buildSchema,
  defaultFieldResolver,
  defaultTypeResolver,
  getNamedType,
  GraphQLError,
  isAbstractType,
  isCompositeType,
  isListType,
  isNonNullType,
  isObjectType,
  OperationTypeNode,
  type GraphQLFieldConfig,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
} from 'graphql';
import { fillTemplate } from '../urn-templates/index.js';
import type { AccessDecision, AccessRequest, Client } from './client.js';
import { readRules, SchemaNotGuarded, type PermissionRule, type SchemaRules } from './directives.js';
import { principalOf, readCredential, refusalOf, type GuardedRequest, type ShownCredential } from './guard.js';
import { Questions, type AskAll } from './questions.js';
import { receivedOf } from './routes.js';
import { selectedFields } from './selections.js';

/** Who sent an operation: the request as Node received it, a token, or nobody. */
export type Sender = IncomingMessage | GuardedRequest | { readonly token: string } | null;

export interface SchemaGuardOptions<Context> {
  readonly client: Client;
  /** Plain id of the account, for the templates of resources. */
  readonly account: string;
  /** Finds the sender in the context of an operation; `captureBody` has seen the body of a signed one. */
  readonly sender: (context: Context) => Sender;
  /** Further facts that policies may ask for. */
  readonly context?: (context: Context) => AccessRequest['context'];
  /** Told of what kept Bailiwick from being asked; for the log. */
  readonly onError?: (error: unknown) => void;
}

type Field<Context> = GraphQLFieldConfig<unknown, Context, Record<string, unknown>>;
type Values = Readonly<Record<string, unknown>>;
type RootKind = 'query' | 'mutation' | 'subscription';

/**
 * The same schema with its resolvers guarded.
 *
 * @throws SchemaNotGuarded when a root field has neither directive, or a directive cannot be read
 */
export function guardSchema<Context>(schema: GraphQLSchema, options: SchemaGuardOptions<Context>): GraphQLSchema {
  proveDirectives(schema);
  const guard = new SchemaGuard(readRules(schema), options);
  const roots = new Map<string | undefined, RootKind>([
    [schema.getQueryType()?.name, 'query'],
    [schema.getMutationType()?.name, 'mutation'],
    [schema.getSubscriptionType()?.name, 'subscription'],
  ]);
  return mapSchema(schema, {
    [MapperKind.OBJECT_FIELD]: (field: Field<Context>, name, typeName) =>
      guard.wrap(field, `${typeName}.${name}`, roots.get(typeName) ?? null),
    [MapperKind.ROOT_FIELD]: (field: Field<Context>, name, typeName) =>
      guard.wrap(field, `${typeName}.${name}`, roots.get(typeName) ?? null),
  });
}

/** A directive under another name, or misplaced, would guard nothing: the printed schema must stand by itself. */
function proveDirectives(schema: GraphQLSchema): void {
  try {
    buildSchema(printSchemaWithDirectives(schema));
  } catch (error) {
    throw new SchemaNotGuarded([error instanceof Error ? error.message : String(error)]);
  }
}

/** What one execution needs to ask: made with its first guarded or counted field. */
interface Execution {
  readonly questions: Questions;
  readonly credential: ShownCredential;
}

class SchemaGuard<Context> {
  readonly #rules: SchemaRules;
  readonly #options: SchemaGuardOptions<Context>;
  /** By the coerced variables, of which every execution has its own. */
  readonly #executions = new WeakMap<object, Execution>();

  constructor(rules: SchemaRules, options: SchemaGuardOptions<Context>) {
    this.#rules = rules;
    this.#options = options;
  }

  wrap(field: Field<Context>, at: string, root: RootKind | null): Field<Context> | undefined {
    const rule = this.#rules.fields.get(at) ?? null;
    const yields = isCompositeType(getNamedType(field.type));
    // A leaf that needs no permission adds nothing to any level.
    if (rule === null && !yields && root !== 'mutation') return undefined;
    const original = field.resolve ?? defaultFieldResolver;
    const resolve: Field<Context>['resolve'] = (source, args, context, info) => {
      const execution = this.#executionOf(context, info);
      const level = levelOf(info);
      // Root fields of a mutation run one after the other, and each may change who may do what.
      if (root === 'mutation') execution.questions.forget();
      const run = (): unknown => original(source, args, context, info);
      const running = this.#counted(execution, level, async () => {
        if (rule !== null) {
          const refusal = await this.#refused(execution, level, rule, source, args);
          if (refusal !== null) {
            if (root !== null || isNonNullType(field.type) || refusal.extensions['code'] !== 'FORBIDDEN') throw refusal;
            return null;
          }
        }
        const value = await run();
        return yields ? settled(value, field.type) : value;
      });
      return yields
        ? running.then((value) => this.#passed(value, field.type, execution, level, context, info))
        : running;
    };
    if (root !== 'subscription' || field.subscribe === undefined) return { ...field, resolve };
    const events = field.subscribe;
    return {
      ...field,
      resolve,
      // Asked as it begins; each event is an execution of its own and asks again.
      subscribe: async (source, args, context, info) => {
        const execution = this.#executionOf(context, info);
        const refusal = rule === null ? null : await this.#refused(execution, levelOf(info), rule, source, args);
        if (refusal !== null) throw refusal;
        return await events(source, args, context, info);
      },
    };
  }

  async #counted<T>({ questions }: Execution, level: number, work: () => Promise<T>): Promise<T> {
    questions.begin(level);
    try {
      return await work();
    } finally {
      questions.end(level);
    }
  }

  /** Null when it is allowed. */
  async #refused(
    execution: Execution,
    level: number,
    rule: PermissionRule,
    source: unknown,
    args: Values,
  ): Promise<GraphQLError | null> {
    const [action] = rule.anyOf;
    if (execution.credential.kind === 'none') {
      return refusalError('UNAUTHENTICATED', `\`${action}\` needs a credential; sign the request or send a token`, {
        action,
      });
    }
    const asked = this.#questionsOf(rule, source, args);
    // What cannot be filled in is asked about nothing, which would go round every Deny that names one.
    if (asked === null)
      return refusalError('FORBIDDEN', `\`${action}\` is asked about something without a name`, { action });
    try {
      const decisions = await Promise.all(asked.map((question) => execution.questions.ask(level, question)));
      return decisions.some(({ effect }) => effect === 'ALLOW') ? null : denied(decisions[0], action);
    } catch (error) {
      const { code, message, reason, requestId } = refusalOf(action, error);
      if (code === 'PERMISSIONS_UNAVAILABLE') this.#options.onError?.(error);
      return refusalError(code, message, { action, reason, requestId });
    }
  }

  #questionsOf({ anyOf, resource }: PermissionRule, source: unknown, args: Values): readonly AccessRequest[] | null {
    if (resource === null) return anyOf.map((action) => ({ action }));
    const urn = fillTemplate(resource, { accountId: this.#options.account, callerId: '', args, source });
    return urn === null ? null : anyOf.map((action) => ({ action, resource: urn }));
  }

  /** Lets the objects through that may be reached; lists item by item. */
  async #passed(
    value: unknown,
    type: GraphQLOutputType,
    execution: Execution,
    level: number,
    context: Context,
    info: GraphQLResolveInfo,
  ): Promise<unknown> {
    if (value == null || value instanceof Error) return value;
    if (isNonNullType(type)) return this.#passed(value, type.ofType, execution, level, context, info);
    if (isListType(type)) {
      if (!Array.isArray(value)) return value;
      const item = type.ofType;
      const items = value.map((one) => this.#passed(one, item, execution, level, context, info));
      const passed = await Promise.all(items);
      return isNonNullType(item) ? passed.map((one, index) => one ?? (value[index] == null ? one : hidden())) : passed;
    }
    const objectType = isObjectType(type)
      ? type
      : await this.#counted(execution, level, () => objectTypeOf(value, type, context, info));
    const rule = objectType === null ? undefined : this.#rules.types.get(objectType.name);
    if (objectType === null || rule === undefined) return value;
    const refusing = this.#refused(execution, level + 1, rule, value, {});
    this.#askAhead(execution, level + 1, objectType, value, info);
    const refusal = await refusing;
    if (refusal === null) return value;
    return refusal.extensions['code'] === 'FORBIDDEN' ? null : refusal;
  }

  /**
   * The fields below a guarded object begin only when it has been let through; what they will ask belongs to the same
   * level, so it is asked along with the question about the object.
   */
  #askAhead(
    { questions, credential }: Execution,
    level: number,
    type: GraphQLObjectType,
    source: unknown,
    info: GraphQLResolveInfo,
  ): void {
    if (credential.kind === 'none') return;
    for (const { field, args } of selectedFields(info, type)) {
      const rule = this.#rules.fields.get(`${type.name}.${field.name}`);
      if (rule === undefined) continue;
      for (const question of this.#questionsOf(rule, source, args) ?? []) void questions.ask(level, question);
    }
  }

  #executionOf(context: Context, info: GraphQLResolveInfo): Execution {
    const known = this.#executions.get(info.variableValues);
    if (known !== undefined) return known;
    const { request, credential } = senderOf(this.#options.sender(context));
    const execution = { credential, questions: new Questions(this.#askAll(context, request, credential, info)) };
    this.#executions.set(info.variableValues, execution);
    return execution;
  }

  #askAll(
    context: Context,
    request: GuardedRequest | null,
    credential: ShownCredential,
    info: GraphQLResolveInfo,
  ): AskAll {
    const { client } = this.#options;
    const principal = principalOf(credential);
    const address = request?.sourceAddress == null ? [] : [{ key: 'g:SourceIp', values: [request.sourceAddress] }];
    const facts = [...address, ...(this.#options.context?.(context) ?? [])];
    // A signed request that changes something is good once: the first question spends it.
    let spent = credential.kind !== 'signed' || info.operation.operation !== OperationTypeNode.MUTATION;
    return async (questions) => {
      if (credential.kind === 'unseen') throw new Error('the bytes of the body were not seen; install `captureBody`');
      if (principal === null) throw new Error('nobody is asked about');
      const requests = questions.map((question) => ({ ...question, context: facts }));
      if (spent || credential.kind !== 'signed') return client.checkAccess(requests, { principal });
      spent = true;
      return (await client.authenticateRequest(credential.request, { once: true, requests })).decisions;
    };
  }
}

/** Depth of the field: list positions do not count. */
function levelOf({ path }: GraphQLResolveInfo): number {
  let level = 0;
  for (let step: GraphQLResolveInfo['path'] | undefined = path; step !== undefined; step = step.prev) {
    if (typeof step.key === 'string') level += 1;
  }
  return level;
}

function senderOf(sender: Sender): { readonly request: GuardedRequest | null; readonly credential: ShownCredential } {
  if (sender === null) return { request: null, credential: { kind: 'none' } };
  if ('token' in sender) return { request: null, credential: { kind: 'token', token: sender.token } };
  const request = 'rawHeaders' in sender ? ofNode(sender) : sender;
  return { request, credential: readCredential(request) };
}

function ofNode(raw: IncomingMessage & { readonly originalUrl?: string }): GuardedRequest {
  return receivedOf(raw, raw.originalUrl ?? raw.url ?? '', raw.socket.remoteAddress ?? null);
}

/** A list is there when each of its items is: they may arrive one by one, and each may fail by itself. */
async function settled(value: unknown, type: GraphQLOutputType): Promise<unknown> {
  const list = isNonNullType(type) ? (type.ofType as GraphQLOutputType) : type;
  if (!isListType(list) || typeof value !== 'object' || value === null || value instanceof Error) return value;
  const item = list.ofType as GraphQLOutputType;
  if (Symbol.asyncIterator in value) {
    const items: unknown[] = [];
    for await (const one of value as AsyncIterable<unknown>) items.push(await settled(one, item));
    return items;
  }
  if (!(Symbol.iterator in value)) return value;
  return Promise.all(
    Array.from(value as Iterable<unknown>, async (one) => {
      try {
        return await settled(await one, item);
      } catch (error) {
        return error instanceof Error ? error : new Error(String(error));
      }
    }),
  );
}

async function objectTypeOf<Context>(
  value: unknown,
  type: GraphQLOutputType,
  context: Context,
  info: GraphQLResolveInfo,
): Promise<GraphQLObjectType | null> {
  if (!isAbstractType(type)) return null;
  const name = await (type.resolveType ?? defaultTypeResolver)(value, context, info, type);
  const found = typeof name === 'string' ? info.schema.getType(name) : undefined;
  // What it is graphql will ask as well, and complain of.
  return isObjectType(found) ? found : null;
}

function denied(decision: AccessDecision | undefined, action: string): GraphQLError {
  const { reason = null, requestId = null, actor = null } = decision ?? {};
  if (actor === null || reason === 'CREDENTIAL_REVOKED') {
    const message = 'the credential is not good; sign in again, or have the token made for this service';
    return refusalError('UNAUTHENTICATED', message, { action, reason, requestId });
  }
  const message = `\`${action}\` is not allowed for you here; ask an administrator and name request \`${requestId}\``;
  return refusalError('FORBIDDEN', message, { action, reason, requestId });
}

function hidden(): GraphQLError {
  return refusalError('FORBIDDEN', 'an object of the list is not for you', {});
}

function refusalError(code: string, message: string, details: Values): GraphQLError {
  const given = Object.entries(details).filter(([, value]) => value !== null && value !== undefined);
  return new GraphQLError(message, { extensions: { ...Object.fromEntries(given), code } });
}
