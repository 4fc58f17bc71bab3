import { describe, expect, it } from 'vitest';
import {
  checkDocument,
  fullAccessId,
  modelArtsDefaultPolicy,
  namesService,
  platformCatalogue as catalogue,
  policyLevel,
  samplePolicies,
  securityAdministratorId,
  selfPolicy,
  systemPolicies,
} from '../../src/catalogue/index.js';
import { buildContext, evaluate, matchesActionPattern, parsePolicy } from '../../src/policy/index.js';
import { readTable } from './table.js';

function errorsOf(document: unknown, dialect: 'CUSTOM' | 'SYSTEM'): string[] {
  const parsed = parsePolicy(document, dialect);
  return [...parsed.problems, ...checkDocument(parsed, catalogue)]
    .filter((problem) => problem.severity === 'ERROR')
    .map((problem) => `${problem.pointer} ${problem.message}`);
}

describe('system-defined policies', () => {
  it.each(systemPolicies.map((policy) => [policy.id, policy] as const))(
    '%s can be read and names known actions',
    (_, policy) => {
      expect(errorsOf(policy.document, 'SYSTEM')).toEqual([]);
    },
  );

  it('have the level they are published for', () => {
    const published = { project: 'PROJECT', global: 'GLOBAL', 'project+global': 'BOTH' } as const;
    for (const policy of systemPolicies) {
      const { document } = parsePolicy(policy.document, 'SYSTEM');
      if (document === null) throw new Error(policy.id);
      // FullAccess is published as global and stands for everything; identity policies are published without a scope.
      const expected =
        policy.id === fullAccessId ? 'BOTH' : (published[policy.scopeType as keyof typeof published] ?? 'PROJECT');
      expect(policyLevel(document), policy.id).toBe(expected);
    }
  });

  it('hold FullAccess as three stars and Security Administrator as all of iam', () => {
    const statements = (id: string) => systemPolicies.find((policy) => policy.id === id)?.document['Statement'];
    expect(statements(fullAccessId)).toEqual([{ Effect: 'Allow', Action: ['*:*:*'] }]);
    expect(statements(securityAdministratorId)).toEqual([{ Effect: 'Allow', Action: ['iam:*:*'] }]);
  });

  it('say which of them are reconstructed', () => {
    expect(systemPolicies).toHaveLength(28);
    expect(systemPolicies.filter((policy) => !policy.reconstructed).map((policy) => policy.id)).toEqual([
      'ModelArtsExemlflowAllPolicy',
      'ModelArtsExemlflowReadOnlyPolicy',
    ]);
  });

  it('name every service but iam in Tenant Administrator, as far as the platform goes', () => {
    const { document } = parsePolicy(systemPolicies.find(({ id }) => id === 'te_admin')?.document, 'SYSTEM');
    const unnamed = catalogue.services.filter(({ name }) => document !== null && !namesService(document, name));
    expect(unnamed.map(({ name }) => name)).toEqual(['bailiwick', 'iam']);
  });
});

describe('published samples', () => {
  it.each(samplePolicies.map((policy) => [policy.id, policy] as const))(
    '%s could be saved as it stands',
    (_, policy) => {
      expect(errorsOf(policy.document, 'CUSTOM')).toEqual([]);
    },
  );
});

describe('the built-in policy Self', () => {
  it('can be read and names known actions', () => {
    expect(errorsOf(selfPolicy.document, 'SYSTEM')).toEqual([]);
  });

  it('limits all but the session and the schema to the actor’s own', () => {
    const { document } = parsePolicy(selfPolicy.document, 'SYSTEM');
    const unlimited = document?.statements
      .filter(({ resources }) => resources === null)
      .flatMap(({ actions }) => actions);
    expect(unlimited).toEqual(['bailiwick:session:use', 'bailiwick:schema:introspect']);
    for (const resource of document?.statements.flatMap(({ resources }) => resources ?? []) ?? []) {
      expect(resource).toMatch(/^[a-z]+:\*:\$\{g:DomainId\}:[a-z]+:\$\{g:UserId\}(\/\*)?$/);
    }
    expect(document?.statements.every(({ effect, conditions }) => effect === 'ALLOW' && conditions.length === 0)).toBe(
      true,
    );
  });
});

interface SelfCase {
  sentence: string;
  action: string;
  resource: string | null;
  context: Record<string, string>;
  effect: 'ALLOW' | 'DENY';
}

describe('Self, asked of the engine', () => {
  const { document } = parsePolicy(selfPolicy.document, 'SYSTEM');
  it.each(readTable<SelfCase>('self.json'))('$sentence', ({ action, resource, context, effect }) => {
    if (document === null) throw new Error('Self does not parse');
    const request = {
      action,
      aliases: catalogue.namesOf(action),
      resource,
      context: buildContext(Object.entries(context)),
    };
    expect(evaluate([{ name: 'Self', document, origin: null }], request).effect).toBe(effect);
  });
});

describe('an alias in a policy', () => {
  it('binds every name of the action, in a Deny and in an Allow', () => {
    const document = (effect: string, action: string) => {
      const parsed = parsePolicy({ Version: '1.1', Statement: [{ Effect: effect, Action: [action] }] }, 'CUSTOM');
      if (parsed.document === null) throw new Error(JSON.stringify(parsed.problems));
      return { name: effect, document: parsed.document, origin: null };
    };
    for (const row of catalogue.rows.filter(({ aliasOf }) => aliasOf !== null)) {
      for (const [written, asked] of [
        [row.name, row.aliasOf ?? ''],
        [row.aliasOf ?? '', row.name],
      ] as const) {
        const request = { action: asked, aliases: catalogue.namesOf(asked), resource: null, context: buildContext([]) };
        expect(evaluate([document('Allow', written)], request).effect, asked).toBe('ALLOW');
        const denied = evaluate([document('Allow', '*:*:*'), document('Deny', written)], request);
        expect(denied.reason, asked).toBe('EXPLICIT_DENY');
      }
    }
  });
});

describe('the LOOSE default', () => {
  const patterns = (modelArtsDefaultPolicy.document['Statement'] as { Action: string[] }[]).flatMap(
    ({ Action }) => Action,
  );
  const allows = (action: string): boolean =>
    catalogue.namesOf(action).some((name) => patterns.some((pattern) => matchesActionPattern(pattern, name)));

  it('could be saved as a custom policy, so it keeps every limit', () => {
    expect(errorsOf(modelArtsDefaultPolicy.document, 'CUSTOM')).toEqual([]);
    expect(patterns.length).toBeLessThanOrEqual(100);
  });

  it('allows of the whole catalogue exactly ModelArts without the administration of workspaces and authorizations', () => {
    const refused = catalogue.rows.filter((row) => row.service === 'modelarts' && !allows(row.name));
    expect(refused.map((row) => row.name)).toEqual([
      'modelarts:workspace:create',
      'modelarts:workspace:update',
      'modelarts:workspace:delete',
      'modelarts:workspace:updateQuotas',
      'modelarts:fusionJob:workspacesCleanup',
      'modelarts:authorization:create',
      'modelarts:authorization:list',
      'modelarts:authorization:delete',
    ]);
    expect(catalogue.rows.filter((row) => row.service !== 'modelarts' && allows(row.name))).toEqual([]);
  });

  it('names modelarts: the callers, not the document, leave built-ins out', () => {
    const { document } = parsePolicy(modelArtsDefaultPolicy.document, 'SYSTEM');
    expect(document !== null && namesService(document, 'modelarts')).toBe(true);
  });
});
