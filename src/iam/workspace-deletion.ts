/**
 * Deleting workspaces (docs/domain.md section g3). One that holds something is refused unless the caller says to delete
 * that too and may delete each thing in it. A few things go at once; many go bit by bit while nobody may enter, so that
 * nobody waits long for the account, and what was begun is finished after a restart.
 */
import type { Decision } from './authorizer.js';
import type { Calls } from './calls.js';
import type { Call } from './call.js';
import { change, type OpenChange } from './change.js';
import { looksAt } from './escalation.js';
import type { House } from './house.js';
import { newId } from './house.js';
import { problem, refuse, reject, succeed, type Outcome } from './outcome.js';
import type { ChangeOrigin, Transaction } from './ports.js';
import { statementsMayOverlap, type Statement } from '../policy/index.js';
import { kindActions, kindQuestion } from './resource-kinds.js';
import type { Id, Resource, Tag, Workspace } from './records.js';
import { changeableWorkspace } from './workspaces.js';

/** Resources that are taken away in one transaction. */
export const clearedAtOnce = 200;

const deregisterAction = 'bailiwick:resources:deregister';

/** Resources that are read in one statement. */
const readAtOnce = 500;

export interface DeleteWorkspaceInput {
  readonly id: Id;
  /** Deletes what is in it as well. */
  readonly force?: boolean | null;
}

export interface DeletedWorkspace {
  /** As it was, or as it is while what it holds is taken away. */
  readonly workspace: Workspace;
  readonly gone: boolean;
}

export async function deleteWorkspace(
  house: House & { readonly calls: Calls; readonly clearings: WorkspaceClearings },
  call: Call,
  { id, force }: DeleteWorkspaceInput,
): Promise<Outcome<DeletedWorkspace>> {
  let origin: ChangeOrigin | null = null;
  const outcome = await change<DeletedWorkspace>(house, call, { operation: 'deleteWorkspace' }, async (open) => {
    const { transaction } = open;
    const workspace = await changeableWorkspace(open, 'modelarts:workspace:delete', id);
    if ('kind' in workspace) return workspace;
    const { length: count } = await transaction.idsWhere('resource', { workspaceId: id });
    if (count > 0 && force !== true) {
      const many = count === 1 ? 'one resource is' : `${count} resources are`;
      const message = `${many} still in the workspace; deregister first, or send \`force: true\` to delete what it holds too`;
      return reject(problem('IN_USE', message, 'id', { reference: 'ModelArts.4552' }));
    }
    const refused = count === 0 ? null : await firstKept(house.calls, open, workspace);
    if (refused !== null) return refuse(refused, 'ModelArts.4551');
    if (count <= clearedAtOnce) {
      await clearSome(transaction, id);
      await removeWorkspace(transaction, id);
      return succeed({ workspace, gone: true });
    }
    origin = transaction.origin;
    const closed = await transaction.update('workspace', id, { status: 'DELETING', statusDetail: '' });
    return succeed({ workspace: closed, gone: false });
  });
  if (outcome.kind === 'succeeded' && origin !== null) house.clearings.begin(id, origin);
  return outcome;
}

/** The first decision by which the caller may not delete something in the workspace; null when they may delete it all. */
async function firstKept(calls: Calls, { transaction, call }: OpenChange, target: Workspace): Promise<Decision | null> {
  const there = await calls.inWorkspace(call, target);
  // Of what statements can tell apart, one of a sort is asked about.
  const sorting = new Map<string, (resource: Resource) => string>();
  const asked = new Set<string>();
  let last: Resource | null = null;
  do {
    const read: readonly Resource[] = await transaction.access.resourcesIn(call.accountId, target.id, last, readAtOnce);
    for (const resource of read) {
      const { urn, kind, tags } = resource;
      const sortOf = sorting.get(kind) ?? sortingOf(there, kind);
      sorting.set(kind, sortOf);
      const sort = sortOf(resource);
      if (asked.has(sort)) continue;
      asked.add(sort);
      const about = { resource: urn, tags };
      const decision = there.decide(kindQuestion(there, kind, 'delete', about));
      if (decision.effect !== 'ALLOW') return decision;
      // Who may delete a workspace may empty its register, unless something in it is kept there in so many words.
      const kept = there.decide({ ...about, action: deregisterAction });
      if (kept.reason === 'EXPLICIT_DENY' || kept.reason === 'SESSION_POLICY') return kept;
    }
    last = read.length === readAtOnce ? (read.at(-1) ?? null) : null;
  } while (last !== null);
  return null;
}

/** Names what the caller's statements about deleting one of a kind can tell apart; what has one name is decided alike. */
function sortingOf({ catalogue, rights }: Call, kind: string): (resource: Resource) => string {
  const actions = [...kindActions(catalogue, kind, 'delete'), deregisterAction];
  const names = actions.map((action) => catalogue.namesOf(action));
  const everything = { resources: null, notResources: null, conditions: [] };
  const asked: Statement = { index: 0, sid: null, effect: 'ALLOW', actions, notActions: null, ...everything };
  const statements = rights.sources.flatMap(({ document }) =>
    document.statements.filter((held) => statementsMayOverlap(held, asked, names)),
  );
  const byName = statements.some(
    ({ resources, notResources }) => notResources !== null || (resources?.some((pattern) => pattern !== '*') ?? false),
  );
  const byTag = new Map<string, boolean>();
  const tellsApart = ({ key }: Tag): boolean => {
    const known = byTag.get(key) ?? statements.some((statement) => looksAt(statement, `g:ResourceTag/${key}`));
    byTag.set(key, known);
    return known;
  };
  return ({ urn, tags }) => JSON.stringify([kind, urn.split(':')[1], tags.filter(tellsApart), byName ? urn : '']);
}

/**
 * Takes away some of what is in a workspace, what belongs to others before these; answers whether anything is left. From
 * what nothing belongs to it goes upwards, so that a chain costs no more than as many that stand alone.
 */
async function clearSome(transaction: Transaction, workspaceId: Id): Promise<boolean> {
  const { access } = transaction;
  const { accountId } = transaction.origin;
  let gone = 0;
  for (const childless of await access.childlessResources(accountId, workspaceId, clearedAtOnce)) {
    for (let next: Resource | null = childless; next !== null && gone < 2 * clearedAtOnce; gone += 1) {
      const { id, parentId }: Resource = next;
      if ((await transaction.get('remoteAccess', id)) !== null) await transaction.remove('remoteAccess', id);
      await transaction.remove('resource', id);
      const bare: boolean = parentId !== null && !(await access.hasChildResources(accountId, parentId));
      next = bare && parentId !== null ? await transaction.get('resource', parentId) : null;
    }
  }
  const left = (await access.resourcesIn(accountId, workspaceId, null, 1)).length > 0;
  // Or the same nothing would be tried for ever.
  if (left && gone === 0) throw new Error(`what is left in workspace ${workspaceId} belongs to each other`);
  return left;
}

/** How many resources are still to go with a workspace; null unless its deletion was begun. */
export function remainingIn(
  { store }: House,
  { accountId, id, status }: Pick<Workspace, 'accountId' | 'id' | 'status'>,
): Promise<number> | null {
  if (status !== 'DELETING' && status !== 'DELETE_FAILED') return null;
  const counting = store.access.resourceCounts(accountId, id, null);
  return counting.then((counts) => [...counts.values()].reduce((sum, count) => sum + count, 0));
}

/** The workspace with its list, its quotas, what is remembered of visits, and the grants that work in it alone. */
async function removeWorkspace(transaction: Transaction, id: Id): Promise<void> {
  for (const grant of await transaction.idsWhere('grant', { scopeKind: 'WORKSPACE', scopeId: id })) {
    await transaction.remove('grant', grant);
  }
  for (const kind of ['workspaceMember', 'workspaceQuota', 'workspaceVisit'] as const) {
    for (const row of await transaction.idsWhere(kind, { workspaceId: id })) await transaction.remove(kind, row);
  }
  await transaction.remove('workspace', id);
}

export interface ClearingReport {
  done(workspaceId: Id): void;
  failed(workspaceId: Id, error: unknown): void;
}

/** Attempts at one transaction before a deletion counts as failed. */
const attempts = 3;

/**
 * Deletions under way in this process. Each transaction takes what is there, so that two processes at the same workspace
 * do not get in each other's way.
 */
export class WorkspaceClearings {
  readonly #house: House;
  readonly #running = new Map<Id, Promise<void>>();
  #report: ClearingReport = { done: () => undefined, failed: () => undefined };
  #stopped = false;

  constructor(house: House) {
    this.#house = house;
  }

  /** Clears a workspace in the background. */
  begin(workspaceId: Id, origin: ChangeOrigin): void {
    if (this.#stopped || this.#running.has(workspaceId)) return;
    const work = this.#clear(workspaceId, origin).finally(() => this.#running.delete(workspaceId));
    this.#running.set(workspaceId, work);
  }

  /** Goes on with what another process, or this one before it was ended, has begun. */
  async resume(report?: ClearingReport): Promise<void> {
    if (report !== undefined) this.#report = report;
    const { store, now } = this.#house;
    for (const { id: accountId } of await store.access.accounts()) {
      for (const workspaceId of await store.access.workspacesBeingDeleted(accountId)) {
        this.begin(workspaceId, {
          accountId,
          workspaceId: null,
          operation: 'resumeWorkspaceDeletion',
          actorKind: 'OPERATOR',
          actorId: '',
          actorName: 'server',
          requestId: newId(),
          at: now(),
        });
      }
    }
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  /** Ends after the transactions under way; what is left is gone on with at the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.settled();
  }

  async #clear(workspaceId: Id, origin: ChangeOrigin): Promise<void> {
    try {
      while (!this.#stopped && (await this.#repeated(() => this.#step(workspaceId, origin))));
      if (!this.#stopped) this.#report.done(workspaceId);
    } catch (error) {
      // What the end of this process cut short has not failed: the next start goes on.
      if (this.#stopped) return;
      this.#report.failed(workspaceId, error);
      // Where even that cannot be written the workspace stays as it is, and the next start goes on.
      await this.#fail(workspaceId, origin).catch(() => undefined);
    }
  }

  async #repeated<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await work();
      } catch (error) {
        if (attempt === attempts || this.#stopped) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100 * attempt));
      }
    }
  }

  /** One transaction; answers whether there is more to do. */
  async #step(workspaceId: Id, origin: ChangeOrigin): Promise<boolean> {
    const { store, now } = this.#house;
    const { value } = await store.transaction({ ...origin, at: now() }, async (transaction) => {
      const workspace = await transaction.get('workspace', workspaceId);
      if (workspace?.status !== 'DELETING') return { commit: false, value: false };
      const more = await clearSome(transaction, workspaceId);
      if (!more) await removeWorkspace(transaction, workspaceId);
      return { commit: true, value: more };
    });
    return value;
  }

  async #fail(workspaceId: Id, origin: ChangeOrigin): Promise<void> {
    const { store, now } = this.#house;
    await store.transaction({ ...origin, at: now() }, async (transaction) => {
      const workspace = await transaction.get('workspace', workspaceId);
      if (workspace?.status !== 'DELETING') return { commit: false, value: undefined };
      const statusDetail = 'not everything in the workspace could be deleted; delete the workspace again';
      await transaction.update('workspace', workspaceId, { status: 'DELETE_FAILED', statusDetail });
      return { commit: true, value: undefined };
    });
  }
}
