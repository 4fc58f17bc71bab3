import { describeAttacks } from './attack.js';
import { transportAttacks } from './transport.js';

describeAttacks('transport', transportAttacks, () => ({
  headers: ['content-type', 'application/json'],
  body: '{"query":"{ __typename }"}',
}));
