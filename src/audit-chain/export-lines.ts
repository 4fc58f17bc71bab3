/**
 * An export: one line of JSON for what it is, one for each event, and one that ends it with a signed head. Lines, so
 * that a trail of any length is written and verified as it comes.
 */
import { hashedMembers, type ChainedEvent, type Link } from './chain.js';
import { readSignedHead, type SignedHead } from './heads.js';

export const exportFormat = 'bailiwick audit export 1';

export type ExportLine =
  | { readonly kind: 'HEADER'; readonly account: string; readonly name: string; readonly after: Link }
  | { readonly kind: 'EVENT'; readonly event: ChainedEvent }
  | { readonly kind: 'END'; readonly head: SignedHead };

/** @param after place after which the events come */
export function headerLine(account: string, name: string, after: Link): string {
  const { position, hash } = after;
  return `${JSON.stringify({ format: exportFormat, account, name, after: { position, hash } })}\n`;
}

export function eventLine(event: ChainedEvent): string {
  const members = [...hashedMembers, 'hash' as const].map((name) => [name, event[name]] as const);
  return `${JSON.stringify(Object.fromEntries(members))}\n`;
}

export function endLine(head: SignedHead): string {
  return `${JSON.stringify({ end: head })}\n`;
}

const eventMembers: ReadonlySet<string> = new Set([...hashedMembers, 'hash']);

/** Null for a line that is none of an export. */
export function readExportLine(line: string): ExportLine | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
    // A name that stands twice would be read in two ways by two programs. Spelling throws where it is nested too deep.
    if (JSON.stringify(value) !== line) return null;
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const members = value as Readonly<Record<string, unknown>>;
  const names = Object.keys(members);
  if (members.format === exportFormat) return readHeader(members);
  if (names.length === 1 && names[0] === 'end') {
    const head = readSignedHead(members.end);
    return head === null ? null : { kind: 'END', head };
  }
  if (names.length !== eventMembers.size || !names.every((name) => eventMembers.has(name))) return null;
  return { kind: 'EVENT', event: members };
}

function readHeader({ account, name, after }: Readonly<Record<string, unknown>>): ExportLine | null {
  if (typeof account !== 'string' || typeof name !== 'string' || typeof after !== 'object' || after === null)
    return null;
  const { position, hash } = after as Readonly<Record<string, unknown>>;
  if (typeof position !== 'number' || !Number.isSafeInteger(position) || typeof hash !== 'string') return null;
  return { kind: 'HEADER', account, name, after: { position, hash } };
}
