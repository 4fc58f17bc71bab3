/** The table of a world, and the targets that the figures are held against. */
import { type Held } from './heap.js';
import { type Checked, type Shares } from './measurement.js';

export interface Row {
  readonly engine: string;
  readonly ns: number;
  readonly decisionsPerTurn: number;
  readonly firstNs: number;
  readonly firstUsers: number;
  readonly openNs: number;
  readonly checked: Checked;
  readonly heap: Held | null;
}

export interface WorldFigures {
  readonly name: string;
  readonly statements: number;
  readonly users: number;
  readonly requests: number;
  readonly shares: Shares;
  /** A decision of ours that tells the effect alone; null where the build has none. */
  readonly bareNs: number | null;
  readonly rows: readonly Row[];
}

export interface Verdict {
  readonly text: string;
  readonly reached: boolean;
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;

export function writeTable(world: WorldFigures, ours: string): string {
  const { allowed, forbidden } = world.shares;
  const own = world.rows.find(({ engine }) => engine === ours);
  const bare = own === undefined || world.bareNs === null ? '' : `, bare effect ${percent(world.bareNs / own.ns)}`;
  const lines = world.rows.map((row) => [
    row.engine,
    figure(row.ns),
    own === undefined ? '' : (row.ns / own.ns).toFixed(1),
    figure(row.firstNs / 1_000),
    figure(row.openNs / 1e6),
    row.heap === null ? '-' : heapText(row.heap),
    `${row.checked.answered}${row.checked.statementsCompared > 0 ? ` +${row.checked.statementsCompared}` : ''}${row.checked.disagreements.length > 0 ? `, ${row.checked.disagreements.length} DIFFER` : ''}`,
    row.decisionsPerTurn < world.requests ? `only ${row.decisionsPerTurn}` : '',
  ]);
  const head = ['engine', 'ns', 'x', 'first us', 'open ms', 'heap MB', 'same answers', 'timed'];
  const widths = head.map((title, column) => Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)));
  const print = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (i === 0 || i === 7 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  const title = `${world.name}: ${world.statements} statements, ${world.users} users; ${percent(allowed)} allowed, ${percent(forbidden)} forbidden${bare}`;
  return ['', title, print(head), ...lines.map(print)].join('\n');
}

function heapText({ bytes, users, usersAsked }: Held): string {
  return `${bytes < 5e4 ? '<0.05' : figure(bytes / 1e6)}${users < usersAsked ? ` (${users} of ${usersAsked} users)` : ''}`;
}

function figure(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value.toFixed(value >= 10 ? 1 : 2);
}

/** The least by which the quickest peer is to be slower than ours. */
const factors: readonly (readonly [world: RegExp, factor: number])[] = [
  [/^small$/, 1.5],
  [/^medium$/, 2],
  [/^large$/, 2],
  [/^1000-/, 2.5],
  [/^10000-/, 20],
];
const mostGrowth = 25;

export function judgeTargets(worlds: readonly WorldFigures[], ours: string): Verdict[] {
  const verdicts = worlds.flatMap((world): Verdict[] => {
    const factor = factors.find(([name]) => name.test(world.name))?.[1];
    const own = world.rows.find(({ engine }) => engine === ours);
    const [best] = world.rows.filter((row) => row !== own).sort((a, b) => a.ns - b.ns);
    if (factor === undefined || own === undefined || best === undefined) return [];
    const ratio = best.ns / own.ns;
    const speed: Verdict = {
      text: `${world.name}: ${ratio.toFixed(2)} times as quick as ${best.engine}, at least ${factor}`,
      reached: ratio >= factor,
    };
    return world.name === 'large' ? [speed, ...judgeLarge(own, best)] : [speed];
  });
  const first = worlds.find(({ name }) => name === 'growth-10')?.rows.find(({ engine }) => engine === ours);
  const last = worlds.find(({ name }) => name === 'growth-10000')?.rows.find(({ engine }) => engine === ours);
  if (first === undefined || last === undefined) return verdicts;
  const grown = last.ns / first.ns;
  const text = `growth: ${grown.toFixed(1)} times the time from 10 to 10,000 statements, at most ${mostGrowth}`;
  return [...verdicts, { text, reached: grown <= mostGrowth }];
}

function judgeLarge(own: Row, best: Row): Verdict[] {
  const first = best.firstNs / own.firstNs;
  const verdict: Verdict = {
    text: `large: first decision 1/${first.toFixed(1)} of that of ${best.engine}, at most 1/5`,
    reached: first >= 5,
  };
  if (own.heap === null || best.heap === null) return [verdict];
  const heap = best.heap.bytes / own.heap.bytes;
  return [
    { text: `large: heap 1/${heap.toFixed(1)} of that of ${best.engine}, at most 1/20`, reached: heap >= 20 },
    verdict,
  ];
}
