/**
 * Addresses and address blocks, IPv4 and IPv6.
 *
 * An IPv6 address that only carries an IPv4 one (`::ffff:192.0.2.1`) is that IPv4 address: listeners on both families
 * show IPv4 callers so, and a block list must not be dodged by it. The families are otherwise apart: `::/0` is every
 * IPv6 address and no IPv4 one. Forms that readers disagree on are refused: leading zeros (octal to some), short IPv4
 * forms, zone ids.
 */

export interface Address {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

/** All addresses whose first `prefix` bits are those of `value`. */
export interface AddressBlock extends Address {
  readonly prefix: number;
}

const mappedPrefix = 0xffffn;

/** One address, or null. */
export function readAddress(text: string): Address | null {
  if (!text.includes(':')) {
    const value = readIpv4(text);
    return value === null ? null : { bits: 32, value };
  }
  const value = readIpv6(text);
  if (value === null) return null;
  return value >> 32n === mappedPrefix ? { bits: 32, value: value & 0xffff_ffffn } : { bits: 128, value };
}

/**
 * An address or a CIDR block, or null. A bare address is a block of one. Bits after the prefix are ignored
 * (`10.1.2.3/8` is `10.0.0.0/8`), as most address lists have it.
 */
export function readAddressBlock(text: string): AddressBlock | null {
  const [, host = '', digits] = /^([^/]*)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const address = readAddress(host);
  if (address === null) return null;
  if (digits === undefined) return { ...address, prefix: address.bits };
  const writtenBits = host.includes(':') ? 128 : 32;
  const prefix = Number(digits);
  if (prefix > writtenBits) return null;
  if (writtenBits === address.bits) return { ...address, prefix };
  // An IPv4 address in IPv6 clothes: its first 96 bits are the mapping; a shorter prefix is a block of IPv6 addresses.
  if (prefix >= 96) return { ...address, prefix: prefix - 96 };
  return { bits: 128, value: (mappedPrefix << 32n) | address.value, prefix };
}

/** Whether an address lies in a block of its own family. */
export function liesIn(address: Address, block: AddressBlock): boolean {
  if (address.bits !== block.bits) return false;
  const free = BigInt(block.bits - block.prefix);
  return address.value >> free === block.value >> free;
}

/**
 * The one form of a block: bits after the prefix are zero, a block of one is written without its prefix, IPv6 as
 * RFC 5952 has it.
 */
export function writeAddressBlock({ bits, value, prefix }: AddressBlock): string {
  const free = BigInt(bits - prefix);
  const network = (value >> free) << free;
  const address = bits === 32 ? groupsOf(network, 8, 4).join('.') : writeIpv6(network);
  return prefix === bits ? address : `${address}/${prefix}`;
}

function groupsOf(value: bigint, size: number, count: number): readonly bigint[] {
  return Array.from({ length: count }, (_, index) => BigInt.asUintN(size, value >> BigInt(size * (count - 1 - index))));
}

/** The longest run of two or more zero groups is `::`, the first of several. */
function writeIpv6(value: bigint): string {
  const text = groupsOf(value, 16, 8)
    .map((group) => group.toString(16))
    .join(':');
  const runs = [...text.matchAll(/(?<![0-9a-f])0(:0)+(?![0-9a-f])/g)].map(([run]) => run);
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '');
  if (longest === '') return text;
  const at = text.search(new RegExp(`(?<![0-9a-f])${longest}(?![0-9a-f])`));
  return `${text.slice(0, at).replace(/:$/, '')}::${text.slice(at + longest.length).replace(/^:/, '')}`;
}

function readIpv4(text: string): bigint | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  let value = 0n;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null;
    value = (value << 8n) | BigInt(part);
  }
  return value;
}

function readIpv6(text: string): bigint | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [head, tail] = halves.map((half, i) => readGroups(half, i === halves.length - 1));
  if (head === undefined || head === null || tail === null) return null;
  // `::` stands for at least one group of zeros.
  const zeros = tail === undefined ? 0 : 8 - head.length - tail.length;
  if (tail !== undefined ? zeros < 1 : head.length !== 8) return null;
  const groups = [...head, ...new Array<bigint>(zeros).fill(0n), ...(tail ?? [])];
  return groups.reduce((value, group) => (value << 16n) | group, 0n);
}

/** Groups of 16 bits between colons; the last may be an IPv4 address, which is two. */
function readGroups(text: string, mayEndInIpv4: boolean): bigint[] | null {
  if (text === '') return [];
  const groups: bigint[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(BigInt(`0x${part}`));
      continue;
    }
    const embedded = mayEndInIpv4 && i === parts.length - 1 ? readIpv4(part) : null;
    if (embedded === null) return null;
    groups.push(embedded >> 16n, embedded & 0xffffn);
  }
  return groups;
}
