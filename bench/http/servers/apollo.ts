/**
 * The product's own schema, resolvers and database behind Apollo Server as its guide has it: `startStandaloneServer`, all
 * defaults, the caller from the token. What a team would have that took the same packages and nothing else.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { platformCatalogue } from '../../../src/catalogue/index.js';
import { buildGuardedSchema, openContext, resolvers, type GraphContext } from '../../../src/graphql/index.js';
import { readArrival } from '../../../src/http/arrival.js';
import { createIam } from '../../../src/iam/index.js';
import { openStore } from '../../../src/store/index.js';
import { endWithParent, readPlan } from './listening.js';

const { databaseUrl, secretKeyFile } = readPlan();
const store = await openStore(databaseUrl);
const iam = createIam({ store, masterKey: readFileSync(secretKeyFile) });
const server = new ApolloServer<GraphContext>({
  schema: buildGuardedSchema({ resolvers, catalogue: platformCatalogue }),
});
const { url } = await startStandaloneServer(server, {
  listen: { port: 0, host: '127.0.0.1' },
  context: async ({ req }) => {
    const environment = { now: iam.now(), sourceAddress: req.socket.remoteAddress ?? null };
    return openContext(iam, readArrival(req, randomBytes(16).toString('hex'), environment));
  },
});
process.stdout.write(`listening on ${url}\n`);
endWithParent();
