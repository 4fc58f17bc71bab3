/**
 * Somebody's right to do one thing, which stands on several things at once: each of them is given and taken away again
 * and again, in every way that there is (test/iam/revocation.test.ts), and once in a while one is gone for good.
 */
import type { Asked, ChangeInput, Done, Hand, Payload } from './hand.js';
import { given } from './laws.js';
import type { Credential } from './wire.js';

export const action = 'modelarts:notebook:create';

/** One thing that can be done next. */
export interface Turn {
  readonly weight: number;
  readonly change: ChangeInput;
  readonly after?: (payload: Payload) => void;
  /** Nothing can be given or taken afterwards. */
  readonly last?: boolean;
}

export interface Shown {
  /** Null: somebody else asks about them. */
  readonly by: Credential | null;
  readonly asked: Asked;
}

export abstract class Right {
  /** One change at a time, so that it is known what stands. */
  busy = false;
  /** It stays as it is: something is gone, or nobody knows whether it is. */
  over = false;
  readonly #given = new Set<string>();

  constructor(readonly name: string) {}

  /** The ways in which it can be asked for now. */
  abstract shown(): readonly Shown[];

  protected abstract turns(): readonly Turn[];

  /** Gives or takes something; answers what became of it, and in which ways it shows. */
  async turn(hand: Hand): Promise<Done & { readonly shown: readonly Shown[] }> {
    const { change, after, last } = hand.dice.weighted(this.turns().map((turn) => [turn.weight, turn]));
    const done = await hand.change(change);
    if (done.outcome === 'unknown') this.uncertain();
    if (done.payload !== null) {
      this.wrote(change);
      after?.(done.payload);
      if (last === true) this.over = true;
    }
    const touched = change.writes.map(({ register }) => register);
    return { ...done, shown: this.shown().filter(({ asked }) => asked.needs.some((need) => touched.includes(need))) };
  }

  /** Makes something that it stands on; answers the payload. */
  protected async make(hand: Hand, change: ChangeInput): Promise<Payload> {
    const { payload } = await hand.change(change);
    if (payload === null) throw new NotMade();
    this.wrote(change);
    return payload;
  }

  /** A change of it may have happened or not, and may happen yet. */
  protected uncertain(): void {
    this.over = true;
  }

  protected register(thing: string): string {
    return `${this.name} ${thing}`;
  }

  protected has(thing: string): boolean {
    return this.#given.has(this.register(thing));
  }

  private wrote({ writes }: ChangeInput): void {
    for (const { register, value } of writes) {
      if (value === given) this.#given.add(register);
      else this.#given.delete(register);
    }
  }
}

/** A step was not acknowledged, so there is nothing that anything is known of. */
class NotMade extends Error {
  constructor() {
    super('something that a right stands on was not acknowledged');
  }
}

/** Null when not everything that it stands on was acknowledged. */
export async function made<R extends Right>(making: Promise<R>): Promise<R | null> {
  try {
    return await making;
  } catch (error) {
    if (error instanceof NotMade) return null;
    throw error;
  }
}

/** Something is missing more seldom than it is there, or nothing would ever be allowed. */
export function weightOf(there: boolean): number {
  return there ? 1 : 4;
}

export function idOf(payload: Payload, object: string): string {
  const { id } = payload[object] as { readonly id: string };
  return id;
}

/** What the database calls it: an identifier of the API is `<Kind>:<id>` in base64url. */
export function plainIdOf(payload: Payload, object: string): string {
  return Buffer.from(idOf(payload, object), 'base64url').toString().replace(/^\w+:/, '');
}

export function document(effect: 'Allow' | 'Deny', ...actions: readonly string[]): object {
  return { Version: '1.1', Statement: [{ Effect: effect, Action: actions }] };
}
