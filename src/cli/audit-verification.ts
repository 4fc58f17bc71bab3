/**
 * `bailiwick audit verify`: holds a trail against its chain and against the heads that somebody kept. On an export it
 * needs neither database nor key, nor anything else of the installation.
 */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import {
  isGenuine,
  NoExport,
  publicKeyFrom,
  readSignedHead,
  verifyExport,
  verifyTrail,
  type SignedHead,
  type Verdict,
} from '../audit-chain/index.js';
import type { Settings } from '../settings.js';
import { accountNamed } from './audit.js';
import { withDatabase } from './existing-database.js';
import { isSystemError, StartRefused, UsageRefused } from './refusal.js';

/** A head that somebody kept, with the name of its file. */
export interface KeptHead extends SignedHead {
  readonly file: string | null;
}

export interface VerifiedTrail {
  readonly verdict: Verdict<SignedHead>;
  /** Null where it is not known. */
  readonly name: string | null;
  /** How many events were there before events were chained; null where it is not known. */
  readonly adopted: number | null;
  /** Whether an export ends with a head that the given key signed; null: no export, or no key. */
  readonly endIsGenuine: boolean | null;
}

export interface Verification {
  readonly trails: readonly VerifiedTrail[];
  /** Files of heads whose signature does not fit: somebody changed them, or another installation made them. */
  readonly forgedHeads: readonly string[];
  /** Heads of accounts that the database does not have. */
  readonly accountsGone: readonly KeptHead[];
  /** Whether it was known with which key heads must be signed. */
  readonly keyIsKnown: boolean;
  readonly source: 'DATABASE' | 'EXPORT';
}

export interface VerificationOptions {
  /** An export, `-` for standard input; null: the database. */
  readonly file: string | null;
  readonly heads: readonly string[];
  readonly publicKey: string | null;
  readonly account: string | null;
  readonly after: number;
}

/** Throws StartRefused when nothing can be said. */
export async function verifyAudit(
  options: VerificationOptions,
  settings: () => Settings,
  standardInput: Readable = process.stdin,
): Promise<Verification> {
  if (options.file !== null && options.account !== null) {
    throw new UsageRefused(
      'an export is of one account; leave --account out, which chooses among those of the database',
    );
  }
  if (options.file === null && options.after > 0) {
    throw new UsageRefused(
      '--after is for an export of a part; the trail in the database is verified from its beginning',
    );
  }
  const publicKey = options.publicKey === null ? null : await readPublicKey(options.publicKey);
  const heads = await Promise.all(options.heads.map(readHead));
  const forged = heads.filter((head) => !isGenuine(head, publicKey ?? head.publicKey));
  const genuine = heads.filter((head) => !forged.includes(head));
  const seen = { forgedHeads: forged.map(({ file }) => file ?? ''), keyIsKnown: publicKey !== null };
  if (options.file !== null) {
    const trail = await verifyFile(options.file, genuine, publicKey, options.after, standardInput);
    refuseOthers(genuine, [trail.verdict.account]);
    return { trails: [trail], accountsGone: [], source: 'EXPORT', ...seen };
  }
  return withDatabase(settings(), async (inspection) => {
    const { account: name } = options;
    const all = await inspection.store.access.accounts();
    const accounts = name === null ? all : [await accountNamed(inspection, name)];
    const gone = genuine.filter((head) => all.every(({ id }) => id !== head.account));
    const there = genuine.filter((head) => !gone.includes(head));
    refuseOthers(
      there,
      accounts.map(({ id }) => id),
    );
    const trails: VerifiedTrail[] = [];
    for (const { id, name: accountName } of accounts) {
      const { end, ...verdict } = await verifyTrail(
        inspection.trail,
        id,
        there.filter((head) => head.account === id),
      );
      trails.push({ verdict, name: accountName, adopted: end?.adopted ?? null, endIsGenuine: null });
    }
    return { trails, accountsGone: gone, source: 'DATABASE', ...seen };
  });
}

/** 0: what was verified holds; 1: something does not. */
export function auditStatus({ trails, forgedHeads, accountsGone }: Verification): 0 | 1 {
  const broken = trails.some(({ verdict }) => verdict.numberOfBreaks > 0);
  return broken || forgedHeads.length > 0 || accountsGone.length > 0 ? 1 : 0;
}

async function verifyFile(
  file: string,
  heads: readonly KeptHead[],
  publicKey: string | null,
  after: number,
  standardInput: Readable,
): Promise<VerifiedTrail> {
  const input = file === '-' ? standardInput : createReadStream(file, 'utf8');
  try {
    const lines = createInterface({ input, crlfDelay: Infinity });
    const headsOf = (account: string) => heads.filter((head) => head.account === account);
    const { name, endIsGenuine, ...verdict } = await verifyExport(lines, { headsOf, publicKey, after });
    return { verdict, name, adopted: null, endIsGenuine };
  } catch (error) {
    if (error instanceof NoExport)
      throw new StartRefused(`\`${file}\` is no export of an audit trail: ${error.message}`);
    if (isSystemError(error)) throw new StartRefused(`\`${file}\` cannot be read: ${error.code}`);
    throw error;
  }
}

async function readHead(file: string): Promise<KeptHead> {
  let head: SignedHead | null = null;
  try {
    head = readSignedHead(JSON.parse(await textOf(file)));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  if (head === null)
    throw new StartRefused(`\`${file}\` is no head of an audit trail; make one with \`bailiwick audit head\``);
  return { ...head, file };
}

async function readPublicKey(file: string): Promise<string> {
  const key = publicKeyFrom(await textOf(file));
  if (key === null) {
    throw new StartRefused(`\`${file}\` is no public key of heads; make one with \`bailiwick audit public-key\``);
  }
  return key;
}

async function textOf(file: string): Promise<string> {
  try {
    // Some editors begin a file with a byte order mark.
    return (await readFile(file, 'utf8')).replace(/^\uFEFF/, '');
  } catch (error) {
    if (isSystemError(error)) throw new StartRefused(`\`${file}\` cannot be read: ${error.code}`);
    throw error;
  }
}

function refuseOthers(heads: readonly KeptHead[], accounts: readonly string[]): void {
  const other = heads.find(({ account }) => !accounts.includes(account));
  if (other === undefined) return;
  throw new StartRefused(
    `\`${other.file}\` is a head of account ${other.account}, which is not what is verified; leave it out`,
  );
}
