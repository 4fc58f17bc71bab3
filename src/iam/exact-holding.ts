/**
 * The exact half of the rule that nobody gives more than they hold: whether what somebody holds *together* allows all
 * that would be given. escalation.ts sets one held statement against one that is given, and refuses what only several
 * cover, what is said in other words, and whatever a Deny comes near. What it refuses is asked here, by comparing
 * documents as wholes; scopes, ends and entry stay its business. Held is only what is certain: when it is not known, it
 * counts as gained.
 *
 * INVARIANT: what the holder may do as somebody else counts for nothing. A held Allow that looks at who asks is left out,
 * a held Deny that does is taken to bind always. What remains of the holder's statements decides the same for everybody,
 * so that whatever keys of the receiver the comparison supposes, it supposes nothing of the holder.
 */
import { gainOfPolicies, type ChangedRequest, type ComparingCatalogue } from '../catalogue/index.js';
import {
  dependsOnPrincipal,
  readOperator,
  type Condition,
  type PolicyDocument,
  type Statement,
} from '../policy/index.js';

/** What is held, as far as it may count against one gift. */
export interface Held {
  readonly allows: readonly Statement[];
  readonly denials: readonly Statement[];
}

/** `request`: one that would be allowed and is not held; null when none was found within the work that it may take. */
export type Exactly = { readonly held: true } | { readonly held: false; readonly request: ChangedRequest<null> | null };

/**
 * A change waits for these while it keeps others from writing: beyond them the answer is that it is not known. A few
 * suffice, since gifts of one change are alike more often than not.
 */
const mostComparisons = 6;
const steps = 100_000;

export class ExactHolding {
  readonly #catalogue: ComparingCatalogue;
  readonly #known = new Map<string, Exactly>();
  #left = mostComparisons;

  constructor(catalogue: ComparingCatalogue) {
    this.#catalogue = catalogue;
  }

  /** @param denials what is given with the Allows and keeps a part of them back */
  covers(held: Held, allows: readonly Statement[], denials: readonly Statement[]): Exactly {
    const before = documentOf([...held.allows.flatMap(impersonal), ...held.denials.map(binding)]);
    const after = documentOf([...allows, ...denials]);
    const key = JSON.stringify([before, after]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#left === 0) return { held: false, request: null };
    this.#left -= 1;
    const { excluded, gained } = gainOfPolicies([sourceOf(before)], [sourceOf(after)], this.#catalogue, { steps });
    const found: Exactly = excluded ? { held: true } : { held: false, request: gained };
    this.#known.set(key, found);
    return found;
  }
}

function documentOf(statements: readonly Statement[]): PolicyDocument {
  return { version: '1.1', statements, depends: [] };
}

function sourceOf(document: PolicyDocument) {
  return { name: '', document, origin: null };
}

/** What a held Allow allows whoever asks; nothing when that cannot be told. */
function impersonal(statement: Statement): readonly Statement[] {
  const { conditions, resources, notResources } = statement;
  if (conditions.some(isPersonal) || (notResources ?? []).some(isVariable)) return [];
  const plain = resources?.filter((resource) => !isVariable(resource)) ?? null;
  return plain?.length === 0 ? [] : [{ ...statement, resources: plain }];
}

/** What a held Deny denies whoever asks, and more where that cannot be told. */
function binding(statement: Statement): Statement {
  const { conditions, resources, notResources } = statement;
  return {
    ...statement,
    conditions: conditions.filter((condition) => !isPersonal(condition)),
    resources: resources === null || resources.some(isVariable) ? null : resources,
    notResources: notResources?.filter((resource) => !isVariable(resource)) ?? null,
  };
}

/** What nobody knows how to read counts as personal: nothing can be told of it. */
function isPersonal({ operator, key, values }: Condition): boolean {
  return readOperator(operator) === null || dependsOnPrincipal(key) || values.some(isVariable);
}

function isVariable(text: string): boolean {
  return text.includes('${');
}
