/**
 * Revoked means refused at the next request: each way of taking a right away, on both databases. And taking away never
 * widens: whatever is revoked, nothing that was refused before is allowed after (LOOSE included, rule 12).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  changePassword,
  createPolicyVersion,
  createWorkspace,
  deleteGroup,
  deleteUser,
  deleteWorkspace,
  endSession,
  removeGroupMembers,
  resetLostPassword,
  resetPassword,
  restoreDefaultAccess,
  revokeGrant,
  revokeSessions,
  setAuthorizationMode,
  signOut,
  updateUser,
  updateWorkspace,
  type Call,
  type DecisionReason,
  type User,
} from '../../src/iam/index.js';
import { databases } from '../store/databases.js';
import { must, Scene } from './scene.js';

const action = 'modelarts:notebook:create';
const allow = { Effect: 'Allow', Action: [action] } as const;

interface Revocation {
  readonly says: string;
  /** Gives the right; answers the workspace to act in and what takes it away. */
  readonly gives: (scene: Scene, user: User, sessionId: string) => Promise<{ at: string; revoke: () => Promise<void> }>;
  readonly reason: DecisionReason;
}

const revocations: readonly Revocation[] = [
  {
    says: 'a membership: leaving the group that brought the right',
    reason: 'NO_MATCHING_ALLOW',
    gives: async (scene, user) => {
      const group = await scene.group(user);
      await scene.grant({ kind: 'GROUP', id: group.id }, await scene.policy(allow));
      const revoke = async () => {
        must(await removeGroupMembers(scene.iam, await scene.root(), { groupId: group.id, userIds: [user.id] }));
      };
      return { at: '0', revoke };
    },
  },
  {
    says: 'a group: deleting the group that brought the right',
    reason: 'NO_MATCHING_ALLOW',
    gives: async (scene, user) => {
      const group = await scene.group(user);
      await scene.grant({ kind: 'GROUP', id: group.id }, await scene.policy(allow));
      const revoke = async () => {
        must(await deleteGroup(scene.iam, await scene.root(), { id: group.id }));
      };
      return { at: '0', revoke };
    },
  },
  {
    says: 'a grant: revoking it',
    reason: 'NO_MATCHING_ALLOW',
    gives: async (scene, user) => {
      const grant = await scene.grant({ kind: 'USER', id: user.id }, await scene.policy(allow));
      const revoke = async () => {
        must(await revokeGrant(scene.iam, await scene.root(), { id: grant.id }));
      };
      return { at: '0', revoke };
    },
  },
  {
    says: 'the expiry of a grant: time passes and nothing is written',
    reason: 'NO_MATCHING_ALLOW',
    gives: async (scene, user) => {
      const scope = { kind: 'ALL', id: '' } as const;
      const until = scene.clock.at + 60_000;
      await scene.grant({ kind: 'USER', id: user.id }, await scene.policy(allow), scope, until);
      const revoke = async () => {
        scene.clock.at = until;
      };
      return { at: '0', revoke };
    },
  },
  {
    says: 'a policy version: putting one in use that does not allow it',
    reason: 'NO_MATCHING_ALLOW',
    gives: async (scene, user) => {
      const policy = await scene.policy(allow);
      await scene.grant({ kind: 'USER', id: user.id }, policy);
      const document = { Version: '1.1', Statement: [{ Effect: 'Allow', Action: ['modelarts:notebook:get'] }] };
      const revoke = async () => {
        const input = { policyId: policy.id, document, setAsDefault: true };
        must(await createPolicyVersion(scene.iam, await scene.root(), input));
      };
      return { at: '0', revoke };
    },
  },
  {
    says: 'a Deny on top: granting one',
    reason: 'EXPLICIT_DENY',
    gives: async (scene, user) => {
      await scene.grant({ kind: 'USER', id: user.id }, await scene.policy(allow));
      const revoke = async () => {
        await scene.grant({ kind: 'USER', id: user.id }, await scene.policy({ ...allow, Effect: 'Deny' }));
      };
      return { at: '0', revoke };
    },
  },
  {
    says: 'the user: disabling them',
    reason: 'CREDENTIAL_REVOKED',
    gives: async (scene, user) => {
      await scene.allow(user, action);
      const revoke = async () => {
        must(await updateUser(scene.iam, await scene.root(), { id: user.id, enabled: false }));
      };
      return { at: '0', revoke };
    },
  },
  {
    says: 'the user: deleting them',
    reason: 'CREDENTIAL_REVOKED',
    gives: async (scene, user) => {
      await scene.allow(user, action);
      const revoke = async () => {
        must(await deleteUser(scene.iam, await scene.root(), { id: user.id }));
      };
      return { at: '0', revoke };
    },
  },
  {
    says: 'the workspace: making it private',
    reason: 'WORKSPACE_CLOSED',
    gives: async (scene, user) => {
      await scene.allow(user, action);
      const { id } = await scene.workspace({ visibility: 'PUBLIC' });
      const revoke = async () => {
        must(await updateWorkspace(scene.iam, await scene.root(), { id, visibility: 'PRIVATE' }));
      };
      return { at: id, revoke };
    },
  },
  {
    says: 'the workspace: taking the user off its list',
    reason: 'WORKSPACE_CLOSED',
    gives: async (scene, user) => {
      await scene.allow(user, action);
      const { id } = await scene.workspace({ visibility: 'INTERNAL', memberIds: [user.id] });
      const revoke = async () => {
        must(await updateWorkspace(scene.iam, await scene.root(), { id, memberIds: [] }));
      };
      return { at: id, revoke };
    },
  },
  {
    says: 'the workspace: deleting it',
    reason: 'WORKSPACE_CLOSED',
    gives: async (scene, user) => {
      await scene.allow(user, action);
      const { id } = await scene.workspace();
      const revoke = async () => {
        must(await deleteWorkspace(scene.iam, await scene.root(), { id }));
      };
      return { at: id, revoke };
    },
  },
  {
    says: 'the session: signing out',
    reason: 'CREDENTIAL_REVOKED',
    gives: async (scene, user, sessionId) => {
      await scene.allow(user, action);
      const revoke = async () => {
        must(await signOut(scene.iam, await scene.call(user, '0', sessionId)));
      };
      return { at: '0', revoke };
    },
  },
  {
    says: 'the session: an administrator ends all of the user’s',
    reason: 'CREDENTIAL_REVOKED',
    gives: async (scene, user) => {
      await scene.allow(user, action);
      const revoke = async () => {
        must(await revokeSessions(scene.iam, await scene.root(), { userId: user.id }));
      };
      return { at: '0', revoke };
    },
  },
  {
    says: 'the session: its owner ends it from another one',
    reason: 'CREDENTIAL_REVOKED',
    gives: async (scene, user, sessionId) => {
      await scene.allow(user, action);
      const revoke = async () => {
        must(await endSession(scene.iam, await scene.call(user), { id: sessionId }));
      };
      return { at: '0', revoke };
    },
  },
  {
    says: 'the session: an administrator ends that one',
    reason: 'CREDENTIAL_REVOKED',
    gives: async (scene, user, sessionId) => {
      await scene.allow(user, action);
      const revoke = async () => {
        must(await endSession(scene.iam, await scene.root(), { id: sessionId }));
      };
      return { at: '0', revoke };
    },
  },
  {
    says: 'the password: its owner changes it in another session',
    reason: 'CREDENTIAL_REVOKED',
    gives: async (scene, user) => {
      await scene.allow(user, action);
      const currentPassword = 'Correct-horse-9';
      await scene.password(user, currentPassword);
      const { token } = must(await scene.signIn(user, currentPassword));
      const revoke = async () => {
        const call = await scene.bearer(token);
        must(await changePassword(scene.iam, call, { currentPassword, newPassword: 'Another-horse-1' }));
      };
      return { at: '0', revoke };
    },
  },
  {
    says: 'the password: an administrator resets it',
    reason: 'CREDENTIAL_REVOKED',
    gives: async (scene, user) => {
      await scene.allow(user, action);
      const revoke = async () => {
        must(await resetPassword(scene.iam, await scene.root(), { userId: user.id }));
      };
      return { at: '0', revoke };
    },
  },
  {
    says: 'the password: the operator resets it on the machine itself',
    reason: 'CREDENTIAL_REVOKED',
    gives: async (scene, user) => {
      await scene.allow(user, action);
      const revoke = async () => {
        await resetLostPassword(scene.iam, scene.account.name, user.name, { removeSecondFactor: false });
      };
      return { at: '0', revoke };
    },
  },
  {
    says: 'the session: it expires',
    reason: 'CREDENTIAL_REVOKED',
    gives: async (scene, user) => {
      await scene.allow(user, action);
      const revoke = async () => {
        scene.clock.at += 86_400_000;
      };
      return { at: '0', revoke };
    },
  },
  {
    says: 'the LOOSE default: setting the mode to STRICT',
    reason: 'NO_MATCHING_ALLOW',
    gives: async (scene) => {
      must(await setAuthorizationMode(scene.iam, await scene.root(), { mode: 'LOOSE' }));
      const revoke = async () => {
        await scene.strict();
      };
      return { at: '0', revoke };
    },
  },
];

/** Of every kind: own service, others, administration, what Self gives; where LOOSE acts and where it never does. */
const probes = [
  action,
  'modelarts:notebook:delete',
  'modelarts:model:get',
  'modelarts:workspace:list',
  'modelarts:workspace:create',
  'modelarts:authorization:create',
  'obs:object:GetObject',
  'iam:users:listUsers',
  'bailiwick:session:use',
  'bailiwick:resources:register',
];

for (const database of Object.values(databases())) {
  for (const mode of ['LOOSE', 'STRICT'] as const) {
    describe(`taking away never widens in ${mode} on ${database.name}`, () => {
      let scene: Scene;
      beforeAll(async () => {
        scene = await Scene.open(await database.readyUrl());
        if (mode === 'STRICT') await scene.strict();
      });
      afterAll(async () => {
        await scene.close();
        await database.stop();
      });

      // Setting the mode is the one row that is about the mode itself.
      it.each(revocations.filter(({ says }) => !says.startsWith('the LOOSE default')))(
        '$says',
        async ({ says, gives }) => {
          const user = await scene.user();
          const session = await scene.session(user);
          const { at, revoke } = await gives(scene, user, session);
          const places = [null, '0', at];
          const allowed = async (sessionId: string): Promise<readonly string[]> => {
            const calls = await Promise.all(places.map((place) => scene.call(user, place, sessionId)));
            return calls.flatMap((call, i) =>
              probes
                .filter((probe) => call.decide({ action: probe, resource: null }).effect === 'ALLOW')
                .map((probe) => `${probe} in ${places[i] ?? 'the account'}`),
            );
          };
          const before = await allowed(session);
          expect(before).not.toEqual([]);
          await revoke();
          const after = await allowed(session);
          expect(before).toEqual(expect.arrayContaining([...after]));
          expect(after.length).toBeLessThan(before.length);
          // Nor does signing in again bring more.
          if (says !== 'the user: deleting them') {
            expect(before).toEqual(expect.arrayContaining([...(await allowed(await scene.session(user)))]));
          }
        },
      );
    });
  }

  describe(`revocation on ${database.name}`, () => {
    let scene: Scene;
    /** Where it is asked: in PostgreSQL at another process too, which nobody tells anything (rule 28). */
    let everywhere: readonly Scene[];
    beforeAll(async () => {
      const url = await database.readyUrl();
      scene = await (await Scene.open(url)).strict();
      everywhere = database.name === 'postgres' ? [scene, await scene.beside(url)] : [scene];
    });
    afterAll(async () => {
      for (const one of everywhere) await one.close();
      await database.stop();
    });

    it.each(revocations)('$says', async ({ gives, reason }) => {
      const user = await scene.user();
      const session = await scene.session(user);
      const { at, revoke } = await gives(scene, user, session);
      const decide = (call: Call) => call.decide({ action, resource: null });

      for (const one of everywhere) {
        expect(decide(await one.call(user, at, session))).toMatchObject({ effect: 'ALLOW' });
        // Asked twice before, so that an answer that was kept would show.
        expect(decide(await one.call(user, at, session))).toMatchObject({ effect: 'ALLOW' });
      }
      await revoke();
      const after = await Promise.all(everywhere.map(async (one) => decide(await one.call(user, at, session))));
      for (const decision of after) expect(decision).toMatchObject({ effect: 'DENY', reason });
    });
  });

  describe(`the LOOSE default on ${database.name} (rule 12)`, () => {
    let scene: Scene;
    beforeAll(async () => {
      scene = await Scene.open(await database.readyUrl());
    });
    afterAll(async () => {
      await scene.close();
      await database.stop();
    });
    const reasonFor = async (user: User, asked: string, at: string | null = '0') =>
      (await scene.call(user, at)).decide({ action: asked, resource: null }).reason;

    it('a user without grants may use ModelArts, by a policy that the decision names', async () => {
      const decision = (await scene.call(await scene.user(), '0')).decide({ action, resource: null });
      expect(decision).toMatchObject({ effect: 'ALLOW', reason: 'AUTHORIZATION_MODE' });
      expect(decision.statements).toMatchObject([{ policy: 'ModelArts default access' }]);
    });

    it.each([
      ['obs:object:GetObject', '0'],
      ['iam:users:listUsers', '0'],
      ['modelarts:workspace:create', '0'],
      ['modelarts:workspace:delete', '0'],
      ['modelarts:authorization:create', '0'],
      ['bailiwick:resources:register', '0'],
      [action, null],
    ])('it never gives %s in %s', async (asked, at) => {
      expect(await reasonFor(await scene.user(), asked, at)).toBe('NO_MATCHING_ALLOW');
    });

    it('a first Allow naming modelarts ends it for the user, and revoking that brings nothing back', async () => {
      const user = await scene.user();
      const grant = await scene.allow(user, 'modelarts:model:get');
      expect(await reasonFor(user, action)).toBe('NO_MATCHING_ALLOW');
      must(await revokeGrant(scene.iam, await scene.root(), { id: grant.id }));
      expect(await reasonFor(user, action)).toBe('NO_MATCHING_ALLOW');
      expect(await reasonFor(user, 'modelarts:model:get')).toBe('NO_MATCHING_ALLOW');
      must(await restoreDefaultAccess(scene.iam, await scene.root(), { userId: user.id }));
      expect(await reasonFor(user, action)).toBe('AUTHORIZATION_MODE');
    });

    it('it ends through a group, through joining one, and through a version that comes into use', async () => {
      const [granted, joining, versioned] = [await scene.user(), await scene.user(), await scene.user()];
      const group = await scene.group(granted);
      await scene.grant({ kind: 'GROUP', id: group.id }, await scene.policy({ ...allow, Action: ['*:*:*'] }));
      await scene.join(group, joining);
      const policy = await scene.policy({ Effect: 'Deny', Action: ['modelarts:pool:delete'] });
      await scene.grant({ kind: 'USER', id: versioned.id }, policy);
      expect(await reasonFor(versioned, action)).toBe('AUTHORIZATION_MODE');
      const document = { Version: '1.1', Statement: [{ Effect: 'Allow', Action: ['modelarts:pool:get'] }] };
      must(
        await createPolicyVersion(scene.iam, await scene.root(), { policyId: policy.id, document, setAsDefault: true }),
      );
      for (const user of [granted, joining, versioned]) {
        const stored = await scene.iam.store.access.user(scene.account.id, user.id);
        expect(stored?.defaultModelArtsAccess).toBe('ENDED');
      }
      expect(await reasonFor(versioned, action)).toBe('NO_MATCHING_ALLOW');
    });

    it('a set of Denies leaves it in force for the rest', async () => {
      const user = await scene.user();
      const deny = await scene.policy({ Effect: 'Deny', Action: ['modelarts:notebook:delete'] });
      await scene.grant({ kind: 'USER', id: user.id }, deny);
      expect(await reasonFor(user, action)).toBe('AUTHORIZATION_MODE');
      expect(await reasonFor(user, 'modelarts:notebook:delete')).toBe('EXPLICIT_DENY');
    });

    it('an Allow that names other services only leaves it in force', async () => {
      const user = await scene.user();
      await scene.allow(user, 'obs:object:GetObject');
      expect(await reasonFor(user, action)).toBe('AUTHORIZATION_MODE');
    });

    it('the creator of a private workspace uses it; another user does not', async () => {
      const [creator, other] = [await scene.user(), await scene.user()];
      await scene.allow(creator, 'modelarts:workspace:create', 'modelarts:notebook:create');
      const call = await scene.call(creator);
      const { id } = must(await createWorkspace(scene.iam, call, { name: `own-${Date.now()}`, visibility: 'PRIVATE' }));
      expect(await reasonFor(creator, action, id)).toBe('ALLOWED');
      expect(await reasonFor(other, action, id)).toBe('WORKSPACE_CLOSED');
    });
  });
}
