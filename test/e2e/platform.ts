/**
 * A small platform: Bailiwick, a training service and a storage service, each a process of its own, set up through the
 * API as whoever introduces Bailiwick would do it. Every secret that anybody is given is kept in a ledger.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSealing } from '../../src/iam/sealing.js';
import { temporarySecrets } from '../../src/iam/temporary-keys.js';
import type { Credentials } from '../../src/sdk/index.js';
import { describeExchange, exchange, post, userErrorsOf, type Answer } from '../kit/exchange.js';
import type { Person, TokenScope } from '../kit/house.js';
import { plain } from '../kit/job.js';
import { startProgram, type Running } from '../kit/program.js';
import { setScene, type Scene } from '../kit/scene.js';
import { Ledger, newPassword } from '../secrets/ledger.js';

const account = 'default';

export interface ServiceAccount {
  readonly id: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

interface Service extends ServiceAccount {
  /** Where the service reads its key. */
  readonly keyFile: string;
}

/** What a job of its own has: nothing that another job needs. */
export interface Job {
  readonly id: string;
  readonly name: string;
  readonly owner: Person;
  readonly agencyId: string;
  readonly agencyName: string;
  readonly grantIds: readonly string[];
  readonly authorizationId: string;
}

/** What storage told the job. */
export interface Told {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly actor: string | null;
  readonly body: {
    readonly error?: { readonly code: string; readonly message: string; readonly reason: string };
  } | null;
}

export interface Step {
  /** Id of the key that the job signed with. */
  readonly credential: string;
  readonly put: Told | null;
  readonly get: Told;
  /** What was read is what was written. */
  readonly same: boolean;
}

export interface Reply<Body> {
  readonly status: number;
  readonly body: Body & { readonly error?: { readonly code: string; readonly message: string } };
}

interface Parts {
  readonly folder: string;
  readonly databaseUrl: string;
  readonly ledger: Ledger;
  readonly root: Person;
  readonly ports: Readonly<Record<'bailiwick' | 'storage' | 'training' | 'trigger', number>>;
  readonly triggerSecret: string;
}

export class Platform {
  readonly #parts: Parts;
  /** Every process that ever ran, also those that have ended. */
  readonly #processes: { readonly name: string; readonly running: Running }[] = [];
  #bailiwick: Running | null = null;
  #scene: Scene | null = null;
  #count = 0;
  accountId = '';
  /** Plain id of the workspace in which everything happens. */
  workspace = '';
  #training: Service | null = null;
  #storage: Service | null = null;
  #policies: Readonly<Record<'create' | 'objects' | 'models' | 'registers', string>> | null = null;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** @param databaseUrl null for a new SQLite database */
  static async start(databaseUrl: string | null): Promise<Platform> {
    const folder = await mkdtemp(join(tmpdir(), 'bailiwick-e2e-'));
    for (const name of ['database', 'keys', 'run']) await mkdir(join(folder, name));
    const [bailiwick = 0, storage = 0, training = 0, trigger = 0] = await freePorts(4);
    const ledger = new Ledger();
    const platform = new Platform({
      folder,
      databaseUrl: databaseUrl ?? `sqlite:${join(folder, 'database', 'bailiwick.db')}`,
      ledger,
      root: { id: '', name: 'admin', password: ledger.keep('password', newPassword()), account },
      ports: { bailiwick, storage, training, trigger },
      triggerSecret: ledger.keep('trigger secret', randomBytes(24).toString('base64url')),
    });
    try {
      await platform.startBailiwick();
      await platform.#introduceServices();
      await Promise.all([platform.#startStorage(), platform.#startTraining(), platform.#setScene()]);
      return platform;
    } catch (error) {
      await platform.stop();
      throw error;
    }
  }

  get ledger(): Ledger {
    return this.#parts.ledger;
  }

  /** Of the files of the database, where it is one of files. */
  get databaseFolder(): string {
    return join(this.#parts.folder, 'database');
  }

  /** Where the services run, and would leave files if they left any. */
  get runFolder(): string {
    return join(this.#parts.folder, 'run');
  }

  get url(): string {
    return `http://127.0.0.1:${this.#parts.ports.bailiwick}/graphql`;
  }

  get storageUrl(): string {
    return `http://127.0.0.1:${this.#parts.ports.storage}`;
  }

  get root(): Person {
    return this.#parts.root;
  }

  get scene(): Scene {
    return there(this.#scene);
  }

  get training(): Service {
    return there(this.#training);
  }

  get storage(): Service {
    return there(this.#storage);
  }

  /** Everything that any of the processes printed, by its name. */
  printed(): readonly { readonly name: string; readonly text: string }[] {
    return this.#processes.map(({ name, running }) => ({ name, text: running.stdout() + running.stderr() }));
  }

  async startBailiwick(): Promise<void> {
    const { databaseUrl, folder, ports, root } = this.#parts;
    const running = startProgram('main.ts', [], {
      settings: {
        PORT: String(ports.bailiwick),
        DATABASE_URL: databaseUrl,
        SECRET_KEY_FILE: join(folder, 'keys', 'secret.key'),
        ADMIN_PASSWORD: root.password,
        LOG_LEVEL: 'debug',
      },
    });
    this.#processes.push({ name: 'bailiwick', running });
    this.#bailiwick = running;
    await running.until(/listening on/);
  }

  /** Answers the status that it ended with. */
  async stopBailiwick(): Promise<number | null> {
    const running = there(this.#bailiwick);
    running.kill('SIGTERM');
    return (await running.ended).status;
  }

  /** Ends every process, by its id, and removes the files. */
  async stop(): Promise<void> {
    for (const { running } of this.#processes) running.kill('SIGTERM');
    await Promise.all(this.#processes.map(({ running }) => running.ended));
    await rm(this.#parts.folder, { recursive: true, force: true });
  }

  ask(token: string | null, query: string, variables: object = {}): Promise<Answer> {
    return post(this.url, token, { query, variables });
  }

  /** Data of an operation that must succeed. */
  async gql<T>(token: string | null, query: string, variables: object = {}): Promise<T> {
    const answer = await this.ask(token, query, variables);
    if (answer.status !== 200 || answer.errors.length > 0 || userErrorsOf(answer).length > 0) {
      const lines = this.#processes.flatMap(({ running }) => running.stderr().split('\n'));
      throw new Error(describeExchange(query, variables, answer, lines));
    }
    return answer.data as T;
  }

  async signIn({ account, name: userName, password }: Omit<Person, 'id'>, scope?: TokenScope): Promise<string> {
    const chosen = scope === undefined ? null : scope === 'account' ? { account: true } : scope;
    const query = `mutation S($input: SignInInput!) { signIn(input: $input) { token userErrors { code message } } }`;
    const input = { account, userName, password, scope: chosen };
    const { signIn } = await this.gql<{ signIn: { token: string } }>(null, query, { input });
    return this.ledger.keepToken('token', signIn.token);
  }

  /** Makes an object as root; answers its id. */
  async make(mutation: string, object: string, input: object): Promise<string> {
    const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
    const query = `mutation M($input: ${type}!) { made: ${mutation}(input: $input) { ${object} { id } userErrors { code message } } }`;
    const { made } = await this.gql<{ made: Record<string, { id: string }> }>(this.scene.token, query, { input });
    return there(made[object]).id;
  }

  /** A mutation as root that must succeed. */
  async change(mutation: string, input: object): Promise<void> {
    const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
    const query = `mutation C($input: ${type}!) { ${mutation}(input: $input) { userErrors { code message } } }`;
    await this.gql(this.scene.token, query, { input });
  }

  user(name: string): Promise<Person> {
    return this.scene.user(name, { password: this.ledger.keep('password', newPassword()) });
  }

  /** A user who may start jobs in the workspace. */
  async engineer(name: string): Promise<Person> {
    const user = await this.user(name);
    await this.scene.grant(there(this.#policies).create, { user: user.id }, { workspace: this.workspace });
    return user;
  }

  /** Narrows the token of somebody who signed in to one service. */
  async narrow(token: string, service: ServiceAccount = this.training): Promise<string> {
    const query = `mutation N($input: SwitchScopeInput!) { switchScope(input: $input) { token userErrors { code message } } }`;
    const input = { scope: { workspace: this.workspace }, audience: service.id };
    const { switchScope } = await this.gql<{ switchScope: { token: string } }>(token, query, { input });
    return this.ledger.keepToken('token for a service', switchScope.token);
  }

  /** Asks the training service for a job, as whoever has this token. */
  startJob(token: string, input: object): Promise<Reply<{ readonly id: string }>> {
    const url = `http://127.0.0.1:${this.#parts.ports.training}/v1/jobs`;
    return call(url, 'POST', ['authorization', `Bearer ${token}`], { workspace: this.workspace, ...input });
  }

  /** An agency of its own, authorized by the owner, and a job that may act through it. */
  async job(owner: Person, token: string): Promise<Job> {
    const name = `job${(this.#count += 1)}`;
    const agencyName = `agency of ${name}`;
    const agencyId = await this.make('createAgency', 'agency', { name: agencyName, trust: { service: 'modelarts' } });
    const { objects, registers, models } = there(this.#policies);
    const grantIds = [
      await this.scene.grant(objects, { agency: agencyId }, { account: true }),
      await this.scene.grant(registers, { agency: agencyId }, { account: true }),
      await this.scene.grant(models, { agency: agencyId }, { workspace: this.workspace }),
    ];
    const authorizationId = await this.make('authorizeAgency', 'authorization', { agencyId, userId: owner.id });
    const { status, body } = await this.startJob(token, { name, agency: agencyId });
    if (status !== 201) throw new Error(`the job was not created: ${status} ${JSON.stringify(body)}`);
    return { id: body.id, name, owner, agencyId, agencyName, grantIds, authorizationId };
  }

  /** One step of a job, with nobody there. */
  async step({ id }: Job, input: object = {}): Promise<Reply<Step>> {
    const reply = await this.#trigger<Step>('POST', `/v1/jobs/${id}/steps`, input);
    if (reply.status === 200) {
      const { secretAccessKey, securityToken } = await this.derived(reply.body.credential);
      this.ledger.keep('temporary secret', secretAccessKey);
      this.ledger.keep('security token', securityToken);
    }
    return reply;
  }

  /** The job registers what it made. */
  publish({ id }: Job): Promise<Reply<{ readonly id: string }>> {
    return this.#trigger('POST', `/v1/jobs/${id}/models`, {});
  }

  /** The training service takes the job off the register. */
  endJob({ id }: Job): Promise<Reply<object>> {
    return this.#trigger('DELETE', `/v1/jobs/${id}`, {});
  }

  /** The secrets that only the training service was told: they follow from the id of the key and the master key. */
  async derived(accessKeyId: string): Promise<Required<Omit<Credentials, 'expiresAt'>>> {
    const masterKey = await readFile(join(this.#parts.folder, 'keys', 'secret.key'));
    return { accessKeyId, ...temporarySecrets(createSealing(masterKey), accessKeyId) };
  }

  /** Gives the training service another key, while it runs. */
  async rekeyTraining(key: Omit<ServiceAccount, 'id'>): Promise<void> {
    this.ledger.keep('service secret', key.secretAccessKey);
    const { id, keyFile } = this.training;
    this.#training = { ...key, id, keyFile };
    await writeKey(keyFile, key);
  }

  #trigger<Body>(method: string, path: string, input: object): Promise<Reply<Body>> {
    const { ports, triggerSecret } = this.#parts;
    return call(`http://127.0.0.1:${ports.trigger}${path}`, method, ['x-trigger-secret', triggerSecret], input);
  }

  async #introduceServices(): Promise<void> {
    this.#scene = await setScene(this);
    const { token } = this.scene;
    const { viewer } = await this.gql<{ viewer: { account: { id: string } } }>(token, '{ viewer { account { id } } }');
    this.accountId = plain(viewer.account.id);
    const { ports } = this.#parts;
    this.#training = await this.#service('modelarts', ports.training);
    this.#storage = await this.#service('storage', ports.storage);
  }

  async #service(name: string, port: number): Promise<Service> {
    const query = `mutation M($input: CreateServiceInput!) { made: createService(input: $input) { accessKeyId secretAccessKey service { id } userErrors { code message } } }`;
    const input = { name, hosts: [`127.0.0.1:${port}`] };
    const { made } = await this.gql<{ made: Omit<ServiceAccount, 'id'> & { service: { id: string } } }>(
      this.scene.token,
      query,
      { input },
    );
    const { accessKeyId, secretAccessKey, service } = made;
    this.ledger.keep('service secret', secretAccessKey);
    const keyFile = join(this.#parts.folder, 'keys', `${name}.json`);
    await writeKey(keyFile, { accessKeyId, secretAccessKey });
    return { id: service.id, accessKeyId, secretAccessKey, keyFile };
  }

  async #setScene(): Promise<void> {
    const { scene } = this;
    await this.gql(scene.token, 'mutation { setAuthorizationMode(input: { mode: STRICT }) { userErrors { code } } }');
    this.workspace = plain(await scene.workspace('vision'));
    const asks = await scene.policy('asks', ['bailiwick:requests:authenticate', 'bailiwick:access:check']);
    for (const { id } of [this.training, this.storage]) await scene.grant(asks, { service: id });
    const trains = await scene.policy('trains', ['modelarts:trainJob:*']);
    await scene.grant(trains, { service: this.training.id }, { workspace: this.workspace });
    const registers = await scene.policy('registers', ['bailiwick:resources:*', 'iam:agencies:assume']);
    await scene.grant(registers, { service: this.training.id });
    this.#policies = {
      create: await scene.policy('starts-jobs', ['modelarts:trainJob:create']),
      objects: await scene.policy('objects', ['obs:object:GetObject', 'obs:object:PutObject']),
      models: await scene.policy('models', ['modelarts:model:create']),
      registers: await scene.policy('registers-models', ['bailiwick:resources:register']),
    };
  }

  #startStorage(): Promise<void> {
    const { ports } = this.#parts;
    return this.#startService('storage', this.storage, { PORT: String(ports.storage) }, ['storage']);
  }

  #startTraining(): Promise<void> {
    const { ports, triggerSecret } = this.#parts;
    const environment = {
      PORT: String(ports.training),
      TRIGGER_PORT: String(ports.trigger),
      TRIGGER_SECRET: triggerSecret,
      STORAGE_URL: this.storageUrl,
    };
    return this.#startService('training', this.training, environment, ['training', 'trigger']);
  }

  async #startService(
    name: string,
    { keyFile }: Service,
    environment: Readonly<Record<string, string>>,
    doors: readonly string[],
  ): Promise<void> {
    const common = { ACCOUNT: this.accountId, PERMISSIONS_URL: this.url, KEY_FILE: keyFile };
    const running = startProgram(`../test/e2e/${name}-service.ts`, [], {
      conditions: ['bailiwick-source'],
      // The vendor's client leaves a file in the home of whoever runs it.
      environment: { ...common, ...environment, HOME: this.runFolder },
      cwd: this.runFolder,
    });
    this.#processes.push({ name, running });
    for (const door of doors) await running.until(new RegExp(`${door} listens`));
  }
}

async function call<Body>(url: string, method: string, headers: readonly string[], body: object): Promise<Reply<Body>> {
  const sent = { method, headers: ['content-type', 'application/json', ...headers], body: JSON.stringify(body) };
  const { status, text } = await exchange(url, sent);
  return { status, body: (text === '' ? {} : JSON.parse(text)) as Reply<Body>['body'] };
}

function writeKey(path: string, { accessKeyId, secretAccessKey }: Omit<ServiceAccount, 'id'>): Promise<void> {
  return writeFile(path, JSON.stringify({ accessKeyId, secretAccessKey }), { mode: 0o600 });
}

function there<T>(value: T | null | undefined): T {
  if (value == null) throw new Error('it is not there yet');
  return value;
}

/** Ports that were free a moment ago, all different. */
async function freePorts(count: number): Promise<readonly number[]> {
  const sockets = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('listening', resolve))));
  const ports = sockets.map((socket) => (socket.address() as AddressInfo).port);
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.close(resolve))));
  return ports;
}
