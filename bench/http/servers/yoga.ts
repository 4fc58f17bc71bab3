/** graphql-yoga as its guide has it, without its pages and its log. */
import { createServer } from 'node:http';
import { createYoga } from 'graphql-yoga';
import { endWithParent, readPlan, sayWhere } from './listening.js';
import { memorySchema } from './memory-schema.js';

const yoga = createYoga({
  schema: memorySchema(readPlan()),
  graphqlEndpoint: '/graphql',
  graphiql: false,
  landingPage: false,
  logging: false,
});
const server = createServer((request, response) => void yoga(request, response));
server.listen(0, '127.0.0.1', () => sayWhere(server.address()));
endWithParent();
