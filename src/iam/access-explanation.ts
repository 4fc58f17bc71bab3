/**
 * Why a request is decided as it is, what was near, and the shortest way to yes. The question is posed by the rules of
 * `checkAccess` and decided by the authorizer; the engine explains the very ground that it was decided on.
 *
 * Nothing is named here that the asker may not see: a policy only to who may list policies, and where it is visible from
 * the asker's scope; a grant that does not count only to who may list grants, and where it is visible.
 */
import {
  type ExplanationOptions,
  type NearMiss,
  type PolicySource,
  type Way,
  evaluate,
  explain,
  readInstant,
} from '../policy/index.js';
import { type Posed, poseOne, type ShownDecision } from './access.js';
import { type AccessRequest, setterOf } from './access-requests.js';
import { type Asker } from './askers.js';
import { builtInDocument } from './simulation.js';
import { decide, type Ground, groundOf, type Rights, type RightsSource, type StatementOrigin } from './authorizer.js';
import type { Call } from './call.js';
import type { Calls } from './calls.js';
import { mayUserKnow } from './entry.js';
import type { House } from './house.js';
import { type Outcome, refuse, succeed } from './outcome.js';
import type { Id, Policy } from './records.js';
import { documentOf } from './rights.js';

/** Policies that are looked at for one that would do. */
const mostCandidates = 200;

/** What stands for the name of a policy that the asker may not see. */
export const unnamed = '(not shown)';

/** A statement's way, or one that is no statement's business. */
export type ShownWay =
  | { readonly kind: Way<StatementOrigin>['kind']; readonly changes: Way<StatementOrigin>['changes'] }
  /** A policy that was granted where it does not count would do if it counted here and now. */
  | { readonly kind: 'REACH'; readonly policy: string; readonly expired: boolean; readonly changes: readonly never[] }
  /** The default of mode LOOSE would do, if it were restored to the user. */
  | { readonly kind: 'DEFAULT_ACCESS'; readonly changes: readonly never[] }
  /** The principal must be able to enter the workspace, and then do the rest. */
  | { readonly kind: 'ENTRY'; readonly by: 'LIST' | 'GRANT'; readonly changes: Way<StatementOrigin>['changes'] };

/** A grant whose policy would allow the request, and that does not count here and now. */
export interface UncountedGrant {
  readonly policy: string;
  readonly index: number;
  readonly sid: string | null;
  readonly reason: 'EXPIRED' | 'OTHER_SCOPE';
  readonly origin: StatementOrigin;
}

export interface AccessExplanation {
  readonly decision: ShownDecision;
  readonly nearMisses: readonly NearMiss<StatementOrigin>[];
  readonly nearMissesLeftOut: number;
  readonly uncountedGrants: readonly UncountedGrant[];
  /** The shortest first. */
  readonly ways: readonly ShownWay[];
  /** What to do where it is not the policies that refuse; null otherwise. */
  readonly advice: string | null;
}

/** Explains one request. Its door is `bailiwick:access:explain`; about others it needs `bailiwick:access:check` as well. */
export async function explainAccess(
  house: House,
  calls: Calls,
  call: Call,
  request: AccessRequest,
): Promise<Outcome<AccessExplanation>> {
  const door = call.decide({ action: 'bailiwick:access:explain', resource: null });
  if (door.effect !== 'ALLOW') return refuse(door);
  const outcome = await poseOne(house, calls, call, request);
  if (outcome.kind !== 'succeeded') return outcome;
  return succeed(await new Explaining(house, call, outcome.value).tell());
}

type OpenlyPosed = Extract<Posed, { readonly decision: null }>;

class Explaining {
  readonly #house: House;
  readonly #call: Call;
  readonly #posed: Posed;
  #policies: ReadonlyMap<Id, Policy> = new Map();

  constructor(house: House, call: Call, posed: Posed) {
    this.#house = house;
    this.#call = call;
    this.#posed = posed;
  }

  async tell(): Promise<AccessExplanation> {
    const call = this.#call;
    const posed = this.#posed;
    if (posed.decision !== null) {
      const { decision, principal } = posed;
      return {
        ...nothing,
        decision: { ...decision, principal },
        advice: this.#adviceFor(decision.reason, decision.action),
      };
    }
    const { asker, facts, environment, question } = posed;
    const { principal } = asker.rights;
    const decided = decide(call.catalogue, asker.rights, facts, environment, question);
    call.observer.decided(decided.reason);
    const decision = { ...decided, principal };
    const advice = this.#adviceFor(decided.reason, decided.action);
    this.#policies = await this.#visiblePolicies(asker.rights);
    if (decided.reason === 'WORKSPACE_CLOSED') {
      return { ...nothing, decision, advice, ways: await this.#waysIn(posed) };
    }
    const ground = groundOf(call.catalogue, asker.rights, facts, environment, question);
    if ('effect' in ground) return { ...nothing, decision, advice };
    const candidates = decided.effect === 'ALLOW' ? [] : await this.#candidates();
    const told = explain(asker.rights.sources, ground.request, this.#options(asker, ground, candidates));
    const uncounted = await this.#uncounted(posed, ground);
    const own: ShownWay[] = [];
    if (decided.effect === 'DENY') {
      for (const { grant, would } of uncounted) {
        if (would) own.push({ kind: 'REACH', policy: grant.policy, expired: grant.reason === 'EXPIRED', changes: [] });
      }
      if (this.#defaultWouldDo(posed)) own.push({ kind: 'DEFAULT_ACCESS', changes: [] });
    }
    const inContext = told.ways.filter(({ kind }) => kind === 'CONTEXT');
    const others = told.ways.filter(({ kind }) => kind !== 'CONTEXT');
    return {
      decision,
      nearMisses: told.nearMisses.map((miss) => ({ ...miss, source: this.#shownSource(miss.source) })),
      nearMissesLeftOut: told.nearMissesLeftOut,
      uncountedGrants: uncounted.map(({ grant }) => grant),
      ways: [...inContext, ...own.slice(0, 3), ...others].map((way) => this.#shownWay(way)),
      advice,
    };
  }

  #options(
    asker: Asker,
    { takesPart, request }: Ground,
    candidates: readonly RightsSource[],
  ): ExplanationOptions<StatementOrigin> {
    const { bounds, principal } = asker.rights;
    const { catalogue, now } = this.#call;
    const person = principal.kind === 'USER';
    return {
      takesPart,
      ...(bounds?.policy == null ? {} : { narrowing: [bounds.policy] }),
      exempt: ({ kind }) => kind === 'BUILT_IN',
      mayEdit: ({ origin }) => origin.kind === 'GRANT' && this.#policies.get(origin.policyId)?.origin === 'CUSTOM',
      mayGrant: true,
      candidates,
      sameKeys: [['g:sourceip', 'hw:sourceip']],
      // A second factor was shown just now, or there is none of any age.
      entails: (key, values) => {
        if (key === 'g:mfapresent') return [['g:mfaage', values[0] === 'true' ? ['0'] : []]];
        return key === 'g:mfaage' ? [['g:mfapresent', [values.length === 0 ? 'false' : 'true']]] : [];
      },
      mayBecome: (key, values) => {
        if (key === 'g:mfapresent') return person && values.length === 1;
        if (key === 'g:mfaage') return person && !values.some((text) => text.startsWith('-'));
        if (key === 'g:currenttime') {
          const [time] = values;
          const instant = time === undefined || values.length > 1 ? null : readInstant(time);
          return instant !== null && instant >= BigInt(now) * 1_000_000n;
        }
        if (key === 'g:sourceip' || key === 'hw:sourceip') return values.length === 1;
        if (key.startsWith('g:resourcetag/')) return request.resource !== null && values.length < 2;
        if (key.startsWith('g:requesttag/')) return values.length < 2;
        // The rest of what the server says follows from who asks, where, and about what.
        return key === 'g:tagkeys' || setterOf(catalogue, key) !== 'SERVER';
      },
    };
  }

  /** Policies of the asked principal that the asker may see from here, by id; none to who may not list policies. */
  async #visiblePolicies({ sources }: Rights): Promise<ReadonlyMap<Id, Policy>> {
    if (!this.#call.may('iam:roles:listRoles')) return new Map();
    const ids = sources.flatMap(({ origin }) => (origin.kind === 'GRANT' ? [origin.policyId] : []));
    return this.#call.reader.find('policy', [...new Set(ids)]);
  }

  /** Policies that the asker may see from here, as they would be granted. */
  async #candidates(): Promise<readonly RightsSource[]> {
    const { reader } = this.#call;
    if (!this.#call.may('iam:roles:listRoles')) return [];
    const order = { by: 'NAME', direction: 'ASC' } as const;
    const window = { order, limit: mostCandidates, backward: false, after: null, before: null };
    const { rows } = await reader.page('policy', {}, window);
    const policies = rows.map(({ record }) => record);
    const versions = await reader.find(
      'policyVersion',
      policies.map(({ id, defaultVersion }) => `${id}.${defaultVersion}`),
    );
    return policies.flatMap(({ id, name, defaultVersion }) => {
      const text = versions.get(`${id}.${defaultVersion}`)?.text;
      const document = text === undefined ? null : documentOf(text);
      return document === null ? [] : [{ name, document, origin: everywhere(id, defaultVersion) }];
    });
  }

  /** Grants that the asker may see, whose policy says yes, and that do not count here and now. */
  async #uncounted(
    { asker, facts, environment, question }: OpenlyPosed,
    { takesPart, request }: Ground,
  ): Promise<readonly { readonly grant: UncountedGrant; readonly would: boolean }[]> {
    const call = this.#call;
    if (!call.may('bailiwick:grants:list')) return [];
    const saying = asker.rights.sources.flatMap((source) => {
      if (takesPart(source.origin) || source.origin.grantId === null) return [];
      const { effect, statements } = evaluate([source], request);
      const [first] = statements;
      return effect === 'ALLOW' && first !== undefined ? [{ source, statement: first.statement }] : [];
    });
    const grants = await call.reader.find(
      'grant',
      saying.flatMap(({ source }) => source.origin.grantId ?? []),
    );
    return saying
      .filter(({ source }) => grants.has(source.origin.grantId ?? ''))
      .map(({ source, statement }) => {
        const { origin } = source;
        const expired = origin.expiresAt !== null && origin.expiresAt <= environment.now;
        const counting = { ...source, origin: { ...origin, scopeKind: 'ALL', scopeId: '', expiresAt: null } as const };
        const rights = { ...asker.rights, sources: [...asker.rights.sources, counting] };
        return {
          grant: {
            policy: this.#shownSource(source).name,
            index: statement.index,
            sid: statement.sid,
            reason: expired ? ('EXPIRED' as const) : ('OTHER_SCOPE' as const),
            origin,
          },
          would: decide(call.catalogue, rights, facts, environment, question).effect === 'ALLOW',
        };
      });
  }

  /** Whether the default of mode LOOSE, ended for this user, would allow it again. */
  #defaultWouldDo({ asker, facts, environment, question }: OpenlyPosed): boolean {
    const call = this.#call;
    const { user, rights } = asker;
    if (user?.root !== false || user.defaultModelArtsAccess !== 'ENDED') return false;
    if (call.account?.authorizationMode !== 'LOOSE') return false;
    if (user.id !== call.principal.id && !call.may('iam:users:getUser')) return false;
    const origin = { ...everywhere('', 1), kind: 'BUILT_IN', scopeKind: 'ALL_WORKSPACES' } as const;
    const sources = [...rights.sources, { name: '', document: builtInDocument(), origin }];
    return decide(call.catalogue, { ...rights, sources }, facts, environment, question).effect === 'ALLOW';
  }

  /** Entering the workspace and what is wanted besides; told only to who may know of the workspace. */
  async #waysIn({ asker, facts, environment, question }: OpenlyPosed): Promise<readonly ShownWay[]> {
    const call = this.#call;
    const { user } = call;
    const id = facts.workspace?.id ?? '';
    const workspace = (await call.reader.find('workspace', [id])).get(id);
    if (workspace === undefined || workspace.status !== 'NORMAL') return [];
    const knows =
      user === null ? call.scope.workspaceId === id : await mayUserKnow(this.#house.store.access, workspace, user);
    if (!knows || asker.rights.bounds !== undefined) return [];
    const entered = { ...facts, open: true };
    const by = asker.user === null ? 'GRANT' : 'LIST';
    const after = decide(call.catalogue, asker.rights, entered, environment, question);
    if (after.effect === 'ALLOW') return [{ kind: 'ENTRY', by, changes: [] }];
    const ground = groundOf(call.catalogue, asker.rights, entered, environment, question);
    if ('effect' in ground) return [];
    const options = this.#options(asker, ground, await this.#candidates());
    const { ways } = explain(asker.rights.sources, ground.request, options);
    return ways.slice(0, 1).map((way) => this.#shownWay({ kind: 'ENTRY', by, changes: way.changes }));
  }

  #shownWay(way: ShownWay): ShownWay {
    if (way.kind === 'REACH' || way.kind === 'DEFAULT_ACCESS') return way;
    const changes = way.changes.map((change) =>
      // Policies offered are among those that the asker may list.
      change.kind === 'STATEMENT' ? { ...change, source: this.#shownSource(change.source) } : change,
    );
    return { ...way, changes };
  }

  #shownSource(source: PolicySource<StatementOrigin>): PolicySource<StatementOrigin> {
    const { kind, policyId } = source.origin;
    return kind !== 'GRANT' || this.#policies.has(policyId) ? source : { ...source, name: unnamed };
  }

  #adviceFor(reason: ShownDecision['reason'], action: string): string | null {
    if (reason !== 'UNKNOWN_ACTION') return advices[reason] ?? null;
    const near = this.#call.catalogue.suggest(action);
    return near === null
      ? 'no service has registered the action; look it up in `actions`'
      : `did you mean \`${near}\`?`;
  }
}

const advices: Partial<Record<ShownDecision['reason'], string>> = {
  PRINCIPAL_DISABLED: 'the principal is disabled; enable it, and ask again',
  PRINCIPAL_NOT_FOUND: 'there is no such principal here; look at its id and at the scope of your credential',
  CREDENTIAL_REVOKED: 'the credential is good no more; its owner signs in again or uses another key',
  AGENCY_EXPIRED: 'the agency has expired; give it a later end, and ask again',
  WORKSPACE_CLOSED: 'the workspace is closed to the principal, or there is none',
  INVALID_POLICY: 'a policy of the principal cannot be read; put a version in use that can',
};

const nothing = { nearMisses: [], nearMissesLeftOut: 0, uncountedGrants: [], ways: [] } as const;

function everywhere(policyId: Id, policyVersion: number): StatementOrigin {
  return {
    kind: 'GRANT',
    policyId,
    policyVersion,
    grantId: null,
    scopeKind: 'ALL',
    scopeId: '',
    expiresAt: null,
    group: null,
    authorizationMode: false,
  };
}
