/**
 * What makes the audit trail prove itself: the chain that its events form, signed heads of that chain, exports, and the
 * verification of all of these. Pure but for Node's own cryptography, so that a trail can be verified far from the
 * database and years later. It must never know where events are kept, who may read them, nor anything else of this
 * house: the store chains with it, the business signs with it, the command line verifies with it.
 */
export { canonicalJson, jsonAsWritten } from './canonical-json.js';
export {
  beginningOf,
  hashedMembers,
  linkAfter,
  placeOf,
  type ChainedEvent,
  type HashedMember,
  type Link,
} from './chain.js';
export { endLine, eventLine, exportFormat, headerLine, readExportLine, type ExportLine } from './export-lines.js';
export { NoExport, verifyExport, type ExportVerdict } from './export-verification.js';
export {
  headKeyFrom,
  headFormat,
  isGenuine,
  publicKeyFrom,
  publicKeyText,
  readSignedHead,
  signHead,
  type Head,
  type HeadKey,
  type SignedHead,
} from './heads.js';
export { EndMisstored, Misstored, remarksOn } from './misstored.js';
export { verifyTrail, type TrailSource } from './trail-verification.js';
export { TrailVerifier, type Break, type BreakKind, type HeadFinding, type Verdict } from './verification.js';
