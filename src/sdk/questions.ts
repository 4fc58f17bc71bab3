/**
 * The questions of one execution of an operation, gathered level by level: those of one depth of fields go out as one
 * request. A level goes out when nothing that could add to it is under way any more, so every resolver is counted while
 * it runs. It knows nothing of GraphQL but that fields have a depth.
 */
import type { AccessDecision, AccessRequest } from './client.js';

interface Waiting {
  readonly question: AccessRequest;
  readonly resolve: (decision: AccessDecision) => void;
  readonly reject: (error: unknown) => void;
}

/** Asks all of them in one request; answers in the order asked. */
export type AskAll = (questions: readonly AccessRequest[]) => Promise<readonly AccessDecision[]>;

export class Questions {
  readonly #askAll: AskAll;
  /** Equal questions are asked once in an execution. */
  readonly #known = new Map<string, Promise<AccessDecision>>();
  readonly #waiting = new Map<number, Waiting[]>();
  /** What is under way at each level: resolvers, and requests about the level. */
  readonly #running = new Map<number, number>();
  #looking = false;

  constructor(askAll: AskAll) {
    this.#askAll = askAll;
  }

  /** A resolver of this level begins; every beginning has its end. */
  begin(level: number): void {
    this.#running.set(level, (this.#running.get(level) ?? 0) + 1);
  }

  end(level: number): void {
    this.#running.set(level, (this.#running.get(level) ?? 0) - 1);
    this.#lookSoon();
  }

  /** Forgets the answers: what comes next may have changed them. */
  forget(): void {
    this.#known.clear();
  }

  ask(level: number, question: AccessRequest): Promise<AccessDecision> {
    const key = `${question.action}\n${question.resource ?? ''}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const answer = new Promise<AccessDecision>((resolve, reject) => {
      const waiting = this.#waiting.get(level) ?? [];
      waiting.push({ question, resolve, reject });
      this.#waiting.set(level, waiting);
    });
    // Whoever asked may have failed meanwhile; that nobody listens is no defect.
    answer.catch(() => undefined);
    this.#known.set(key, answer);
    this.#lookSoon();
    return answer;
  }

  /** After everything that is ready to run has run: fields of the next level begin as soon as one of this is there. */
  #lookSoon(): void {
    if (this.#looking || this.#waiting.size === 0) return;
    this.#looking = true;
    setImmediate(() => {
      this.#looking = false;
      this.#look();
    });
  }

  #look(): void {
    if (this.#waiting.size === 0) return;
    const level = Math.min(...this.#waiting.keys());
    const below = [...this.#running].some(([other, count]) => other < level && count > 0);
    if (below) return;
    const waiting = this.#waiting.get(level) ?? [];
    this.#waiting.delete(level);
    // As under way below the level, so that deeper ones wait for what follows from the answers.
    this.begin(level - 0.5);
    this.#askAll(waiting.map(({ question }) => question))
      .then((decisions) => {
        for (const [index, { resolve, reject }] of waiting.entries()) {
          const decision = decisions[index];
          if (decision === undefined) reject(new Error('a question was not answered'));
          else resolve(decision);
        }
      })
      .catch((error: unknown) => {
        for (const { reject } of waiting) reject(error);
      })
      .finally(() => this.end(level - 0.5));
  }
}
