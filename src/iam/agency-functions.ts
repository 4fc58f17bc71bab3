/**
 * What an agency is granted so that functions of the platform work through it (docs/domain.md sections f2 and f3): from
 * nothing to a working agency in one step. The policies are of the account's own, one for each level and scope, each
 * granted to this agency alone, so that what one agency gains no other does.
 */
import {
  agencyActionsOf,
  chooseFunctions,
  draftedPolicy,
  spread,
  type AuthorizationFunction,
  type AuthorizationPreset,
  type DraftedLevel,
} from '../catalogue/index.js';
import { agencyUrn } from './agencies.js';
import type { Call } from './call.js';
import { change, repeatable, type ChangeOptions, type OpenChange } from './change.js';
import { notFound } from './faults.js';
import { giveGrant, grantAction, isEnterable } from './grants.js';
import type { House } from './house.js';
import { textRules } from './limits.js';
import { problem, reject, succeed, type Invalid, type Outcome, type Refused } from './outcome.js';
import { storePolicy, storeVersion } from './policies.js';
import type { Transaction } from './ports.js';
import type { Agency, Grant, GrantScopeKind, Id, Policy } from './records.js';
import { documentOf } from './rights.js';

export interface GrantAgencyFunctionsInput {
  readonly agencyId: Id;
  readonly preset: AuthorizationPreset;
  /** Ids of functions, with CUSTOM alone. */
  readonly functions: readonly string[];
  /** Null: in every workspace, present and future. */
  readonly workspaceId: Id | null;
  readonly idempotencyKey?: string | null;
}

export interface AgencyFunctionsChange {
  readonly agency: Agency;
  readonly policies: readonly Policy[];
  readonly grants: readonly Grant[];
  /** What of it has no effect in the scope. */
  readonly warnings: readonly string[];
}

interface GrantScopeChoice {
  readonly kind: GrantScopeKind;
  readonly id: Id;
}

/** Where a policy of this level is granted so that it acts in every workspace: account-level services by the account. */
export function usualScope(level: DraftedLevel): GrantScopeKind {
  return level === 'GLOBAL' ? 'ACCOUNT' : 'ALL_WORKSPACES';
}

/**
 * Grants an agency what functions need, and nothing beyond. What it holds by an earlier call in the same scope it keeps:
 * other functions are added, and the same ones change nothing. Every step is asked and held to the no-escalation rule
 * as if it were taken alone.
 */
export async function grantAgencyFunctions(
  house: House,
  call: Call,
  input: GrantAgencyFunctionsInput,
): Promise<Outcome<AgencyFunctionsChange>> {
  const { functions, problems } = chooseFunctions(input);
  const levels = levelsOf(functions);
  return change(house, call, repeating(input, levels), async (open) => {
    const { transaction, call } = open;
    // What the door asks first, so that who is refused there is refused here for the same reason.
    for (const kind of new Set([door, ...levels].map((level) => scopeOf(level, input).kind))) {
      const refused = open.ask(grantAction('grant', 'AGENCY', kind), agencyUrn(call.accountId, input.agencyId));
      if (refused !== null) return refused;
    }
    if (problems.length > 0) {
      return reject(
        ...problems.map(({ message, pointer }) => problem('INVALID', message, pointer.split('/').slice(1))),
      );
    }
    const agency = await transaction.get('agency', input.agencyId);
    if (agency === null) return reject(notFound('agency', input.agencyId, 'agencyId'));
    if (input.workspaceId !== null && !(await isEnterable(open, input.workspaceId))) {
      return reject(notFound('workspace', input.workspaceId, 'workspaceId', 'ModelArts.0102'));
    }
    const policies: Policy[] = [];
    const grants: Grant[] = [];
    const warnings: string[] = [];
    for (const level of levels) {
      const held = await hold(
        open,
        { agency, level, workspaceId: input.workspaceId },
        agencyActionsOf(functions, level),
      );
      if ('kind' in held) return held;
      policies.push(...held.map(({ policy }) => policy));
      grants.push(...held.map(({ grant }) => grant));
      warnings.push(...held.flatMap((each) => each.warnings));
    }
    return succeed({ agency, policies, grants, warnings });
  });
}

const bothLevels: readonly DraftedLevel[] = ['GLOBAL', 'PROJECT'];
const door: DraftedLevel = 'PROJECT';

function levelsOf(functions: readonly AuthorizationFunction[]): readonly DraftedLevel[] {
  return bothLevels.filter((level) => agencyActionsOf(functions, level).length > 0);
}

function scopeOf(level: DraftedLevel, { workspaceId }: { readonly workspaceId: Id | null }): GrantScopeChoice {
  return workspaceId === null ? { kind: usualScope(level), id: '' } : { kind: 'WORKSPACE', id: workspaceId };
}

/** Where policies belong together: those of one agency, on one level, in one scope. */
interface Shelf {
  readonly agency: Agency;
  readonly level: DraftedLevel;
  readonly workspaceId: Id | null;
}

/** A policy on a shelf. */
interface Part {
  readonly policy: Policy;
  /** What its document allows. */
  readonly written: readonly string[];
  /** The grant that gives it to the agency now; null when there is none, or when it has ended. */
  readonly grant: Grant | null;
}

/** What a policy of the shelf gives by now. */
interface Held {
  readonly policy: Policy;
  readonly grant: Grant;
  readonly warnings: readonly string[];
}

type Stopped = Refused | Invalid;

/** Makes the policies of a shelf give these actions, and gives them to the agency. */
async function hold(open: OpenChange, shelf: Shelf, wanted: readonly string[]): Promise<readonly Held[] | Stopped> {
  const parts: Part[] = [];
  for (const id of await policyIdsOn(open.transaction, shelf)) {
    const part = await readPart(open, shelf, id);
    if ('kind' in part) return part;
    parts.push(part);
  }
  // What a policy says that the agency does not hold any more is not given again by the way.
  const standing = parts.map(({ grant, written }) => (grant === null ? [] : written));
  const held: Held[] = [];
  for (const [index, actions] of spread(standing, wanted).entries()) {
    if (actions.length === 0) continue;
    const part = parts[index] ?? null;
    const written = await write(open, shelf, index + 1, part, actions);
    if ('kind' in written) return written;
    const { policy } = written;
    const standing = part?.grant ?? null;
    const given = standing === null ? await give(open, shelf, policy) : { grant: standing, warnings: written.warnings };
    if ('kind' in given) return given;
    held.push({ policy, grant: given.grant, warnings: given.warnings });
  }
  return held;
}

async function write(
  open: OpenChange,
  shelf: Shelf,
  number: number,
  part: Part | null,
  actions: readonly string[],
): Promise<Omit<Held, 'grant'> | Stopped> {
  const { text } = draftedPolicy(shelf.level, actions);
  if (part === null) {
    const description = `What functions need of agency ${shelf.agency.name}; made by grantAgencyFunctions`;
    const stored = await storePolicy(open, { name: policyName(shelf, number), description, document: text });
    return stored.kind === 'succeeded' ? { policy: stored.value, warnings: [] } : stored;
  }
  if (isSame(part.written, actions)) return { policy: part.policy, warnings: [] };
  const version = { policyId: part.policy.id, document: text, setAsDefault: true };
  const stored = await storeVersion(open, version, 'functions');
  return stored.kind === 'succeeded' ? stored.value : stored;
}

async function give(open: OpenChange, shelf: Shelf, policy: Policy): Promise<Omit<Held, 'policy'> | Stopped> {
  const subject = { kind: 'AGENCY', id: shelf.agency.id } as const;
  const input = { policyId: policy.id, subject, scope: scopeOf(shelf.level, shelf) };
  const given = await giveGrant(open, input, 'functions');
  return given.kind === 'succeeded' ? given.value : given;
}

/**
 * Reads a policy that has a name of the shelf. It is only used while it is what this use-case makes of it: others who
 * hold it would gain what the agency gains, and what somebody wrote into it would be lost.
 */
async function readPart({ transaction, call }: OpenChange, shelf: Shelf, id: Id): Promise<Part | Invalid> {
  const policy = await transaction.get('policy', id);
  if (policy === null) throw new Error(`policy ${id} has a name and no row`);
  const conflict = (message: string): Invalid =>
    reject(problem('CONFLICT', `policy \`${policy.name}\` ${message}`, 'agencyId', { reference: 'IAM.0005' }));
  const scope = scopeOf(shelf.level, shelf);
  const grants = await transaction.access.grantsOfPolicy(call.accountId, id);
  const isOwn = ({ subjectKind, subjectId, scopeKind, scopeId }: Grant): boolean =>
    subjectKind === 'AGENCY' && subjectId === shelf.agency.id && scopeKind === scope.kind && scopeId === scope.id;
  if (!grants.every(isOwn)) return conflict('is granted to others or elsewhere as well; revoke those grants first');
  const version = await transaction.access.policyVersion(call.accountId, id, policy.defaultVersion);
  const written = plainActions(version?.text ?? '');
  if (written === null || policy.level !== shelf.level || policy.origin !== 'CUSTOM') {
    return conflict('says more than which actions are allowed; revoke its grant and delete it, or change it yourself');
  }
  const grant = grants.find(({ expiresAt }) => expiresAt === null || expiresAt > call.now) ?? null;
  return { policy, written, grant };
}

/** The actions of a document that allows them without any limit and says nothing else; null for others. */
function plainActions(text: string): readonly string[] | null {
  const statements = documentOf(text)?.statements ?? null;
  const plain = statements?.every(
    ({ effect, notActions, resources, notResources, conditions }) =>
      effect === 'ALLOW' &&
      [notActions, resources, notResources].every((part) => part === null) &&
      conditions.length === 0,
  );
  return statements === null || plain !== true ? null : statements.flatMap(({ actions }) => actions);
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  const set = new Set(others);
  return new Set(some).size === set.size && some.every((action) => set.has(action));
}

async function policyIdsOn(transaction: Transaction, shelf: Shelf): Promise<readonly Id[]> {
  const ids: Id[] = [];
  for (;;) {
    const id = await transaction.idOfName('policy', policyName(shelf, ids.length + 1));
    if (id === null) return ids;
    ids.push(id);
  }
}

const levelWords = { GLOBAL: 'global', PROJECT: 'project' } as const satisfies Record<DraftedLevel, string>;

/** Enough of an id to tell apart what one account has; a policy that is met by chance is recognised by its grants. */
const shownOfId = 8;

/** `training-global`, in one workspace `training-global-5f0c31aa`; a second one when the first is full: `training-global-2`. */
function policyName({ agency, level, workspaceId }: Shelf, number: number): string {
  const where = workspaceId === null ? [] : [workspaceId.slice(0, shownOfId)];
  const ending = ['', levelWords[level], ...where, ...(number === 1 ? [] : [String(number)])].join('-');
  const room = textRules.policyName.maximum - ending.length;
  const letters = [...agency.name];
  if (letters.length <= room) return `${agency.name}${ending}`;
  const short = letters.slice(0, room - shownOfId - 1).join('');
  return `${short}-${agency.id.slice(0, shownOfId)}${ending}`;
}

/** A repeat answers the agency with what the functions gave it, as the caller sees it by then; warnings were told then. */
function repeating(
  input: GrantAgencyFunctionsInput,
  levels: readonly DraftedLevel[],
): ChangeOptions<AgencyFunctionsChange> {
  return repeatable('grantAgencyFunctions', input, {
    objectId: ({ agency }) => agency.id,
    reread: async (transaction, id) => {
      const agency = (await transaction.reader.find('agency', [id])).get(id);
      if (agency === undefined) return null;
      const policyIds: Id[] = [];
      const grantIds: Id[] = [];
      for (const level of levels) {
        policyIds.push(...(await policyIdsOn(transaction, { agency, level, workspaceId: input.workspaceId })));
      }
      for (const policyId of policyIds) {
        const held = { policyId, subjectKind: 'AGENCY', subjectId: id } as const;
        grantIds.push(...(await transaction.idsWhere('grant', held)));
      }
      const policies = await transaction.reader.find('policy', policyIds);
      const grants = await transaction.reader.find('grant', grantIds);
      return { agency, policies: [...policies.values()], grants: [...grants.values()], warnings: [] };
    },
  });
}
