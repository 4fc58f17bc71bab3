/**
 * Comparing two conditions that meet the same request: does one follow from the other, can both hold.
 *
 * INVARIANT: neither question is answered yes wrongly. What would take more thought than it is worth is answered no.
 */
import { type AddressBlock, liesIn, readAddressBlock } from './addresses.js';
import { withoutCase } from './conditions.js';
import type { Condition } from './document.js';
import { anyRun, type Glob, globCovers, globsOverlap, literalGlob } from './globs.js';
import { type Operator, type OperatorUse, readOperator } from './operators.js';
import { compareDecimals, type Decimal, readBoolean, readDecimal, readInstant } from './quantities.js';
import { readTemplate, templateGlob, templateText } from './templates.js';

/** Whether `held` is true for every request for which `given` is. */
export function conditionImplies(given: Condition, held: Condition): boolean {
  if (given.key.toLowerCase() !== held.key.toLowerCase()) return false;
  const from = readOperator(given.operator);
  const to = readOperator(held.operator);
  if (from === null || to === null) return false;
  if (asksPresence(to)) return presenceImplied(given, from, held, to);
  // An ill-typed listed value makes its whole condition false; word for word among the given ones it does so there too.
  const usable = (text: string): boolean =>
    readSet(to.operator, text) !== null ||
    (to.operator.valueType === 'string' && readTemplate(text).template !== null) ||
    (from.operator.valueType === to.operator.valueType && given.values.includes(text));
  if (!held.values.every(usable)) return false;
  if (asksPresence(from)) return wantsAbsence(given, from) && holdsWhenAbsent(to);
  if (from.operator.valueType !== to.operator.valueType) return false;
  if (from.ifExists && !to.ifExists) return false;
  if (holdsWhenAbsent(from) && !holdsWhenAbsent(to)) return false;
  if (asksEach(to) && !asksEach(from)) return false;
  return passesImplied(given, from.operator, held, to.operator);
}

/**
 * Whether no request makes both true.
 *
 * @param singleValued no request has several values for the key
 */
export function conditionsExclude(a: Condition, b: Condition, singleValued: boolean): boolean {
  if (a.key.toLowerCase() !== b.key.toLowerCase()) return false;
  const one = readOperator(a.operator);
  const other = readOperator(b.operator);
  if (one === null || other === null) return false;
  if (wantsAbsence(a, one)) return wantsPresence(b, other);
  if (wantsAbsence(b, other)) return wantsPresence(a, one);
  if (asksPresence(one) || asksPresence(other)) return false;
  if (one.operator.valueType !== other.operator.valueType || one.ifExists || other.ifExists) return false;
  if (holdsWhenAbsent(one) && holdsWhenAbsent(other)) return false;
  // Of several values one may pass here and another there, unless one side asks it of each.
  if (!singleValued && !asksEach(one) && !asksEach(other)) return false;
  return passesApart(a, one.operator, b, other.operator);
}

function asksPresence({ operator }: OperatorUse): boolean {
  return operator.comparison === 'ABSENT' || operator.comparison === 'ABSENT_OR_EMPTY';
}

/** True for an absent key. Of the operators that ask for presence itself nothing is said. */
function holdsWhenAbsent({ prefix, ifExists, operator }: OperatorUse): boolean {
  return ifExists || (prefix === null ? operator.negated : prefix === 'ForAllValues');
}

function asksEach({ prefix, operator }: OperatorUse): boolean {
  return prefix === null ? operator.requestValues === 'EACH' : prefix === 'ForAllValues';
}

function wantsAbsence({ values }: Condition, { operator }: OperatorUse): boolean {
  return operator.comparison === 'ABSENT' && values.every((value) => readBoolean(value) === true);
}

function wantsPresence({ values }: Condition, use: OperatorUse): boolean {
  return asksPresence(use) ? values.every((value) => readBoolean(value) === false) : !holdsWhenAbsent(use);
}

function presenceImplied(given: Condition, from: OperatorUse, held: Condition, to: OperatorUse): boolean {
  const wanted = held.values.map(readBoolean);
  if (wanted.includes(null)) return false;
  if (asksPresence(from)) {
    return (
      from.operator.comparison === to.operator.comparison &&
      given.values.every((value) => wanted.includes(readBoolean(value)))
    );
  }
  return to.operator.comparison === 'ABSENT' && wanted.includes(false) && wantsPresence(given, from);
}

/** Whether each request value that passes the given condition passes the held one. */
function passesImplied(given: Condition, from: Operator, held: Condition, to: Operator): boolean {
  if (from.negated !== to.negated)
    return to.negated && passesApart(given, from, { ...held }, { ...to, negated: false });
  return from.negated
    ? held.values.every((value) => given.values.some((wider) => within(to, value, from, wider)))
    : given.values.every((value) => held.values.some((wider) => within(from, value, to, wider)));
}

/** Whether no request value passes both. */
function passesApart(a: Condition, one: Operator, b: Condition, other: Operator): boolean {
  if (one.negated && other.negated) return false;
  if (one.negated) return b.values.every((value) => a.values.some((wider) => within(other, value, one, wider)));
  if (other.negated) return a.values.every((value) => b.values.some((wider) => within(one, value, other, wider)));
  return a.values.every((value) => b.values.every((text) => apart(readSet(one, value), readSet(other, text))));
}

/** What one listed value agrees with. */
type ValueSet =
  | { readonly kind: 'glob'; readonly glob: Glob }
  | { readonly kind: 'folded'; readonly text: string }
  | { readonly kind: 'range'; readonly low: Bound | null; readonly high: Bound | null }
  | { readonly kind: 'block'; readonly block: AddressBlock }
  | { readonly kind: 'flag'; readonly flag: boolean };

interface Bound {
  readonly at: Decimal;
  readonly open: boolean;
}

/** Values as they were last read: whoever lays hundreds of conditions over each other meets each hundreds of times. */
const sets = new Map<string, ValueSet | null>();
const mostSets = 2000;

/** Null for a value that depends on the request, or is not of the operator's type. */
function readSet(operator: Operator, written: string): ValueSet | null {
  const key = `${operator.valueType} ${operator.comparison} ${written}`;
  let known = sets.get(key);
  if (known === undefined) {
    if (sets.size >= mostSets) sets.clear();
    sets.set(key, (known = readSetAnew(operator, written)));
  }
  return known;
}

function readSetAnew({ valueType, comparison }: Operator, written: string): ValueSet | null {
  const { template } = readTemplate(written);
  if (template === null || template.some(({ kind }) => kind === 'variable')) return null;
  const text = templateText(template);
  switch (valueType) {
    case 'string':
      if (comparison === 'EQUALS_IGNORING_CASE') return { kind: 'folded', text: withoutCase(text) };
      if (comparison === 'FITS_PATTERN') return { kind: 'glob', glob: templateGlob(template) };
      if (comparison === 'STARTS_WITH') return { kind: 'glob', glob: [...literalGlob(text), anyRun] };
      if (comparison === 'ENDS_WITH') return { kind: 'glob', glob: [anyRun, ...literalGlob(text)] };
      return { kind: 'glob', glob: literalGlob(text) };
    case 'boolean': {
      const flag = readBoolean(text);
      return flag === null ? null : { kind: 'flag', flag };
    }
    case 'ip': {
      const block = readAddressBlock(text);
      return block === null ? null : { kind: 'block', block };
    }
    case 'number':
    case 'date': {
      const at = valueType === 'number' ? readDecimal(text) : instantAsDecimal(text);
      if (at === null) return null;
      const bound = { at, open: comparison === 'LESS' || comparison === 'GREATER' };
      const low = comparison.startsWith('LESS') ? null : bound;
      const high = comparison.startsWith('GREATER') ? null : bound;
      return { kind: 'range', low, high };
    }
  }
}

function instantAsDecimal(text: string): Decimal | null {
  const instant = readInstant(text);
  return instant === null ? null : { digits: instant, scale: 0 };
}

function within(narrowBy: Operator, narrow: string, wideBy: Operator, wide: string): boolean {
  // Word for word the same comes to the same, variables included; what cannot be resolved agrees with nothing in both.
  if (narrow === wide && narrowBy.comparison === wideBy.comparison) return true;
  const a = readSet(narrowBy, narrow);
  const b = readSet(wideBy, wide);
  if (a === null || b === null) return false;
  if (b.kind === 'glob') {
    if (a.kind === 'glob') return globCovers(b.glob, a.glob);
    return a.kind === 'folded' && b.glob.length > 0 && b.glob.every((token) => token === anyRun);
  }
  if (b.kind === 'folded') return foldedText(a) === b.text;
  if (a.kind === 'range' && b.kind === 'range') return !beyond(b.low, a.low, 1) && !beyond(b.high, a.high, -1);
  if (a.kind === 'block' && b.kind === 'block') return a.block.prefix >= b.block.prefix && liesIn(a.block, b.block);
  return a.kind === 'flag' && b.kind === 'flag' && a.flag === b.flag;
}

/** Whether `limit` cuts off something that `other`, on the same side (1: low, -1: high), lets in. */
function beyond(limit: Bound | null, other: Bound | null, side: 1 | -1): boolean {
  if (limit === null) return false;
  if (other === null) return true;
  const order = compareDecimals(limit.at, other.at) * side;
  return order > 0 || (order === 0 && limit.open && !other.open);
}

function apart(a: ValueSet | null, b: ValueSet | null): boolean {
  if (a === null || b === null) return false;
  if (a.kind === 'glob' && b.kind === 'glob') return !globsOverlap(a.glob, b.glob);
  if (a.kind === 'folded' || b.kind === 'folded') {
    const one = foldedText(a);
    const other = foldedText(b);
    return one !== null && other !== null && one !== other;
  }
  if (a.kind === 'range' && b.kind === 'range') return ends(a.high, b.low) || ends(b.high, a.low);
  if (a.kind === 'block' && b.kind === 'block') return !liesIn(a.block, b.block) && !liesIn(b.block, a.block);
  return a.kind === 'flag' && b.kind === 'flag' && a.flag !== b.flag;
}

function ends(high: Bound | null, low: Bound | null): boolean {
  if (high === null || low === null) return false;
  const order = compareDecimals(high.at, low.at);
  return order < 0 || (order === 0 && (high.open || low.open));
}

/** The one text that the set stands for, letter case disregarded; null when there are others. */
function foldedText(set: ValueSet): string | null {
  if (set.kind === 'folded') return set.text;
  if (set.kind !== 'glob' || set.glob.some((token) => typeof token === 'symbol')) return null;
  return withoutCase(set.glob.join(''));
}
