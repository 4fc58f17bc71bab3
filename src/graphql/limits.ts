/**
 * Limits of an operation, checked after validation and before execution: depth, aliases, root fields, fields after
 * fragments are put in place, directives, lists in variables, and who may read the schema. Tokens are limited before that, by the parser. Fragments count where they are spread; each is measured
 * once, so that fragments spread by fragments cannot make the measuring itself costly.
 */
import type { ApolloServerPlugin } from '@apollo/server';
import {
  Kind,
  OperationTypeNode,
  visit,
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { BadInput, type Call } from '../iam/index.js';
import type { GraphContext } from './context.js';
import { costOf, dearestOperation, longestListAmong } from './cost.js';
import { clientError } from './errors.js';
import { fragmentsOf } from './fragments.js';
import { reportPermissions, wantsReport, type PermissionReport } from './permission-reports.js';
import { checkTextIn, checkTextOfDocument } from './text.js';
import type { Throttle } from './throttle.js';

export const operationLimits = {
  depth: 12,
  aliases: 30,
  rootFields: 20,
  /** Fields after fragments are put in place: what few tokens can become. */
  selections: 2_500,
  /** On everything of the document, used or not. */
  directives: 50,
  /** Items of one list in the variables; arguments that take fewer say so themselves. */
  listItems: 2_000,
} as const;

/** For `parseOptions` of the server. */
export const parseLimits = { maxTokens: 2000 } as const;

interface Measure {
  /** Levels of fields; what lies below `__schema` and `__type` does not count, graphql bounds it by itself. */
  readonly depth: number;
  readonly aliases: number;
  readonly fields: number;
  readonly selections: number;
  /** Attempts to sign in among them. */
  readonly signIns: number;
  readonly introspects: boolean;
}

/** Refuses an operation that is too large or reads the schema without permission, and text that cannot be stored. */
export function checkOperation(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: unknown,
  call: Call,
): Pick<Measure, 'signIns'> {
  const measures = measuresOf(document);
  try {
    measures.checkText();
    checkTextIn(variables);
  } catch (error) {
    // Before execution an error decides the status of the whole answer, and this one is the caller's.
    if (!(error instanceof BadInput)) throw error;
    throw clientError('BAD_USER_INPUT', error.message, { http: { status: 400 } });
  }
  const { inherited } = measures;
  if (inherited !== null) {
    throw clientError(
      'BAD_USER_INPUT',
      `the variable \`$${inherited}\` cannot be told from what every object has; give it another name`,
      { http: { status: 400 } },
    );
  }
  limit('directives', measures.directives, operationLimits.directives);
  limit('items in one list', longestListAmong(variables), operationLimits.listItems);
  const { depth, aliases, fields, selections, signIns, introspects } = measures.of(operation);
  // Many in one request would get round whatever slows a guesser down.
  if (signIns > 1) {
    throw clientError(
      'OPERATION_TOO_LARGE',
      `the operation signs in ${signIns} times; send one attempt in each request`,
      {
        limit: 1,
        http: { status: 400 },
      },
    );
  }
  limit('levels deep', depth, operationLimits.depth);
  limit('aliases', aliases, operationLimits.aliases);
  limit('fields', selections, operationLimits.selections);
  limit(
    operation.operation === OperationTypeNode.MUTATION ? 'mutations' : 'root fields',
    fields,
    operationLimits.rootFields,
  );
  if (introspects && !call.may('bailiwick:schema:introspect')) {
    throw clientError(
      'INTROSPECTION_DISABLED',
      'reading the schema needs `bailiwick:schema:introspect`; sign in first',
      {
        action: 'bailiwick:schema:introspect',
        requestId: call.requestId,
        http: { status: 400 },
      },
    );
  }
  return { signIns };
}

/** Whether nothing of an operation depends on who may read the schema, nor, by `@skip` and `@include`, on its variables. */
export function isPlain(document: DocumentNode, operation: OperationDefinitionNode): boolean {
  const measures = measuresOf(document);
  return measures.directives === 0 && !measures.of(operation).introspects;
}

/** What an operation costs; refuses one that costs more than any may. */
export function priceOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): number {
  const cost = costOf(schema, document, operation, variables);
  if (cost <= dearestOperation) return cost;
  throw clientError(
    'COST_LIMIT_EXCEEDED',
    `the operation may answer ${cost} objects, at most ${dearestOperation} are allowed; ask for smaller pages or split it`,
    { cost, limit: dearestOperation, http: { status: 400 } },
  );
}

/** Documents are kept by the server and come again and again; what is the same each time is measured once. */
class Measures {
  readonly directives: number;
  /**
   * A variable with the name of something that every object has, `constructor` for one. The executor takes that for a
   * value that was given, and hands it to resolvers unread.
   */
  readonly inherited: string | null;
  readonly #document: DocumentNode;
  #readsWell = false;
  readonly #ofOperations = new Map<OperationDefinitionNode, Measure>();

  constructor(document: DocumentNode) {
    this.#document = document;
    this.directives = directivesIn(document);
    this.inherited = variablesIn(document).find((name) => name in Object.prototype) ?? null;
  }

  checkText(): void {
    if (this.#readsWell) return;
    checkTextOfDocument(this.#document);
    this.#readsWell = true;
  }

  of(operation: OperationDefinitionNode): Measure {
    const known = this.#ofOperations.get(operation);
    if (known !== undefined) return known;
    const measured = measure(operation.selectionSet, fragmentsOf(this.#document), new Map());
    this.#ofOperations.set(operation, measured);
    return measured;
  }
}

const measured = new WeakMap<DocumentNode, Measures>();

function measuresOf(document: DocumentNode): Measures {
  const known = measured.get(document);
  if (known !== undefined) return known;
  const made = new Measures(document);
  measured.set(document, made);
  return made;
}

const nothing: Measure = { depth: 0, aliases: 0, fields: 0, selections: 0, signIns: 0, introspects: false };

function variablesIn({ definitions }: DocumentNode): string[] {
  return definitions.flatMap((definition) =>
    definition.kind === Kind.OPERATION_DEFINITION
      ? (definition.variableDefinitions ?? []).map(({ variable }) => variable.name.value)
      : [],
  );
}

function directivesIn(document: DocumentNode): number {
  let count = 0;
  visit(document, {
    [Kind.DIRECTIVE]: {
      enter: () => {
        count += 1;
      },
    },
  });
  return count;
}

function limit(what: string, actual: number, maximum: number): void {
  if (actual <= maximum) return;
  throw clientError(
    'OPERATION_TOO_LARGE',
    `the operation has ${actual} ${what}, at most ${maximum} are allowed; split it`,
    {
      limit: maximum,
      http: { status: 400 },
    },
  );
}

function measure(
  { selections }: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  measured: Map<string, Measure>,
): Measure {
  let total: Measure = nothing;
  for (const selection of selections) {
    let part: Measure;
    if (selection.kind === Kind.FIELD) {
      const below = selection.selectionSet === undefined ? null : measure(selection.selectionSet, fragments, measured);
      const introspects = selection.name.value === '__schema' || selection.name.value === '__type';
      part = {
        depth: 1 + (introspects ? 0 : (below?.depth ?? 0)),
        aliases: (selection.alias === undefined ? 0 : 1) + (below?.aliases ?? 0),
        fields: 1,
        selections: 1 + (below?.selections ?? 0),
        signIns: selection.name.value === 'signIn' ? 1 : 0,
        introspects: introspects || (below?.introspects ?? false),
      };
    } else if (selection.kind === Kind.INLINE_FRAGMENT) {
      part = measure(selection.selectionSet, fragments, measured);
    } else {
      part = measureFragment(selection.name.value, fragments, measured);
    }
    total = {
      depth: Math.max(total.depth, part.depth),
      aliases: total.aliases + part.aliases,
      fields: total.fields + part.fields,
      selections: total.selections + part.selections,
      signIns: total.signIns + part.signIns,
      introspects: total.introspects || part.introspects,
    };
  }
  return total;
}

function measureFragment(
  name: string,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  measured: Map<string, Measure>,
): Measure {
  const known = measured.get(name);
  if (known !== undefined) return known;
  // Validation has refused cycles and missing fragments; should one come by all the same, it measures as too deep.
  const endless = { ...nothing, depth: Infinity };
  measured.set(name, endless);
  const fragment = fragments.get(name);
  const result = fragment === undefined ? endless : measure(fragment.selectionSet, fragments, measured);
  measured.set(name, result);
  return result;
}

/** Apollo's part in it. In one hook, because hooks of several plugins all run even when the first refuses. */
export function limitsPlugin(throttle: Throttle): ApolloServerPlugin<GraphContext> {
  return {
    requestDidStart: async () => {
      let priced = false;
      let report: PermissionReport | null = null;
      return {
        didResolveOperation: async ({ schema, document, operation, request, contextValue }) => {
          // Without an operation the document has none of the name that was asked for: execution says so.
          if (operation === undefined) return;
          const { call } = contextValue;
          if (operation.operation === OperationTypeNode.SUBSCRIPTION) {
            throw clientError(
              'BAD_REQUEST',
              'subscriptions are answered over a WebSocket at this address; open one with the subprotocol `graphql-transport-ws`',
              { http: { status: 400 } },
            );
          }
          const { signIns } = checkOperation(document, operation, request.variables, call);
          const variables = request.variables ?? {};
          const price = priceOf(schema, document, operation, variables);
          const found = wantsReport(request) ? reportPermissions(schema, document, operation, variables, call) : null;
          // Each entry is a decision about everything of its kind.
          const cost = price + (found?.asked.length ?? 0);
          priced = true;
          // Taken before where it was tried another way.
          if (call.principal.kind !== 'ANONYMOUS') contextValue.allowance ??= throttle.spend(call, cost);
          report = found;
          if (signIns === 0) return;
          throttle.attemptSignIn(call);
          contextValue.signIn = 'TRIED';
          if (call.principal.kind !== 'ANONYMOUS') return;
          contextValue.chargeTo = (signedIn) => {
            contextValue.allowance = throttle.spend(signedIn, cost);
          };
        },
        didEncounterErrors: async ({ contextValue }) => {
          // Apollo has no context yet when making it was what failed.
          const call = (contextValue as GraphContext | undefined)?.call;
          if (priced || call === undefined || call.principal.kind === 'ANONYMOUS') return;
          priced = true;
          throttle.chargeRefused(call);
        },
        willSendResponse: async ({ contextValue, response }) => {
          if (report !== null && response.body.kind === 'single') {
            const { singleResult } = response.body;
            singleResult.extensions = { ...singleResult.extensions, permissions: report };
          }
          if (contextValue.signIn === 'DONE') throttle.signedIn(contextValue.call);
        },
      };
    },
  };
}
