/** Accounts that files are applied to, on either database; each test has accounts of its own. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import {
  carryOut,
  exportAccount,
  makePlan,
  readCurrent,
  readDocuments,
  type Carried,
  type Plan,
  type PrunableKind,
} from '../../src/apply/index.js';
import { createAccount, createIam, type Iam, type Id } from '../../src/iam/index.js';
import { openStore } from '../../src/store/index.js';
import { databases } from '../store/databases.js';

const sources = databases();
const closings: (() => Promise<void>)[] = [];
let folder: string | null = null;
let count = 0;

afterAll(async () => {
  for (const close of closings) await close();
  await sources.sqlite.stop();
  await sources.postgres.stop();
  if (folder !== null) await rm(folder, { recursive: true, force: true });
});

export interface Options {
  readonly prune?: readonly PrunableKind[];
  /** Name of a user whose rights are to bind. */
  readonly as?: string;
  readonly atOnce?: number;
}

export interface Land {
  readonly iam: Iam;
  readonly accountId: Id;
  plan(files: string, options?: Options): Promise<Plan>;
  /** Plans and carries out; a plan with problems fails the test. */
  apply(files: string, options?: Options): Promise<Carried>;
  export(): Promise<string>;
}

export async function openIam(database: 'sqlite' | 'postgres'): Promise<Iam> {
  const store = await openStore(await sources[database].readyUrl());
  closings.push(() => store.close());
  return createIam({ store, masterKey: randomBytes(32) });
}

export async function newLand(iam: Iam): Promise<Land> {
  count += 1;
  const name = `land-${count}`;
  const { account } = await createAccount(iam, { name, rootName: 'root', rootPassword: 'Root of the land 1' });
  const accountId = account.id;
  const prepare = async (files: string, { prune = [], as }: Options) => {
    const user = as === undefined ? null : await iam.store.access.userByName(accountId, as);
    const userId = user?.id ?? null;
    const current = await readCurrent(iam.store, accountId);
    const { wanted, problems } = await readDocuments(await written(files));
    const call = await iam.calls.openOperator('test', accountId, userId);
    const plan = makePlan(wanted, { call, now: call.now, current, prune });
    return { current, userId, plan: { ...plan, problems: [...problems, ...plan.problems] } };
  };
  return {
    iam,
    accountId,
    plan: async (files, options = {}) => (await prepare(files, options)).plan,
    apply: async (files, options = {}) => {
      const { plan, current, userId } = await prepare(files, options);
      if (plan.problems.length > 0) throw new Error(`${describeProblems(plan).join('\n')}\nof\n${files}`);
      const { atOnce } = options;
      return carryOut(iam, plan, { accountId, userId, current, ...(atOnce === undefined ? {} : { atOnce }) });
    },
    export: async () => {
      const { files } = exportAccount(await readCurrent(iam.store, accountId), iam.now());
      const texts = files.flatMap(({ documents }) => [...documents]);
      return texts.map((text) => (text.startsWith('---') ? text : `---\n${text}`)).join('');
    },
  };
}

export async function written(files: string): Promise<string> {
  folder ??= await mkdtemp(join(tmpdir(), 'bailiwick-land-'));
  const path = join(folder, `${randomBytes(6).toString('hex')}.yaml`);
  await writeFile(path, files);
  return path;
}

/** `3 message`: the line, and what is wrong there. */
export function describeProblems({ problems }: Pick<Plan, 'problems'>): readonly string[] {
  return problems.map(({ place, message }) => `${place?.line ?? '-'} ${message}`);
}

const signs = { CREATE: '+', UPDATE: '~', DELETE: '-', KEEP: '=' } as const;

/** `~ User erin: enabled true>false`. */
export function describeChanges({ changes }: Pick<Plan, 'changes'>): readonly string[] {
  return changes.map(({ verb, kind, name, details }) => {
    const said = details.map(({ field, before, after }) => `${field} ${before ?? ''}>${after ?? ''}`);
    return `${signs[verb]} ${kind} ${name}${said.length === 0 ? '' : `: ${said.join(', ')}`}`;
  });
}

export function isEmpty({ changes, problems }: Plan): boolean {
  return problems.length === 0 && changes.every(({ steps }) => steps.length === 0);
}
