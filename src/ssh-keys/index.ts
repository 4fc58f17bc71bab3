/**
 * Keys of SSH in the forms that OpenSSH reads and writes: public keys in, with what is weak or strange refused; new pairs
 * out. Pure but for Node's own cryptography. It must never know whose key it is, what it opens, nor anything else of this
 * house.
 */
export {
  fingerprintOf,
  KeyRefused,
  publicKeyAlgorithms,
  readPublicKey,
  type PublicKey,
  type PublicKeyAlgorithm,
} from './public-key.js';
export { generatedAlgorithms, generateKeyPair, type GeneratedAlgorithm, type GeneratedKeyPair } from './generation.js';
