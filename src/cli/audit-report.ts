/** What a verification of the audit trail has shown, in words: what is proven, what is broken, and what nobody can know. */
import type { Break, SignedHead } from '../audit-chain/index.js';
import type { KeptHead, Verification, VerifiedTrail } from './audit-verification.js';

export function printVerification(verification: Verification): string {
  const { trails, forgedHeads, accountsGone } = verification;
  const lines = trails.flatMap((trail) => [...linesOf(trail, verification), '']);
  for (const file of forgedHeads) lines.push(`FORGED ${file}: the signature does not fit; this head was not used`);
  for (const { file, account, position } of accountsGone) {
    lines.push(`BROKEN ${file}: account ${account} had ${position} events and is not there`);
  }
  const broken = trails.filter(({ verdict }) => verdict.numberOfBreaks > 0).length + accountsGone.length;
  const outcome = broken > 0 ? 'BROKEN' : forgedHeads.length > 0 ? 'a head is not genuine' : 'the chain holds';
  return `${lines.join('\n')}${lines.at(-1) === '' ? '' : '\n'}result: ${outcome}\n`;
}

/** For programs; the names here do not change. */
export function printVerificationAsJson(verification: Verification): string {
  const { source, keyIsKnown, forgedHeads, accountsGone } = verification;
  const trails = verification.trails.map(({ verdict, name, adopted, endIsGenuine }) => ({
    account: verdict.account,
    name,
    events: verdict.events,
    after: verdict.after,
    last: verdict.last,
    numberOfBreaks: verdict.numberOfBreaks,
    breaks: verdict.breaks,
    provenThrough: verdict.provenThrough,
    heads: verdict.heads.map(({ head, outcome }) => ({
      file: fileOf(head),
      position: head.position,
      at: head.at,
      outcome,
    })),
    chainedAsFound: adopted,
    endIsGenuine,
  }));
  const gone = accountsGone.map(({ file, account, position }) => ({ file, account, position }));
  return `${JSON.stringify({ source, keyIsKnown, forgedHeads, accountsGone: gone, trails }, null, 2)}\n`;
}

function linesOf(trail: VerifiedTrail, { keyIsKnown, source }: Verification): readonly string[] {
  const { verdict, name, adopted } = trail;
  const { account, events, after, last, breaks, numberOfBreaks, provenThrough } = verdict;
  const lines = [
    `account ${account}${name === null ? '' : ` (${name})`}: ${events} events, ${span(after + 1, last.position)}`,
  ];
  const note = (text: string) => void lines.push(`  ${text}`);

  if (numberOfBreaks === 0)
    note('holds: each event follows from all before it; none is altered, missing or out of place');
  for (const each of breaks) note(describeBreak(each));
  if (numberOfBreaks > breaks.length) note(`and ${numberOfBreaks - breaks.length} more breaks`);

  for (const { head, outcome } of verdict.heads) {
    const what = `${fileOf(head) ?? 'the end of the file'} (position ${head.position}, made ${head.at})`;
    if (outcome === 'FITS') note(`fits: ${what}`);
    if (outcome === 'DIFFERS') note(`DIFFERS: ${what} was made of other events`);
    if (outcome === 'CUT_OFF') note(`CUT OFF: ${what} was made of more events than there are`);
    if (outcome === 'UNREACHED') note(`unused: ${what} is of a place that is missing`);
    if (outcome === 'BEFORE') note(`unused: ${what} is of a place before what was verified`);
  }

  if (source === 'EXPORT' && trail.endIsGenuine === null && numberOfBreaks === 0) {
    note('not proven: who made this file; give --public-key to know that this installation signed its end');
  }
  const from = (provenThrough ?? after) + 1;
  if (provenThrough !== null && provenThrough > after) {
    note(`proven: ${span(after + 1, provenThrough)} are what they were when that head was made`);
    if (!keyIsKnown) note('  as far as the head is yours: give --public-key to know that this installation made it');
  }
  if (numberOfBreaks === 0 && from <= last.position) {
    note(`not proven: ${span(from, last.position)}; no head from after them was given. Whoever can write the`);
    note(
      `  ${source === 'DATABASE' ? 'database' : 'file'} could have written them anew, with every hash, and nothing here would tell`,
    );
  }
  if (numberOfBreaks === 0 && provenThrough !== last.position) {
    note(`not known: whether events after position ${last.position} were cut off; a head that is kept elsewhere tells`);
  } else if (numberOfBreaks === 0) {
    note(
      `not known: whether events after position ${last.position}, made after that head, were cut off; a later head tells`,
    );
  }
  if (after > 0) note(`not here: ${span(1, after)}`);
  if (adopted !== null) {
    if (adopted > 0) {
      note(
        `not known: what happened to ${span(1, adopted)} before events were chained; they were chained as they were found`,
      );
    }
    note(
      `not proven: that ${adopted === 0 ? 'no' : 'no more'} events were there before events were chained; the database says so`,
    );
  }
  return lines;
}

function describeBreak(found: Break): string {
  return found.remark === undefined ? describeKind(found) : `${describeKind(found)}: ${found.remark}`;
}

function describeKind({ kind, from, to, event }: Break): string {
  const where = from === to ? `BROKEN at position ${from}` : `BROKEN at positions ${from} to ${to}`;
  const which = event === null ? 'what stands there' : `event ${event}`;
  switch (kind) {
    case 'ALTERED':
      return `${where}: ${which} is not what was chained; it, its hash, or the hash before it was altered`;
    case 'MISSING':
      return `${where}: ${from === to ? 'the event is' : 'the events are'} missing`;
    case 'OUT_OF_ORDER':
      return `${where}: ${which} stands where another should`;
    case 'FOREIGN':
      return `${where}: ${which} is no event of this account`;
    case 'CUT_OFF':
      return `${where}: the events are cut off; nothing is said of those before that no head proves`;
    case 'REWRITTEN':
      return `${where}: the chain holds in itself and is not the one that the head was made of; it was written anew`;
    case 'END_DIFFERS':
      return `${where}: the chain does not end where it is said to end`;
    case 'UNFINISHED':
      return `${where}: the file has no end; what followed is cut off`;
    case 'END_FORGED':
      return `${where}: the end of the file is not signed with the given key`;
  }
}

function span(from: number, to: number): string {
  if (to < from) return 'no positions';
  return from === to ? `position ${from}` : `positions ${from} to ${to}`;
}

function fileOf(head: SignedHead): string | null {
  return (head as Partial<KeptHead>).file ?? null;
}
