/** The engine as others get it: `bailiwick/policy`, in Node and in a real browser. */
import { readFileSync } from 'node:fs';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { decision } from '../../docs/examples/decide.js';
import { browserPath, openBrowser } from '../kit/browser.js';
import { readTable } from './table.js';

const file = (path: string): URL => new URL(`../../${path}`, import.meta.url);

describe('the entry point', () => {
  it('decides as the page about it says, which shows the example to the letter', () => {
    expect(decision).toMatchObject({ effect: 'ALLOW', reason: 'ALLOWED', missingContextKeys: [], problems: [] });
    expect(readFileSync(file('docs/policy-engine.md'), 'utf8')).toContain(
      readFileSync(file('docs/examples/decide.ts'), 'utf8'),
    );
  });

  it('leads to the door of the engine and no further', () => {
    const { exports } = JSON.parse(readFileSync(file('package.json'), 'utf8')) as { exports: Record<string, unknown> };
    expect(exports['./policy']).toEqual({
      'bailiwick-source': './src/policy/index.ts',
      types: './dist/policy/index.d.ts',
      default: './dist/policy/index.js',
    });
  });
});

interface Row {
  readonly sentence: string;
  readonly policies: unknown[];
  readonly action: string;
  readonly aliases?: string[];
  readonly resource?: string;
  readonly context?: Record<string, string[]>;
  readonly reason: string;
}

describe.skipIf(browserPath === null)('in a browser', () => {
  it('decides the whole table of decisions as it does here, by both of its forms', async () => {
    const rows = readTable<Row>('decisions.json');
    const bundled = await build({
      entryPoints: [file('src/policy/index.ts').pathname],
      bundle: true,
      write: false,
      format: 'iife',
      globalName: 'engine',
      platform: 'browser',
      logLevel: 'silent',
    });
    const page = await (await openBrowser()).newPage();
    await page.addScriptTag({ content: bundled.outputFiles[0]?.text ?? '' });
    const asked = `(${JSON.stringify(rows)}).map(({ policies, action, aliases, resource, context }) => {
      const sources = policies.map((policy, i) => ({ name: 'p' + i, document: engine.parsePolicy(policy, 'ANY').document, origin: i }));
      const request = { action, aliases, resource: resource ?? null, context: engine.buildContext(Object.entries(context ?? {})) };
      return [engine.evaluate(sources, request).reason, new engine.CompiledSources(sources).evaluate(request).reason];
    })`;
    expect(await page.evaluate<string[][]>(asked)).toEqual(rows.map(({ reason }) => [reason, reason]));
  });
});
