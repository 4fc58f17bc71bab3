import type { Attack } from './attack.js';
import { reachAttacks } from './identity-reach.js';
import { scopeAttacks, signatureAttacks } from './identity-signatures.js';
import { tokenAttacks } from './identity-tokens.js';

export const identityAttacks: readonly Attack[] = [
  ...tokenAttacks,
  ...signatureAttacks,
  ...scopeAttacks,
  ...reachAttacks,
];
