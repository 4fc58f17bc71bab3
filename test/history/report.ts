/** A history and what is wrong with it, for people. */
import type { Operation, Violation, Written } from './laws.js';
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
  // Of what was asked and read together only what it is about.
  const concerns = (register: string) => says.includes(register);
  return [`VIOLATION ${says}`, ...operations.map((operation) => `  ${lineOf(operation, concerns)}`)].join('\n') + '\n';
}

function lineOf(operation: Operation, concerns: (register: string) => boolean): string {
  const { sent, answered, replica, says } = operation;
  const during = `${(sent / 1000).toFixed(4)} to ${(answered / 1000).toFixed(4)} s`;
  return `${during}, replica ${replica}: ${says}: ${whatOf(operation, concerns)}`;
}

function whatOf(operation: Operation, concerns: (register: string) => boolean): string {
  const shown = ({ register, value }: Written) => `${register} = ${value ?? 'nothing'}`;
  switch (operation.kind) {
    case 'change': {
      const revision = operation.revision === null ? '' : `, revision ${operation.revision}`;
      return `${operation.outcome}${revision}; ${operation.writes.map(shown).join(', ')}`;
    }
    case 'question':
      return operation.decisions
        .filter(({ needs }) => needs.some(concerns))
        .map(({ needs, allowed, because }) => `${allowed ? 'ALLOW' : 'DENY'} (${because}) by ${needs.join(', ')}`)
        .join('; ');
    case 'reading':
      return operation.seen
        .filter(({ register }) => concerns(register))
        .map(shown)
        .join(', ');
  }
}
