/** Faults that any subject can meet, said the same way everywhere. */
import type { OpenChange } from './change.js';
import { problem, type UserProblem } from './outcome.js';
import type { Id, Instant } from './records.js';

/** Missing and invisible look alike (rule 19). */
export function notFound(what: string, id: Id, path = 'id', reference = 'IAM.0004'): UserProblem {
  return problem('NOT_FOUND', `there is no ${what} \`${id}\` here`, path, { reference });
}

export function nameTaken(what: string, name: string, reference = 'IAM.0005', path = 'name'): UserProblem {
  return problem('NAME_TAKEN', `a ${what} \`${name}\` exists already; names compare without case`, path, { reference });
}

/** The optimistic lock of updates; null when the caller's version is current or none was sent. */
export function versionConflict(current: number, expected: number | null | undefined): UserProblem | null {
  if (expected == null || expected === current) return null;
  return problem(
    'CONFLICT',
    `the object is at version ${current} by now; read it again, then send that version`,
    'expectedVersion',
    { reference: 'IAM.0005' },
  );
}

/** Too many failures, said to whoever knows the right password or has a session, and to nobody else. */
export function lockedOut(until: Instant): UserProblem {
  const at = new Date(until).toISOString();
  return problem('LOCKED', `too many failed attempts; try again after ${at}`, null, { reference: 'IAM.0061' });
}

/** Kinds whose names are unique in the account. */
type NamedKind = 'group' | 'policy' | 'workspace' | 'enterpriseProject' | 'service' | 'agency';

/** Whether another object of this kind bears the name; a row outside the caller's scope counts too. */
export async function isNameTaken(
  { transaction }: OpenChange,
  kind: NamedKind,
  name: string,
  except: Id | null = null,
): Promise<boolean> {
  const found = await transaction.idOfName(kind, name);
  return found !== null && found !== except;
}
