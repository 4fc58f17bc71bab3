import type { Attack } from './attack.js';
import { bodyAttacks } from './transport-bodies.js';
import { headAttacks } from './transport-heads.js';

export const transportAttacks: readonly Attack[] = [...headAttacks, ...bodyAttacks];
