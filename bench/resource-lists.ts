/**
 * The first page of a workspace's resources as policies let one see it, against the same statement without permissions:
 *
 *     npx tsx bench/resource-lists.ts [resources, 100000] [rounds, 41] [database, both]
 *
 * Each round asks every question once, so that whatever else the machine does falls on all of them alike. Prints medians,
 * with 0, 10 and 100 other workspaces of 1,000 resources beside, the quickest of all (on a busy machine what takes longer is
 * interrupted more often, so medians flatter the plain page), what planning costs, and what counting costs; ends with
 * status 1 when a page at 10 % selectivity or more takes more than 3 times as long as the plain one.
 */
import { platformCatalogue } from '../src/catalogue/index.js';
import { Call, type Filters, type Principal, type Reader, type RightsSource } from '../src/iam/index.js';
import { registerableKinds } from '../src/iam/resource-kinds.js';
import { planList } from '../src/iam/resource-plan.js';
import { parsePolicy } from '../src/policy/index.js';
import { commandLineSource, openStore } from '../src/store/index.js';
import { tagLines } from '../src/store/tag-lines.js';
import { databases } from '../test/store/databases.js';
import { founded, origin, record, write } from '../test/store/records.js';

const size = Number(process.argv[2] ?? 100_000);
const rounds = Math.max(5, Number(process.argv[3] ?? 41));
const only = process.argv[4] ?? 'both';
const most = 3;
const others = [0, 10, 100] as const;
const ofOther = 1_000;

/** Only where somebody watches. */
const progress = (text: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
};
console.log = () => undefined;

const allow = (...actions: readonly string[]) => ({ Effect: 'Allow', Action: actions });
const all = allow('bailiwick:resources:*', 'modelarts:*:*');
const register = allow('bailiwick:resources:*');
const byTag = (key: string, value: string) => ({ Condition: { StringEquals: { [`g:ResourceTag/${key}`]: [value] } } });

/** Name, policy, and the share of the rows that it shows. */
const cases: readonly (readonly [name: string, statements: readonly object[], share: number])[] = [
  ['tag, 10 %', [register, { ...allow('modelarts:*:*'), ...byTag('team', 't3') }], 0.1],
  ['tag, 50 %', [register, { ...allow('modelarts:*:*'), ...byTag('half', 'h1') }], 0.5],
  ['tag pattern, 10 %', [register, { ...allow('modelarts:*:*'), Condition: { StringLike: { 'g:ResourceTag/team': ['t3*'] } } }], 0.1],
  ['URN prefix, 10 %', [register, { ...allow('modelarts:*:*'), Resource: ['modelarts:*:*:*:p3-*'] }], 0.1],
  ['own notebooks, 10 %', [register, allow('modelarts:notebook:list')], 0.1],
  ['Deny by tag, 90 %', [all, { Effect: 'Deny', Action: ['modelarts:*:*'], ...byTag('team', 't3') }], 0.9],
  ['one kind, 10 %', [register, allow('modelarts:dataset:list*')], 0.1],
  ['everything', [all], 1],
]; // prettier-ignore

const grant: RightsSource['origin'] = { kind: 'GRANT', policyId: 'p', policyVersion: 1, grantId: 'g', scopeKind: 'ALL', scopeId: '', expiresAt: null, group: null, authorizationMode: false }; // prettier-ignore
const principal: Principal = { kind: 'USER', id: 'u3', name: 'u3', mfaAt: null };

function callOf(reader: Reader, statements: readonly object[]): Call {
  const { document } = parsePolicy(JSON.stringify({ Version: '1.1', Statement: statements }), 'CUSTOM');
  if (document === null) throw new Error('a policy of the benchmark cannot be read');
  return new Call({
    requestId: 'bench',
    environment: { now: Date.now(), sourceAddress: '192.0.2.1' },
    catalogue: platformCatalogue,
    rights: { principal, sources: [{ name: 'p', document, origin: grant }], unreadable: [] },
    facts: {
      account: { id: 'acc', name: 'acc' },
      workspace: { id: '0', name: 'default', enterpriseProjectId: '0' },
      open: true,
    },
    scope: reader.scope,
    reader,
    account: null,
    workspace: null,
    user: null,
    session: null,
    administrator: false,
    broken: null,
  });
}

let state = 1;
/** The same numbers in every run (mulberry32). */
function random(below: number): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
}

let made = 0;
async function fill(url: string, workspaceId: string, count: number): Promise<void> {
  const source = commandLineSource(url);
  await source.initialize();
  const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
  for (let from = 0; from < count; from += 500) {
    const values = Array.from({ length: Math.min(500, count - from) }, () => {
      made += 1;
      const kind = ['dataset', 'trainJob', 'notebook'][Math.min(2, random(10))] ?? 'notebook';
      const tags = [{ key: 'team', value: `t${random(10)}` }, { key: 'half', value: `h${random(2)}` }]; // prettier-ignore
      const path = `p${random(10)}-${made}`;
      const name = random(2 ** 30).toString(36);
      const text = [`r${made}`, workspaceId, `modelarts:cn:acc:${kind}:${path}`, `modelarts:${kind}`, name, name, `u${random(8)}`, 'training', JSON.stringify(tags), tagLines(tags), path]; // prettier-ignore
      return `('acc', ${text.map(quoted).join(', ')}, 1, ${made}, ${random(1e9)})`;
    });
    await source.query(`INSERT INTO "resources" ("account_id", "id", "workspace_id", "urn", "kind", "name", "name_key", "owner_id", "registered_by", "tags", "tags_key", "urn_path", "version", "created_at", "updated_at") VALUES ${values.join(', ')}`);
    if (from % 10_000 === 0) progress(`${url.split(':')[0]}: ${made} resources`);
  } // prettier-ignore
  if (url.startsWith('postgres')) await source.query('ANALYZE');
  await source.destroy();
}

const window = {
  order: { by: 'NAME', direction: 'ASC' },
  limit: 50,
  backward: false,
  after: null,
  before: null,
} as const;
const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1] ?? NaN;
async function timed(work: () => unknown): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

const found = databases();
for (const database of [found.sqlite, found.postgres].filter(({ name }) => only === 'both' || name === only)) {
  const url = await database.freshUrl();
  const first = await openStore(url);
  await founded(first, 'acc');
  await write(first, origin('acc'), async (open) => {
    for (let n = 1; n <= Math.max(...others); n += 1) await open.insert('workspace', record('workspace', 'acc', `w${n}`, { name: `w${n}` })); // prettier-ignore
  });
  await first.close();
  made = 0;
  await fill(url, '0', size);
  const table = new Map<string, { page: number[]; quickest: number; plan: number; count: number }>();
  let filled = 0;
  for (const beside of others) {
    for (; filled < beside; filled += 1) await fill(url, `w${filled + 1}`, ofOther);
    const store = await openStore(url);
    const reader = store.reader({ accountId: 'acc', workspaceId: '0' });
    const kinds = registerableKinds(platformCatalogue);
    const asked = cases.map(([name, statements, share]) => {
      const plan = () => planList(callOf(reader, statements), kinds);
      const { kinds: listed, visible, exact } = plan();
      if (!exact) throw new Error(`the plan of "${name}" is not exact`);
      return { name, share, plan, filter: { kinds: listed, visible } satisfies Filters['resource'] };
    });
    const questions = [{ name: 'no permissions', share: null, plan: () => undefined, filter: {} }, ...asked];
    const times = new Map<string, { page: number[]; plan: number[]; count: number[] }>();
    for (const { name } of questions) times.set(name, { page: [], plan: [], count: [] });
    for (let round = -2; round < rounds; round += 1) {
      progress(`${database.name}: ${beside} other workspaces, round ${round + 1} of ${rounds}`);
      for (const { name, plan, filter } of questions) {
        const planned = await timed(plan);
        const took = await timed(() => reader.page('resource', filter, window));
        const counted = round % 8 === 0 ? await timed(() => reader.count('resource', filter)) : null;
        if (round < 0) continue;
        times.get(name)?.plan.push(planned);
        times.get(name)?.page.push(took);
        if (counted !== null) times.get(name)?.count.push(counted);
      }
    }
    for (const { name, share, filter } of asked) {
      const shown = (await reader.count('resource', filter)) / size;
      if (Math.abs(shown - share) > 0.02) throw new Error(`"${name}" shows ${(100 * shown).toFixed(1)} % of the rows`);
    }
    for (const [name, { page, plan, count }] of times) {
      const line = table.get(name) ?? { page: [], quickest: Infinity, plan: median(plan), count: median(count) };
      line.quickest = Math.min(line.quickest, ...page);
      line.page.push(median(page));
      table.set(name, line);
    }
    await store.close();
  }
  progress('');
  const plain = table.get('no permissions')?.page ?? [];
  const heads = others.map((n) => `${n} others`.padStart(19)).join('');
  process.stdout.write(
    `${database.name}, ${size} resources, median of ${rounds}\n${''.padEnd(20)}${heads}        quickest      plan     count\n`,
  );
  const quickestPlain = table.get('no permissions')?.quickest ?? NaN;
  for (const [name, { page, quickest, plan, count }] of table) {
    const best = `${quickest.toFixed(2)} ms ×${(quickest / quickestPlain).toFixed(2)}`.padStart(16);
    const cells = page.map((time, n) => {
      const ratio = time / (plain[n] ?? NaN);
      if (ratio > most) process.exitCode = 1;
      return `${time.toFixed(2).padStart(8)} ms ×${ratio.toFixed(2).padEnd(5)}`.padStart(19);
    });
    process.stdout.write(
      `${name.padEnd(20)}${cells.join('')}${best} ${plan.toFixed(2).padStart(6)} ms ${count.toFixed(1).padStart(6)} ms\n`,
    );
  }
}
await found.sqlite.stop();
await found.postgres.stop();
