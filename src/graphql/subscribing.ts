/**
 * From a subscription as it was sent to its stream. Everything that an operation over HTTP has to pass before it runs
 * stands here in the same order: what can be read, what fits the schema, limits, cost.
 */
import {
  getOperationAST,
  GraphQLError,
  Kind,
  OperationTypeNode,
  parse,
  specifiedRules,
  subscribe,
  validate,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import type { GraphContext } from './context.js';
import { checkNesting, knownOperationTypes } from './documents.js';
import { clientError } from './errors.js';
import { fragmentsOf } from './fragments.js';
import { checkOperation, parseLimits, priceOf } from './limits.js';
import type { Throttle } from './throttle.js';

export interface SentSubscription {
  readonly query: string;
  readonly operationName: string | null;
  readonly variables: Readonly<Record<string, unknown>>;
}

export interface ReadSubscription {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
}

const rules = [...specifiedRules, knownOperationTypes];

/** Reads a subscription, or answers what is wrong with it. It was not paid for yet. */
export function readSubscription(
  schema: GraphQLSchema,
  { query, operationName }: SentSubscription,
): ReadSubscription | readonly GraphQLError[] {
  let document: DocumentNode;
  try {
    checkNesting(query);
    document = parse(query, parseLimits);
  } catch (error) {
    return [error instanceof GraphQLError && 'code' in error.extensions ? error : coded(error, 'GRAPHQL_PARSE_FAILED')];
  }
  const problems = validate(schema, document, rules, { maxErrors: 20 });
  if (problems.length > 0) return problems.map((problem) => coded(problem, 'GRAPHQL_VALIDATION_FAILED'));
  const operation = getOperationAST(document, operationName);
  if (operation == null) {
    return [
      clientError('OPERATION_RESOLUTION_FAILURE', 'the document has no operation of this name, or several; name one'),
    ];
  }
  if (operation.operation !== OperationTypeNode.SUBSCRIPTION) {
    return [
      clientError('BAD_REQUEST', `only subscriptions are answered here; send a ${operation.operation} by HTTP POST`),
    ];
  }
  // Which field is listened to must not hang on a variable: without any there would be nothing to begin.
  if (isConditional(operation.selectionSet, document)) {
    return [
      clientError(
        'GRAPHQL_VALIDATION_FAILED',
        'the field of a subscription cannot be left out; take `@skip` and `@include` away',
      ),
    ];
  }
  return { document, operation };
}

/**
 * Begins a subscription that was read; throws or answers what is wrong with it. Beginning costs the price of the
 * operation; each event, and each look that was woken and finds none, costs it again.
 */
export async function beginSubscription(
  schema: GraphQLSchema,
  { document, operation }: ReadSubscription,
  { operationName, variables }: SentSubscription,
  context: GraphContext,
  throttle: Throttle,
): Promise<AsyncGenerator<ExecutionResult> | readonly GraphQLError[]> {
  const { call } = context;
  let cost: number;
  try {
    checkOperation(document, operation, variables, call);
    cost = priceOf(schema, document, operation, variables);
  } catch (error) {
    throttle.chargeRefused(call);
    throw error;
  }
  throttle.spend(call, cost);
  context.chargeAgain = () => void throttle.spend(context.call, cost);
  const begun = await subscribe({ schema, document, contextValue: context, variableValues: variables, operationName });
  if (Symbol.asyncIterator in begun) return begun;
  return (begun.errors ?? []).map((error) => (isOfVariable(error) ? coded(error, 'BAD_USER_INPUT') : error));
}

/** What graphql itself refuses before there is a field: a variable that does not fit. */
function isOfVariable({ nodes = [] }: GraphQLError): boolean {
  return nodes.length > 0 && nodes.every(({ kind }) => kind === Kind.VARIABLE_DEFINITION);
}

/** Whether some directive can leave a root field out. Each fragment is looked at once, however often it is spread. */
function isConditional(selectionSet: SelectionSetNode, document: DocumentNode): boolean {
  const fragments = fragmentsOf(document);
  const rest: SelectionSetNode[] = [selectionSet];
  for (const { selections } of rest) {
    for (const selection of selections) {
      if (selection.directives?.some(({ name }) => name.value === 'skip' || name.value === 'include')) return true;
      if (selection.kind === Kind.INLINE_FRAGMENT) rest.push(selection.selectionSet);
      if (selection.kind !== Kind.FRAGMENT_SPREAD) continue;
      const fragment = fragments.get(selection.name.value);
      fragments.delete(selection.name.value);
      if (fragment !== undefined) rest.push(fragment.selectionSet);
    }
  }
  return false;
}

function coded(error: unknown, code: 'BAD_USER_INPUT' | 'GRAPHQL_PARSE_FAILED' | 'GRAPHQL_VALIDATION_FAILED') {
  if (!(error instanceof GraphQLError)) throw error;
  const { message, nodes, source, positions } = error;
  return new GraphQLError(message, { nodes, source, positions, extensions: { code } });
}
