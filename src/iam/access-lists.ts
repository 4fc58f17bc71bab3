/**
 * Lists of access: what somebody can do, and who can do something. Exact, in pages: a page that stops for want of work
 * allowed is shorter, says that more follows, and its last place goes on.
 */
import type { AccessLevel, ActionRow } from '../catalogue/index.js';
import { anyResource, buildContext, CompiledSources, type OpenVerdict } from '../policy/index.js';
import { checkContext, checkResources, type AccessRequest } from './access-requests.js';
import { Askers, isViewer } from './askers.js';
import type { DecidingStatement, Principal } from './authorizer.js';
import { Breath } from './breath.js';
import type { Call } from './call.js';
import type { Calls } from './calls.js';
import type { House } from './house.js';
import { decideOpen, type OpenQuestion } from './open-decision.js';
import { refuse, succeed, type Outcome } from './outcome.js';
import type { Page, Position, Row, Scope, Window } from './ports.js';
import type { Agency, Id, Resource, Service, User } from './records.js';
import { composeRights, documentOf } from './rights.js';

export type Verdict = OpenVerdict['verdict'];

/** A verdict as the asker may see it: without `bailiwick:access:explain` neither statements nor what is left of them. */
export interface OpenAccess extends Omit<OpenVerdict, 'condition'> {
  readonly condition: OpenVerdict['condition'] | null;
  readonly statements: readonly DecidingStatement[] | null;
}

export interface ActionAccess extends OpenAccess {
  readonly action: string;
}

export interface PrincipalAccess extends OpenAccess {
  readonly principal: Principal;
}

/** A page, and the places where it began and ended to look: pages are joined by these, not by their rows. */
export interface AccessPage<R> extends Page<R> {
  readonly first: Position | null;
  readonly last: Position | null;
}

export interface WhatCanRequest extends Omit<AccessRequest, 'action'> {
  readonly filter: {
    readonly service?: string;
    readonly resourceKind?: string;
    readonly accessLevel?: AccessLevel;
    /** YES and IF unless given. */
    readonly verdicts?: readonly Verdict[];
  };
}

export type ListedPrincipalKind = 'user' | 'service' | 'agency';

export interface WhoCanRequest extends Omit<AccessRequest, 'principal'> {
  readonly filter: {
    readonly kind?: ListedPrincipalKind;
    /** YES and IF unless given; nobody is listed with NO. */
    readonly verdicts?: readonly Verdict[];
    readonly groupId?: Id;
    readonly nameContains?: string;
  };
}

type ListWindow = Pick<Window, 'limit' | 'backward' | 'after' | 'before'>;

/** Most actions that are decided, and most principals that are looked at, for one page. */
export const mostLooks = 2000;

const usualVerdicts: readonly Verdict[] = ['YES', 'IF'];

export async function whatCan(
  house: House,
  calls: Calls,
  call: Call,
  request: WhatCanRequest,
  window: ListWindow,
): Promise<Outcome<AccessPage<ActionAccess>>> {
  if (request.principal !== null && !isViewer(call, request.principal)) {
    const decision = call.decide({ action: 'bailiwick:access:check', resource: null });
    if (decision.effect !== 'ALLOW') return refuse(decision);
  }
  const place = await placeOf(house, call, request);
  const askers = new Askers(house, calls, call);
  const asker = await askers.find(request.principal);
  if (place === null || 'reason' in asker) return succeed(emptyPage());
  const workspaceId = place.workspaceId ?? asker.home;
  if ([call.scope.workspaceId, asker.home].some((scope) => scope !== null && scope !== workspaceId)) {
    return succeed(emptyPage());
  }
  const facts = await askers.facts(asker, workspaceId);
  const environment = asker.rights === call.rights ? call.environment : { ...call.environment, sourceAddress: null };
  const { service, resourceKind, accessLevel, verdicts = usualVerdicts } = request.filter;
  const rows = call.catalogue.rows
    .filter(
      (row) =>
        row.aliasOf === null &&
        (service === undefined || serviceOf(row) === service.toLowerCase()) &&
        (resourceKind === undefined || `${serviceOf(row)}:${row.resourceType}` === resourceKind) &&
        (accessLevel === undefined || row.accessLevel === accessLevel),
    )
    .map((row): Row<ActionRow> => ({ record: row, position: { key: row.name, id: row.name } }))
    .sort((a, b) => (a.position.id < b.position.id ? -1 : 1));
  const explained = call.may('bailiwick:access:explain');
  return succeed(
    await pick(fromList(rows), window, async (found) => {
      // One verdict may look at some thousand combinations: a hundred at one go would keep everybody else waiting.
      const breath = new Breath();
      const answers: (ActionAccess | null)[] = [];
      for (const { name } of found) {
        await breath.pause();
        const decided = decideOpen(call.catalogue, asker.rights, facts, environment, {
          ...place.question,
          action: name,
          resource: request.resource ?? anyResource,
        });
        answers.push(verdicts.includes(decided.verdict) ? { action: name, ...shown(decided, explained) } : null);
      }
      return answers;
    }),
  );
}

export async function whoCan(
  house: House,
  calls: Calls,
  call: Call,
  request: WhoCanRequest,
  window: ListWindow,
): Promise<Outcome<AccessPage<PrincipalAccess>>> {
  const place = await placeOf(house, call, request);
  const { account } = call;
  if (place === null || account === null) return succeed(emptyPage());
  const { workspaceId } = place;
  const here = call.scope.workspaceId;
  if (here !== null && here !== workspaceId) return succeed(emptyPage());
  const { access } = house.store;
  const workspace = workspaceId === null ? null : await access.workspace(account.id, workspaceId);
  if (workspaceId !== null && workspace === null) return succeed(emptyPage());

  const { kind, groupId, nameContains, verdicts = usualVerdicts } = request.filter;
  const members = groupId === undefined ? null : await membersOf(house, call, groupId);
  const scope: Scope = { accountId: account.id, workspaceId };
  const question: OpenQuestion = { ...place.question, action: request.action, resource: request.resource };
  const explained = call.may('bailiwick:access:explain');
  const policies = await policiesAbout(house, call, request.action);
  const kinds = listedKinds.filter((one) => (kind ?? one) === one && (members === null || one === 'user'));
  const named = nameContains === undefined ? {} : { nameContains };
  const readers = kinds.map((one) =>
    ofKind(
      one,
      one === 'user'
        ? (at) =>
            house.store
              .reader(scope)
              .page('user', { ...named, enabled: true, ...(policies === null ? {} : { rootOrGranted: policies }) }, at)
        : (at) => house.store.reader(scope).page(one, named, at),
    ),
  );
  return succeed(
    await pick(joined(readers), window, async (found) => {
      const rights = await rightsOfAll(found);
      const breath = new Breath();
      const answers: (PrincipalAccess | null)[] = [];
      for (const one of found) {
        await breath.pause();
        answers.push(await accessOf(one, rights.get(one.id)));
      }
      return answers;
    }),
  );

  async function accessOf(one: Listed, held: ReturnType<typeof composeRights> | undefined) {
    if (held === undefined || !mayAct(one, call) || members?.has(one.id) === false) return null;
    // Of everybody who asks for themselves the address is another; and by id there is no second factor.
    const environment = { ...call.environment, sourceAddress: null };
    const open = { account: account as NonNullable<typeof account>, workspace, open: true };
    const decided = decideOpen(call.catalogue, held, open, environment, question);
    if (decided.verdict === 'NO' || !verdicts.includes(decided.verdict)) return null;
    const user = 'root' in one ? one : null;
    const facts = await calls.scopeFacts(open.account, scope, workspace, user, held);
    return facts.open ? { principal: held.principal, ...shown(decided, explained) } : null;
  }

  async function rightsOfAll(found: readonly Listed[]) {
    const rights = new Map<Id, ReturnType<typeof composeRights>>();
    for (const one of listedKinds) {
      const those = found.filter((each) => kindOf(each) === one);
      if (those.length === 0) continue;
      const subject = one === 'user' ? 'USER' : one === 'service' ? 'SERVICE' : 'AGENCY';
      const given = await access.attachments(
        (account as NonNullable<typeof account>).id,
        subject,
        those.map(({ id }) => id),
      );
      for (const each of those) {
        const user = 'root' in each ? each : null;
        const principal: Principal = {
          kind: user?.root === true ? 'ROOT' : subject,
          id: each.id,
          name: each.name,
          mfaAt: null,
        };
        rights.set(
          each.id,
          composeRights(account as NonNullable<typeof account>, principal, user, given.get(each.id) ?? []),
        );
      }
    }
    return rights;
  }
}

type Listed = User | Service | Agency;

/** In the order in which they are listed. */
const listedKinds = ['user', 'service', 'agency'] as const;

function kindOf(one: Listed): ListedPrincipalKind {
  return 'root' in one ? 'user' : 'trustKind' in one ? 'agency' : 'service';
}

function mayAct(one: Listed, { now }: Call): boolean {
  if ('trustKind' in one) return one.expiresAt === null || one.expiresAt > now;
  return one.enabled;
}

function serviceOf({ name }: ActionRow): string {
  return name.slice(0, name.indexOf(':')).toLowerCase();
}

interface Place {
  readonly workspaceId: Id | null;
  readonly question: Pick<OpenQuestion, 'tags' | 'context'>;
}

/** Where it is asked and what is known of the resource; null where nothing may be told, as of a URN registered elsewhere. */
async function placeOf(
  house: House,
  call: Call,
  request: Pick<AccessRequest, 'resource' | 'workspaceId' | 'context'>,
): Promise<Place | null> {
  const { resource, context } = request;
  checkResources([{ ...request, principal: null, action: '' }]);
  for (const { key, values } of context) checkContext(call, key, values);
  const found =
    resource === null ? null : (await house.store.access.resourcesByUrn(call.accountId, [resource])).get(resource);
  const registered: Resource | null = found ?? null;
  const asked = request.workspaceId ?? call.scope.workspaceId;
  if (registered !== null && call.scope.workspaceId !== null && registered.workspaceId !== call.scope.workspaceId) {
    return null;
  }
  const said = context.filter(({ key }) => registered === null || !/^g:ResourceTag\//i.test(key));
  return {
    workspaceId: registered?.workspaceId ?? asked,
    question: {
      ...(registered === null ? {} : { tags: registered.tags }),
      ...(said.length === 0 ? {} : { context: buildContext(said.map(({ key, values }) => [key, values] as const)) }),
    },
  };
}

/** Members of a group that is visible here; nobody of another. */
async function membersOf(house: House, call: Call, groupId: Id): Promise<ReadonlySet<Id>> {
  const found = await call.reader.find('group', [groupId]);
  return new Set(found.has(groupId) ? await house.store.access.userIdsOfGroup(call.accountId, groupId) : []);
}

/** Beyond this a list of policies tells nobody apart any more. */
const mostPolicies = 500;

/**
 * Policies of which some Allow is about the action: whoever holds none of them is refused, root apart. Null where that
 * tells too little: what is built in, or the LOOSE default, may allow it to everybody.
 */
async function policiesAbout(house: House, call: Call, action: string): Promise<readonly Id[] | null> {
  if (call.account === null) return null;
  const probe = { kind: 'USER', id: '', name: '', mfaAt: null } as const;
  const anybody = composeRights(call.account, probe, { defaultModelArtsAccess: 'IN_FORCE' } as User, []);
  const asked = { action, aliases: call.catalogue.namesOf(action) };
  const about = (sources: ConstructorParameters<typeof CompiledSources>[0]): boolean =>
    new CompiledSources(sources).about(asked).some(({ statement }) => statement.effect === 'ALLOW');
  if (about(anybody.sources)) return null;
  const ids: Id[] = [];
  const breath = new Breath();
  for (const { id, name, text } of await house.store.access.policiesInUse(call.accountId)) {
    await breath.pause();
    const document = documentOf(text);
    if (document !== null && about([{ name, document, origin: null }])) ids.push(id);
  }
  return ids.length > mostPolicies ? null : ids;
}

function shown({ condition, statements, ...verdict }: ReturnType<typeof decideOpen>, explained: boolean): OpenAccess {
  return { ...verdict, condition: explained ? condition : null, statements: explained ? statements : null };
}

/** Reads so many rows beyond a place, in the direction of the list that is asked for. */
type Source<R> = (
  limit: number,
  backward: boolean,
  beyond: Position | null,
  until: Position | null,
) => Promise<Page<R>>;

/** Looks at rows until a page is full, or enough was looked at. */
async function pick<R, T>(
  source: Source<R>,
  { limit, backward, after, before }: ListWindow,
  look: (records: readonly R[]) => Promise<readonly (T | null)[]>,
): Promise<AccessPage<T>> {
  const rows: Row<T>[] = [];
  let beyond = backward ? before : after;
  const seen: Position[] = [];
  let more = true;
  const breath = new Breath();
  for (let looks = 0; more && rows.length < limit && looks < mostLooks;) {
    await breath.pause();
    const page = await source(Math.min(100, mostLooks - looks), backward, beyond, backward ? after : before);
    const found = backward ? [...page.rows].reverse() : page.rows;
    const answers = await look(found.map(({ record }) => record));
    more = backward ? page.hasPrevious : page.hasNext;
    if (found.length === 0) break;
    for (const [i, { position }] of found.entries()) {
      looks++;
      beyond = position;
      seen.push(position);
      const record = answers[i] ?? null;
      if (record !== null) rows.push({ record, position });
      if (rows.length < limit) continue;
      more ||= i + 1 < found.length;
      break;
    }
  }
  const behind = (backward ? before : after) !== null;
  const [first, last] = backward ? [seen.at(-1), seen[0]] : [seen[0], seen.at(-1)];
  return {
    rows: backward ? rows.reverse() : rows,
    hasNext: backward ? behind : more,
    hasPrevious: backward ? more : behind,
    first: first ?? null,
    last: last ?? null,
  };
}

function emptyPage<R>(): AccessPage<R> {
  return { rows: [], hasNext: false, hasPrevious: false, first: null, last: null };
}

function fromList<R>(rows: readonly Row<R>[]): Source<R> {
  return async (limit, backward, beyond, until) => {
    const [low, high] = backward ? [until, beyond] : [beyond, until];
    const within = rows.filter(
      ({ position: { id } }) => (low === null || id > low.id) && (high === null || id < high.id),
    );
    const chosen = backward ? within.slice(-limit) : within.slice(0, limit);
    const more = within.length > chosen.length;
    return { rows: chosen, hasNext: !backward && more, hasPrevious: backward && more };
  };
}

interface KindSource {
  readonly rank: string;
  readonly read: (at: Window<'NAME'>) => Promise<Page<Listed>>;
}

function ofKind(kind: ListedPrincipalKind, read: KindSource['read']): KindSource {
  return { rank: String(listedKinds.indexOf(kind)), read };
}

/** Lists of one kind after the other: a place names the kind before the place in its list. */
function joined(kinds: readonly KindSource[]): Source<Listed> {
  return async (limit, backward, beyond, until) => {
    const order = backward ? [...kinds].reverse() : kinds;
    const passed = ({ rank }: KindSource, place: Position | null, sign: number): boolean =>
      place !== null && Math.sign(Number(rank) - Number(String(place.key).charAt(0))) === sign;
    const left = order.filter(
      (kind) => !passed(kind, beyond, backward ? 1 : -1) && !passed(kind, until, backward ? -1 : 1),
    );
    const [kind, ...others] = left;
    if (kind === undefined) return { rows: [], hasNext: false, hasPrevious: false };
    const inside = (place: Position | null): Position | null =>
      place === null || String(place.key).charAt(0) !== kind.rank
        ? null
        : { key: String(place.key).slice(1), id: place.id };
    const [after, before] = backward ? [inside(until), inside(beyond)] : [inside(beyond), inside(until)];
    const page = await kind.read({ order: { by: 'NAME', direction: 'ASC' }, limit, backward, after, before });
    const rows = page.rows.map(({ record, position: { key, id } }) => ({
      record,
      position: { key: `${kind.rank}${key}`, id },
    }));
    const more = backward ? page.hasPrevious : page.hasNext;
    if (rows.length === 0 && others.length > 0)
      return joined(backward ? [...others].reverse() : others)(limit, backward, beyond, until);
    return {
      rows,
      hasNext: !backward && (more || others.length > 0),
      hasPrevious: backward && (more || others.length > 0),
    };
  };
}
