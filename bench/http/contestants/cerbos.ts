/**
 * Cerbos, a policy server in Go: the policies of the world as its resource policies, a role for each policy, and a caller
 * who has the roles of the policies held. It knows no users and checks no credential; the request says who is asking.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { cerbosFolder, cerbosPackage } from '../cerbos-package.js';
import { type Adapter, start } from '../contestant.js';
import { bytesOf, type Answer, type Row } from '../requests.js';
import { caller } from '../seed.js';
import { type AccessRequest, policiesOf, type Statement, types, userName, type World } from '../world.js';

export const cerbos: Adapter = {
  name: 'cerbos',
  use: 'CheckResources over HTTP, the same policies from files; no credential',
  rows: ['check', 'check-100'],
  open: async (site) => {
    const binary = findBinary();
    if (binary === null) return null;
    const folder = join(site.folder, 'cerbos');
    await writePolicies(site.world, join(folder, 'policies'));
    const port = await freePort();
    const config = {
      server: {
        httpListenAddr: `127.0.0.1:${port}`,
        grpcListenAddr: `unix:${join(folder, 'grpc.sock')}`,
        requestLimits: { maxActionsPerResource: 50, maxResourcesPerRequest: 100 },
      },
      storage: { driver: 'disk', disk: { directory: join(folder, 'policies'), watchForChanges: false } },
      telemetry: { disabled: true },
    };
    const file = join(folder, 'config.json');
    await writeFile(file, JSON.stringify(config));
    const args = ['server', `--config=${file}`, '--log-level=warn'];
    const started = start(binary, args, {}, join(site.folder, 'cerbos.log'));
    await answering(port, started.until(/nothing that it prints/));
    const principal = { id: userName(caller), roles: policiesOf(site.world, caller).map(({ name }) => name) };
    return {
      ...started,
      name: 'cerbos',
      port,
      requestsOf: (row) =>
        row.asked.map((asked) => {
          const body = { principal, resources: asked.map((request) => questionOf(request)) };
          return bytesOf('/api/check/resources', port, {}, JSON.stringify(body));
        }),
      read: readEffects,
    };
  },
};

/** Null unless it was fetched for this kind of machine (`npm run fetch:cerbos`). */
function findBinary(): string | null {
  try {
    return createRequire(join(process.cwd(), cerbosFolder, 'none.js')).resolve(cerbosPackage);
  } catch {
    return null;
  }
}

async function writePolicies({ policies }: World, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const type of types) {
    const rules = policies.flatMap(({ name, statements }) =>
      statements
        .filter((statement) => statement.type === null || statement.type === type)
        .map((statement) => ruleOf(name, statement)),
    );
    const policy = { apiVersion: 'api.cerbos.dev/v1', resourcePolicy: { version: 'default', resource: type, rules } };
    await writeFile(join(folder, `${type}.json`), JSON.stringify(policy));
  }
}

function ruleOf(role: string, { effect, operations, prefix, pools }: Statement): object {
  const denies = effect === 'Deny';
  const conditions = [
    // An Allow of one role stands against a Deny of another; here a Deny beats every Allow.
    ...(denies ? [`${JSON.stringify(role)} in P.roles`] : []),
    ...(prefix === null ? [] : [`R.id.startsWith(${JSON.stringify(prefix)})`]),
    ...(pools === null ? [] : [`has(R.attr.pool) && R.attr.pool in ${JSON.stringify(pools)}`]),
  ];
  return {
    actions: operations ?? ['*'],
    effect: denies ? 'EFFECT_DENY' : 'EFFECT_ALLOW',
    roles: denies ? ['*'] : [role],
    ...(conditions.length === 0 ? {} : { condition: { match: { expr: conditions.join(' && ') } } }),
  };
}

function questionOf({ type, operation, path, pool }: AccessRequest): object {
  const attr = pool === null ? {} : { attr: { pool } };
  return { resource: { kind: type, id: path, ...attr }, actions: [operation] };
}

function readEffects(_row: Row, status: number, body: string): Answer {
  const { results } = JSON.parse(body) as { results?: readonly { actions: Readonly<Record<string, string>> }[] };
  if (results === undefined) return { status, text: `errors: ${body.slice(0, 400)}`, effects: [] };
  const effects = results.flatMap(({ actions }) =>
    Object.values(actions).map((effect) => effect.replace('EFFECT_', '')),
  );
  return { status, text: '', effects };
}

async function answering(port: number, ended: Promise<unknown>): Promise<void> {
  const gone: Error[] = [];
  ended.catch((error: unknown) => gone.push(error instanceof Error ? error : new Error(String(error))));
  for (let i = 0; i < 2_000; i += 1) {
    const [error] = gone;
    if (error !== undefined) throw error;
    const answer = await fetch(`http://127.0.0.1:${port}/_cerbos/health`).catch(() => null);
    if (answer?.ok === true) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('Cerbos does not answer');
}

async function freePort(): Promise<number> {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  await new Promise((resolve) => listener.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}
