/**
 * A storage service, as a team would write one: objects in memory, every route guarded by Bailiwick, nothing of Bailiwick
 * but its SDK. It knows no users and no agencies; it is told who is there and whether they may.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { actorOf, captureBody, createClient, guardExpress } from 'bailiwick/sdk';
import { keyFile, log, variable } from './surroundings.js';

const account = variable('ACCOUNT');
const client = createClient({
  url: variable('PERMISSIONS_URL'),
  credentials: keyFile(variable('KEY_FILE')),
  // Requests of every workspace come here.
  scope: { account },
});

const objects = new Map<string, Buffer>();

interface Named {
  readonly params: Readonly<Record<string, string | string[]>>;
}

const nameOf = ({ params }: Named): string => `${String(params['bucket'])}/${String(params['key'])}`;

const guarding = (action: string) =>
  guardExpress(client, {
    action,
    resource: (request) => `obs::${account}:object:${nameOf(request)}`,
    onRefusal: (refusal, { method, url }) => log('refused', { method, url, ...refusal }),
  });

/** A name may have letters that no header takes. */
function tellActor(request: IncomingMessage, response: ServerResponse): void {
  const { description } = actorOf(request);
  response.setHeader('x-actor', encodeURIComponent(description));
  log('allowed', {
    method: request.method,
    url: request.url,
    actor: description,
    userAgent: request.headers['user-agent'],
  });
}

const app = express();
// Signatures cover the bytes of the body: let the guard see them.
app.use(express.raw({ type: () => true, limit: '10mb', verify: captureBody }));

app.put('/v1/buckets/:bucket/objects/:key', guarding('obs:object:PutObject'), (request, response) => {
  const bytes = request.body as Buffer;
  objects.set(nameOf(request), bytes);
  tellActor(request, response);
  response.status(201).json({ bytes: bytes.length });
});

app.get('/v1/buckets/:bucket/objects/:key', guarding('obs:object:GetObject'), (request, response) => {
  const bytes = objects.get(nameOf(request));
  tellActor(request, response);
  if (bytes === undefined)
    response.status(404).json({ error: { code: 'NOT_FOUND', message: 'there is no such object' } });
  else response.type('binary/octet-stream').send(bytes);
});

const server = app.listen(Number(variable('PORT')), '127.0.0.1', () => {
  log(`storage listens on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
