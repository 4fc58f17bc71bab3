/**
 * One run: the program on a database, a scene of so many rounds, then the search over all that is left of it. Texts are
 * planted on purpose as well, in several encodings, and must be found in every place: a search that finds nothing
 * anywhere proves nothing.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formsOf } from './forms.js';
import { Ledger, newPassword } from './ledger.js';
import {
  backUpSqlite,
  filesBelow,
  fileSource,
  partOf,
  postgresPlaces,
  sqliteRows,
  textSource,
  type PostgresPlaces,
} from './places.js';
import { startProgram, type Program } from './program.js';
import { Scene } from './scene.js';
import { Search, type Finding } from './search.js';
import { Sender } from './sender.js';

export interface Report {
  /** How often each operation was done. */
  readonly operations: ReadonlyMap<string, number>;
  /** Number of values that were looked for, by kind. */
  readonly values: ReadonlyMap<string, number>;
  /** Bytes that were searched, by place. */
  readonly searched: ReadonlyMap<string, number>;
  readonly findings: readonly Finding[];
  /** What was planted and not found, as `place: form`; with any, the findings that there are prove nothing. */
  readonly overlooked: readonly string[];
  /** Number of planted texts that had to be found, each in one place. */
  readonly controls: number;
  readonly milliseconds: { readonly scene: number; readonly search: number };
}

export interface RunOptions {
  readonly rounds: number;
  /** URL of an empty database; a new SQLite database unless given. */
  readonly databaseUrl?: string;
  /** What the server of the database logged, where that can be had. */
  readonly databaseLog?: () => Promise<string>;
  /** Called with what is being done. */
  readonly told?: (progress: string) => void;
}

/** Kinds of what is planted; they are no findings where they are expected. */
const planted = { text: 'planted text', code: 'planted code', landmark: 'landmark' } as const;

/** What stands in the places where nobody can plant anything. */
const landmarks = {
  metrics: 'bailiwick_sign_ins_total',
  output: 'listening on http://',
  'data directory: other files': 'PostgreSQL configuration file',
} as const;

export async function run({ rounds, databaseUrl, databaseLog, told = () => undefined }: RunOptions): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), 'bailiwick-secrets-'));
  try {
    const sqlitePath = join(folder, 'database', 'bailiwick.db');
    const url = databaseUrl ?? `sqlite:${sqlitePath}`;
    const postgres = url.startsWith('sqlite:') ? null : await postgresPlaces(url);
    await postgres?.keepWrites();
    const ledger = new Ledger();
    const rootPassword = ledger.keep('password', newPassword());
    const program = await startProgram(folder, url, rootPassword);
    const sender = new Sender(program.url, ledger);
    try {
      const began = performance.now();
      const scene = await Scene.set(sender, ledger, rootPassword);
      await scene.play(rounds, (over) => {
        if (over % 100 === 0) told(`${over} of ${rounds} rounds`);
      });
      await scene.renewRoot();
      const control = new Control(ledger);
      await scene.plant(control.texts, control.names);
      ledger.keepBytes('master key', await readFile(program.secretKeyFile));
      if (postgres !== null) ledger.keep('password of the database', decodeURIComponent(new URL(url).password));
      const played = performance.now();

      told('searching');
      const search = new Search(ledger.all());
      await searchRunning(search, control, { program, scene, folder, sqlitePath, postgres });
      sender.close();
      await program.stop();
      await searchEnded(search, control, { program, folder, sqlitePath, postgres, databaseLog });
      const findings = [...search.findings.values()];
      return {
        operations: scene.done,
        values: ledger.counts(),
        searched: search.searched,
        findings: findings.filter(({ kind }) => !(Object.values(planted) as string[]).includes(kind)),
        overlooked: control.overlooked(findings),
        controls: control.expectations,
        milliseconds: { scene: played - began, search: performance.now() - played },
      };
    } finally {
      sender.close();
      await program.stop().catch(() => undefined);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Ended {
  readonly program: Program;
  readonly folder: string;
  readonly sqlitePath: string;
  readonly postgres: PostgresPlaces | null;
}

async function searchRunning(
  search: Search,
  control: Control,
  { program, scene, folder, sqlitePath, postgres }: Ended & { readonly scene: Scene },
): Promise<void> {
  await search.read('audit events', { name: 'auditEvents', bytes: scene.auditEvents(), text: true });
  control.expect('audit events', control.written, true);
  const page = await fetch(program.metricsUrl);
  await search.read('metrics', textSource(program.metricsUrl, await page.text()));
  control.expectLandmark('metrics');
  if (postgres !== null) return;
  const place = 'files of the running database';
  for await (const source of filesBelow(join(folder, 'database'))) await search.read(place, source);
  // What was written last is in the log of writes and in nothing else.
  const written = await stat(`${sqlitePath}-wal`);
  if (written.size === 0) throw new Error('the running database has no log of writes');
  control.expect(place, control.written, false);
  await backUpSqlite(sqlitePath, join(folder, 'backup.db'));
}

async function searchEnded(
  search: Search,
  control: Control,
  {
    program,
    folder,
    sqlitePath,
    postgres,
    databaseLog,
  }: Ended & { readonly databaseLog?: (() => Promise<string>) | undefined },
): Promise<void> {
  await search.read('log', fileSource(program.logFile, true));
  control.expect('log', control.logged, false);
  await search.read('output', fileSource(program.outputFile, true));
  control.expectLandmark('output');
  if (postgres === null) {
    const place = 'files of the ended database';
    for await (const source of filesBelow(join(folder, 'database'))) await search.read(place, source);
    const backup = join(folder, 'backup.db');
    await search.read('backup', fileSource(backup, false));
    for (const path of [sqlitePath, backup]) {
      for await (const source of sqliteRows(path)) await search.read('rows as text', source);
    }
    for (const place of ['files of the ended database', 'backup', 'rows as text']) {
      control.expect(place, control.written, place === 'rows as text');
    }
    return;
  }
  await postgres.checkpoint();
  const { dataDirectory } = postgres;
  for await (const source of filesBelow(dataDirectory)) {
    await search.read(`data directory: ${partOf(dataDirectory, source.name)}`, source);
  }
  control.expectLandmark('data directory: other files');
  control.expect('data directory: relations', control.written, false);
  control.expect('data directory: log of writes', control.written, false);
  const copies = await mkdtemp(join(tmpdir(), 'bailiwick-copies-'));
  await postgres.copyTables(copies);
  try {
    for await (const source of filesBelow(copies, true)) await search.read('rows as text', source);
  } finally {
    await rm(copies, { recursive: true, force: true });
  }
  control.expect('rows as text', control.written, true);
  if (databaseLog === undefined) return;
  for (const name of control.names) await postgres.plant(name);
  await search.read('log of the database', textSource('messages', await databaseLog()));
  control.expect('log of the database', control.logged, false);
}

/** What is planted, and where it must be found. */
class Control {
  /** Forms that can be planted anywhere, and those that can be the name of an operation. */
  readonly written: readonly string[];
  readonly logged: readonly string[];
  readonly texts: readonly string[];
  readonly names: readonly string[];
  readonly #expected: { readonly place: string; readonly kind: string; readonly form: string }[] = [];

  constructor(ledger: Ledger) {
    const { value, forms } = newPlanted();
    ledger.keep(planted.text, value);
    for (const text of Object.values(landmarks)) ledger.keep(planted.landmark, text);
    const code = ledger.keep(planted.code, String(100_000 + (randomBytes(4).readUInt32BE() % 900_000)));
    this.written = [...forms.keys()];
    this.texts = [...forms.values(), `the code '${code}' is good once`];
    const names = [...forms].filter(([, text]) => /^\w+$/.test(text));
    this.logged = names.map(([form]) => form);
    this.names = names.map(([, text]) => text);
  }

  get expectations(): number {
    return this.#expected.length;
  }

  /** `code`: also the planted code, which is looked for in text only. */
  expect(place: string, forms: readonly string[], code: boolean): void {
    for (const form of forms) this.#expected.push({ place, kind: planted.text, form });
    if (code) this.#expected.push({ place, kind: planted.code, form: 'plain' });
  }

  expectLandmark(place: keyof typeof landmarks): void {
    this.#expected.push({ place, kind: planted.landmark, form: 'plain' });
  }

  overlooked(findings: readonly Finding[]): readonly string[] {
    const found = new Set(findings.map(({ place, kind, form }) => `${place}: ${kind}, ${form}`));
    return this.#expected.map(({ place, kind, form }) => `${place}: ${kind}, ${form}`).filter((one) => !found.has(one));
  }
}

/**
 * A random text whose base64 is letters and digits only, and how it is written in each form that is planted. No digit of a
 * hexadecimal number in its tail: of a text in percent escapes a piece has five characters, and among thousands of pieces of
 * signatures some five hexadecimal digits are like some others.
 */
function newPlanted(): { readonly value: string; readonly forms: ReadonlyMap<string, string> } {
  for (;;) {
    const value = randomBytes(18).toString('base64url') + tailOf(randomBytes(15));
    const base64 = Buffer.from(value).toString('base64');
    if (!/^\w+$/.test(value) || !/^\w+$/.test(base64)) continue;
    const forms = new Map<string, string>();
    for (const [form, bytes] of formsOf(value)) {
      const wanted = ['plain', 'lower case', 'hexadecimal', 'base64', 'percent, all of it'].includes(form);
      if (wanted && !forms.has(form)) forms.set(form, Buffer.from(bytes).toString());
    }
    return { value, forms };
  }
}

function tailOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => 'ghijklmnopqrstuv'[byte & 15]).join('');
}
