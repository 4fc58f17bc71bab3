/** Plans for groups and users. A user's document says which groups they are in; nobody else's does. */
import { administratorsGroup, checkText, fold, lastAdministrator, quotas, type Id } from '../iam/index.js';
import type { CurrentUser } from './current.js';
import type { WantedUser } from './documents.js';
import {
  countGrants,
  created,
  differences,
  isKept,
  placeOf,
  planDeletion,
  quoted,
  report,
  step,
  willBe,
  type Planning,
  type Step,
} from './planning.js';

export function planGroups(planning: Planning): void {
  const { current, wanted, changes, prune } = planning;
  for (const [folded, { name, description, place }] of wanted.Group) {
    const there = current.groups.get(folded);
    report(planning, place, [
      checkText('groupName', name, 'name'),
      checkText('description', description, 'description'),
    ]);
    if (there === undefined) {
      const makes = { kind: 'Group', name } as const;
      const steps = [step('create groups', 'createGroup', () => ({ name, description }), makes)];
      changes.push({ verb: 'CREATE', kind: 'Group', name, place, details: created({ description }), steps });
      continue;
    }
    const details = differences([
      { field: 'name', before: there.name, after: name },
      { field: 'description', before: there.description, after: description },
    ]);
    const input = { id: there.id, name, description, expectedVersion: there.version };
    const steps = details.length > 0 ? [step('change groups', 'updateGroup', () => input)] : [];
    changes.push({ verb: steps.length > 0 ? 'UPDATE' : 'KEEP', kind: 'Group', name, place, details, steps });
  }
  if (!prune.has('Group')) return;
  const grants = countGrants(current, ({ subjectKind, subjectId }) => (subjectKind === 'GROUP' ? subjectId : null));
  for (const [folded, group] of current.groups) {
    if (wanted.Group.has(folded) || isKept(group)) continue;
    const by = step('delete groups', 'deleteGroup', () => ({ id: group.id }));
    planDeletion(planning, { kind: 'Group', name: group.name, by, grants: grants.get(group.id) });
  }
}

export function planUsers(planning: Planning): void {
  const { current, wanted, prune } = planning;
  const nameOfGroup = new Map([...current.groups.values()].map(({ id, name }) => [id, name]));
  const known = new Set<string>();
  for (const [name, user] of wanted.User) {
    checkUser(planning, user, known);
    const there = current.users.get(name);
    if (there === undefined) createUser(planning, user);
    else updateUser(planning, user, there, nameOfGroup);
  }
  refuseLockout(planning);
  if (!prune.has('User')) return;
  const grants = countGrants(current, ({ subjectKind, subjectId }) => (subjectKind === 'USER' ? subjectId : null));
  for (const [folded, user] of current.users) {
    if (wanted.User.has(folded) || isKept(user)) continue;
    const by = step('delete users', 'deleteUser', () => ({ id: user.id }));
    planDeletion(planning, { kind: 'User', name: user.name, by, grants: grants.get(user.id) });
  }
}

/** @param known names of groups that have been found to be there */
function checkUser(planning: Planning, user: WantedUser, known: Set<string>): void {
  const { problems, current } = planning;
  const { name, description, groups, place } = user;
  report(planning, place, [checkText('userName', name, 'name'), checkText('description', description, 'description')]);
  if (current.users.get(fold(name))?.root === true) {
    problems.push({ place, message: `${quoted(name)} is the root user, which files do not speak of; leave it out` });
  }
  for (const group of groups) {
    if (known.has(group)) continue;
    if (willBe(planning, 'Group', group)) known.add(group);
    else {
      const message = `there is no group ${quoted(group)}, here or in the files`;
      problems.push({ place: placeOf(user, 'groups'), message });
    }
  }
  if (new Set(groups.map(fold)).size > quotas.groupsPerUser) {
    const message = `a user is in at most ${quotas.groupsPerUser} groups; \`groups\` names ${groups.length}`;
    problems.push({ place: placeOf(user, 'groups'), message });
  }
}

function createUser({ changes }: Planning, user: WantedUser): void {
  const { name, description, enabled, groups, defaultModelArtsAccess, place } = user;
  const input: Step<'createUser'>['input'] = (ids) => ({
    name,
    description,
    enabled,
    groupIds: groups.map((group) => ids.of('Group', group)),
    withoutDefault: defaultModelArtsAccess === 'ENDED',
  });
  const steps = [step('create users', 'createUser', input, { kind: 'User', name })];
  changes.push({
    verb: 'CREATE',
    kind: 'User',
    name,
    place,
    details: created({ description, enabled, groups, defaultModelArtsAccess }),
    steps,
  });
}

function updateUser(
  { changes }: Planning,
  user: WantedUser,
  there: CurrentUser,
  nameOfGroup: ReadonlyMap<Id, string>,
): void {
  const { name, description, enabled, place } = user;
  const withoutDefault = user.defaultModelArtsAccess === 'ENDED' && !there.defaultEnded;
  const groups = new Set(user.groups.map(fold));
  const present = there.groupIds.map((id) => ({ id, name: nameOfGroup.get(id) ?? id }));
  const leaving = present.filter((group) => !groups.has(fold(group.name)));
  const member = new Set(present.map((group) => fold(group.name)));
  const joining = user.groups.filter((group) => !member.has(fold(group)));
  const fields = differences([
    { field: 'name', before: there.name, after: name },
    { field: 'description', before: there.description, after: description },
    { field: 'enabled', before: String(there.enabled), after: String(enabled) },
    { field: 'defaultModelArtsAccess', before: 'IN_FORCE', after: withoutDefault ? 'ENDED' : 'IN_FORCE' },
  ]);
  const details = [
    ...fields,
    ...leaving.map((group) => ({ field: 'groups', before: group.name, after: null })),
    ...joining.map((group) => ({ field: 'groups', before: null, after: group })),
  ];
  const input: Step<'updateUser'>['input'] = (ids) => ({
    id: there.id,
    name,
    description,
    enabled,
    seen: there,
    join: joining.map((group) => ids.of('Group', group)),
    leave: leaving.map(({ id }) => id),
    withoutDefault,
  });
  const stage = administersBy(user) ? 'change administrators' : 'change users';
  const steps = details.length > 0 ? [step(stage, 'updateUser', input)] : [];
  changes.push({ verb: steps.length > 0 ? 'UPDATE' : 'KEEP', kind: 'User', name, place, details, steps });
}

/** Whether the file makes them an enabled member of the group `admin`. */
function administersBy({ enabled, groups }: WantedUser): boolean {
  return enabled && groups.some((group) => fold(group) === administratorsGroup);
}

/** Some enabled user beside root must be left in the group `admin`, where there is one now. */
function refuseLockout({ current, wanted, prune, problems }: Planning): void {
  const admin = current.groups.get(administratorsGroup)?.id ?? '';
  const administers = ({ enabled, root, groupIds }: CurrentUser): boolean =>
    enabled && !root && groupIds.includes(admin);
  const now = [...current.users].filter(([, user]) => administers(user));
  if (now.length === 0) return;
  const stays = now.some(([name]) => !wanted.User.has(name) && !prune.has('User'));
  if (stays || [...wanted.User.values()].some(administersBy)) return;
  const place = now.map(([name]) => wanted.User.get(name)?.place).find((found) => found !== undefined) ?? null;
  problems.push({ place, message: lastAdministrator.message });
}
