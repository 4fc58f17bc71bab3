/**
 * Why a request is decided as it is: what decided, what was near, and the shortest way to yes.
 *
 * A way to yes is looked for where it costs least: first in the request itself (other facts), then in the statements
 * there are, then in one statement or policy more. In the first of these places where there is one, it has the fewest
 * elements. Each is put to the evaluator before it is shown: what is shown works.
 */
import type { ChangeableContext } from './context-ways.js';
import type { StatementEffect } from './document.js';
import { EditWays } from './edit-ways.js';
import type { PolicyRequest, PolicySource } from './evaluation.js';
import { ExplainedRequest, type Participation, type Verdict } from './explained-request.js';
import { FactWays } from './fact-ways.js';
import { GrantWays, type Offer } from './grant-ways.js';
import { findNearMisses, type NearMiss } from './near-misses.js';
import type { Way } from './ways.js';

export interface Explanation<Origin> extends Verdict<Origin> {
  readonly effect: StatementEffect;
  readonly nearMisses: readonly NearMiss<Origin>[];
  readonly nearMissesLeftOut: number;
  /** The shortest first; empty when it is allowed, and when there is none. */
  readonly ways: readonly Way<Origin>[];
}

export interface ExplanationOptions<Origin>
  extends Participation<Origin>, Partial<ChangeableContext>, Partial<Offer<Origin>> {
  /** Whether statements of a source may be changed. */
  readonly mayEdit?: (source: PolicySource<Origin>) => boolean;
  readonly mostNearMisses?: number;
}

/** Near misses that are told unless said otherwise. */
const usualNearMisses = 10;

/** The sources and candidates must not change while their lists are kept: what is found out about them is kept as well. */
export function explain<Origin>(
  sources: readonly PolicySource<Origin>[],
  request: PolicyRequest,
  options: ExplanationOptions<Origin> = {},
): Explanation<Origin> {
  const explained = new ExplainedRequest(sources, request, options);
  const { reason, evaluation } = explained.verdict(request.context);
  const { nearMisses, leftOut } = findNearMisses(explained.near, options.mostNearMisses ?? usualNearMisses);
  return {
    effect: reason === 'ALLOWED' ? 'ALLOW' : 'DENY',
    reason,
    evaluation,
    nearMisses,
    nearMissesLeftOut: leftOut,
    ways: reason === 'ALLOWED' || !explained.asksOneAction ? [] : waysToYes(explained, options),
  };
}

function waysToYes<Origin>(
  explained: ExplainedRequest<Origin>,
  options: ExplanationOptions<Origin>,
): readonly Way<Origin>[] {
  const facts = new FactWays(explained, changeableBy(options));
  const throughFacts = facts.toYes();
  if (throughFacts !== null) return [{ kind: 'CONTEXT', changes: throughFacts.changes }];
  const edits = new EditWays(explained, options.mayEdit ?? (() => false));
  const throughEdits = edits.toYes();
  if (throughEdits !== null) return [{ kind: 'STATEMENT', changes: throughEdits }];
  const { mayGrant = false, candidates = [] } = options;
  return new GrantWays(explained, facts, edits).toYes({ mayGrant, candidates });
}

function changeableBy({ mayBecome, sameKeys, entails }: Partial<ChangeableContext>): ChangeableContext | null {
  if (mayBecome === undefined) return null;
  return {
    mayBecome,
    ...(sameKeys === undefined ? {} : { sameKeys }),
    ...(entails === undefined ? {} : { entails }),
  };
}
