/**
 * Where a request comes from. Anybody can write `X-Forwarded-For`, so it counts only as far as proxies that the operator
 * named have written it: read from the right, the first address that is none of theirs. No other header counts.
 */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import proxyAddr from '@fastify/proxy-addr';

/** The address a request came from; null when it cannot be known, which no condition on addresses then allows. */
export type SourceAddressOf = (request: IncomingMessage) => string | null;

/** @param trusted addresses and CIDR blocks, IPv4 or IPv6; with none the address at the other end of the socket counts */
export function sourceAddresses(trusted: readonly string[]): SourceAddressOf {
  if (trusted.length === 0) {
    return ({ socket: { remoteAddress } }) => (remoteAddress === undefined ? null : plainAddress(remoteAddress));
  }
  const isTrusted = proxyAddr.compile([...trusted]);
  return (request) => {
    // A connection that is gone already has no address.
    if (request.socket.remoteAddress === undefined) return null;
    return plainAddress(proxyAddr(request, isTrusted));
  };
}

/** What was found of addresses as they are written; the same ones come again and again. */
const plainAddresses = new Map<string, string | null>();

function plainAddress(text: string): string | null {
  const known = plainAddresses.get(text);
  if (known !== undefined) return known;
  const address = readAddress(text);
  // What a proxy forwards may be as long as a header, and of many callers.
  if (text.length <= 64 && plainAddresses.size < 10_000) plainAddresses.set(text, address);
  return address;
}

/** An IPv4 address is written as one, whatever the socket; without the zone, which is this machine's affair. */
function readAddress(text: string): string | null {
  const address = text
    .trim()
    .replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '')
    .replace(/%.*$/, '');
  // A trusted proxy that forwards what is no address tells nothing; to fall back on its own would let its callers in.
  return isIP(address) === 0 ? null : address;
}
