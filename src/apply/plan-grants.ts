/**
 * Plans for grants to users and groups. What makes a grant itself is policy, subject and scope; its end is all that can
 * change. Grants of services and agencies, of root, and of the group `admin` to all are none of the files' business.
 */
import { fullAccessId, policyLevel } from '../catalogue/index.js';
import { parsePolicy } from '../policy/index.js';
import { fold, type Grant, type Id } from '../iam/index.js';
import type { Current } from './current.js';
import type { Place, ScopeName, WantedGrant } from './documents.js';
import {
  differences,
  placeOf,
  planDeletion,
  quoted,
  step,
  twice,
  willBe,
  type Planning,
  type Step,
} from './planning.js';

/** A grant that files can say, in names. */
export interface SayableGrant extends Pick<WantedGrant, 'policy' | 'subject' | 'scope' | 'expiresAt'> {
  readonly id: Id;
}

/** The grants that files can say and that have not ended, and how many others there are. */
export function sayableGrants(
  current: Current,
  now: number,
): { readonly grants: readonly SayableGrant[]; readonly others: number } {
  const names = namesOf(current);
  let others = 0;
  const grants = current.grants.flatMap((grant): SayableGrant[] => {
    const { id, subjectKind: kind, subjectId, expiresAt } = grant;
    const policy = names.policies.get(grant.policyId);
    const subject =
      kind === 'USER' ? names.users.get(subjectId) : kind === 'GROUP' ? names.groups.get(subjectId) : null;
    const scope = scopeOf(grant, names);
    if (isAdministratorsOwn(grant, current)) return [];
    if (policy === undefined || subject == null || scope === null || (expiresAt !== null && expiresAt <= now)) {
      others += 1;
      return [];
    }
    return [{ id, policy, subject: { kind: kind === 'USER' ? 'USER' : 'GROUP', name: subject }, scope, expiresAt }];
  });
  return { grants, others };
}

/** Every account begins with it, and nobody takes it away. */
function isAdministratorsOwn({ policyId, subjectId, scopeKind }: Grant, { groups }: Current): boolean {
  if (policyId !== fullAccessId || scopeKind !== 'ALL') return false;
  return [...groups.values()].some(({ id, builtIn }) => builtIn && id === subjectId);
}

interface Names {
  readonly policies: ReadonlyMap<Id, string>;
  readonly users: ReadonlyMap<Id, string>;
  readonly groups: ReadonlyMap<Id, string>;
  readonly workspaces: ReadonlyMap<Id, string>;
  readonly projects: ReadonlyMap<Id, string>;
}

function namesOf(current: Current): Names {
  const byId = (records: ReadonlyMap<string, { readonly id: Id; readonly name: string }>): ReadonlyMap<Id, string> =>
    new Map([...records.values()].map(({ id, name }) => [id, name]));
  return {
    policies: byId(current.policies),
    users: new Map([...current.users.values()].flatMap(({ id, name, root }) => (root ? [] : [[id, name] as const]))),
    groups: byId(current.groups),
    // One that is going is no scope that a file could name.
    workspaces: byId(new Map([...current.workspaces].filter(([, { status }]) => status === 'NORMAL'))),
    projects: byId(current.projects),
  };
}

function scopeOf({ scopeKind, scopeId }: Grant, { workspaces, projects }: Names): ScopeName | null {
  if (scopeKind !== 'WORKSPACE' && scopeKind !== 'ENTERPRISE_PROJECT') return { kind: scopeKind };
  const name = (scopeKind === 'WORKSPACE' ? workspaces : projects).get(scopeId);
  return name === undefined ? null : { kind: scopeKind, name };
}

/** Policy, subject and scope, as names compare. */
export function grantKey({ policy, subject, scope }: Pick<WantedGrant, 'policy' | 'subject' | 'scope'>): string {
  return [fold(policy), subject.kind, fold(subject.name), scope.kind, 'name' in scope ? fold(scope.name) : ''].join(
    '\n',
  );
}

/** How it is called in plans: `engineering to group vision in workspace lab`. */
export function grantName({ policy, subject, scope }: Pick<WantedGrant, 'policy' | 'subject' | 'scope'>): string {
  return `${policy} to ${subject.kind.toLowerCase()} ${subject.name} in ${scopeWord(scope)}`;
}

function scopeWord(scope: ScopeName): string {
  switch (scope.kind) {
    case 'ALL':
      return 'all';
    case 'ACCOUNT':
      return 'account';
    case 'ALL_WORKSPACES':
      return 'all workspaces';
    case 'WORKSPACE':
      return `workspace ${scope.name}`;
    case 'ENTERPRISE_PROJECT':
      return `enterprise project ${scope.name}`;
  }
}

export function planGrants(planning: Planning): void {
  const { current, wanted, now, prune, problems } = planning;
  const standing = new Map(sayableGrants(current, now).grants.map((grant) => [grantKey(grant), grant]));
  const places = new Map<string, Place>();
  for (const grant of wanted.Grant) {
    const key = grantKey(grant);
    const other = places.get(key);
    if (other !== undefined) {
      problems.push(twice('Grant', grantName(grant), grant.place, other));
      continue;
    }
    places.set(key, grant.place);
    if (checkGrant(planning, grant)) planGrant(planning, grant, standing.get(key) ?? null);
  }
  for (const [key, grant] of standing) {
    if (places.has(key)) continue;
    if (prune.has('Grant')) {
      const by = step('revoke grants', 'revokeGrant', () => ({ id: grant.id }));
      planDeletion(planning, { kind: 'Grant', name: grantName(grant), by });
    } else if (!willBe(planning, 'Policy', grant.policy)) {
      const message = `the policy ${quoted(grant.policy)} cannot be pruned while it is granted; use \`--prune Grant\` too`;
      problems.push({ place: null, message });
    }
  }
}

function checkGrant(planning: Planning, grant: WantedGrant): boolean {
  const { problems, current } = planning;
  const known = problems.length;
  const { policy, subject, scope } = grant;
  const needs = (kind: Parameters<typeof willBe>[1], what: string, name: string, field: string): void => {
    if (willBe(planning, kind, name)) return;
    const message = `there is no ${what} ${quoted(name)}, here or in the files`;
    problems.push({ place: placeOf(grant, field), message });
  };
  needs('Policy', 'policy', policy, 'policy');
  if (subject.kind === 'USER') needs('User', 'user', subject.name, 'subject');
  else needs('Group', 'group', subject.name, 'subject');
  if (scope.kind === 'WORKSPACE') needs('Workspace', 'workspace', scope.name, 'scope');
  if (scope.kind === 'ENTERPRISE_PROJECT') needs('EnterpriseProject', 'enterprise project', scope.name, 'scope');
  const refuse = (field: string, message: string) => problems.push({ place: placeOf(grant, field), message });
  if (subject.kind === 'USER' && current.users.get(fold(subject.name))?.root === true) {
    refuse('subject', 'the root user needs no grant; leave it out');
  }
  const group = subject.kind === 'GROUP' ? current.groups.get(fold(subject.name)) : undefined;
  const given = current.policies.get(fold(policy));
  if (group?.builtIn === true && given?.id === fullAccessId && scope.kind === 'ALL') {
    refuse('policy', 'every account has this grant, and it cannot be changed; leave it out');
  }
  if (scope.kind === 'ACCOUNT' && levelOf(planning, policy) === 'PROJECT') {
    refuse(
      'scope',
      'the policy names services of projects, so in the account alone it would give nothing; say `scope: all`',
    );
  }
  return problems.length === known;
}

function levelOf({ current, wanted }: Planning, policy: string) {
  const there = current.policies.get(fold(policy));
  if (there !== undefined) return there.level;
  const { document } = parsePolicy(wanted.Policy.get(fold(policy))?.document, 'CUSTOM');
  return document === null ? null : policyLevel(document);
}

function planGrant({ changes, now }: Planning, grant: WantedGrant, there: SayableGrant | null): void {
  const { policy, subject, scope, expiresAt, place } = grant;
  const name = grantName(grant);
  if (expiresAt !== null && expiresAt <= now) {
    // It stands in files for as long as nobody takes it out.
    const details = [{ field: 'expiresAt', before: 'ended', after: instant(expiresAt) }];
    changes.push({ verb: 'KEEP', kind: 'Grant', name, place, details, steps: [] });
    return;
  }
  const details = differences([
    { field: 'expiresAt', before: instant(there?.expiresAt ?? null), after: instant(expiresAt) },
  ]);
  const input: Step<'grantPolicy'>['input'] = (ids) => ({
    policyId: ids.of('Policy', policy),
    subject: { kind: subject.kind, id: ids.of(subject.kind === 'USER' ? 'User' : 'Group', subject.name) },
    scope: {
      kind: scope.kind,
      id: 'name' in scope ? ids.of(scope.kind === 'WORKSPACE' ? 'Workspace' : 'EnterpriseProject', scope.name) : '',
    },
    expiresAt,
  });
  const stage = subject.kind === 'GROUP' ? 'grant to groups' : 'grant to users';
  const verb = there === null ? 'CREATE' : details.length > 0 ? 'UPDATE' : 'KEEP';
  const steps = verb === 'KEEP' ? [] : [step(stage, 'grantPolicy', input)];
  changes.push({ verb, kind: 'Grant', name, place, details, steps });
}

function instant(expiresAt: number | null): string | null {
  return expiresAt === null ? null : new Date(expiresAt).toISOString();
}
