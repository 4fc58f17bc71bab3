/**
 * Decisions about every resource at once: what `decide` answers for each, as a plan. It goes by the same ground, and by the
 * same rules for policies of sessions and for actions that nobody registered; a test holds the two together.
 */
import type { Catalogue } from '../catalogue/index.js';
import { allOf, anyOf, every, negation, none, planStatements, type Plan, type UrnKey } from '../policy/index.js';
import { groundOf, type Environment, type Question, type Rights, type ScopeFacts } from './authorizer.js';

/** A question about resources that are not known yet: what depends on one is left out. */
export type OpenQuestion = Omit<Question, 'resource' | 'tags'>;

export function planQuestion(
  catalogue: Catalogue,
  rights: Rights,
  facts: ScopeFacts,
  environment: Environment,
  question: OpenQuestion,
): Plan {
  const ground = groundOf(catalogue, rights, facts, environment, { ...question, resource: null });
  if ('effect' in ground) return ground.effect === 'ALLOW' ? every : none;
  const { sources, registered } = ground;
  const request = { ...ground.request, urnKeys: urnKeys(facts) };
  const { allowed, denied } = planStatements(sources, request);
  const undenied = registered ? allOf([allowed, negation(denied)]) : negation(denied);
  const policy = rights.bounds?.policy ?? null;
  if (policy === null) return undenied;
  // As `narrow` has it: what the session's policy does not allow, it takes away, the built-in policies apart.
  const own = planStatements([policy], request);
  const builtIn = planStatements(
    sources.filter(({ origin }) => origin.kind === 'BUILT_IN'),
    request,
  ).allowed;
  const within = anyOf([own.allowed, builtIn]);
  const kept = registered ? within : anyOf([negation(allowed), within]);
  return allOf([undenied, negation(own.denied), kept]);
}

/** Keys of the context that are read off the URN of the resource. */
function urnKeys({ account }: ScopeFacts): readonly UrnKey[] {
  return [
    { key: 'g:requestedregion', segment: 1, otherwise: null },
    { key: 'g:resourceaccount', segment: 2, otherwise: account.id === '' ? null : account.id },
  ];
}
