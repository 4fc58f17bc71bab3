/**
 * What becomes of somebody's permissions when policies take the place of others. Asked twice: of the policies by
 * themselves, and of them beside whatever else somebody holds. By itself a Deny of what nothing allows does nothing; but
 * whoever has it allowed by another policy gains it when the Deny goes. Which actions there are says the catalogue.
 */
import {
  buildContext,
  comparePolicies,
  type ComparisonOptions,
  evaluate,
  type ComparisonVerdict,
  type Evaluation,
  type PolicyComparison,
  type PolicyDocument,
  type PolicyRequest,
  type PolicySource,
  type Witness,
} from '../policy/index.js';
import type { Catalogue } from './catalogue.js';
import { quote } from './suggestion.js';

/** A request that the two sides decide differently, with both decisions. */
export interface ChangedRequest<Origin> {
  readonly action: string;
  readonly resource: string | null;
  readonly context: readonly (readonly [key: string, values: readonly string[]])[];
  readonly before: Evaluation<Origin>;
  readonly after: Evaluation<Origin>;
}

export interface PolicyChange<Origin> {
  /** Of the policies by themselves, as if nobody held anything else. */
  readonly verdict: ComparisonVerdict;
  /** Of the policies as some of those that somebody holds, whatever the others are. */
  readonly verdictBesideOthers: ComparisonVerdict;
  /** Only `after` allows it. */
  readonly gained: ChangedRequest<Origin> | null;
  /** Only `before` allows it. */
  readonly lost: ChangedRequest<Origin> | null;
  /** Only `before` denies it whatever else allows it. */
  readonly lifted: ChangedRequest<Origin> | null;
  /** Only `after` denies it whatever else allows it. */
  readonly imposed: ChangedRequest<Origin> | null;
}

export interface PolicyChangeOptions {
  /** Work that each of the two comparisons may take; what it is counted in is the engine's. */
  readonly steps?: number;
}

/** Stands for all that others may allow. */
const everything: PolicyDocument = {
  version: '1.1',
  depends: [],
  statements: [
    {
      index: 0,
      sid: null,
      effect: 'ALLOW',
      actions: ['*'],
      notActions: null,
      resources: null,
      notResources: null,
      conditions: [],
    },
  ],
};

/** Names that nobody has registered yet count too: whoever holds a pattern will hold what it takes in tomorrow. */
export function changeOfPolicies<Origin>(
  before: readonly PolicySource<Origin>[],
  after: readonly PolicySource<Origin>[],
  catalogue: ComparingCatalogue,
  given: PolicyChangeOptions = {},
): PolicyChange<Origin> {
  const options = { ...knowledgeOf(catalogue), ...given };
  const compare = (more: readonly PolicySource<Origin | null>[]) => {
    const [then, now] = [
      [...before, ...more],
      [...after, ...more],
    ];
    const found = comparePolicies(then.map(documentIn), now.map(documentIn), options);
    // The witness beside others was decided with all that they may allow; it is shown as these policies decide it.
    const shown = (witness: Witness | null) =>
      witness === null ? null : decided(plainest(witness, then, now), before, after);
    return { ...found, gained: shown(found.gained), lost: shown(found.lost) };
  };
  const alone = compare([]);
  const beside = [...before, ...after].some(denies)
    ? compare([{ name: '', document: everything, origin: null }])
    : ({ verdict: 'EQUIVALENT', gained: null, lost: null } as const);
  return {
    verdict: alone.verdict,
    verdictBesideOthers: together(alone, beside),
    gained: alone.gained,
    lost: alone.lost,
    lifted: beside.gained,
    imposed: beside.lost,
  };
}

/**
 * Only the one direction, of the policies by themselves: a request that only `after` allows. `excluded`: there certainly is
 * none. Neither found nor excluded: it is not known.
 */
export function gainOfPolicies<Origin>(
  before: readonly PolicySource<Origin>[],
  after: readonly PolicySource<Origin>[],
  catalogue: ComparingCatalogue,
  options: PolicyChangeOptions = {},
): { readonly excluded: boolean; readonly gained: ChangedRequest<Origin> | null } {
  const given = { ...knowledgeOf(catalogue), ...options };
  const { verdict, gained } = comparePolicies(before.map(documentIn), after.map(documentIn), given);
  return {
    excluded: verdict === 'EQUIVALENT' || verdict === 'NARROWER',
    gained: gained === null ? null : decided(plainest(gained, before, after), before, after),
  };
}

function decided<Origin>(
  asked: AskedRequest,
  before: readonly PolicySource<Origin>[],
  after: readonly PolicySource<Origin>[],
): ChangedRequest<Origin> {
  const { action, resource, context } = asked;
  const request = requestOf(asked);
  return { action, resource, context, before: evaluate(before, request), after: evaluate(after, request) };
}

function documentIn({ document }: PolicySource<unknown>): PolicyDocument {
  return document;
}

type AskedRequest = Pick<ChangedRequest<unknown>, 'action' | 'resource' | 'context'> & Pick<PolicyRequest, 'aliases'>;

function requestOf({ context, ...request }: AskedRequest): PolicyRequest {
  return { ...request, context: buildContext(context) };
}

/** Without the resource and the keys that the two decide differently without: a reader asks what each of them is for. */
function plainest(
  { request: { context: _context, ...request }, context }: Witness,
  before: readonly PolicySource<unknown>[],
  after: readonly PolicySource<unknown>[],
): AskedRequest {
  const effects = (asked: AskedRequest) =>
    `${evaluate(before, requestOf(asked)).effect} ${evaluate(after, requestOf(asked)).effect}`;
  let plain: AskedRequest = { ...request, context };
  const wanted = effects(plain);
  const attempt = (asked: AskedRequest): void => {
    if (effects(asked) === wanted) plain = asked;
  };
  attempt({ ...plain, resource: null });
  for (const entry of context) attempt({ ...plain, context: plain.context.filter((each) => each !== entry) });
  return plain;
}

function denies({ document }: PolicySource<unknown>): boolean {
  return document.statements.some(({ effect }) => effect === 'DENY');
}

/** What of a catalogue a comparison wants to know. */
export type ComparingCatalogue = Pick<Catalogue, 'rows' | 'namesOf' | 'findConditionKey'>;

/** Every action with its other names, and which keys the server itself fills in, with one value. */
function knowledgeOf({ rows, namesOf, findConditionKey }: ComparingCatalogue): ComparisonOptions {
  return {
    actions: rows.filter(({ aliasOf }) => aliasOf === null).map(({ name }) => namesOf(name)),
    anyAction: true,
    singleValued: (key) => {
      const known = findConditionKey(key);
      return known !== undefined && known.documented && known.setBy === 'SERVER' && known.type !== 'string-set';
    },
  };
}

function together(...comparisons: readonly Record<keyof PolicyComparison, unknown>[]): ComparisonVerdict {
  const gains = comparisons.some(({ gained }) => gained !== null);
  const loses = comparisons.some(({ lost }) => lost !== null);
  if (gains && loses) return 'INCOMPARABLE';
  if (comparisons.some(({ verdict }) => verdict === 'UNKNOWN')) return 'UNKNOWN';
  return gains ? 'WIDER' : loses ? 'NARROWER' : 'EQUIVALENT';
}

/** Whether somebody may gain by it: what could not be decided counts. */
export function mayWiden(verdict: ComparisonVerdict): boolean {
  return verdict === 'WIDER' || verdict === 'INCOMPARABLE' || verdict === 'UNKNOWN';
}

const verdictWords = {
  EQUIVALENT: 'allows the same as before',
  NARROWER: 'allows less than before',
  WIDER: 'allows more than before',
  INCOMPARABLE: 'allows some things more than before and others less',
  UNKNOWN: 'may allow more than before: it could not be decided within the work that a comparison may take',
} as const satisfies Record<ComparisonVerdict, string>;

/** Both verdicts in one line. */
export function describePolicyChange({ verdict, verdictBesideOthers }: PolicyChange<unknown>): string {
  if (verdict === verdictBesideOthers) return verdictWords[verdict];
  return `by itself it ${verdictWords[verdict]}; beside other policies it ${verdictWords[verdictBesideOthers]}`;
}

/** A request in words, for instance: `a:b:c` on `a:::b:x` with `g:SourceIp` = `10.0.0.1`. */
export function describeChangedRequest({
  action,
  resource,
  context,
}: Pick<ChangedRequest<unknown>, 'action' | 'resource' | 'context'>): string {
  const about = resource === null ? 'on no resource in particular' : `on ${quote(resource)}`;
  const facts = context.map(([key, values]) => `${quote(key)} = ${values.map(quote).join(', ')}`);
  return [quote(action), about, ...(facts.length === 0 ? [] : [`with ${facts.join(' and ')}`])].join(' ');
}
