import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { askedWithoutResource } from '../../src/catalogue/idle-check.js';
import {
  checkDocument,
  namesService,
  platformCatalogue as catalogue,
  policyLevel,
  type PolicyLevel,
  samplePolicies,
  systemPolicies,
} from '../../src/catalogue/index.js';
import { parsePolicy, type ParsedPolicy } from '../../src/policy/index.js';
import { readTable } from './table.js';

function parse(statements: unknown): ParsedPolicy & { document: NonNullable<ParsedPolicy['document']> } {
  const parsed = parsePolicy({ Version: '1.1', Statement: statements }, 'CUSTOM');
  if (parsed.document === null) throw new Error(JSON.stringify(parsed.problems));
  return { ...parsed, document: parsed.document };
}

interface ProblemCase {
  sentence: string;
  statements: unknown;
  problems: string[];
  message?: string;
}

describe('what the catalogue says of a document', () => {
  it.each(readTable<ProblemCase>('document-problems.json'))('$sentence', ({ statements, problems, message }) => {
    const found = checkDocument(parse(statements), catalogue);
    expect(found.map(({ severity, code, pointer }) => `${severity} ${code} ${pointer}`)).toEqual(problems);
    if (message !== undefined) expect(found.map((problem) => problem.message)).toContain(message);
  });

  it('locates a problem in the text that was written', () => {
    const text = [
      '{ "Version": "1.1",',
      '  "Statement": [',
      '    { "Effect": "Allow",',
      '      "Action": ["modelarts:notebook:get",',
      '                 "modelarts:notebok:get"] } ] }',
    ].join('\n');
    const [problem] = checkDocument(parsePolicy(text, 'CUSTOM'), catalogue);
    expect(problem).toMatchObject({ code: 'IAM.1036', line: 5, column: 18 });
  });

  it('says nothing of a document that did not parse: the grammar speaks first', () => {
    expect(checkDocument(parsePolicy('{ "Version": "1.1" }', 'CUSTOM'), catalogue)).toEqual([]);
  });

  it('knows the actions of a registered service', () => {
    const larger = catalogue.with([{ service: 'render', name: 'render:scene:create', accessLevel: 'WRITE' }]);
    const parsed = parse([{ Effect: 'Allow', Action: ['render:scene:*'] }]);
    expect(checkDocument(parsed, larger)).toEqual([]);
    expect(checkDocument(parsed, catalogue).map((problem) => problem.code)).toEqual(['IAM.1036']);
  });

  it('suggests for a few slips only, so that a document of nonsense costs no more than reading it', () => {
    const parsed = parse([
      { Effect: 'Allow', Action: Array.from({ length: 100 }, (_, i) => `modelarts:notebok:get${i}`) },
    ]);
    const found = checkDocument(parsed, catalogue);
    expect(found).toHaveLength(100);
    expect(found.filter(({ message }) => message.includes('did you mean'))).toHaveLength(10);
  });

  it('writes messages in one line, without capitals at the start or a full stop at the end', () => {
    for (const { statements } of readTable<ProblemCase>('document-problems.json')) {
      for (const { message } of checkDocument(parse(statements), catalogue)) {
        expect(message).not.toMatch(/\n|\.$/);
      }
    }
  });
});

it('of the policies that ship, two need more than they give, and none has an idle statement', () => {
  const certain = /^(REDUNDANT|UNREACHABLE)_STATEMENT$|^CONTRADICTORY|^RESOURCE_NEVER_ASKED$|^MISSING_DEPENDENCY$/;
  const found = [...systemPolicies, ...samplePolicies].flatMap(({ displayName, kind, document }) =>
    checkDocument(parsePolicy(document, kind === 'SAMPLE' ? 'CUSTOM' : 'SYSTEM'), catalogue)
      .filter(({ code }) => certain.test(code))
      .map(({ code, pointer }) => `${displayName} ${code} ${pointer}`),
  );
  expect(found).toEqual([
    'ModelArts CommonOperations MISSING_DEPENDENCY /Statement/0/Action/4',
    'ModelArtsExemlflowAllPolicy MISSING_DEPENDENCY /Statement/0/Action/2',
  ]);
});

it('what is said to be asked about no resource is asked so, and no otherwise', () => {
  const folder = new URL('../../src/iam/', import.meta.url);
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const text = sources.map((name) => readFileSync(new URL(name, folder), 'utf8')).join('\n');
  const schema = readFileSync(new URL('../../schema/schema.graphql', import.meta.url), 'utf8');
  for (const action of askedWithoutResource) {
    const asked = [...text.matchAll(new RegExp(`ask\\('${action}', ([^),]+)`, 'g'))].map(([, resource]) => resource);
    expect([action, asked]).toEqual([action, ['null']]);
    const doors = schema.split('\n').filter((line) => line.includes(`"${action}"`) && line.includes('@permission'));
    expect(doors.length, action).toBeGreaterThan(0);
    for (const door of doors) expect(door).not.toContain('resource:');
  }
});

interface LevelCase {
  sentence: string;
  statements: unknown;
  level: PolicyLevel;
  mixed: string[];
}

describe('account-level and project-level services', () => {
  it.each(readTable<LevelCase>('mixed-scope.json'))('$sentence', ({ statements, level, mixed }) => {
    const parsed = parse(statements);
    expect(policyLevel(parsed.document)).toBe(level);
    const found = checkDocument(parsed, catalogue).filter((problem) => problem.code === 'MIXED_SCOPE');
    expect(found.map((problem) => problem.pointer)).toEqual(mixed);
    expect(found.every((problem) => problem.severity === 'ERROR')).toBe(true);
  });

  it('explains a mix with the services of both sides and what to do', () => {
    const parsed = parse([{ Effect: 'Allow', Action: ['modelarts:pool:get', 'ecs:*:list', 'iam:users:listUsers'] }]);
    expect(checkDocument(parsed, catalogue).map((problem) => problem.message)).toEqual([
      'account-level services (`iam`) and project-level services (`ecs`, `modelarts`) cannot share a policy, ' +
        'because each is granted in another scope; write one policy for each',
    ]);
  });

  it('lets a session policy mix: it has no scope to be granted in', () => {
    const parsed = parse([{ Effect: 'Allow', Action: ['obs:*:*', 'modelarts:*:*'] }]);
    expect(checkDocument(parsed, catalogue, 'SESSION')).toEqual([]);
  });
});

describe('naming modelarts, which ends the LOOSE default', () => {
  const cases = readTable<{ sentence: string; statements: unknown; names: boolean }>('named-services.json');
  it.each(cases)('$sentence', ({ statements, names }) => {
    expect(namesService(parse(statements).document, 'modelarts')).toBe(names);
  });

  it('reads NotAction as naming all but what it leaves out entirely', () => {
    const document = (...notActions: string[]) => {
      const parsed = parsePolicy({ Version: '5.0', Statement: [{ Effect: 'Allow', NotAction: notActions }] }, 'SYSTEM');
      if (parsed.document === null) throw new Error(JSON.stringify(parsed.problems));
      return parsed.document;
    };
    expect(namesService(document('iam:*:*'), 'modelarts')).toBe(true);
    expect(namesService(document('modelarts:pool:*'), 'modelarts')).toBe(true);
    expect(namesService(document('iam:*:*', 'modelarts:*:*'), 'modelarts')).toBe(false);
    expect(namesService(document('*'), 'modelarts')).toBe(false);
    expect(policyLevel(document('modelarts:*:*'))).toBe('BOTH');
  });
});
