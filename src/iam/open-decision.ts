/**
 * A decision of which not everything is known yet: `decide`, in three verdicts. What the server knows is known; what the
 * caller said is known; whatever else may come with the request itself stays open.
 */
import type { Catalogue } from '../catalogue/index.js';
import {
  allOf,
  anyOf,
  anyResource,
  CompiledSources,
  negation,
  none,
  openFormulas,
  requestValueReads,
  type DeterminingStatement,
  type OpenRequest,
  type OpenVerdict,
  verdictOf,
} from '../policy/index.js';
import { contextTypeOf } from './access-requests.js';
import {
  groundOf,
  type DecidingStatement,
  type Environment,
  type Question,
  type Rights,
  type RightsSource,
  type ScopeFacts,
  type StatementOrigin,
} from './authorizer.js';

export interface OpenDecision extends OpenVerdict {
  /** Statements that may take part in it: of a YES those that allow; none for root. */
  readonly statements: readonly DecidingStatement[];
}

/** A question about a resource, about none in particular, or about any that there is. */
export type OpenQuestion = Omit<Question, 'resource'> & { readonly resource: string | null | typeof anyResource };

/** Keys that are read off the resource itself. */
const readOffResource: ReadonlySet<string> = new Set(['g:resourceaccount', 'g:requestedregion']);

/** Of these, what is said of one is said of the other. */
const addressKeys: ReadonlySet<string> = new Set(['g:sourceip', 'hw:sourceip']);

export function decideOpen(
  catalogue: Catalogue,
  rights: Rights,
  facts: ScopeFacts,
  environment: Environment,
  { resource, ...asked }: OpenQuestion,
): OpenDecision {
  const question: Question = { ...asked, resource: resource === anyResource ? null : resource };
  const ground = groundOf(catalogue, rights, facts, environment, question);
  if ('effect' in ground) {
    const always = { context: new Map<string, never>(), resource: null, isOpen: () => false };
    const verdict = verdictOf(ground.effect === 'ALLOW' ? negation(none) : none, always);
    return { ...verdict, statements: [] };
  }
  const { context } = ground.request;
  const request: OpenRequest = {
    resource,
    context,
    isOpen: (key) => !context.has(key) && mayCome(key),
    accepts: (key, value) => requestValueReads(contextTypeOf(catalogue, key), value),
    tieOf: (key) => (readOffResource.has(key) ? 'RESOURCE' : addressKeys.has(key) ? 'ADDRESS' : null),
  };
  const { takesPart } = ground;
  const granted = compiledOf(rights.sources).about(ground.request, takesPart);
  const { allowed, denied } = openFormulas(statementsOf(granted), request);
  let formula = allOf([allowed, negation(denied)]);
  const policy = rights.bounds?.policy ?? null;
  let bounding: readonly DeterminingStatement<StatementOrigin>[] = [];
  if (policy !== null) {
    // As a session is narrowed: what it denies is denied, and beside what is built in it must allow as well.
    bounding = new CompiledSources([policy]).about(ground.request);
    const own = openFormulas(statementsOf(bounding), request);
    const builtIn = openFormulas(
      statementsOf(granted.filter(({ source }) => source.origin.kind === 'BUILT_IN')),
      request,
    );
    formula = allOf([formula, negation(own.denied), anyOf([own.allowed, builtIn.allowed])]);
  }
  const verdict = verdictOf(formula, request);
  const deciding = [...granted, ...bounding].filter(({ statement }) => {
    if (verdict.verdict === 'YES' && statement.effect === 'DENY') return false;
    const one = openFormulas([statement], request);
    return one.allowed.kind !== 'NONE' || one.denied.kind !== 'NONE';
  });
  return { ...verdict, statements: deciding.map(shown) };

  /** What the server fills in and did not, it will not fill in later, but for what the resource says. */
  function mayCome(key: string): boolean {
    if (readOffResource.has(key)) return resource === anyResource;
    if (key.startsWith('g:resourcetag/') && question.tags !== undefined) return false;
    return !/^g:(user|domain|principal|mfa)/.test(key) && catalogue.findConditionKey(key)?.setBy !== 'SERVER';
  }
}

const compiled = new WeakMap<readonly RightsSource[], CompiledSources<StatementOrigin>>();

/** Made ready once for all the actions of a list. */
function compiledOf(sources: readonly RightsSource[]): CompiledSources<StatementOrigin> {
  const known = compiled.get(sources);
  if (known !== undefined) return known;
  const made = new CompiledSources(sources);
  compiled.set(sources, made);
  return made;
}

function statementsOf(found: readonly DeterminingStatement<StatementOrigin>[]) {
  return found.map(({ statement }) => statement);
}

function shown({ source, statement }: DeterminingStatement<StatementOrigin>): DecidingStatement {
  const { index, sid, effect } = statement;
  return { policy: source.name, index, sid, effect, origin: source.origin };
}
