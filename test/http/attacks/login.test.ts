import { describeAttacks } from './attack.js';
import { loginAttacks } from './login.js';

describeAttacks('login', loginAttacks, ({ tokens }) => ({
  headers: ['content-type', 'application/json', 'authorization', `Bearer ${tokens.root}`],
  body: '{"query":"{ viewer { actor { name } } }"}',
}));
