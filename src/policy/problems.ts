/**
 * What can be wrong with a document: codes that stay, and the words that go with them.
 *
 * Messages are lower case, one line, without a full stop, with what the user wrote in backticks, and say what to do.
 */

export interface Problem {
  /** Stable: a published one (`IAM.1028`) or one of ours. Callers that add problems of their own use further codes. */
  readonly code: string;
  /** An ERROR leaves no document; a WARNING does. */
  readonly severity: 'ERROR' | 'WARNING';
  readonly message: string;
  /** RFC 6901, of the faulty value; for a member that is missing, of the object that lacks it. */
  readonly pointer: string;
  /** 1-based; null when the input was not text. For unknown or repeated names the place of the name. */
  readonly line: number | null;
  /** 1-based, in UTF-16 units as editors count; null when the input was not text. */
  readonly column: number | null;
}

/**
 * Every code that the parser gives, with its meaning. `IAM.*` are the published ones (domain facts, sections a1 and i);
 * where no published code was found the code is ours.
 */
export const problemCodes = {
  'IAM.1021': 'the policy is longer than allowed (6,144 characters; an object counts as its compact JSON)',
  'IAM.1024': 'the version is missing or not one that may be used here (a custom policy is 1.1)',
  'IAM.1025': 'dependencies are only for version 1.0, which only the system writes',
  'IAM.1028': 'a policy has 1 to 8 statements',
  'IAM.1033': 'a statement has 1 to 100 actions',
  'IAM.1034': 'an action has at most 128 characters',
  'IAM.1037':
    'an agency resource lists 1 to 20 URIs of at most 128 characters, in a statement that only assumes agencies',
  'IAM.1040': 'a statement has 1 to 10 resources',
  'IAM.1042': 'a resource has at most 1,500 characters',
  'IAM.1050': 'a condition has 1 to 10 operators',
  'IAM.1054': 'an operator has 1 to 10 keys',
  'IAM.1056': 'a condition value has 1 to 1,024 characters',
  'IAM.1058': 'a role has at most 20 dependencies',
  JSON_SYNTAX: 'the text is not JSON',
  NOT_JSON: 'the value given is not one that JSON can hold',
  DUPLICATE_KEY: 'a name appears twice in one object',
  TOO_DEEP: 'the nesting is deeper than any policy needs',
  BAD_CHARACTER: 'a string holds U+0000 or half of a surrogate pair',
  WRONG_TYPE: 'the value is of another JSON type than the grammar asks for',
  UNKNOWN_FIELD: 'the member is not part of the grammar of this version',
  MISSING_FIELD: 'a member that must be there is not',
  CONFLICTING_FIELDS: 'two members that exclude each other are both present',
  BAD_EFFECT: 'the effect is neither Allow nor Deny',
  BAD_ACTION: 'the action is not `service:type:operation`',
  BAD_RESOURCE: 'the resource is not `service:region:account:type:path` nor `*`',
  BAD_VARIABLE: "a variable is not of the form `${key}` or `${key, 'default'}`",
  BAD_CONDITION_KEY: 'the condition key is not `prefix:name`',
  UNKNOWN_OPERATOR: 'the condition operator does not exist',
  EMPTY_VALUES: 'a condition key has no values to compare with',
  ILL_TYPED_VALUE: 'the value is not of the type that the operator compares',
} as const satisfies Readonly<Record<string, string>>;

export type ProblemCode = keyof typeof problemCodes;

/** The longest piece of input that a message repeats. */
const shownCharacters = 80;

/** `text` in backticks, fit for one line of a message: shortened, controls and stray surrogates spelled out. */
export function quote(text: string): string {
  const characters = Array.from(text.slice(0, 2 * shownCharacters));
  const shown = characters
    .slice(0, shownCharacters)
    .map((character) => {
      const code = character.codePointAt(0) ?? 0;
      const unprintable = code < 0x20 || (code >= 0x7f && code < 0xa0) || code === 0x2028 || code === 0x2029;
      const surrogate = code >= 0xd800 && code <= 0xdfff;
      if (unprintable || surrogate) return `\\u${code.toString(16).padStart(4, '0')}`;
      return character === '`' ? "'" : character;
    })
    .join('');
  const cut = characters.length > shownCharacters || text.length > 2 * shownCharacters;
  return `\`${shown}${cut ? '…' : ''}\``;
}

/** `; did you mean …?` when one candidate is near to `name`, else nothing. Case alone never keeps two apart. */
export function didYouMean(name: string, candidates: readonly string[]): string {
  if (name.length > 64) return '';
  const lower = name.toLowerCase();
  let best: string | null = null;
  let bestDistance = Math.min(3, Math.max(1, Math.floor(name.length / 3))) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(lower, candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best === null ? '' : `; did you mean ${quote(best)}?`;
}

/** Levenshtein distance; both words are short. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
