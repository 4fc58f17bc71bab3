/**
 * Counts for Prometheus, on a listener of their own: whoever may see them is not whoever may use the API. Labels come
 * from closed lists (routes, status codes, error codes, reasons), so no caller can make one up, and no name, id or
 * secret can be in one.
 */
import fastify, { type FastifyBaseLogger, type FastifyError } from 'fastify';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { DecisionReason, Observer } from '../iam/index.js';

/** What the listener tells of a request that was answered. */
export interface AnsweredRequest {
  readonly method: string;
  /** The route, never the URL; null for a path that is none. */
  readonly route: string | null;
  readonly status: number;
  readonly seconds: number;
  /** Of requests to the API: `query` or `mutation`, once it is known; subscriptions are told of apart. */
  readonly operation: string | null;
  /** Codes of its errors. */
  readonly errors: readonly string[];
}

export interface Metrics {
  readonly observer: Observer;
  answered(request: AnsweredRequest): void;
  /** One socket more, or one less. */
  sockets(change: 1 | -1): void;
  /** A subscription began (1) or ended (-1), or was refused (0); `errors` are the codes of its errors. */
  subscriptions(change: 1 | 0 | -1, errors: readonly string[]): void;
  /** In the text format of Prometheus. */
  text(): Promise<string>;
  readonly contentType: string;
}

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'POST']);

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: 'bailiwick_http_requests_total',
    help: 'Requests that were answered.',
    labelNames: ['method', 'route', 'status'],
    registers,
  });
  const durations = new Histogram({
    name: 'bailiwick_http_request_duration_seconds',
    help: 'Time from the head of a request to the end of its answer.',
    labelNames: ['route'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  });
  const operations = new Counter({
    name: 'bailiwick_operations_total',
    help: 'GraphQL operations by kind and by the code of their first error, OK without one.',
    labelNames: ['kind', 'code'],
    registers,
  });
  const signIns = new Counter({
    name: 'bailiwick_sign_ins_total',
    help: 'Attempts to sign in by how they came out.',
    labelNames: ['outcome'],
    registers,
  });
  const lockouts = new Counter({
    name: 'bailiwick_lockouts_total',
    help: 'Users who were locked by wrong passwords or codes, and keys at one address by bad signatures.',
    labelNames: ['what'],
    registers,
  });
  const sockets = new Gauge({
    name: 'bailiwick_sockets',
    help: 'WebSockets that are open.',
    registers,
  });
  const subscriptions = new Gauge({
    name: 'bailiwick_subscriptions',
    help: 'Subscriptions that have begun and not ended.',
    registers,
  });
  // Decisions are made by the hundred thousand: counted plainly, and told when somebody asks.
  const decided = new Map<DecisionReason, number>();
  new Counter({
    name: 'bailiwick_decisions_total',
    help: 'Decisions by effect and reason.',
    labelNames: ['effect', 'reason'],
    registers,
    collect() {
      this.reset();
      for (const [reason, count] of decided) this.inc({ effect: effectOf(reason), reason }, count);
    },
  });
  return {
    observer: {
      decided: (reason) => void decided.set(reason, (decided.get(reason) ?? 0) + 1),
      signedIn: (outcome) => signIns.inc({ outcome }),
      locked: (what) => lockouts.inc({ what }),
    },
    answered: ({ method, route, status, seconds, operation, errors }) => {
      const shown = route ?? 'none';
      requests.inc({ method: methods.has(method) ? method : 'other', route: shown, status });
      durations.observe({ route: shown }, seconds);
      if (operation !== null) operations.inc({ kind: operation, code: errors[0] ?? 'OK' });
    },
    sockets: (change) => sockets.inc(change),
    subscriptions: (change, errors) => {
      subscriptions.inc(change);
      if (change !== 1) operations.inc({ kind: 'subscription', code: errors[0] ?? 'OK' });
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

const allowing: ReadonlySet<DecisionReason> = new Set(['ROOT', 'ALLOWED', 'AUTHORIZATION_MODE']);

function effectOf(reason: DecisionReason): 'ALLOW' | 'DENY' {
  return allowing.has(reason) ? 'ALLOW' : 'DENY';
}

export interface MetricsListener {
  stop(): Promise<void>;
}

/** Where the counts can be read. Everything else there is 404. */
export const metricsPath = '/metrics';

/** Serves the counts; answers where, and how to end it. */
export async function serveMetrics(
  metrics: Metrics,
  host: string,
  port: number,
  log: FastifyBaseLogger,
): Promise<MetricsListener & { readonly url: string }> {
  // Node waits for a connection that has asked nothing yet, without end once it is closing.
  const app = fastify({ exposeHeadRoutes: false, forceCloseConnections: true });
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    const { statusCode = 500 } = error;
    if (statusCode >= 400 && statusCode < 500) {
      return reply.code(statusCode).type('text/plain; charset=utf-8').send(`the metrics are at ${metricsPath}\n`);
    }
    log.error({ err: error }, 'the metrics could not be read');
    return reply.code(500).type('text/plain; charset=utf-8').send('the metrics could not be read\n');
  });
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).type('text/plain; charset=utf-8').send(`the metrics are at ${metricsPath}\n`),
  );
  app.get(metricsPath, async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()));
  const origin = await app.listen({ host, port });
  return { url: origin + metricsPath, stop: () => app.close() };
}
