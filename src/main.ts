/**
 * The composition root: puts the house (house.ts), API and listener together and keeps them running. Only this file, the
 * house and the commands know everything; nobody else imports them.
 */
import { readFile } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import type { GraphQLSchema } from 'graphql';
import { platformCatalogue } from './catalogue/index.js';
import { describeAccount, describeFirstRequests } from './cli/first-start.js';
import { describeFailure, isSystemError, StartRefused } from './cli/refusal.js';
import { outliveReaders } from './cli/standard-output.js';
import { buildGuardedSchema, expectReviewed, resolvers } from './graphql/index.js';
import { createFirstAccount, openHouse } from './house.js';
import {
  apiPath,
  createMetrics,
  DocumentRefused,
  explorerPath,
  LogLines,
  openListener,
  readExplorer,
  readTrustedDocuments,
  serveAuthorizedKeys,
  serveMetrics,
  SocketTaken,
  type ExplorerFiles,
  type MetricsListener,
  type SshSocket,
} from './http/index.js';
import { keepSweeping } from './iam/index.js';
import { readSettings, withoutPassword, type Settings } from './settings.js';

/** The schema, proved and the same as the committed one; a server that cannot show this does not start. */
async function reviewedSchema(): Promise<GraphQLSchema> {
  const schema = buildGuardedSchema({ resolvers, catalogue: platformCatalogue });
  expectReviewed(schema, await readFile(new URL('../schema/schema.graphql', import.meta.url), 'utf8'));
  return schema;
}

async function builtExplorer(): Promise<ExplorerFiles> {
  try {
    return await readExplorer();
  } catch {
    throw new StartRefused('the files of the explorer are missing; run `npm run build`, or set BAILIWICK_EXPLORER=off');
  }
}

/** Serves until the process is asked to end. `output` is for the person who started it; the log goes to stderr. */
export async function serve(settings: Settings, output: Writable = process.stdout): Promise<void> {
  const explorer = settings.explorer ? await builtExplorer() : null;
  const { apolloKey: key, apolloGraphRef: graphRef } = settings;
  const metrics = settings.metricsPort === null ? null : createMetrics();
  const house = await openHouse(settings, metrics?.observer);
  const { iam } = house;
  const created = await createFirstAccount(house, settings);
  // At once, before anything else can fail: the password is stored nowhere.
  if (created !== null) output.write(describeAccount(created));
  const schema = await reviewedSchema();
  const documents = await readTrustedDocuments(settings.documents, schema, settings.documentsFolder).catch(
    async (error: unknown) => {
      await house.close();
      throw error instanceof DocumentRefused ? new StartRefused(error.message) : error;
    },
  );
  const listener = await openListener({
    iam,
    schema,
    documents,
    corsOrigins: settings.corsOrigins,
    trustedProxies: settings.trustedProxies,
    throttle: {
      points: settings.pointsPerMinute,
      strangers: settings.strangersPerMinute,
      failedSignIns: settings.failedSignInsPerMinute,
    },
    socketLimits: {
      connections: settings.connections,
      connectionsPerActor: settings.connectionsPerActor,
      subscriptionsPerConnection: settings.subscriptionsPerConnection,
      initSeconds: settings.connectionInitSeconds,
      pingSeconds: settings.connectionPingSeconds,
      messageBytes: settings.connectionMessageBytes,
    },
    metrics,
    explorer,
    reports: key === null || graphRef === null ? null : { key, graphRef },
    log: { level: settings.logLevel, stream: new LogLines(process.stderr) },
  });
  const { log } = listener;
  let address: string;
  let watching: (MetricsListener & { readonly url: string }) | null = null;
  let sshSocket: SshSocket | null = null;
  try {
    address = await listener.listen(settings.host, settings.port);
    if (metrics !== null && settings.metricsPort !== null) {
      watching = await serveMetrics(metrics, settings.metricsHost, settings.metricsPort, log).catch(
        (error: unknown) => {
          throw refusedListening(error, metricsPlace(settings));
        },
      );
    }
    if (settings.sshSocket !== null) {
      sshSocket = await serveAuthorizedKeys(iam, settings.sshSocket, log).catch((error: unknown) => {
        throw refusedSocket(error, settings.sshSocket ?? '');
      });
    }
  } catch (error) {
    await watching?.stop();
    await listener.stop(0);
    await house.close();
    throw error instanceof StartRefused ? error : refusedListening(error, apiPlace(settings));
  }
  const sweeping = keepSweeping(iam, {
    done: (swept) => log.debug({ swept }, 'swept what has expired'),
    failed: (error) => log.error({ err: error }, 'what has expired could not be swept; trying again within the hour'),
  });
  const resumeClearing = (): void => {
    iam.clearings
      .resume({
        done: (workspaceId) => log.info({ workspaceId }, 'a workspace is deleted with all that was in it'),
        failed: (workspaceId, error) => log.error({ err: error, workspaceId }, 'a workspace could not be deleted'),
      })
      .catch((error: unknown) => log.error({ err: error }, 'deletions of workspaces could not be gone on with'));
  };
  resumeClearing();
  // Another process on this database may have ended in the middle of one.
  const resuming = setInterval(resumeClearing, 3_600_000);
  resuming.unref();
  endOnSignals(async (signal) => {
    log.info({ signal }, 'ending: running requests may finish');
    await listener.stop(settings.drainSeconds);
    await sweeping.stop();
    clearInterval(resuming);
    await iam.clearings.stop();
    await watching?.stop();
    await sshSocket?.stop();
    await house.close();
    log.info('ended');
  });
  const origin = reachable(address);
  const url = origin + apiPath;
  const database = withoutPassword(settings.databaseUrl);
  output.write(`listening on ${url} (database ${database})\n`);
  if (watching !== null) output.write(`metrics at ${watching.url}\n`);
  if (settings.sshSocket !== null) output.write(`keys for sshd at ${settings.sshSocket}\n`);
  if (explorer !== null) output.write(`explorer at ${origin}${explorerPath}\n`);
  output.write('\n');
  log.info({ url, database, corsOrigins: settings.corsOrigins }, 'listening');
  for (const { name, authorizationMode } of await iam.store.access.accounts()) {
    const mode =
      authorizationMode === 'LOOSE' ? 'users whom no grant has reached may use modelarts' : 'only grants allow';
    log.info({ account: name, authorizationMode }, `authorization mode: ${mode}`);
  }
  if (created !== null) {
    const signInId = settings.documents === 'any' ? null : documents.idOf('SignIn');
    output.write(describeFirstRequests(url, created, signInId));
  }
}

/** Milliseconds within which a second signal is the first one's echo. */
const echo = 300;

/** The first signal ends in good order; a second one at once, for whoever does not want to wait. */
function endOnSignals(end: (signal: string) => Promise<void>): void {
  let since: number | null = null;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (since !== null) {
        // Under `npm start` one Ctrl-C can arrive twice: from the terminal, and passed on by npm.
        if (performance.now() - since > echo) process.exit(130);
        return;
      }
      since = performance.now();
      end(signal).then(
        () => process.exit(0),
        (error: unknown) => {
          process.stderr.write(describeFailure(error));
          process.exit(1);
        },
      );
    });
  }
}

interface Place {
  readonly host: string;
  readonly port: number;
  /** Settings to change. */
  readonly hostSetting: string;
  readonly portSetting: string;
}

function apiPlace({ host, port }: Settings): Place {
  return { host, port, hostSetting: 'BAILIWICK_HOST', portSetting: 'BAILIWICK_PORT' };
}

function metricsPlace({ metricsHost, metricsPort }: Settings): Place {
  return {
    host: metricsHost,
    port: metricsPort ?? 0,
    hostSetting: 'BAILIWICK_METRICS_HOST',
    portSetting: 'BAILIWICK_METRICS_PORT',
  };
}

function refusedListening(error: unknown, { host, port, hostSetting, portSetting }: Place): unknown {
  if (!isSystemError(error)) return error;
  switch (error.code) {
    case 'EADDRINUSE':
      return new StartRefused(`port ${port} of ${host} is in use; stop the other program, or set ${portSetting}`);
    case 'EACCES':
      return new StartRefused(`port ${port} may not be listened on by this user; set ${portSetting} to 1024 or more`);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new StartRefused(`\`${host}\` is no address of this machine; set ${hostSetting} to one`);
    default:
      return new StartRefused(`${host} port ${port} cannot be listened on: ${error.code}`);
  }
}

function refusedSocket(error: unknown, path: string): unknown {
  if (error instanceof SocketTaken) {
    return new StartRefused(`${error.message}; end that program, or set BAILIWICK_SSH_SOCKET to another path`);
  }
  if (!isSystemError(error)) return error;
  return new StartRefused(
    `no socket can be made at \`${path}\`: ${error.code}; make its folder, or set BAILIWICK_SSH_SOCKET`,
  );
}

/** An address that a client on this machine can use: "every address" is none. */
function reachable(address: string): string {
  return address.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  outliveReaders('SERVES');
  try {
    await serve(readSettings(process.env));
  } catch (error) {
    process.stderr.write(describeFailure(error));
    process.exit(1);
  }
}
