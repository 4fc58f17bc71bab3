/** Names, lengths and quotas of the directory in one place (docs/domain.md sections a1, a7, b2, d4, f1 and g1). */
import { problem, type UserProblem } from './outcome.js';

export const quotas = {
  groupsPerUser: 10,
  agenciesPerAccount: 50,
  policyVersions: 5,
  workspaceMembers: 500,
  enterpriseProjects: 256,
  sourceAddresses: 5,
  allowedAddresses: 5,
  keyPairsPerNotebook: 20,
  servicesPerAccount: 100,
  hostsPerService: 20,
  actionsPerService: 1_000,
  resourceKindsPerService: 200,
  /** Characters of the type of a kind: room enough beside it in the longest name of an action, which has 128. */
  resourceTypeLength: 64,
  /** Of all its services together: they are read again whenever what may be done in the account changes. */
  actionsPerAccount: 5_000,
  resourceKindsPerAccount: 1_000,
} as const;

interface TextRule {
  readonly minimum: number;
  readonly maximum: number;
  readonly pattern: RegExp | null;
  /** What the pattern allows, in words. */
  readonly allowed: string;
  readonly reference: string | null;
}

const nameCharacters = /^[\p{L}\p{N} _.-]*$/u;
const words = 'letters, digits, spaces and `-`, `_`, `.`';

export const textRules = {
  userName: {
    minimum: 1,
    maximum: 64,
    pattern: /^(?![\p{N} ])[\p{L}\p{N} _.-]*$/u,
    allowed: `${words}, not beginning with a digit or a space`,
    reference: 'IAM.0007',
  },
  groupName: { minimum: 1, maximum: 128, pattern: nameCharacters, allowed: words, reference: 'IAM.0007' },
  policyName: { minimum: 1, maximum: 64, pattern: nameCharacters, allowed: words, reference: 'IAM.1002' },
  workspaceName: {
    minimum: 4,
    maximum: 64,
    pattern: /^[\p{L}\p{N}_-]*$/u,
    allowed: 'letters, digits, `-` and `_`',
    reference: 'ModelArts.0107',
  },
  enterpriseProjectName: {
    minimum: 1,
    maximum: 255,
    pattern: /^[\p{L}\p{N}_-]*$/u,
    allowed: 'letters, digits, `-` and `_`',
    reference: null,
  },
  agencyName: { minimum: 1, maximum: 64, pattern: nameCharacters, allowed: words, reference: 'IAM.0007' },
  serviceName: {
    minimum: 2,
    maximum: 32,
    pattern: /^[a-z][a-z0-9-]*$/,
    allowed: 'lower-case letters, digits and `-`, beginning with a letter',
    reference: null,
  },
  keyPairName: {
    minimum: 1,
    maximum: 64,
    pattern: /^[A-Za-z0-9_-]*$/,
    allowed: 'letters without accents, digits, `-` and `_`',
    reference: 'ModelArts.0107',
  },
  resourceName: { minimum: 0, maximum: 128, pattern: null, allowed: '', reference: 'ModelArts.0107' },
  description: { minimum: 0, maximum: 255, pattern: null, allowed: '', reference: null },
  workspaceDescription: { minimum: 0, maximum: 256, pattern: null, allowed: '', reference: 'ModelArts.0107' },
  enterpriseProjectDescription: { minimum: 0, maximum: 512, pattern: null, allowed: '', reference: null },
  sessionName: {
    minimum: 2,
    maximum: 64,
    pattern: /^[\p{L}\p{N}_+=,.@-]*$/u,
    allowed: 'letters, digits and `_`, `+`, `=`, `,`, `.`, `@`, `-`',
    reference: 'IAM.0007',
  },
  agencyDescription: {
    minimum: 0,
    maximum: 255,
    pattern: /^[^@#$%^&*<>\\]*$/,
    allowed: 'anything but `@#$%^&*<>\\`',
    reference: 'IAM.0007',
  },
} as const satisfies Record<string, TextRule>;

/** Checks one text value; null when it is fine or absent. */
export function checkText(
  rule: keyof typeof textRules,
  value: string | null | undefined,
  path: string | readonly string[],
): UserProblem | null {
  if (value === null || value === undefined) return null;
  const named = typeof path === 'string' ? path : path.at(-1);
  const { minimum, maximum, pattern, allowed, reference }: TextRule = textRules[rule];
  const length = [...value].length;
  if (length < minimum || (minimum > 0 && value.trim() === '')) {
    const least = minimum === 1 ? 'at least one character that is not blank' : `at least ${minimum} characters`;
    return problem('INVALID', `\`${named}\` has ${length} characters; give it ${least}`, path, { reference });
  }
  if (length > maximum) {
    return problem('INVALID', `\`${named}\` has ${length} characters; at most ${maximum} are allowed`, path, {
      reference,
    });
  }
  if (pattern !== null && !pattern.test(value)) {
    return problem('INVALID', `\`${named}\` has characters that are not allowed; use ${allowed}`, path, { reference });
  }
  return null;
}

/** The problems among these checks, in the order of the input. */
export function problemsOf(...checks: readonly (UserProblem | null)[]): readonly UserProblem[] {
  return checks.filter((check): check is UserProblem => check !== null);
}
