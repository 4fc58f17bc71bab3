/**
 * Which registered resources one may see, and which one finds in lists: by the register's own actions and by the kind's, on
 * each row itself (docs/domain.md section h; contract: a row filter for each kind; decision 65).
 */
import { holds } from '../policy/index.js';
import type { Decision, DecisionReason } from './authorizer.js';
import type { Call } from './call.js';
import { emptyListing, type Listing } from './listing.js';
import type { Filters, Orders, Page, Row, Window } from './ports.js';
import { kindQuestion, registerableKinds } from './resource-kinds.js';
import { planList } from './resource-plan.js';
import { listing, ownership, seeing, type Way } from './resource-ways.js';
import type { Resource } from './records.js';

/** Rows read in one statement when each has to be looked at. */
const siftedAtOnce = 500;

/** What is asked about a resource. */
export type SeenResource = Pick<Resource, 'urn' | 'kind' | 'tags' | 'ownerId' | 'registeredBy'>;

/** Whether the caller may see this resource when it is named: the one authority for a single row. */
export function maySeeResource(call: Call, resource: SeenResource): boolean {
  return holds(seeing(call.catalogue, resource.kind), (way) => opens(call, way, resource));
}

/** Whether the caller finds this resource in lists. */
export function mayListResource(call: Call, resource: SeenResource): boolean {
  return holds(listing(call.catalogue, resource.kind), (way) => opens(call, way, resource));
}

function opens(call: Call, way: Way, resource: SeenResource): boolean {
  if (way.by === 'OWNERSHIP') return isOwn(call, resource);
  const about = { resource: resource.urn, tags: resource.tags };
  if (way.by === 'REGISTER') return call.decide({ ...about, action: way.action }).effect === 'ALLOW';
  const decision = call.decide(kindQuestion(call, resource.kind, way.operation, about));
  return decision.effect === 'ALLOW' || (way.by === 'NO_DENIAL' && isMereAbsence(decision));
}

/** Whether nothing but the lack of an Allow refused. */
function isMereAbsence({ reason, statements }: Decision): boolean {
  const absent: readonly DecisionReason[] = ['NO_MATCHING_ALLOW', 'SESSION_POLICY'];
  return absent.includes(reason) && statements.every(({ effect }) => effect === 'ALLOW');
}

function isOwn(call: Call, { ownerId, registeredBy }: SeenResource): boolean {
  const own = ownership(call);
  return own !== null && own.id === (own.about === 'OWNER' ? ownerId : registeredBy);
}

/**
 * Resources here that the caller finds in lists, filtered and counted by the store. Where a policy asks what the store
 * cannot answer, the store leaves out what certainly is not listed, each row of the rest is looked at, and the list is not
 * counted. Hidden rows leave no trace in it.
 */
export async function listResources(
  call: Call,
  filter: Omit<Filters['resource'], 'visible'>,
  window: Window<Orders['resource']>,
): Promise<Listing<Resource>> {
  const { kinds, visible, exact } = planList(call, askedKinds(call, filter.kinds));
  if (visible.kind === 'NONE') return emptyListing();
  const confined = { ...filter, kinds, ...(visible.kind === 'EVERY' ? {} : { visible }) };
  if (!exact) return { page: await siftedPage(call, confined, window), count: null };
  const page = await call.reader.page('resource', confined, window);
  return { page, count: () => call.reader.count('resource', confined) };
}

/** Kinds that a list is about. Their names compare without case, as everywhere in policies. */
function askedKinds({ catalogue }: Call, asked: readonly string[] | undefined): readonly string[] {
  const kinds = registerableKinds(catalogue);
  if (asked === undefined) return kinds;
  const named = new Set(asked.map((kind) => catalogue.findKind(kind)?.name ?? kind));
  return kinds.filter((kind) => named.has(kind));
}

/** A window of the rows that the caller may see: reads on until it is full, with one more to know whether more follow. */
async function siftedPage(
  call: Call,
  filter: Filters['resource'],
  window: Window<Orders['resource']>,
): Promise<Page<Resource>> {
  const { backward, limit } = window;
  const first = await call.reader.page('resource', filter, { ...window, limit: siftedAtOnce });
  const rows: Row<Resource>[] = [];
  let page = first;
  for (;;) {
    const seen = page.rows.filter(({ record }) => mayListResource(call, record));
    if (backward) rows.unshift(...seen);
    else rows.push(...seen);
    const last = backward ? page.rows[0] : page.rows.at(-1);
    const follows = backward ? page.hasPrevious : page.hasNext;
    if (rows.length > limit || !follows || last === undefined) break;
    const bound = backward ? { before: last.position } : { after: last.position };
    page = await call.reader.page('resource', filter, { ...window, ...bound, limit: siftedAtOnce });
  }
  const more = rows.length > limit;
  return backward
    ? {
        rows: rows.slice(-limit),
        hasPrevious: more || (window.after !== null && page.hasPrevious),
        hasNext: first.hasNext,
      }
    : {
        rows: rows.slice(0, limit),
        hasPrevious: first.hasPrevious,
        hasNext: more || (window.before !== null && page.hasNext),
      };
}
