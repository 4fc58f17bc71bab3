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
    // For two cores: a file waits for databases, hashes and processes a third of its time. All of these take seconds to come up
    // on a busy machine.
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
  },
});
