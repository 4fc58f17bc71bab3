/**
 * What becomes of somebody's permissions when policies take the place of others. Asked twice: of the policies by
 * themselves, and of them beside whatever else somebody holds. By itself a Deny of what nothing allows does nothing; but
 * whoever has it allowed by another policy gains it when the Deny goes. Of two requests the engine knows no names: which
 * actions there are says the catalogue.
 */
import {
  buildContext,
  comparePolicies,
  evaluate,
  type ComparisonVerdict,
  type Evaluation,
  type PolicyComparison,
  type PolicyDocument,
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
  catalogue: Pick<Catalogue, 'rows' | 'namesOf'>,
  { steps }: PolicyChangeOptions = {},
): PolicyChange<Origin> {
  const options = { actions: namesOfActions(catalogue), anyAction: true, ...(steps === undefined ? {} : { steps }) };
  const documentsOf = (sources: readonly PolicySource<Origin>[]) => sources.map(({ document }) => document);
  const [then, now] = [documentsOf(before), documentsOf(after)];
  const alone = comparePolicies(then, now, options);
  const beside: PolicyComparison = [...then, ...now].some(denies)
    ? comparePolicies([...then, everything], [...now, everything], options)
    : { verdict: 'EQUIVALENT', gained: null, lost: null };
  // The witness beside others was decided with all that they may allow; it is shown as these policies decide it.
  const shown = (witness: Witness | null): ChangedRequest<Origin> | null => {
    if (witness === null) return null;
    const { request, context } = witness;
    const asked = { ...request, context: buildContext(context) };
    const { action, resource } = request;
    return { action, resource, context, before: evaluate(before, asked), after: evaluate(after, asked) };
  };
  return {
    verdict: alone.verdict,
    verdictBesideOthers: together(alone, beside),
    gained: shown(alone.gained),
    lost: shown(alone.lost),
    lifted: shown(beside.gained),
    imposed: shown(beside.lost),
  };
}

function denies({ statements }: PolicyDocument): boolean {
  return statements.some(({ effect }) => effect === 'DENY');
}

/** Every action with its other names, as the comparison wants them. */
export function namesOfActions({ rows, namesOf }: Pick<Catalogue, 'rows' | 'namesOf'>): readonly (readonly string[])[] {
  return rows.filter(({ aliasOf }) => aliasOf === null).map(({ name }) => namesOf(name));
}

function together(...comparisons: readonly PolicyComparison[]): ComparisonVerdict {
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
  UNKNOWN: 'could not be decided within the work that it may take; take it for wider',
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
