/**
 * What the rules of types and nested fields answered during one call: a list shows the same object many times, and its
 * objects are often allowed all together. It must never outlive its call, whose rights it stands for (rule 21).
 */
import type { PermissionRule } from './rules.js';

export interface AnswersOfRule {
  /** Whether what it asks is allowed on everything there is; null: not looked at. */
  everywhere: boolean | null;
  /** By the value that the object fills into the template. */
  readonly byValue: Map<string, boolean>;
}

export class KnownAnswers {
  readonly #ofRules = new Map<PermissionRule, AnswersOfRule>();

  of(rule: PermissionRule): AnswersOfRule {
    let answers = this.#ofRules.get(rule);
    if (answers === undefined) {
      answers = { everywhere: null, byValue: new Map() };
      this.#ofRules.set(rule, answers);
    }
    return answers;
  }
}
