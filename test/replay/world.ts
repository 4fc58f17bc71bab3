/**
 * The account that a run begins with: people with varied grants, services with kinds of their own, workspaces of every
 * visibility. Made through the API by its root user; what was made is the model's first state. Every name, description
 * and tag carries a word that stands nowhere else (`Dice.mark`), so that it is known in any answer.
 */
import { initials, jsonOf, randomDocument, teams, type Document, type Kind } from './documents.js';
import type { Catalogue } from './decisions.js';
import type { Dice } from './random.js';
import type { Credential, Server } from './server.js';
import type { Key } from '../kit/signing.js';
import {
  endDefaults,
  type Grant,
  type Group,
  type Id,
  type Policy,
  type Principal,
  type ScopeKind,
  type State,
  type SubjectKind,
  type User,
  type Visibility,
  type Workspace,
} from './state.js';

export interface Actor extends Principal {
  readonly name: string;
  readonly password: string | null;
  readonly key: Key | null;
}

export interface World {
  readonly server: Server;
  readonly state: State;
  readonly catalogue: Catalogue;
  readonly actors: readonly Actor[];
  /** Events of each scope before the run: '' for the account, else a workspace. */
  readonly earlierEvents: ReadonlyMap<string, number>;
}

const kinds: readonly Kind[] = [
  { name: 'alpha:widget', operations: ['create', 'update', 'delete', 'get', 'list'] },
  // Without `update` and `list`: the register's own action alone decides, and every Deny.
  { name: 'alpha:gadget', operations: ['create', 'delete', 'get'] },
  { name: 'beta:probe', operations: ['create', 'update', 'delete', 'get', 'list'] },
  { name: 'modelarts:trainJob', operations: ['create', 'update', 'delete', 'get', 'list'] },
];

/** Who gets what to begin with, beside what chance gives: somebody must be able to do each thing. */
const capable: readonly Document[] = [
  [allow('bailiwick:resources:*')],
  [allow('alpha:*:*', 'beta:*:*', 'modelarts:trainJob:*', 'modelarts:workspace:*')],
  [allow('iam:users:*', 'iam:groups:*', 'iam:roles:*', 'bailiwick:grants:list', 'bailiwick:audit:list')],
  [allow('iam:permissions:*', 'bailiwick:permissions:*', 'bailiwick:access:check')],
  [allow('alpha:widget:*', 'alpha:gadget:get')],
  [allow('beta:probe:ge*', 'beta:probe:list')],
  [allow('iam:users:list*', 'iam:groups:list*', 'bailiwick:grants:list', 'bailiwick:audit:list', 'iam:roles:getRole')],
  [allow('bailiwick:access:*')],
];

function allow(...actions: readonly string[]) {
  return { effect: 'Allow', actions, resource: null, tag: null } as const;
}

export function plain(id: string): string {
  const text = Buffer.from(id, 'base64url').toString();
  return /^[A-Z][A-Za-z]+:[^\u0000-\u001f\ufffd]+$/.test(text) ? text.slice(text.indexOf(':') + 1) : id;
}

export function nodeId(kind: string, id: Id): string {
  return Buffer.from(`${kind}:${id}`).toString('base64url');
}

export async function makeWorld(server: Server, dice: Dice): Promise<World> {
  const makers = new Makers(server);
  await makers.begin();
  const { accountId } = server;
  const users = new Map<Id, User>();
  const actors: Actor[] = [];
  const sessions = new Map<Id, readonly Id[]>();
  const root = await makers.root();
  users.set(root.id, root);
  actors.push({
    kind: 'USER',
    id: root.id,
    sessionId: makers.sessionId,
    name: 'admin',
    password: server.rootPassword,
    key: null,
  });
  sessions.set(root.id, [makers.sessionId]);
  for (let count = 0; count < 10; count += 1) {
    const name = `${dice.pick(['u', 'v', 'w'])}-${dice.mark()}`;
    const password = `Password of ${name} 1`;
    const user = await makers.make('createUser', 'user', { name, password }, 'id createdAt');
    const sessionId = await makers.signIn(name, password);
    users.set(user.id, { id: user.id, name, root: false, enabled: true, usesDefault: true, createdAt: user.createdAt });
    actors.push({ kind: 'USER', id: user.id, sessionId, name, password, key: null });
    sessions.set(user.id, [sessionId]);
  }
  const people = [...users.keys()].slice(1);

  const services = new Map<Id, { readonly id: Id; readonly name: string }>();
  for (const name of ['alpha', 'beta']) {
    const own = kinds.filter((kind) => kind.name.startsWith(`${name}:`));
    const { id, key } = await makers.service(name, own);
    services.set(id, { id, name });
    actors.push({ kind: 'SERVICE', id, sessionId: null, name, password: null, key });
  }

  const projects = new Set<Id>(['0']);
  for (let count = 0; count < 2; count += 1) {
    const made = await makers.make('createEnterpriseProject', 'enterpriseProject', { name: dice.mark() }, 'id');
    projects.add(made.id);
  }
  const [, oneProject = '0', otherProject = '0'] = projects;

  const workspaces = new Map<Id, Workspace>();
  const listed = new Set<string>();
  const first = await makers.defaultWorkspace();
  workspaces.set('0', { ...first, id: '0', creatorId: root.id, projectId: '0', visibility: 'PUBLIC' });
  const plan: readonly (readonly [Visibility, Id, number])[] = [
    ['PUBLIC', oneProject, 0],
    ['PRIVATE', oneProject, 0],
    ['INTERNAL', otherProject, 3],
    ['INTERNAL', '0', 5],
    ['PRIVATE', otherProject, 0],
  ];
  for (const [visibility, projectId, most] of plan) {
    const name = `ws-${dice.mark()}`;
    const memberIds = dice.some(people, most);
    const input = { name, description: `about ${name}`, visibility, enterpriseProjectId: projectId, memberIds };
    const made = await makers.make('createWorkspace', 'workspace', input, 'id createdAt updatedAt');
    workspaces.set(made.id, { ...made, name, visibility, projectId, creatorId: root.id });
    for (const userId of memberIds) listed.add(`${made.id} ${userId}`);
  }

  const groups = new Map<Id, Group>();
  const memberships = new Set<string>();
  const builtIn = await makers.builtInGroup();
  groups.set(builtIn.id, builtIn);
  const joins: [Id, readonly Id[]][] = [[builtIn.id, people.slice(0, 1)]];
  for (let count = 0; count < 5; count += 1) {
    const name = `gr-${dice.mark()}`;
    const made = await makers.make('createGroup', 'group', { name }, 'id createdAt');
    groups.set(made.id, { ...made, name, builtIn: false });
    joins.push([made.id, dice.some(people.slice(1), 4)]);
  }
  for (const [groupId, userIds] of joins) {
    if (userIds.length === 0) continue;
    await makers.make('addGroupMembers', 'group', { groupId, userIds }, 'id');
    for (const userId of userIds) memberships.add(`${groupId} ${userId}`);
  }

  const policies = new Map<Id, Policy>();
  const fullAccess = await makers.fullAccess(builtIn.id);
  policies.set(fullAccess.policyId, {
    id: fullAccess.policyId,
    name: 'FullAccess',
    system: true,
    versions: [[allow('*:*:*')]],
    inUse: 1,
  });
  const documents = [...capable, ...Array.from({ length: 18 }, () => randomDocument(dice, kinds))];
  for (const document of documents) {
    const name = `po-${dice.mark()}`;
    const made = await makers.make('createPolicy', 'policy', { name, document: jsonOf(document) }, 'id');
    policies.set(made.id, { id: made.id, name, system: false, versions: [document], inUse: 1 });
  }
  for (const policy of dice.some([...policies.values()].slice(1), 12)) {
    // A version stays on the level of its policy; one that does not is refused, and then there is none.
    const next = randomDocument(dice, kinds);
    if (await makers.tries('createPolicyVersion', { policyId: policy.id, document: jsonOf(next) })) {
      policies.set(policy.id, { ...policy, versions: [...policy.versions, next] });
    }
  }

  const grants = new Map<Id, Grant>([[fullAccess.id, fullAccess]]);
  let state: State = {
    accountId,
    revision: 0,
    mode: 'LOOSE',
    users,
    groups,
    memberships,
    policies,
    grants,
    workspaces,
    listed,
    quotas: new Map(),
    resources: new Map(),
    services,
    projects,
    sessions,
    endedSessions: new Set(),
    trail: [],
  };
  const givers: Omit<Grant, 'id' | 'createdAt'>[] = [];
  const give = (
    policyId: Id,
    subjectKind: SubjectKind,
    subjectId: Id,
    [scopeKind, scopeId]: readonly [ScopeKind, Id],
    expiresAt: number | null = null,
  ) => givers.push({ policyId, subjectKind, subjectId, scopeKind, scopeId, expiresAt });
  const custom = [...policies.keys()].slice(1);
  const [
    register = '',
    acts = '',
    directory = '',
    permissions = '',
    widgets = '',
    probes = '',
    lists = '',
    checks = '',
  ] = custom;
  const everywhere = ['ALL', ''] as const;
  const groupIds = [...groups.keys()].slice(1);
  for (const policyId of [register, acts]) give(policyId, 'USER', people[1] ?? '', everywhere);
  for (const policyId of [directory, permissions, register]) give(policyId, 'USER', people[2] ?? '', everywhere);
  for (const policyId of [register, acts]) give(policyId, 'GROUP', groupIds[0] ?? '', ['ALL_WORKSPACES', '']);
  for (const policyId of [register, widgets]) give(policyId, 'GROUP', groupIds[1] ?? '', everywhere);
  for (const policyId of [register, probes]) give(policyId, 'GROUP', groupIds[2] ?? '', ['ALL_WORKSPACES', '']);
  for (const serviceId of services.keys()) {
    give(register, 'SERVICE', serviceId, ['ALL_WORKSPACES', '']);
    give(serviceId === [...services.keys()][0] ? widgets : probes, 'SERVICE', serviceId, randomScope(dice, state));
    give(acts, 'SERVICE', serviceId, ['WORKSPACE', dice.pick([...workspaces.keys()])]);
  }
  for (const id of dice.some(people, 6)) give(lists, 'USER', id, randomScope(dice, state));
  give(lists, 'GROUP', groupIds[0] ?? '', everywhere);
  for (const id of dice.some(people, 6)) give(checks, 'USER', id, randomScope(dice, state));
  for (let count = 0; count < 30; count += 1) {
    const subjectKind = dice.weighted([
      [4, 'GROUP'],
      [5, 'USER'],
      [1, 'SERVICE'],
    ] as const);
    // Some groups are granted in single workspaces only, and seen in no other.
    const subjects = { GROUP: groupIds.slice(0, 3), USER: people.slice(1), SERVICE: [...services.keys()] }[subjectKind];
    give(dice.pick(custom), subjectKind, dice.pick(subjects), randomScope(dice, state));
  }
  // Two who may do everything in one open workspace and nothing in the next.
  const [inDefault, inPublic] = [...workspaces.keys()].map((id) => ['WORKSPACE', id] as const);
  for (const policyId of [register, acts]) {
    give(policyId, 'USER', people[3] ?? '', inDefault ?? everywhere);
    give(policyId, 'USER', people[4] ?? '', inPublic ?? everywhere);
  }
  // What ends during the run, between two steps of its clock.
  for (let count = 0; count < 16; count += 1) {
    const expiresAt = server.now() + (5 + 10 * dice.below(3)) * 60_000;
    const policyId = dice.pick([register, acts, lists, lists, checks]);
    give(policyId, 'USER', dice.pick(people.slice(3)), dice.pick([everywhere, randomScope(dice, state)]), expiresAt);
  }
  for (const id of [...groupIds.slice(3), ...groupIds.slice(3)]) {
    give(dice.pick(custom), 'GROUP', id, ['WORKSPACE', dice.pick([...workspaces.keys()])]);
  }
  for (const given of givers) {
    const made = await makers.grant(given);
    grants.set(made.id, made);
  }
  state = endDefaults({ ...state, grants }, server.now(), people).state;
  const earlierEvents = await makers.countEvents([...workspaces.keys()]);
  return {
    server,
    state: { ...state, revision: await makers.revision() },
    catalogue: new Map(kinds.map(({ name, operations }) => [name, operations])),
    actors,
    earlierEvents,
  };
}

export function randomScope(dice: Dice, { workspaces, projects }: State): readonly [ScopeKind, Id] {
  return dice.weighted<readonly [ScopeKind, Id]>([
    [0.5, ['ALL', '']],
    [0.7, ['ACCOUNT', '']],
    [0.7, ['ALL_WORKSPACES', '']],
    [5, ['WORKSPACE', dice.pick([...workspaces.keys()])]],
    [2, ['ENTERPRISE_PROJECT', dice.pick([...projects])]],
  ]);
}

/** Labels as resources of the run have them. */
export function randomTags(dice: Dice, mark: string) {
  const team = dice.chance(0.8) ? [{ key: 'team', value: dice.pick(teams) }] : [];
  return [...team, { key: 'mark', value: mark }];
}

export function randomUrn(dice: Dice, accountId: Id, kind: string): string {
  const [service, type] = kind.split(':');
  return `${service}::${accountId}:${type}:${dice.pick(initials)}-${dice.mark()}`;
}

/** The input of a scope or a subject that the API takes. */
export function scopeInput(kind: ScopeKind, id: Id): object {
  const name = {
    ALL: 'all',
    ACCOUNT: 'account',
    ALL_WORKSPACES: 'allWorkspaces',
    WORKSPACE: 'workspace',
    ENTERPRISE_PROJECT: 'enterpriseProject',
  }[kind];
  return { [name]: id === '' ? true : id };
}

interface Made {
  readonly id: Id;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** Root's hands. */
class Makers {
  #credential: Credential | null = null;
  sessionId = '';

  constructor(private readonly server: Server) {}

  async begin(): Promise<void> {
    const { rootPassword } = this.server;
    this.sessionId = await this.signIn('admin', rootPassword, (token) => {
      this.#credential = { kind: 'token', token };
    });
  }

  /** Answers the id of the session. */
  async signIn(userName: string, password: string, keep: (token: string) => void = () => undefined): Promise<Id> {
    const { signIn } = await this.#ask<{ signIn: { token: string } }>(
      'mutation($input: SignInInput!) { signIn(input: $input) { token userErrors { code message } } }',
      { input: { account: 'default', userName, password, scope: { account: true } } },
    );
    keep(signIn.token);
    return sessionOf(signIn.token);
  }

  async make(mutation: string, object: string, input: object, fields: string): Promise<Made> {
    const answer = await this.#ask<{ made: { [object]: Made; userErrors: readonly object[] } }>(
      mutationText(mutation, `${object} { ${fields} }`),
      { input },
    );
    const made = answer.made[object] as Made | null | undefined;
    if (made == null) throw new Error(`${mutation}: ${JSON.stringify(answer)}`);
    return { ...made, id: plain(made.id) };
  }

  async tries(mutation: string, input: object): Promise<boolean> {
    const answer = await this.#ask<{ made: { userErrors: readonly object[] } }>(mutationText(mutation, ''), { input });
    return answer.made.userErrors.length === 0;
  }

  async service(name: string, own: readonly Kind[]): Promise<{ readonly id: Id; readonly key: Key }> {
    const actions = own.flatMap((kind) => kind.operations.map((act) => ({ name: `${kind.name}:${act}` })));
    const resourceKinds = own.map((kind) => ({ type: kind.name.slice(name.length + 1) }));
    const answer = await this.#ask<{ made: Key & { service: { id: Id } } }>(
      mutationText('createService', 'service { id } accessKeyId secretAccessKey'),
      { input: { name, actions, resourceKinds } },
    );
    const { service, accessKeyId, secretAccessKey } = answer.made;
    return { id: plain(service.id), key: { accessKeyId, secretAccessKey } };
  }

  async grant(given: Omit<Grant, 'id' | 'createdAt'>): Promise<Grant> {
    const { policyId, subjectKind, subjectId, scopeKind, scopeId, expiresAt } = given;
    const answer = await this.#ask<{ made: { grant: Made & { scope: { kind: ScopeKind } } } }>(
      mutationText('grantPolicy', 'grant { id createdAt scope { kind } }'),
      {
        input: {
          policyId,
          subject: { [subjectKind.toLowerCase()]: subjectId },
          scope: scopeInput(scopeKind, scopeId),
          expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
        },
      },
    );
    const { id, createdAt, scope } = answer.made.grant;
    return { ...given, id: plain(id), createdAt, scopeKind: scope.kind };
  }

  async root(): Promise<User> {
    const { user } = await this.#ask<{ user: User }>('query($id: ID!) { user(id: $id) { name createdAt } }', {
      id: this.server.rootId,
    });
    const { rootId: id } = this.server;
    return { id, name: user.name, createdAt: user.createdAt, root: true, enabled: true, usesDefault: true };
  }

  async builtInGroup(): Promise<Group> {
    const { groups } = await this.#ask<{ groups: { nodes: readonly Group[] } }>(
      '{ groups { nodes { id name builtIn createdAt } } }',
    );
    const [group] = groups.nodes;
    if (group === undefined) throw new Error('an account begins with a group');
    return { ...group, id: plain(group.id) };
  }

  async defaultWorkspace(): Promise<Pick<Workspace, 'name' | 'createdAt' | 'updatedAt'>> {
    const { workspace } = await this.#ask<{ workspace: Workspace }>(
      '{ workspace(id: "0") { name createdAt updatedAt } }',
    );
    return workspace;
  }

  /** The grant that every account begins with. */
  async fullAccess(groupId: Id): Promise<Grant> {
    const { grants } = await this.#ask<{ grants: { nodes: readonly (Made & { policy: { id: Id } })[] } }>(
      '{ grants { nodes { id createdAt policy { id } } } }',
    );
    const [grant] = grants.nodes;
    if (grant === undefined) throw new Error('an account begins with a grant');
    return {
      id: plain(grant.id),
      createdAt: grant.createdAt,
      policyId: plain(grant.policy.id),
      subjectKind: 'GROUP',
      subjectId: groupId,
      scopeKind: 'ALL',
      scopeId: '',
      expiresAt: null,
    };
  }

  async countEvents(workspaceIds: readonly Id[]): Promise<ReadonlyMap<string, number>> {
    const query = '{ auditEvents(first: 1) { totalCount } }';
    const own = await this.#ask<{ auditEvents: { totalCount: number } }>(query);
    return new Map([['', own.auditEvents.totalCount], ...workspaceIds.map((id) => [id, 0] as const)]);
  }

  async revision(): Promise<number> {
    const { auditEvents } = await this.#ask<{ auditEvents: { nodes: readonly { revision: number }[] } }>(
      '{ auditEvents(first: 1) { nodes { revision } } }',
    );
    return auditEvents.nodes[0]?.revision ?? 0;
  }

  async #ask<T>(query: string, variables: object = {}): Promise<T> {
    const { text } = await this.server.send(this.#credential, query, variables);
    const { data, errors } = JSON.parse(text) as { data: T | null; errors?: readonly object[] };
    if (data === null || errors !== undefined) throw new Error(`${query}\n${JSON.stringify(variables)}\n${text}`);
    return data;
  }
}

function mutationText(mutation: string, selection: string): string {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
  return `mutation($input: ${type}!) { made: ${mutation}(input: $input) { ${selection} userErrors { code message path } } }`;
}

/** The session that a token names. */
export function sessionOf(token: string): Id {
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { sid: Id };
  return claims.sid;
}
