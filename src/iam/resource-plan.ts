/**
 * Which rows of the register a caller may list, as one expression that the store puts to its rows. It reads the very rules
 * that are asked about one row (resource-visibility.ts), with a plan in the place of each decision.
 */
import {
  allOf,
  anyOf,
  isExact,
  keyOf,
  none,
  open,
  replaceTests,
  sizeOf,
  testOf,
  upperBound,
  weightOf,
  withSegments,
  type Expression,
  type OpenTest,
  type Plan,
} from '../policy/index.js';
import type { Call } from './call.js';
import type { RowExpression, RowTest } from './ports.js';
import { kindQuestion } from './resource-kinds.js';
import { listing, ownership, type Way } from './resource-ways.js';

export interface RowPlan {
  /** Kinds of which the caller may list some. */
  readonly kinds: readonly string[];
  /** Holds for every row of these kinds that may be listed, and for no other if the plan is exact. */
  readonly visible: RowExpression;
  readonly exact: boolean;
}

type OpenRowPlan = Expression<RowTest | OpenTest>;

/** Tests that one statement may carry. Above, the largest plans are given up first. */
const mostTests = 1_000;

export function planList(call: Call, kinds: readonly string[]): RowPlan {
  const plans = new Map<string, { readonly kinds: string[]; readonly plan: OpenRowPlan }>();
  const planOfWay = wayPlanner(call);
  for (const kind of kinds) {
    const plan = replaceTests(listing(call.catalogue, kind), (way) => planOfWay(way, kind));
    if (plan.kind === 'NONE') continue;
    const key = keyOf(plan);
    const alike = plans.get(key);
    if (alike === undefined) plans.set(key, { kinds: [kind], plan });
    else alike.kinds.push(kind);
  }
  const groups = withinBounds([...plans.values()]);
  const [first] = groups;
  const listed = groups.flatMap((group) => group.kinds);
  const visible =
    groups.length === 1 && first !== undefined
      ? upperBound<RowTest>(first.plan)
      : anyOf(
          groups.map((group) =>
            allOf<RowTest>([testOf({ about: 'KIND', oneOf: group.kinds }), upperBound<RowTest>(group.plan)]),
          ),
        );
  return { kinds: listed, visible, exact: groups.every(({ plan }) => isExact(plan)) };
}

function withinBounds<Group extends { readonly plan: OpenRowPlan }>(groups: readonly Group[]): readonly Group[] {
  const sized = groups.map((group) => ({ group, size: sizeOf(group.plan, weightOf) }));
  let size = sized.reduce((sum, one) => sum + one.size, 0);
  const given = new Set<Group>();
  for (const one of sized.toSorted((a, b) => b.size - a.size)) {
    if (size <= mostTests) break;
    given.add(one.group);
    size -= one.size;
  }
  return groups.map((group) => (given.has(group) ? { ...group, plan: open } : group));
}

function wayPlanner(call: Call): (way: Way, kind: string) => OpenRowPlan {
  const ofRegister = new Map<string, Plan>();
  return (way, kind) => {
    if (way.by === 'OWNERSHIP') return ownerPlan(call);
    // Who registers a resource gives it a URN of its account and of its kind, letter by letter.
    const [service = '', type = ''] = kind.split(':');
    const known = [service, null, call.accountId, type, null];
    if (way.by !== 'REGISTER') {
      const { resource: _, ...question } = kindQuestion(call, kind, way.operation, { resource: null });
      return withSegments(call.plan(question, way.by === 'KIND' ? 'ALLOWED' : 'NOT_DENIED'), known);
    }
    const plan = ofRegister.get(way.action) ?? call.plan({ action: way.action });
    ofRegister.set(way.action, plan);
    return withSegments(plan, known);
  };
}

function ownerPlan(call: Call): OpenRowPlan {
  const owner = ownership(call);
  return owner === null ? none : testOf<RowTest>(owner);
}
