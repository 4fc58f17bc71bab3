/**
 * What the parts of the grammar share while they walk one document: its limits, its leniencies, where faults go, and
 * the checks that every part makes.
 */
import type { PolicyLimits } from './document.js';
import { type JsonArray, type JsonNode, type JsonObject, pointerStep } from './json.js';
import { didYouMean, type Problem, type ProblemCode, quote } from './problems.js';

export interface Reading {
  readonly limits: PolicyLimits;
  /** A lone string may stand for a list of one (5.0). */
  readonly loneStrings: boolean;
  /** `*` alone may stand for every action (5.0, and simulated documents). */
  readonly loneStar: boolean;
  /** Members of 5.0: `Sid`, `NotAction`, `NotResource`. */
  readonly newerMembers: boolean;
  /** Actions and resources of unusual form are a warning only. */
  readonly anyForm: boolean;
  /** Reports a fault. `at` is the offset to show: of the value, or of its name when the name is what is wrong. */
  report(code: ProblemCode, message: string, pointer: string, at: number | null, severity?: Problem['severity']): void;
}

/** Characters as people count them: an emoji is one, not two. */
export function countCharacters(text: string): number {
  return text.length - (text.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0);
}

/** The value of a member, or null. Repeated names were refused when the text was read. */
export function findMember(node: JsonObject, name: string): JsonNode | null {
  return node.members.find((member) => member.name === name)?.value ?? null;
}

/** Reports members that the grammar does not have: a mistyped `Condition` must not be a missing one. */
export function refuseUnknown(
  reading: Reading,
  node: JsonObject,
  known: readonly string[],
  pointer: string,
  owner: string,
  reasons: Readonly<Record<string, string>>,
): void {
  for (const { name, at } of node.members) {
    if (known.includes(name)) continue;
    const reason = Object.hasOwn(reasons, name) ? reasons[name] : undefined;
    const near = reason === undefined ? didYouMean(name, known) : `; ${reason}`;
    const advice = near === '' ? `; it may have ${known.map(quote).join(', ')}` : near;
    reading.report(
      'UNKNOWN_FIELD',
      `${owner} has no member ${quote(name)} here${advice}`,
      pointer + pointerStep(name),
      at,
    );
  }
}

/** Reports a list that is empty or too long. */
export function checkCount(
  reading: Reading,
  node: JsonArray,
  most: number,
  code: ProblemCode,
  what: string,
  pointer: string,
  advice: string,
): void {
  const count = node.items.length;
  if (count >= 1 && count <= most) return;
  const message =
    count === 0
      ? `${what} is empty; give 1 to ${most} entries`
      : `${what} has ${count} entries, at most ${most} are allowed; ${advice}`;
  reading.report(code, message, pointer, node.at);
}
