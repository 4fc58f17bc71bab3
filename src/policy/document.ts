/**
 * A policy document in parsed form: what the parser makes, and the only thing the evaluator reads.
 *
 * The shapes are plain data, so that a document can be stored, compared and sent as it is. Indexes are those of the
 * source: `statement.index` and the places in `actions`, `resources` and `values` are the places in the text, so that
 * whoever finds a fault later can name the place (`/Statement/0/Action/1`).
 */

/** `1.0` role (system-made only), `1.1` policy, `5.0` identity policy. Source: domain facts, sections a1 and a5. */
export type PolicyVersion = '1.0' | '1.1' | '5.0';

/** What a matching statement says. Documents may write it in any letter case; this is the canonical form. */
export type StatementEffect = 'ALLOW' | 'DENY';

/** One operator on one key. Conditions of a statement are AND-ed; how `values` combine is the operator's business. */
export interface Condition {
  /** As written, prefix and suffix included: `ForAnyValue:StringEqualsIfExists`. Compared exactly. */
  readonly operator: string;
  /** As written; compared without regard to letter case. */
  readonly key: string;
  /** As written, variables (`${key}`) unresolved. Never empty in a document that the parser made. */
  readonly values: readonly string[];
}

export interface Statement {
  /** Place in the document's `Statement` array, from 0. */
  readonly index: number;
  readonly sid: string | null;
  readonly effect: StatementEffect;
  /** Patterns, service in lower case, the rest as written; matched without case. Empty when `notActions` is set. */
  readonly actions: readonly string[];
  /** Patterns that the statement leaves out; null when the statement names `Action`. */
  readonly notActions: readonly string[] | null;
  /** Patterns, agency URIs already in pattern form; null means every resource, and requests without one. */
  readonly resources: readonly string[] | null;
  readonly notResources: readonly string[] | null;
  readonly conditions: readonly Condition[];
}

/** A role that a 1.0 document leans on; granting it is a separate act. Source: domain facts, section a6. */
export interface PolicyDependency {
  readonly catalog: string;
  readonly displayName: string;
}

export interface PolicyDocument {
  readonly version: PolicyVersion;
  readonly statements: readonly Statement[];
  /** Only 1.0 documents have any. */
  readonly depends: readonly PolicyDependency[];
}

/**
 * Which grammar a document is held to.
 *
 * - `CUSTOM`: what an account may write: 1.1, published limits, no `Depends`, no 5.0 members.
 * - `SESSION`: as `CUSTOM`; it narrows one session and is never granted.
 * - `SYSTEM`: documents shipped with the product: 1.0, 1.1 and 5.0, each with its own members; looser counts.
 * - `ANY`: for simulation: every version, 5.0 members in each, any action or resource form (noted as a warning).
 */
export type PolicyDialect = 'CUSTOM' | 'SYSTEM' | 'ANY' | 'SESSION';

/** How much a document may hold. Counts are of entries, lengths of characters (code points). */
export interface PolicyLimits {
  readonly characters: number;
  readonly statements: number;
  readonly actions: number;
  readonly actionLength: number;
  readonly resources: number;
  readonly resourceLength: number;
  readonly agencyUris: number;
  readonly agencyUriLength: number;
  readonly operators: number;
  readonly keys: number;
  readonly valueLength: number;
  readonly depends: number;
}

/** The published limits. Source: domain facts, section a1. */
const published: PolicyLimits = {
  characters: 6144,
  statements: 8,
  actions: 100,
  actionLength: 128,
  resources: 10,
  resourceLength: 1500,
  agencyUris: 20,
  agencyUriLength: 128,
  operators: 10,
  keys: 10,
  valueLength: 1024,
  depends: 20,
};

/**
 * Limits of each dialect. Those of system documents are ours: nobody outside writes one, and a read-only role that
 * names each service's actions outgrows the custom counts as the catalogue grows.
 */
export const policyLimits: Readonly<Record<PolicyDialect, PolicyLimits>> = {
  CUSTOM: published,
  SESSION: published,
  ANY: published,
  SYSTEM: { ...published, characters: 65_536, statements: 64, actions: 1000 },
};
