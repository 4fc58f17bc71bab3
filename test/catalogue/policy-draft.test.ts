import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  accessLevels,
  checkDocument,
  draftPolicy,
  hasWildcard,
  platformCatalogue as catalogue,
  policyLevel,
  type AccessLevel,
  type PolicyDraft,
} from '../../src/catalogue/index.js';
import { matchesActionPattern, parsePolicy } from '../../src/policy/index.js';

const everyLevelSet = Array.from({ length: 2 ** accessLevels.length }, (_, bits) =>
  accessLevels.filter((_level, index) => (bits & (2 ** index)) !== 0),
);
const kindNames = catalogue.resourceKinds.map((kind) => kind.name);
const isGlobal = (kind: string): boolean =>
  catalogue.services.find(({ name }) => name === kind.slice(0, kind.indexOf(':')))?.global ?? false;

/** What a draft promises: an error and nothing, or a document that saves as it stands and covers what was chosen. */
function expectPromise(draft: PolicyDraft, kinds: readonly string[], levels: readonly AccessLevel[]): void {
  const errors = draft.problems.filter(({ severity }) => severity === 'ERROR');
  if (draft.document === null || draft.text === null) {
    expect(errors.length).toBeGreaterThan(0);
    expect([draft.document, draft.text]).toEqual([null, null]);
    return;
  }
  expect(errors).toEqual([]);
  expect(JSON.parse(draft.text)).toEqual(draft.document);
  const parsed = parsePolicy(draft.text, 'CUSTOM');
  expect(parsed.problems.filter(({ severity }) => severity === 'ERROR')).toEqual([]);
  expect(checkDocument(parsed, catalogue).filter(({ severity }) => severity === 'ERROR')).toEqual([]);
  const patterns = draft.document.Statement.flatMap(({ Action }) => Action);
  const chosen = new Set(
    kinds.flatMap((name) => levels.flatMap((level) => catalogue.findKind(name)?.actions[level] ?? [])),
  );
  const literal = new Set(patterns.filter((pattern) => !hasWildcard(pattern)));
  const wild = patterns.filter(hasWildcard);
  const named = (name: string): boolean =>
    literal.has(name) || wild.some((pattern) => matchesActionPattern(pattern, name));
  const missing = [...chosen].filter((row) => !catalogue.namesOf(row.name).some(named));
  const surplus = catalogue.rows.filter((row) => !chosen.has(row) && named(row.name));
  expect({ missing, surplus }).toEqual({ missing: [], surplus: [] });
}

describe('drafting a policy', () => {
  it('keeps its promise for every kind and every set of levels', () => {
    for (const kind of kindNames) {
      for (const levels of everyLevelSet) {
        for (const effect of ['ALLOW', 'DENY'] as const) {
          expectPromise(
            draftPolicy({ resourceKinds: [kind], accessLevels: levels, effect }, catalogue),
            [kind],
            levels,
          );
        }
      }
    }
  });

  it('keeps its promise for any choice of kinds', () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.subarray(kindNames),
        fc.subarray([...accessLevels]),
        fc.constantFrom('ALLOW' as const, 'DENY' as const),
        (global, all, levels, effect) => {
          const kinds = all.filter((kind) => isGlobal(kind) === global);
          expectPromise(draftPolicy({ resourceKinds: kinds, accessLevels: levels, effect }, catalogue), kinds, levels);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('writes all levels of a kind as one pattern', () => {
    const draft = draftPolicy(
      { resourceKinds: ['modelarts:notebook', 'modelarts:'], accessLevels: [...accessLevels], effect: 'DENY' },
      catalogue,
    );
    expect(draft.document).toEqual({
      Version: '1.1',
      Statement: [{ Effect: 'Deny', Action: ['modelarts:notebook:*', 'modelarts::*'] }],
    });
  });

  it('names the actions where only some levels are chosen, without second names of what is named', () => {
    const draft = draftPolicy(
      { resourceKinds: ['ModelArts:Pool'], accessLevels: ['WRITE', 'LIST'], effect: 'DENY' },
      catalogue,
    );
    expect(draft.document?.Statement).toEqual([
      {
        Effect: 'Deny',
        Action: ['modelarts:pool:list', 'modelarts:pool:create', 'modelarts:pool:update', 'modelarts:pool:delete'],
      },
    ]);
    expect(draft.problems).toEqual([]);
  });

  it('begins a new statement after a hundred actions', () => {
    const draft = draftPolicy(
      { resourceKinds: kindNames.filter(isGlobal), accessLevels: ['WRITE', 'READ'], effect: 'DENY' },
      catalogue,
    );
    const sizes = draft.document?.Statement.map(({ Action }) => Action.length) ?? [];
    expect(sizes.length).toBeGreaterThan(1);
    expect(Math.max(...sizes)).toBe(100);
  });

  it('says to draft two where one would be too long', () => {
    const draft = draftPolicy(
      {
        resourceKinds: kindNames.filter((kind) => !isGlobal(kind)),
        accessLevels: ['LIST', 'READ', 'WRITE'],
        effect: 'ALLOW',
      },
      catalogue,
    );
    expect(draft.document).toBeNull();
    expect(draft.problems).toMatchObject([{ code: 'IAM.1021', severity: 'ERROR', pointer: '/resourceKinds' }]);
  });

  it('says to draft two where levels would mix', () => {
    const draft = draftPolicy(
      { resourceKinds: ['modelarts:notebook', 'iam:users'], accessLevels: ['READ'], effect: 'ALLOW' },
      catalogue,
    );
    expect(draft.document).toBeNull();
    expect(draft.problems.map(({ code, message }) => `${code} ${message}`)).toEqual([
      'MIXED_SCOPE account-level kinds (`iam:users`) and project-level kinds (`modelarts:notebook`) cannot share a policy; draft two, one for each',
    ]);
  });

  it('lists what an Allow depends on and does not include, and keeps quiet in a Deny', () => {
    const request = { resourceKinds: ['modelarts:workspace'], accessLevels: ['LIST'] as AccessLevel[] };
    const allow = draftPolicy({ ...request, effect: 'ALLOW' }, catalogue);
    expect(allow.problems.map(({ code, severity, message }) => `${severity} ${code} ${message}`)).toEqual([
      'WARNING DEPENDENCIES_NOT_INCLUDED the chosen actions depend on actions that this draft does not include; grant them besides: `eps:enterpriseProjects:list`',
    ]);
    expect(draftPolicy({ ...request, effect: 'DENY' }, catalogue).problems).toEqual([]);
  });

  it('locates an unknown kind and suggests the nearest', () => {
    const draft = draftPolicy(
      { resourceKinds: ['modelarts:pool', 'modelarts:notebok'], accessLevels: ['READ'], effect: 'ALLOW' },
      catalogue,
    );
    expect(draft.problems).toMatchObject([
      { code: 'UNKNOWN_RESOURCE_KIND', severity: 'ERROR', pointer: '/resourceKinds/1' },
    ]);
    expect(draft.problems[0]?.message).toContain('did you mean `modelarts:notebook`?');
  });

  it('answers hostile names in one line', () => {
    const draft = draftPolicy({ resourceKinds: ['a`\n\u2028b'], accessLevels: ['READ'], effect: 'ALLOW' }, catalogue);
    expect(draft.problems[0]?.message).toBe(
      'resource kind `a\ufffd\ufffd\ufffdb` is unknown; take a name from `resourceKinds`',
    );
    expect(catalogue.findKind('__proto__')).toBeUndefined();
  });

  it('has the level of its kinds', () => {
    const draft = draftPolicy({ resourceKinds: ['iam:users'], accessLevels: ['READ'], effect: 'ALLOW' }, catalogue);
    const { document } = parsePolicy(draft.text, 'CUSTOM');
    expect(document === null ? null : policyLevel(document)).toBe('GLOBAL');
  });
});
