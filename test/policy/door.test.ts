/** The door of the engine: what it shows, and that nothing comes in through it. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as door from '../../src/policy/index.js';

const run = promisify(execFile);
const source = fileURLToPath(new URL('../../src/policy/', import.meta.url));
const files = readdirSync(source).filter((name) => name.endsWith('.ts'));

it('the door shows exactly this', () => {
  expect(Object.keys(door).sort()).toEqual([
    'CompiledSources',
    'actionMatcher',
    'actionPatternCovers',
    'actionPatternsOverlap',
    'actionsMatcher',
    'allOf',
    'anyOf',
    'anyResource',
    'buildContext',
    'comparePolicies',
    'conditionsExclude',
    'contextWith',
    'dependsOnPrincipal',
    'describeChange',
    'describeFailure',
    'evaluate',
    'every',
    'explain',
    'findShadows',
    'fitsPattern',
    'holds',
    'isConcreteAction',
    'isExact',
    'keyOf',
    'liesIn',
    'matchesActionPattern',
    'matchesResourcePattern',
    'negation',
    'none',
    'open',
    'openFormulas',
    'openVerdict',
    'operators',
    'parsePolicy',
    'planDecision',
    'planStatements',
    'policyLimits',
    'prepareDocument',
    'problemCodes',
    'readActionName',
    'readAddress',
    'readAddressBlock',
    'readInstant',
    'readOperator',
    'replaceTests',
    'requestValueReads',
    'resourcePatternCovers',
    'resourcePatternsMayOverlap',
    'sizeOf',
    'statementCovers',
    'statementEdits',
    'statementsMayOverlap',
    'sweepOf',
    'tagFacts',
    'testOf',
    'typeNames',
    'upperBound',
    'verdictOf',
    'weightOf',
    'withSegments',
    'writeAddressBlock',
  ]);
});

it('every type of the door is there', () => {
  const text = readFileSync(join(source, 'index.ts'), 'utf8');
  const types = [...text.matchAll(/type (\w+)/g)].map(([, name]) => name).sort();
  expect(types).toEqual(['Address', 'AddressBlock', 'Change', 'ChangeableContext', 'Comparison', 'ComparisonOptions', 'ComparisonVerdict', 'Condition', 'ContextChange', 'DeterminingStatement', 'Evaluation', 'Explanation', 'ExplanationOptions', 'Expression', 'FailedPart', 'NearMiss', 'OpenFormulas', 'OpenKeyTest', 'OpenRequest', 'OpenTest', 'OpenVerdict', 'Operator', 'OperatorUse', 'OperatorValueType', 'ParsedPolicy', 'Pattern', 'Plan', 'PlanRequest', 'PolicyComparison', 'PolicyDependency', 'PolicyDialect', 'PolicyDocument', 'PolicyLimits', 'PolicyRequest', 'PolicySource', 'PolicyVersion', 'Problem', 'ProblemCode', 'RequestContext', 'ResourceTest', 'SetPrefix', 'Shadow', 'Statement', 'StatementChange', 'StatementEdit', 'StatementEffect', 'StatementPlans', 'Sweep', 'TakesPart', 'UrnKey', 'Way', 'Wildcard', 'Witness']); // prettier-ignore
});

describe('in a process where importing any package or part of Node throws', () => {
  let folder = '';

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'bailiwick-policy-'));
    for (const name of files) {
      const { outputText } = ts.transpileModule(readFileSync(join(source, name), 'utf8'), {
        compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022, verbatimModuleSyntax: false },
        fileName: name,
      });
      writeFileSync(join(folder, name.replace(/\.ts$/, '.js')), outputText);
    }
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    // The hooks run in a thread of their own, outside what they forbid.
    writeFileSync(
      join(folder, 'hooks.mjs'),
      `import { writeSync } from 'node:fs';
       export async function resolve(specifier, context, next) {
         if (!/^(file:|\\.\\.?\\/)/.test(specifier)) throw new Error('FORBIDDEN ' + specifier);
         return next(specifier, context);
       }
       export async function load(url, context, next) {
         if (!url.endsWith('.mjs')) writeSync(1, 'LOADED ' + url.split('/').at(-1) + '\\n');
         return next(url, context);
       }`,
    );
    writeFileSync(
      join(folder, 'register.mjs'),
      `import { register } from 'node:module'; register('./hooks.mjs', import.meta.url);`,
    );
    writeFileSync(
      join(folder, 'use.mjs'),
      `const log = console.log;
       const forbid = (name) => () => { throw new Error('FORBIDDEN ' + name); };
       const random = forbid('Math.random');
       for (const name of ['process', 'Buffer', 'Date', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'fetch', 'performance', 'crypto', 'require', 'console'])
         Object.defineProperty(globalThis, name, { get: forbid(name), configurable: true });
       Math.random = random;
       const { buildContext, evaluate, parsePolicy } = await import('./index.js');
       const { document } = parsePolicy('{"Version":"1.1","Statement":[{"Effect":"Allow","Action":["a:b:c"],"Condition":{"DateLessThan":{"g:CurrentTime":["2030-01-01"]}}}]}', 'CUSTOM');
       const context = buildContext([['g:CurrentTime', '2026-01-01T00:00:00Z']]);
       log('DECIDED ' + evaluate([{ name: 'p', document, origin: null }], { action: 'a:b:c', resource: null, context }).reason);`,
    );
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function start(entry: string): Promise<string> {
    const register = pathToFileURL(join(folder, 'register.mjs')).href;
    const { stdout } = await run(process.execPath, ['--no-warnings', '--import', register, join(folder, entry)], {
      env: { PATH: process.env['PATH'] },
    });
    return stdout;
  }

  it('the engine loads, reads and decides, without a clock', async () => {
    const stdout = await start('use.mjs');
    const loaded = [...stdout.matchAll(/^LOADED (.*)$/gm)].map(([, name]) => name);
    process.stderr.write(`the engine loads ${loaded.length} modules, all its own\n`);
    expect(stdout).toContain('DECIDED ALLOWED');
    expect(loaded.sort()).toEqual(files.map((name) => name.replace(/\.ts$/, '.js')).sort());
  });

  it.each(['node:fs', 'fs', 'graphql'])('importing `%s` there would have been seen', async (specifier) => {
    writeFileSync(join(folder, 'guilty.js'), `import '${specifier}';`);
    await expect(start('guilty.js')).rejects.toThrow(`FORBIDDEN ${specifier}`);
  });
});
