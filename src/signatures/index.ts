/**
 * The signature scheme SDK-HMAC-SHA256, on both sides of a request: what is signed, and what was. Pure but for Node's own
 * cryptography. It must never know whose key it is, what a signed request may do, nor anything else of this house: the
 * business verifies with it and the SDK signs with it.
 */
export * from './scheme.js';
