/**
 * Holds `whoCan` and `whatCan` in a generated world against `checkAccess`, asked about everybody for every completion of
 * what is open. All worlds stand in one real store, an account each.
 */
import {
  Call,
  checkAccess,
  decide,
  longestBatch,
  whatCan,
  whoCan,
  type AccessPage,
  type AccessRequest,
  type Iam,
  type Id,
  type PrincipalChoice,
  type WhatCanRequest,
  type WhoCanRequest,
} from '../../src/iam/index.js';
import type { ActionRow } from '../../src/catalogue/index.js';
import { buildContext } from '../../src/policy/index.js';
import { must } from '../iam/scene.js';
import { Dice } from '../replay/random.js';
import {
  verdictsOf,
  type Budget,
  type Decider,
  type Effect,
  type OpenQuestion,
  type Shown,
  type Verdict,
} from './brute-force.js';
import { generateWorld, writeWorld, type World } from './generated-world.js';

export interface Tally {
  lists: number;
  /** Verdicts that were compared. */
  readonly compared: Record<Verdict, number>;
  /** IF of which a list says that it is not exact, where brute force says YES or NO. */
  cautious: number;
  /** What does not agree, one line each. */
  readonly disagreements: string[];
}

export function newTally(): Tally {
  return { lists: 0, compared: { YES: 0, IF: 0, NO: 0 }, cautious: 0, disagreements: [] };
}

/**
 * Makes the world of a seed and adds to the tally what its lists and brute force say.
 *
 * @param most decisions that brute force may take, above the first few of each question; of what it has not settled by
 *   then an IF stands
 */
export async function compareWorld(iam: Iam, seed: number, tally: Tally, most = Infinity): Promise<void> {
  const world = generateWorld(seed, iam.now());
  await writeWorld(iam.store, world, iam.now());
  await new Comparison(iam, world, new Dice(seed ^ 0x5bd1e995), tally, { left: most }).run();
}

interface Listed {
  readonly verdict: Verdict;
  readonly exact: boolean;
}

const unseen: Shown = { verdict: 'NO', settled: true };

class Comparison {
  readonly #iam: Iam;
  readonly #world: World;
  readonly #dice: Dice;
  readonly #tally: Tally;
  readonly #budget: Budget;

  constructor(iam: Iam, world: World, dice: Dice, tally: Tally, budget: Budget) {
    this.#iam = iam;
    this.#world = world;
    this.#dice = dice;
    this.#tally = tally;
    this.#budget = budget;
  }

  async run(): Promise<void> {
    const { workspaces, account, resources } = this.#world;
    const about = [null, ...resources.map(({ urn }) => urn), `modelarts:north:${account.id}:notebook:ab`];
    for (const workspaceId of [null, ...workspaces.map(({ id }) => id)]) {
      await this.#principals(workspaceId, this.#dice.pick(about));
      if (this.#dice.chance(0.4)) await this.#actions(workspaceId, this.#dice.pick([null, ...about]));
    }
    await this.#actionsOfViewers();
  }

  /** Everybody who can do something, in a scope and about a resource. */
  async #principals(workspaceId: Id | null, resource: string | null): Promise<void> {
    const dice = this.#dice;
    const asker = await this.#asker();
    const root = await this.#root(dice.chance(0.5) ? workspaceId : null);
    const call = dice.pick([root, asker]);
    const context = dice.chance(0.3) ? [{ key: 'modelarts:poolType', values: [dice.pick(['x', 'y'])] }] : [];
    const there = this.#workspaceOf(resource) ?? workspaceId;
    for (const action of dice.some(this.#world.actions, 4)) {
      const request = { action, resource, workspaceId, context };
      const filter = this.#filter(call);
      const window = { limit: 1 + dice.below(6) };
      const read = (by: WhoCanRequest['filter']) =>
        everyPage((at) =>
          whoCan(this.#iam, this.#iam.calls, call, { ...request, filter: by }, { ...at, ...window }).then(must),
        );
      const { verdicts: wanted, ...others } = filter;
      // Whoever is left out by verdict would pass for a NO, and may be an IF that is not exact.
      const listed = await read(others);
      const found = new Map<string, Listed>(listed.map((one) => [one.principal.id, one]));
      const principals = this.#principalsOf(filter);
      // Inside a workspace nothing is told of another.
      const confined = call.scope.workspaceId !== null && call.scope.workspaceId !== there;
      const questions = principals.map(({ id, choice }): OpenQuestion => {
        return { principalId: id, request: { ...request, principal: choice }, resources: [resource] };
      });
      const verdicts = confined
        ? questions.map((): Shown => ({ verdict: 'NO', settled: true }))
        : await verdictsOf(this.#world, questions, this.#checking(asker), this.#budget);
      const what = `whoCan ${action} about ${resource ?? 'nothing'} in ${workspaceId ?? 'the account'} asked by ${call.principal.name} in ${call.scope.workspaceId ?? 'the account'} ${JSON.stringify({ context, filter })}`;
      this.#note(what, found, new Map(principals.map(({ id }, i) => [id, verdicts[i] ?? unseen])), listed.length);
      if (wanted === undefined) continue;
      const chosen = listed.filter(({ verdict }) => wanted.includes(verdict));
      if (JSON.stringify(await read(filter)) !== JSON.stringify(chosen)) {
        this.#tally.disagreements.push(`${what}: are not those of these verdicts in the list of all`);
      }
    }
  }

  /** What one of them can do there; without a resource about any. */
  async #actions(workspaceId: Id | null, resource: string | null): Promise<void> {
    const dice = this.#dice;
    const asker = await this.#asker();
    const call = dice.chance(0.5) ? asker : await this.#root(null);
    const { id, choice } = dice.pick(this.#principalsOf({}));
    const context = dice.chance(0.2) ? [{ key: 'modelarts:poolType', values: ['x'] }] : [];
    const asked = { principal: choice, resource, workspaceId, context };
    await this.#compareActions(
      `whatCan of ${id} about ${resource ?? 'any'} in ${workspaceId ?? 'the account'} asked by ${call.principal.name} ${JSON.stringify(context)}`,
      call,
      asked,
      id,
      this.#checking(asker),
    );
  }

  /** What those can do who ask for themselves, with all that their session brings: a second factor, an address, a policy. */
  async #actionsOfViewers(): Promise<void> {
    const { agencySession, users } = this.#world;
    const at = this.#dice.pick([null, '0', '1']);
    const user = this.#dice.pick(users.filter(({ enabled }) => enabled));
    const viewers = [await this.#agency(agencySession.workspaceId || at), await this.#session(user.id, at)];
    for (const call of viewers) {
      if (call.broken !== null)
        throw new Error(`the session of ${call.principal.name} is broken: ${call.broken.message}`);
      const { workspaceId } = call.scope;
      const near = this.#world.resources.filter((one) => one.workspaceId === workspaceId).map(({ urn }) => urn);
      const resource = this.#dice.pick([null, null, this.#world.urnsFor('')[0] ?? null, ...near]);
      const asked = { principal: null, resource, workspaceId: null, context: [] };
      await this.#compareActions(
        `whatCan of ${call.principal.name} for itself about ${resource ?? 'any'} in ${workspaceId ?? 'the account'}`,
        call,
        asked,
        call.principal.id,
        this.#deciding(call),
      );
    }
  }

  async #compareActions(
    what: string,
    call: Call,
    asked: Omit<AccessRequest, 'action'>,
    principalId: Id,
    decider: Decider,
  ): Promise<void> {
    const limit = 30 + this.#dice.below(70);
    const filter = this.#dice.chance(0.15) ? {} : this.#dice.pick(actionFilters);
    const listed = await everyPage((at) =>
      whatCan(this.#iam, this.#iam.calls, call, { ...asked, filter }, { ...at, limit }).then(must),
    );
    const found = new Map<string, Listed>(listed.map((one) => [one.action, one]));
    const resources = asked.resource === null ? this.#world.urnsFor(principalId) : [asked.resource];
    const questionOf = (action: string): OpenQuestion => {
      return { principalId, request: { ...asked, action }, resources };
    };
    const rows = call.catalogue.rows.filter((row) => row.aliasOf === null && fits(filter, row)).map(({ name }) => name);
    const actions = this.#world.actions.filter((action) => rows.includes(action));
    const verdicts = await verdictsOf(this.#world, actions.map(questionOf), decider, this.#budget);
    const shown = new Map([...found].filter(([action]) => actions.includes(action)));
    this.#note(what, shown, new Map(actions.map((action, i) => [action, verdicts[i] ?? unseen])), shown.size);

    if (listed.length !== found.size) this.#tally.disagreements.push(`${what}: something is listed twice`);
    // Of the rest of the catalogue a few completions each: what they show cannot be otherwise.
    const others = rows.filter((name) => !actions.includes(name));
    const seen = await verdictsOf(this.#world, others.map(questionOf), decider, { left: 0 }, 4);
    for (const name of found.keys()) {
      if (!rows.includes(name)) this.#tally.disagreements.push(`${what}: ${name} is listed and should not be`);
    }
    for (const [i, action] of others.entries()) {
      const shows = seen[i]?.verdict ?? 'NO';
      const lists = found.get(action)?.verdict ?? 'NO';
      if (lists !== 'IF' && lists !== shows) {
        this.#tally.disagreements.push(`${what}: ${action} is listed as ${lists}, and decides ${shows}`);
      }
    }
  }

  #note(what: string, found: ReadonlyMap<string, Listed>, expected: ReadonlyMap<string, Shown>, count: number): void {
    const { compared, disagreements } = this.#tally;
    this.#tally.lists++;
    for (const [name, { verdict, settled }] of expected) {
      const shown = found.get(name);
      const listed = shown?.verdict ?? 'NO';
      // Nobody knows what the completions say that were not looked at.
      if (listed === 'IF' && !settled) continue;
      compared[verdict]++;
      if (listed === verdict) continue;
      if (listed === 'IF' && shown?.exact === false) this.#tally.cautious++;
      else disagreements.push(`${what}: ${name} is listed as ${listed}, and decides ${verdict}`);
    }
    for (const name of found.keys()) {
      if (!expected.has(name)) disagreements.push(`${what}: ${name} is listed and should not be`);
    }
    if (count !== found.size) disagreements.push(`${what}: something is listed twice`);
  }

  #filter({ scope }: Call): WhoCanRequest['filter'] {
    const { groups } = this.#world;
    if (this.#dice.chance(0.7)) return {};
    return this.#dice.pick<WhoCanRequest['filter']>([
      { kind: 'user' },
      { kind: 'agency' },
      { kind: 'service' },
      { nameContains: 'N' },
      // Inside a workspace only groups that are visible there have members.
      scope.workspaceId === null ? { groupId: this.#dice.pick(groups).id } : {},
      { verdicts: ['YES'] },
    ]);
  }

  /** Everybody of the account, by what a filter says of them. */
  #principalsOf({ kind, nameContains = '', groupId }: WhoCanRequest['filter']) {
    const { users, services, agencies, membersOf } = this.#world;
    const of = (one: 'user' | 'service' | 'agency', rows: readonly { readonly id: Id; readonly name: string }[]) =>
      rows.map(({ id, name }) => ({ id, name, kind: one, choice: { kind: one, id } satisfies PrincipalChoice }));
    return [...of('user', users), ...of('service', services), ...of('agency', agencies)].filter(
      (one) =>
        (kind ?? one.kind) === one.kind &&
        one.name.toLowerCase().includes(nameContains.toLowerCase()) &&
        (groupId === undefined || membersOf.get(groupId)?.includes(one.id) === true),
    );
  }

  /** Through `checkAccess` itself, as a service that may say whatever a caller may say at all. */
  #checking(asker: Call): Decider {
    return async (requests) => {
      const effects: Effect[] = [];
      for (let from = 0; from < requests.length; from += longestBatch) {
        const batch = requests.slice(from, from + longestBatch);
        effects.push(...must(await checkAccess(this.#iam, this.#iam.calls, asker, batch)).map(({ effect }) => effect));
      }
      return effects;
    };
  }

  /** As the viewer's own session, which may not say by itself what only services may. */
  #deciding({ catalogue, rights, facts, environment }: Call): Decider {
    return async (requests) =>
      requests.map(({ action, resource, context }) => {
        const registered = this.#world.resources.find(({ urn }) => urn === resource);
        const said = context.filter(({ key }) => registered === undefined || !key.startsWith('g:ResourceTag/'));
        return decide(catalogue, rights, facts, environment, {
          action,
          resource,
          ...(registered === undefined ? {} : { tags: registered.tags }),
          context: buildContext(said.map(({ key, values }) => [key, values] as const)),
        }).effect;
      });
  }

  #workspaceOf(resource: string | null): Id | null {
    return this.#world.resources.find(({ urn }) => urn === resource)?.workspaceId ?? null;
  }

  #root(workspaceId: Id | null): Promise<Call> {
    return this.#session(this.#world.root.id, workspaceId);
  }

  #session(userId: Id, workspaceId: Id | null): Promise<Call> {
    const { account, sessionOf } = this.#world;
    const scope = { accountId: account.id, workspaceId };
    return this.#iam.calls.openSession(
      this.#arrival('127.0.0.1'),
      account.id,
      userId,
      sessionOf.get(userId) ?? '',
      scope,
    );
  }

  #asker(): Promise<Call> {
    return this.#signed(this.#world.asker.keyId, null);
  }

  #agency(workspaceId: Id | null): Promise<Call> {
    return this.#signed(this.#world.agencySession.id, workspaceId);
  }

  /** The call of whoever signs with a key, as it is opened once its signature has been verified. */
  async #signed(keyId: Id, workspaceId: Id | null): Promise<Call> {
    const signature = { keyId, id: keyId, expiresAt: this.#iam.now(), spent: false };
    const scope = { accountId: this.#world.account.id, workspaceId };
    const anybody = await this.#root(null);
    const parts = { ...anybody, signature, scope, reader: this.#iam.store.reader(scope) };
    return this.#iam.calls.reopen(new Call({ ...parts, ...this.#arrival('192.0.2.7') }));
  }

  #arrival(sourceAddress: string) {
    return { requestId: 'compared', environment: { now: this.#iam.now(), sourceAddress } };
  }
}

const actionFilters: readonly WhatCanRequest['filter'][] = [
  { resourceKind: 'modelarts:notebook' },
  { service: 'modelarts', accessLevel: 'READ' },
  { service: 'obs' },
  { service: 'iam' },
];

function fits({ resourceKind, service, accessLevel }: WhatCanRequest['filter'], row: ActionRow): boolean {
  return (
    (resourceKind === undefined || row.name.startsWith(`${resourceKind}:`)) &&
    (service === undefined || row.service === service) &&
    (accessLevel === undefined || row.accessLevel === accessLevel)
  );
}

interface Window {
  readonly backward: boolean;
  readonly after: Place;
  readonly before: Place;
}
type Place = AccessPage<unknown>['last'];

/** Every page, forward; backward must show the same. */
async function everyPage<R>(read: (window: Window) => Promise<AccessPage<R>>): Promise<readonly R[]> {
  const forward: R[] = [];
  for (let after: Place = null, more = true; more;) {
    const page = await read({ backward: false, after, before: null });
    forward.push(...page.rows.map(({ record }) => record));
    after = page.last;
    more = page.hasNext;
  }
  const backward: R[] = [];
  for (let before: Place = null, more = true; more;) {
    const page = await read({ backward: true, after: null, before });
    backward.unshift(...page.rows.map(({ record }) => record));
    before = page.first;
    more = page.hasPrevious;
  }
  if (JSON.stringify(forward) !== JSON.stringify(backward)) throw new Error('the list differs when read backwards');
  return forward;
}
