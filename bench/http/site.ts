/** Makes what servers are opened on: a world in a database, and a copy of that for each of them. */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import pg from 'pg';
import type { Site } from './contestant.js';
import { seedDatabase } from './seed.js';
import { makeWorld, type WorldSize } from './world.js';

export interface SiteOptions {
  readonly folder: string;
  readonly program: string;
  readonly bundles: string;
  readonly seed: number;
  readonly size: WorldSize;
  readonly callers?: readonly number[];
  /** Root of the repository. */
  readonly root: string;
  /** URL of a database of a PostgreSQL server in which databases may be made; null: SQLite. */
  readonly postgresUrl: string | null;
  readonly progress?: (users: number) => void;
}

export async function makeSite(options: SiteOptions): Promise<Site & { readonly seedUrl: string }> {
  const { folder, program, bundles, seed, size, root, postgresUrl, callers = [], progress } = options;
  const world = makeWorld(seed, size);
  const secretKeyFile = join(folder, 'secret.key');
  const databases = postgresUrl === null ? filesIn(folder) : databasesOf(postgresUrl);
  const seedUrl = await databases.make();
  const told = progress === undefined ? {} : { progress };
  const seeded = await seedDatabase(world, { databaseUrl: seedUrl, secretKeyFile, callers, ...told });
  return {
    folder,
    program,
    bundles,
    world,
    size,
    sdl: await readFile(join(root, 'schema/schema.graphql'), 'utf8'),
    seeded,
    seedUrl,
    database: async (name) => ({ databaseUrl: await databases.copy(seedUrl, name), secretKeyFile }),
    answers: {},
  };
}

/** The same for one more process of a server: with files and databases of its own. */
export function siteOf(site: Site, process: number): Site {
  const folder = join(site.folder, `process-${process}`);
  mkdirSync(folder, { recursive: true });
  return { ...site, folder, database: (name) => site.database(`${name}-${process}`) };
}

interface Databases {
  make(): Promise<string>;
  copy(url: string, name: string): Promise<string>;
}

function filesIn(folder: string): Databases {
  return {
    make: async () => `sqlite:${join(folder, 'seed', 'bench.db')}`,
    // It was closed, so that all of it is in the one file.
    copy: async (url, name) => {
      const copy = join(folder, `database-${name}`, 'bench.db');
      await mkdir(join(folder, `database-${name}`));
      await copyFile(url.slice('sqlite:'.length), copy);
      return `sqlite:${copy}`;
    },
  };
}

function databasesOf(url: string): Databases {
  const create = async (name: string, template: string): Promise<string> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      await client.query(`CREATE DATABASE ${name} TEMPLATE ${template} ENCODING 'UTF8' LOCALE 'C'`);
    } finally {
      await client.end();
    }
    return Object.assign(new URL(url), { pathname: `/${name}` }).href;
  };
  const run = `bench_${randomBytes(6).toString('hex')}`;
  return {
    make: () => create(run, 'template0'),
    copy: (from, name) => create(`${run}_${name.replaceAll(/\W/g, '_')}`, new URL(from).pathname.slice(1)),
  };
}

/** Root of the repository, from a bundle or from the sources. */
export function rootFrom(url: string): string {
  const path = fileURLToPath(url);
  const end = path.includes('/node_modules/') ? path.indexOf('/node_modules/') : path.indexOf('/bench/');
  return fileURLToPath(new URL('./', pathToFileURL(`${path.slice(0, end)}/`)));
}
