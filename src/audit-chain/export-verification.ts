/** Verification of an export, line by line, with nothing but the file, the heads that were kept, and a public key. */
import { beginningOf } from './chain.js';
import { readExportLine, type ExportLine } from './export-lines.js';
import { isGenuine, type SignedHead } from './heads.js';
import { TrailVerifier, type Verdict } from './verification.js';

/** What was given is not the beginning of an export: nothing can be said of it. */
export class NoExport extends Error {}

export interface ExportVerdict extends Verdict<SignedHead> {
  /** As the file has it; nothing proves it. */
  readonly name: string;
  /** Signature of the head that ends the file; null: there is none, or no key to hold it against. */
  readonly endIsGenuine: boolean | null;
}

export interface ExportExpectation {
  /** Heads of this account whose signatures have been seen to. */
  readonly headsOf: (account: string) => readonly SignedHead[];
  /** The key that the end must be signed with; null: not known. */
  readonly publicKey: string | null;
  /** Position after which the export should begin; 0 for a whole one. */
  readonly after: number;
}

export async function verifyExport(
  lines: AsyncIterable<string> | Iterable<string>,
  { headsOf, publicKey, after }: ExportExpectation,
): Promise<ExportVerdict> {
  let header: (ExportLine & { readonly kind: 'HEADER' }) | null = null;
  let verifier: TrailVerifier<SignedHead> | null = null;
  let end: SignedHead | null = null;
  for await (const line of lines) {
    const read = readExportLine(line);
    if (header === null || verifier === null) {
      if (read?.kind !== 'HEADER') break;
      header = read;
      verifier = begin(read, headsOf(read.account), after);
    } else if (read?.kind === 'END' && end === null) end = read.head;
    // Whatever follows the end was put there.
    else verifier.add(read?.kind === 'EVENT' && end === null ? read.event : null);
  }
  if (header === null || verifier === null)
    throw new NoExport('it does not begin as an export of the audit trail does');
  const next = verifier.last.position + 1;
  if (end === null) verifier.note('UNFINISHED', next, next);
  const endIsGenuine = end === null || publicKey === null ? null : isGenuine(end, publicKey);
  if (endIsGenuine === false || (end !== null && end.account !== header.account))
    verifier.note('END_FORGED', next, next);
  return { ...verifier.end(end, endIsGenuine === true ? end : null), name: header.name, endIsGenuine };
}

function begin(
  { account, after: begun }: ExportLine & { readonly kind: 'HEADER' },
  heads: readonly SignedHead[],
  after: number,
): TrailVerifier<SignedHead> {
  const beginning = beginningOf(account);
  const whole = begun.position <= 0;
  const verifier = new TrailVerifier<SignedHead>(account, heads, whole ? beginning : begun);
  if (begun.position > after) verifier.note('MISSING', after + 1, begun.position);
  if (whole && (begun.position !== 0 || begun.hash !== beginning.hash)) verifier.note('ALTERED', 0, 0);
  return verifier;
}
