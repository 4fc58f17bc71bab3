import { createRequire } from 'node:module';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { LongestFirst } from './test/kit/longest-first.js';
import { translated } from './test/kit/translated.js';

/** Files that change what is of a whole process, and so have one that no other file has run in. */
const alone = [
  // Types of their own in the metadata of type-graphql.
  'test/graphql/edge.test.ts',
  'test/graphql/guard.test.ts',
  'test/graphql/proof.test.ts',
];

function project(name: string, test: TestProjectInlineConfiguration['test']): TestProjectInlineConfiguration {
  return {
    plugins: [translated()],
    resolve: {
      // One copy of graphql: Vitest would resolve the package to index.mjs where Node, for the packages outside the
      // tests, loads index.js, and the two do not know each other's types.
      alias: [{ find: /^graphql$/, replacement: createRequire(import.meta.url).resolve('graphql') }],
    },
    test: {
      name,
      testTimeout: 60_000,
      hookTimeout: 120_000,
      pool: 'forks',
      server: { deps: { external: [/\/\.program-\d+\//] } },
      ...test,
    },
  };
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    globalSetup: ['test/kit/whole-run.ts'],
    forceRerunTriggers: ['**/package.json/**', '**/vitest.config.*/**', '**/src/**'],
    // Two cores: one file at a time on each. Servers and databases take seconds to come up on a busy machine.
    maxWorkers: 2,
    projects: [
      project('together', {
        include: ['test/**/*.test.ts'],
        exclude: alone,
        isolate: false,
        setupFiles: ['test/kit/anew.ts'],
      }),
      project('alone', { include: alone }),
    ],
  },
});
