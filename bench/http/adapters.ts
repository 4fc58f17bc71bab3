/** Every server that takes part, ours first. */
import type { Adapter } from './contestant.js';
import { bailiwick, unguarded } from './contestants/bailiwick.js';
import { bare } from './contestants/bare.js';
import { cerbos } from './contestants/cerbos.js';
import { apollo, mercurius, mercuriusJit, yoga } from './contestants/frameworks.js';

export const adapters: readonly [Adapter, ...Adapter[]] = [
  bailiwick,
  unguarded,
  bare,
  yoga,
  mercurius,
  mercuriusJit,
  apollo,
  cerbos,
];
