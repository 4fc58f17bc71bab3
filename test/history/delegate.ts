/** Rights of those who are no users: agencies and services, sessions of an agency for a user, and the account's default. */
import { gives, takes, type ChangeInput, type Hand } from './hand.js';
import { action, idOf, plainIdOf, Right, weightOf, type Shown, type Turn } from './rights.js';
import type { Credential } from './wire.js';

/** What all of them share. */
export interface Shared {
  /** Plain id. */
  readonly accountId: string;
  /** A policy that allows the action. */
  readonly allowId: string;
  /** Of the service `modelarts`, which registers resources and assumes agencies for them, in workspace `"0"`. */
  readonly service: Credential;
}

const inWorkspace = { 'x-workspace-id': '0' };

/** An agency or a service that was granted something itself. */
export class Subject extends Right {
  #id = '';
  #grant = '';

  private constructor(
    name: string,
    private readonly kind: 'agency' | 'service',
    private readonly shared: Shared,
  ) {
    super(name);
  }

  static async make(hand: Hand, name: string, kind: 'agency' | 'service', shared: Shared): Promise<Subject> {
    const subject = new Subject(name, kind, shared);
    const [mutation, input] =
      kind === 'agency'
        ? ['createAgency', { name, trust: { service: 'modelarts' } }]
        : ['createService', { name: `s-${name}` }];
    const payload = await subject.make(hand, { mutation, input, writes: [], select: `${kind} { id }` });
    subject.#id = idOf(payload, kind);
    return subject;
  }

  shown(): readonly Shown[] {
    const request = { action, workspaceId: '0', principal: { [this.kind]: this.#id } };
    return [{ by: null, asked: { request, needs: [this.register('grant')] } }];
  }

  protected turns(): readonly Turn[] {
    const grant = this.register('grant');
    const toggle: Turn = this.has('grant')
      ? { weight: 1, change: { mutation: 'revokeGrant', input: { id: this.#grant }, writes: [takes(grant)] } }
      : {
          weight: 1,
          change: granting(this.shared.allowId, { [this.kind]: this.#id }, grant),
          after: (payload) => (this.#grant = idOf(payload, 'grant')),
        };
    const mutation = this.kind === 'agency' ? 'deleteAgency' : 'deleteService';
    const end: Turn = {
      weight: 0.05,
      change: { mutation, input: { id: this.#id }, writes: [takes(grant)] },
      last: true,
    };
    return [toggle, end];
  }
}

/** A session that a service has for a user: it stands on the agency, its grant, the authorization, the user and the resource. */
export class Delegate extends Right {
  #user = '';
  #agency = '';
  #grant = '';
  #authorization = '';
  #resource = '';
  #credential: Credential | null = null;

  private constructor(
    name: string,
    private readonly shared: Shared,
  ) {
    super(name);
  }

  static async make(hand: Hand, name: string, shared: Shared): Promise<Delegate> {
    const delegate = new Delegate(name, shared);
    await delegate.#found(hand);
    return delegate;
  }

  async #found(hand: Hand): Promise<void> {
    const { name } = this;
    const { accountId, service: by } = this.shared;
    const writes = [gives(this.register('enabled'))];
    const user = await this.make(hand, { mutation: 'createUser', input: { name }, writes, select: 'user { id }' });
    this.#user = idOf(user, 'user');
    const agency = await this.make(hand, {
      mutation: 'createAgency',
      input: { name, trust: { service: 'modelarts' } },
      writes: [gives(this.register('agency'))],
      select: 'agency { id }',
    });
    this.#agency = idOf(agency, 'agency');
    for (const { change, after } of [this.#granting(), this.#authorizing()]) after?.(await this.make(hand, change));
    const resource = await this.make(hand, {
      mutation: 'registerResource',
      input: { urn: `modelarts::${accountId}:trainJob:${name}`, ownerId: this.#user },
      writes: [gives(this.register('resource'))],
      select: 'resource { id }',
      by,
    });
    this.#resource = idOf(resource, 'resource');
    const assumed = await this.make(hand, {
      mutation: 'assumeAgency',
      input: { agencyId: this.#agency, resourceId: this.#resource, durationSeconds: 14_400 },
      writes: [],
      select: 'temporaryCredential { accessKeyId secretAccessKey securityToken }',
      by,
    });
    const { temporaryCredential } = assumed as unknown as {
      readonly temporaryCredential: {
        readonly accessKeyId: string;
        readonly secretAccessKey: string;
        readonly securityToken: string;
      };
    };
    const { securityToken, ...key } = temporaryCredential;
    this.#credential = { kind: 'key', ...key, headers: { ...inWorkspace, 'x-security-token': securityToken } };
  }

  shown(): readonly Shown[] {
    const needs = ['enabled', 'agency', 'grant', 'authorization', 'resource'].map((thing) => this.register(thing));
    return [{ by: this.#credential, asked: { request: { action }, needs } }];
  }

  protected turns(): readonly Turn[] {
    const last = (mutation: string, id: string, thing: string, more: Partial<ChangeInput> = {}): Turn => ({
      weight: 0.05,
      change: { mutation, input: { id }, writes: [takes(this.register(thing))], ...more },
      last: true,
    });
    return [
      this.has('grant') ? this.#taking('revokeGrant', { id: this.#grant }, 'grant') : this.#granting(),
      this.has('authorization')
        ? this.#taking('revokeAuthorization', { id: this.#authorization }, 'authorization')
        : this.#authorizing(),
      this.has('enabled')
        ? this.#taking('updateUser', { id: this.#user, enabled: false }, 'enabled')
        : this.#enabling(),
      last('deregisterResource', this.#resource, 'resource', { by: this.shared.service }),
      last('deleteAgency', this.#agency, 'agency'),
      last('deleteUser', this.#user, 'enabled'),
    ];
  }

  #taking(mutation: string, input: object, thing: string): Turn {
    return { weight: weightOf(true), change: { mutation, input, writes: [takes(this.register(thing))] } };
  }

  #granting(): Turn {
    return {
      weight: weightOf(false),
      change: granting(this.shared.allowId, { agency: this.#agency }, this.register('grant')),
      after: (payload) => (this.#grant = idOf(payload, 'grant')),
    };
  }

  #authorizing(): Turn {
    return {
      weight: weightOf(false),
      change: {
        mutation: 'authorizeAgency',
        input: { agencyId: this.#agency, userId: this.#user },
        writes: [gives(this.register('authorization'))],
        select: 'authorization { id }',
      },
      after: (payload) => (this.#authorization = idOf(payload, 'authorization')),
    };
  }

  #enabling(): Turn {
    const writes = [gives(this.register('enabled'))];
    return {
      weight: weightOf(false),
      change: { mutation: 'updateUser', input: { id: this.#user, enabled: true }, writes },
    };
  }
}

/** Whom no policy has ever reached: they may use ModelArts while the account's mode is LOOSE. */
export class Loose extends Right {
  #user = '';
  #doubtful = false;

  private constructor() {
    super('loose');
  }

  static async make(hand: Hand): Promise<Loose> {
    const loose = new Loose();
    const input = { name: loose.name };
    const user = await loose.make(hand, { mutation: 'createUser', input, writes: [], select: 'user { id }' });
    loose.#user = idOf(user, 'user');
    return loose;
  }

  shown(): readonly Shown[] {
    const request = { action, workspaceId: '0', principal: { user: this.#user } };
    return [{ by: null, asked: { request, needs: [this.register('mode')] } }];
  }

  /** There is one mode for all of the account, so it goes on from what is certain again. */
  protected override uncertain(): void {
    this.#doubtful = true;
  }

  protected turns(): readonly Turn[] {
    const register = this.register('mode');
    const strict = this.#doubtful || this.has('mode');
    const [mode, written] = strict ? ['STRICT', takes(register)] : ['LOOSE', gives(register)];
    return [
      {
        weight: 1,
        change: { mutation: 'setAuthorizationMode', input: { mode }, writes: [written], mayBeSo: this.#doubtful },
        after: () => (this.#doubtful = false),
      },
    ];
  }
}

function granting(policyId: string, subject: object, register: string): ChangeInput {
  return {
    mutation: 'grantPolicy',
    input: { policyId, subject, scope: { all: true } },
    writes: [gives(register)],
    select: 'grant { id }',
    trail: (payload) => ({ kind: 'grant', id: plainIdOf(payload, 'grant'), events: 1 }),
  };
}
