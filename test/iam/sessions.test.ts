/** Sessions and their tokens: prolonged, ended one by one, and narrowed to the one service that may show them (rule 23). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  Call,
  checkAccess,
  createService,
  deleteWorkspace,
  endSession,
  refreshToken,
  revokeSessions,
  signOut,
  switchScope,
  updateAccountSettings,
  updateService,
  type Issued,
  type Service,
  type User,
} from '../../src/iam/index.js';
import { databases } from '../store/databases.js';
import { must, Scene } from './scene.js';

const minute = 60_000;
const day = 24 * 60 * minute;
const password = 'Correct-horse-9';
const action = 'modelarts:notebook:create';

for (const database of Object.values(databases())) {
  describe(`sessions on ${database.name}`, () => {
    let scene: Scene;
    beforeAll(async () => {
      scene = await Scene.open(await database.readyUrl());
    });
    afterAll(async () => {
      await scene.close();
      await database.stop();
    });
    const begin = async (): Promise<{ user: User; issued: Issued }> => {
      const user = await scene.user(undefined, password);
      return { user, issued: must(await scene.signIn(user, password)) };
    };
    const refresh = async (token: string) => refreshToken(scene.iam, scene.iam.calls, await scene.bearer(token));

    describe('refreshing', () => {
      it('gives another token of the same session in the same scope, and prolongs the session', async () => {
        const { issued } = await begin();
        const { id } = await scene.workspace();
        const choice = { kind: 'workspace', id } as const;
        const there = must(await switchScope(scene.iam, scene.iam.calls, issued.call, choice));
        scene.clock.at += 23 * 60 * minute;
        const again = must(await refresh(there.token));
        expect(again.expiresAt).toBe(scene.clock.at + day);
        expect(again.call.scope.workspaceId).toBe(id);
        expect(again.call.session?.id).toBe(issued.call.session?.id);
        // The older token lives as long as it says, the newer one goes on.
        scene.clock.at += 2 * 60 * minute;
        expect((await scene.bearer(issued.token)).broken).toMatchObject({ reference: 'IAM.0066' });
        expect((await scene.bearer(again.token)).broken).toBeNull();
      });

      it('goes on for 30 days after sign-in and no longer', async () => {
        const { issued } = await begin();
        const started = issued.call.session?.startedAt ?? 0;
        let { token } = issued;
        let ends = issued.expiresAt;
        while (ends < started + 30 * day) {
          scene.clock.at += 20 * 60 * minute;
          ({ token, expiresAt: ends } = must(await refresh(token)));
          expect(ends).toBeLessThanOrEqual(started + 30 * day);
        }
        scene.clock.at = started + 30 * day - minute;
        expect(must(await refresh(token)).expiresAt).toBe(started + 30 * day);
        scene.clock.at = started + 30 * day;
        expect((await scene.bearer(token)).broken).toMatchObject({ reference: 'IAM.0066' });
      });

      it('never shortens a session when the account has shortened those to come', async () => {
        const { issued } = await begin();
        const set = async (sessionMinutes: number) =>
          must(await updateAccountSettings(scene.iam, await scene.root(), { values: { sessionMinutes } }));
        await set(15);
        expect(must(await refresh(issued.token)).expiresAt).toBe(issued.expiresAt);
        scene.clock.at = issued.expiresAt - minute;
        expect(must(await refresh(issued.token)).expiresAt).toBe(scene.clock.at + 15 * minute);
        await set(1440);
      });

      it('is refused to a session that was ended meanwhile', async () => {
        const { issued } = await begin();
        const call = await scene.bearer(issued.token);
        must(await signOut(scene.iam, await scene.bearer(issued.token)));
        expect(await refreshToken(scene.iam, scene.iam.calls, call)).toMatchObject({
          kind: 'refused',
          decision: { reason: 'CREDENTIAL_REVOKED' },
        });
      });

      it('is refused to whoever may not use a session any more', async () => {
        const { user, issued } = await begin();
        const deny = await scene.policy({ Effect: 'Deny', Action: ['bailiwick:session:use'] });
        await scene.grant({ kind: 'USER', id: user.id }, deny);
        expect(await refresh(issued.token)).toMatchObject({ kind: 'refused' });
      });
    });

    describe('switching', () => {
      it('to a workspace that is deleted at the same moment notes nothing, and what is issued opens nothing', async () => {
        const { user, issued } = await begin();
        const { id } = await scene.workspace();
        // Found before the switch is noted, gone when it is.
        const store = new Proxy(scene.iam.store, {
          get: (target, name) => {
            if (name !== 'transaction') return Reflect.get(target, name) as unknown;
            return async (...args: Parameters<typeof target.transaction>) => {
              must(await deleteWorkspace(scene.iam, await scene.root(), { id }));
              return target.transaction(...args);
            };
          },
        });
        const choice = { kind: 'workspace', id } as const;
        const { token } = must(await switchScope({ ...scene.iam, store }, scene.iam.calls, issued.call, choice));
        expect((await scene.bearer(token)).facts.open).toBe(false);
        // The scope that was left is noted all the same.
        const session = await scene.iam.store.access.session(user.accountId, issued.call.session?.id ?? '');
        expect(session?.scopesLeft.map(({ workspaceId }) => workspaceId)).toEqual([issued.call.scope.workspaceId]);
      });
    });

    describe('ending one session', () => {
      it('ends its tokens and leaves the others', async () => {
        const { user, issued } = await begin();
        const other = must(await scene.signIn(user, password));
        const id = other.call.session?.id ?? '';
        must(await endSession(scene.iam, await scene.bearer(issued.token), { id }));
        expect((await scene.bearer(other.token)).broken).toMatchObject({ reference: 'IAM.0067' });
        expect((await scene.bearer(issued.token)).broken).toBeNull();
        // Once more is no fault.
        must(await endSession(scene.iam, await scene.bearer(issued.token), { id }));
      });

      it('of another takes the right to, on that user; without it the session looks like none', async () => {
        const { user, issued } = await begin();
        const { user: mallory, issued: own } = await begin();
        const end = async (id: string) => endSession(scene.iam, await scene.bearer(own.token), { id });
        const id = issued.call.session?.id ?? '';
        const missing = await end('f'.repeat(32));
        const closed = await end(id);
        expect(JSON.stringify(closed).replaceAll(id, '')).toBe(JSON.stringify(missing).replaceAll('f'.repeat(32), ''));
        expect((await scene.bearer(issued.token)).broken).toBeNull();
        const elsewhere = [`iam:*:*:user:${mallory.id}`];
        const policy = (Resource: readonly string[]) =>
          scene.policy({ Effect: 'Allow', Action: ['bailiwick:sessions:revoke'], Resource });
        await scene.grant({ kind: 'USER', id: mallory.id }, await policy(elsewhere));
        expect(await end(id)).toMatchObject({ kind: 'invalid', problems: [{ code: 'NOT_FOUND' }] });
        await scene.grant({ kind: 'USER', id: mallory.id }, await policy([`iam:*:*:user:${user.id}`]));
        expect(await end(id)).toMatchObject({ kind: 'succeeded' });
        expect((await scene.bearer(issued.token)).broken).not.toBeNull();
      });
    });

    it('are all ended when those of a user are, whose time is up too: what was obtained by one might go on', async () => {
      const { user, issued } = await begin();
      const late = issued.call.session?.id ?? '';
      scene.clock.at = issued.expiresAt;
      const open = must(await scene.signIn(user, password)).call.session?.id ?? '';
      expect(must(await revokeSessions(scene.iam, await scene.root(), { userId: user.id })).count).toBe(1);
      for (const id of [late, open]) {
        expect((await scene.iam.store.access.session(user.accountId, id))?.endedAt).toBe(scene.clock.at);
      }
    });

    describe('a token for a service', () => {
      let names = 0;
      const service = async (): Promise<Service> => {
        names += 1;
        const name = `training-${database.name}-${String.fromCharCode(96 + names)}`;
        const made = must(await createService(scene.iam, await scene.root(), { name }));
        const policy = await scene.policy({ Effect: 'Allow', Action: ['bailiwick:access:check'] });
        await scene.grant({ kind: 'SERVICE', id: made.service.id }, policy);
        return made.service;
      };
      /** The call of a request that this service signed. */
      const signed = async (by: Service): Promise<Call> => {
        const { requestId, environment, catalogue, scope, reader, account, workspace } = await scene.root('0');
        if (account === null) throw new Error('root has an account');
        const principal = { kind: 'SERVICE', id: by.id, name: by.name, mfaAt: null } as const;
        const rights = await scene.iam.calls.rightsOf(account, principal, null);
        const facts = await scene.iam.calls.scopeFacts(account, scope, workspace, null, rights);
        const nobody = { user: null, session: null, administrator: false, broken: null };
        const place = { requestId, environment, catalogue, scope, reader, account, workspace };
        return new Call({ ...place, ...nobody, rights, facts });
      };
      const shown = async (by: Call, token: string) => {
        const request = {
          principal: { kind: 'token', token },
          action,
          resource: null,
          workspaceId: null,
          context: [],
        } as const;
        const [decision] = must(await checkAccess(scene.iam, scene.iam.calls, by, [request]));
        return decision?.reason;
      };
      const narrowed = async (issued: Issued, audience: string) => {
        const call = await scene.bearer(issued.token);
        return switchScope(scene.iam, scene.iam.calls, call, { kind: 'workspace', id: '0' }, audience);
      };

      it('says what its bearer may do, to that service and for 15 minutes', async () => {
        const { user, issued } = await begin();
        await scene.allow(user, action);
        const training = await service();
        const own = must(await narrowed(issued, training.name));
        expect(own.expiresAt).toBe(scene.clock.at + 15 * minute);
        const byId = must(await narrowed(issued, training.id));
        const call = await signed(training);
        expect(await shown(call, own.token)).toBe('ALLOWED');
        expect(await shown(call, byId.token)).toBe('ALLOWED');
        scene.clock.at += 15 * minute;
        expect(await shown(await signed(training), own.token)).toBe('CREDENTIAL_REVOKED');
      });

      it('is worth nothing to another service, nor to a user with the same right', async () => {
        const { user, issued } = await begin();
        await scene.allow(user, action);
        await scene.allow(user, 'bailiwick:access:check');
        const [training, storage] = [await service(), await service()];
        const { token } = must(await narrowed(issued, training.name));
        expect(await shown(await signed(storage), token)).toBe('CREDENTIAL_REVOKED');
        expect(await shown(await scene.bearer(issued.token), token)).toBe('CREDENTIAL_REVOKED');
        expect(await shown(await scene.root('0'), token)).toBe('CREDENTIAL_REVOKED');
      });

      it('is no credential: it signs nobody in, and is neither refreshed nor exchanged', async () => {
        const { issued } = await begin();
        const training = await service();
        const { token } = must(await narrowed(issued, training.name));
        const call = await scene.bearer(token);
        expect(call.broken).toMatchObject({
          message: 'the token was made for a service, which shows it when it asks; send one of signIn or switchScope',
          reference: 'IAM.0067',
        });
        expect(call.principal.kind).toBe('ANONYMOUS');
        expect((await refreshToken(scene.iam, scene.iam.calls, call)).kind).not.toBe('succeeded');
        const exchanged = await switchScope(scene.iam, scene.iam.calls, call, { kind: 'account' });
        expect(exchanged.kind).not.toBe('succeeded');
      });

      it('ends with its session', async () => {
        const { user, issued } = await begin();
        await scene.allow(user, action);
        const training = await service();
        const { token } = must(await narrowed(issued, training.name));
        must(await signOut(scene.iam, await scene.bearer(issued.token)));
        expect(await shown(await signed(training), token)).toBe('CREDENTIAL_REVOKED');
      });

      it('lives no longer than its session', async () => {
        const { issued } = await begin();
        const training = await service();
        scene.clock.at = issued.expiresAt - 5 * minute;
        expect(must(await narrowed(issued, training.name)).expiresAt).toBe(issued.expiresAt);
      });

      it('is not made for a service that there is not, or that is disabled', async () => {
        const { issued } = await begin();
        const training = await service();
        must(await updateService(scene.iam, await scene.root(), { id: training.id, enabled: false }));
        for (const audience of ['nobody', training.name, training.id]) {
          expect(await narrowed(issued, audience)).toMatchObject({
            problems: [{ code: 'NOT_FOUND', path: ['input', 'audience'] }],
          });
        }
      });
    });
  });
}
