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
  hasEnded,
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

/** The grants that files can say and that have not ended, and the others. */
export function sayableGrants(
  current: Current,
  now: number,
): { readonly grants: readonly SayableGrant[]; readonly others: readonly Grant[] } {
  const names = namesOf(current);
  const others: Grant[] = [];
  const grants = current.grants.flatMap((grant): SayableGrant[] => {
    const { id, subjectKind: kind, subjectId, expiresAt } = grant;
    const policy = names.policies.get(grant.policyId);
    const subject =
      kind === 'USER' ? names.users.get(subjectId) : kind === 'GROUP' ? names.groups.get(subjectId) : null;
    const scope = scopeOf(grant, names);
    if (isAdministratorsOwn(grant, current)) return [];
    if (policy === undefined || subject == null || scope === null || hasEnded(grant, now)) {
      others.push(grant);
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
  const { grants, others } = sayableGrants(current, now);
  const standing = new Map(grants.map((grant) => [grantKey(grant), grant]));
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
  const kept = [...standing].filter(([key]) => !places.has(key)).map(([, grant]) => grant);
  if (prune.has('Grant')) {
    for (const grant of kept) {
      const by = step('revoke grants', 'revokeGrant', () => ({ id: grant.id }));
      planDeletion(planning, { kind: 'Grant', name: grantName(grant), by });
    }
  }
  refuseGrantedPolicies(planning, prune.has('Grant') ? [] : kept, others);
}

/** A policy does not go before its grants do: one that stays would let the plan fail at its end. */
function refuseGrantedPolicies(planning: Planning, kept: readonly SayableGrant[], others: readonly Grant[]): void {
  if (!planning.prune.has('Policy')) return;
  const granted = new Set(kept.filter((grant) => staysWithoutPolicy(planning, grant)).map(({ policy }) => policy));
  const advice =
    planning.wanted.Grant.length > 0
      ? 'use `--prune Grant` too'
      : 'revoke its grants by `revokeGrant` first: files that name no Grant prune none';
  for (const policy of granted) {
    const message = `the policy ${quoted(policy)} cannot be pruned while it is granted; ${advice}`;
    planning.problems.push({ place: null, message });
  }
  for (const [policy, holders] of unsayableHolders(planning, others)) {
    const message = `the policy ${quoted(policy)} cannot be pruned while it is granted ${[...holders].join(' and ')}, of which files do not speak; revoke these grants by \`revokeGrant\` first`;
    planning.problems.push({ place: null, message });
  }
}

/** Whether the policy goes and neither subject nor project, which would take the grant along. */
function staysWithoutPolicy(planning: Planning, { policy, subject, scope }: SayableGrant): boolean {
  return (
    !willBe(planning, 'Policy', policy) &&
    willBe(planning, subject.kind === 'USER' ? 'User' : 'Group', subject.name) &&
    (scope.kind !== 'ENTERPRISE_PROJECT' || willBe(planning, 'EnterpriseProject', scope.name))
  );
}

/** Of each policy that goes, who holds it by grants that have not ended and that files cannot say. */
function unsayableHolders(planning: Planning, grants: readonly Grant[]): ReadonlyMap<string, ReadonlySet<string>> {
  const { current, now } = planning;
  const policies = new Map([...current.policies.values()].map(({ id, name }) => [id, name]));
  const projects = new Map([...current.projects.values()].map(({ id, name }) => [id, name]));
  const found = new Map<string, Set<string>>();
  for (const grant of grants) {
    const policy = policies.get(grant.policyId);
    if (policy === undefined || hasEnded(grant, now) || willBe(planning, 'Policy', policy)) continue;
    const project = grant.scopeKind === 'ENTERPRISE_PROJECT' ? projects.get(grant.scopeId) : undefined;
    if (project !== undefined && !willBe(planning, 'EnterpriseProject', project)) continue;
    found.set(policy, (found.get(policy) ?? new Set()).add(holderWord(grant, current)));
  }
  return found;
}

function holderWord({ subjectKind, subjectId }: Grant, { users }: Current): string {
  if (subjectKind === 'SERVICE') return 'to services';
  if (subjectKind === 'AGENCY') return 'to agencies';
  const root = [...users.values()].some((user) => user.root && user.id === subjectId);
  return root ? 'to the root user' : 'in workspaces that are being made or deleted';
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
    // It stands in files for as long as nobody takes it out, and none that has ended can be given.
    const before = there === null ? 'ended' : instant(there.expiresAt);
    const steps = there === null ? [] : [step('revoke grants', 'revokeGrant', () => ({ id: there.id }))];
    const details = [{ field: 'expiresAt', before, after: instant(expiresAt) }];
    changes.push({ verb: steps.length === 0 ? 'KEEP' : 'DELETE', kind: 'Grant', name, place, details, steps });
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
