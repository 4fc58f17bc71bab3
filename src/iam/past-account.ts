/**
 * An account as it was after one of its revisions, as far as decisions read it. Every row is what the trail says of it
 * (past-rows.ts); what the rows come to is composed and decided by the code that decides today.
 */
import type { AccessReader, Attachment } from './ports.js';
import { rowsBefore, UnknownPast } from './past-rows.js';
import type { Account, Agency, Grant, Group, Id, Records, Resource, Service, User, Workspace } from './records.js';
import type { PastKind, Sought, TrailReader } from './trail-reader.js';

/** Events about one kind since then that are looked through. */
export const mostLookedThrough = 100_000;

/** Events that are undone for one set of rows: each holds images of whole rows. */
export const mostUndone = 5_000;

/** Rows and events are read one after the other; somebody may write between the two. */
const attempts = 3;

type PastReads = Pick<AccessReader, 'workspace' | 'isAdministrator' | 'isListedIn' | 'attachments'>;

export class PastAccount implements PastReads {
  readonly #trail: TrailReader;
  readonly #accountId: Id;
  readonly #revision: number;
  readonly #rows = new Map<string, Promise<readonly Records[PastKind][]>>();
  readonly #counted = new Map<PastKind, Promise<void>>();

  constructor(trail: TrailReader, accountId: Id, revision: number) {
    this.#trail = trail;
    this.#accountId = accountId;
    this.#revision = revision;
  }

  account(): Promise<Account | null> {
    return this.#one('account', this.#accountId);
  }

  user(id: Id): Promise<User | null> {
    return this.#one('user', id);
  }

  agency(id: Id): Promise<Agency | null> {
    return this.#one('agency', id);
  }

  service(id: Id): Promise<Service | null> {
    return this.#one('service', id);
  }

  services(): Promise<readonly Service[]> {
    return this.#find({ kind: 'service', column: 'accountId', values: [this.#accountId] });
  }

  workspace(_accountId: Id, id: Id): Promise<Workspace | null> {
    return this.#one('workspace', id);
  }

  async resource(urn: string): Promise<Resource | null> {
    const [found = null] = await this.#find({ kind: 'resource', column: 'urn', values: [urn] });
    return found;
  }

  async isAdministrator(_accountId: Id, userId: Id): Promise<boolean> {
    const user = await this.user(userId);
    if (user === null || user.root) return user !== null;
    return (await this.#groupsOf(userId)).some(({ builtIn }) => builtIn);
  }

  async isListedIn(_accountId: Id, workspaceId: Id, userId: Id): Promise<boolean> {
    return (await this.#one('workspaceMember', `${workspaceId}.${userId}`)) !== null;
  }

  async attachments(
    _accountId: Id,
    kind: 'USER' | 'AGENCY' | 'SERVICE' | 'GROUP',
    ids: readonly Id[],
  ): Promise<ReadonlyMap<Id, readonly Attachment[]>> {
    const found = new Map<Id, readonly Attachment[]>();
    for (const id of ids) found.set(id, await this.#attachmentsOf(kind, id));
    return found;
  }

  async #attachmentsOf(kind: Grant['subjectKind'], id: Id): Promise<readonly Attachment[]> {
    const groups = new Map<Id, Group>();
    if (kind === 'USER') for (const group of await this.#groupsOf(id)) groups.set(group.id, group);
    const given = await this.#find({ kind: 'grant', column: 'subjectId', values: [id, ...groups.keys()] });
    const grants = given.filter(({ subjectKind, subjectId }) =>
      subjectId === id ? subjectKind === kind : subjectKind === 'GROUP',
    );
    const policies = await this.#byId('policy', grants.map(({ policyId }) => policyId)); // prettier-ignore
    const inUse = [...policies.values()].map((policy) => `${policy.id}.${policy.defaultVersion}`);
    const versions = await this.#byId('policyVersion', inUse);
    const attachments = grants.map((grant): Attachment => {
      const policy = known(policies, 'policy', grant.policyId);
      const { text } = known(versions, 'policyVersion', `${policy.id}.${policy.defaultVersion}`);
      const group = grant.subjectId === id ? null : known(groups, 'group', grant.subjectId);
      return { grant, policy, policyVersion: policy.defaultVersion, text, group };
    });
    return attachments.sort((one, other) => inOrder(one.grant, other.grant));
  }

  async #groupsOf(userId: Id): Promise<readonly Group[]> {
    const memberships = await this.#find({ kind: 'membership', column: 'userId', values: [userId] });
    const ids = memberships.map(({ groupId }) => groupId);
    const groups = await this.#byId('group', ids);
    return ids.map((id) => known(groups, 'group', id));
  }

  async #one<K extends PastKind>(kind: K, id: Id): Promise<Records[K] | null> {
    return (await this.#byId(kind, [id])).get(id) ?? null;
  }

  async #byId<K extends PastKind>(kind: K, ids: readonly Id[]): Promise<ReadonlyMap<Id, Records[K]>> {
    const rows = await this.#find<PastKind>({ kind, column: 'id', values: ids });
    return new Map((rows as readonly Records[K][]).map((row) => [row.id, row]));
  }

  #find<K extends PastKind>(sought: Sought<K>): Promise<readonly Records[K][]> {
    const values = [...new Set<string>(sought.values)].sort();
    if (values.length === 0) return Promise.resolve([]);
    const key = JSON.stringify([sought.kind, sought.column, values]);
    const reading = this.#rows.get(key) ?? this.#read({ ...sought, values });
    this.#rows.set(key, reading);
    return reading as Promise<readonly Records[K][]>;
  }

  async #read<K extends PastKind>(sought: Sought<K>): Promise<readonly Records[K][]> {
    await this.#boundWork(sought.kind);
    for (let attempt = 1; ; attempt += 1) {
      const present = await this.#trail.present(this.#accountId, sought);
      const changes = await this.#trail.changesAfter(this.#accountId, sought, this.#revision, mostUndone + 1);
      if (changes.length > mostUndone) throw tooMany(sought.kind);
      try {
        return rowsBefore(sought.kind, present, changes);
      } catch (error) {
        if (attempt === attempts || !(error instanceof UnknownPast) || error.reason !== 'TRAIL_BROKEN') throw error;
      }
    }
  }

  /** What is looked for by anything but its id is looked for in every event about its kind. */
  #boundWork(kind: PastKind): Promise<void> {
    const counting = this.#counted.get(kind) ?? this.#count(kind);
    this.#counted.set(kind, counting);
    return counting;
  }

  async #count(kind: PastKind): Promise<void> {
    const count = await this.#trail.countAfter(this.#accountId, kind, this.#revision, mostLookedThrough + 1);
    if (count > mostLookedThrough) throw tooMany(kind);
  }
}

function tooMany(kind: PastKind): UnknownPast {
  return new UnknownPast('TOO_MANY_CHANGES', `Rows of kind ${kind}.`);
}

/** What a row names was there when the row was: the tables say so. */
function known<K extends PastKind>(rows: ReadonlyMap<Id, Records[K]>, kind: K, id: Id): Records[K] {
  const row = rows.get(id);
  if (row === undefined) throw new UnknownPast('TRAIL_BROKEN', `${kind} \`${id}\` is named and was not there`);
  return row;
}

/** The order in which grants are told today. */
function inOrder(one: Grant, other: Grant): number {
  return one.createdAt - other.createdAt || (one.id < other.id ? -1 : one.id > other.id ? 1 : 0);
}
