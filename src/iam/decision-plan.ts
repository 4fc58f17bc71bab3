/**
 * Decisions about every resource at once: what `decide` answers for each, as a plan. It goes by the same ground, and by the
 * same rules for policies of sessions and for actions that nobody registered; a test holds the two together.
 */
import type { Catalogue } from '../catalogue/index.js';
import {
  allOf,
  anyOf,
  every,
  negation,
  none,
  planStatements,
  sweepOf,
  type Plan,
  type UrnKey,
} from '../policy/index.js';
import { groundOf, type Environment, type Question, type Rights, type ScopeFacts } from './authorizer.js';

/** A question about resources that are not known yet: what depends on one is left out. */
export type OpenQuestion = Omit<Question, 'resource' | 'tags'>;

/** Allowed; or refused by no Deny, whether an Allow matches or not. */
export type WantedVerdict = 'ALLOWED' | 'NOT_DENIED';

export function planQuestion(
  catalogue: Catalogue,
  rights: Rights,
  facts: ScopeFacts,
  environment: Environment,
  question: OpenQuestion,
  wanted: WantedVerdict = 'ALLOWED',
): Plan {
  const ground = groundOf(catalogue, rights, facts, environment, { ...question, resource: null });
  if ('effect' in ground) return ground.effect === 'ALLOW' ? every : none;
  const { takesPart, registered } = ground;
  const sources = rights.sources.filter(({ origin }) => takesPart(origin));
  const request = { ...ground.request, urnKeys: urnKeys(facts) };
  const { allowed, denied } = planStatements(sources, request);
  const policy = rights.bounds?.policy ?? null;
  const own = policy === null ? { allowed: every, denied: none } : planStatements([policy], request);
  const undenied = negation(anyOf([denied, own.denied]));
  if (wanted === 'NOT_DENIED') return undenied;
  // As `narrow` has it: what the session's policy does not allow, it takes away, the built-in policies apart.
  const builtIn = sources.filter(({ origin }) => origin.kind === 'BUILT_IN');
  const within = policy === null ? every : anyOf([own.allowed, planStatements(builtIn, request).allowed]);
  // What nobody registered needs no Allow, but one that matches is narrowed all the same.
  return allOf([undenied, registered ? allOf([allowed, within]) : anyOf([negation(allowed), within])]);
}

/**
 * Whether an action is allowed on every resource because somebody who takes part allows it under no condition, and nobody
 * denies it anywhere. False as well where that would have to be worked out.
 */
export function isAllowedEverywhere(
  catalogue: Catalogue,
  rights: Rights,
  facts: ScopeFacts,
  environment: Environment,
  action: string,
): boolean {
  const ground = groundOf(catalogue, rights, facts, environment, { action, resource: null });
  if ('effect' in ground) return ground.effect === 'ALLOW';
  const { takesPart, request, registered } = ground;
  if (!registered || (rights.bounds?.policy ?? null) !== null) return false;
  const names = [action, ...(request.aliases ?? [])];
  let allowed = false;
  for (const { origin, document } of rights.sources) {
    if (!takesPart(origin)) continue;
    const { allows, denies } = sweepOf(document, names);
    if (denies) return false;
    allowed ||= allows;
  }
  return allowed;
}

/** Keys of the context that are read off the URN of the resource. */
function urnKeys({ account }: ScopeFacts): readonly UrnKey[] {
  return [
    { key: 'g:requestedregion', segment: 1, otherwise: null },
    { key: 'g:resourceaccount', segment: 2, otherwise: account.id === '' ? null : account.id },
  ];
}
