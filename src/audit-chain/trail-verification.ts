/** Verification of a trail where it is kept, while events may go on being made. */
import type { ChainedEvent, Link } from './chain.js';
import type { Head } from './heads.js';
import { EndMisstored } from './misstored.js';
import { TrailVerifier, type Verdict } from './verification.js';

export interface TrailSource<E extends Link = Link> {
  /** In the order of the chain, or in what is left of it. */
  events(account: string): AsyncIterable<ChainedEvent>;
  /** Where the chain ends by its keeper; null when nobody says. Throws EndMisstored when what is said is no place. */
  end(account: string): Promise<E | null>;
}

export async function verifyTrail<H extends Head, E extends Link>(
  source: TrailSource<E>,
  account: string,
  heads: readonly H[],
): Promise<Verdict<H> & { readonly end: E | null }> {
  const verifier = new TrailVerifier<H>(account, heads);
  // Before and after: what is there already when the reading begins must be read, and what is read must be known of
  // when it ends; between the two the trail may grow.
  const [before] = await endOf(source, account);
  for await (const event of source.events(account)) verifier.add(event);
  const [after, remark] = await endOf(source, account);
  const { position } = verifier.last;
  if (before === null || after === null) verifier.note('END_DIFFERS', position, position, remark);
  const kept = (before?.position ?? 0) > position ? before : (after?.position ?? 0) > position ? null : after;
  return { ...verifier.end(kept), end: after };
}

async function endOf<E extends Link>(
  source: TrailSource<E>,
  account: string,
): Promise<readonly [end: E | null, remark?: string]> {
  try {
    return [await source.end(account)];
  } catch (error) {
    if (error instanceof EndMisstored) return [null, error.message];
    throw error;
  }
}
