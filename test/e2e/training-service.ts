/**
 * A training service, as a team would write one. People start jobs with a token that was made for it; it asks once what
 * its bearer may do and forgets it. The jobs run later, with nobody there: on behalf of their owner, by temporary keys of
 * the agency that the owner authorized.
 */
import { randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import express, { type NextFunction, type Request, type Response } from 'express';
import { BailiwickError, createClient, type CredentialProvider } from 'bailiwick/sdk';
import { SignedObjects, type StorageAnswer } from './signed-objects.js';
import { keyFile, log, variable } from './surroundings.js';

const account = variable('ACCOUNT');
const url = variable('PERMISSIONS_URL');
const storage = variable('STORAGE_URL');
const trigger = Buffer.from(variable('TRIGGER_SECRET'));
const bucket = 'training';
const client = createClient({ url, credentials: keyFile(variable('KEY_FILE')) });

interface Job {
  readonly id: string;
  readonly workspace: string;
  readonly credentials: CredentialProvider;
  /** Of its objects: every key begins so. */
  readonly name: string;
  steps: number;
}

const jobs = new Map<string, Job>();

const people = express();
people.use(express.json());

people.post('/v1/jobs', async (request, response) => {
  const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
  const { name, workspace, agency } = request.body as Record<'name' | 'workspace' | 'agency', string>;
  if (token === undefined) return tell(response, 401, 'UNAUTHENTICATED', 'send a token that was made for this service');
  // A token tells its service no workspace. Asked in this one, it is worth nothing if it was made for another.
  const scope = { workspace };
  const asked = [{ action: 'modelarts:trainJob:create' }];
  const [decision] = await client.checkAccess(asked, { scope, principal: { credential: { token } } });
  if (decision?.effect !== 'ALLOW' || decision.actor === null) {
    const reason = decision?.reason ?? 'NO_DECISION';
    log('job refused', { reason, actor: decision?.actor?.description ?? null });
    return tell(response, decision?.actor == null ? 401 : 403, reason, 'you may not start jobs here');
  }
  const urn = `modelarts::${account}:trainJob:${randomUUID()}`;
  const { id } = await client.registerResource({ urn, name, ownerId: decision.actor.id }, { scope });
  // Narrowed to what this job is about, whatever else the agency may.
  const sessionPolicy = {
    Version: '1.1',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['obs:object:GetObject', 'obs:object:PutObject'],
        Resource: [`obs:*:*:object:${bucket}/${name}-*`],
      },
      { Effect: 'Allow', Action: ['modelarts:model:create', 'bailiwick:resources:register'] },
    ],
  };
  const credentials = client.agencyCredentials(
    { agencyId: agency, resourceId: id, sessionName: name, sessionPolicy },
    { scope },
  );
  jobs.set(id, { id, workspace, credentials, name, steps: 0 });
  log('job created', { id, name, owner: decision.actor.description });
  return response.status(201).json({ id });
});

/** What only this service's own scheduler reaches. */
const internal = express();
internal.use((request, response, next) => {
  const shown = Buffer.from(request.get('x-trigger-secret') ?? '');
  if (shown.length === trigger.length && timingSafeEqual(shown, trigger)) next();
  else tell(response, 401, 'UNAUTHENTICATED', 'this is not for you');
});
internal.use(express.json());

/** One step writes a checkpoint and reads it back; `key` reads that object instead. */
internal.post('/v1/jobs/:id/steps', async (request, response) => {
  const job = jobOf(request);
  job.steps += 1;
  const credentials = await job.credentials.get();
  const objects = new SignedObjects(storage, job.workspace, credentials);
  const { key } = (request.body ?? {}) as { readonly key?: string };
  const checkpoint = randomBytes(4_096);
  const name = key ?? `${job.name}-checkpoint-${job.steps}`;
  const put = key === undefined ? await objects.put(bucket, name, checkpoint) : null;
  const get = await objects.get(bucket, name);
  // A key that was taken back: the next step asks for another, if there still is one to be had.
  if (get.status === 401) job.credentials.discard?.(credentials.accessKeyId);
  log('step', { job: job.id, key: name, statuses: [put?.status, get.status] });
  response.json({
    credential: credentials.accessKeyId,
    put: put === null ? null : shown(put),
    get: shown(get),
    same: get.bytes.equals(checkpoint),
  });
});

/** Registers what the job made, as the job itself: signed with its temporary key. */
internal.post('/v1/jobs/:id/models', async (request, response) => {
  const job = jobOf(request);
  const asJob = createClient({ url, credentials: job.credentials, scope: { workspace: job.workspace } });
  const urn = `modelarts::${account}:model:${randomUUID()}`;
  const { id } = await asJob.registerResource({ urn, name: job.name });
  response.status(201).json({ id });
});

internal.delete('/v1/jobs/:id', async (request, response) => {
  const job = jobOf(request);
  await client.deregisterResource(job.id, { scope: { workspace: job.workspace } });
  response.status(204).end();
});

function jobOf({ params }: Request): Job {
  const job = jobs.get(String(params['id']));
  if (job === undefined) throw new Error('there is no such job');
  return job;
}

function shown({ status, headers, bytes }: StorageAnswer): object {
  const { 'x-actor': actor, 'retry-after': retryAfter = null } = headers;
  const body: unknown = /^application\/json/.test(String(headers['content-type']))
    ? JSON.parse(bytes.toString())
    : null;
  return { status, retryAfter, actor: actor === undefined ? null : decodeURIComponent(String(actor)), body };
}

function tell(response: Response, status: number, code: string, message: string): void {
  response.status(status).json({ error: { code, message } });
}

/** What Bailiwick refused this service, or the job: the job cannot go on, and its owner is told why. */
function failed(error: unknown, _request: Request, response: Response, _next: NextFunction): void {
  log('failed', { error });
  if (!(error instanceof BailiwickError)) return tell(response, 500, 'INTERNAL', 'something is wrong here');
  return tell(response, error.code === 'UNREACHABLE' ? 503 : 409, error.code, error.message);
}

for (const [name, app, port] of [
  ['training', people, variable('PORT')],
  ['trigger', internal, variable('TRIGGER_PORT')],
] as const) {
  app.use(failed);
  const server = app.listen(Number(port), '127.0.0.1', () => {
    log(`${name} listens on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
}
