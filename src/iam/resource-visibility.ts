/**
 * Which registered resources one may see: by the register's own `get` or `list` and by the kind's, on each row itself.
 * Lists say the same as looking at every row would (docs/domain.md section h; contract: a row filter for each kind).
 */
import type { Catalogue } from '../catalogue/index.js';
import { statementsMayOverlap, type Statement } from '../policy/index.js';
import type { Question } from './authorizer.js';
import type { Call } from './call.js';
import type { Listing } from './listing.js';
import type { Filters, Orders, Page, Row, Window } from './ports.js';
import { isRegistered, kindActions, kindQuestion, registerableKinds, type KindOperation } from './resource-kinds.js';
import type { Resource } from './records.js';

/** Rows read in one statement when each has to be looked at. */
const siftedAtOnce = 500;

function mayOnKind(call: Call, kind: string, operation: KindOperation, about: Omit<Question, 'action'>): boolean {
  return call.decide(kindQuestion(call, kind, operation, about)).effect === 'ALLOW';
}

/** The operations that let one see a resource: those of its kind that are registered, else `get` stands for both. */
function seeing(catalogue: Catalogue, kind: string): readonly KindOperation[] {
  const registered = (['get', 'list'] as const).filter((operation) => isRegistered(catalogue, kind, operation));
  return registered.length > 0 ? registered : ['get'];
}

/** Kinds whose resources the caller may list here: the row filter of `resources`. */
export function listableKinds(call: Call): readonly string[] {
  return registerableKinds(call.catalogue).filter((kind) =>
    listing(call, kind).some((operation) => mayOnKind(call, kind, operation, { resource: null })),
  );
}

/** `list` where the kind has it; a kind without it is listed by whoever may read one. */
function listing({ catalogue }: Pick<Call, 'catalogue'>, kind: string): readonly KindOperation[] {
  return isRegistered(catalogue, kind, 'list') ? ['list'] : seeing(catalogue, kind);
}

/**
 * Resources here that the caller may see. Kinds are filtered in the store. Where a statement tells resources of one kind
 * apart, by tags or by URN, each row is looked at too and the list is not counted; hidden rows leave no trace in it.
 */
export async function listResources(
  call: Call,
  filter: Filters['resource'],
  window: Window<Orders['resource']>,
): Promise<Listing<Resource>> {
  const listable = listableKinds(call);
  // Names of kinds compare without case, as everywhere in policies.
  const kinds =
    filter.kinds
      ?.map((kind) => call.catalogue.findKind(kind)?.name ?? kind)
      .filter((kind) => listable.includes(kind)) ?? listable;
  const confined = { ...filter, kinds };
  if (!kinds.every((kind) => seesWholeKind(call, kind))) {
    return { page: await siftedPage(call, confined, window), count: null };
  }
  const page = await call.reader.page('resource', confined, window);
  return { page, count: () => call.reader.count('resource', confined) };
}

/** Whether no statement of the caller's could answer otherwise for one resource than for its kind as a whole. */
function seesWholeKind(call: Call, kind: string): boolean {
  if (call.principal.kind === 'ROOT') return true;
  if (call.rights.bounds?.policy != null) return false;
  const actions = [
    ...(['get', 'list'] as const).flatMap((operation) => kindActions(call.catalogue, kind, operation)),
    ...registerActions,
  ];
  const asked: Statement = {
    index: 0,
    sid: null,
    effect: 'ALLOW',
    actions,
    notActions: null,
    resources: null,
    notResources: null,
    conditions: [],
  };
  const names = actions.map((action) => call.catalogue.namesOf(action));
  return call.rights.sources.every(({ document }) =>
    document.statements.every((held) => isPlainAllow(held) || !statementsMayOverlap(held, asked, names)),
  );
}

function isPlainAllow({ effect, resources, notResources, conditions }: Statement): boolean {
  const everything = notResources === null && (resources === null || resources.includes('*'));
  return effect === 'ALLOW' && everything && conditions.length === 0;
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
    const seen = page.rows.filter(({ record }) => maySeeResource(call, record));
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

/** The register's own actions that let one see what is registered. */
const registerActions = ['bailiwick:resources:get', 'bailiwick:resources:list'] as const;

/** Whether the caller may see this resource: by the register's `get` or `list` and by the kind's, each on the row itself. */
export function maySeeResource(call: Call, resource: Pick<Resource, 'urn' | 'kind' | 'tags'>): boolean {
  const about = { resource: resource.urn, tags: resource.tags };
  return (
    registerActions.some((action) => call.decide({ ...about, action }).effect === 'ALLOW') &&
    seeing(call.catalogue, resource.kind).some((operation) => mayOnKind(call, resource.kind, operation, about))
  );
}
