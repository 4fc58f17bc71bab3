/**
 * Generated delegations: who assumed which agency for whom, under which terms, with which grants and session policy, and
 * what has become of all of them since. A model written from rules 3, 5 and 26 alone says what the session may do; the
 * product must say the same, so no session ever has a right outside its agency, its policy or its trust.
 */
import fc from 'fast-check';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { decide } from '../../src/iam/authorizer.js';
import { faultOf, delegationOf, readDelegation } from '../../src/iam/delegation.js';
import { Calls, type Attachment } from '../../src/iam/index.js';
import { boundsOf, composeRights } from '../../src/iam/rights.js';
import type { House } from '../../src/iam/house.js';
import { record } from '../store/records.js';

const now = Date.UTC(2026, 0, 1);
const here = 'lab';
/** Actions that policies and requests are drawn from: of an account-level service, of the platform, and built in. */
export const actions = [
  'obs:object:GetObject',
  'obs:object:PutObject',
  'modelarts:trainJob:create',
  'bailiwick:session:use',
];

/** Mostly what is right, so that what is wrong shows by itself. */
const mostly = <T, O>(good: T, ...others: readonly O[]) =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constant(good) },
    { weight: others.length, arbitrary: fc.constantFrom(...others) },
  );

const someActions = fc.subarray(actions, { minLength: 1 });
const statement = fc.record({ Effect: mostly('Allow', 'Deny'), Action: someActions });
const document = fc.record({
  Version: fc.constant('1.1'),
  Statement: fc.array(statement, { minLength: 1, maxLength: 2 }),
});

const grant = fc.record({
  scope: fc.constantFrom(
    'ALL',
    'ACCOUNT',
    'ALL_WORKSPACES',
    'WORKSPACE here',
    'WORKSPACE other',
    'ENTERPRISE_PROJECT p1',
    'ENTERPRISE_PROJECT p2',
  ),
  expiresAt: mostly<number | null, number>(null, now - 1, now, now + 1),
  document,
});

export const delegations = fc.record({
  kind: fc.constantFrom('SERVICE', 'ACCOUNT'),
  agency: mostly(true, false),
  trusted: mostly('right', 'other'),
  agencyExpiresAt: mostly<number | null, number>(null, now - 1, now, now + 1),
  externalId: fc.constantFrom('none', 'agreed'),
  namedExternalId: mostly('agreed', 'guessed', 'none'),
  sourceAddresses: fc.constantFrom<readonly string[]>([], ['192.0.2.1'], ['198.51.100.0/24', '192.0.2.1']),
  sourceAddress: mostly('192.0.2.1', '203.0.113.9', ''),
  agencyWorkspace: mostly('', here, 'other'),
  assumerEnabled: mostly(true, false),
  assumerKnown: mostly(true, false),
  proof: mostly('key', 'key disabled', 'key gone', 'session', 'session ended', 'nothing'),
  resource: mostly('right', 'gone', 'of another service', 'in another workspace', 'of another user', 'without owner'),
  onBehalfOf: mostly('user', ''),
  user: mostly('enabled', 'disabled', 'gone'),
  entry: mostly('PUBLIC', 'PRIVATE', 'INTERNAL'),
  authorizations: fc.constantFrom(
    'own',
    'everyone',
    'own and everyone',
    'own for another',
    'own for another, everyone',
    'none',
  ),
  sessionExpiresAt: mostly(now + 900_000, now, now - 1),
  sessionPolicy: fc.oneof(fc.constant(null), document),
  grants: fc.array(grant, { maxLength: 3 }),
  action: fc.constantFrom(...actions),
  asksIn: mostly(here, 'other', null),
});

export type Delegation = typeof delegations extends fc.Arbitrary<infer T> ? T : never;

/** What the product says: allowed or not, by the same functions that open the call of a session and decide for it. */
export async function allowedByProduct(d: Delegation): Promise<boolean> {
  const agency = record('agency', 'a', 'agency', {
    name: 'agency',
    trustKind: d.kind,
    trustedId:
      d.kind === 'SERVICE' ? (d.trusted === 'right' ? 'training' : 'storage') : d.trusted === 'right' ? 'b' : 'c',
    expiresAt: d.agencyExpiresAt,
    externalId: d.externalId === 'none' ? null : 'agreed',
    sourceAddresses: d.sourceAddresses,
    workspaceId: d.agencyWorkspace,
  });
  const byService = d.kind === 'SERVICE';
  const session = record('agencySession', 'a', 'KEY', {
    agencyId: 'agency',
    assumedByKind: byService ? 'SERVICE' : 'USER',
    assumedById: 'assumer',
    assumedByAccountId: byService ? 'a' : 'b',
    assumedByKeyId: d.proof.startsWith('key') ? 'AK' : '',
    assumedBySessionId: d.proof.startsWith('session') ? 's' : '',
    onBehalfOfId: byService ? d.onBehalfOf : '',
    resourceId: byService ? 'job' : '',
    workspaceId: byService ? here : '',
    sessionPolicy: d.sessionPolicy === null ? null : JSON.stringify(d.sessionPolicy),
    externalIdDigest: d.namedExternalId === 'none' ? '' : `digest of ${d.namedExternalId}`,
    sourceAddress: d.sourceAddress,
    expiresAt: d.sessionExpiresAt,
  });
  const house = houseOf(d, agency);
  const facts = await readDelegation(house, session);
  if (facts.agency === null || faultOf(session, facts, now) !== null || session.expiresAt <= now) return false;
  const delegation = delegationOf(session, facts);
  const principal = { kind: 'AGENCY', id: 'agency', name: 'agency', mfaAt: null, delegation } as const;
  const bounds = boundsOf(session, agency);
  const attachments = d.grants.map((given, index): Attachment => {
    const [scopeKind = '', id = ''] = given.scope.split(' ');
    const scopeId = { here, other: 'other' }[id] ?? id;
    return {
      grant: record('grant', 'a', `g${index}`, {
        subjectKind: 'AGENCY',
        subjectId: 'agency',
        scopeKind: scopeKind as Attachment['grant']['scopeKind'],
        scopeId,
        expiresAt: given.expiresAt,
      }),
      policy: record('policy', 'a', `p${index}`, { name: `p${index}` }),
      policyVersion: 1,
      text: JSON.stringify(given.document),
      group: null,
    };
  });
  const rights = { ...composeRights({ authorizationMode: 'LOOSE' }, principal, null, attachments), principal, bounds };
  // As the call is opened: a bound session is refused elsewhere, and enters where a grant of an Allow reaches.
  if (bounds.workspaceId !== null && d.asksIn !== bounds.workspaceId) return false;
  const workspace =
    d.asksIn === null ? null : { id: d.asksIn, name: d.asksIn, enterpriseProjectId: d.asksIn === here ? 'p1' : 'p2' };
  const account = { id: 'a', name: 'a' };
  const open = await new Calls(house).scopeFacts(
    record('account', 'a', 'a', { name: 'a' }),
    { accountId: 'a', workspaceId: d.asksIn },
    workspace === null ? null : record('workspace', 'a', workspace.id, workspace),
    null,
    rights,
  );
  const environment = { now, sourceAddress: '203.0.113.77' };
  const decision = decide(platformCatalogue, rights, { account, workspace, open: open.open }, environment, {
    action: d.action,
    resource: null,
  });
  return decision.effect === 'ALLOW';
}

function houseOf(d: Delegation, agency: ReturnType<typeof record<'agency'>>): House {
  const user = d.user === 'gone' ? null : record('user', 'a', 'user', { name: 'user', enabled: d.user === 'enabled' });
  const owner = { 'of another user': 'somebody', 'without owner': null }[d.resource];
  const authorization = (agencyId: string, userId: string) =>
    record('authorization', 'a', `${agencyId}.${userId}`, { agencyId, userId });
  const entries = {
    own: [authorization('agency', 'user')],
    everyone: [authorization('agency', '')],
    'own and everyone': [authorization('agency', 'user'), authorization('agency', '')],
    'own for another': [authorization('another', 'user')],
    'own for another, everyone': [authorization('another', 'user'), authorization('agency', '')],
    none: [],
  }[d.authorizations as 'own'];
  const access = {
    agency: async () => (d.agency ? agency : null),
    service: async () =>
      d.assumerKnown ? record('service', 'a', 'assumer', { name: 'training', enabled: d.assumerEnabled }) : null,
    user: async (accountId: string) => {
      if (accountId === 'a') return user;
      return d.assumerKnown ? record('user', 'b', 'assumer', { name: 'bob', enabled: d.assumerEnabled }) : null;
    },
    accessKey: async () =>
      d.proof === 'key gone' ? null : record('accessKey', 'a', 'AK', { enabled: d.proof !== 'key disabled' }),
    session: async () => record('session', 'b', 's', { endedAt: d.proof === 'session ended' ? now - 1 : null }),
    resource: async () =>
      d.resource === 'gone'
        ? null
        : record('resource', 'a', 'job', {
            registeredBy: d.resource === 'of another service' ? 'storage' : 'assumer',
            workspaceId: d.resource === 'in another workspace' ? 'other' : here,
            ownerId: owner === undefined ? 'user' : owner,
          }),
    workspace: async () =>
      record('workspace', 'a', here, { visibility: d.entry as 'PUBLIC', creatorId: 'root', status: 'NORMAL' }),
    isAdministrator: async () => false,
    isListedIn: async () => true,
    authorizationsFor: async (_account: string, _service: string, userId: string) =>
      entries.filter((entry) => entry.userId === '' || entry.userId === userId),
  };
  const sealing = { digest: (text: string) => `digest of ${text}` };
  return { store: { access }, sealing, now: () => now } as unknown as House;
}

/** What the rules say, from the words of the delegation alone. */
export function allowedByRules(d: Delegation): boolean {
  const service = d.kind === 'SERVICE';
  const lives = (end: number | null): boolean => end === null || end > now;
  const trusted =
    d.agency &&
    d.trusted === 'right' &&
    d.assumerKnown &&
    d.assumerEnabled &&
    (d.proof === 'key' || d.proof === 'session') &&
    lives(d.agencyExpiresAt) &&
    lives(d.sessionExpiresAt) &&
    (d.externalId === 'none' || d.namedExternalId === 'agreed') &&
    (d.sourceAddresses.length === 0 || d.sourceAddress === '192.0.2.1');
  if (!trusted) return false;
  // A service acts where its job is; somebody of another account where the agency is bound, if it is.
  const bound = service ? here : d.agencyWorkspace;
  if (service && d.agencyWorkspace !== '' && d.agencyWorkspace !== here) return false;
  if (bound !== '' && d.asksIn !== bound) return false;
  if (service) {
    const owner = { right: 'user', 'without owner': '' }[d.resource];
    if (owner === undefined || owner !== d.onBehalfOf) return false;
    if (owner === 'user' && (d.user !== 'enabled' || d.entry === 'PRIVATE')) return false;
    const authorized =
      owner === 'user'
        ? ['own', 'everyone', 'own and everyone'].includes(d.authorizations)
        : ['everyone', 'own and everyone', 'own for another, everyone'].includes(d.authorizations);
    if (!authorized) return false;
  }
  const global = d.action !== 'modelarts:trainJob:create';
  const reaches = (scope: string): boolean => {
    if (scope === 'ALL') return true;
    if (scope === 'ACCOUNT') return d.asksIn === null || global;
    if (d.asksIn === null) return false;
    if (scope === 'ALL_WORKSPACES') return true;
    if (scope.startsWith('WORKSPACE')) return (d.asksIn === here) === (scope === 'WORKSPACE here');
    // What is governed by an account-level service is not given through an enterprise project, but for buckets' objects.
    return (d.asksIn === here) === scope.endsWith('p1') && projectActions.has(d.action);
  };
  const enters =
    d.asksIn === null ||
    d.grants.some(
      (given) =>
        lives(given.expiresAt) &&
        given.document.Statement.some(({ Effect }) => Effect === 'Allow') &&
        entersBy(given.scope, d.asksIn),
    );
  if (!enters) return false;
  const said = (statements: Delegation['grants'][number]['document']['Statement'], effect: string): boolean =>
    statements.some(({ Effect, Action }) => Effect === effect && Action.includes(d.action));
  const held = d.grants
    .filter((given) => lives(given.expiresAt) && reaches(given.scope))
    .flatMap(({ document: { Statement } }) => Statement);
  if (said(held, 'Deny')) return false;
  const narrowing = d.sessionPolicy?.Statement ?? null;
  if (narrowing !== null && said(narrowing, 'Deny')) return false;
  if (d.action === 'bailiwick:session:use') return true;
  return said(held, 'Allow') && (narrowing === null || said(narrowing, 'Allow'));
}

const projectActions = new Set(
  actions.filter((action) => platformCatalogue.find(action)?.enterpriseProjectScope === true),
);

function entersBy(scope: string, workspace: string | null): boolean {
  if (scope.startsWith('WORKSPACE')) return (workspace === here) === (scope === 'WORKSPACE here');
  if (scope.startsWith('ENTERPRISE_PROJECT')) return (workspace === here) === scope.endsWith('p1');
  return true;
}
