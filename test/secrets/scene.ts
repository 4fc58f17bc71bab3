/**
 * A team and its services at work, for as many rounds as are asked for: they sign in, switch, refresh, make and rotate
 * keys, assume agencies, sign, show one another's tokens and signatures, err, and send secrets where none belong. The
 * ledger gets every value that the server issued or that proves somebody.
 */
import { randomBytes } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import { newPassword, type Ledger } from './ledger.js';
import { misplaced } from './misplaced.js';
import { mutationOf, type Sender, type SigningKey } from './sender.js';

interface Person {
  readonly id: string;
  readonly name: string;
  password: string;
  /** A job of theirs. */
  readonly resourceId: string;
}

interface Named {
  readonly id: string;
}

interface Service extends SigningKey {
  readonly id: string;
}

interface IssuedKey extends SigningKey {
  readonly service: Named;
}

interface TokenPayload {
  readonly token: string;
}

interface Decisions {
  readonly decisions: readonly { readonly effect: string }[];
}

export const account = 'default';
export const rootName = 'admin';
const storageHost = 'storage.example.com';
const reading = 'obs:object:GetObject';

/** They work at the same time, each in rounds of their own. */
const people = 6;

export class Scene {
  /** How often each operation was done, with the outcome that was wanted. */
  readonly done = new Map<string, number>();
  /** The temporary key that was made last for the job of each. */
  readonly #keys = new Map<Person, Required<SigningKey>>();

  private constructor(
    private readonly sender: Sender,
    private readonly ledger: Ledger,
    private readonly rootPassword: string,
    private rootToken: string,
    private readonly workspaceId: string,
    private readonly agencyId: string,
    private readonly training: Service,
    private readonly storage: Service,
    private readonly staff: readonly Person[],
  ) {}

  static async set(sender: Sender, ledger: Ledger, rootPassword: string): Promise<Scene> {
    const rootToken = await signInRoot(sender, ledger, rootPassword);
    const make = async (mutation: string, object: string, input: object): Promise<string> => {
      const made = await sender.expect<Record<string, Named>>(
        sender.mutate(rootToken, mutation, `${object} { id }`, input),
      );
      return made[object]?.id ?? '';
    };
    const policy = (name: string, Action: readonly string[]): Promise<string> =>
      make('createPolicy', 'policy', { name, document: { Version: '1.1', Statement: [{ Effect: 'Allow', Action }] } });
    const grant = (policyId: string, subject: object, scope: object = { all: true }): Promise<string> =>
      make('grantPolicy', 'grant', { policyId, subject, scope });
    const service = (name: string, hosts: readonly string[]): Promise<Service> =>
      createService(sender, ledger, rootToken, { name, hosts });

    await sender.expect(
      sender.mutate(rootToken, 'setAuthorizationMode', 'account { authorizationMode }', { mode: 'STRICT' }),
    );
    await sender.expect(
      sender.mutate(rootToken, 'updateAccountSettings', 'accountSettings { version }', {
        password: { remembered: 5 },
        signIn: { failuresBeforeLock: 10 },
      }),
    );
    const workspaceId = plain(await make('createWorkspace', 'workspace', { name: 'laboratory' }));
    const training = await service('modelarts', ['training.example.com']);
    const storage = await service('storage', [storageHost]);
    const asks = await policy('asks', ['bailiwick:requests:authenticate', 'bailiwick:access:check']);
    for (const { id } of [training, storage]) await grant(asks, { service: id });
    await grant(await policy('trains', ['modelarts:trainJob:*']), { service: training.id }, { workspace: workspaceId });
    await grant(await policy('registers', ['bailiwick:resources:*', 'iam:agencies:assume']), { service: training.id });
    const agencyId = await make('createAgency', 'agency', { name: 'jobs', trust: { service: 'modelarts' } });
    const reads = await policy('reads-objects', [reading]);
    await grant(reads, { agency: agencyId }, { account: true });

    const accountId = (
      await sender.expect<{ account: Named }>(sender.post(rootToken, '{ done: viewer { account { id } } }'))
    ).account.id;
    const staff: Person[] = [];
    for (let number = 1; number <= people; number += 1) {
      const name = `person-${number}`;
      const password = ledger.keep('password', newPassword());
      const id = await make('createUser', 'user', { name, password });
      await make('authorizeAgency', 'authorization', { agencyId, userId: id });
      await grant(reads, { user: id });
      const urn = `modelarts::${plain(accountId)}:trainJob:job-${number}`;
      const register = mutationOf('registerResource', 'resource { id }');
      const { resource } = await sender.expect<{ resource: Named }>(
        sender.signed(training, workspaceId, register, { input: { urn, ownerId: id } }),
      );
      staff.push({ id, name, password, resourceId: resource.id });
    }
    return new Scene(sender, ledger, rootPassword, rootToken, workspaceId, agencyId, training, storage, staff);
  }

  /** Each round begins with somebody signing in. `told`: called with the number of rounds that are over. */
  async play(rounds: number, told: (over: number) => void = () => undefined): Promise<void> {
    let next = 0;
    let over = 0;
    const work = async (person: Person): Promise<void> => {
      while (next < rounds) {
        const number = next++;
        // Sooner than its session ends, however slow the machine.
        if (number > 0 && number % 300 === 0) await this.renewRoot();
        await this.#round(person, number);
        told((over += 1));
      }
    };
    await Promise.all(this.staff.map(work));
  }

  async renewRoot(): Promise<void> {
    this.rootToken = await signInRoot(this.sender, this.ledger, this.rootPassword);
  }

  /** Every event of the trail with what was before and after, a page at a time. */
  async *auditEvents(): AsyncGenerator<Uint8Array> {
    let after: string | null = null;
    do {
      const fields =
        'actor { id kind name description sessionName } after at before id operation requestId target { id kind }';
      const query = `query Q($after: String) { done: auditEvents(first: 100, after: $after) { nodes { ${fields} } pageInfo { endCursor hasNextPage } } }`;
      const page: {
        readonly nodes: readonly unknown[];
        readonly pageInfo: { readonly endCursor: string | null; readonly hasNextPage: boolean };
      } = await this.sender.expect(this.sender.post(this.rootToken, query, { after }));
      yield Buffer.from(`${JSON.stringify(page.nodes)}\n`);
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after !== null);
  }

  /** Has the server store these texts, as descriptions, and log these names, as what an operation is called. */
  async plant(texts: readonly string[], names: readonly string[]): Promise<void> {
    for (const [index, description] of texts.entries()) {
      const name = `planted-${index}`;
      await this.sender.expect(
        this.sender.mutate(this.rootToken, 'createGroup', 'group { id }', { name, description }),
      );
    }
    for (const name of names) {
      await this.sender.expect(this.sender.post(this.rootToken, `query N${name} { done: viewer { actor { id } } }`));
    }
  }

  async #round(person: Person, number: number): Promise<void> {
    const { ledger, sender } = this;
    let token = await this.#signIn('signIn', person);
    await this.#did('request with a token', sender.expect(sender.post(token, '{ done: viewer { actor { id } } }')));
    if (number % 4 === 0) await this.#switchScope(token);
    if (number % 4 === 1) token = ledger.keepToken('token', (await this.#token(token, 'refreshToken', {})).token);
    const kept = number % 2 === 0 ? undefined : this.#keys.get(person);
    const temporary = kept ?? (await this.#assume(person, number % 10 === 0));
    this.#keys.set(person, temporary);
    if (number % 6 === 0) await this.#useKey(token, temporary);
    if (number % 6 === 3) await this.#makeKeyPair(token);
    if (number % 5 === 1) await this.#failToSignIn(person, number);
    const secrets = { token, password: person.password, key: temporary };
    for (let turn = 0; turn < 2; turn += 1) {
      const sent = misplaced(sender, secrets, number * 2 + turn);
      await this.#did('secret in a wrong place', sender.expectRefused(sent));
    }
    if (number % 4 === 2) await this.#did('signOut', sender.expect(sender.mutate(token, 'signOut', 'endedAt', {})));
    // From here on the session may end.
    if (number % 20 === 3) await this.#useSecondFactor(person, token);
    if (number % 20 === 7) await this.#changePassword(person, token);
    if (number % 20 === 17) await this.#resetPassword(person);
    if (number % 20 === 13) await this.#rotate(number);
  }

  async #signIn(what: string, { name, password }: Person, totp?: string): Promise<string> {
    const input = { account, userName: name, password, ...(totp === undefined ? {} : { totp }) };
    const signing = this.sender.expect<TokenPayload>(this.sender.mutate(null, 'signIn', 'token', input));
    return this.ledger.keepToken('token', (await this.#did(what, signing)).token);
  }

  #token(token: string, mutation: string, input: object): Promise<TokenPayload> {
    return this.#did(mutation, this.sender.expect<TokenPayload>(this.sender.mutate(token, mutation, 'token', input)));
  }

  async #switchScope(token: string): Promise<void> {
    const { ledger, sender, storage, workspaceId } = this;
    ledger.keepToken('token', (await this.#token(token, 'switchScope', { scope: { account: true } })).token);
    const scope = { workspace: workspaceId };
    const narrow = (await this.#token(token, 'switchScope', { scope, audience: 'storage' })).token;
    ledger.keepToken('audience token', narrow);
    const query = `query Q($token: String!) { done: checkAccess(requests: [{ action: "${reading}", principal: { credential: { token: $token } } }]) { effect reason } }`;
    const answers = await this.#did(
      'checkAccess with a token',
      sender.expect<readonly { effect: string }[]>(sender.signed(storage, workspaceId, query, { token: narrow })),
    );
    expectAllowed(answers);
  }

  async #assume({ resourceId }: Person, once: boolean): Promise<Required<SigningKey>> {
    const { agencyId, ledger, sender, training, workspaceId } = this;
    const selection = 'temporaryCredential { accessKeyId secretAccessKey securityToken }';
    const input = { agencyId, resourceId, sessionName: 'night-run' };
    const { temporaryCredential: key } = await this.#did(
      'assumeAgency',
      sender.expect<{ temporaryCredential: Required<SigningKey> }>(
        sender.signed(training, workspaceId, mutationOf('assumeAgency', selection), { input }),
      ),
    );
    ledger.keep('temporary secret', key.secretAccessKey);
    ledger.keep('security token', key.securityToken);
    const who = '{ done: viewer { actor { id } } }';
    await this.#did('request with a temporary key', sender.expect(sender.signed(key, workspaceId, who)));
    await this.#showRequest('temporary', key, once);
    return key;
  }

  /** The storage service shows a request that it received. */
  async #showRequest(what: string, key: SigningKey, once: boolean): Promise<void> {
    const { sender, storage, workspaceId } = this;
    const request = sender.received(key, storageHost, workspaceId);
    const ask = mutationOf('authenticateRequest', 'actor { id } decisions { effect }');
    const input = { request, requests: [{ action: reading }], once };
    const show = () => sender.signed(storage, workspaceId, ask, { input });
    expectAllowed((await this.#did(`authenticateRequest (${what})`, sender.expect<Decisions>(show()))).decisions);
    if (once) await this.#did('authenticateRequest, replayed', sender.expectRefused(show()));
  }

  async #makeKeyPair(token: string): Promise<void> {
    const { ledger, sender } = this;
    const { privateKey, keyPair } = await this.#did(
      'createKeyPair',
      sender.expect<{ privateKey: string; keyPair: { id: string; publicKey: string } }>(
        sender.mutate(token, 'createKeyPair', 'privateKey keyPair { id publicKey }', { name: 'desk' }),
      ),
    );
    // The secret stands in the file before the second of the two public halves.
    const file = Buffer.from(privateKey.replaceAll(/-----.*-----|\n/g, ''), 'base64');
    const half = Buffer.from(keyPair.publicKey.split(' ')[1] ?? '', 'base64').subarray(-32);
    const end = file.lastIndexOf(half);
    ledger.keepBytes('private key of SSH', file.subarray(end - half.length, end));
    // As it stands in the file, without the characters that hold bits of what is not secret.
    const [from, to] = [Math.ceil((end - half.length) / 3) * 4, Math.floor(end / 3) * 4];
    ledger.keep('private key of SSH', file.toString('base64').slice(from, to));
    await this.#did(
      'deleteKeyPair',
      sender.expect(sender.mutate(token, 'deleteKeyPair', 'deletedKeyPairId', { id: keyPair.id })),
    );
  }

  async #useKey(token: string, temporary: Required<SigningKey>): Promise<void> {
    const { ledger, sender, workspaceId } = this;
    const selection = 'secretAccessKey accessKey { accessKeyId id }';
    const { secretAccessKey, accessKey } = await this.#did(
      'createAccessKey',
      sender.expect<{ secretAccessKey: string; accessKey: { accessKeyId: string; id: string } }>(
        sender.mutate(token, 'createAccessKey', selection, {}),
      ),
    );
    ledger.keep('secret access key', secretAccessKey);
    const key = { accessKeyId: accessKey.accessKeyId, secretAccessKey };
    const who = '{ done: viewer { actor { id } } }';
    await this.#did('request with a key', sender.expect(sender.signed(key, workspaceId, who)));
    await this.#showRequest('permanent', key, false);
    const wrong = { ...key, secretAccessKey: temporary.secretAccessKey };
    await this.#did('request, wrongly signed', sender.expectRefused(sender.signed(wrong, workspaceId, who)));
    const mixed = { ...key, securityToken: temporary.securityToken };
    await this.#did('request, wrongly signed', sender.expectRefused(sender.signed(mixed, workspaceId, who)));
    // In the session, which goes on; signed with the key it would end every session of the user.
    const remove = sender.mutate(token, 'deleteAccessKey', 'deletedAccessKeyId', { id: accessKey.id });
    await this.#did('deleteAccessKey', sender.expect(remove));
  }

  async #failToSignIn({ name }: Person, number: number): Promise<void> {
    const { ledger, sender } = this;
    const password = ledger.keep('wrong password', newPassword());
    // Of somebody who exists only now and then: or they would be locked.
    const userName = number % 20 === 1 ? name : `nobody-${number}`;
    const failing = sender.mutate(null, 'signIn', 'token', { account, userName, password });
    await this.#did('signIn, failed', sender.expectRefused(failing));
  }

  /** From the step before the present one on, each code is good once: confirming, signing in, removing. */
  async #useSecondFactor(person: Person, token: string): Promise<void> {
    const { ledger, sender } = this;
    const { secret } = await this.#did(
      'createSecondFactor',
      sender.expect<{ secret: string }>(sender.mutate(token, 'createSecondFactor', 'secret uri', {})),
    );
    ledger.keep('secret of a second factor', secret);
    let taken = -Infinity;
    const code = async (): Promise<string> => {
      const step = () => Math.floor(Date.now() / 30_000);
      // A second of the step must be left, or it is another one when the code arrives.
      while (Date.now() % 30_000 > 29_000 || taken > step()) await new Promise((resolve) => setTimeout(resolve, 200));
      taken = Math.max(taken + 1, step() - 1);
      const token = TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: taken * 30_000 });
      return ledger.keep('code of a second factor', token);
    };
    const confirm = sender.mutate(token, 'confirmSecondFactor', 'secondFactor { confirmedAt }', { code: await code() });
    await this.#did('confirmSecondFactor', sender.expect(confirm));
    const { name: userName, password } = person;
    const wrong = ledger.keep('code of a second factor', String(100_000 + (randomBytes(4).readUInt32BE() % 900_000)));
    const failing = sender.mutate(null, 'signIn', 'token', { account, userName, password, totp: wrong });
    await this.#did('signIn, failed by code', sender.expectRefused(failing));
    const fresh = await this.#signIn('signIn with a code', person, await code());
    const remove = sender.mutate(fresh, 'deleteSecondFactor', 'user { id }', { code: await code() });
    await this.#did('deleteSecondFactor', sender.expect(remove));
  }

  async #changePassword(person: Person, token: string): Promise<void> {
    const { ledger, sender } = this;
    const change = (currentPassword: string, newPassword: string) =>
      sender.mutate(token, 'changePassword', 'user { id }', { currentPassword, newPassword });
    const [wrong, next] = [newPassword(), newPassword()];
    ledger.keep('wrong password', wrong);
    ledger.keep('password', next);
    await this.#did('changePassword, refused', sender.expectRefused(change(wrong, next)));
    const repeated = change(person.password, person.password);
    await this.#did('changePassword, refused', sender.expectRefused(repeated));
    await this.#did('changePassword', sender.expect(change(person.password, next)));
    person.password = next;
  }

  async #resetPassword(person: Person): Promise<void> {
    const { ledger, sender } = this;
    const reset = sender.mutate(this.rootToken, 'resetPassword', 'password', { userId: person.id });
    const { password } = await this.#did('resetPassword', sender.expect<{ password: string }>(reset));
    person.password = ledger.keep('password', password);
  }

  async #rotate(number: number): Promise<void> {
    const { ledger, rootToken, sender } = this;
    const name = `service-${number}`;
    const { id } = await this.#did('createService', createService(sender, ledger, rootToken, { name, hosts: [] }));
    const selection = 'accessKeyId secretAccessKey service { id }';
    const rotate = sender.expect<IssuedKey>(sender.mutate(rootToken, 'rotateServiceKey', selection, { id }));
    const key = await this.#did('rotateServiceKey', rotate);
    ledger.keep('secret access key', key.secretAccessKey);
    const who = '{ done: __typename }';
    await this.#did('request with a rotated key', sender.expect(sender.signed(key, '0', who)));
  }

  async #did<T>(what: string, work: Promise<T>): Promise<T> {
    try {
      const answer = await work;
      this.done.set(what, (this.done.get(what) ?? 0) + 1);
      return answer;
    } catch (error) {
      throw new Error(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
}

async function signInRoot(sender: Sender, ledger: Ledger, password: string): Promise<string> {
  const input = { account, userName: rootName, password, scope: { account: true } };
  const { token } = await sender.expect<TokenPayload>(sender.mutate(null, 'signIn', 'token', input));
  return ledger.keepToken('token', token);
}

async function createService(sender: Sender, ledger: Ledger, token: string, input: object): Promise<Service> {
  const selection = 'accessKeyId secretAccessKey service { id }';
  const made = await sender.expect<IssuedKey>(sender.mutate(token, 'createService', selection, input));
  const { accessKeyId, secretAccessKey, service } = made;
  return { accessKeyId, secretAccessKey: ledger.keep('secret access key', secretAccessKey), id: service.id };
}

function expectAllowed(decisions: readonly { readonly effect: string }[]): void {
  const effects = decisions.map(({ effect }) => effect).join();
  if (effects !== 'ALLOW') throw new Error(`a decision was ${effects}`);
}

function plain(id: string): string {
  const text = Buffer.from(id, 'base64url').toString();
  return /^[A-Za-z]+:/.test(text) ? text.replace(/^[A-Za-z]+:/, '') : id;
}
