/** From chosen functions to the documents that an agency is granted so that the functions work. */
import { policyLimits, type Problem } from '../policy/index.js';
import {
  authorizationFunctions,
  findFunction,
  suggestFunction,
  type AuthorizationFunction,
  type AuthorizationPreset,
} from './authorization-functions.js';
import { draftDocument, draftText, type DraftDocument } from './policy-draft.js';
import { patternLevel, type PolicyLevel } from './policy-level.js';
import { didYouMean, quote } from './suggestion.js';

export interface FunctionChoice {
  readonly preset: AuthorizationPreset;
  /** Ids of functions, letter case apart; with CUSTOM alone. */
  readonly functions: readonly string[];
}

/** Account-level services and the others cannot share a document (rule 11). */
export type DraftedLevel = Exclude<PolicyLevel, 'BOTH'>;

/** A policy for an agency, ready to be saved and granted. */
export interface DraftedAgencyPolicy {
  readonly level: DraftedLevel;
  readonly document: DraftDocument;
  readonly text: string;
}

export interface AgencyPolicyDraft {
  readonly functions: readonly AuthorizationFunction[];
  /** One for each level that the functions need, more only when one document cannot hold it. */
  readonly policies: readonly DraftedAgencyPolicy[];
  /** Located in the choice (`/functions/0`). An error never accompanies a policy. */
  readonly problems: readonly Problem[];
}

const levels: readonly DraftedLevel[] = ['GLOBAL', 'PROJECT'];

/** Drafts what an agency needs for a choice of functions: these actions and no others. */
export function draftAgencyPolicies(choice: FunctionChoice): AgencyPolicyDraft {
  const chosen = chooseFunctions(choice);
  if (chosen.problems.length > 0) return { functions: [], policies: [], problems: chosen.problems };
  const policies = levels.flatMap((level) =>
    spread([], agencyActionsOf(chosen.functions, level)).map((actions) => draftedPolicy(level, actions)),
  );
  return { functions: chosen.functions, policies, problems: [] };
}

/** The functions of a choice, each once, in the order of `authorizationFunctions`; none when there is a problem. */
export function chooseFunctions({ preset, functions }: FunctionChoice): Omit<AgencyPolicyDraft, 'policies'> {
  if (preset === 'COMMON_USER') {
    if (functions.length === 0) {
      return { functions: authorizationFunctions.filter(({ commonUser }) => commonUser), problems: [] };
    }
    const message = 'the preset COMMON_USER has its functions; leave `functions` out or choose the preset CUSTOM';
    return { functions: [], problems: [fault('FUNCTIONS_GIVEN', '/functions', message)] };
  }
  if (functions.length === 0) {
    const message = 'no function is chosen; choose at least one, or the preset COMMON_USER';
    return { functions: [], problems: [fault('NOTHING_TO_DRAFT', '/functions', message)] };
  }
  const problems = functions.flatMap((id, index) => {
    if (findFunction(id) !== undefined) return [];
    const advice = didYouMean(suggestFunction(id), 'take an id from `authorizationFunctions`');
    return [fault('UNKNOWN_FUNCTION', `/functions/${index}`, `function ${quote(id)} is unknown; ${advice}`)];
  });
  if (problems.length > 0) return { functions: [], problems };
  const wanted = new Set(functions.map(findFunction));
  return { functions: authorizationFunctions.filter((known) => wanted.has(known)), problems: [] };
}

/** What an agency needs for these functions on one level, each action once, sorted. */
export function agencyActionsOf(functions: readonly AuthorizationFunction[], level: DraftedLevel): readonly string[] {
  const actions = new Set(functions.flatMap(({ agencyActions }) => agencyActions));
  return [...actions].filter((action) => patternLevel(action) === level).sort();
}

/** The policy that allows these actions everywhere it is granted, and nothing else. */
export function draftedPolicy(level: DraftedLevel, actions: readonly string[]): DraftedAgencyPolicy {
  const document = draftDocument(actions, 'ALLOW');
  const text = draftText(document);
  if (text === null)
    throw new Error(`a policy of ${actions.length} actions was drafted, which is too long to be saved`);
  return { level, document, text };
}

/**
 * Lists of actions that fit one document each: those that stand keep what they have, and what they lack is added where
 * there is room, in further ones when there is none.
 */
export function spread(
  standing: readonly (readonly string[])[],
  wanted: readonly string[],
): readonly (readonly string[])[] {
  const held = new Set(standing.flat().map((action) => action.toLowerCase()));
  const lists = standing.map((actions) => [...actions]);
  let at = 0;
  for (const action of wanted.filter((candidate) => !held.has(candidate.toLowerCase()))) {
    while (at < lists.length && !fits([...(lists[at] ?? []), action])) at += 1;
    const list = lists[at] ?? [];
    if (at === lists.length) lists.push(list);
    list.push(action);
  }
  return lists.map((actions) => [...actions].sort());
}

function fits(actions: readonly string[]): boolean {
  const document = draftDocument(actions, 'ALLOW');
  return document.Statement.length <= policyLimits.CUSTOM.statements && draftText(document) !== null;
}

function fault(code: string, pointer: string, message: string): Problem {
  return { code, severity: 'ERROR', message, pointer, line: null, column: null };
}
