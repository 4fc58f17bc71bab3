import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authorizationFunctions } from '../../src/catalogue/index.js';
import {
  authorizationReadiness,
  authorizeAgency,
  createAgency,
  deleteAgency,
  grantPolicy,
  updateUser,
  updateWorkspace,
  type Call,
  type GrantPolicyInput,
  type Id,
  type ReadinessRequest,
  type User,
  type Workspace,
} from '../../src/iam/index.js';
import { databases } from '../store/databases.js';
import rows from './authorization-readiness.json' with { type: 'json' };
import { must, Scene } from './scene.js';

const day = 24 * 60 * 60 * 1000;

interface GivenGrant {
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
  readonly in?: 'here' | 'elsewhere' | 'account' | 'workspaces';
  readonly days?: number;
  readonly resource?: readonly string[];
  readonly condition?: object;
}

interface Row {
  readonly says: string;
  /** Absent: one who may enter. */
  readonly user?: 'disabled' | 'outside' | 'nobody';
  readonly agencies: Readonly<
    Record<string, { readonly trust?: string; readonly days?: number; readonly grants: readonly GivenGrant[] }>
  >;
  /** `a for user`, in the order in which they are authorized. */
  readonly entries: readonly string[];
  /** Absent: whether the agency may read an object. */
  readonly asks?: {
    readonly service?: string;
    readonly agency?: string;
    readonly functions?: readonly string[];
    readonly actions?: readonly string[];
  };
  readonly agency?: string | null;
  readonly allUsers?: boolean;
  readonly ready?: boolean;
  readonly missing?: readonly string[];
  readonly limited?: readonly string[];
  /** Each with its reference, if it has one. */
  readonly problems?: readonly string[];
  /** What the message of a problem must say. */
  readonly message?: string;
}

const nothingAsked: ReadinessRequest = {
  service: 'modelarts',
  userId: null,
  agencyId: null,
  functions: null,
  actions: [],
};

for (const database of Object.values(databases())) {
  describe(`whether a service may act for a user, on ${database.name}`, () => {
    let scene: Scene;
    let statements = 0;
    let here: Workspace;
    let elsewhere: Workspace;
    let made: Id[] = [];
    let names = 0;

    beforeAll(async () => {
      scene = await Scene.open(await database.readyUrl(), () => (statements += 1));
      await scene.strict();
      here = await scene.workspace();
      elsewhere = await scene.workspace();
    });
    afterAll(async () => {
      await scene.close();
      await database.stop();
    });

    const scopes: Readonly<Record<NonNullable<GivenGrant['in']>, () => GrantPolicyInput['scope']>> = {
      here: () => ({ kind: 'WORKSPACE', id: here.id }),
      elsewhere: () => ({ kind: 'WORKSPACE', id: elsewhere.id }),
      account: () => ({ kind: 'ACCOUNT', id: '' }),
      workspaces: () => ({ kind: 'ALL_WORKSPACES', id: '' }),
    };

    async function give(agencyId: Id, given: GivenGrant): Promise<void> {
      const named = (text: string) => text.replaceAll('ELSEWHERE', elsewhere.name).replaceAll('HERE', here.name);
      const policy = await scene.policy({
        Effect: given.deny === undefined ? 'Allow' : 'Deny',
        Action: given.deny ?? given.allow ?? [],
        ...(given.resource === undefined ? {} : { Resource: given.resource }),
        ...(given.condition === undefined ? {} : { Condition: JSON.parse(named(JSON.stringify(given.condition))) }),
      });
      const expiresAt = given.days === undefined ? null : scene.clock.at + given.days * day;
      const scope = given.in === undefined ? { kind: 'ALL' as const, id: '' } : scopes[given.in]();
      const subject = { kind: 'AGENCY', id: agencyId } as const;
      must(await grantPolicy(scene.iam, await scene.root(), { policyId: policy.id, subject, scope, expiresAt }));
    }

    async function agencyOf(trusted: string, days: number | null, grants: readonly GivenGrant[]): Promise<Id> {
      const trust =
        trusted === 'account'
          ? ({ kind: 'ACCOUNT', id: 'a'.repeat(32) } as const)
          : ({ kind: 'SERVICE', id: trusted } as const);
      const input = { name: `agency-${(names += 1)}`, trust, durationDays: days };
      const { id } = must(await createAgency(scene.iam, await scene.root(), input));
      made.push(id);
      for (const given of grants) await give(id, given);
      return id;
    }

    async function authorize(agencyId: Id, user: Pick<User, 'id'> | null): Promise<void> {
      const whom = user === null ? ({ kind: 'allUsers' } as const) : ({ kind: 'user', id: user.id } as const);
      scene.clock.at += 1;
      must(await authorizeAgency(scene.iam, await scene.root(), { agencyId, for: whom }));
    }

    const ask = async (call: Call, request: Partial<ReadinessRequest>) =>
      must(await authorizationReadiness(scene.iam, scene.iam.calls, call, { ...nothingAsked, ...request }));

    async function cleared(): Promise<void> {
      for (const id of made) must(await deleteAgency(scene.iam, await scene.root(), { id }));
      made = [];
    }

    it.each(rows as readonly Row[])('$says', async (row) => {
      try {
        const user = await scene.user();
        const other = await scene.user();
        const ids = new Map<string, Id>();
        for (const [name, { trust = 'modelarts', days, grants }] of Object.entries(row.agencies)) {
          ids.set(name, await agencyOf(trust, days ?? null, grants));
        }
        for (const entry of row.entries) {
          const [name = '', whom] = entry.split(' for ');
          const user_ = whom === 'user' ? user : whom === 'other' ? other : null;
          await authorize(ids.get(name) ?? '', user_);
        }
        scene.clock.at += 2 * day;
        if (row.user === 'disabled') {
          must(await updateUser(scene.iam, await scene.root(), { id: user.id, enabled: false }));
        }
        const visibility = row.user === 'outside' ? 'PRIVATE' : 'PUBLIC';
        must(await updateWorkspace(scene.iam, await scene.root(), { id: here.id, visibility }));
        // The user themself where that is possible, or else somebody who may check others.
        const caller = row.user === undefined ? await scene.call(user, here.id) : await scene.root(here.id);
        const asked = row.asks ?? {};
        const answer = await ask(caller, {
          userId: row.user === 'nobody' ? 'f'.repeat(32) : user.id,
          service: asked.service ?? 'modelarts',
          agencyId: asked.agency === undefined ? null : (ids.get(asked.agency) ?? ''),
          functions: asked.functions ?? null,
          actions: asked.actions ?? ['obs:object:GetObject'],
        });
        const problems = answer.problems.map(({ code, reference }) =>
          reference === null ? code : `${code} ${reference}`,
        );
        expect({
          ready: answer.ready,
          agency: [...ids].find(([, id]) => id === answer.agency?.id)?.[0] ?? null,
          allUsers: answer.allUsers,
          missing: answer.missingActions,
          limited: answer.limitedActions,
          problems,
        }).toEqual({
          ready: row.ready ?? false,
          agency: row.agency ?? null,
          allUsers: row.allUsers ?? false,
          missing: row.missing ?? (row.agency == null && asked.functions === undefined ? ['obs:object:GetObject'] : []),
          limited: row.limited ?? [],
          problems: row.problems ?? [],
        });
        if (row.message !== undefined) expect(answer.problems[0]?.message).toContain(row.message);
        expect(answer.authorization === null).toBe(answer.agency === null);
      } finally {
        await cleared();
      }
    });

    it('asks about the ordinary user’s functions unless told what', async () => {
      const user = await scene.user();
      const { functions } = await ask(await scene.call(user, here.id), {});
      expect(functions.map((each) => each.function)).toEqual(
        authorizationFunctions.filter(({ commonUser }) => commonUser).map(({ id }) => id),
      );
    });

    it('says of each function what the agency lacks and what the user lacks', async () => {
      const user = await scene.user();
      await scene.allow(user, 'ief:*:*', 'modelarts:nodeservice:*');
      await authorize(await agencyOf('modelarts', null, [{ allow: ['ief:*:get', 'ief:*:list'] }]), user);
      const { functions, ready } = await ask(await scene.call(user, here.id), { functions: ['Edge', 'workspace'] });
      expect(ready).toBe(false);
      expect(functions).toEqual([
        {
          function: 'edge',
          ready: false,
          missingAgencyActions: ['ief:deployment:create', 'ief:deployment:delete', 'ief:deployment:update'],
          limitedAgencyActions: [],
          missingUserActions: ['create', 'delete', 'get', 'list', 'update'].map((act) => `modelarts:edgePool:${act}`),
        },
        {
          function: 'workspace',
          ready: true,
          missingAgencyActions: [],
          limitedAgencyActions: [],
          missingUserActions: authorizationFunctions.find(({ id }) => id === 'workspace')?.userActions,
        },
      ]);
      await cleared();
    });

    it('counts what is one’s own as held by the user', async () => {
      const user = await scene.user();
      const { functions } = await ask(await scene.call(user, here.id), { functions: ['training'] });
      // Self lets everybody list their own credentials, and nothing else of it.
      expect(functions[0]?.missingUserActions).not.toContain('iam:credentials:listCredentials');
      expect(functions[0]?.missingUserActions).toContain('modelarts:trainJob:create');
    });

    it('takes a bounded number of statements, however many agencies there are', async () => {
      const user = await scene.user();
      await authorize(await agencyOf('modelarts', null, [{ allow: ['obs:object:PutObject'] }]), user);
      const call = await scene.call(user, here.id);
      const request = { actions: ['obs:object:GetObject'] };
      const spent = async (): Promise<number> => {
        const before = statements;
        await ask(call, request);
        return statements - before;
      };
      const few = await spent();
      for (let more = 0; more < 5; more += 1) {
        await authorize(await agencyOf('modelarts', null, [{ allow: ['obs:object:PutObject'] }]), user);
      }
      expect(await spent()).toBe(few);
      expect(few).toBeLessThanOrEqual(8);
      await cleared();
    });

    it.each([
      [{ service: 'modelart' }, 'is no service'],
      [{ functions: ['trainin'] }, 'did you mean `training`'],
      [{ actions: ['obs:object:GetObjet'] }, 'did you mean `obs:object:GetObject`'],
      [{ actions: ['obs:object:*'] }, 'unknown'],
      [{ actions: Array.from({ length: 1001 }, () => 'obs:object:GetObject') }, 'at most 1000'],
    ] as const)('takes no question that nobody can answer: %j', async (request, message) => {
      const call = await scene.root(here.id);
      await expect(ask(call, request)).rejects.toThrow(message);
    });

    it('answers about somebody else only to whoever may check access', async () => {
      const user = await scene.user();
      const asker = await scene.user();
      const refused = await authorizationReadiness(scene.iam, scene.iam.calls, await scene.call(asker, here.id), {
        ...nothingAsked,
        userId: user.id,
      });
      expect(refused).toMatchObject({ kind: 'refused', decision: { action: 'bailiwick:access:check' } });
      await scene.allow(asker, 'bailiwick:access:check');
      expect(await ask(await scene.call(asker, here.id), { userId: user.id })).toMatchObject({ ready: false });
    });
  });
}
