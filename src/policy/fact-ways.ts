/** Ways to yes that lead through the facts of a request, as changes that are shown. */
import type { RequestContext } from './context.js';
import { changedContext, type NumberedStatement } from './changed-statements.js';
import { type ChangeableContext, type ContextTarget, findContextWay, settleChanges } from './context-ways.js';
import type { StatementEffect } from './document.js';
import { type ExplainedRequest, type Group, oneOfEachKind } from './explained-request.js';
import type { NearStatement } from './neighbours.js';
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
    const allows = possible(own, 'ALLOW');
    if (narrowing === null) {
      const targets = oneOfEachKind(allows).map((one): ContextTarget => [one]);
      return this.#search(targets, (context) => explained.isAllowed(context));
    }
    const second = oneOfEachKind(possible(narrowing, 'ALLOW')).map((one) => this.#beyond(one));
    const exempt = oneOfEachKind(allows.filter((one) => explained.isExempt(one)));
    const others = oneOfEachKind(allows.filter((one) => !explained.isExempt(one)));
    const targets = [
      ...exempt.map((one): ContextTarget => [one]),
      ...others.flatMap((one) => second.map((other): ContextTarget => [one, other])),
    ];
    return this.#search(targets, (context) => explained.isAllowed(context));
  }

  /** With the fewest facts that let no Deny match. */
  pastDenies(): FactWay | null {
    return this.#search([[]], (context) => !this.#explained.isExplicitlyDenied(context));
  }

  #search(targets: readonly ContextTarget[], allowed: (context: RequestContext) => boolean): FactWay | null {
    const changeable = this.#changeable;
    if (changeable === null || targets.length === 0) return null;
    const { request, own, groups, keys } = this.#explained;
    const denies = groups.flatMap((group): readonly NumberedStatement[] => {
      const ones = oneOfEachKind(possible(group, 'DENY'));
      return group === own ? ones : ones.map((one) => this.#beyond(one));
    });
    const { candidates, conditions } = own.neighbourhood;
    const memory = { candidates, numbers: conditions.length };
    const chosen = findContextWay({ request, changeable, targets, denies, keys, allowed, memory });
    if (chosen === null || chosen.size === 0) return null;
    const base = request.context;
    const settled = settleChanges(chosen, changeable);
    const changes: ContextChange[] = [];
    for (const [key, to] of settled) {
      const from = base.get(key) ?? [];
      const entailed = !chosen.has(key);
      // What goes with it and nothing here asks for is no change that anybody has to know of.
      if (entailed && (!keys.has(key) || from.join('\n') === to.join('\n'))) continue;
      changes.push({ kind: 'CONTEXT', key: this.#explained.spellingOf(key), from, to, entailed });
    }
    changes.sort((a, b) => Number(a.entailed) - Number(b.entailed));
    return { changes, context: changedContext(base, keys, settled) };
  }

  /** A statement of the narrowing, its conditions numbered beyond those of the sources. */
  #beyond({ one, conditions }: NearStatement<Origin>): NumberedStatement {
    const first = this.#explained.own.neighbourhood.conditions.length;
    return { one, conditions: conditions.map((number) => first + number) };
  }
}

/** Statements that could match in some context. */
function possible<Origin>(
  { about, reading }: Group<Origin>,
  effect: StatementEffect,
): readonly NearStatement<Origin>[] {
  return about.filter((one) => one.statement.effect === effect && (one.one.variables.length > 0 || reading.fits(one)));
}
