/** The table: a line for each way of deployment. */
import { align, figure } from '../http/report.js';
import type { Deployment } from './deployments.js';
import { horizon, type Figures } from './trial.js';

/** What so many of a hundred do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) return NaN;
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.ceil((sorted.length * share) / 100) - 1)] ?? NaN;
}

/** Of milliseconds. A window is only looked into up to the horizon. */
export function time(value: number): string {
  if (value === 0) return '0';
  if (value >= horizon * 0.95) return `>${Math.round((horizon * 0.95) / 1_000)} s`;
  if (value >= 1_000) return `${(value / 1_000).toFixed(1)} s`;
  return value < 0.1 ? '<0.1 ms' : `${value.toFixed(value >= 10 ? 0 : 1)} ms`;
}

const head = [
  'deployment',
  'today',
  'window p50',
  'p99',
  'max',
  'late max',
  'wait p50',
  'p99',
  'change p50',
  'refused',
  'lost',
  'primary/s',
  'copies/s',
  'a core/s',
];

export interface Row {
  readonly deployment: Deployment;
  readonly figures: Figures;
  readonly capacity: number;
}

export function writeTable(rows: readonly Row[]): string {
  const lines = rows.map(({ deployment: { name, offered }, figures, capacity }) => [
    name,
    offered ? 'yes' : 'no',
    ...[50, 99, 100].map((share) => time(percentile(figures.windows, share))),
    time(percentile(figures.late, 100)),
    ...[50, 99].map((share) => time(percentile(figures.waits, share))),
    time(percentile(figures.changes, 50)),
    figures.refused === 0 ? '0' : `${(figures.refused * 100).toFixed(1)} %`,
    `${figures.lost} of ${figures.revocations}`,
    figure(figures.primaryReads),
    figures.copyReads === 0 ? '-' : figure(figures.copyReads),
    figure(capacity),
  ]);
  return align([head, ...lines]).join('\n');
}

/** Where a way that is to have no window has one. */
export function faultsOf(deployment: Deployment, figures: Figures): string[] {
  const { name, zero } = deployment;
  const widest = Math.max(0, ...figures.windows);
  const faults: string[] = [];
  if (figures.windows.length === 0) faults.push(`${name}: nothing was revoked; let it run for longer`);
  if (!(figures.allowedBefore > 0.5))
    faults.push(`${name}: hardly anybody was allowed before either, so nothing is shown`);
  if (zero && widest > 0) {
    faults.push(`${name}: allowed ${time(widest)} after the acknowledgement, where nothing should have been`);
  }
  if (zero && figures.lost > 0) faults.push(`${name}: ${figures.lost} acknowledged revocations are not there any more`);
  return faults;
}
