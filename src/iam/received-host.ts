/** Whom a signed request was made for: rule 22 binds it to the hosts of the service that received it. */
import type { Service } from './records.js';
import { headerOf, readAuthorization, type ReceivedRequest } from '../signatures/index.js';

/**
 * What this server itself receives must have been made for it. A service that receives a signed request could pass it on
 * here, and act as its signer: where the own hosts are known it must be one of them, else at least none of a service's.
 */
export function ownHostFault(
  hosts: readonly string[],
  services: ReadonlySet<string>,
  request: ReceivedRequest,
): string | null {
  const signed = readAuthorization(headerOf(request, 'authorization') ?? '')?.signedHeaders ?? [];
  const host = signed.includes('host') ? (headerOf(request, 'host')?.toLowerCase() ?? null) : null;
  if (hosts.length > 0) {
    if (host === null) return 'the request does not sign its `Host`; sign it';
    return hosts.includes(host) ? null : `the request was made for \`${host}\`, which is not this server`;
  }
  if (host === null || !services.has(host)) return null;
  return `the request was made for a service at \`${host}\`; if this server is reached there too, name it in BAILIWICK_PUBLIC_HOSTS`;
}

/** A request that was made for another host was never meant for this service: whoever received it could pass it on. */
export function hostFault({ hosts }: Pick<Service, 'hosts'>, request: ReceivedRequest): string | null {
  const signed = readAuthorization(headerOf(request, 'authorization') ?? '')?.signedHeaders ?? [];
  const host = headerOf(request, 'host');
  if (host === null || !signed.includes('host')) return 'the request does not sign its `Host`; sign it';
  if (hosts.length === 0) return 'this service has registered no host; name its hosts with `updateService`';
  return hosts.includes(host.toLowerCase()) ? null : 'the request was made for a host that is not this service’s';
}
