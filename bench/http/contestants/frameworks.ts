/** GraphQL servers that people take, on the same schema and data in memory, which ask nobody who they are. */
import { type Adapter, planOf, startBundled } from '../contestant.js';
import { readGraphQL, rowNames } from '../requests.js';
import { graphQLRequests, withoutGuard } from './bailiwick.js';

const rows = rowNames.filter((row) => row !== 'check-signed');

function framework(name: string, use: string, bundle: string, args: readonly string[] = []): Adapter {
  return {
    name,
    use,
    rows,
    open: async (site) => {
      const started = await startBundled(site, name, bundle, planOf(site), { args });
      return { ...started, name, requestsOf: graphQLRequests(site, started.port), read: readGraphQL };
    },
  };
}

export const yoga = framework('graphql-yoga', 'the same schema over the data in memory, nothing checked', 'yoga');
export const mercurius = framework('mercurius', 'the same, without JIT', 'mercurius');
export const mercuriusJit = framework('mercurius-jit', 'the same, with JIT', 'mercurius', ['jit']);

/** Over the same database, and without the guard: a default server would have none. */
export const apollo: Adapter = {
  name: 'apollo',
  use: 'the product’s schema without its guard on a default Apollo Server, same database',
  rows: ['viewer', 'check', 'users'],
  open: async (site) => {
    const plan = planOf(site, await site.database('apollo'));
    const started = await startBundled(site, 'apollo', 'apollo', plan, { node: ['--import', withoutGuard()] });
    return { ...started, name: 'apollo', requestsOf: graphQLRequests(site, started.port), read: readGraphQL };
  },
};
