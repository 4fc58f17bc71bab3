/** The bare engine over policies that are given with the question (rule 18). */
import { modelArtsDefaultPolicy, namesService } from '../catalogue/index.js';
import { buildContext, evaluate, parsePolicy, type PolicyDocument, type PolicySource } from '../policy/index.js';
import { type AccessRequest, checkRequests } from './access-requests.js';
import { decideBy, type Decision, type StatementOrigin } from './authorizer.js';
import { Breath } from './breath.js';
import { BadInput } from './outcome.js';
import type { AuthorizationMode } from './records.js';

/** Most policies in one `simulateAccess`: each is read and asked for every request. */
export const mostPolicies = 100;

export interface Simulation {
  readonly policies: readonly unknown[];
  readonly requests: readonly AccessRequest[];
  readonly authorizationMode: AuthorizationMode;
}

/**
 * The bare engine over policies given inline (rule 18): no principal, root, entry, grants or filled-in keys; any action
 * and resource form. A document that cannot be read makes every answer DENY for reason INVALID_POLICY.
 */
export async function simulateAccess(simulation: Simulation): Promise<readonly Decision[]> {
  checkRequests(simulation.requests);
  if (simulation.policies.length > mostPolicies) {
    throw new BadInput(
      `${simulation.policies.length} policies were sent; at most ${mostPolicies} are simulated at once`,
    );
  }
  const sources: PolicySource<StatementOrigin>[] = [];
  const problems: string[] = [];
  const breath = new Breath();
  for (const [index, input] of simulation.policies.entries()) {
    await breath.pause();
    const parsed = parsePolicy(input, 'ANY');
    const name = `policies[${index}]`;
    if (parsed.document !== null) sources.push({ name, document: parsed.document, origin: inline(name, false) });
    for (const { severity, code, message, pointer } of parsed.problems) {
      if (severity === 'ERROR') problems.push(`${name}${pointer}: ${code} ${message}`);
    }
  }
  const named = sources.some(({ document }) => namesService(document, 'modelarts'));
  if (simulation.authorizationMode === 'LOOSE' && !named) {
    sources.push({
      name: modelArtsDefaultPolicy.displayName,
      document: builtInDocument(),
      origin: inline(modelArtsDefaultPolicy.id, true),
    });
  }
  const decisions: Decision[] = [];
  for (const request of simulation.requests) {
    await breath.pause();
    decisions.push(decideInline(request));
  }
  return decisions;

  function decideInline(request: AccessRequest): Decision {
    const question = { action: request.action, resource: request.resource };
    if (problems.length > 0) return { ...decideBy('INVALID_POLICY', question), problems };
    const evaluation = evaluate(sources, {
      ...question,
      context: buildContext(request.context.map(({ key, values }) => [key, values] as const)),
    });
    const statements = evaluation.statements.map(({ source, statement }) => ({
      policy: source.name,
      index: statement.index,
      sid: statement.sid,
      effect: statement.effect,
      origin: source.origin,
    }));
    const byModeOnly = evaluation.effect === 'ALLOW' && statements.every(({ origin }) => origin.authorizationMode);
    return {
      ...question,
      effect: evaluation.effect,
      reason: byModeOnly ? ('AUTHORIZATION_MODE' as const) : evaluation.reason,
      statements,
      missingContextKeys: evaluation.missingContextKeys,
      problems: evaluation.problems,
      requiredScope: null,
    };
  }
}

export function builtInDocument(): PolicyDocument {
  const { document } = parsePolicy(modelArtsDefaultPolicy.document, 'SYSTEM');
  if (document === null) throw new Error('the LOOSE default cannot be read');
  return document;
}

function inline(policyId: string, authorizationMode: boolean): StatementOrigin {
  return {
    kind: authorizationMode ? 'BUILT_IN' : 'INLINE',
    policyId,
    policyVersion: 1,
    grantId: null,
    scopeKind: 'ALL',
    scopeId: '',
    expiresAt: null,
    group: null,
    authorizationMode,
  };
}
