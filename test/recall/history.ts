/**
 * An account to which things happen, one after the other, through the use-cases themselves: whatever a decision reads is
 * made, changed and taken away again. What is refused on the way is no matter: only what there is afterwards is.
 */
import {
  addGroupMembers,
  createAgency,
  createEnterpriseProject,
  createGroup,
  createPolicy,
  createPolicyVersion,
  createService,
  createUser,
  createWorkspace,
  deleteAgency,
  deleteGroup,
  deletePolicy,
  deletePolicyVersion,
  deleteService,
  deleteUser,
  deleteWorkspace,
  deregisterResource,
  grantPolicy,
  moveResource,
  registerResource,
  removeGroupMembers,
  restoreDefaultAccess,
  revokeGrant,
  setAuthorizationMode,
  setDefaultPolicyVersion,
  updateAgency,
  updateGroup,
  updateResource,
  updateUser,
  updateWorkspace,
  type Call,
  type GrantPolicyInput,
  type Id,
  type Iam,
  type Outcome,
  type PrincipalChoice,
} from '../../src/iam/index.js';
import type { Scene } from '../iam/scene.js';
import type { Dice } from '../replay/random.js';

const hour = 3_600_000;

/** Of some kinds whatever there was is asked about for ever; names are used again, and URNs too. */
export class History {
  readonly users: Id[];
  readonly groups: Id[] = [];
  readonly policies: Id[] = [];
  readonly workspaces: Id[] = ['0'];
  readonly projects: Id[] = ['0'];
  readonly agencies: Id[] = [];
  readonly services: Id[] = [];
  readonly grants: Id[] = [];
  readonly resources: Id[] = [];
  readonly urns: readonly string[];
  /** How often each act succeeded. */
  readonly done = new Map<string, number>();
  #names = 0;

  constructor(
    readonly scene: Scene,
    readonly dice: Dice,
  ) {
    this.users = [scene.rootUser.id];
    this.urns = ['notebook:a', 'notebook:b', 'trainJob:c', 'dataset:d', 'notebook:e'].map(
      (end) => `modelarts:cn:${scene.account.id}:${end}`,
    );
  }

  get #iam(): Iam {
    return this.scene.iam;
  }

  /** As root, by whom nothing is refused for want of rights. */
  async root(workspaceId: Id | null = null): Promise<Call> {
    const call = await this.#iam.calls.openOperator('history', this.scene.account.id);
    if (workspaceId === null) return call;
    const workspace = await this.#iam.store.access.workspace(this.scene.account.id, workspaceId);
    return workspace === null ? call : this.#iam.calls.inWorkspace(call, workspace);
  }

  /** Lets one thing happen, some time later; often enough it is nothing at all. */
  async happen(): Promise<void> {
    const { dice, scene } = this;
    // Mostly moments, now and then hours: grants end meanwhile, and several changes fall into one millisecond.
    scene.clock.at += dice.weighted([[3, 0], [5, dice.below(50)], [2, dice.below(3 * hour)]] as const); // prettier-ignore
    const [name, act] = dice.weighted(this.#acts);
    const outcome = await act();
    if (outcome?.kind === 'succeeded') this.done.set(name, (this.done.get(name) ?? 0) + 1);
  }

  /** Somebody or something that there is, was, or never was. */
  principal(): PrincipalChoice {
    const { dice } = this;
    const kind = dice.weighted([[6, 'user'], [2, 'agency'], [2, 'service']] as const); // prettier-ignore
    // Not root, who asks.
    const ids = { user: this.users.slice(1), agency: this.agencies, service: this.services }[kind];
    return { kind, id: ids.length === 0 || dice.chance(0.03) ? 'f'.repeat(32) : this.recent(ids) };
  }

  /** What was made of late is mostly still there. */
  recent(ids: readonly Id[]): Id {
    return this.dice.pick(this.dice.chance(0.8) ? ids.slice(-5) : ids);
  }

  #fresh(kind: string): string {
    return `${kind}-${(this.#names += 1)}`;
  }

  async #made<T extends { readonly id: Id }>(made: Id[], outcome: Promise<Outcome<T>>): Promise<Outcome<T>> {
    const done = await outcome;
    if (done.kind === 'succeeded') made.push(done.value.id);
    return done;
  }

  readonly #acts: readonly (readonly [number, readonly [string, () => Promise<Outcome<unknown> | null>]])[] = [
    [5, ['createUser', async () => {
      const groupIds = this.dice.some(this.groups, 2);
      return this.#made(this.users, createUser(this.#iam, await this.root(), { name: this.#fresh('user'), groupIds }));
    }]],
    [6, ['updateUser', async () => {
      const input = { id: this.recent(this.users), ...this.#part({ enabled: this.dice.chance(0.8), name: this.#fresh('user') }) };
      return input.id === this.scene.rootUser.id ? null : updateUser(this.#iam, await this.root(), input);
    }]],
    [1, ['deleteUser', async () => deleteUser(this.#iam, await this.root(), { id: this.recent(this.users) })]],
    [4, ['createGroup', async () => this.#made(this.groups, createGroup(this.#iam, await this.root(), { name: this.#fresh('group') }))]],
    [2, ['updateGroup', async () => this.#with(this.groups, async (id) => updateGroup(this.#iam, await this.root(), { id, name: this.#fresh('group') }))]],
    [1, ['deleteGroup', async () => this.#with(this.groups, async (id) => deleteGroup(this.#iam, await this.root(), { id }))]],
    [9, ['addGroupMembers', async () => this.#with(await this.#everyGroup(), async (groupId) =>
      addGroupMembers(this.#iam, await this.root(), { groupId, userIds: [this.recent(this.users), ...this.dice.some(this.users, 1)] }))]],
    [6, ['removeGroupMembers', async () => this.#with(await this.#everyGroup(), async (groupId) =>
      removeGroupMembers(this.#iam, await this.root(), { groupId, userIds: [this.recent(this.users)] }))]],
    [6, ['createPolicy', async () => this.#made(this.policies, createPolicy(this.#iam, await this.root(), { name: this.#fresh('policy'), document: this.#document() }))]],
    [6, ['createPolicyVersion', async () => this.#with(this.policies, async (policyId) =>
      createPolicyVersion(this.#iam, await this.root(), { policyId, document: this.#document(), setAsDefault: this.dice.chance(0.7) }))]],
    [4, ['setDefaultPolicyVersion', async () => this.#with(this.policies, async (policyId) =>
      setDefaultPolicyVersion(this.#iam, await this.root(), { policyId, number: 1 + this.dice.below(4) }))]],
    [2, ['deletePolicyVersion', async () => this.#with(this.policies, async (policyId) =>
      deletePolicyVersion(this.#iam, await this.root(), { policyId, number: 1 + this.dice.below(4) }))]],
    [1, ['deletePolicy', async () => this.#with(this.policies, async (id) => deletePolicy(this.#iam, await this.root(), { id }))]],
    [22, ['grantPolicy', async () => this.#grant()]],
    [8, ['revokeGrant', async () => this.#with(this.grants, async (id) => revokeGrant(this.#iam, await this.root(), { id }))]],
    [2, ['setAuthorizationMode', async () => setAuthorizationMode(this.#iam, await this.root(), { mode: this.dice.chance(0.6) ? 'LOOSE' : 'STRICT' })]],
    [2, ['restoreDefaultAccess', async () => restoreDefaultAccess(this.#iam, await this.root(), { userId: this.recent(this.users) })]],
    [1, ['createEnterpriseProject', async () => this.#made(this.projects, createEnterpriseProject(this.#iam, await this.root(), { name: this.#fresh('project') }))]],
    [4, ['createWorkspace', async () => this.#made(this.workspaces, createWorkspace(this.#iam, await this.root(), {
      name: this.#fresh('workspace'), enterpriseProjectId: this.recent(this.projects), ...this.#entry() }))]],
    [6, ['updateWorkspace', async () => updateWorkspace(this.#iam, await this.root(), {
      id: this.recent(this.workspaces), ...this.#entry(), ...this.#part({ name: this.#fresh('workspace') }) })]],
    [1, ['deleteWorkspace', async () => {
      const done = await deleteWorkspace(this.#iam, await this.root(), { id: this.recent(this.workspaces), force: this.dice.chance(0.8) });
      await this.#iam.clearings.settled();
      return done;
    }]],
    [3, ['createAgency', async () => this.#made(this.agencies, createAgency(this.#iam, await this.root(), {
      name: this.#fresh('agency'), trust: { kind: 'SERVICE', id: 'modelarts' }, durationDays: this.dice.chance(0.3) ? 1 : null }))]],
    [2, ['updateAgency', async () => this.#with(this.agencies, async (id) =>
      updateAgency(this.#iam, await this.root(), { id, durationDays: this.dice.chance(0.5) ? 1 : null }))]],
    [1, ['deleteAgency', async () => this.#with(this.agencies, async (id) => deleteAgency(this.#iam, await this.root(), { id }))]],
    [2, ['createService', async () => this.#service()]],
    [1, ['deleteService', async () => this.#with(this.services, async (id) => deleteService(this.#iam, await this.root(), { id }))]],
    [1, ['disableService', async () => this.#with(this.services, async (id) => this.#toggleService(id))]],
    [8, ['registerResource', async () => this.#made(this.resources, registerResource(this.#iam, await this.root(this.recent(this.workspaces)), {
      urn: this.dice.pick(this.urns), tags: this.#tags() }))]],
    [5, ['updateResource', async () => this.#inside('update')]],
    [4, ['moveResource', async () => this.#inside('move')]],
    [3, ['deregisterResource', async () => this.#inside('deregister')]],
  ]; // prettier-ignore

  async #everyGroup(): Promise<readonly Id[]> {
    const administrators = await this.#iam.store.access.attachments(this.scene.account.id, 'GROUP', []);
    if (administrators.size > 0) return this.groups;
    const call = await this.root();
    const { rows } = await call.reader.page('group', { name: 'admin' }, firstByName);
    return [...this.groups, ...rows.map(({ record }) => record.id)];
  }

  #with<T>(ids: readonly Id[], act: (id: Id) => Promise<Outcome<T>>): Promise<Outcome<T> | null> {
    return ids.length === 0 ? Promise.resolve(null) : act(this.recent(ids));
  }

  /** One of these members, and now and then several. */
  #part<T extends object>(members: T): Partial<T> {
    const kept = Object.entries(members).filter(() => this.dice.chance(0.6));
    return Object.fromEntries(kept) as Partial<T>;
  }

  #entry(): { visibility: 'PUBLIC' | 'PRIVATE' | 'INTERNAL'; memberIds: readonly Id[] | null } {
    const visibility = this.dice.pick(['PUBLIC', 'PRIVATE', 'INTERNAL', 'INTERNAL'] as const);
    return { visibility, memberIds: visibility === 'INTERNAL' ? this.dice.some(this.users, 3) : null };
  }

  #tags(): { key: string; value: string }[] {
    return ['team', 'stage']
      .filter(() => this.dice.chance(0.5))
      .map((key) => ({ key, value: this.dice.pick(['a', 'b']) }));
  }

  /** Statements whose outcome turns on who asks, where, when and about what. */
  #document(): object {
    const { dice } = this;
    const until = new Date(this.scene.clock.at + dice.below(6 * hour)).toISOString().replace(/\.\d{3}Z$/, 'Z');
    const condition = dice.pick([
      null,
      null,
      { StringEquals: { 'g:ResourceTag/team': [dice.pick(['a', 'b'])] } },
      { DateLessThan: { 'g:CurrentTime': [until] } },
      { StringNotEquals: { 'g:UserName': [`user-${dice.below(this.#names + 1)}`] } },
      { StringEquals: { 'modelarts:poolType': ['public'] } },
      { StringStartWith: { 'g:ProjectName': ['workspace', 'default'] } },
    ]);
    const project = {
      Effect: dice.chance(0.25) ? 'Deny' : 'Allow',
      Action: dice.some(['modelarts:notebook:*', 'modelarts:*:get', 'modelarts:trainJob:create', 'own-1:thing:use'], 2),
      ...(condition === null ? {} : { Condition: condition }),
    };
    const Action = project.Action.length === 0 ? ['modelarts:notebook:get'] : project.Action.filter((name) => !/^own/.test(name)); // prettier-ignore
    const Statement = [{ ...project, Action: Action.length === 0 ? ['modelarts:notebook:list'] : Action }];
    return dice.chance(0.25)
      ? {
          Version: '1.1',
          Statement: [{ Effect: dice.chance(0.2) ? 'Deny' : 'Allow', Action: ['iam:users:*', 'bailiwick:*:*'] }],
        }
      : { Version: '1.1', Statement };
  }

  async #grant(): Promise<Outcome<unknown> | null> {
    const { dice } = this;
    if (this.policies.length === 0) return null;
    const kind = dice.weighted([[4, 'USER'], [4, 'GROUP'], [2, 'AGENCY'], [2, 'SERVICE']] as const); // prettier-ignore
    const subjects = { USER: this.users, GROUP: this.groups, AGENCY: this.agencies, SERVICE: this.services }[kind];
    if (subjects.length === 0) return null;
    const workspaceId = this.recent(this.workspaces);
    const scope = dice.pick<GrantPolicyInput['scope']>([
      { kind: 'ALL', id: '' },
      { kind: 'ACCOUNT', id: '' },
      { kind: 'ALL_WORKSPACES', id: '' },
      { kind: 'WORKSPACE', id: workspaceId },
      { kind: 'ENTERPRISE_PROJECT', id: this.recent(this.projects) },
    ]);
    const input: GrantPolicyInput = {
      policyId: this.recent(this.policies),
      subject: { kind, id: this.recent(subjects) },
      scope,
      expiresAt: dice.chance(0.4) ? this.scene.clock.at + 1 + dice.below(5 * hour) : null,
    };
    // What a workspace is given may be given inside it, and then stands in its own trail.
    const call = await this.root(scope.kind === 'WORKSPACE' && dice.chance(0.5) ? workspaceId : null);
    const outcome = await grantPolicy(this.#iam, call, input);
    if (outcome.kind === 'succeeded') this.grants.push(outcome.value.grant.id);
    return outcome;
  }

  async #service(): Promise<Outcome<unknown>> {
    const name = this.dice.pick(['own-1', 'own-2', this.#fresh('own')]);
    const outcome = await createService(this.#iam, await this.root(), {
      name,
      actions: [{ name: `${name}:thing:use`, accessLevel: 'WRITE', description: 'Use a thing' }],
      resourceKinds: [{ type: 'thing', description: 'Thing' }],
    });
    if (outcome.kind === 'succeeded') this.services.push(outcome.value.service.id);
    return outcome;
  }

  /** No use-case does so yet; decisions read it all the same. */
  async #toggleService(id: Id): Promise<Outcome<unknown>> {
    const { store } = this.#iam;
    const { revision } = await store.transaction(this.scene.origin('toggleService'), async (transaction) => {
      const service = await transaction.get('service', id);
      if (service !== null) await transaction.update('service', id, { enabled: !service.enabled });
      return { commit: service !== null, value: undefined };
    });
    return { kind: 'succeeded', value: null, revision, replayed: false };
  }

  async #inside(act: 'update' | 'move' | 'deregister'): Promise<Outcome<unknown> | null> {
    if (this.resources.length === 0) return null;
    const id = this.recent(this.resources);
    const resource = await this.#iam.store.access.resource(this.scene.account.id, id);
    if (resource === null) return null;
    const call = await this.root(resource.workspaceId);
    if (act === 'update') return updateResource(this.#iam, call, { id, tags: this.#tags() });
    if (act === 'deregister') return deregisterResource(this.#iam, call, { id });
    return moveResource(this.#iam, this.#iam.calls, call, { id, workspaceId: this.recent(this.workspaces) });
  }
}

const firstByName = {
  order: { by: 'NAME', direction: 'ASC' },
  limit: 1,
  backward: false,
  after: null,
  before: null,
} as const;
