/**
 * Arguments pointed at what there is: in place of the id that nothing has, the real id of the account's own object of
 * the kind that the argument is about. Used from where it must not be reachable, so nothing is destroyed by it.
 */
import type { RootField } from './fields.js';
import { fixtures, nobody } from './fixtures.js';
import type { World } from './world.js';

const idsByArgument = {
  agency: 'agencyId',
  agencyId: 'agencyId',
  group: 'groupId',
  groupId: 'groupId',
  policyId: 'policyId',
  resourceId: 'resourceId',
  service: 'serviceId',
  user: 'userId',
  userId: 'userId',
  userIds: 'userId',
  workspaceId: 'elsewhere',
} as const;

/** By the object that the field's name ends in; longer names first. */
const idsByObject = {
  EnterpriseProject: 'enterpriseProjectId',
  Authorization: 'authorizationId',
  ServiceKey: 'serviceId',
  AccessKey: 'accessKeyId',
  KeyPair: 'keyPairId',
  WorkspaceQuotas: 'home',
  Workspace: 'home',
  Resource: 'resourceId',
  Service: 'serviceId',
  Session: 'sessionId',
  Agency: 'agencyId',
  Policy: 'policyId',
  Grant: 'grantId',
  Group: 'groupId',
  User: 'userId',
} as const;

/** Fails on an argument that it cannot point: a new mutation must be covered, too. */
export function aimed(field: RootField, world: World): Readonly<Record<string, unknown>> {
  const args = fixtures[field.at]?.(world, '');
  if (args === undefined) throw new Error(`${field.at} has no fixture`);
  return point(args, 'args', field, world) as Readonly<Record<string, unknown>>;
}

function point(value: unknown, name: string, field: RootField, world: World): unknown {
  if (value === nobody) return world[idFor(name, field)];
  if (Array.isArray(value)) return value.map((item) => point(item, name, field, world));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, point(member, key, field, world)]));
}

function idFor(name: string, field: RootField) {
  if (name in idsByArgument) return idsByArgument[name as keyof typeof idsByArgument];
  const object = Object.keys(idsByObject).find((ending) => field.field.name.endsWith(ending));
  if (name !== 'id' || object === undefined) throw new Error(`nothing says what \`${name}\` of ${field.at} is`);
  return idsByObject[object as keyof typeof idsByObject];
}
