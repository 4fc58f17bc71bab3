/** Mercurius on Fastify as its guide has it; a second argument `jit` compiles each query at its first run. */
import fastify from 'fastify';
import mercurius from 'mercurius';
import { endWithParent, readPlan, sayWhere } from './listening.js';
import { memorySchema } from './memory-schema.js';

const app = fastify();
await app.register(mercurius, {
  schema: memorySchema(readPlan()),
  graphiql: false,
  ...(process.argv[3] === 'jit' ? { jit: 1 } : {}),
});
await app.listen({ port: 0, host: '127.0.0.1' });
sayWhere(app.server.address());
endWithParent();
