/** A small storage service whose every route Bailiwick guards. */
import express from 'express';
import { actorOf, captureBody, createClient, guardExpress } from 'bailiwick/sdk';

const environment = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`set ${name}`);
  return value;
};
const account = environment('STORAGE_ACCOUNT');

const bailiwick = createClient({
  url: environment('STORAGE_BAILIWICK_URL'),
  credentials: {
    accessKeyId: environment('STORAGE_ACCESS_KEY_ID'),
    secretAccessKey: environment('STORAGE_SECRET_ACCESS_KEY'),
  },
  // Asks about callers of every workspace.
  scope: { account },
});

const mayDo = (action: string) =>
  guardExpress(bailiwick, {
    action,
    resource: ({ params }) => `obs::${account}:object:${String(params['bucket'])}/${String(params['key'])}`,
    onRefusal: ({ code, message, cause }) => console.error(code, message, cause ?? ''),
  });

const objects = new Map<string, Buffer>();
const app = express();
// Signatures cover the bytes of the body: let the guard see them.
app.use(express.raw({ type: () => true, limit: '10mb', verify: captureBody }));

app.put('/:bucket/:key', mayDo('obs:object:PutObject'), (request, response) => {
  objects.set(request.path, request.body as Buffer);
  response.status(201).json({ stored: request.path, by: actorOf(request).description });
});

app.get('/:bucket/:key', mayDo('obs:object:GetObject'), (request, response) => {
  const object = objects.get(request.path);
  if (object === undefined) response.status(404).json({ error: { code: 'NOT_FOUND', message: 'no such object' } });
  else response.type('application/octet-stream').send(object);
});

const server = app.listen(Number(process.env['PORT'] ?? 4100), '127.0.0.1', () => {
  const address = server.address();
  console.log(`storage listens on http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`);
});
