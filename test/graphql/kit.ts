/** The scene in one line: a caller who may do what is listed, and an operation executed as that caller. */
import { execute, parse, subscribe, validate, type ExecutionResult, type GraphQLSchema } from 'graphql';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { contextFrom, type GraphContext } from '../../src/graphql/context.js';
import { noteErrors, formatError } from '../../src/graphql/errors.js';
import {
  anonymous,
  Call,
  createSealing,
  decideBy,
  Watches,
  type AccessReader,
  type BrokenCredential,
  type CallParts,
  type Decision,
  type Iam,
  type Principal,
  type Question,
  type Reader,
} from '../../src/iam/index.js';

const sealing = createSealing(new Uint8Array(32));

/** Nobody commits anything here. */
const watches = new Watches({ access: {} as AccessReader, database: 'sqlite', onCommit: () => () => undefined }, () =>
  Date.now(),
);

export interface Caller {
  /** `action`, allowed on any resource, or `action urn`. */
  readonly may?: readonly string[];
  readonly kind?: Principal['kind'];
  /** Null for account scope. */
  readonly workspaceId?: string | null;
  readonly broken?: BrokenCredential;
  readonly reader?: Reader;
  /** Throws instead of deciding. */
  readonly fails?: boolean;
  readonly requestId?: string;
}

export const nothing: Reader = {
  scope: { accountId: 'a1', workspaceId: null },
  find: async () => new Map(),
  page: async () => ({ rows: [], hasNext: false, hasPrevious: false }),
  count: async () => 0,
  pagesOf: async () => new Map(),
  countsOf: async () => new Map(),
};

/** A call that decides by its list; everything around the decision is the real thing. */
export class ListedCall extends Call {
  /** Every question that reached a decision, as `action urn`. */
  readonly asked: string[] = [];
  readonly #caller: Caller;

  constructor(caller: Caller) {
    const kind = caller.kind ?? 'USER';
    const workspaceId = caller.workspaceId ?? null;
    const parts: CallParts = {
      requestId: caller.requestId ?? 'r1',
      environment: { now: 0, sourceAddress: null },
      catalogue: platformCatalogue,
      rights: {
        principal: kind === 'ANONYMOUS' ? anonymous : { kind, id: 'u1', name: 'Ann', mfaAt: null },
        sources: [],
        unreadable: [],
      },
      facts: {
        account: { id: 'a1', name: 'acme' },
        workspace: workspaceId === null ? null : { id: workspaceId, name: 'one', enterpriseProjectId: '0' },
        open: true,
      },
      scope: { accountId: 'a1', workspaceId },
      reader: caller.reader ?? nothing,
      account: null,
      workspace: null,
      user: null,
      session: null,
      administrator: false,
      broken: caller.broken ?? null,
    };
    super(parts);
    this.#caller = caller;
  }

  override decide(question: Question): Decision {
    if (this.#caller.fails) throw new Error('the engine fell over: secret detail');
    const { action, resource } = question;
    this.asked.push(`${action} ${resource ?? '-'}`);
    const may = this.#caller.may ?? [];
    const allowed = may.includes(action) || (resource !== null && may.includes(`${action} ${resource}`));
    const decision = decideBy('NO_MATCHING_ALLOW', question);
    return allowed ? { ...decision, effect: 'ALLOW', reason: 'ALLOWED' } : decision;
  }
}

export interface Answer {
  readonly data: Record<string, unknown> | null;
  readonly errors: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions: Record<string, unknown>;
  }[];
  /** `extensions.code` of each error. */
  readonly codes: readonly unknown[];
  /** Masked errors, as the log would have them. */
  readonly defects: readonly unknown[];
}

/** Callers follow one another as the call is opened again; the last one stays. */
export async function contextOf(...callers: readonly [Caller, ...Caller[]]): Promise<GraphContext> {
  const calls = callers.map((caller) => new ListedCall(caller));
  let next = 0;
  return contextFrom({ sealing, watches } as Iam, async () => {
    const call = calls[Math.min(next, calls.length - 1)];
    next += 1;
    if (call === undefined) throw new Error('no caller');
    return call;
  });
}

export async function run(
  schema: GraphQLSchema,
  source: string,
  context: GraphContext,
  variableValues: Record<string, unknown> = {},
): Promise<Answer> {
  const document = parse(source);
  const invalid = validate(schema, document);
  if (invalid.length > 0) throw new Error(invalid.map(({ message }) => message).join('\n'));
  return shown(await execute({ schema, document, contextValue: context, variableValues }), context);
}

/** Events of a subscription; an error before the first one comes as an answer alone. */
export async function listen(
  schema: GraphQLSchema,
  source: string,
  context: GraphContext,
): Promise<AsyncIterable<Answer> | Answer> {
  const stream = await subscribe({ schema, document: parse(source), contextValue: context });
  if (!(Symbol.asyncIterator in stream)) return shown(stream, context);
  return (async function* () {
    for await (const result of stream) yield shown(result, context);
  })();
}

function shown(result: ExecutionResult, { call }: GraphContext): Answer {
  const defects: unknown[] = [];
  noteErrors(result.errors ?? [], call.requestId, (error) => defects.push(error));
  const errors = (result.errors ?? []).map((error) => formatError(error.toJSON(), error) as Answer['errors'][number]);
  // Through JSON as on the wire: graphql answers objects without a prototype.
  const data = JSON.parse(JSON.stringify(result.data ?? null)) as Answer['data'];
  return { data, errors, codes: errors.map(({ extensions }) => extensions['code']), defects };
}
