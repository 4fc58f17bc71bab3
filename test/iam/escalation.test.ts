/**
 * Nobody raises their own or another's reach above what they hold (rule 5): attempts over every write path. Each attempt
 * is made by someone who holds every action of administration and one working right, and is refused with the action that
 * would be gained; the same attempt within what they hold succeeds, so that no refusal comes from something else.
 */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import {
  addGroupMembers,
  authorizeAgency,
  createAccessKey,
  createAgency,
  createGroup,
  createKeyPair,
  createPolicyVersion,
  createService,
  createUser,
  deleteGroup,
  deleteSecondFactor,
  deleteUser,
  grantAgencyFunctions,
  grantPolicy,
  importKeyPair,
  registerResource,
  removeGroupMembers,
  resetPassword,
  restoreDefaultAccess,
  revokeGrant,
  rotateServiceKey,
  setAuthorizationMode,
  setDefaultPolicyVersion,
  updateAccessKey,
  updateAgency,
  updateService,
  updateUser,
  type Call,
  type Grant,
  type Outcome,
  type Policy,
  type User,
} from '../../src/iam/index.js';
import { testSchema } from '../kit/house.js';
import { databases } from '../store/databases.js';
import { must, Scene, type Statement } from './scene.js';

const administration = [
  'iam:users:*',
  'iam:mfa:*',
  'iam:credentials:*',
  'iam:groups:*',
  'iam:permissions:*',
  'iam:roles:*',
  'iam:agencies:*',
  'bailiwick:permissions:*',
  'bailiwick:services:*',
  'bailiwick:settings:*',
];
const held = 'modelarts:notebook:*';
const notHeld = 'modelarts:trainJob:create';
const publicKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJYvet7FSxMdOMx1y6oba+6GGespn4Xgxw/6c2+p0YT';
const allowHeld: Statement = { Effect: 'Allow', Action: ['modelarts:notebook:get'] };
const allowMore: Statement = { Effect: 'Allow', Action: [notHeld] };

interface Attempt {
  readonly says: string;
  /** The action that must be named as gained, null when the attempt is within what is held and must succeed. */
  readonly gains: string | null;
  /** What the one who tries is rightly let do first; nothing else may have changed by them. */
  readonly prepares?: readonly string[];
  readonly tries: (scene: Scene, mallory: Call, self: User) => Promise<Outcome<unknown>>;
}

const user = (id: string) => ({ kind: 'USER', id }) as const;
const group = (id: string) => ({ kind: 'GROUP', id }) as const;
const agency = (id: string) => ({ kind: 'AGENCY', id }) as const;
const service = (id: string) => ({ kind: 'SERVICE', id }) as const;
const all = { kind: 'ALL', id: '' } as const;

async function give(scene: Scene, mallory: Call, subject: Grant['subjectKind'], id: string, statement: Statement) {
  const policy = await scene.policy(statement);
  return grantPolicy(scene.iam, mallory, { policyId: policy.id, subject: { kind: subject, id }, scope: all });
}

async function anAgency(scene: Scene, statement: Statement) {
  const made = must(
    await createAgency(scene.iam, await scene.root(), {
      name: `agency-${Math.random()}`,
      trust: { kind: 'SERVICE', id: 'modelarts' },
      durationDays: 1,
    }),
  );
  await scene.grant(agency(made.id), await scene.policy(statement));
  return made;
}

async function administratorsId(scene: Scene): Promise<string> {
  const { rows } = await (
    await scene.root()
  ).reader.page(
    'group',
    { name: 'admin' },
    { order: { by: 'NAME', direction: 'ASC' }, limit: 1, backward: false, after: null, before: null },
  );
  return rows[0]?.record.id ?? '';
}

/** A user who holds nothing at all, the LOOSE default neither. */
async function aWeakUser(scene: Scene): Promise<User> {
  await scene.strict();
  return scene.user();
}

const attempts: readonly Attempt[] = [
  {
    says: 'granting oneself a right that one does not hold',
    gains: notHeld,
    tries: (scene, mallory, self) => give(scene, mallory, 'USER', self.id, allowMore),
  },
  {
    says: 'granting another user a right that one does not hold',
    gains: notHeld,
    tries: async (scene, mallory) => give(scene, mallory, 'USER', (await scene.user()).id, allowMore),
  },
  {
    says: 'granting another user a right that one holds',
    gains: null,
    tries: async (scene, mallory) => give(scene, mallory, 'USER', (await scene.user()).id, allowHeld),
  },
  {
    says: 'granting a wildcard wider than the one that one holds',
    gains: 'modelarts:*:*',
    tries: async (scene, mallory) =>
      give(scene, mallory, 'USER', (await scene.user()).id, { Effect: 'Allow', Action: ['modelarts:*:*'] }),
  },
  {
    says: 'granting oneself FullAccess by way of iam:permissions alone',
    gains: '*:*:*',
    tries: (scene, mallory, self) =>
      grantPolicy(scene.iam, mallory, { policyId: 'full_access', subject: user(self.id), scope: all }),
  },
  {
    says: 'granting a group a right that one does not hold',
    gains: notHeld,
    tries: async (scene, mallory) => give(scene, mallory, 'GROUP', (await scene.group()).id, allowMore),
  },
  {
    says: 'granting an agency a right that one does not hold',
    gains: notHeld,
    tries: async (scene, mallory) => give(scene, mallory, 'AGENCY', (await anAgency(scene, allowHeld)).id, allowMore),
  },
  {
    says: 'granting a service a right that one does not hold',
    gains: notHeld,
    tries: async (scene, mallory) => {
      const made = must(await createService(scene.iam, await scene.root(), { name: `svc-${Date.now() % 1e6}a` }));
      return give(scene, mallory, 'SERVICE', made.service.id, allowMore);
    },
  },
  {
    says: 'joining a group that brings a right that one does not hold',
    gains: notHeld,
    tries: async (scene, mallory, self) => {
      const strong = await scene.group();
      await scene.grant(group(strong.id), await scene.policy(allowMore));
      return addGroupMembers(scene.iam, mallory, { groupId: strong.id, userIds: [self.id] });
    },
  },
  {
    says: 'joining a group that brings only what one holds',
    gains: null,
    tries: async (scene, mallory, self) => {
      const weak = await scene.group();
      await scene.grant(group(weak.id), await scene.policy(allowHeld));
      return addGroupMembers(scene.iam, mallory, { groupId: weak.id, userIds: [self.id] });
    },
  },
  {
    says: 'joining the administrators',
    gains: '*:*:*',
    tries: async (scene, mallory, self) => {
      const id = await administratorsId(scene);
      return addGroupMembers(scene.iam, mallory, { groupId: id, userIds: [self.id] });
    },
  },
  {
    says: 'creating a user straight into a group that brings a right that one does not hold',
    gains: notHeld,
    tries: async (scene, mallory) => {
      const strong = await scene.group();
      await scene.grant(group(strong.id), await scene.policy(allowMore));
      return createUser(scene.iam, mallory, { name: `puppet-${Date.now()}`, groupIds: [strong.id] });
    },
  },
  {
    says: 'leaving a group whose Deny holds one back',
    gains: 'modelarts:pool:delete',
    tries: async (scene, mallory, self) => {
      const held = await scene.group(self);
      await scene.grant(group(held.id), await scene.policy({ Effect: 'Deny', Action: ['modelarts:pool:delete'] }));
      return removeGroupMembers(scene.iam, mallory, { groupId: held.id, userIds: [self.id] });
    },
  },
  {
    says: 'deleting a group whose Deny holds its members back',
    gains: 'modelarts:pool:delete',
    tries: async (scene, mallory) => {
      const held = await scene.group(await scene.user());
      await scene.grant(group(held.id), await scene.policy({ Effect: 'Deny', Action: ['modelarts:pool:delete'] }));
      return deleteGroup(scene.iam, mallory, { id: held.id });
    },
  },
  {
    says: 'revoking a Deny of something that one does not hold',
    gains: 'modelarts:pool:update',
    tries: async (scene, mallory) => {
      const policy = await scene.policy({ Effect: 'Deny', Action: ['modelarts:pool:update'] });
      const grant = await scene.grant(user((await scene.user()).id), policy);
      return revokeGrant(scene.iam, mallory, { id: grant.id });
    },
  },
  {
    says: 'revoking an Allow, which widens nothing',
    gains: null,
    tries: async (scene, mallory) => {
      const grant = await scene.grant(user((await scene.user()).id), await scene.policy(allowMore));
      return revokeGrant(scene.iam, mallory, { id: grant.id });
    },
  },
  {
    says: 'putting a wider version of a policy in use that others hold',
    gains: notHeld,
    tries: async (scene, mallory) => {
      const policy = await scene.policy(allowHeld);
      await scene.grant(user((await scene.user()).id), policy);
      const document = { Version: '1.1', Statement: [allowHeld, allowMore] };
      return createPolicyVersion(scene.iam, mallory, { policyId: policy.id, document, setAsDefault: true });
    },
  },
  {
    says: 'adding a wider version without putting it in use, then putting it in use',
    prepares: ['createPolicyVersion', 'createPolicyVersion'],
    gains: notHeld,
    tries: async (scene, mallory) => {
      const policy = await scene.policy(allowHeld);
      await scene.grant(user((await scene.user()).id), policy);
      const document = { Version: '1.1', Statement: [allowMore] };
      must(await createPolicyVersion(scene.iam, mallory, { policyId: policy.id, document }));
      return setDefaultPolicyVersion(scene.iam, mallory, { policyId: policy.id, number: 2 });
    },
  },
  {
    says: 'putting a version in use that drops a Deny',
    gains: 'modelarts:pool:create',
    tries: async (scene, mallory) => {
      const policy = await scene.policy(allowHeld, { Effect: 'Deny', Action: ['modelarts:pool:create'] });
      await scene.grant(user((await scene.user()).id), policy);
      const document = { Version: '1.1', Statement: [allowHeld] };
      return createPolicyVersion(scene.iam, mallory, { policyId: policy.id, document, setAsDefault: true });
    },
  },
  {
    says: 'adding an action that one holds to a policy that gives others more than that',
    gains: null,
    tries: async (scene, mallory) => {
      const policy = await scene.policy(allowMore);
      await scene.grant(user((await scene.user()).id), policy);
      const both = { ...allowMore, Action: [...allowMore.Action, ...allowHeld.Action] };
      const document = { Version: '1.1', Statement: [both] };
      return createPolicyVersion(scene.iam, mallory, { policyId: policy.id, document, setAsDefault: true });
    },
  },
  {
    says: 'widening one action of a statement by leaving out its condition',
    gains: notHeld,
    tries: async (scene, mallory) => {
      const Condition = { StringEquals: { 'g:UserName': ['nobody'] } };
      const policy = await scene.policy({ ...allowMore, Condition });
      await scene.grant(user((await scene.user()).id), policy);
      const document = { Version: '1.1', Statement: [allowMore] };
      return createPolicyVersion(scene.iam, mallory, { policyId: policy.id, document, setAsDefault: true });
    },
  },
  {
    says: 'taking one action out of a Deny of several',
    gains: 'modelarts:pool:delete',
    tries: async (scene, mallory) => {
      const deny: Statement = { Effect: 'Deny', Action: ['modelarts:pool:create', 'modelarts:pool:delete'] };
      const policy = await scene.policy(deny);
      await scene.grant(user((await scene.user()).id), policy);
      const document = { Version: '1.1', Statement: [{ ...deny, Action: ['modelarts:pool:create'] }] };
      return createPolicyVersion(scene.iam, mallory, { policyId: policy.id, document, setAsDefault: true });
    },
  },
  {
    says: 'changing a policy that nobody holds, which gives nobody anything',
    gains: null,
    tries: async (scene, mallory) => {
      const policy = await scene.policy(allowHeld);
      const document = { Version: '1.1', Statement: [allowMore] };
      return createPolicyVersion(scene.iam, mallory, { policyId: policy.id, document, setAsDefault: true });
    },
  },
  {
    says: 'letting an agency that is stronger than oneself be used on behalf of everyone',
    gains: notHeld,
    tries: async (scene, mallory) => {
      const strong = await anAgency(scene, allowMore);
      return authorizeAgency(scene.iam, mallory, { agencyId: strong.id, for: { kind: 'allUsers' } });
    },
  },
  {
    says: 'granting an agency the functions of the platform, whose actions one does not hold',
    gains: 'obs:object:PutObject',
    tries: async (scene, mallory) => {
      const { id } = await scene.workspace();
      const { id: agencyId } = await anAgency(scene, allowHeld);
      const choice = { preset: 'CUSTOM', functions: ['notebook'], workspaceId: id } as const;
      return grantAgencyFunctions(scene.iam, mallory, { agencyId, ...choice });
    },
  },
  {
    says: 'granting an agency a function in every workspace, though one holds its actions',
    gains: 'ief:application:get',
    tries: async (scene, mallory, self) => {
      await scene.allow(self, 'ief:*:*');
      const again = await scene.call({ id: mallory.principal.id });
      const { id: agencyId } = await anAgency(scene, allowHeld);
      const choice = { preset: 'CUSTOM', functions: ['edge'], workspaceId: null } as const;
      return grantAgencyFunctions(scene.iam, again, { agencyId, ...choice });
    },
  },
  {
    says: 'granting an agency a function in a workspace that one may enter, whose actions one holds',
    gains: null,
    tries: async (scene, mallory, self) => {
      const { id } = await scene.workspace();
      await scene.allow(self, 'ief:*:*');
      const again = await scene.call({ id: mallory.principal.id });
      const { id: agencyId } = await anAgency(scene, allowHeld);
      const choice = { preset: 'CUSTOM', functions: ['edge'], workspaceId: id } as const;
      return grantAgencyFunctions(scene.iam, again, { agencyId, ...choice });
    },
  },
  {
    says: 'adding a function whose actions one holds to an agency that holds more than oneself',
    gains: null,
    tries: async (scene, mallory, self) => {
      const { id } = await scene.workspace();
      await scene.allow(self, 'ief:*:*');
      const again = await scene.call({ id: mallory.principal.id });
      const { id: agencyId } = await anAgency(scene, allowHeld);
      const choice = { agencyId, preset: 'CUSTOM', workspaceId: id } as const;
      must(await grantAgencyFunctions(scene.iam, await scene.root(), { ...choice, functions: ['pools'] }));
      return grantAgencyFunctions(scene.iam, again, { ...choice, functions: ['edge'] });
    },
  },
  {
    says: 'adding a function to those that an agency was granted, whose actions one does not hold',
    gains: 'vpc:peerings:accept',
    tries: async (scene, mallory) => {
      const { id } = await scene.workspace();
      const { id: agencyId } = await anAgency(scene, allowHeld);
      const choice = { agencyId, preset: 'CUSTOM', workspaceId: id } as const;
      must(await grantAgencyFunctions(scene.iam, await scene.root(), { ...choice, functions: ['edge'] }));
      return grantAgencyFunctions(scene.iam, mallory, { ...choice, functions: ['pools'] });
    },
  },
  {
    says: 'turning the trust of a stronger agency towards another service',
    gains: notHeld,
    tries: async (scene, mallory) => {
      const strong = await anAgency(scene, allowMore);
      return updateAgency(scene.iam, mallory, { id: strong.id, trust: { kind: 'SERVICE', id: 'obs' } });
    },
  },
  {
    says: 'making a stronger agency last for ever',
    gains: notHeld,
    tries: async (scene, mallory) => {
      const strong = await anAgency(scene, allowMore);
      return updateAgency(scene.iam, mallory, { id: strong.id, durationDays: null });
    },
  },
  {
    says: 'taking a key of a service that is stronger than oneself',
    gains: notHeld,
    tries: async (scene, mallory) => {
      const made = must(await createService(scene.iam, await scene.root(), { name: `svc-${Date.now() % 1e6}b` }));
      await scene.grant(service(made.service.id), await scene.policy(allowMore));
      return rotateServiceKey(scene.iam, mallory, { id: made.service.id });
    },
  },
  {
    says: 'enabling a disabled user who is stronger than oneself',
    gains: notHeld,
    tries: async (scene, mallory) => {
      const strong = await scene.user();
      await scene.allow(strong, notHeld);
      must(await updateUser(scene.iam, await scene.root(), { id: strong.id, enabled: false }));
      return updateUser(scene.iam, mallory, { id: strong.id, enabled: true });
    },
  },
  {
    says: 'renaming a user into the name that a condition asks for',
    gains: notHeld,
    tries: async (scene, mallory) => {
      const puppet = await scene.user();
      const named: Statement = { ...allowMore, Condition: { StringEquals: { 'g:UserName': ['chosen-one'] } } };
      await scene.grant(user(puppet.id), await scene.policy(named));
      return updateUser(scene.iam, mallory, { id: puppet.id, name: 'chosen-one' });
    },
  },
  {
    says: 'opening ModelArts to everyone by the authorization mode',
    gains: 'modelarts:aiAlgorithm:*',
    tries: async (scene, mallory) => {
      await scene.strict();
      return setAuthorizationMode(scene.iam, mallory, { mode: 'LOOSE' });
    },
  },
  {
    says: 'restoring the default access of a user without being an administrator',
    gains: 'modelarts:*:*',
    tries: (scene, mallory, self) => restoreDefaultAccess(scene.iam, mallory, { userId: self.id }),
  },
  {
    says: 'granting for longer than one holds it oneself',
    gains: 'modelarts:model:get',
    tries: async (scene, mallory, self) => {
      const policy = await scene.policy({ Effect: 'Allow', Action: ['modelarts:model:get'] });
      await scene.grant(user(self.id), policy, all, scene.clock.at + 60_000);
      const again = await scene.call({ id: mallory.principal.id });
      return grantPolicy(scene.iam, again, { policyId: policy.id, subject: user((await scene.user()).id), scope: all });
    },
  },
  {
    says: 'granting everywhere what one holds in one workspace only',
    gains: 'modelarts:image:get',
    tries: async (scene, mallory, self) => {
      const policy = await scene.policy({ Effect: 'Allow', Action: ['modelarts:image:get'] });
      const { id } = await scene.workspace();
      await scene.grant(user(self.id), policy, { kind: 'WORKSPACE', id });
      const again = await scene.call({ id: mallory.principal.id });
      return grantPolicy(scene.iam, again, { policyId: policy.id, subject: user((await scene.user()).id), scope: all });
    },
  },
  {
    says: 'granting what one holds by Allow but is denied as well',
    gains: 'modelarts:notebook:delete',
    tries: async (scene, mallory, self) => {
      const deny = await scene.policy({ Effect: 'Deny', Action: ['modelarts:notebook:delete'] });
      await scene.grant(user(self.id), deny);
      const again = await scene.call({ id: mallory.principal.id });
      return give(scene, again, 'USER', (await scene.user()).id, {
        Effect: 'Allow',
        Action: ['modelarts:notebook:delete'],
      });
    },
  },
  {
    says: 'giving the grant of a Deny an end, so that it lifts by itself',
    gains: 'modelarts:pool:delete',
    tries: async (scene, mallory) => {
      const policy = await scene.policy({ Effect: 'Deny', Action: ['modelarts:pool:delete'] });
      const subject = group((await scene.group(await scene.user())).id);
      await scene.grant(subject, policy);
      return grantPolicy(scene.iam, mallory, {
        policyId: policy.id,
        subject,
        scope: all,
        expiresAt: scene.clock.at + 1,
      });
    },
  },
  {
    says: 'renaming oneself out of a Deny that names one',
    gains: 'modelarts:pool:list',
    tries: async (scene, mallory, self) => {
      const Condition = { StringEquals: { 'g:UserName': [self.name] } };
      const deny = await scene.policy({ Effect: 'Deny', Action: ['modelarts:pool:list'], Condition });
      await scene.grant(user(self.id), deny);
      return updateUser(scene.iam, mallory, { id: self.id, name: `${self.name}-2` });
    },
  },
  {
    says: 'enabling a disabled service that is stronger than oneself',
    gains: notHeld,
    tries: async (scene, mallory) => {
      const made = must(await createService(scene.iam, await scene.root(), { name: `svc-${Date.now() % 1e6}c` }));
      await scene.grant(service(made.service.id), await scene.policy(allowMore));
      must(await updateService(scene.iam, await scene.root(), { id: made.service.id, enabled: false }));
      return updateService(scene.iam, mallory, { id: made.service.id, enabled: true });
    },
  },
  {
    says: 'taking a key of a service that a stronger agency trusts',
    gains: notHeld,
    tries: async (scene, mallory) => {
      const name = `svc-${Date.now() % 1e6}d`;
      const actions = [{ name: `${name}:thing:get`, accessLevel: 'READ', description: '' }] as const;
      const made = must(await createService(scene.iam, await scene.root(), { name, actions }));
      const trusting = must(
        await createAgency(scene.iam, await scene.root(), { name: `of ${name}`, trust: { kind: 'SERVICE', id: name } }),
      );
      await scene.grant(agency(trusting.id), await scene.policy(allowMore));
      return rotateServiceKey(scene.iam, mallory, { id: made.service.id });
    },
  },
  {
    says: 'deleting an administrator',
    gains: '*:*:*',
    tries: async (scene, mallory) => {
      const administrator = await scene.user();
      await scene.join({ id: await administratorsId(scene) }, administrator);
      return deleteUser(scene.iam, mallory, { id: administrator.id });
    },
  },
  {
    says: 'taking an administrator out of the administrators',
    gains: '*:*:*',
    tries: async (scene, mallory) => {
      const administrator = await scene.user();
      const groupId = await administratorsId(scene);
      await scene.join({ id: groupId }, administrator);
      return removeGroupMembers(scene.iam, mallory, { groupId, userIds: [administrator.id] });
    },
  },
  {
    says: 'granting under one name what one is denied under its other name',
    gains: 'iam:agencies:assume',
    tries: async (scene, mallory, self) => {
      const deny = await scene.policy({ Effect: 'Deny', Action: ['iam:tokens:assume'] });
      await scene.grant(user(self.id), deny);
      const again = await scene.call({ id: mallory.principal.id });
      return give(scene, again, 'USER', (await scene.user()).id, { Effect: 'Allow', Action: ['iam:agencies:assume'] });
    },
  },
  {
    says: 'resetting the password of a user who is stronger than oneself',
    gains: notHeld,
    tries: async (scene, mallory) => {
      const strong = await aWeakUser(scene);
      await scene.allow(strong, notHeld);
      return resetPassword(scene.iam, mallory, { userId: strong.id });
    },
  },
  {
    says: 'resetting the password of a user whom a group makes stronger than oneself',
    gains: notHeld,
    tries: async (scene, mallory) => {
      const strong = await aWeakUser(scene);
      const { id } = await scene.group(strong);
      await scene.grant(group(id), await scene.policy(allowMore));
      return resetPassword(scene.iam, mallory, { userId: strong.id, newPassword: 'Chosen-horse-1' });
    },
  },
  {
    says: 'resetting the password of a user who holds no more than oneself',
    gains: null,
    tries: async (scene, mallory) => {
      const weak = await aWeakUser(scene);
      await scene.grant(user(weak.id), await scene.policy(allowHeld));
      return resetPassword(scene.iam, mallory, { userId: weak.id });
    },
  },
  {
    says: 'resetting the password of a user to whom the LOOSE default gives what one does not hold',
    gains: 'modelarts:aiAlgorithm:*',
    tries: async (scene, mallory) => {
      must(await setAuthorizationMode(scene.iam, await scene.root(), { mode: 'LOOSE' }));
      const again = await scene.call({ id: mallory.principal.id });
      return resetPassword(scene.iam, again, { userId: (await scene.user()).id });
    },
  },
  {
    says: 'resetting the password of a user who may enter a workspace that is closed to oneself',
    gains: 'modelarts:workspace:get',
    tries: async (scene, mallory) => {
      const listed = await aWeakUser(scene);
      await scene.workspace({ visibility: 'INTERNAL', memberIds: [listed.id] });
      return resetPassword(scene.iam, mallory, { userId: listed.id });
    },
  },
  {
    says: 'resetting the password of a user who may enter what is open to oneself as well',
    gains: null,
    tries: async (scene, mallory, self) => {
      const listed = await aWeakUser(scene);
      await scene.workspace({ visibility: 'INTERNAL', memberIds: [listed.id, self.id] });
      await scene.workspace({ visibility: 'PUBLIC' });
      return resetPassword(scene.iam, mallory, { userId: listed.id });
    },
  },
  {
    says: 'resetting the password of an administrator',
    gains: '*:*:*',
    tries: async (scene, mallory) => {
      const administrator = await scene.user();
      await scene.join({ id: await administratorsId(scene) }, administrator);
      return resetPassword(scene.iam, mallory, { userId: administrator.id });
    },
  },
  {
    says: 'resetting the password of the root user',
    gains: '*:*:*',
    tries: (scene, mallory) => resetPassword(scene.iam, mallory, { userId: scene.rootUser.id }),
  },
  {
    says: 'resetting the password of the root user as an administrator',
    gains: '*:*:*',
    tries: async (scene, mallory, self) => {
      await scene.join({ id: await administratorsId(scene) }, self);
      const again = await scene.call({ id: mallory.principal.id });
      return resetPassword(scene.iam, again, { userId: scene.rootUser.id });
    },
  },
  {
    says: 'taking the second factor of a user who is stronger than oneself',
    gains: notHeld,
    tries: async (scene, mallory) => {
      const strong = await aWeakUser(scene);
      await scene.allow(strong, notHeld);
      await scene.secondFactor(strong);
      return deleteSecondFactor(scene.iam, mallory, { userId: strong.id });
    },
  },
  {
    says: 'taking the second factor of a user who holds no more than oneself',
    gains: null,
    tries: async (scene, mallory) => {
      const weak = await aWeakUser(scene);
      await scene.secondFactor(weak);
      return deleteSecondFactor(scene.iam, mallory, { userId: weak.id });
    },
  },
  {
    says: 'taking the second factor of the root user',
    gains: '*:*:*',
    tries: async (scene, mallory) => {
      const kept = scene.iam.store.reader({ accountId: scene.account.id, workspaceId: null });
      const bound = await kept.find('secondFactor', [scene.rootUser.id]);
      if (bound.size === 0) await scene.secondFactor(scene.rootUser);
      return deleteSecondFactor(scene.iam, mallory, { userId: scene.rootUser.id });
    },
  },
  {
    says: 'making an access key for a user who is stronger than oneself',
    gains: notHeld,
    tries: async (scene, mallory) => {
      const strong = await aWeakUser(scene);
      await scene.allow(strong, notHeld);
      return createAccessKey(scene.iam, mallory, { userId: strong.id });
    },
  },
  {
    says: 'enabling the access key of a user who is stronger than oneself',
    gains: notHeld,
    tries: async (scene, mallory) => {
      const strong = await aWeakUser(scene);
      await scene.allow(strong, notHeld);
      const { accessKey } = must(await createAccessKey(scene.iam, await scene.root(), { userId: strong.id }));
      must(await updateAccessKey(scene.iam, await scene.root(), { id: accessKey.id, enabled: false }));
      return updateAccessKey(scene.iam, mallory, { id: accessKey.id, enabled: true });
    },
  },
  {
    says: 'making an access key for a user who holds no more than oneself',
    gains: null,
    tries: async (scene, mallory) => createAccessKey(scene.iam, mallory, { userId: (await aWeakUser(scene)).id }),
  },
  {
    says: 'making a key pair for a user who is stronger than oneself',
    gains: notHeld,
    tries: async (scene, mallory) => {
      const strong = await aWeakUser(scene);
      await scene.allow(strong, notHeld);
      return createKeyPair(scene.iam, mallory, { userId: strong.id, name: 'theirs' });
    },
  },
  {
    says: 'registering a public key of one’s own for a user who is stronger than oneself',
    gains: notHeld,
    tries: async (scene, mallory) => {
      const strong = await aWeakUser(scene);
      await scene.allow(strong, notHeld);
      return importKeyPair(scene.iam, mallory, { userId: strong.id, name: 'theirs', publicKey });
    },
  },
  {
    says: 'registering a public key for a user who holds no more than oneself',
    gains: null,
    tries: async (scene, mallory) =>
      importKeyPair(scene.iam, mallory, { userId: (await aWeakUser(scene)).id, name: 'theirs', publicKey }),
  },
  {
    says: 'granting another the very policy that one holds, with a Deny in it',
    gains: null,
    tries: async (scene, _mallory, self) => {
      const policy = await scene.policy(
        { Effect: 'Allow', Action: ['modelarts:trainJob:*'] },
        { Effect: 'Deny', Action: ['modelarts:trainJob:delete'] },
      );
      await scene.grant(user(self.id), policy);
      const again = await scene.call(self);
      const subject = user((await scene.user()).id);
      return grantPolicy(scene.iam, again, { policyId: policy.id, subject, scope: all });
    },
  },
  {
    says: 'granting another such a policy without its Deny',
    gains: 'modelarts:trainJob:*',
    tries: async (scene, _mallory, self) => {
      const allow: Statement = { Effect: 'Allow', Action: ['modelarts:trainJob:*'] };
      const deny: Statement = { Effect: 'Deny', Action: ['modelarts:trainJob:delete'] };
      await scene.grant(user(self.id), await scene.policy(allow, deny));
      return give(scene, await scene.call(self), 'USER', (await scene.user()).id, allow);
    },
  },
  {
    says: 'granting another such a policy whose Deny binds somebody else alone',
    gains: 'modelarts:trainJob:*',
    tries: async (scene, _mallory, self) => {
      const allow: Statement = { Effect: 'Allow', Action: ['modelarts:trainJob:*'] };
      const deny: Statement = { Effect: 'Deny', Action: ['modelarts:trainJob:delete'] };
      await scene.grant(user(self.id), await scene.policy(allow, deny));
      const Condition = { StringEquals: { 'g:UserName': ['nobody'] } };
      const policy = await scene.policy(allow, { ...deny, Condition });
      const subject = user((await scene.user()).id);
      return grantPolicy(scene.iam, await scene.call(self), { policyId: policy.id, subject, scope: all });
    },
  },
  {
    says: 'granting what one holds by several statements together, none of which covers it',
    gains: null,
    tries: async (scene, _mallory, self) => {
      const Condition = { NotIpAddress: { 'g:SourceIp': ['10.0.0.0/8'] } };
      await scene.grant(
        user(self.id),
        await scene.policy(
          { Effect: 'Allow', Action: ['modelarts:trainJob:*'], Condition },
          {
            Effect: 'Allow',
            Action: ['modelarts:trainJob:*'],
            Condition: { IpAddress: { 'g:SourceIp': ['10.0.0.0/7'] } },
          },
        ),
      );
      return give(scene, await scene.call(self), 'USER', (await scene.user()).id, {
        Effect: 'Allow',
        Action: [notHeld],
        Condition: { IpAddress: { 'g:SourceIp': ['0.0.0.0/0'] } },
      });
    },
  },
  {
    says: 'granting for a part of the addresses for which one holds it',
    gains: null,
    tries: async (scene, _mallory, self) => {
      const within = (block: string): Statement => ({
        Effect: 'Allow',
        Action: [notHeld],
        Condition: { IpAddress: { 'g:SourceIp': [block] } },
      });
      await scene.grant(user(self.id), await scene.policy(within('10.0.0.0/8')));
      return give(scene, await scene.call(self), 'USER', (await scene.user()).id, within('10.1.0.0/16'));
    },
  },
  {
    says: 'granting for more addresses than those for which one holds it',
    gains: notHeld,
    tries: async (scene, _mallory, self) => {
      const within = (block: string): Statement => ({
        Effect: 'Allow',
        Action: [notHeld],
        Condition: { IpAddress: { 'g:SourceIp': [block] } },
      });
      await scene.grant(user(self.id), await scene.policy(within('10.1.0.0/16')));
      return give(scene, await scene.call(self), 'USER', (await scene.user()).id, within('10.0.0.0/8'));
    },
  },
  {
    says: 'granting under one’s own name, or with a second factor, what one holds so',
    gains: notHeld,
    tries: async (scene, _mallory, self) => {
      const Condition = { StringEquals: { 'g:UserName': [self.name] }, Bool: { 'g:MFAPresent': ['true'] } };
      const statement: Statement = { ...allowMore, Condition };
      await scene.grant(user(self.id), await scene.policy(statement));
      return give(scene, await scene.call(self), 'USER', (await scene.user()).id, statement);
    },
  },
  {
    says: 'granting what one is denied under the name of somebody else only',
    gains: 'modelarts:notebook:get',
    tries: async (scene, _mallory, self) => {
      const Condition = { StringNotEquals: { 'g:UserName': [self.name] } };
      await scene.grant(user(self.id), await scene.policy({ Effect: 'Deny', Action: ['modelarts:*:get'], Condition }));
      return give(scene, await scene.call(self), 'USER', (await scene.user()).id, allowHeld);
    },
  },
  {
    says: 'saying the same in other words in a policy that gives others more than one holds',
    gains: null,
    tries: async (scene, mallory) => {
      const deny: Statement = { Effect: 'Deny', Action: ['modelarts:pool:create', 'modelarts:pool:delete'] };
      const policy = await scene.policy({ Effect: 'Allow', Action: [notHeld, 'modelarts:trainJob:*'] }, deny);
      await scene.grant(user((await scene.user()).id), policy);
      const again: Statement[] = [
        { Effect: 'Deny', Action: ['modelarts:pool:*'] },
        { Effect: 'Allow', Action: ['modelarts:trainJob:*'] },
      ];
      const document = { Version: '1.1', Statement: again };
      return createPolicyVersion(scene.iam, mallory, { policyId: policy.id, document, setAsDefault: true });
    },
  },
  {
    says: 'granting without the condition under which one holds it',
    gains: 'modelarts:tensorboard:get',
    tries: async (scene, mallory, self) => {
      const Condition = { IpAddress: { 'g:SourceIp': ['10.0.0.0/8'] } };
      const narrow = await scene.policy({ Effect: 'Allow', Action: ['modelarts:tensorboard:get'], Condition });
      await scene.grant(user(self.id), narrow);
      const again = await scene.call({ id: mallory.principal.id });
      return give(scene, again, 'USER', (await scene.user()).id, {
        Effect: 'Allow',
        Action: ['modelarts:tensorboard:get'],
      });
    },
  },
];

/**
 * Every mutation of the schema: attempted in the table above or where it says, or why it can raise nobody's reach. A new
 * one fails until somebody has thought about it.
 */
const above = 'attempted above';
const paths: Readonly<Record<string, string>> = {
  addGroupMembers: above,
  assumeAgency: 'delegation-graphs.test.ts: never more than the agency, the session’s policy and the trust',
  authenticateRequest: 'tells who signed; the signer’s rights stay the signer’s',
  authorizeAgency: above,
  changePassword: 'one’s own password, which one must know',
  configureRemoteAccess: 'remote-access.test.ts: only key pairs of one’s own, asked whether one may get in',
  confirmSecondFactor: 'one’s own; it asks for more from then on',
  createAccessKey: above,
  createAgency: 'made without grants; what it is given is granted, and that is attempted above',
  createEnterpriseProject: 'made without grants and workspaces',
  createGroup: 'made without grants and members',
  createKeyPair: above,
  createPolicy: 'granted to nobody; granting is attempted above',
  createPolicyVersion: above,
  createSecondFactor: 'one’s own; it asks for more from then on',
  createService: 'side-doors.test.ts: a name that an agency trusts is not free',
  createUser: above,
  createWorkspace: 'side-doors.test.ts: a name that a condition asks for',
  deleteAccessKey: 'takes away',
  deleteAgency: 'takes away: agencies ask for themselves alone, their Denies end with them',
  deleteEnterpriseProject: 'an empty one: its grants reach no workspace',
  deleteGroup: above,
  deleteKeyPair: 'takes away',
  deletePolicy: 'refused while it is granted',
  deletePolicyVersion: 'refused while it is in use',
  deleteSecondFactor: above,
  deleteService: 'takes away: services ask for themselves alone, their Denies end with them',
  deleteUser: above,
  deleteWorkspace: 'its grants reach no other workspace',
  deregisterResource: 'side-doors.test.ts and service-entry.test.ts: registering again under other names or kinds',
  endSession: 'takes away',
  grantAgencyFunctions: above,
  grantPolicy: above,
  moveResource: 'decided on both sides: resource-moves.test.ts',
  importKeyPair: above,
  refreshToken: 'prolongs one’s own session within the account’s limits',
  registerResource: 'asked with the tags it would have; side-doors.test.ts: under its other name',
  registerResources: 'as registerResource, one by one: resource-batches.test.ts',
  reportInstanceState: 'remote-access.test.ts: only by who registered the notebook',
  removeGroupMembers: above,
  resetPassword: above,
  restoreDefaultAccess: above,
  revokeAuthorization: 'takes away',
  revokeGrant: above,
  revokeSessions: 'takes away',
  rotateServiceKey: above,
  setAuthorizationMode: above,
  setDefaultPolicyVersion: above,
  setWorkspacesEnabled: 'no action depends on it; making workspaces is asked for as ever',
  signIn: 'with a password that one must know',
  signOut: 'takes away',
  switchScope: 'rights are asked anew in each scope',
  updateAccessKey: above,
  updateAccountSettings: 'lengths and locks: no action depends on them',
  updateAgency: above,
  updateEnterpriseProject: 'no condition asks for its name; its workspaces stay',
  updateGroup: 'no condition asks for its name',
  updateResource: 'asked with the tags it has and those it would have',
  updateService: above,
  updateUser: above,
  updateWorkspaceQuotas: 'numbers: no action depends on them',
  updateWorkspace: 'side-doors.test.ts: a name that a condition asks for',
};

it('every mutation has been thought about', () => {
  expect(Object.keys(paths).sort()).toEqual(Object.keys(testSchema().getMutationType()?.getFields() ?? {}).sort());
});

for (const database of Object.values(databases())) {
  describe(`no-escalation on ${database.name}`, () => {
    let scene: Scene;
    /** What whoever tries holds. */
    let policies: readonly Policy[];
    beforeAll(async () => {
      scene = await Scene.open(await database.readyUrl());
      policies = [
        await scene.policy({ Effect: 'Allow', Action: administration }),
        await scene.policy({ Effect: 'Allow', Action: [held, 'modelarts:authorization:*', 'ecs:serverKeypairs:*'] }),
      ];
    });
    afterAll(async () => {
      await scene.close();
      await database.stop();
    });

    /** What a user has changed so far: every write is audited. */
    async function operationsOf({ id }: Pick<User, 'id'>): Promise<readonly string[]> {
      const { rows } = await (
        await scene.root()
      ).reader.page(
        'auditEvent',
        { actorId: id },
        { order: { by: 'REVISION', direction: 'ASC' }, limit: 100, backward: false, after: null, before: null },
      );
      return rows.map(({ record }) => record.operation).filter((operation) => operation !== 'signIn');
    }

    it.each(attempts)('$says', async ({ gains, tries, prepares }) => {
      const mallory = await scene.user();
      for (const policy of policies) await scene.grant(user(mallory.id), policy);
      const outcome = await tries(scene, await scene.call(mallory), mallory);
      if (gains === null) {
        expect(outcome.kind).toBe('succeeded');
        return;
      }
      expect(outcome).toMatchObject({ kind: 'invalid', problems: [{ code: 'NOT_HELD', reference: 'IAM.0003' }] });
      const named = outcome.kind === 'invalid' ? (outcome.problems[0]?.actions ?? []) : [];
      expect(named).toContain(gains);
      expect(await operationsOf(mallory)).toEqual(prepares ?? []);
    });

    it('a refusal shows a request that would be allowed, to those who may see reasons', async () => {
      const messageFor = async (...actions: readonly string[]) => {
        const mallory = await scene.user();
        await scene.allow(mallory, ...administration, ...actions);
        await scene.allow(mallory, held);
        const given: Statement = { Effect: 'Allow', Action: ['modelarts:notebook:*', notHeld] };
        const outcome = await give(scene, await scene.call(mallory), 'USER', (await scene.user()).id, given);
        return outcome.kind === 'invalid' ? outcome.problems[0]?.message : outcome.kind;
      };
      const plain = 'or where you may not enter yourself';
      expect(await messageFor()).toContain(`${plain}; ask an administrator`);
      expect(await messageFor('bailiwick:access:explain')).toContain(
        `${plain}: it would allow \`${notHeld}\` on no resource in particular, which you may not do; ask an administrator`,
      );
    });

    it('a user made by someone without ModelArts does not get the LOOSE default', async () => {
      const loose = await Scene.open(await database.readyUrl());
      onTestFinished(() => loose.close());
      const mallory = await loose.user();
      await loose.allow(mallory, ...administration);
      await loose.allow(mallory, held);
      const puppet = must(await createUser(loose.iam, await loose.call(mallory), { name: 'puppet' }));
      expect(puppet.defaultModelArtsAccess).toBe('ENDED');
      expect((await loose.call(puppet, '0')).decide({ action: notHeld, resource: null }).effect).toBe('DENY');
      const proper = must(await createUser(loose.iam, await loose.root(), { name: 'proper' }));
      expect(proper.defaultModelArtsAccess).toBe('IN_FORCE');
    });

    it('a right that is lost while a request waits is lost for that request', async () => {
      const mallory = await scene.user();
      const grant = await scene.allow(mallory, 'iam:groups:*');
      const opened = await scene.call(mallory);
      must(await revokeGrant(scene.iam, await scene.root(), { id: grant.id }));
      expect(await createGroup(scene.iam, opened, { name: 'too-late' })).toMatchObject({
        kind: 'refused',
        decision: { reason: 'NO_MATCHING_ALLOW' },
      });
    });

    it('FullAccess of the administrators gets no end', async () => {
      const subject = group(await administratorsId(scene));
      const input = { policyId: 'full_access', subject, scope: all, expiresAt: scene.clock.at + 1 };
      expect(await grantPolicy(scene.iam, await scene.root(), input)).toMatchObject({
        kind: 'invalid',
        problems: [{ code: 'IMMUTABLE' }],
      });
    });

    it('an idempotency key of one scope is another one elsewhere', async () => {
      const { id } = await scene.workspace();
      const name = `once-${Date.now()}`;
      const urn = `modelarts::${scene.account.id}:notebook:${name}`;
      const register = async (at: string) =>
        registerResource(scene.iam, await scene.root(at), { urn, name, idempotencyKey: 'k1' });
      must(await register(id));
      expect(await register(id)).toMatchObject({ kind: 'succeeded', replayed: true });
      expect(await register('0')).toMatchObject({ kind: 'invalid', problems: [{ code: 'CONFLICT' }] });
    });
  });
}
