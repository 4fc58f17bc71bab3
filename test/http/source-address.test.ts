/** Whose word counts about where a request comes from, over real connections. */
import { describe, expect, it } from 'vitest';
import { exchange } from '../kit/exchange.js';
import { startHouse } from '../kit/house.js';

interface Row {
  readonly says: string;
  readonly trusted: readonly string[];
  readonly headers: readonly string[];
  /** What the log says; the peer is 127.0.0.1. */
  readonly from: string | null;
}

const forwarded = (...lines: string[]): readonly string[] => lines.flatMap((line) => ['x-forwarded-for', line]);

const rows: readonly Row[] = [
  { says: 'nobody forwards: the peer', trusted: [], headers: [], from: '127.0.0.1' },
  {
    says: 'no proxy is named: the header is anybody’s',
    trusted: [],
    headers: forwarded('10.0.0.9'),
    from: '127.0.0.1',
  },
  {
    says: 'another proxy is named: the header is anybody’s',
    trusted: ['10.0.0.1'],
    headers: forwarded('10.0.0.9'),
    from: '127.0.0.1',
  },
  {
    says: 'the peer is a proxy: the address it saw',
    trusted: ['127.0.0.1'],
    headers: forwarded('10.0.0.9'),
    from: '10.0.0.9',
  },
  {
    says: 'what the client wrote itself stands left of what the proxy saw',
    trusted: ['127.0.0.1'],
    headers: forwarded('192.0.2.1, 10.0.0.9'),
    from: '10.0.0.9',
  },
  {
    says: 'of two proxies in a row the first one’s client counts',
    trusted: ['127.0.0.0/8', '10.0.0.0/8'],
    headers: forwarded('192.0.2.1, 198.51.100.7, 10.0.0.9'),
    from: '198.51.100.7',
  },
  {
    says: 'several headers are one list',
    trusted: ['127.0.0.1'],
    headers: forwarded('192.0.2.1', '198.51.100.7'),
    from: '198.51.100.7',
  },
  {
    says: 'IPv6 is an address as well',
    trusted: ['127.0.0.1'],
    headers: forwarded('2001:db8::7'),
    from: '2001:db8::7',
  },
  {
    says: 'an IPv4 address inside an IPv6 one is the IPv4 address',
    trusted: ['127.0.0.1'],
    headers: forwarded('::ffff:198.51.100.7'),
    from: '198.51.100.7',
  },
  {
    says: 'what is no address is none, and not the proxy’s',
    trusted: ['127.0.0.1'],
    headers: forwarded('unknown'),
    from: null,
  },
  {
    says: 'an empty entry counts for nothing',
    trusted: ['127.0.0.1'],
    headers: forwarded('198.51.100.7, '),
    from: '198.51.100.7',
  },
  {
    says: 'an address with a port is none',
    trusted: ['127.0.0.1'],
    headers: forwarded('198.51.100.7:4711'),
    from: null,
  },
  {
    says: 'a chain of proxies alone: the one farthest away',
    trusted: ['127.0.0.1', '10.0.0.0/8'],
    headers: forwarded('10.0.0.7, 10.0.0.9'),
    from: '10.0.0.7',
  },
  {
    says: 'no other header counts, whoever sends it',
    trusted: ['127.0.0.1'],
    headers: [
      'forwarded',
      'for=10.9.9.9',
      'x-real-ip',
      '10.9.9.9',
      'true-client-ip',
      '10.9.9.9',
      'x-client-ip',
      '10.9.9.9',
    ],
    from: '127.0.0.1',
  },
];

describe('the address of a request', () => {
  it.each(rows)('$says', async ({ trusted, headers, from }) => {
    const house = await startHouse({ trustedProxies: trusted });
    await exchange(house.url, {
      headers: ['content-type', 'application/json', 'x-request-id', 'looked-at', ...headers],
      body: '{"query":"{ __typename }"}',
    });
    const line = house.log
      .map((text) => JSON.parse(text) as Record<string, unknown>)
      .find(({ requestId }) => requestId === 'looked-at');
    expect(line).toMatchObject({ sourceAddress: from });
    await house.stop();
  });
});
