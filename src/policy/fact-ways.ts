/** Ways to yes that lead through the facts of a request, as changes that are shown. */
import { changedContext, type UnchangedRequest } from './changed-statements.js';
import type { RequestContext } from './context.js';
import {
  ContextPlan,
  type ContextTarget,
  type NumberedStatement,
  type PlannedCondition,
  type PlannedResources,
} from './context-plans.js';
import { type ChangeableContext, findContextWay, settleChanges } from './context-ways.js';
import type { StatementEffect } from './document.js';
import type { ExplainedRequest } from './explained-request.js';
import { oneOfEachKind, type NearList, type NearStatement } from './near-lists.js';
import type { ContextChange } from './ways.js';

/** Other facts, and what they make of the context as far as any statement asks. */
export interface FactWay {
  readonly changes: readonly ContextChange[];
  readonly context: RequestContext;
}

export class FactWays<Origin> {
  readonly #explained: ExplainedRequest<Origin>;
  /** Null: no fact may change. */
  readonly #changeable: ChangeableContext | null;

  constructor(explained: ExplainedRequest<Origin>, changeable: ChangeableContext | null) {
    this.#explained = explained;
    this.#changeable = changeable;
  }

  /** With the fewest facts that make it allowed. */
  toYes(): FactWay | null {
    const explained = this.#explained;
    const { own, narrowing } = explained;
    const allowed = (context: RequestContext): boolean => explained.isAllowed(context);
    if (narrowing === null) {
      const { possible, neighbourhood } = own;
      return this.#search(allowed, (changeable) =>
        neighbourhood.plansToYes.of(possible, changeable.sameKeys ?? [], () => {
          const targets = ofEffect(possible, 'ALLOW').map((one): ContextTarget => [one]);
          return this.#plan(targets, changeable);
        }),
      );
    }
    const allows = own.possible.all.filter(({ statement }) => statement.effect === 'ALLOW');
    const second = ofEffect(narrowing.possible, 'ALLOW').map((one) => this.#beyond(one));
    const exempt = oneOfEachKind(allows.filter((one) => explained.isExempt(one)));
    const others = oneOfEachKind(allows.filter((one) => !explained.isExempt(one)));
    const targets = [
      ...exempt.map((one): ContextTarget => [one]),
      ...others.flatMap((one) => second.map((other): ContextTarget => [one, other])),
    ];
    return this.#search(allowed, (changeable) => this.#plan(targets, changeable));
  }

  /** With the fewest facts that let no Deny match. */
  pastDenies(): FactWay | null {
    const { own, narrowing } = this.#explained;
    const allowed = (context: RequestContext): boolean => !this.#explained.isExplicitlyDenied(context);
    return this.#search(allowed, (changeable) =>
      narrowing === null
        ? own.neighbourhood.plansPastDenies.of(own.possible, changeable.sameKeys ?? [], () =>
            this.#plan([[]], changeable),
          )
        : this.#plan([[]], changeable),
    );
  }

  #plan(targets: readonly ContextTarget[], { sameKeys = [] }: ChangeableContext): ContextPlan {
    const { own, narrowing } = this.#explained;
    const { candidates, conditions } = own.neighbourhood;
    const denies = [
      ...ofEffect(own.possible, 'DENY'),
      ...(narrowing === null ? [] : ofEffect(narrowing.possible, 'DENY').map((one) => this.#beyond(one))),
    ];
    return new ContextPlan(targets, denies, sameKeys, candidates, conditions.length);
  }

  #search(
    allowed: (context: RequestContext) => boolean,
    planOf: (changeable: ChangeableContext) => ContextPlan,
  ): FactWay | null {
    const changeable = this.#changeable;
    if (changeable === null) return null;
    const plan = planOf(changeable);
    if (plan.targets.length === 0) return null;
    const { request, keys } = this.#explained;
    const chosen = findContextWay({ unchanged: this.#unchanged(), changeable, plan, keys, allowed });
    if (chosen === null || chosen.size === 0) return null;
    const base = request.context;
    const settled = settleChanges(chosen, changeable);
    const changes: ContextChange[] = [];
    for (const [key, to] of settled) {
      const from = base.get(key) ?? [];
      const entailed = !chosen.has(key);
      // What goes with it and nothing here asks for is no change that anybody has to know of.
      if (entailed && (!keys.has(key) || isSame(from, to))) continue;
      changes.push({ kind: 'CONTEXT', key: this.#explained.spellingOf(key), from, to, entailed });
    }
    changes.sort((a, b) => Number(a.entailed) - Number(b.entailed));
    return { changes, context: changedContext(base, keys, settled) };
  }

  /** What is known already of the parts of statements, those of the narrowing numbered beyond those of the sources. */
  #unchanged(): UnchangedRequest {
    const { own, narrowing, request } = this.#explained;
    const { conditions, countOfResources } = own.neighbourhood;
    const { reading } = own;
    const beyond = narrowing?.reading ?? reading;
    const first = conditions.length;
    return {
      context: request.context,
      resource: reading.resource,
      holds: ({ number }: PlannedCondition) => (number < first ? reading.holds(number) : beyond.holds(number - first)),
      fits: ({ number, one }: PlannedResources) =>
        number < countOfResources ? reading.fitsListed(number, one) : beyond.fitsListed(number - countOfResources, one),
    };
  }

  #beyond({ one, resources, conditions }: NearStatement<Origin>): NumberedStatement {
    const { conditions: own, countOfResources } = this.#explained.own.neighbourhood;
    return {
      one,
      resources: countOfResources + resources,
      conditions: conditions.map((number) => own.length + number),
    };
  }
}

/** Of statements that apply together or not at all, the first. */
function ofEffect<Origin>(statements: NearList<Origin>, effect: StatementEffect): readonly NearStatement<Origin>[] {
  return statements.ofEachKind.filter(({ statement }) => statement.effect === effect);
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((value, at) => value === b[at]);
}
