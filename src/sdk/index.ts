/**
 * What other services import: `import { createClient } from 'bailiwick/sdk'`. It signs requests, asks Bailiwick for
 * decisions and temporary keys, and guards routes and GraphQL fields of other servers. It must never know anything of
 * the server it talks to but its API: no store, no business, no package of the server's.
 */
export { signRequest, type SignedHeaders, type RequestScope, type UnsignedRequest } from './signer.js';
export { type Credentials, type CredentialProvider, type CredentialSource } from './credentials.js';
export { BailiwickError, BailiwickUnreachable, type UserError } from './errors.js';
export {
  createClient,
  type AccessDecision,
  type AccessRequest,
  type Actor,
  type AssumeAgency,
  type AssumedAgency,
  type AuthenticatedRequest,
  type Changed,
  type Client,
  type ClientOptions,
  type Principal,
  type ReceivedRequest,
  type RegisterResource,
  type RequestOptions,
} from './client.js';
export { type Allowed, type GuardedRequest, type GuardOutcome, type Refusal } from './guard.js';
export {
  actorOf,
  captureBody,
  captureFastifyBody,
  captureNodeBody,
  guardExpress,
  guardFastify,
  guarded,
  type ExpressRequest,
  type FastifyReply,
  type FastifyRequest,
  type GuardOptions,
} from './routes.js';
export { permissionDirective, permissionTypeDefs, publicDirective, SchemaNotGuarded } from './directives.js';
export { guardSchema, type SchemaGuardOptions, type Sender } from './schema-guard.js';
