/** Asks Bailiwick, in the name of the service whose key it holds. */
import { Kind, OperationTypeNode, parse, print, type DocumentNode, type TypedQueryDocumentNode } from 'graphql';
import { providerOf, refreshing, type CredentialProvider, type CredentialSource } from './credentials.js';
import { BailiwickError, type UserError } from './errors.js';
import { send, type Exchange } from './exchange.js';
import type { RequestScope } from './signer.js';

/** Whom a request acts as. */
export interface Actor {
  readonly id: string;
  readonly kind: 'ROOT' | 'USER' | 'SERVICE' | 'AGENCY';
  readonly name: string;
  /** In words, with those behind a session: `agency A assumed by service modelarts on behalf of user U`. */
  readonly description: string;
  readonly sessionName: string | null;
  readonly assumedBy: { readonly id: string; readonly kind: string; readonly name: string } | null;
  readonly onBehalfOf: { readonly id: string; readonly name: string } | null;
}

/** A request as a service received it, for Bailiwick to find out who signed it. */
export interface ReceivedRequest {
  readonly method: string;
  /** As it came, without the query. */
  readonly path: string;
  /** As it came, without the question mark. */
  readonly query?: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  /** Hexadecimal SHA-256 of the bytes of the body; absent where there was none. */
  readonly bodySha256?: string;
  /** Where it came from, as this service saw it: bad signatures lock a key for that address alone. */
  readonly sourceAddress?: string;
}

/** Exactly one member. */
export type Principal =
  | { readonly user: string }
  | { readonly agency: string }
  | { readonly service: string }
  | { readonly credential: { readonly token: string } | { readonly signedRequest: ReceivedRequest } };

export interface AccessRequest {
  /** `service:type:operation`. */
  readonly action: string;
  /** URN, `service:region:account:type:id`. */
  readonly resource?: string | null;
  /** Absent: the scope of the credential, or of the client. */
  readonly workspaceId?: string | null;
  /** Absent: whom the whole question is about, or the client's own service. */
  readonly principal?: Principal;
  readonly context?: readonly { readonly key: string; readonly values: readonly string[] }[];
}

export interface AccessDecision {
  readonly effect: 'ALLOW' | 'DENY';
  /** `ALLOWED`, `NO_MATCHING_ALLOW`, `EXPLICIT_DENY` and so on; new ones may come. */
  readonly reason: string;
  readonly action: string;
  readonly resource: string | null;
  readonly actor: Actor | null;
  readonly missingContextKeys: readonly string[];
  readonly requestId: string;
}

export interface AuthenticatedRequest {
  readonly actor: Actor;
  /** Null: the request acts in the account. */
  readonly workspaceId: string | null;
  readonly decisions: readonly AccessDecision[];
}

export interface RegisterResource {
  readonly urn: string;
  readonly name?: string;
  readonly ownerId?: string;
  readonly parentId?: string;
  readonly tags?: readonly { readonly key: string; readonly value: string }[];
  readonly idempotencyKey?: string;
}

export interface AssumeAgency {
  readonly agencyId: string;
  readonly resourceId?: string;
  readonly onBehalfOf?: string;
  /** 900 to 86,400. */
  readonly durationSeconds?: number;
  /** A policy of version 1.1, as an object or JSON text. */
  readonly sessionPolicy?: unknown;
  readonly sessionName?: string;
  readonly externalId?: string;
}

export interface Changed {
  /** Of the account that was changed: what `minRevision` of a later request there may demand. Null: nothing was changed anew. */
  readonly revision: number | null;
}

export interface AssumedAgency extends Changed {
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly securityToken: string;
    readonly expiresAt: number;
  };
  readonly actor: Actor;
}

export interface RequestOptions {
  /** Instead of the client's. */
  readonly scope?: RequestScope;
  /** Milliseconds, attempts after the first included. */
  readonly timeout?: number;
  /**
   * A revision of the account, as an answered mutation told it: the request is refused with `REVISION_NOT_REACHED`, and
   * nothing is done, where the database that is asked has not come to it.
   */
  readonly minRevision?: number;
  readonly signal?: AbortSignal;
}

export interface ClientOptions {
  /** Of the API, for instance `https://bailiwick.example.com/graphql`. */
  readonly url: string;
  readonly credentials: CredentialSource;
  /** Where the client acts unless a request says otherwise; workspace `"0"` unless given. */
  readonly scope?: RequestScope;
  /** Milliseconds that a request may take; 2,000 unless given. */
  readonly timeout?: number;
  readonly fetch?: typeof fetch;
}

/** Every method throws `BailiwickError` when it is refused and `BailiwickUnreachable` when nobody could be asked. */
export interface Client {
  /** Any operation. Queries are sent again when their answer was lost; mutations only when they never arrived. */
  request<T, V extends Record<string, unknown> = Record<string, unknown>>(
    document: string | TypedQueryDocumentNode<T, V>,
    variables?: V,
    options?: RequestOptions,
  ): Promise<T>;
  /** Decisions in the order asked, in one request however many; `principal` is whom those are about that name none. */
  checkAccess(
    requests: readonly AccessRequest[],
    options?: RequestOptions & { readonly principal?: Principal },
  ): Promise<readonly AccessDecision[]>;
  /**
   * Who signed a request that this service received, and what they may do.
   *
   * @param options.once refuse the request if it was accepted before: for one that changes something
   */
  authenticateRequest(
    request: ReceivedRequest,
    options?: RequestOptions & { readonly once?: boolean; readonly requests?: readonly AccessRequest[] },
  ): Promise<AuthenticatedRequest>;
  /** Registers a resource in the workspace of the scope; answers its id. */
  registerResource(resource: RegisterResource, options?: RequestOptions): Promise<{ readonly id: string } & Changed>;
  deregisterResource(id: string, options?: RequestOptions): Promise<Changed>;
  /** A temporary key that acts with an agency's rights. */
  assumeAgency(input: AssumeAgency, options?: RequestOptions): Promise<AssumedAgency>;
  /** Temporary keys of an agency for as long as they are asked for: assumed again before each ends. */
  agencyCredentials(input: AssumeAgency, options?: RequestOptions): CredentialProvider;
}

const usualTimeout = 2_000;
/** As many as one `checkAccess` takes, and as many fields as one operation may have. */
const batch = { requests: 1_000, fields: 20 } as const;

const actorFields = 'id kind name description sessionName assumedBy { id kind name } onBehalfOf { id name }';
const decisionFields = `effect reason action resource actor { ${actorFields} } missingContextKeys requestId`;
const problemFields = 'userErrors { code message path reference }';

const documents = {
  authenticate: `mutation AuthenticateRequest($input: AuthenticateRequestInput!) {
    payload: authenticateRequest(input: $input) { actor { ${actorFields} } workspaceId decisions { ${decisionFields} } ${problemFields} }
  }`,
  register: `mutation RegisterResource($input: RegisterResourceInput!) {
    payload: registerResource(input: $input) { resource { id } revision ${problemFields} }
  }`,
  deregister: `mutation DeregisterResource($input: DeregisterResourceInput!) {
    payload: deregisterResource(input: $input) { revision ${problemFields} }
  }`,
  assume: `mutation AssumeAgency($input: AssumeAgencyInput!) {
    payload: assumeAgency(input: $input) {
      temporaryCredential { accessKeyId secretAccessKey securityToken expiresAt } actor { ${actorFields} } revision ${problemFields}
    }
  }`,
} as const;

interface Payload {
  readonly userErrors: readonly UserError[];
}

export function createClient({
  url,
  credentials,
  scope,
  timeout = usualTimeout,
  fetch: fetched,
}: ClientOptions): Client {
  const exchange: Exchange = { url, credentials: providerOf(credentials), fetch: fetched ?? fetch };

  const ask = (
    query: string,
    variables: Readonly<Record<string, unknown>>,
    repeatable: boolean,
    options: RequestOptions = {},
  ): Promise<unknown> =>
    send(exchange, {
      query,
      variables,
      repeatable,
      scope: options.scope ?? scope,
      timeout: options.timeout ?? timeout,
      minRevision: options.minRevision,
      signal: options.signal,
    });

  /** The payload of a mutation; what is wrong with its input is thrown. */
  const change = async <P extends object>(
    query: string,
    input: object,
    repeatable: boolean,
    options?: RequestOptions,
  ): Promise<P> => {
    const { payload } = (await ask(query, { input }, repeatable, options)) as { payload: P & Payload };
    const [problem] = payload.userErrors;
    if (problem === undefined) return payload;
    const { code, message, reference } = problem;
    throw new BailiwickError(code, message, { reference, userErrors: payload.userErrors });
  };

  const client: Client = {
    request: async <T, V extends Record<string, unknown>>(
      document: string | TypedQueryDocumentNode<T, V>,
      variables?: V,
      options?: RequestOptions,
    ): Promise<T> => {
      const { text, isQuery } = readDocument(document);
      return (await ask(text, variables ?? {}, isQuery, options)) as T;
    },

    checkAccess: async (requests, { principal, ...options } = {}) => {
      const decisions: AccessDecision[] = [];
      const most = batch.requests * batch.fields;
      for (let from = 0; from < requests.length; from += most) {
        const some = requests.slice(from, from + most);
        decisions.push(...(await checkSome(some, principal, options)));
      }
      return decisions;
    },

    authenticateRequest: async (request, { once = false, requests = [], ...options } = {}) => {
      const input = { request, once, requests };
      const { actor, workspaceId, decisions } = await change<AuthenticatedRequest>(
        documents.authenticate,
        input,
        !once,
        options,
      );
      return { actor, workspaceId, decisions };
    },

    registerResource: async (resource, options) => {
      const repeatable = resource.idempotencyKey !== undefined;
      const { resource: made, revision } = await change<{ resource: { id: string } } & Changed>(
        documents.register,
        resource,
        repeatable,
        options,
      );
      return { ...made, revision };
    },

    deregisterResource: async (id, options) => {
      const { revision } = await change<Changed>(documents.deregister, { id }, false, options);
      return { revision };
    },

    assumeAgency: async (input, options) => {
      // A second credential does no harm: it ends as the first does.
      const assumed = await change<{
        temporaryCredential: Omit<AssumedAgency['credentials'], 'expiresAt'> & { expiresAt: string };
        actor: Actor;
        revision: number | null;
      }>(documents.assume, input, true, options);
      const { temporaryCredential, actor, revision } = assumed;
      const credentials = { ...temporaryCredential, expiresAt: Date.parse(temporaryCredential.expiresAt) };
      return { credentials, actor, revision };
    },

    agencyCredentials: (input, options) =>
      refreshing(async () => (await client.assumeAgency(input, options)).credentials),
  };
  return client;

  /** All in one operation: one field for each thousand. */
  async function checkSome(
    requests: readonly AccessRequest[],
    principal: Principal | undefined,
    options: RequestOptions,
  ): Promise<readonly AccessDecision[]> {
    const chunks = Array.from({ length: Math.ceil(requests.length / batch.requests) }, (_, index) =>
      requests.slice(index * batch.requests, (index + 1) * batch.requests),
    );
    const declared = chunks.map((_, index) => `$r${index}: [AccessRequestInput!]!`).join(', ');
    const fields = chunks.map((_, index) => {
      return `c${index}: checkAccess(requests: $r${index}, principal: $principal) { ${decisionFields} }`;
    });
    const query = `query CheckAccess($principal: PrincipalInput, ${declared}) { ${fields.join(' ')} }`;
    const variables = Object.fromEntries(chunks.map((chunk, index) => [`r${index}`, chunk]));
    const data = (await ask(query, { ...variables, principal }, true, options)) as Record<string, AccessDecision[]>;
    return chunks.flatMap((_, index) => data[`c${index}`] ?? []);
  }
}

const readDocuments = new WeakMap<DocumentNode, { readonly text: string; readonly isQuery: boolean }>();

/** A document that is not GraphQL throws here rather than over there. */
function readDocument(document: string | DocumentNode): { readonly text: string; readonly isQuery: boolean } {
  if (typeof document === 'string') return { text: document, isQuery: isQuery(parse(document)) };
  const known = readDocuments.get(document);
  if (known !== undefined) return known;
  const read = { text: print(document), isQuery: isQuery(document) };
  readDocuments.set(document, read);
  return read;
}

function isQuery({ definitions }: DocumentNode): boolean {
  return definitions.every((definition) => {
    return definition.kind !== Kind.OPERATION_DEFINITION || definition.operation === OperationTypeNode.QUERY;
  });
}
