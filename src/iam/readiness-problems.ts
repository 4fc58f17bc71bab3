/** What keeps a service from acting for a user, in words that say what to do about it. */
import type { User } from './records.js';

/** Why a service is not ready to act; stable, shown in the API. */
export const readinessProblems = {
  USER_DISABLED: 'The user is disabled.',
  WORKSPACE_CLOSED: 'The user does not exist or may not enter the workspace; the two look alike.',
  NO_AUTHORIZATION: 'No agency that trusts the service is authorized for the user, nor one for all users.',
  AGENCY_EXPIRED: 'Every agency that is authorized and trusts the service has expired.',
  AGENCY_ELSEWHERE: 'Every agency that is authorized and trusts the service is bound to another workspace.',
  AGENCY_WITHOUT_GRANT: 'The agency has no grant that acts in the workspace.',
  FUNCTION_INCOMPLETE: 'The agency lacks actions that a function needs.',
  ACTIONS_MISSING: 'The agency lacks actions that were asked for by name.',
} as const;

export type ReadinessProblemCode = keyof typeof readinessProblems;

export interface ReadinessProblem {
  readonly code: ReadinessProblemCode;
  /** Says what to do next. */
  readonly message: string;
  readonly reference: string | null;
  /** Id of the function that it is about. */
  readonly function: string | null;
}

function problemOf(
  code: ReadinessProblemCode,
  message: string,
  reference: string | null,
  about: string | null = null,
): ReadinessProblem {
  return { code, message, reference, function: about };
}

/** @param user null when there is none, or none who may enter */
export function userProblems(user: Pick<User, 'enabled'> | null): readonly ReadinessProblem[] {
  if (user === null) {
    const message = 'there is no such user, or the user may not enter this workspace; ask an administrator';
    return [problemOf('WORKSPACE_CLOSED', message, 'ModelArts.0112')];
  }
  if (user.enabled) return [];
  return [problemOf('USER_DISABLED', 'the user is disabled; ask an administrator to enable the user', 'IAM.0082')];
}

/** Why there is no agency to act through; `agencyId` when only that one was asked about. */
export function noAgencyProblem(looked: {
  readonly expired: boolean;
  readonly bound: boolean;
  readonly service: string;
  readonly agencyId: string | null;
}): ReadinessProblem {
  const { expired, bound, service, agencyId } = looked;
  if (expired) {
    const message = 'the agency that is authorized has expired; ask an administrator to prolong it with `updateAgency`';
    return problemOf('AGENCY_EXPIRED', message, 'ModelArts.4335');
  }
  if (bound) {
    const message =
      'the agency that is authorized is bound to another workspace; ask an administrator to authorize another';
    return problemOf('AGENCY_ELSEWHERE', message, 'ModelArts.4335');
  }
  const ask = 'ask an administrator to authorize one with `authorizeAgency`';
  const message =
    agencyId === null
      ? `no agency that trusts \`${service}\` is authorized for the user or for all users; ${ask}`
      : `this agency does not trust \`${service}\`, is not authorized for the user, or gives way to one that the user authorized; ${ask}`;
  return problemOf('NO_AUTHORIZATION', message, 'ModelArts.0429');
}

export function withoutGrantProblem(): ReadinessProblem {
  const message =
    'the agency holds nothing in this workspace; ask an administrator to grant it what is needed with `grantAgencyFunctions`';
  return problemOf('AGENCY_WITHOUT_GRANT', message, 'ModelArts.4335');
}

/** What an agency lacks, function by function, and of the actions that were asked for by name. */
export function lackProblems(
  functions: readonly { readonly function: string; readonly missingAgencyActions: readonly string[] }[],
  missingActions: readonly string[],
  isDenied: (action: string) => boolean,
): readonly ReadinessProblem[] {
  const incomplete = functions.filter(({ missingAgencyActions }) => missingAgencyActions.length > 0);
  const problems = incomplete.map(({ function: id, missingAgencyActions }) => {
    const message = lackMessage(missingAgencyActions, `\`grantAgencyFunctions\` and function \`${id}\``, isDenied);
    return problemOf('FUNCTION_INCOMPLETE', message, null, id);
  });
  if (missingActions.length === 0) return problems;
  return [...problems, problemOf('ACTIONS_MISSING', lackMessage(missingActions, '`grantPolicy`', isDenied), null)];
}

function lackMessage(missing: readonly string[], remedy: string, isDenied: (action: string) => boolean): string {
  const shown = missing.slice(0, 3).map((action) => `\`${action}\``);
  const more = missing.length > shown.length ? ` and ${missing.length - shown.length} more` : '';
  // To grant what a Deny takes away would not help.
  const besides = missing.some(isDenied) ? ', and to take back the Deny that keeps some of them from it' : '';
  return `the agency lacks ${shown.join(', ')}${more}; ask an administrator to grant them with ${remedy}${besides}`;
}
