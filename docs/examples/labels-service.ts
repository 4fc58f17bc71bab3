/** A small GraphQL service: who may see which label is written into its schema. */
import { createServer, type IncomingMessage } from 'node:http';
import { buildSchema } from 'graphql';
import { createHandler } from 'graphql-http/lib/use/http';
import { captureNodeBody, createClient, guardSchema, permissionTypeDefs } from 'bailiwick/sdk';

const environment = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`set ${name}`);
  return value;
};
const account = environment('LABELS_ACCOUNT');

const schema = guardSchema<{ readonly request: IncomingMessage }>(
  buildSchema(/* GraphQL */ `
    ${permissionTypeDefs}
    type Query {
      labels: [Label] @permission(action: "labels:label:list")
      health: String @public(reason: "Says nothing about anybody.")
    }
    "Each label is asked about, however it is reached; all of one level in one request."
    type Label @permission(action: "labels:label:get", resource: "labels::{account}:label:{source.name}") {
      name: String
      text: String
    }
  `),
  {
    account,
    client: createClient({
      url: environment('LABELS_BAILIWICK_URL'),
      credentials: {
        accessKeyId: environment('LABELS_ACCESS_KEY_ID'),
        secretAccessKey: environment('LABELS_SECRET_ACCESS_KEY'),
      },
      scope: { account },
    }),
    sender: ({ request }) => request,
  },
);

const rootValue = {
  health: 'well',
  labels: () => [
    { name: 'cat', text: 'A cat is shown.' },
    { name: 'secret', text: 'Nobody is to know.' },
  ],
};

const handler = createHandler({ schema, rootValue, context: ({ raw }) => ({ request: raw }) });
const server = createServer((request, response) => {
  // Signatures cover the bytes of the body: let the guard see them.
  captureNodeBody(request);
  void handler(request, response);
});
server.listen(Number(process.env['PORT'] ?? 4200), '127.0.0.1', () => {
  const address = server.address();
  console.log(`labels listens on http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`);
});
