/**
 * What a principal has been given: its grants, its groups' grants, and the built-in policies that everyone can see
 * (rule 4: Self; rule 12: the LOOSE default). Reading them costs a bounded number of statements; the result is kept
 * while the account's accessRevision stands still. Expiry is not kept but asked at each decision: time is not a write.
 */
import { modelArtsDefaultPolicy, selfPolicy, type BuiltInPolicy } from '../catalogue/index.js';
import { parsePolicy, type ParsedPolicy, type PolicyDocument, prepareDocument } from '../policy/index.js';
import type { Principal, Rights, RightsSource, SessionBounds, StatementOrigin } from './authorizer.js';
import type { AccessReader, Attachment } from './ports.js';
import { Recollection } from './recollection.js';
import type { Account, Agency, AgencySession, User } from './records.js';

const keptDocuments = 10_000;

/** Documents are immutable text, so a parsed one is good for ever; the oldest is dropped when there are too many. */
const documents = new Map<string, ParsedPolicy>();

export function documentOf(text: string): PolicyDocument | null {
  let parsed = documents.get(text);
  if (parsed === undefined) {
    parsed = parsePolicy(text, 'SYSTEM');
    // Once for everybody who holds it, rather than in somebody's first question.
    if (parsed.document !== null) prepareDocument(parsed.document);
    keep(documents, text, parsed, keptDocuments);
  }
  return parsed.document;
}

export class RightsBook {
  readonly #kept: Recollection<Rights>;

  /** @param limit principals whose rights are kept at most */
  constructor(limit: number) {
    this.#kept = new Recollection(limit);
  }

  /**
   * Rights of a principal as of `account.accessRevision`. A user's LOOSE default takes part only in that account mode.
   */
  async rightsOf(access: AccessReader, account: Account, principal: Principal, user: User | null): Promise<Rights> {
    if (principal.kind === 'ANONYMOUS') return { principal, sources: [], unreadable: [] };
    const { kind, id, mfaAt } = principal;
    return this.#kept.of(`${account.id}\n${kind}\n${id}\n${mfaAt ?? ''}`, account.accessRevision, async () => {
      const attachments = await access.attachments(account.id, kind === 'ROOT' ? 'USER' : kind, [id]);
      // Kept for every session of an agency, and for who asks about the agency itself: nobody stands behind these.
      const { delegation: _, ...own } = principal;
      return composeRights(account, own, user, attachments.get(id) ?? []);
    });
  }
}

/** Puts built-in policies and grants together; pure. */
export function composeRights(
  account: Pick<Account, 'authorizationMode'>,
  principal: Principal,
  user: User | null,
  attachments: readonly Attachment[],
): Rights {
  const sources: RightsSource[] = [builtIn(selfPolicy, 'ALL', false)];
  const unreadable: string[] = [];
  if (hasDefaultAccess(account, principal, user)) sources.push(builtIn(modelArtsDefaultPolicy, 'ALL_WORKSPACES', true));
  for (const attachment of attachments) {
    const document = documentOf(attachment.text);
    if (document === null) {
      unreadable.push(`policy \`${attachment.policy.name}\` version ${attachment.policyVersion} cannot be read`);
      continue;
    }
    sources.push({ name: attachment.policy.name, document, origin: granted(attachment) });
  }
  return { principal, sources, unreadable };
}

/** What narrows a session of an agency, as it was made and as the agency is now. */
export function boundsOf(session: AgencySession, agency: Agency): SessionBounds {
  const { sessionPolicy, sessionName, expiresAt } = session;
  const workspaceId = session.workspaceId || agency.workspaceId || null;
  return {
    policy: sessionPolicy === null ? null : sessionSource(sessionName, sessionPolicy),
    workspaceId,
    expiresAt: Math.min(expiresAt, agency.expiresAt ?? expiresAt),
    agencyExpiresAt: agency.expiresAt,
  };
}

/** A text that no longer reads allows nothing: the session is narrowed to what is built in. */
function sessionSource(name: string, text: string): RightsSource {
  return {
    name: `session ${name}`,
    document: documentOf(text) ?? { version: '1.1', statements: [], depends: [] },
    origin: {
      kind: 'SESSION',
      policyId: '',
      policyVersion: 1,
      grantId: null,
      scopeKind: 'ALL',
      scopeId: '',
      expiresAt: null,
      group: null,
      authorizationMode: false,
    },
  };
}

/** Whether the LOOSE default acts for this principal now (rule 12): users only, never root, services or agencies. */
export function hasDefaultAccess(
  account: Pick<Account, 'authorizationMode'>,
  principal: Principal,
  user: User | null,
): boolean {
  return (
    account.authorizationMode === 'LOOSE' &&
    principal.kind === 'USER' &&
    user !== null &&
    user.defaultModelArtsAccess === 'IN_FORCE'
  );
}

function builtIn(
  policy: BuiltInPolicy,
  scopeKind: StatementOrigin['scopeKind'],
  authorizationMode: boolean,
): RightsSource {
  const document = documentOf(JSON.stringify(policy.document));
  if (document === null) throw new Error(`the built-in policy ${policy.id} cannot be read`);
  return {
    name: policy.displayName,
    document,
    origin: {
      kind: 'BUILT_IN',
      policyId: policy.id,
      policyVersion: 1,
      grantId: null,
      scopeKind,
      scopeId: '',
      expiresAt: null,
      group: null,
      authorizationMode,
    },
  };
}

export function granted({ grant, policy, policyVersion, group }: Attachment): StatementOrigin {
  return {
    kind: 'GRANT',
    policyId: policy.id,
    policyVersion,
    grantId: grant.id,
    scopeKind: grant.scopeKind,
    scopeId: grant.scopeId,
    expiresAt: grant.expiresAt,
    group: group?.name ?? null,
    authorizationMode: false,
  };
}

function keep<V>(map: Map<string, V>, key: string, value: V, limit: number): void {
  if (map.size >= limit) {
    const oldest = map.keys().next();
    if (!oldest.done) map.delete(oldest.value);
  }
  map.set(key, value);
}
