/** What is read before there is a scope to be bound to: by authentication, the authorizer, and rules inside writes. */
import {
  fold,
  type AccessReader,
  type Account,
  type Attachment,
  type Commit,
  type Grant,
  type Group,
  type Id,
  type Instant,
  type Kind,
  type Policy,
  type PolicyVersion,
  type Records,
  type Service,
  type User,
} from '../iam/index.js';
import { isAdministrator } from './confinement.js';
import type { Connection } from './connection.js';
import type { CurrentAccounts } from './current-accounts.js';
import { property, recordOf, selected } from './rows.js';
import { always, among, byDialect, join, raw, sql, Sql, table } from './sql.js';
import { tables } from './tables.js';

export class StoreAccessReader implements AccessReader {
  /** @param current absent inside a transaction, which sees what it has written itself */
  constructor(
    private readonly connection: Connection,
    private readonly current: Pick<CurrentAccounts, 'account'> | null = null,
  ) {}

  async account(accountId: Id): Promise<Account | null> {
    if (this.current !== null) return this.current.account(accountId);
    return this.first('account', sql`found."id" = ${accountId}`);
  }

  async accountByName(name: string): Promise<Account | null> {
    return this.first('account', sql`found."name_key" = ${fold(name)}`);
  }

  async accounts(): Promise<readonly Account[]> {
    return this.every('account', sql`TRUE ORDER BY found."name_key", found."id"`);
  }

  async revisions(accountIds: readonly Id[]): Promise<readonly Commit[]> {
    if (accountIds.length === 0) return [];
    const rows = await this.connection.rows(
      sql`SELECT found."id" AS "id", found."revision" AS "revision", found."access_revision" AS "accessRevision"
        FROM "accounts" found WHERE ${among(sql`found."id"`, accountIds)}`,
    );
    return rows.map(({ id, revision, accessRevision }) => ({
      accountId: String(id),
      revision: Number(revision),
      accessRevision: Number(accessRevision),
    }));
  }

  async session(accountId: Id, sessionId: Id): Promise<Records['session'] | null> {
    return this.byId('session', accountId, sessionId);
  }

  async user(accountId: Id, userId: Id): Promise<User | null> {
    return this.byId('user', accountId, userId);
  }

  async userByName(accountId: Id, name: string): Promise<User | null> {
    return this.first('user', sql`found."account_id" = ${accountId} AND found."name_key" = ${fold(name)}`);
  }

  async password(accountId: Id, userId: Id): Promise<Records['password'] | null> {
    return this.byId('password', accountId, userId);
  }

  async passwordChanges(accountId: Id, userIds: readonly Id[]): Promise<ReadonlyMap<Id, Instant>> {
    if (userIds.length === 0) return new Map();
    const rows = await this.connection.rows(
      sql`SELECT found."id" AS "id", found."changed_at" AS "changedAt" FROM "passwords" found
        WHERE found."account_id" = ${accountId} AND ${among(sql`found."id"`, userIds)}`,
    );
    return new Map(rows.map((row) => [String(row.id), Number(row.changedAt)]));
  }

  async accountSettings(accountId: Id): Promise<Records['accountSettings'] | null> {
    return this.byId('accountSettings', accountId, accountId);
  }

  async auditChain(accountId: Id): Promise<Records['auditChain'] | null> {
    return this.byId('auditChain', accountId, accountId);
  }

  async service(accountId: Id, serviceId: Id): Promise<Service | null> {
    return this.byId('service', accountId, serviceId);
  }

  async services(accountId: Id): Promise<readonly Service[]> {
    return this.every('service', sql`found."account_id" = ${accountId} ORDER BY found."name_key", found."id"`);
  }

  async agency(accountId: Id, agencyId: Id): Promise<Records['agency'] | null> {
    return this.byId('agency', accountId, agencyId);
  }

  async agencyTrusting(accountId: Id, agencyId: Id): Promise<Records['agency'] | null> {
    return this.first(
      'agency',
      sql`found."id" = ${agencyId} AND found."trust_kind" = 'ACCOUNT' AND found."trusted_id" = ${accountId}`,
    );
  }

  async authorizationsFor(
    accountId: Id,
    serviceName: string,
    userId: Id,
  ): Promise<readonly Records['authorization'][]> {
    return this.every(
      'authorization',
      sql`found."account_id" = ${accountId} AND ${among(sql`found."user_id"`, [userId, ''])} AND EXISTS (
        SELECT 1 FROM "agencies" used WHERE used."account_id" = found."account_id" AND used."id" = found."agency_id"
          AND used."trust_kind" = 'SERVICE' AND used."trusted_id" = ${serviceName})
        ORDER BY found."created_at", found."id"`,
    );
  }

  async agencySession(sessionId: Id): Promise<Records['agencySession'] | null> {
    return this.first('agencySession', sql`found."id" = ${sessionId}`);
  }

  async workspaceQuotas(accountId: Id, workspaceId: Id): Promise<ReadonlyMap<string, Records['workspaceQuota']>> {
    const found = await this.every(
      'workspaceQuota',
      sql`found."account_id" = ${accountId} AND found."workspace_id" = ${workspaceId}`,
    );
    return new Map(found.map((quota) => [quota.kind, quota]));
  }

  async resourceCounts(
    accountId: Id,
    workspaceId: Id,
    kinds: readonly string[] | null,
  ): Promise<ReadonlyMap<string, number>> {
    if (kinds?.length === 0) return new Map();
    const rows = await this.connection.rows(
      sql`SELECT found."kind" AS "kind", COUNT(*) AS "count" FROM "resources" found
        WHERE found."account_id" = ${accountId} AND found."workspace_id" = ${workspaceId}
          AND ${kinds === null ? always : among(sql`found."kind"`, kinds)} GROUP BY found."kind"`,
    );
    return new Map(rows.map(({ kind, count }) => [String(kind), Number(count)]));
  }

  async resourcesIn(
    accountId: Id,
    workspaceId: Id,
    after: Pick<Records['resource'], 'createdAt' | 'id'> | null,
    limit: number,
  ): Promise<readonly Records['resource'][]> {
    const beyond = after === null ? always : sql`(found."created_at", found."id") < (${after.createdAt}, ${after.id})`;
    return this.every(
      'resource',
      sql`found."account_id" = ${accountId} AND found."workspace_id" = ${workspaceId} AND ${beyond}
        ORDER BY found."created_at" DESC, found."id" DESC LIMIT ${limit}`,
    );
  }

  async childlessResources(accountId: Id, workspaceId: Id, limit: number): Promise<readonly Records['resource'][]> {
    return this.every(
      'resource',
      sql`found."account_id" = ${accountId} AND found."workspace_id" = ${workspaceId} AND NOT EXISTS (
          SELECT 1 FROM "resources" child WHERE child."account_id" = found."account_id" AND child."parent_id" = found."id")
        ORDER BY found."created_at" DESC, found."id" DESC LIMIT ${limit}`,
    );
  }

  async hasChildResources(accountId: Id, resourceId: Id): Promise<boolean> {
    return this.exists(
      sql`SELECT 1 FROM "resources" child
        WHERE child."account_id" = ${accountId} AND child."parent_id" = ${resourceId}`,
    );
  }

  async liesUnder(accountId: Id, resourceId: Id, ancestorId: Id): Promise<boolean> {
    return this.exists(
      sql`WITH RECURSIVE above ("id", "parent_id") AS (
          SELECT found."id", found."parent_id" FROM "resources" found
          WHERE found."account_id" = ${accountId} AND found."id" = ${resourceId}
          UNION
          SELECT next."id", next."parent_id" FROM "resources" next JOIN above ON above."parent_id" = next."id"
          WHERE next."account_id" = ${accountId})
        SELECT 1 FROM above WHERE above."id" = ${ancestorId}`,
    );
  }

  async workspacesBeingDeleted(accountId: Id): Promise<readonly Id[]> {
    const found = await this.every('workspace', sql`found."account_id" = ${accountId} AND found."status" = 'DELETING'`);
    return found.map(({ id }) => id);
  }

  async lastVisit(accountId: Id, userId: Id): Promise<Records['workspaceVisit'] | null> {
    return this.first(
      'workspaceVisit',
      sql`found."account_id" = ${accountId} AND found."user_id" = ${userId}
        ORDER BY found."visited_at" DESC, found."id" DESC`,
    );
  }

  async resource(accountId: Id, resourceId: Id): Promise<Records['resource'] | null> {
    return this.byId('resource', accountId, resourceId);
  }

  async remoteAccess(accountId: Id, resourceId: Id): Promise<Records['remoteAccess'] | null> {
    return this.byId('remoteAccess', accountId, resourceId);
  }

  async keyPairs(accountId: Id, ids: readonly Id[]): Promise<readonly Records['keyPair'][]> {
    if (ids.length === 0) return [];
    return this.every(
      'keyPair',
      sql`found."account_id" = ${accountId} AND ${among(sql`found."id"`, ids)} ORDER BY found."created_at", found."id"`,
    );
  }

  async accessKey(accessKeyId: string): Promise<Records['accessKey'] | null> {
    return this.first('accessKey', sql`found."id" = ${accessKeyId}`);
  }

  async workspace(accountId: Id, workspaceId: Id): Promise<Records['workspace'] | null> {
    return this.byId('workspace', accountId, workspaceId);
  }

  /** Administrators are the root user and the members of the group `admin` (rule 2). */
  async isAdministrator(accountId: Id, userId: Id): Promise<boolean> {
    return this.exists(
      sql`SELECT 1 FROM "users" person WHERE person."account_id" = ${accountId} AND person."id" = ${userId}
        AND (person."root" = TRUE OR ${isAdministrator(sql`person."account_id"`, sql`person."id"`)})`,
    );
  }

  async isListedIn(accountId: Id, workspaceId: Id, userId: Id): Promise<boolean> {
    return this.exists(
      sql`SELECT 1 FROM "workspace_members" found WHERE found."account_id" = ${accountId}
        AND found."workspace_id" = ${workspaceId} AND found."user_id" = ${userId}`,
    );
  }

  /**
   * One statement whatever is asked, so that grants, groups and documents are of one moment: between two statements a
   * Deny could come after it was looked for and an Allow before. Documents are answered once, however many they reach.
   */
  async attachments(
    accountId: Id,
    kind: 'USER' | 'AGENCY' | 'SERVICE' | 'GROUP',
    ids: readonly Id[],
  ): Promise<ReadonlyMap<Id, readonly Attachment[]>> {
    const attachments = new Map<Id, Attachment[]>(ids.map((id) => [id, []]));
    if (attachments.size === 0) return attachments;
    const parts = await this.connection.rows(attachmentsStatement(accountId, kind, [...attachments.keys()]));
    const grants = new Map<unknown, Grant>();
    const groups = new Map<unknown, Group>();
    const policies = new Map<unknown, { policy: Policy; text: string }>();
    for (const { part, id, text, image } of parts) {
      if (part === 'grant') grants.set(id, fromList('grant', image));
      if (part === 'group') groups.set(id, fromList('group', image));
      if (part === 'policy') policies.set(id, { policy: fromList('policy', image), text: String(text) });
    }
    for (const { part, id, text, image } of parts) {
      const grant = grants.get(image);
      const granted = policies.get(grant?.policyId);
      if (part !== 'link' || grant === undefined || granted === undefined) continue;
      const { policy } = granted;
      attachments.get(String(id))?.push({
        grant,
        policy,
        policyVersion: policy.defaultVersion,
        text: granted.text,
        group: groups.get(text) ?? null,
      });
    }
    for (const found of attachments.values()) found.sort((one, other) => inOrder(one.grant, other.grant));
    return attachments;
  }

  async userIdsOfGroup(accountId: Id, groupId: Id): Promise<readonly Id[]> {
    const rows = await this.connection.rows(
      sql`SELECT found."user_id" AS "userId" FROM "memberships" found
        WHERE found."account_id" = ${accountId} AND found."group_id" = ${groupId} ORDER BY found."user_id"`,
    );
    return rows.map((row) => String(row.userId));
  }

  async grantsOfPolicy(accountId: Id, policyId: Id): Promise<readonly Grant[]> {
    return this.every(
      'grant',
      sql`found."account_id" = ${accountId} AND found."policy_id" = ${policyId} ORDER BY found."created_at", found."id"`,
    );
  }

  async policiesInUse(
    accountId: Id,
  ): Promise<readonly { readonly id: Id; readonly name: string; readonly text: string }[]> {
    const rows = await this.connection.rows(
      sql`SELECT used."id" AS "id", used."name" AS "name", version."text" AS "text" FROM "policies" used
        JOIN "policy_versions" version ON version."account_id" = used."account_id"
          AND version."policy_id" = used."id" AND version."number" = used."default_version"
        WHERE used."account_id" = ${accountId} AND EXISTS (
          SELECT 1 FROM "grants" given WHERE given."account_id" = used."account_id" AND given."policy_id" = used."id")
        ORDER BY used."name_key"`,
    );
    return rows.map(({ id, name, text }) => ({ id: String(id), name: String(name), text: String(text) }));
  }

  async policyVersion(accountId: Id, policyId: Id, number: number): Promise<PolicyVersion | null> {
    return this.first(
      'policyVersion',
      sql`found."account_id" = ${accountId} AND found."policy_id" = ${policyId} AND found."number" = ${number}`,
    );
  }

  async resourcesByUrn(accountId: Id, urns: readonly string[]): Promise<ReadonlyMap<string, Records['resource']>> {
    if (urns.length === 0) return new Map();
    const found = await this.every(
      'resource',
      sql`found."account_id" = ${accountId} AND ${among(sql`found."urn"`, urns)}`,
    );
    return new Map(found.map((resource) => [resource.urn, resource]));
  }

  private async byId<K extends Kind>(kind: K, accountId: Id, id: Id): Promise<Records[K] | null> {
    return this.first(kind, sql`found."account_id" = ${accountId} AND found."id" = ${id}`);
  }

  private async first<K extends Kind>(kind: K, condition: Sql): Promise<Records[K] | null> {
    const [record] = await this.every(kind, sql`${condition} LIMIT 1`);
    return record ?? null;
  }

  private async every<K extends Kind>(kind: K, condition: Sql): Promise<readonly Records[K][]> {
    const rows = await this.connection.rows(
      sql`SELECT ${selected(kind, 'found')} FROM ${table(tables[kind].name)} found WHERE ${condition}`,
    );
    return rows.map((row) => recordOf(kind, row));
  }

  private async exists(statement: Sql): Promise<boolean> {
    return (await this.connection.rows(sql`${statement} LIMIT 1`)).length > 0;
  }
}

/**
 * Four kinds of row under the same columns: links (principal, group, grant), and the grants, groups and policies that
 * they name, each once and as a JSON list of its columns.
 */
function attachmentsStatement(accountId: Id, kind: 'USER' | 'AGENCY' | 'SERVICE' | 'GROUP', ids: readonly Id[]): Sql {
  const list = new Sql([{ list: ids }]);
  const given = byDialect({
    sqlite: sql`(SELECT value AS "id" FROM json_each(${list}))`,
    postgres: sql`(SELECT unnest(${list}::text[]) AS "id")`,
  });
  const throughGroups =
    kind === 'USER'
      ? sql`UNION ALL
          SELECT joined."user_id", joined."group_id", 'GROUP', joined."group_id" FROM "memberships" joined
          WHERE joined."account_id" = ${accountId} AND ${among(sql`joined."user_id"`, ids)}`
      : raw('');
  return sql`WITH principals AS MATERIALIZED (
      SELECT given."id" AS "principal_id", '' AS "group_id", CAST(${kind} AS text) AS "subject_kind",
        given."id" AS "subject_id" FROM ${given} given ${throughGroups}),
    reached AS MATERIALIZED (
      SELECT principals."principal_id", principals."group_id", granted."id" AS "grant_id", granted."policy_id"
      FROM principals JOIN "grants" granted ON granted."account_id" = ${accountId}
        AND granted."subject_kind" = principals."subject_kind" AND granted."subject_id" = principals."subject_id")
    SELECT 'link' AS "part", "principal_id" AS "id", "group_id" AS "text", "grant_id" AS "image" FROM reached
    UNION ALL
    SELECT 'grant', found."id", '', ${listOf('grant', 'found')} FROM "grants" found
      WHERE found."account_id" = ${accountId} AND found."id" IN (SELECT "grant_id" FROM reached)
    UNION ALL
    SELECT 'group', found."id", '', ${listOf('group', 'found')} FROM "groups" found
      WHERE found."account_id" = ${accountId} AND found."id" IN (SELECT "group_id" FROM reached)
    UNION ALL
    SELECT 'policy', found."id", used."text", ${listOf('policy', 'found')} FROM "policies" found
      JOIN "policy_versions" used ON used."account_id" = found."account_id" AND used."policy_id" = found."id"
        AND used."number" = found."default_version"
      WHERE found."account_id" = ${accountId} AND found."id" IN (SELECT "policy_id" FROM reached)`;
}

function listOf(kind: Kind, alias: string): Sql {
  const columns = join(
    Object.keys(tables[kind].columns).map((name) => property(alias, name)),
    ', ',
  );
  return byDialect({ sqlite: sql`json_array(${columns})`, postgres: sql`json_build_array(${columns})::text` });
}

function fromList<K extends Kind>(kind: K, image: unknown): Records[K] {
  const values = JSON.parse(String(image)) as readonly unknown[];
  const names = Object.keys(tables[kind].columns);
  return recordOf(kind, Object.fromEntries(names.map((name, index) => [name, values[index]])));
}

function inOrder(one: Grant, other: Grant): number {
  return one.createdAt - other.createdAt || (one.id < other.id ? -1 : one.id > other.id ? 1 : 0);
}
