/**
 * The fewest edits of statements after which a request is allowed as it stands: Denies that match narrowed or taken away
 * and, where no Allow matches, one extended. And the Allow that says exactly this and nothing else.
 */
import { actionMatcher, isConcreteAction } from './actions.js';
import type { Condition, Statement, StatementEffect } from './document.js';
import { meetCondition, type DeterminingStatement, type PolicyRequest, type PolicySource } from './evaluation.js';
import type { NearStatement } from './near-lists.js';
import { readOperator } from './operators.js';
import type { RequestReading } from './request-reading.js';
import { matchResource } from './resources.js';

export const statementEdits = {
  TAKE_AWAY: 'The statement is taken away.',
  LEAVE_OUT_ACTION: 'An action is taken off the list of the statement.',
  LEAVE_OUT_RESOURCE: 'A resource is taken off the list of the statement.',
  ADD_ACTION: 'An action is put on the list of the statement.',
  ADD_RESOURCE: 'A resource is put on the list of the statement.',
  ADD_VALUE: 'A value is put on the list of a condition.',
  DROP_CONDITION: 'A condition is dropped.',
  DROP_EXCEPTION: 'An exception of the statement is dropped.',
} as const;

export type StatementEdit = keyof typeof statementEdits;

export interface StatementChange<Origin> extends DeterminingStatement<Origin> {
  readonly edit: StatementEdit;
  /** The action, the resource or the value; null where the statement or a condition goes as a whole. */
  readonly value: string | null;
  readonly condition: Condition | null;
}

/** A statement with what must be done to it, and what it is afterwards; null: nothing. */
export interface Edited<Origin> {
  readonly changes: readonly StatementChange<Origin>[];
  readonly source: PolicySource<Origin>;
  readonly after: Statement | null;
}

/** The least that has to be done to a Deny that matches so that it does not: always one edit. */
export function liftDeny<Origin>(deny: DeterminingStatement<Origin>, request: PolicyRequest): Edited<Origin> {
  const { source, statement } = deny;
  const { actions, resources } = statement;
  const change = (edit: StatementEdit, value: string | null): StatementChange<Origin> => ({
    source,
    statement,
    edit,
    value,
    condition: null,
  });
  if (resources !== null && resources.length > 1) {
    const fitting = resources.filter((one) => matchResource(one, request.resource, request.context).matches);
    const [resource] = fitting;
    if (fitting.length === 1 && resource !== undefined && resource === request.resource) {
      const after = { ...statement, resources: resources.filter((one) => one !== resource) };
      return { changes: [change('LEAVE_OUT_RESOURCE', resource)], source, after };
    }
  }
  if (actions.length > 1) {
    const names = [request.action, ...(request.aliases ?? [])];
    const naming = actions.filter((pattern) => names.some(actionMatcher(pattern)));
    const [action] = naming;
    if (naming.length === 1 && action !== undefined && isConcreteAction(action)) {
      const after = { ...statement, actions: actions.filter((one) => one !== action) };
      return { changes: [change('LEAVE_OUT_ACTION', action)], source, after };
    }
  }
  return { changes: [change('TAKE_AWAY', null)], source, after: null };
}

/** What has to be done to Allows so that they match; what the same condition takes is found out once. */
export class Extensions<Origin> {
  readonly #reading: RequestReading<Origin>;
  /** By the numbers of conditions, the value that is to be put on the list; null where there is none. */
  readonly #values = new Map<number, string | null>();

  constructor(reading: RequestReading<Origin>) {
    this.#reading = reading;
  }

  /**
   * One edit for each part that fails.
   *
   * @param named whether it is about the action
   */
  extend(allow: NearStatement<Origin>, named: boolean): Edited<Origin> {
    const { source, statement, conditions } = allow;
    const reading = this.#reading;
    const { request } = reading;
    const changes: StatementChange<Origin>[] = [];
    let after = statement;
    const put = (mended: Mended): void => {
      after = mended.after;
      changes.push(...mended.changes.map((change) => ({ source, statement, ...change })));
    };
    if (!named) put(mendAction(after, request));
    if (!reading.fits(allow)) put(mendResource(after, request));
    for (const [i, condition] of statement.conditions.entries()) {
      const number = conditions[i] ?? 0;
      if (reading.holds(number)) continue;
      const known = this.#values.get(number);
      const value = known === undefined ? valueFor(condition, statement.effect, request) : known;
      this.#values.set(number, value);
      put(mendCondition(after, condition, value));
    }
    return { changes, source, after };
  }
}

/** The tightest Allow for a request: this action, this resource, and nothing else. */
export function tightestAllow({ action, resource }: PolicyRequest): Statement {
  return {
    index: 0,
    sid: null,
    effect: 'ALLOW',
    actions: [action],
    notActions: null,
    resources: resource === null ? null : [literally(resource)],
    notResources: null,
    conditions: [],
  };
}

interface Mended {
  readonly changes: readonly Pick<StatementChange<unknown>, 'edit' | 'value' | 'condition'>[];
  readonly after: Statement;
}

function mendAction(statement: Statement, { action, aliases = [] }: PolicyRequest): Mended {
  const { actions, notActions } = statement;
  if (notActions === null) {
    const after = { ...statement, actions: [...actions, action] };
    return { changes: [{ edit: 'ADD_ACTION', value: action, condition: null }], after };
  }
  const fitting = notActions.filter((pattern) => [action, ...aliases].some(actionMatcher(pattern)));
  return {
    changes: fitting.map((value) => ({ edit: 'DROP_EXCEPTION', value, condition: null })),
    after: { ...statement, notActions: notActions.filter((pattern) => !fitting.includes(pattern)) },
  };
}

function mendResource(statement: Statement, { resource, context }: PolicyRequest): Mended {
  const { notResources, resources } = statement;
  if (notResources === null) {
    const value = resource === null ? '*' : literally(resource);
    const after = { ...statement, resources: [...(resources ?? []), value] };
    return { changes: [{ edit: 'ADD_RESOURCE', value, condition: null }], after };
  }
  const inTheWay = notResources.filter((pattern) => {
    const { matches, missing, problems } = matchResource(pattern, resource, context);
    return matches || missing.length + problems.length > 0;
  });
  return {
    changes: inTheWay.map((value) => ({ edit: 'DROP_EXCEPTION', value, condition: null })),
    after: { ...statement, notResources: notResources.filter((pattern) => !inTheWay.includes(pattern)) },
  };
}

/** One more value where that is enough, which is less than doing without the condition. */
function mendCondition(statement: Statement, condition: Condition, value: string | null): Mended {
  if (value === null) {
    const conditions = statement.conditions.filter((one) => one !== condition);
    return { changes: [{ edit: 'DROP_CONDITION', value, condition }], after: { ...statement, conditions } };
  }
  const wider = { ...condition, values: [...condition.values, value] };
  const conditions = statement.conditions.map((one) => (one === condition ? wider : one));
  return { changes: [{ edit: 'ADD_VALUE', value, condition }], after: { ...statement, conditions } };
}

/** What a condition must list besides to hold; null where no value does. */
function valueFor(condition: Condition, effect: StatementEffect, { context }: PolicyRequest): string | null {
  const given = context.get(condition.key.toLowerCase()) ?? [];
  const [value] = given;
  if (value === undefined || given.length > 1) return null;
  const use = readOperator(condition.operator);
  if (use === null || use.operator.negated || !takesValues.includes(use.operator.comparison)) return null;
  if (use.operator.valueType === 'boolean') return null;
  const listed = use.operator.valueType === 'ip' ? value : literally(value);
  if (listed === '') return null;
  const wider = { ...condition, values: [...condition.values, listed] };
  return meetCondition(wider, effect, context).matches ? listed : null;
}

const takesValues: readonly string[] = ['EQUALS', 'EQUALS_IGNORING_CASE', 'FITS_PATTERN', 'IN_BLOCK'];

/** A text as it stands in a document, so that it means itself: no wildcard, no variable. */
function literally(text: string): string {
  return /[*?]|\$\{/.test(text)
    ? Array.from(text, (character) => ('*?$'.includes(character) ? `\${${character}}` : character)).join('')
    : text;
}
