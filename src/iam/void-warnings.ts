/** What givers are told of what can have no effect where it is granted: as a grant is made, and as its policy changes. */
import { quote } from '../catalogue/index.js';
import type { PolicyDocument } from '../policy/index.js';
import type { OpenChange } from './change.js';
import type { Grant, Policy } from './records.js';
import { documentOf } from './rights.js';
import { describeVoid, findVoid, isWhollyVoid, type ScopeKeys, type VoidPart } from './void-grants.js';

/** What of the policy can have no effect where it was granted, as the scope is now. */
export async function voidWarnings(
  open: OpenChange,
  policy: Policy,
  text: string,
  grant: Grant,
): Promise<readonly string[]> {
  const document = documentOf(text);
  if (document === null) return [];
  const parts = findVoid(document, grant, open.call.catalogue, await keysOf(open, grant));
  return warningsOf(quote(policy.name), document, parts);
}

/**
 * What the grants that stand already do not give any more, or do not give of what is new, since the policy's text became
 * another. What had no effect before is not told again. Scopes are named by their kind alone: whoever changes a policy need
 * not know where it is granted.
 */
export async function standingVoidWarnings(
  open: OpenChange,
  policy: Policy,
  texts: { readonly before: string; readonly after: string },
  grants: readonly Grant[],
): Promise<readonly string[]> {
  const after = documentOf(texts.after);
  if (after === null) return [];
  const before = documentOf(texts.before);
  const standing = grants.filter(({ expiresAt }) => expiresAt === null || expiresAt > open.call.now);
  const scopes = [...scopesOf(standing, readsScope(after))];
  const told = new Map<string, number>();
  for (const [grant, count] of scopes.slice(0, mostScopes)) {
    const keys = await keysOf(open, grant);
    const voidIn = (document: PolicyDocument): readonly VoidPart[] =>
      findVoid(document, grant, open.call.catalogue, keys);
    const known = before === null ? [] : voidIn(before);
    const parts = voidIn(after);
    const wasWhole = before !== null && isWhollyVoid(before, known);
    const isWhole = isWhollyVoid(after, parts);
    if (isWhole && wasWhole) continue;
    const stood = new Set(known.map(meaningOf));
    const fresh = isWhole ? parts : parts.filter((part) => !stood.has(meaningOf(part)));
    for (const warning of warningsOf(`${quote(policy.name)} granted in ${grant.scopeKind}`, after, fresh)) {
      told.set(warning, (told.get(warning) ?? 0) + count);
    }
  }
  const lines = [...told].map(([warning, count]) => `${warning} (${count === 1 ? 'one grant' : `${count} grants`})`);
  const unseen = scopes.slice(mostScopes).reduce((sum, [, count]) => sum + count, 0);
  return [
    ...lines.slice(0, mostWarnings),
    ...(lines.length > mostWarnings ? [`${lines.length - mostWarnings} more parts have no effect where they are granted`] : []), // prettier-ignore
    ...(unseen > 0 ? [`${unseen} more grants of ${quote(policy.name)} were not looked at`] : []),
  ];
}

/** Scopes that are looked at while a change keeps others from writing, and warnings that somebody still reads. */
const mostScopes = 100;
const mostWarnings = 10;

/** One grant of each scope that may differ from others, and how many there are of it. */
function scopesOf(grants: readonly Grant[], apart: boolean): readonly (readonly [Grant, number])[] {
  const scopes = new Map<string, [Grant, number]>();
  for (const grant of grants) {
    const key = apart ? `${grant.scopeKind} ${grant.scopeId}` : grant.scopeKind;
    const known = scopes.get(key);
    if (known === undefined) scopes.set(key, [grant, 1]);
    else known[1] += 1;
  }
  return [...scopes.values()];
}

/** Whether scopes of one kind may differ for the document. */
function readsScope({ statements }: PolicyDocument): boolean {
  return statements.some(({ conditions }) =>
    conditions.some(({ key }) => /^g:(projectname|enterpriseprojectid)$/i.test(key)),
  );
}

function meaningOf({ statement: { index: _index, sid: _sid, ...rest }, places, reason }: VoidPart): string {
  return JSON.stringify([rest, places, reason]);
}

function warningsOf(name: string, document: PolicyDocument, parts: readonly VoidPart[]): readonly string[] {
  const [first] = parts;
  if (first !== undefined && isWhollyVoid(document, parts)) {
    const reasons = new Set(parts.map((part) => describeVoid(part, 'the policy')));
    return [...reasons].map((reason) => `${name}: ${reason}`);
  }
  return parts.map((part) => `${name}, \`/Statement/${part.statement.index}\`: ${describeVoid(part)}`);
}

async function keysOf({ transaction, call }: OpenChange, grant: Grant): Promise<ScopeKeys> {
  const workspace = grant.scopeKind === 'WORKSPACE' ? await transaction.get('workspace', grant.scopeId) : null;
  const project = grant.scopeKind === 'ENTERPRISE_PROJECT' ? grant.scopeId : (workspace?.enterpriseProjectId ?? null);
  return new Map([
    ['g:DomainId', call.accountId],
    ...(project === null ? [] : [['g:EnterpriseProjectId', project] as const]),
    ...(workspace === null ? [] : [['g:ProjectName', workspace.name] as const]),
  ]);
}
