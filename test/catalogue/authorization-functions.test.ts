import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildFunctions } from '../../src/catalogue/authorization-functions.js';
import {
  agencyActionsOf,
  authorizationFunctions,
  checkDocument,
  draftAgencyPolicies,
  platformCatalogue as catalogue,
  policyLevel,
  securityAdministratorId,
  spread,
  systemPolicies,
  type FunctionChoice,
} from '../../src/catalogue/index.js';
import { actionPatternCovers, parsePolicy } from '../../src/policy/index.js';
import '../policy/seed.js';

const ids = authorizationFunctions.map(({ id }) => id);
const byId = new Map(authorizationFunctions.map((known) => [known.id, known]));
const sound = { id: 'some', label: 'Some', description: 'For this test.' };
const build = (...rows: object[]) => buildFunctions(rows as { [member: string]: unknown }[], catalogue);

/** Whatever was chosen, the documents allow what the functions need of an agency, no more, and can be saved as they are. */
function expectExact(choice: FunctionChoice): void {
  const { functions, policies, problems } = draftAgencyPolicies(choice);
  expect(problems).toEqual([]);
  const allowed: string[] = [];
  for (const { level, document, text } of policies) {
    const parsed = parsePolicy(text, 'CUSTOM');
    expect([...parsed.problems, ...checkDocument(parsed, catalogue)]).toEqual([]);
    expect(JSON.parse(text)).toEqual(document);
    expect(parsed.document === null ? null : policyLevel(parsed.document)).toBe(level);
    for (const { Effect, Action } of document.Statement) {
      expect(Effect).toBe('Allow');
      allowed.push(...Action);
    }
  }
  const needed = new Set(functions.flatMap(({ agencyActions }) => agencyActions));
  expect(allowed.sort()).toEqual([...needed].sort());
  expect(new Set(policies.map(({ level }) => level)).size).toBe(policies.length);
}

describe('functions of the platform', () => {
  it('are those of the domain facts', () => {
    expect([...ids].sort()).toEqual(
      [
        'basics',
        'datasets',
        'edge',
        'global-configuration',
        'models',
        'notebook',
        'pools',
        'training',
        'workflow',
        'workspace',
      ].sort(),
    );
  });

  it.each(authorizationFunctions)('$id names canonical actions, each once and in order', (known) => {
    for (const actions of [known.userActions, known.agencyActions]) {
      expect(actions).toEqual([...new Set(actions)].sort());
      for (const action of actions) expect(catalogue.canonical(action)?.name).toBe(action);
    }
  });

  it.each(authorizationFunctions)('$id lets its user act on its kinds, with all that this depends on', (known) => {
    const acts = known.userActions.filter((action) =>
      known.resourceKinds.some((kind) => action.startsWith(`${kind}:`)),
    );
    if (known.resourceKinds.length > 0) expect(acts.length).toBeGreaterThan(0);
    const needed = acts.flatMap((action) => catalogue.find(action)?.dependsOn ?? []);
    const missing = needed.filter((action) => !known.userActions.includes(catalogue.canonical(action)?.name ?? ''));
    expect(missing).toEqual([]);
  });

  it('ask nothing of an agency that decides who may do what, except the published leave to share an object', () => {
    const actions = authorizationFunctions.flatMap(({ agencyActions }) => agencyActions);
    expect(actions.filter((action) => /^(iam|bailiwick):/.test(action))).toEqual([]);
    const giving = actions.filter((action) => catalogue.find(action)?.accessLevel === 'PERMISSION_MANAGEMENT');
    expect([...new Set(giving)]).toEqual(['obs:object:PutObjectAcl']);
  });

  it('share nothing with Security Administrator', () => {
    const role = systemPolicies.find(({ id }) => id === securityAdministratorId);
    const { document } = parsePolicy(role?.document, 'SYSTEM');
    const patterns = document?.statements.flatMap((statement) => statement.actions) ?? [];
    expect(patterns.length).toBeGreaterThan(0);
    const actions = authorizationFunctions.flatMap(({ agencyActions }) => agencyActions);
    expect(actions.filter((action) => patterns.some((pattern) => actionPatternCovers(pattern, action)))).toEqual([]);
  });

  it('ask for training what is published of it', () => {
    const published = [
      'obs:bucket:ListBucket',
      'obs:object:GetObject',
      'obs:object:GetObjectAcl',
      'obs:object:PutObject',
      'obs:object:PutObjectAcl',
      'smn:topic:publish',
      'swr:repository:getRepository',
    ];
    expect(byId.get('training')?.agencyActions).toEqual(expect.arrayContaining(published));
  });

  it('give a workflow what its nodes need', () => {
    const workflow = byId.get('workflow');
    for (const node of ['training', 'models', 'datasets']) {
      expect(workflow?.agencyActions).toEqual(expect.arrayContaining([...(byId.get(node)?.agencyActions ?? ['none'])]));
      expect(workflow?.userActions).toEqual(expect.arrayContaining([...(byId.get(node)?.userActions ?? ['none'])]));
    }
  });
});

describe('loading the functions stops at the row at fault', () => {
  it('completes a sound row from the catalogue', () => {
    const [made] = build({
      ...sound,
      resourceKinds: ['ModelArts:Sample'],
      exceptUserActions: ['modelarts:sample:deletesamples'],
      userActions: ['IAM:tokens:assume'],
      agencyServices: ['obs'],
      agencyActions: ['SMN:topic:PUBLISH'],
    });
    expect(made).toEqual({
      ...sound,
      commonUser: false,
      resourceKinds: ['modelarts:sample'],
      userActions: [
        'iam:agencies:assume',
        'modelarts:sample:addSamples',
        'modelarts:sample:getSample',
        'modelarts:sample:listSamples',
        'obs:object:GetObject',
        'obs:object:PutObject',
      ],
      agencyActions: ['obs:object:GetObject', 'obs:object:PutObject', 'smn:topic:publish'],
    });
  });

  it('leaves the giving of permissions out unless the row names it', () => {
    const bucket = { ...sound, resourceKinds: ['modelarts:notebook'], agencyServices: ['obs'] };
    const [silent] = build(bucket);
    const [named] = build({ ...bucket, agencyActions: ['obs:bucket:PutBucketPolicy'] });
    expect(silent?.userActions).toContain('obs:bucket:PutBucketPolicy');
    expect(silent?.agencyActions).not.toContain('obs:bucket:PutBucketPolicy');
    expect(named?.agencyActions).toContain('obs:bucket:PutBucketPolicy');
  });

  it.each([
    ['an id that is no word', [{ ...sound, id: 'Some one' }], 'function `Some one` has an id'],
    ['the same id twice', [sound, sound], 'function `some` stands there twice'],
    [
      'a member nobody reads',
      [{ ...sound, agencyAction: [] }],
      'function `some` has the unknown member `agencyAction`',
    ],
    ['no label', [{ id: 'some', description: '' }], 'expected `label` to be a string'],
    ['an unknown kind', [{ ...sound, resourceKinds: ['modelarts:x'] }], 'names the resource kind `modelarts:x`'],
    ['an unknown action', [{ ...sound, userActions: ['obs:object:Get'] }], 'names the action `obs:object:Get`'],
    ['a pattern', [{ ...sound, agencyActions: ['obs:object:*'] }], 'names the action `obs:object:*`'],
    ['an unknown service', [{ ...sound, agencyServices: ['obss'] }], 'names the service `obss`'],
    ['an inclusion of what comes later', [{ ...sound, includes: ['other'] }], 'includes `other`'],
    [
      'an exception that is none',
      [{ ...sound, exceptUserActions: ['obs:object:GetObject'] }],
      'leaves out `obs:object:GetObject`',
    ],
    [
      'an act of administration for agencies',
      [{ ...sound, agencyActions: ['iam:users:listUsers'] }],
      'would give agencies `iam:users:listUsers`',
    ],
    [
      'the same by a dependency',
      [{ ...sound, resourceKinds: ['modelarts:workflow'], agencyServices: ['iam'] }],
      'would give agencies `iam:',
    ],
  ])('%s', (_what, rows, message) => {
    expect(() => build(...rows)).toThrow(message);
    expect(() => build(...rows)).toThrow('schema/functions.json');
  });
});

describe('drafting policies for an agency', () => {
  it.each(ids)('gives %s exactly what it needs', (id) => expectExact({ preset: 'CUSTOM', functions: [id] }));

  it('gives the ordinary user’s functions exactly what they need', () =>
    expectExact({ preset: 'COMMON_USER', functions: [] }));

  it('gives any choice of functions exactly what they need', () => {
    const choices = fc.subarray([...ids], { minLength: 1 });
    fc.assert(
      fc.property(choices, (functions) => expectExact({ preset: 'CUSTOM', functions })),
      { numRuns: 200 },
    );
  });

  it('asks for nothing where nothing is done elsewhere', () => {
    expect(draftAgencyPolicies({ preset: 'CUSTOM', functions: ['basics'] }).policies).toEqual([]);
  });

  it('gives the ordinary user no pools, no edge, and no administration', () => {
    const { functions } = draftAgencyPolicies({ preset: 'COMMON_USER', functions: [] });
    expect(functions.map(({ id }) => id)).toEqual(['basics', 'notebook', 'training', 'models', 'datasets', 'workflow']);
  });

  it('compares ids without case and takes each once', () => {
    const { functions } = draftAgencyPolicies({ preset: 'CUSTOM', functions: ['Training', 'training'] });
    expect(functions.map(({ id }) => id)).toEqual(['training']);
  });

  it.each([
    ['CUSTOM', [], 'NOTHING_TO_DRAFT', '/functions', 'choose at least one'],
    ['CUSTOM', ['notebook', 'trainin'], 'UNKNOWN_FUNCTION', '/functions/1', 'did you mean `training`?'],
    ['CUSTOM', ['x'.repeat(5000)], 'UNKNOWN_FUNCTION', '/functions/0', 'take an id from `authorizationFunctions`'],
    ['COMMON_USER', ['training'], 'FUNCTIONS_GIVEN', '/functions', 'choose the preset CUSTOM'],
  ] as const)('refuses %s with %j', (preset, functions, code, pointer, message) => {
    const draft = draftAgencyPolicies({ preset, functions });
    expect(draft).toMatchObject({ functions: [], policies: [], problems: [{ severity: 'ERROR', code, pointer }] });
    expect(draft.problems[0]?.message).toContain(message);
    expect(draft.problems[0]?.message.length).toBeLessThan(500);
  });
});

describe('spreading actions over documents', () => {
  const many = Array.from({ length: 400 }, (_, index) => `service:kind:someOperation${String(index).padStart(4, '0')}`);

  it('fills one document before it begins another', () => {
    const lists = spread([], many);
    expect(lists.length).toBeGreaterThan(1);
    expect(lists.flat().sort()).toEqual(many);
    for (const actions of lists) {
      const document = { Version: '1.1', Statement: statements(actions) };
      expect(JSON.stringify(document).length).toBeLessThanOrEqual(6144);
      expect(parsePolicy(document, 'CUSTOM').problems).toEqual([]);
    }
    const [first = []] = lists;
    expect(spread([], first)).toEqual([first]);
    expect(spread([], [...first, many[399] ?? ''])).toHaveLength(2);
  });

  it('leaves what stands where it stands, and adds what it lacks', () => {
    fc.assert(
      fc.property(fc.subarray(many), fc.subarray(many), (before, wanted) => {
        const standing = spread([], before);
        const after = spread(standing, wanted);
        standing.forEach((actions, index) => expect(after[index]).toEqual(expect.arrayContaining([...actions])));
        expect(after.flat().sort()).toEqual([...new Set([...before, ...wanted])].sort());
      }),
      { numRuns: 50 },
    );
  });

  function statements(actions: readonly string[]) {
    const chunks: object[] = [];
    for (let from = 0; from < actions.length; from += 100) {
      chunks.push({ Effect: 'Allow', Action: actions.slice(from, from + 100) });
    }
    return chunks;
  }

  it('draws the line between levels by the catalogue', () => {
    for (const known of authorizationFunctions) {
      const global = agencyActionsOf([known], 'GLOBAL');
      const project = agencyActionsOf([known], 'PROJECT');
      expect(global.every((action) => catalogue.find(action)?.global === true)).toBe(true);
      expect(project.some((action) => catalogue.find(action)?.global === true)).toBe(false);
      expect([...global, ...project].sort()).toEqual([...known.agencyActions].sort());
    }
  });
});
