/**
 * A training service that works for a user in the background, set up through the API: the service `modelarts`, which
 * registered a job of hers in the workspace `lab`; the service `storage`, which asks who signed what it received; an
 * agency that may read one bucket, and the authorization to use it for her.
 */
import { exchange, type Answer } from './exchange.js';
import type { Person, TestHouse } from './house.js';
import { setScene, type Scene } from './scene.js';
import { sign, type Key, type Unsigned } from './signing.js';

export interface TemporaryKey extends Key {
  readonly securityToken: string;
  readonly expiresAt: string;
}

export interface Actor {
  readonly kind: string;
  readonly name: string;
  readonly description: string;
  readonly sessionName: string | null;
  readonly assumedBy: { readonly kind: string; readonly name: string } | null;
  readonly onBehalfOf: { readonly name: string } | null;
}

export interface Assumed {
  readonly temporaryCredential: TemporaryKey | null;
  readonly actor: Actor | null;
  readonly replayed: boolean;
  readonly userErrors: readonly {
    readonly code: string;
    readonly message: string;
    readonly path: readonly string[] | null;
    readonly reference: string | null;
  }[];
}

export interface Authenticated {
  readonly actor: Actor | null;
  readonly workspaceId: string | null;
  readonly decisions:
    readonly { readonly effect: string; readonly reason: string; readonly actor: Actor | null }[] | null;
  readonly userErrors: Assumed['userErrors'];
}

const actorFields = 'kind name description sessionName assumedBy { kind name } onBehalfOf { name }';

const assumption = `mutation Assume($input: AssumeAgencyInput!) {
  assumed: assumeAgency(input: $input) {
    temporaryCredential { accessKeyId secretAccessKey securityToken expiresAt }
    actor { ${actorFields} } replayed userErrors { code message path reference }
  }
}`;

const authentication = `mutation Ask($input: AuthenticateRequestInput!) {
  asked: authenticateRequest(input: $input) {
    actor { ${actorFields} } workspaceId decisions { effect reason actor { ${actorFields} } }
    userErrors { code message path reference }
  }
}`;

export const storageHost = 'storage.example.com';

/** What an agency of the job may do there, and what it may not. */
export const reading = 'obs:object:GetObject';
export const writing = 'obs:object:PutObject';

export interface ServiceKey extends Key {
  readonly id: string;
}

interface ServiceInput {
  readonly name: string;
  readonly hosts?: readonly string[];
  readonly actions?: readonly object[];
}

let count = 0;

export class Job {
  private constructor(
    readonly house: TestHouse,
    readonly scene: Scene,
    readonly accountId: string,
    readonly training: ServiceKey,
    readonly storage: ServiceKey,
    /** Plain id. */
    readonly lab: string,
    readonly user: Person,
    readonly agencyId: string,
    readonly grantId: string,
    readonly authorizationId: string,
    readonly resourceId: string,
  ) {}

  static async set(house: TestHouse): Promise<Job> {
    const scene = await setScene(house);
    const accountId = (await house.iam.store.access.accountByName('default'))?.id ?? '';
    await house.gql(scene.token, 'mutation { setAuthorizationMode(input: { mode: STRICT }) { userErrors { code } } }');
    const lab = plain(await scene.workspace('laboratory'));
    const training = await serviceOf(house, scene, { name: 'modelarts', hosts: ['training.example.com'] });
    const storage = await serviceOf(house, scene, { name: 'storage', hosts: [storageHost] });
    const asking = await scene.policy('asks', ['bailiwick:requests:authenticate', 'bailiwick:access:check']);
    for (const { id } of [training, storage]) await scene.grant(asking, { service: id });
    const works = await scene.policy('trains', ['modelarts:trainJob:*']);
    const registers = await scene.policy('registers', ['bailiwick:resources:*', 'iam:agencies:assume']);
    await scene.grant(works, { service: training.id }, { workspace: lab });
    await scene.grant(registers, { service: training.id });
    const user = await scene.user('ursula');
    const partial = { house, scene, accountId, training };
    const agencyId = await make(partial, 'createAgency', 'agency', { name: 'jobs', trust: { service: 'modelarts' } });
    const reads = await scene.policy('reads-objects', [reading]);
    const grantId = await scene.grant(reads, { agency: agencyId }, { account: true });
    const authorizationId = await make(partial, 'authorizeAgency', 'authorization', { agencyId, userId: user.id });
    const job = new Job(house, scene, accountId, training, storage, lab, user, agencyId, grantId, authorizationId, '');
    const resourceId = await job.register(user.id);
    return new Job(
      house,
      scene,
      accountId,
      training,
      storage,
      lab,
      user,
      agencyId,
      grantId,
      authorizationId,
      resourceId,
    );
  }

  /** Makes an object as root in account scope; answers its id. */
  make(mutation: string, object: string, input: object): Promise<string> {
    return make(this, mutation, object, input);
  }

  /** A mutation as root in account scope that must succeed. */
  async change(mutation: string, input: object): Promise<void> {
    const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
    const query = `mutation Change($input: ${type}!) { ${mutation}(input: $input) { userErrors { code message path } } }`;
    await this.house.gql(this.scene.token, query, { input });
  }

  service(input: ServiceInput): Promise<ServiceKey> {
    return serviceOf(this.house, this.scene, input);
  }

  /** The training service registers a job in `lab`; answers its id. */
  async register(ownerId: string | null, by: Key = this.training): Promise<string> {
    const urn = `modelarts::${this.accountId}:trainJob:job-${(count += 1)}`;
    const query = `mutation Register($input: RegisterResourceInput!) { made: registerResource(input: $input) { resource { id } userErrors { code message } } }`;
    const answer = await this.send(by, query, { input: { urn, ownerId } });
    const { made } = answer.data as { made: { resource: { id: string } | null } };
    if (made?.resource == null) throw new Error(`registerResource: ${answer.text}`);
    return made.resource.id;
  }

  /** A signed request to the API itself; in `lab` unless another scope header is given. */
  async send(
    key: Key | TemporaryKey,
    query: string,
    variables: object = {},
    scope: Readonly<Record<string, string>> = { 'x-workspace-id': this.lab },
  ): Promise<Answer> {
    // Two of the same bytes within a second would have the same signature.
    const body = JSON.stringify({ query, variables, extensions: { count: (count += 1) } });
    const headers = {
      'content-type': 'application/json',
      host: new URL(this.house.url).host,
      ...scope,
      ...tokenOf(key),
    };
    const signed = sign(key, { headers, body, at: this.house.iam.now() });
    const { host: _, ...others } = signed.headers;
    const sent = Object.entries({ ...others, authorization: signed.authorization }).flat();
    return exchange(this.house.url, { headers: sent, body });
  }

  /** The training service assumes the agency for the job; `by` and `input` say otherwise. */
  async assume(input: object = {}, by: Key = this.training): Promise<Assumed> {
    const usual = { agencyId: this.agencyId, resourceId: this.resourceId, sessionName: 'night-run' };
    const answer = await this.send(by, assumption, { input: { ...usual, ...input } });
    if (answer.errors.length > 0) throw new Error(`assumeAgency: ${answer.text}`);
    return (answer.data as { assumed: Assumed }).assumed;
  }

  async credential(input: object = {}): Promise<TemporaryKey> {
    const assumed = await this.assume(input);
    if (assumed.temporaryCredential === null) throw new Error(JSON.stringify(assumed.userErrors));
    return assumed.temporaryCredential;
  }

  /** A request of the job as the storage service receives it. */
  received(key: Key | TemporaryKey, more: Partial<Unsigned> = {}) {
    const signed = sign(key, {
      method: 'GET',
      path: `/v1/objects/${(count += 1)}`,
      at: this.house.iam.now(),
      ...more,
      headers: { host: storageHost, 'x-workspace-id': this.lab, ...tokenOf(key), ...more.headers },
    });
    const { method, path, query, headers, bodySha256, authorization } = signed;
    return {
      method,
      path,
      query,
      bodySha256,
      headers: Object.entries({ ...headers, authorization }).map(([name, value]) => ({ name, value })),
    };
  }

  /** The storage service asks who signed it, and whether they may read and write. */
  async authenticate(request: object, more: object = {}, by: Key = this.storage): Promise<Authenticated> {
    const requests = [{ action: reading }, { action: writing }];
    const answer = await this.send(by, authentication, { input: { request, requests, ...more } });
    if (answer.errors.length > 0) throw new Error(`authenticateRequest: ${answer.text}`);
    return (answer.data as { asked: Authenticated }).asked;
  }

  /** Whether the storage service would let this key read now, and why not. */
  async mayRead(key: TemporaryKey): Promise<string> {
    const { decisions, userErrors } = await this.authenticate(this.received(key));
    return decisions?.[0]?.reason ?? userErrors[0]?.message ?? 'nothing was answered';
  }
}

function tokenOf(key: Key | TemporaryKey): Readonly<Record<string, string>> {
  return 'securityToken' in key ? { 'x-security-token': key.securityToken } : {};
}

export function plain(id: string): string {
  return Buffer.from(id, 'base64url')
    .toString()
    .replace(/^[A-Za-z]+:/, '');
}

async function make(
  { house, scene }: { readonly house: TestHouse; readonly scene: Scene },
  mutation: string,
  object: string,
  input: object,
): Promise<string> {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
  const query = `mutation Make($input: ${type}!) { made: ${mutation}(input: $input) { ${object} { id } userErrors { code message path } } }`;
  const { made } = await house.gql<{ made: Record<string, { id: string }> }>(scene.token, query, { input });
  return made[object]?.id ?? '';
}

async function serviceOf(house: TestHouse, scene: Scene, input: ServiceInput): Promise<ServiceKey> {
  const query =
    'mutation Make($input: CreateServiceInput!) { made: createService(input: $input) { accessKeyId secretAccessKey service { id } userErrors { message } } }';
  const { made } = await house.gql<{
    made: { accessKeyId: string; secretAccessKey: string; service: { id: string } };
  }>(scene.token, query, { input });
  const { accessKeyId, secretAccessKey, service } = made;
  return { accessKeyId, secretAccessKey, id: service.id };
}
