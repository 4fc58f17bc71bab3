/**
 * The explorer's page: three files that the build makes (explorer/), served as they are. It asks nothing of any other
 * host, and its policy lets nothing run, load or be sent anywhere that is not of this server.
 */
import { readFile } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';

export const explorerPath = '/explorer';

export interface ExplorerFiles {
  readonly page: Buffer;
  readonly script: Buffer;
  readonly style: Buffer;
}

/** Where `npm run build` puts the files; the same seen from src and from dist. */
const built = new URL('../../dist/explorer/', import.meta.url);

/** Reads the files once; fails when the build has not made them. */
export async function readExplorer(folder: URL = built): Promise<ExplorerFiles> {
  const [page, script, style] = await Promise.all(
    ['page.html', 'page.js', 'page.css'].map((name) => readFile(new URL(name, folder))),
  );
  if (page === undefined || script === undefined || style === undefined) throw new Error('a file is missing');
  return { page, script, style };
}

const pageHeaders = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    // The editor draws the marks under mistakes so; an image runs nothing and is sent nowhere.
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    // No text becomes markup or script, whatever an answer or a description in the schema holds.
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
} as const;

export function routeExplorer(app: FastifyInstance, { page, script, style }: ExplorerFiles): void {
  const files = [
    [explorerPath, 'text/html; charset=utf-8', page],
    [`${explorerPath}/page.js`, 'text/javascript; charset=utf-8', script],
    [`${explorerPath}/page.css`, 'text/css; charset=utf-8', style],
  ] as const;
  for (const [url, type, bytes] of files) {
    app.route({
      method: ['GET', 'HEAD'],
      url,
      handler: async (_request, reply) => reply.headers(pageHeaders).type(type).send(bytes),
    });
  }
}
