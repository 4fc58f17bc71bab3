/**
 * What a principal may do whatever it asks about, and what it may do at best: for questions about acts that are yet to
 * come, of which neither the resource nor the circumstances are known. Both are rights like any others, for the one
 * authorizer to decide by; ask it without a resource.
 */
import { matchesResourcePattern, type Condition, type Statement } from '../policy/index.js';
import type { Rights } from './authorizer.js';

/** Keys whose value is the same for all that one principal does to one service in one workspace. */
const settledKeys: ReadonlySet<string> = new Set([
  'g:domainid',
  'g:domainname',
  'g:enterpriseprojectid',
  'g:principalid',
  'g:principalisrootuser',
  'g:principaltype',
  'g:principalurn',
  'g:projectname',
  'g:servicename',
]);

const isSettled = ({ key, values }: Condition): boolean =>
  settledKeys.has(key.toLowerCase()) && !values.some((value) => value.includes('${'));

/** Known too, but only of this moment. */
const isKnownNow = (condition: Condition): boolean =>
  isSettled(condition) || condition.key.toLowerCase() === 'g:currenttime';

/** What holds for every resource of the service, now and later: limits of an Allow are never met, those of a Deny always. */
export function leastOf(rights: Rights, service: string): Rights {
  return withStatements(rights, (statement) => {
    if (statement.effect === 'DENY') return unlimited(statement, service, isSettled);
    return isLimited(statement, isSettled) ? null : statement;
  });
}

/** What may hold for some resource of the service: limits of an Allow are met, those of a Deny are not. */
export function mostOf(rights: Rights, service: string): Rights {
  return withStatements(rights, (statement) => {
    if (statement.effect === 'ALLOW') return unlimited(statement, service, isKnownNow);
    return isLimited(statement, isKnownNow) ? null : statement;
  });
}

/** Limits by `Resource` need no look: such a statement does not match a question about no resource. */
function isLimited({ notResources, conditions }: Statement, isKnown: (condition: Condition) => boolean): boolean {
  return notResources !== null || !conditions.every(isKnown);
}

function unlimited(statement: Statement, service: string, isKnown: (condition: Condition) => boolean): Statement {
  const { resources, conditions } = statement;
  // Of another service's resources alone: nothing that this one has is among them.
  if (resources !== null && !resources.some((pattern) => isOfService(pattern, service))) return statement;
  return { ...statement, resources: null, notResources: null, conditions: conditions.filter(isKnown) };
}

function isOfService(pattern: string, service: string): boolean {
  const [first = ''] = pattern.split(':', 1);
  return matchesResourcePattern(`${first}::::`, `${service}::::`);
}

function withStatements(rights: Rights, change: (statement: Statement) => Statement | null): Rights {
  const sources = rights.sources.map((source) => {
    const statements = source.document.statements.flatMap((statement) => change(statement) ?? []);
    return { ...source, document: { ...source.document, statements } };
  });
  return { ...rights, sources };
}
