/** What was asked and answered, as it happened, and how much of it there was. */
import type { Notes } from '../crash/writers.js';
import type { Change, History, Operation } from './laws.js';

export interface Count {
  sent: number;
  refused: number;
  unknown: number;
}

export class HistoryRecord implements History {
  readonly operations: Operation[] = [];
  readonly faults: string[] = [];
  /** By what was asked. */
  readonly counts = new Map<string, Count>();
  /** What the audit trail must say, as crashes are proved by it. */
  readonly acknowledged: Notes['acknowledged'] = [];
  #sent = 0;

  /** Requests, whatever became of them. */
  get sent(): number {
    return this.#sent;
  }

  /** Of a question or reading that was not answered there is nothing to keep. */
  note(name: string, outcome: Change['outcome'], operation: Operation | null): void {
    let count = this.counts.get(name);
    if (count === undefined) this.counts.set(name, (count = { sent: 0, refused: 0, unknown: 0 }));
    count.sent += 1;
    if (outcome !== 'acknowledged') count[outcome] += 1;
    if (operation !== null) this.operations.push(operation);
    this.#sent += 1;
  }

  fault(says: string): void {
    this.faults.push(says);
  }
}
