import { createRequire } from 'node:module';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/kit/longest-first.js';

export default defineConfig({
  resolve: {
    // One copy of graphql: Vitest would resolve the package to index.mjs where Node, for the packages outside the
    // tests, loads index.js, and the two do not know each other's types.
    alias: [{ find: /^graphql$/, replacement: createRequire(import.meta.url).resolve('graphql') }],
  },
  test: {
    include: ['test/**/*.test.ts'],
    sequence: { sequencer: LongestFirst },
    globalSetup: ['test/kit/whole-run.ts'],
    // Two cores: one file at a time on each. Servers and databases take seconds to come up on a busy machine.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
  },
});
