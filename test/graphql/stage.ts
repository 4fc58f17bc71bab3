/**
 * A real account on a real SQLite file, asked through the real guarded schema without HTTP.
 *
 *     const stage = await openStage(schema);
 *     const ann = await stage.user('ann');
 *     await stage.ask(await stage.token(ann, 'account'), '{ policies { totalCount } }');
 *
 * Stages close by themselves after the last test of the file.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execute, getOperationAST, parse, validate, type ExecutionResult, type GraphQLSchema } from 'graphql';
import { afterAll } from 'vitest';
import { openContext } from '../../src/graphql/context.js';
import { formatError, noteErrors } from '../../src/graphql/errors.js';
import { checkOperation } from '../../src/graphql/limits.js';
import {
  createAccount,
  createGroup,
  createIam,
  createPolicy,
  createUser,
  createWorkspace,
  addGroupMembers,
  type Call,
  type Id,
  type Iam,
  type Outcome,
} from '../../src/iam/index.js';
import { openStore } from '../../src/store/index.js';

/** Absent elsewhere: account scope is named, never guessed. */
export type StageScope = 'account' | { readonly workspace: Id };

export interface Answer {
  readonly data: Readonly<Record<string, unknown>>;
  readonly errors: readonly { readonly message: string; readonly extensions: Readonly<Record<string, unknown>> }[];
  /** `extensions.code` of each error. */
  readonly codes: readonly unknown[];
}

export interface Stage {
  readonly iam: Iam;
  readonly accountId: Id;
  readonly root: Id;
  /** Token of a new session of this user. */
  token(userId: Id, scope: StageScope): Promise<string>;
  call(token: string): Promise<Call>;
  user(name: string): Promise<Id>;
  group(name: string, members?: readonly Id[]): Promise<Id>;
  workspace(name: string, visibility?: 'PUBLIC' | 'PRIVATE'): Promise<Id>;
  /** A custom policy of one Allow with these actions, or of whole statements. */
  policy(name: string, statements: readonly (string | object)[]): Promise<Id>;
  ask(token: string | null, source: string, variables?: Record<string, unknown>): Promise<Answer>;
  /** The answer of an operation that must succeed, userErrors included. */
  get<T = Readonly<Record<string, unknown>>>(
    token: string,
    source: string,
    variables?: Record<string, unknown>,
  ): Promise<T>;
  revision(): Promise<number>;
  /** SQL statements that reading this took. */
  statements(work: () => Promise<unknown>): Promise<number>;
  advance(milliseconds: number): void;
  /** Another account on the same database. */
  neighbour(name: string): Promise<Stage>;
}

const open = new Set<() => Promise<void>>();

afterAll(async () => {
  for (const close of [...open]) await close();
});

export async function openStage(schema: GraphQLSchema): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'bailiwick-stage-'));
  let ahead = 0;
  const now = (): number => Date.now() + ahead;
  let counted = 0;
  const store = await openStore(`sqlite:${join(folder, 'stage.db')}`, { now, log: () => (counted += 1) });
  open.add(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });
  const iam = createIam({ store, masterKey: randomBytes(32), now });
  const advance = (milliseconds: number): void => {
    ahead += milliseconds;
  };
  return stageOf(schema, iam, { advance, counted: () => counted }, 'default');
}

interface Works {
  readonly advance: (milliseconds: number) => void;
  readonly counted: () => number;
}

async function stageOf(schema: GraphQLSchema, iam: Iam, works: Works, name: string): Promise<Stage> {
  const { store } = iam;
  const { account, root } = await createAccount(iam, { name, rootName: 'root', rootPassword: `Root of ${name} 1` });
  let sessions = 0;

  const token = async (userId: Id, scope: StageScope): Promise<string> => {
    sessions += 1;
    const sessionId = `session-${sessions}`;
    const at = iam.now();
    const expiresAt = at + 86_400_000;
    await store.transaction(
      {
        accountId: account.id,
        workspaceId: null,
        operation: 'stage',
        actorKind: 'USER',
        actorId: userId,
        actorName: '',
        requestId: 'stage',
        at,
      },
      async (transaction) => {
        await transaction.insert('session', {
          id: sessionId,
          accountId: account.id,
          userId,
          startedAt: at,
          expiresAt,
          endedAt: null,
          mfaAt: null,
          sourceAddress: '',
          scopesLeft: [],
        });
        return { commit: true, value: undefined };
      },
    );
    const workspaceId = scope === 'account' ? null : scope.workspace;
    return iam.tokens.issue({
      accountId: account.id,
      userId,
      sessionId,
      scope: { accountId: account.id, workspaceId },
      expiresAt,
    });
  };
  const arrival = (bearer: string | null) => ({
    requestId: 'r1',
    credential: bearer === null ? ({ kind: 'none' } as const) : ({ kind: 'token', token: bearer } as const),
    environment: { now: iam.now(), sourceAddress: '192.0.2.1' },
  });
  const call = (bearer: string): Promise<Call> => iam.calls.open(arrival(bearer));
  const asRoot = async (): Promise<Call> => call(await token(root.id, 'account'));

  const ask: Stage['ask'] = async (bearer, source, variables = {}) => {
    const document = parse(source);
    const faults = validate(schema, document);
    if (faults.length > 0) throw new Error(faults.map(({ message }) => message).join('\n'));
    const context = await openContext(iam, arrival(bearer));
    const operation = getOperationAST(document);
    if (!operation) throw new Error('an operation is asked for by a document of one operation');
    let result: ExecutionResult;
    try {
      checkOperation(document, operation, variables, context.call);
      result = await execute({ schema, document, contextValue: context, variableValues: variables });
    } catch (error) {
      return shown({ data: null, errors: [error as never] });
    }
    return shown(result);
  };

  const stage: Stage = {
    iam,
    accountId: account.id,
    root: root.id,
    token,
    call,
    ask,
    get: async <T>(bearer: string, source: string, variables: Record<string, unknown> = {}) => {
      const { data, errors } = await ask(bearer, source, variables);
      if (errors.length > 0) throw new Error(`${source}\n${JSON.stringify(errors, null, 2)}`);
      return data as T;
    },
    user: async (userName) => must(await createUser(iam, await asRoot(), { name: userName })).id,
    group: async (groupName, members = []) => {
      const { id } = must(await createGroup(iam, await asRoot(), { name: groupName }));
      if (members.length > 0) must(await addGroupMembers(iam, await asRoot(), { groupId: id, userIds: members }));
      return id;
    },
    workspace: async (workspaceName, visibility = 'PUBLIC') =>
      must(await createWorkspace(iam, await asRoot(), { name: workspaceName, visibility })).id,
    policy: async (policyName, statements) => {
      const actions = statements.filter((statement) => typeof statement === 'string');
      const whole = statements.filter((statement) => typeof statement !== 'string');
      const Statement = [...(actions.length > 0 ? [{ Effect: 'Allow', Action: actions }] : []), ...whole];
      const document = { Version: '1.1', Statement };
      return must(await createPolicy(iam, await asRoot(), { name: policyName, document })).id;
    },
    revision: async () => (await store.access.account(account.id))?.revision ?? NaN,
    statements: async (work) => {
      const before = works.counted();
      await work();
      return works.counted() - before;
    },
    advance: works.advance,
    neighbour: (other) => stageOf(schema, iam, works, other),
  };
  return stage;
}

/** The value of an outcome that can only be a success here. */
export function must<T>(outcome: Outcome<T>): T {
  if (outcome.kind !== 'succeeded') throw new Error(JSON.stringify(outcome, null, 2));
  return outcome.value;
}

function shown(result: ExecutionResult): Answer {
  // Without data nothing was executed: the variables did not fit, which the server answers with this code.
  if (result.data === undefined) {
    const errors = (result.errors ?? []).map(({ message }) => ({ message, extensions: { code: 'BAD_USER_INPUT' } }));
    return { data: {}, errors, codes: errors.map(({ extensions }) => extensions.code) };
  }
  const defects: unknown[] = [];
  noteErrors(result.errors ?? [], 'r1', (error) => defects.push(error));
  if (defects.length > 0) throw defects[0];
  const errors = (result.errors ?? []).map((error) => {
    const formatted = 'toJSON' in error ? error.toJSON() : { message: String(error) };
    return formatError(formatted, error) as Answer['errors'][number];
  });
  // Through JSON as on the wire: graphql answers objects without a prototype.
  const data = JSON.parse(JSON.stringify(result.data ?? {})) as Answer['data'];
  return { data, errors, codes: errors.map(({ extensions }) => extensions['code']) };
}
