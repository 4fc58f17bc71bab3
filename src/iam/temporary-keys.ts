/**
 * Temporary keys (docs/domain.md section e1; rule 26): the secret and the security token of one are derived from its id
 * under the master key, so that neither is stored anywhere, and the same id always has the same two.
 */
import { randomInt } from 'node:crypto';
import type { Id } from './records.js';
import type { Sealing } from './sealing.js';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** Longer than a permanent one, so that people see at once which it is. */
const idLength = 24;

export function newTemporaryKeyId(): Id {
  return Array.from({ length: idLength }, () => alphabet[randomInt(alphabet.length)]).join('');
}

export interface TemporarySecrets {
  /** 40 characters, as a permanent one. */
  readonly secretAccessKey: string;
  /** Goes with every request as `X-Security-Token`; 64 characters. */
  readonly securityToken: string;
}

export function temporarySecrets(sealing: Sealing, id: Id): TemporarySecrets {
  return {
    secretAccessKey: sealing.derive('temporary secrets', id, 30),
    securityToken: sealing.derive('security tokens', id, 48),
  };
}
