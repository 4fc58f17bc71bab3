/** A history and what is wrong with it, for people. */
import type { Operation, Violation } from './laws.js';
import type { HistoryReport } from './run.js';

export function tableOf({ record, kills, pauses, rights, seconds }: HistoryReport): string {
  const { counts, operations, sent } = record;
  const decisions = operations.reduce(
    (sum, operation) => sum + (operation.kind === 'question' ? operation.decisions.length : 0),
    0,
  );
  const changes = operations.filter(({ kind }) => kind === 'change').length;
  const names = [...counts.keys()].sort();
  const width = Math.max(...names.map(({ length }) => length));
  const row = (name: string, ...cells: readonly (string | number)[]) =>
    `${name.padEnd(width)} ${cells.map((cell) => String(cell).padStart(9)).join(' ')}\n`;
  const sum = (count: (name: string) => number) => names.reduce((total, name) => total + count(name), 0);
  const refused = (name: string) => counts.get(name)?.refused ?? 0;
  const unknown = (name: string) => counts.get(name)?.unknown ?? 0;
  return [
    row('', 'sent', 'refused', 'unknown'),
    ...names.map((name) => row(name, counts.get(name)?.sent ?? 0, refused(name), unknown(name))),
    row('together', sent, sum(refused), sum(unknown)),
    `${changes} changes, ${decisions} decisions about ${rights} rights, ${kills} kills, ${pauses} pauses, ${seconds.toFixed(0)} s\n`,
  ].join('');
}

export function linesOf({ says, operations }: Violation): string {
  return [`VIOLATION ${says}`, ...operations.map((operation) => `  ${lineOf(operation)}`)].join('\n') + '\n';
}

function lineOf(operation: Operation): string {
  const { sent, answered, replica, says } = operation;
  return `${(sent / 1000).toFixed(4)} to ${(answered / 1000).toFixed(4)} s, replica ${replica}: ${says}: ${whatOf(operation)}`;
}

function whatOf(operation: Operation): string {
  switch (operation.kind) {
    case 'change': {
      const writes = operation.writes.map(({ register, value }) => `${register} = ${value ?? 'nothing'}`).join(', ');
      const revision = operation.revision === null ? '' : `, revision ${operation.revision}`;
      return `${operation.outcome}${revision}; ${writes}`;
    }
    case 'question':
      return operation.decisions
        .map(({ needs, allowed, because }) => `${allowed ? 'ALLOW' : 'DENY'} (${because}) by ${needs.join(', ')}`)
        .join('; ');
    case 'reading':
      return operation.seen
        .map(({ register, value }) => `${register} = ${value ?? 'nothing'}`)
        .join(', ')
        .slice(0, 300);
  }
}
