/**
 * The one question of sshd, on a Unix socket of its own: whose keys may get into a notebook. Whoever can open the socket may
 * ask it: its folder and mode decide who, and nothing that comes from a network reaches it.
 */
import { chmod, lstat, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import fastify, { type FastifyBaseLogger, type FastifyError } from 'fastify';
import { authorizedKeys, type Iam } from '../iam/index.js';

export interface SshSocket {
  stop(): Promise<void>;
}

/** Owner and group: sshd runs its command as either. */
const mode = 0o660;

/** Longest value of a parameter; no URN, login name or fingerprint is longer. */
const longestValue = 1_024;

/** Something else is at the path, or answers there. */
export class SocketTaken extends Error {
  constructor(path: string, what: string) {
    super(`\`${path}\` ${what}`);
    this.name = 'SocketTaken';
  }
}

export async function serveAuthorizedKeys(iam: Iam, path: string, log: FastifyBaseLogger): Promise<SshSocket> {
  await clear(path);
  const app = fastify({ exposeHeadRoutes: false, forceCloseConnections: true });
  // To sshd every answer but keys is none; why it was none is for our log.
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    const { statusCode = 500 } = error;
    if (statusCode >= 500) log.error({ err: error }, 'the keys of a notebook could not be found out');
    return reply.code(statusCode).type('text/plain; charset=utf-8').send('');
  });
  app.setNotFoundHandler((_request, reply) => reply.code(404).type('text/plain; charset=utf-8').send(''));
  app.get('/authorized-keys', async (request, reply) => {
    const { notebook, user, fingerprint } = request.query as Readonly<Record<string, unknown>>;
    void reply.type('text/plain; charset=utf-8').header('cache-control', 'no-store');
    const named = [notebook, user ?? '', fingerprint ?? ''];
    if (!named.every((value): value is string => typeof value === 'string' && isPlain(value))) {
      return reply.code(400).send('');
    }
    const wanted = { notebook: named[0] ?? '', userName: named[1] || null, fingerprint: named[2] || null };
    const lines = await authorizedKeys(iam, iam.calls, wanted);
    log.info({ notebook: wanted.notebook, fingerprint: wanted.fingerprint, keys: lines.length }, 'sshd asked for keys');
    return reply.send(lines.map((line) => `${line}\n`).join(''));
  });
  await app.listen({ path });
  await chmod(path, mode);
  return { stop: () => app.close() };
}

function isPlain(value: string): boolean {
  return value.length <= longestValue && !/\p{Cc}/u.test(value);
}

/** Takes away the socket of a server that was killed; nothing else, and not that of one that runs. */
async function clear(path: string): Promise<void> {
  const facts = await lstat(path).catch(() => null);
  if (facts === null) return;
  if (!facts.isSocket()) throw new SocketTaken(path, 'is there already and is no socket');
  const answers = await new Promise<boolean>((resolve) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(true);
    });
    // Refused means that nobody listens. A server whose queue is full, or that we may not reach, is there all the same.
    probe.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
  });
  if (answers) throw new SocketTaken(path, 'is answered by another program');
  await rm(path, { force: true });
}
