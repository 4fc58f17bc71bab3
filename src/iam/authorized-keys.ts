/**
 * Who gets into a notebook by SSH, now (DESIGN section 7): the one place where remote access is decided. What sshd is told
 * and what `explainRemoteAccess` says both come from here.
 */
import { liesIn, readAddress, readAddressBlock, type Statement } from '../policy/index.js';
import { accountCatalogue } from './account-catalogues.js';
import { decide, type Decision, type Principal, type Question, type Rights } from './authorizer.js';
import type { Calls } from './calls.js';
import { looksAt } from './escalation.js';
import type { House } from './house.js';
import type { Account, Id, RemoteAccess, Resource, User, Workspace } from './records.js';
import { accessAction, remoteKind } from './remote-access.js';
import { readUrn } from './resource-urns.js';

/** A notebook with everything that deciding about it reads. */
export interface Notebook {
  readonly account: Account;
  readonly resource: Resource;
  readonly workspace: Workspace;
  readonly remoteAccess: RemoteAccess | null;
}

export interface AuthorizedKeysRequest {
  /** URN of the notebook. */
  readonly notebook: string;
  /** Login name that sshd was given; absent: it is not looked at. */
  readonly userName?: string | null;
  /** Fingerprint of the key that is offered; absent: every key is answered. */
  readonly fingerprint?: string | null;
}

/**
 * Lines of an `authorized_keys` file: keys whose owners may access the notebook at this moment, each bound to the
 * addresses that it may come from. None where anything at all is not as it must be.
 */
export async function authorizedKeys(
  house: House,
  calls: Calls,
  { notebook: urn, userName, fingerprint }: AuthorizedKeysRequest,
): Promise<readonly string[]> {
  const notebook = await findNotebook(house, urn);
  const remoteAccess = notebook?.remoteAccess ?? null;
  if (notebook === null || remoteAccess === null || !takesConnections(remoteAccess)) return [];
  if (userName != null && userName !== remoteAccess.userName) return [];
  const { access } = house.store;
  const pairs = (await access.keyPairs(notebook.account.id, remoteAccess.keyPairIds)).filter(
    (pair) => fingerprint == null || pair.fingerprint === fingerprint,
  );
  const admissions = new Map<Id, readonly (string | null)[]>();
  const lines: string[] = [];
  for (const { userId, publicKey } of pairs) {
    let places = admissions.get(userId);
    if (places === undefined) {
      places = await placesFor(house, calls, notebook, await access.user(notebook.account.id, userId));
      admissions.set(userId, places);
    }
    if (places.length > 0) lines.push(lineOf(publicKey, places));
  }
  return lines;
}

/** `restrict` takes everything away that there is or will be; a terminal and forwarded ports are what an IDE needs. */
function lineOf(publicKey: string, places: readonly (string | null)[]): string {
  const from = places.includes(null) ? '' : `,from="${places.join(',')}"`;
  return `restrict,pty,port-forwarding${from} ${publicKey}`;
}

/** The notebook that a URN names, in whatever account and workspace; null for everything else. */
async function findNotebook({ store }: House, urn: string): Promise<Notebook | null> {
  const parts = readUrn(urn);
  if (parts === null) return null;
  // The account first: rights are kept under its revision, so nothing older than that may go into them.
  const account = await store.access.account(parts.accountId);
  const resource = account === null ? null : (await store.access.resourcesByUrn(account.id, [urn])).get(urn);
  if (account === null || resource == null || resource.kind !== remoteKind) return null;
  const workspace = await store.access.workspace(account.id, resource.workspaceId);
  if (workspace === null) return null;
  return { account, resource, workspace, remoteAccess: await store.access.remoteAccess(account.id, resource.id) };
}

/** Whether the notebook lets anybody in at all: opened by somebody, and running. */
export function takesConnections({ enabled, instanceState }: RemoteAccess): boolean {
  return enabled && instanceState === 'RUNNING';
}

/** Where this user may connect from: allowed addresses, null for anywhere, none when they may not at all. */
async function placesFor(
  house: House,
  calls: Calls,
  notebook: Notebook,
  user: User | null,
): Promise<readonly (string | null)[]> {
  if (user === null || !user.enabled) return [];
  const decideFrom = await deciding(house, calls, notebook, user);
  return entriesOf(notebook.remoteAccess).filter((entry) => decideFrom(entry).effect === 'ALLOW');
}

/** The allow list, with null for the choice of anywhere. */
export function entriesOf(remoteAccess: RemoteAccess | null): readonly (string | null)[] {
  if (remoteAccess === null) return [];
  return remoteAccess.allowAnyAddress ? [null] : remoteAccess.allowedAddresses;
}

/** Whether an entry of the allow list is about this address. */
export function covers(entry: string | null, sourceAddress: string): boolean {
  if (entry === null) return true;
  const [address, block] = [readAddress(sourceAddress), readAddressBlock(entry)];
  return address !== null && block !== null && liesIn(address, block);
}

/**
 * Decides for one user, by entries of the allow list. OpenSSH says no address when it asks for keys, so an address is known
 * only where the entry is a single one: a policy that looks at it is decided by that. Else an Allow that looks at it does not
 * count, and a Deny that does counts, because nobody can say that it does not apply.
 */
export async function deciding(
  house: House,
  calls: Calls,
  { account, resource, workspace }: Notebook,
  user: User,
): Promise<(entry: string | null) => Decision> {
  // A key that is kept says nothing of a second factor.
  const principal: Principal = { kind: user.root ? 'ROOT' : 'USER', id: user.id, name: user.name, mfaAt: null };
  const rights = await calls.rightsOf(account, principal, user);
  const scope = { accountId: account.id, workspaceId: workspace.id };
  const facts = await calls.scopeFacts(account, scope, workspace, user, rights);
  const catalogue = await accountCatalogue(house, account);
  const question: Question = {
    action: accessAction,
    resource: resource.urn,
    tags: resource.tags,
    context: new Map([['g:viaservice', ['false']]]),
  };
  const now = house.now();
  return (entry) => {
    const sourceAddress = entry !== null && readAddress(entry) !== null ? entry : null;
    const environment = { now, sourceAddress };
    const decision = decide(catalogue, rights, facts, environment, question);
    if (decision.effect === 'DENY' || decision.reason === 'ROOT' || sourceAddress !== null) return decision;
    const strict = decide(catalogue, withoutAddress(rights), facts, environment, question);
    if (strict.effect === 'ALLOW') return strict;
    return { ...strict, missingContextKeys: [...new Set([...strict.missingContextKeys, 'g:SourceIp'])] };
  };
}

const looksAtAddress = (statement: Statement): boolean =>
  looksAt(statement, 'g:SourceIp') || looksAt(statement, 'hw:SourceIp');

/**
 * The same rights as somebody has of whom no address is known. An Allow that looks at it is left out, a negated one too,
 * which an absent key would fulfil; a Deny that looks at it applies as if it did not.
 */
function withoutAddress(rights: Rights): Rights {
  const sources = rights.sources.map((source) => {
    const statements = source.document.statements.flatMap((statement) => {
      if (!looksAtAddress(statement)) return [statement];
      return statement.effect === 'ALLOW' ? [] : [blindTo(statement)];
    });
    return { ...source, document: { ...source.document, statements } };
  });
  return { ...rights, sources };
}

function blindTo(denial: Statement): Statement {
  const nothing = { ...denial, conditions: [], resources: null, notResources: null };
  const { resources, notResources } = denial;
  return {
    ...denial,
    conditions: denial.conditions.filter((condition) => !looksAtAddress({ ...nothing, conditions: [condition] })),
    resources: looksAtAddress({ ...nothing, resources }) ? null : resources,
    notResources: notResources?.filter((pattern) => !looksAtAddress({ ...nothing, notResources: [pattern] })) ?? null,
  };
}
