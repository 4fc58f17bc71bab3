/** What an account is now, as far as files can say it: read whole, in pages, from the directory of the account. */
import {
  fold,
  type EnterpriseProject,
  type Grant,
  type Group,
  type Id,
  type ListedKind,
  type Orders,
  type Page,
  type Policy,
  type PolicyVersion,
  type Position,
  type Reader,
  type Records,
  type Relation,
  type Relations,
  type Store,
  type User,
  type Workspace,
} from '../iam/index.js';

export interface CurrentUser extends Pick<User, 'id' | 'name' | 'description' | 'enabled' | 'root'> {
  readonly defaultEnded: boolean;
  readonly groupIds: readonly Id[];
}

export interface CurrentPolicy extends Policy {
  /** The text in use; '' for a system policy, whose text files never say. */
  readonly text: string;
  /** Those that are kept, the oldest first; empty for a system policy. */
  readonly versions: readonly Pick<PolicyVersion, 'number' | 'text'>[];
}

export interface CurrentWorkspace extends Workspace {
  readonly memberIds: readonly Id[];
}

/** Everything by its name as names compare; grants in the order in which they were made. */
export interface Current {
  readonly projects: ReadonlyMap<string, EnterpriseProject>;
  readonly policies: ReadonlyMap<string, CurrentPolicy>;
  readonly groups: ReadonlyMap<string, Group>;
  readonly users: ReadonlyMap<string, CurrentUser>;
  readonly workspaces: ReadonlyMap<string, CurrentWorkspace>;
  readonly grants: readonly Grant[];
}

const atOnce = 1_000;

export async function readCurrent(store: Pick<Store, 'reader'>, accountId: Id): Promise<Current> {
  const reader = store.reader({ accountId, workspaceId: null });
  const users = new Map<string, CurrentUser>();
  for await (const page of pagesOfKind(reader, 'user', 'NAME')) {
    const groups = await related(reader, 'user.groups', 'ADDED_AT', page);
    for (const { id, name, description, enabled, root, defaultModelArtsAccess } of page) {
      const groupIds = (groups.get(id) ?? []).map(({ target }) => target.id);
      const defaultEnded = defaultModelArtsAccess === 'ENDED';
      users.set(fold(name), { id, name, description, enabled, root, defaultEnded, groupIds });
    }
  }
  const workspaces = new Map<string, CurrentWorkspace>();
  for await (const page of pagesOfKind(reader, 'workspace', 'NAME')) {
    const members = await related(reader, 'workspace.members', 'NAME', page);
    for (const workspace of page) {
      const memberIds = (members.get(workspace.id) ?? []).map(({ target }) => target.id);
      workspaces.set(fold(workspace.name), { ...workspace, memberIds });
    }
  }
  const policies = new Map<string, CurrentPolicy>();
  for await (const page of pagesOfKind(reader, 'policy', 'NAME')) {
    const custom = page.filter(({ origin }) => origin === 'CUSTOM');
    const versions = await related(reader, 'policy.versions', 'NUMBER', custom);
    for (const policy of page) {
      const kept = versions.get(policy.id) ?? [];
      const text = kept.find(({ number }) => number === policy.defaultVersion)?.text ?? '';
      policies.set(fold(policy.name), { ...policy, text, versions: kept });
    }
  }
  return {
    projects: await byName(reader, 'enterpriseProject'),
    policies,
    groups: await byName(reader, 'group'),
    users,
    workspaces,
    grants: await whole(reader, 'grant', 'CREATED_AT'),
  };
}

async function byName<K extends 'enterpriseProject' | 'group'>(
  reader: Reader,
  kind: K,
): Promise<ReadonlyMap<string, Records[K]>> {
  const found = await whole(reader, kind, 'NAME');
  return new Map(found.map((record) => [fold(record.name), record]));
}

async function whole<K extends ListedKind>(reader: Reader, kind: K, by: Orders[K]): Promise<readonly Records[K][]> {
  const found: Records[K][] = [];
  for await (const page of pagesOfKind(reader, kind, by)) found.push(...page);
  return found;
}

async function* pagesOfKind<K extends ListedKind>(
  reader: Reader,
  kind: K,
  by: Orders[K],
): AsyncGenerator<readonly Records[K][]> {
  let after: Position | null = null;
  for (;;) {
    const order = { by, direction: 'ASC' } as const;
    const page: Page<Records[K]> = await reader.page(
      kind,
      {},
      { order, limit: atOnce, backward: false, after, before: null },
    );
    yield page.rows.map(({ record }) => record);
    if (!page.hasNext) return;
    after = page.rows.at(-1)?.position ?? null;
  }
}

/** More than any rule allows for one parent, so that one page is all there is. */
const mostRelated = 5_000;

async function related<R extends Relation>(
  reader: Reader,
  relation: R,
  by: Relations[R]['order'],
  parents: readonly { readonly id: Id }[],
): Promise<ReadonlyMap<Id, readonly Relations[R]['row'][]>> {
  const order = { by, direction: 'ASC' } as const;
  const window = { order, limit: mostRelated, backward: false, after: null, before: null };
  const pages = await reader.pagesOf(
    relation,
    parents.map(({ id }) => id),
    window,
  );
  return new Map(
    [...pages].map(([id, { rows, hasNext }]) => {
      if (hasNext) throw new Error(`${relation} of ${id} has more than ${mostRelated} rows`);
      return [id, rows.map(({ record }) => record)];
    }),
  );
}
