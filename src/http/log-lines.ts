/**
 * Lines of the log, written together once in each turn of the event loop: a call of the system for each takes as long as
 * answering from memory does. What is waiting is written when the process ends, however it ends by itself.
 */
export class LogLines {
  #waiting = '';

  constructor(private readonly target: { write(text: string): unknown }) {
    process.once('exit', () => this.#flush());
  }

  write(line: string): void {
    if (this.#waiting === '') setImmediate(() => this.#flush());
    this.#waiting += line;
  }

  #flush(): void {
    const text = this.#waiting;
    if (text === '') return;
    this.#waiting = '';
    this.target.write(text);
  }
}

/** The time of a line, put into words once for each millisecond. */
export function timestamps(): () => string {
  let at = 0;
  let words = '';
  return () => {
    const now = Date.now();
    if (now !== at) {
      at = now;
      words = `,"time":"${new Date(now).toISOString()}"`;
    }
    return words;
  };
}
