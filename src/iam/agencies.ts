/**
 * Agencies: trust in a service or another account, for a time; and authorizations: whom a service may act for through
 * one (docs/domain.md sections f1 and f2). Records with their grants; what an agency may do comes from grants alone.
 */
import { readAddressBlock } from '../policy/index.js';
import { iamUrn } from './authorizer.js';
import type { Call } from './call.js';
import { change, creating, type OpenChange } from './change.js';
import { giftsOfPrincipal, refuseGain } from './escalation.js';
import { isNameTaken, nameTaken, notFound, versionConflict } from './faults.js';
import { newId, type House } from './house.js';
import { checkText, problemsOf, quotas } from './limits.js';
import { emptyListing, type Listing } from './listing.js';
import { problem, reject, succeed, type Outcome, type UserProblem } from './outcome.js';
import type { Filters, Orders, Window } from './ports.js';
import type { Agency, Authorization, Id, Instant } from './records.js';

const day = 24 * 60 * 60 * 1000;

export interface CreateAgencyInput {
  readonly name: string;
  readonly description?: string | null;
  readonly trust: { readonly kind: Agency['trustKind']; readonly id: string };
  /** Absent: for ever. */
  readonly durationDays?: number | null;
  readonly externalId?: string | null;
  readonly sourceAddresses?: readonly string[] | null;
  /** The one workspace that it may be assumed for; absent: any that a grant reaches. */
  readonly workspaceId?: Id | null;
  readonly idempotencyKey?: string | null;
}

export async function createAgency(house: House, call: Call, input: CreateAgencyInput): Promise<Outcome<Agency>> {
  const problems = [
    ...problemsOf(
      checkText('agencyName', input.name, 'name'),
      checkText('agencyDescription', input.description, 'description'),
    ),
  ];
  return change(house, call, creating('agency', 'createAgency', input), async (open) => {
    const { call } = open;
    const refused = open.ask('iam:agencies:createAgency', null);
    if (refused !== null) return refused;
    // By the services that there are now, not when the request came.
    const faults = [
      ...(await missingWorkspace(open, input.workspaceId)),
      ...problems,
      ...(await checkTerms(open, input)),
    ];
    if (faults.length > 0) return reject(...faults);
    if (await isNameTaken(open, 'agency', input.name)) return reject(nameTaken('agency', input.name, 'ModelArts.4502'));
    const { length } = await open.transaction.idsWhere('agency', {});
    if (length >= quotas.agenciesPerAccount) {
      return reject(
        problem(
          'LIMIT_EXCEEDED',
          `an account has at most ${quotas.agenciesPerAccount} agencies; delete one first`,
          'name',
          {
            reference: 'ModelArts.4500',
            limit: quotas.agenciesPerAccount,
          },
        ),
      );
    }
    const agency: Agency = {
      id: newId(),
      accountId: call.accountId,
      name: input.name,
      description: input.description ?? '',
      trustKind: input.trust.kind,
      trustedId: input.trust.id,
      durationDays: input.durationDays ?? null,
      expiresAt: expiry(call.now, input.durationDays ?? null),
      externalId: input.externalId ?? null,
      sourceAddresses: input.sourceAddresses ?? [],
      workspaceId: input.workspaceId ?? '',
      version: 1,
      createdAt: call.now,
      updatedAt: call.now,
    };
    await open.transaction.insert('agency', agency);
    return succeed(agency);
  });
}

export interface UpdateAgencyInput {
  readonly id: Id;
  readonly description?: string | null;
  readonly trust?: { readonly kind: Agency['trustKind']; readonly id: string } | null;
  /** Counted from now; null: for ever; absent: as it is. */
  readonly durationDays?: number | null;
  readonly externalId?: string | null;
  readonly sourceAddresses?: readonly string[] | null;
  /** Null: any workspace that a grant reaches; absent: as it is. */
  readonly workspaceId?: Id | null;
  readonly expectedVersion?: number | null;
}

/** To loosen whom or how long an agency trusts is to give its rights anew, so it obeys the no-escalation rule. */
export async function updateAgency(house: House, call: Call, input: UpdateAgencyInput): Promise<Outcome<Agency>> {
  const problems = problemsOf(checkText('agencyDescription', input.description, 'description'));
  return change(house, call, { operation: 'updateAgency' }, async (open) => {
    const { call } = open;
    const refused = open.ask('iam:agencies:updateAgency', agencyUrn(call.accountId, input.id));
    if (refused !== null) return refused;
    const agency = await open.transaction.get('agency', input.id);
    if (agency === null) return reject(notFound('agency', input.id));
    const faults = [
      ...(await missingWorkspace(open, input.workspaceId)),
      ...problems,
      ...(await checkTerms(open, input)),
    ];
    if (faults.length > 0) return reject(...faults);
    const stale = versionConflict(agency.version, input.expectedVersion);
    if (stale !== null) return reject(stale);
    const terms = {
      ...(input.trust == null ? {} : { trustKind: input.trust.kind, trustedId: input.trust.id }),
      ...(input.durationDays === undefined
        ? {}
        : { durationDays: input.durationDays, expiresAt: expiry(call.now, input.durationDays) }),
      ...(input.externalId === undefined ? {} : { externalId: input.externalId }),
      ...(input.sourceAddresses == null ? {} : { sourceAddresses: input.sourceAddresses }),
      ...(input.workspaceId === undefined ? {} : { workspaceId: input.workspaceId ?? '' }),
    };
    if (Object.keys(terms).length > 0) {
      const gain = await refuseGain(open, await giftsOfPrincipal(open.transaction, 'AGENCY', agency.id), 'id');
      if (gain !== null) return gain;
    }
    return succeed(
      await open.transaction.update('agency', agency.id, {
        ...(input.description == null ? {} : { description: input.description }),
        ...terms,
      }),
    );
  });
}

/** Deletes an agency with its grants and authorizations. */
export async function deleteAgency(house: House, call: Call, input: { readonly id: Id }): Promise<Outcome<Agency>> {
  return change(house, call, { operation: 'deleteAgency' }, async (open) => {
    const { transaction, call } = open;
    const refused = open.ask('iam:agencies:deleteAgency', agencyUrn(call.accountId, input.id));
    if (refused !== null) return refused;
    const agency = await transaction.get('agency', input.id);
    if (agency === null) return reject(notFound('agency', input.id));
    for (const id of await transaction.idsWhere('grant', { subjectKind: 'AGENCY', subjectId: agency.id })) {
      await transaction.remove('grant', id);
    }
    for (const id of await transaction.idsWhere('authorization', { agencyId: agency.id })) {
      await transaction.remove('authorization', id);
    }
    await transaction.remove('agency', agency.id);
    return succeed(agency);
  });
}

export interface AuthorizeAgencyInput {
  readonly agencyId: Id;
  /** One user, or every present and future one. */
  readonly for: { readonly kind: 'user'; readonly id: Id } | { readonly kind: 'allUsers' };
  readonly idempotencyKey?: string | null;
}

/**
 * Lets the trusted service act through the agency on behalf of a user. Needs `iam:agencies:pass` on the agency too, and
 * everything the agency holds: what the service does for the user, the giver answers for (rule 26 and section f2).
 */
export async function authorizeAgency(
  house: House,
  call: Call,
  input: AuthorizeAgencyInput,
): Promise<Outcome<Authorization>> {
  return change(house, call, creating('authorization', 'authorizeAgency', input), async (open) => {
    const { transaction, call } = open;
    const userId = input.for.kind === 'user' ? input.for.id : '';
    const refused =
      open.ask('modelarts:authorization:create', authorizationUrn(call.accountId, userId)) ??
      open.ask('iam:agencies:pass', agencyUrn(call.accountId, input.agencyId));
    if (refused !== null) return refused;
    const agency = await transaction.get('agency', input.agencyId);
    if (agency === null) return reject(notFound('agency', input.agencyId, 'agencyId'));
    if (userId !== '' && (await transaction.get('user', userId)) === null) {
      return reject(notFound('user', userId, 'userId'));
    }
    const [standing] = await transaction.idsWhere('authorization', { agencyId: agency.id, userId });
    if (standing !== undefined) {
      return reject(
        problem('CONFLICT', 'this authorization exists already; revoke it to change it', 'agencyId', {
          reference: 'ModelArts.0424',
        }),
      );
    }
    const gain = await refuseGain(open, await giftsOfPrincipal(transaction, 'AGENCY', agency.id), 'agencyId');
    if (gain !== null) return gain;
    const authorization: Authorization = {
      id: newId(),
      accountId: call.accountId,
      agencyId: agency.id,
      userId,
      createdAt: call.now,
      createdBy: call.principal.id,
    };
    await transaction.insert('authorization', authorization);
    return succeed(authorization);
  });
}

export async function revokeAuthorization(
  house: House,
  call: Call,
  input: { readonly id: Id },
): Promise<Outcome<Authorization>> {
  return change(house, call, { operation: 'revokeAuthorization' }, async (open) => {
    const { call } = open;
    const authorization = await open.transaction.get('authorization', input.id);
    const urn = authorization === null ? null : authorizationUrn(call.accountId, authorization.userId);
    const refused = open.ask('modelarts:authorization:delete', urn);
    if (refused !== null) return refused;
    if (authorization === null) return reject(notFound('authorization', input.id));
    await open.transaction.remove('authorization', authorization.id);
    return succeed(authorization);
  });
}

/**
 * Authorizations that the caller may list. The door lets everyone in who may read the own entry, as Self allows; all
 * entries are for those who may list without naming one.
 */
export async function listAuthorizations(
  call: Call,
  filter: Filters['authorization'],
  window: Window<Orders['authorization']>,
): Promise<Listing<Authorization>> {
  const own = call.principal.id;
  const all = call.may('modelarts:authorization:list');
  if (!all && filter.userId !== undefined && filter.userId !== own) return emptyListing();
  const confined = all ? filter : { ...filter, userId: own };
  const page = await call.reader.page('authorization', confined, window);
  return { page, count: () => call.reader.count('authorization', confined) };
}

export function agencyUrn(accountId: Id, id: Id): string {
  return iamUrn(accountId, 'agency', id);
}

/** One's own entry is readable through Self under this name. */
export function authorizationUrn(accountId: Id, userId: Id): string {
  return `modelarts::${accountId}:authorization:${userId === '' ? 'all-users' : userId}`;
}

/** Of the platform, or made in this account; names are trusted letter by letter. */
async function isService({ transaction, call }: OpenChange, name: string): Promise<boolean> {
  if (call.catalogue.services.some((service) => service.name === name)) return true;
  const id = await transaction.idOfName('service', name);
  return id !== null && (await transaction.get('service', id))?.name === name;
}

async function missingWorkspace(open: OpenChange, id: Id | null | undefined): Promise<readonly UserProblem[]> {
  if (id == null || (await open.transaction.get('workspace', id)) !== null) return [];
  return [notFound('workspace', id, 'workspaceId')];
}

function expiry(now: Instant, durationDays: number | null): Instant | null {
  return durationDays === null ? null : now + durationDays * day;
}

async function checkTerms(
  open: OpenChange,
  input: Pick<UpdateAgencyInput, 'trust' | 'durationDays' | 'externalId' | 'sourceAddresses'>,
): Promise<readonly UserProblem[]> {
  const faults: UserProblem[] = [];
  const { trust, durationDays, externalId, sourceAddresses } = input;
  if (trust?.kind === 'SERVICE' && !(await isService(open, trust.id))) {
    faults.push(
      problem('INVALID', `\`${trust.id}\` is no service; register it first`, 'trust', { reference: 'IAM.0007' }),
    );
  }
  if (trust?.kind === 'ACCOUNT' && !/^[0-9a-f]{32}$/.test(trust.id)) {
    faults.push(
      problem('INVALID', 'an account is named by its id of 32 hexadecimal digits', 'trust', { reference: 'IAM.0007' }),
    );
  }
  if (durationDays != null && (!Number.isInteger(durationDays) || durationDays < 1 || durationDays > 36_500)) {
    faults.push(
      problem('INVALID', 'an agency lasts 1 to 36500 whole days, or for ever when none is given', 'durationDays'),
    );
  }
  if (externalId != null && (externalId.length < 2 || externalId.length > 128)) {
    faults.push(problem('INVALID', 'an external id has 2 to 128 characters', 'externalId'));
  }
  if (sourceAddresses != null && sourceAddresses.length > quotas.sourceAddresses) {
    faults.push(
      problem('LIMIT_EXCEEDED', `at most ${quotas.sourceAddresses} source addresses are allowed`, 'sourceAddresses', {
        limit: quotas.sourceAddresses,
      }),
    );
  }
  for (const address of sourceAddresses ?? []) {
    if (readAddressBlock(address) === null) {
      faults.push(problem('INVALID', `\`${address}\` is no address or CIDR block`, 'sourceAddresses'));
    }
  }
  return faults;
}
