/** The table of a row, and the targets that the figures are held against. */
import { type Figures, medianOf, type RowFigures } from './measurement.js';
import type { RowName } from './requests.js';

export interface Verdict {
  readonly text: string;
  readonly reached: boolean;
}

/** Requests in a second, or what a request costs the server's processor: the second holds on a machine that others use. */
export type Measure = 'wall' | 'processor';

export const ours = 'bailiwick';

/** How many times as many requests ours answers: the median of what the rounds say, in each of which both had a turn. */
export function ratioOf(own: Figures, other: Figures, by: Measure): number | null {
  if (by === 'wall') return medianOf(own.perSecond.map((mine, round) => mine / (other.perSecond[round] ?? NaN)));
  const [mine, theirs] = [own.processorNs, other.processorNs];
  if (mine === null || theirs === null) return null;
  return medianOf(mine.map((ns, round) => (theirs[round] ?? NaN) / ns));
}

export function writeTable(row: RowFigures): string {
  const own = row.servers.find(({ name }) => name === ours);
  const ratio = (other: Figures, by: Measure): string => {
    const found = own === undefined ? null : ratioOf(own, other, by);
    return found === null ? '-' : found.toFixed(2);
  };
  const lines = row.servers.map((figures) => [
    figures.name,
    figure(medianOf(figures.perSecond)),
    ratio(figures, 'wall'),
    figures.processorNs === null ? '-' : figure(medianOf(figures.processorNs) / 1_000),
    ratio(figures, 'processor'),
    figures.serverLoad === null ? '-' : percent(figures.serverLoad),
    percent(figures.clientLoad),
    `${figures.answers}${figures.disagreements.length > 0 ? `, ${figures.disagreements.length} DIFFER` : ''}`,
  ]);
  const head = ['server', 'requests/s', 'x', 'processor us', 'x', 'server', 'client', 'same answers'];
  return ['', `${row.name}: ${row.meaning}`, ...align([head, ...lines])].join('\n');
}

/** Columns: the first to the left, the others to the right. */
export function align(lines: readonly (readonly string[])[]): string[] {
  const widths = (lines[0] ?? []).map((_title, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines.map((cells) =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;

export function figure(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value.toFixed(value >= 10 ? 1 : 2);
}

/** The least that ours is to be of each. */
const targets: readonly (readonly [rows: readonly RowName[], other: string, least: number])[] = [
  [['viewer', 'check'], 'bare-node', 0.3],
  [['viewer', 'check'], 'graphql-yoga', 4],
  [['viewer', 'check'], 'mercurius', 1.2],
  [['viewer', 'check'], 'mercurius-jit', 0.7],
  [['check'], 'cerbos', 3],
  [['users'], 'apollo', 2],
];
/** What is left of the throughput with the guard: it may cost a tenth, on every row. */
const leastWithGuard = 0.9;
const leastDecisions = 300_000;

export function judgeTargets(rows: readonly RowFigures[], by: Measure): Verdict[] {
  return rows.flatMap((row): Verdict[] => {
    const own = row.servers.find(({ name }) => name === ours);
    if (own === undefined) return [];
    const against = (other: string, least: number): Verdict[] => {
      const found = row.servers.find(({ name }) => name === other);
      if (found === undefined) return [];
      // Where the processor's time cannot be known, there is one measure.
      const [wall, processor] = [ratioOf(own, found, 'wall') ?? NaN, ratioOf(own, found, 'processor')];
      const judged = by === 'processor' ? (processor ?? wall) : wall;
      const beside = processor === null ? '' : ` (${processor.toFixed(2)} by processor time)`;
      const text = `${row.name}: ${wall.toFixed(2)} times ${other}${beside}, at least ${least}`;
      return [{ text, reached: judged >= least }];
    };
    return [
      ...against('unguarded', leastWithGuard),
      ...targets.flatMap(([names, other, least]) => (names.includes(row.name) ? against(other, least) : [])),
      ...(row.name === 'check-1000' ? [judgeDecisions(row, own, by)] : []),
    ];
  });
}

function judgeDecisions({ name, decisions }: RowFigures, own: Figures, by: Measure): Verdict {
  const wall = medianOf(own.perSecond) * decisions;
  const processor = own.processorNs === null ? null : (1e9 / medianOf(own.processorNs)) * decisions;
  const beside = processor === null ? '' : ` (${figure(processor)} in a second of the processor)`;
  const judged = by === 'processor' ? (processor ?? wall) : wall;
  const text = `${name}: ${figure(wall)} decisions/s${beside}, at least ${figure(leastDecisions)}`;
  return { text, reached: judged >= leastDecisions };
}
