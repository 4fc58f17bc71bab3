import { describeAttacks } from './attack.js';
import { documentAttacks } from './document.js';

describeAttacks('documents', documentAttacks, ({ tokens }) => ({
  headers: ['content-type', 'application/json', 'authorization', `Bearer ${tokens.root}`],
  body: '{"query":"{ viewer { actor { name } } }"}',
}));
