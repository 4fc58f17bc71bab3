import { describeAttacks } from './attack.js';
import { identityAttacks } from './identity.js';

// An honest request with the key that is attacked: no attack locks it for its owner.
describeAttacks('identity', identityAttacks, (target) => target.signed(target.keys.service, '{ __typename }'));
