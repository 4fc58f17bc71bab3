/**
 * The product as it is shipped, `dist/main.js`, with every limit on how much one may ask set to its highest; and the same
 * program without its guard.
 *
 * The guard has no off-switch, and gets none: the second process is started with a hook of Node's that changes two modules
 * while they are loaded. No field and no object is asked about, and what use-cases ask about their caller is allowed
 * without a look. Credentials are checked, and `checkAccess` decides, as they do in the first.
 */
import { join } from 'node:path';
import { signRequest } from '../../../src/sdk/index.js';
import { type Adapter, listening, type Server, type Site, start } from '../contestant.js';
import { bodyOf, bytesOf, readGraphQL, type Row, rowNames, stamp, tokenOf } from '../requests.js';
import { caller } from '../seed.js';

const path = '/graphql';

/** What `npm start` gives to Node. */
export const startOptions = ['--min-semi-space-size=16', '--max-semi-space-size=64'] as const;

export const bailiwick: Adapter = {
  name: 'bailiwick',
  use: 'dist/main.js as shipped',
  rows: rowNames,
  open: (site) => openProgram(site, 'bailiwick', []),
};

export const unguarded: Adapter = {
  name: 'unguarded',
  use: 'the same without its guard: no field or object is asked about',
  rows: rowNames,
  open: (site) => openProgram(site, 'unguarded', ['--import', withoutGuard()]),
};

export async function openProgram(site: Site, name: string, node: readonly string[]): Promise<Server> {
  const { databaseUrl, secretKeyFile } = await site.database(name);
  const started = start(
    process.execPath,
    [...startOptions, ...node, join(site.program, 'main.js')],
    programSettings(databaseUrl, secretKeyFile),
    join(site.folder, `${name}.log`),
  );
  const port = Number((await started.until(listening))[1]);
  return { ...started, name, port, requestsOf: graphQLRequests(site, port), read: readGraphQL };
}

export function programSettings(databaseUrl: string, secretKeyFile: string): Record<string, string> {
  return {
    BAILIWICK_PORT: '0',
    BAILIWICK_DATABASE_URL: databaseUrl,
    BAILIWICK_SECRET_KEY_FILE: secretKeyFile,
    BAILIWICK_EXPLORER: 'off',
    BAILIWICK_POINTS_PER_MINUTE: '999999999',
  };
}

/** Requests of the API, for every server that answers it. */
export function graphQLRequests({ seeded }: Pick<Site, 'seeded'>, port: number): Server['requestsOf'] {
  const made = new Map<string, readonly Buffer[]>();
  const make = (row: Row): readonly Buffer[] =>
    row.variables.map((variables) => {
      const body = bodyOf(row, variables);
      const headers =
        row.credential === 'SIGNED'
          ? signRequest({
              method: 'POST',
              url: `http://127.0.0.1:${port}${path}`,
              body,
              credentials: seeded.accessKey,
            })
          : { authorization: `Bearer ${tokenOf(row, seeded, caller)}` };
      return bytesOf(path, port, headers, body);
    });
  return (row) => {
    // A signature is good for some minutes only.
    const known = row.credential === 'SIGNED' ? undefined : made.get(row.name);
    if (known !== undefined) return known;
    const requests = make(row);
    made.set(row.name, requests);
    return requests;
  };
}

/** Where a number is put into each request; null where none is. */
export function stampsIn(requests: readonly Buffer[]): readonly number[] | null {
  const places = requests.map((bytes) => bytes.indexOf(stamp));
  return places.every((place) => place >= 0) ? places : null;
}

/** A module for `node --import` that loads the program without its guard. */
export function withoutGuard(): string {
  const hooks = `
    const change = (text, from, to) => {
      if (!text.includes(from)) throw new Error('the module has no ' + from);
      return text.replace(from, to);
    };
    const decideAll = \`
      const decideAsBefore = Call.prototype.decide;
      if (typeof decideAsBefore !== 'function') throw new Error('a call decides nothing');
      Call.prototype.decide = function (question) {
        // Shows more when it is allowed, which would be work that the guarded one has not.
        if (question.action === 'bailiwick:access:explain') return decideAsBefore.call(this, question);
        const { action, resource } = question;
        return { effect: 'ALLOW', reason: 'ALLOWED', action, resource, statements: [], missingContextKeys: [], problems: [], requiredScope: null };
      };\`;
    export async function load(url, context, next) {
      const loaded = await next(url, context);
      const source = () => String(loaded.source);
      if (url.endsWith('/graphql/guard.js')) {
        const open = 'function guardSchema(schema) { return schema; } function guardSchemaAsBefore(';
        return { ...loaded, source: change(source(), 'function guardSchema(', open) };
      }
      if (url.endsWith('/iam/call.js')) return { ...loaded, source: source() + decideAll };
      return loaded;
    }`;
  const entry = `import { register } from 'node:module'; register(${JSON.stringify(moduleOf(hooks))});`;
  return moduleOf(entry);
}

const moduleOf = (text: string): string => `data:text/javascript,${encodeURIComponent(text)}`;
