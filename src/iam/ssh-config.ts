/** A piece of `~/.ssh/config` for one notebook. Everything in it was checked when it was set; names of people's are not in it. */
import type { KeyPair, RemoteAccess, Resource } from './records.js';
import { readUrn } from './resource-urns.js';

/** Null while it is not known where to connect to. `own`: the pairs of whoever it is for that may get in. */
export function sshConfig(
  { urn, id }: Pick<Resource, 'urn' | 'id'>,
  { host, port, userName }: Pick<RemoteAccess, 'host' | 'port' | 'userName'>,
  own: readonly Pick<KeyPair, 'name'>[],
): string | null {
  if (host === '') return null;
  // An id may hold anything that a URN can; an alias is typed, and must mean nothing to ssh.
  const alias = (readUrn(urn)?.id ?? id).replaceAll(/[^A-Za-z0-9-]+/g, '-').replace(/^-+|-+$/g, '');
  return [
    `Host notebook-${alias === '' ? id : alias}`,
    `  HostName ${host}`,
    ...(port === null ? [] : [`  Port ${port}`]),
    `  User ${userName}`,
    ...(own.length === 0
      ? ['  # IdentityFile: the private key of a pair of yours that may get in']
      : ['  # Where you keep the private key:', ...own.map(({ name }) => `  IdentityFile ~/.ssh/${name}`)]),
    '  IdentitiesOnly yes',
    '',
  ].join('\n');
}
