/**
 * Verification of a trail as it is read, event by event: whether the chain holds, where it first does not, and which of
 * the heads that were kept fit it. Says no more than that: a chain that holds may have been written anew from end to
 * end by whoever can write where it is kept; only a head that was kept elsewhere tells.
 */
import { beginningOf, linkAfter, type ChainedEvent, type Link } from './chain.js';
import type { Head } from './heads.js';
import { remarksOn } from './misstored.js';

export type BreakKind =
  /** What the event says, its place or its hash is not what was chained. */
  | 'ALTERED'
  /** Events that were there are not. */
  | 'MISSING'
  /** An event stands where another should, or twice. */
  | 'OUT_OF_ORDER'
  /** An event of another account, or something that is no event. */
  | 'FOREIGN'
  /** Events after the last one are gone. */
  | 'CUT_OFF'
  /** The chain holds in itself, and is not the one of which a head was made. */
  | 'REWRITTEN'
  /** The chain does not end where its keeper says that it does. */
  | 'END_DIFFERS'
  /** An export has no end: what followed was cut off. */
  | 'UNFINISHED'
  /** The end of an export is not signed with the key that it should be. */
  | 'END_FORGED';

export interface Break {
  readonly kind: BreakKind;
  /** First and last position between which it lies. */
  readonly from: number;
  readonly to: number;
  /** Id of the event at which it shows; null where there is none. */
  readonly event: string | null;
  /** What more is known of it. */
  readonly remark?: string;
}

export interface HeadFinding<H extends Head = Head> {
  readonly head: H;
  /** `BEFORE`: it is of a place before the first event that was to be verified, and says nothing. */
  readonly outcome: 'FITS' | 'DIFFERS' | 'CUT_OFF' | 'BEFORE' | 'UNREACHED';
}

export interface Verdict<H extends Head = Head> {
  readonly account: string;
  readonly events: number;
  /** Where the verified part begins: after this position. */
  readonly after: number;
  readonly last: Link;
  /** The first ones, in the order of their places. */
  readonly breaks: readonly Break[];
  readonly numberOfBreaks: number;
  readonly heads: readonly HeadFinding<H>[];
  /** Highest position of a head that fits with no break at or before it; null: nothing is proven by a head. */
  readonly provenThrough: number | null;
}

/** How many breaks are told one by one. */
const told = 20;

export class TrailVerifier<H extends Head = Head> {
  readonly #account: string;
  readonly #after: Link;
  readonly #heads: readonly H[];
  readonly #outcomes = new Map<H, HeadFinding['outcome']>();
  readonly #breaks: Break[] = [];
  #numberOfBreaks = 0;
  #events = 0;
  #last: Link;
  /** The last place that some head has proven. */
  #proven = 0;
  /** Where the last break begins that explains why heads from there on do not fit. */
  #reason = -1;
  /** Index of the next head. */
  #next = 0;

  /**
   * @param heads in any order; whether they are genuine has been seen to
   * @param after where a part begins, absent for a whole trail
   */
  constructor(account: string, heads: readonly H[] = [], after: Link = beginningOf(account)) {
    this.#account = account;
    this.#after = after;
    this.#last = after;
    this.#proven = after.position;
    this.#heads = [...heads].sort((one, other) => one.position - other.position);
    for (; (this.#heads[this.#next]?.position ?? Infinity) < after.position; this.#next += 1) {
      this.#outcomes.set(this.#heads[this.#next] as H, 'BEFORE');
    }
    this.#hold();
  }

  /** Place that the next event follows. */
  get last(): Link {
    return this.#last;
  }

  add(event: ChainedEvent | null): void {
    this.#events += 1;
    const expected = this.#last.position + 1;
    const id = typeof event?.id === 'string' ? event.id : null;
    if (event === null || event.accountId !== this.#account) {
      this.#break('FOREIGN', expected, expected, id);
      return;
    }
    const { position, hash } = event;
    const remarks = remarksOn(event);
    if (typeof position !== 'number' || !Number.isSafeInteger(position) || typeof hash !== 'string') {
      this.#break('ALTERED', expected, expected, id, remarks);
      return;
    }
    if (position > expected) {
      this.#break('MISSING', expected, position - 1, id);
      if (remarks.length > 0) this.#break('ALTERED', position, position, id, remarks);
    } else if (position < expected) {
      this.#break('OUT_OF_ORDER', expected, expected, id, remarks);
      return;
    } else if (hashAfter(this.#last, event) !== hash) {
      this.#break('ALTERED', expected, expected, id, remarks.length > 0 ? remarks : remarksOnImages(event));
    } else if (remarks.length > 0) {
      // Somebody has written the hashes anew: this is no reason why a head of what follows should not fit.
      const reason = this.#reason;
      this.#break('ALTERED', expected, expected, id, remarks);
      this.#reason = reason;
    }
    // What follows is held against what this one says of itself, so that each break is told once, where it lies.
    this.#pass(position - 1);
    this.#last = { position, hash };
    this.#hold();
  }

  /** Something beside the events is not as it should be. */
  note(kind: BreakKind, from: number, to: number, remark?: string): void {
    this.#break(kind, from, to, null, remark === undefined ? [] : [remark]);
  }

  /**
   * @param kept where the chain ends by whoever keeps it; null where nobody says
   * @param proof the head that says so, when it is known to be genuine
   */
  end(kept: Link | null, proof: H | null = null): Verdict<H> {
    const { position, hash } = this.#last;
    if (kept !== null && kept.position > position) this.#break('CUT_OFF', position + 1, kept.position, null);
    else if (kept !== null && (kept.position < position || kept.hash !== hash)) {
      this.#break(
        'END_DIFFERS',
        Math.min(kept.position, position) + (kept.position < position ? 1 : 0),
        position,
        null,
      );
    }
    for (const head of this.#heads.slice(this.#next)) {
      this.#outcomes.set(head, 'CUT_OFF');
      if (head.position > (kept?.position ?? 0)) this.#break('CUT_OFF', position + 1, head.position, null);
    }
    const heads = proof === null ? this.#heads : [...this.#heads, proof];
    if (proof !== null)
      this.#outcomes.set(proof, proof.position === position && proof.hash === hash ? 'FITS' : 'DIFFERS');
    const first = Math.min(...this.#breaks.map(({ from }) => from));
    const proven = heads.filter((head) => this.#outcomes.get(head) === 'FITS' && head.position < first);
    return {
      account: this.#account,
      events: this.#events,
      after: this.#after.position,
      last: this.#last,
      breaks: [...this.#breaks].sort((one, other) => one.from - other.from),
      numberOfBreaks: this.#numberOfBreaks,
      heads: heads.map((head) => ({ head, outcome: this.#outcomes.get(head) ?? 'UNREACHED' })),
      provenThrough: proven.length === 0 ? null : Math.max(...proven.map((head) => head.position)),
    };
  }

  /** Heads of places that have been left out. */
  #pass(through: number): void {
    for (; (this.#heads[this.#next]?.position ?? Infinity) <= through; this.#next += 1) {
      this.#outcomes.set(this.#heads[this.#next] as H, 'UNREACHED');
    }
  }

  /** Holds the heads of the present place against it. */
  #hold(): void {
    const { position, hash } = this.#last;
    for (let head = this.#heads[this.#next]; head?.position === position; head = this.#heads[this.#next]) {
      this.#next += 1;
      if (head.hash === hash) {
        this.#outcomes.set(head, 'FITS');
        this.#proven = position;
      } else {
        this.#outcomes.set(head, 'DIFFERS');
        // An event that was altered is enough to explain it; a chain that holds was written anew.
        if (this.#reason <= this.#proven)
          this.#break('REWRITTEN', Math.min(this.#proven + 1, position), position, null);
      }
    }
  }

  #break(kind: BreakKind, from: number, to: number, event: string | null, remarks: readonly string[] = []): void {
    this.#numberOfBreaks += 1;
    this.#reason = Math.max(this.#reason, from);
    if (this.#breaks.length >= told) return;
    this.#breaks.push({ kind, from, to, event, ...(remarks.length > 0 ? { remark: remarks.join('; ') } : {}) });
  }
}

/** Null where an image is nested deeper than it can be spelled, as none of ours is. */
function hashAfter(previous: Link, event: ChainedEvent): string | null {
  try {
    return linkAfter(previous, event).hash;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** A text where an image should be is what `jsonAsWritten` makes of another spelling. */
function remarksOnImages(event: ChainedEvent): readonly string[] {
  const odd = (['delegation', 'before', 'after'] as const).filter((name) => typeof event[name] === 'string');
  return odd.map((name) => `"${name}" is no JSON in the spelling in which this program writes it`);
}
