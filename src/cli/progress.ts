/** How far a long piece of work is, for a person who waits: how fast it goes and how long it takes from here on. */
import type { Writable } from 'node:stream';

/** On a terminal one line that changes; elsewhere a line now and then, for logs. */
const pauses = { terminal: 200, elsewhere: 5_000 };

export class Progress {
  readonly #output: Writable & { readonly isTTY?: boolean };
  readonly #now: () => number;
  readonly #begun: number;
  #said: number;
  #open = false;

  constructor(output: Writable & { readonly isTTY?: boolean }, now: () => number = Date.now) {
    this.#output = output;
    this.#now = now;
    this.#begun = now();
    this.#said = this.#begun;
  }

  /** @param total null while it is not known */
  tell(what: string, done: number, total: number | null): void {
    this.#say((elapsed) => describeProgress(what, done, total, elapsed));
  }

  /** @param what keeps the work from going on; null when it goes on again */
  wait(what: string | null): void {
    if (what === null) this.close();
    else this.#say(() => `waiting for ${what}`);
  }

  #say(lineAfter: (elapsed: number) => string): void {
    const now = this.#now();
    const terminal = this.#output.isTTY === true;
    if (now - this.#said < (terminal ? pauses.terminal : pauses.elsewhere)) return;
    this.#said = now;
    const line = lineAfter(now - this.#begun);
    this.#output.write(terminal ? `\r\u001b[K${line}` : `${line}\n`);
    this.#open = terminal;
  }

  /** To be called before anything else is written. */
  close(): void {
    if (this.#open) this.#output.write('\r\u001b[K');
    this.#open = false;
  }
}

export function describeProgress(what: string, done: number, total: number | null, elapsed: number): string {
  const rate = elapsed > 0 ? (done * 1_000) / elapsed : 0;
  const pace = `${counted(Math.round(rate))} a second`;
  if (total === null) return `${what}: ${counted(done)} (${pace})`;
  const left = rate > 0 ? `, ${duration((total - done) / rate)} left` : '';
  return `${what}: ${counted(done)} of ${counted(total)} (${pace}${left})`;
}

export function counted(count: number): string {
  return count.toLocaleString('en-US');
}

function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
