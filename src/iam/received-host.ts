/** Whom a signed request was made for: rule 22 binds it to the hosts of the service that received it. */
import type { Service } from './records.js';
import { headerOf, readAuthorization, type ReceivedRequest } from '../signatures/index.js';

/** A request that was made for another host was never meant for this service: whoever received it could pass it on. */
export function hostFault({ hosts }: Pick<Service, 'hosts'>, request: ReceivedRequest): string | null {
  const signed = readAuthorization(headerOf(request, 'authorization') ?? '')?.signedHeaders ?? [];
  const host = headerOf(request, 'host');
  if (host === null || !signed.includes('host')) return 'the request does not sign its `Host`; sign it';
  if (hosts.length === 0) return 'this service has registered no host; name its hosts with `updateService`';
  return hosts.includes(host.toLowerCase()) ? null : 'the request was made for a host that is not this service’s';
}
