/**
 * Truth as a small tree over tests of some kind, simplified while it is built: no constant inside another expression, no
 * AND in an AND, nothing said twice. What a test is and when it holds is the business of whoever plants the tree.
 */

export type Expression<Test> =
  | { readonly kind: 'EVERY' }
  | { readonly kind: 'NONE' }
  | { readonly kind: 'ALL'; readonly of: readonly Expression<Test>[] }
  | { readonly kind: 'ANY'; readonly of: readonly Expression<Test>[] }
  | { readonly kind: 'NOT'; readonly of: Expression<Test> }
  | { readonly kind: 'TEST'; readonly test: Test };

export const every = { kind: 'EVERY' } as const;
export const none = { kind: 'NONE' } as const;

export function testOf<Test>(of: Test): Expression<Test> {
  return { kind: 'TEST', test: of };
}

export function constant(holds: boolean): typeof every | typeof none {
  return holds ? every : none;
}

export function negation<Test>(of: Expression<Test>): Expression<Test> {
  if (of.kind === 'EVERY') return none;
  if (of.kind === 'NONE') return every;
  return of.kind === 'NOT' ? of.of : { kind: 'NOT', of };
}

export function allOf<Test>(of: readonly Expression<Test>[]): Expression<Test> {
  return joined('ALL', of);
}

export function anyOf<Test>(of: readonly Expression<Test>[]): Expression<Test> {
  return joined('ANY', of);
}

/** Whether it holds where each test holds or not. */
export function holds<Test>(expression: Expression<Test>, verdict: (test: Test) => boolean): boolean {
  switch (expression.kind) {
    case 'EVERY':
      return true;
    case 'NONE':
      return false;
    case 'TEST':
      return verdict(expression.test);
    case 'NOT':
      return !holds(expression.of, verdict);
    case 'ALL':
      return expression.of.every((part) => holds(part, verdict));
    case 'ANY':
      return expression.of.some((part) => holds(part, verdict));
  }
}

/** Number of tests in it, each as heavy as `weight` says. */
export function sizeOf<Test>(expression: Expression<Test>, weight: (test: Test) => number = () => 1): number {
  switch (expression.kind) {
    case 'EVERY':
    case 'NONE':
      return 0;
    case 'TEST':
      return weight(expression.test);
    case 'NOT':
      return sizeOf(expression.of, weight);
    case 'ALL':
    case 'ANY':
      return expression.of.reduce((sum, part) => sum + sizeOf(part, weight), 0);
  }
}

/**
 * The same expression with something else in the place of each test; it is told whether the test stands under an even
 * number of negations, so that a bound can be put for it.
 */
export function replaceTests<From, To>(
  expression: Expression<From>,
  replacement: (test: From, upright: boolean) => Expression<To>,
  upright = true,
): Expression<To> {
  switch (expression.kind) {
    case 'EVERY':
    case 'NONE':
      return expression;
    case 'TEST':
      return replacement(expression.test, upright);
    case 'NOT':
      return negation(replaceTests(expression.of, replacement, !upright));
    case 'ALL':
    case 'ANY':
      return joined(
        expression.kind,
        expression.of.map((part) => replaceTests(part, replacement, upright)),
      );
  }
}

/** Whether two expressions are written alike; expressions that mean the same may still differ. */
export function writtenAlike<Test>(one: Expression<Test>, other: Expression<Test>): boolean {
  return keyOf(one) === keyOf(other);
}

/** The text of an expression; equal for those that are written alike. */
export function keyOf<Test>(expression: Expression<Test>): string {
  let key = keys.get(expression);
  if (key === undefined) {
    key = JSON.stringify(expression);
    keys.set(expression, key);
  }
  return key;
}

/** Parts are compared each time that something is built of them. */
const keys = new WeakMap<object, string>();

function joined<Test>(kind: 'ALL' | 'ANY', of: readonly Expression<Test>[]): Expression<Test> {
  // `ends` decides by itself; `idle` adds nothing.
  const [ends, idle] = kind === 'ALL' ? ([none, every] as const) : ([every, none] as const);
  const parts = new Map<string, Expression<Test>>();
  for (const part of of.flatMap((each) => (each.kind === kind ? each.of : [each]))) {
    if (part.kind === ends.kind) return ends;
    if (part.kind !== idle.kind) parts.set(keyOf(part), part);
  }
  const other = kind === 'ALL' ? 'ANY' : 'ALL';
  const kept = [...parts.values()].filter(
    // `a OR (a AND b)` is `a`, and `a AND (a OR b)` too.
    (part) => part.kind !== other || !part.of.some((inner) => parts.has(keyOf(inner))),
  );
  const [first] = kept;
  if (first === undefined) return idle;
  return kept.length === 1 ? first : { kind, of: kept };
}
