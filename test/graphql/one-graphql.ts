/**
 * The one copy of graphql that Node loads. Vitest resolves `main: "index"` of the package to index.mjs, packages outside
 * the tests load index.js, and the two do not know each other's types. Each test file here begins with
 *
 *   vi.mock('graphql', async () => (await import('./one-graphql.js')).oneGraphql);
 *
 * An alias for `graphql` in vitest.config.ts would make this needless.
 */
import { createRequire } from 'node:module';
import type * as graphql from 'graphql';

export const oneGraphql = createRequire(import.meta.url)('graphql') as typeof graphql;
