/**
 * Queries that come again: parsed, validated and measured by the server the first times, from then on executed by a
 * function that is compiled of their document (docs/decisions/0089-prepared-operations.md).
 *
 * Only what goes well is answered here. For whatever is refused, fails or is out of the ordinary the answer is null, and
 * the server executes the operation as if it were not known here: errors are told in one way, by one executor. So every
 * limit that depends on the request is looked at by the functions that the server's own plugin calls.
 */
import {
  getOperationAST,
  OperationTypeNode,
  type DocumentNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import { compileQuery, isCompiledQuery, type CompiledQuery } from 'graphql-jit';
import type { GraphContext } from './context.js';
import { checkOperation, isPlain, priceOf } from './limits.js';
import { objectVariablesOf, type ObjectVariable } from './plain-inputs.js';
import { compiledSizeOf } from './preparable.js';
import type { Throttle } from './throttle.js';

type Variables = Readonly<Record<string, unknown>>;

/** What was sent in the place of an operation. */
export interface SentOperation {
  readonly query: string;
  readonly operationName: string | null;
}

export interface PreparationLimits {
  /** How often a query must have been answered before it is worth compiling. */
  readonly after: number;
  /** How many are kept, and how many are counted. */
  readonly most: number;
  /** How large those that are kept may be together, measured as one is (`largestCompiled`); 1 to 5 kB for each. */
  readonly room: number;
  /** Share of the time that may go into compiling: nobody slows others down by sending what nobody sent before. */
  readonly share: number;
}

export const usualPreparation: PreparationLimits = { after: 3, most: 1_000, room: 20_000, share: 0.1 };

/** Longer ones are taken apart each time: what is kept with a query is its text and what was read of it. */
const longestDocument = 5_000;

export class PreparedOperations {
  readonly #schema: GraphQLSchema;
  readonly #throttle: Throttle;
  readonly #limits: PreparationLimits;
  /** The one that was used longest ago is the first. */
  readonly #prepared = new Map<string, PreparedOperation>();
  /** How often others were answered; null: not to be prepared. */
  readonly #answered = new Map<string, number | null>();
  /** Of all that are prepared, together. */
  #size = 0;
  /** Of `performance.now()`: nothing is compiled before. */
  #restsUntil = 0;

  constructor(schema: GraphQLSchema, throttle: Throttle, limits: PreparationLimits = usualPreparation) {
    this.#schema = schema;
    this.#throttle = throttle;
    this.#limits = limits;
  }

  find(sent: SentOperation): PreparedOperation | null {
    const key = keyOf(sent);
    const found = key === null ? undefined : this.#prepared.get(key);
    if (key === null || found === undefined) return null;
    const { most, room } = this.#limits;
    if (this.#prepared.size > most / 2 || this.#size > room / 2) {
      this.#prepared.delete(key);
      this.#prepared.set(key, found);
    }
    return found;
  }

  /** Told of each operation that the server answered without an error, after it was parsed, validated and measured. */
  noteAnswered(sent: SentOperation, document: DocumentNode, operation: OperationDefinitionNode): void {
    const { after, most } = this.#limits;
    if (sent.query.length > longestDocument) return;
    const key = keyOf(sent);
    if (key === null) return;
    const times = this.#answered.get(key);
    if (times === null || this.#prepared.has(key)) return;
    const count = (times ?? 0) + 1;
    if (count < after) {
      put(this.#answered, key, count, most);
      return;
    }
    // It comes again.
    if (performance.now() < this.#restsUntil) return;
    const prepared = this.#prepare(sent, document, operation);
    if (prepared === null) {
      put(this.#answered, key, null, most);
      return;
    }
    this.#answered.delete(key);
    this.#keep(key, prepared);
  }

  #keep(key: string, prepared: PreparedOperation): void {
    const { most, room } = this.#limits;
    for (const [oldest, { size }] of this.#prepared) {
      if (this.#prepared.size < most && this.#size + prepared.size <= room) break;
      this.#prepared.delete(oldest);
      this.#size -= size;
    }
    this.#prepared.set(key, prepared);
    this.#size += prepared.size;
  }

  #prepare(
    { operationName }: SentOperation,
    document: DocumentNode,
    operation: OperationDefinitionNode,
  ): PreparedOperation | null {
    const schema = this.#schema;
    // The same that execution would choose, or it is none of ours.
    if (getOperationAST(document, operationName) !== operation) return null;
    if (operation.operation !== OperationTypeNode.QUERY || !isPlain(document, operation)) return null;
    const size = compiledSizeOf(schema, document, operation);
    if (size === null) return null;
    const began = performance.now();
    const compiled = compile(schema, document, operationName);
    const ended = performance.now();
    this.#restsUntil = ended + (ended - began) * (1 / this.#limits.share - 1);
    if (compiled === null) return null;
    return new PreparedOperation(schema, this.#throttle, document, operation, compiled, size);
  }
}

export class PreparedOperation {
  /** As execution tells it. */
  readonly name: string | null;
  readonly #schema: GraphQLSchema;
  readonly #throttle: Throttle;
  readonly #document: DocumentNode;
  readonly #operation: OperationDefinitionNode;
  readonly #compiled: CompiledQuery;
  readonly #objects: readonly ObjectVariable[];

  constructor(
    schema: GraphQLSchema,
    throttle: Throttle,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    compiled: CompiledQuery,
    /** See `compiledSizeOf`. */
    readonly size: number,
  ) {
    this.name = operation.name?.value ?? null;
    this.#schema = schema;
    this.#throttle = throttle;
    this.#document = document;
    this.#operation = operation;
    this.#compiled = compiled;
    this.#objects = objectVariablesOf(schema, operation);
  }

  /**
   * The answer as JSON; null when there is more to say than data, and then nothing was done. The points are taken all the
   * same, and are in the context.
   */
  async answer(context: GraphContext, variables: Variables): Promise<string | null> {
    const { call } = context;
    if (call.principal.kind === 'ANONYMOUS') return null;
    // The compiled function does not look at all of it.
    for (const { name, isPlain } of this.#objects) if (!isPlain(variables[name])) return null;
    try {
      checkOperation(this.#document, this.#operation, variables, call);
      const price = priceOf(this.#schema, this.#document, this.#operation, variables);
      context.allowance ??= this.#throttle.spend(call, price);
      const { data, errors } = await this.#compiled.query(undefined, context, variables);
      return errors === undefined && data != null ? `${JSON.stringify({ data })}\n` : null;
    } catch {
      // It is thrown again where it is told and logged.
      return null;
    }
  }
}

/** A name that an operation can have; for others the executor has its words. */
const operationNameForm = /^[_A-Za-z][_0-9A-Za-z]*$/;

/** What stands before the first line feed is the name, so that no text is taken for another one with a name. */
function keyOf({ query, operationName }: SentOperation): string | null {
  if (operationName === null) return `\n${query}`;
  return operationNameForm.test(operationName) ? `${operationName}\n${query}` : null;
}

/** Null where the compiler does not know how; the executor does. */
function compile(schema: GraphQLSchema, document: DocumentNode, operationName: string | null): CompiledQuery | null {
  try {
    const compiled = compileQuery(schema, document, operationName ?? undefined, {
      disablingCapturingStackErrors: true,
    });
    return isCompiledQuery(compiled) ? compiled : null;
  } catch {
    return null;
  }
}

function put<V>(map: Map<string, V>, key: string, value: V, most: number): void {
  map.delete(key);
  if (map.size >= most) {
    const [oldest] = map.keys();
    if (oldest !== undefined) map.delete(oldest);
  }
  map.set(key, value);
}
