/** A user who has a right through a group, in a workspace, with a token and an access key. */
import { gives, takes, type Hand } from './hand.js';
import type { Written } from './laws.js';
import { action, document, idOf, plainIdOf, Right, weightOf, type Shown, type Turn } from './rights.js';
import type { Credential } from './wire.js';

export interface PersonOptions {
  readonly name: string;
  /** Plain id. */
  readonly accountId: string;
  /** A policy that denies the action. */
  readonly denyId: string;
}

interface Session {
  readonly id: string;
  readonly number: number;
  readonly token: string;
}

interface AccessKey {
  readonly id: string;
  readonly number: number;
  readonly credential: Credential;
}

const things = ['enabled', 'member', 'grant', 'version', 'undenied', 'entry'] as const;

export class Person extends Right {
  #user = '';
  #group = '';
  #policy = '';
  #workspace = '';
  #grant = '';
  #deny = '';
  #password: string;
  /** The last one, ended or not: whoever shows it afterwards is refused. */
  #session: Session | null = null;
  /** The last one, disabled or deleted or not. */
  #key: AccessKey | null = null;
  #keyDeleted = false;
  #number = 0;

  private constructor(private readonly options: PersonOptions) {
    super(options.name);
    this.#password = `Password of ${options.name} 0`;
  }

  static async make(hand: Hand, options: PersonOptions): Promise<Person> {
    const person = new Person(options);
    await person.#found(hand);
    return person;
  }

  async #found(hand: Hand): Promise<void> {
    const { name } = this;
    const object = (kind: string) => `${kind} { id }`;
    const trail = (kind: string) => (payload: Parameters<typeof plainIdOf>[0]) => ({
      kind,
      id: plainIdOf(payload, kind),
      events: 1,
    });
    const user = await this.make(hand, {
      mutation: 'createUser',
      input: { name, password: this.#password },
      // Nobody denies anything to who has just come.
      writes: [gives(this.register('enabled')), gives(this.register('undenied'))],
      select: object('user'),
      trail: trail('user'),
    });
    this.#user = idOf(user, 'user');
    const group = await this.make(hand, {
      mutation: 'createGroup',
      input: { name: `of-${name}` },
      writes: [],
      select: object('group'),
      trail: trail('group'),
    });
    this.#group = idOf(group, 'group');
    const policy = await this.make(hand, {
      mutation: 'createPolicy',
      input: { name: `of-${name}`, document: document('Allow', action) },
      writes: [gives(this.register('version'))],
      select: object('policy'),
      trail: trail('policy'),
    });
    this.#policy = idOf(policy, 'policy');
    await this.make(hand, {
      mutation: 'createPolicyVersion',
      input: { policyId: this.#policy, document: document('Allow', 'modelarts:notebook:get') },
      writes: [],
    });
    const workspace = await this.make(hand, {
      mutation: 'createWorkspace',
      input: { name: `work-${name}`, visibility: 'PUBLIC' },
      writes: [gives(this.register('entry'))],
      select: object('workspace'),
      trail: trail('workspace'),
    });
    this.#workspace = idOf(workspace, 'workspace');
    for (const { change, after } of [this.#joining(), this.#granting(), this.#keyMaking(), this.#signingIn()]) {
      const payload = await this.make(hand, change);
      after?.(payload);
    }
  }

  shown(): readonly Shown[] {
    const request = { action, workspaceId: this.#workspace };
    const needs = things.map((thing) => this.register(thing));
    const about: Shown = { by: null, asked: { request: { ...request, principal: { user: this.#user } }, needs } };
    const session = this.#session && {
      by: { kind: 'token', token: this.#session.token } as const,
      asked: { request, needs: [...needs, this.register(`session ${this.#session.number}`)] },
    };
    const key = this.#key && {
      by: this.#key.credential,
      asked: { request, needs: [...needs, this.register(`key ${this.#key.number}`)] },
    };
    return [about, session, key].filter((shown) => shown !== null);
  }

  protected turns(): readonly Turn[] {
    return [
      this.has('member') ? this.#leaving() : this.#joining(),
      this.has('grant') ? this.#revoking() : this.#granting(),
      this.has('undenied') ? this.#denying() : this.#forgiving(),
      this.#enabling(!this.has('enabled')),
      this.#versioning(!this.has('version')),
      ...(this.has('entry') ? this.#closing() : this.#opening()),
      ...this.#sessionTurns(),
      ...(this.#key !== null && !this.#keyDeleted ? this.#turningKey(this.#key) : [this.#keyMaking()]),
      ...this.#ending(),
    ];
  }

  #joining(): Turn {
    const input = { groupId: this.#group, userIds: [this.#user] };
    const writes = [gives(this.register('member'))];
    return { weight: weightOf(false), change: { mutation: 'addGroupMembers', input, writes } };
  }

  #leaving(): Turn {
    const input = { groupId: this.#group, userIds: [this.#user] };
    const writes = [takes(this.register('member'))];
    return { weight: weightOf(true), change: { mutation: 'removeGroupMembers', input, writes } };
  }

  #granting(): Turn {
    const input = { policyId: this.#policy, subject: { group: this.#group }, scope: { all: true } };
    return this.#grantOf(input, gives(this.register('grant')), weightOf(false), (id) => (this.#grant = id));
  }

  #revoking(): Turn {
    const writes = [takes(this.register('grant'))];
    return { weight: weightOf(true), change: { mutation: 'revokeGrant', input: { id: this.#grant }, writes } };
  }

  #denying(): Turn {
    const input = { policyId: this.options.denyId, subject: { user: this.#user }, scope: { all: true } };
    return this.#grantOf(input, takes(this.register('undenied')), weightOf(true), (id) => (this.#deny = id));
  }

  #forgiving(): Turn {
    const writes = [gives(this.register('undenied'))];
    return { weight: weightOf(false), change: { mutation: 'revokeGrant', input: { id: this.#deny }, writes } };
  }

  #grantOf(input: object, written: Written, weight: number, keep: (id: string) => void): Turn {
    return {
      weight,
      change: {
        mutation: 'grantPolicy',
        input,
        writes: [written],
        select: 'grant { id }',
        trail: (payload) => ({ kind: 'grant', id: plainIdOf(payload, 'grant'), events: 1 }),
      },
      after: (payload) => keep(idOf(payload, 'grant')),
    };
  }

  /** Who is disabled has no session afterwards, and gets none back. */
  #enabling(enabled: boolean): Turn {
    const input = { id: this.#user, enabled };
    const writes = enabled ? [gives(this.register('enabled'))] : [takes(this.register('enabled')), ...this.#sessions()];
    return { weight: weightOf(!enabled), change: { mutation: 'updateUser', input, writes } };
  }

  #versioning(allowing: boolean): Turn {
    const input = { policyId: this.#policy, number: allowing ? 1 : 2 };
    const writes = [allowing ? gives(this.register('version')) : takes(this.register('version'))];
    return { weight: weightOf(!allowing), change: { mutation: 'setDefaultPolicyVersion', input, writes } };
  }

  #opening(): readonly Turn[] {
    const writes = [gives(this.register('entry'))];
    return [{ visibility: 'PUBLIC' }, { visibility: 'INTERNAL', memberIds: [this.#user] }].map((more) => ({
      weight: weightOf(false) / 2,
      change: { mutation: 'updateWorkspace', input: { id: this.#workspace, ...more }, writes },
    }));
  }

  #closing(): readonly Turn[] {
    const writes = [takes(this.register('entry'))];
    return [{ visibility: 'PRIVATE' }, { visibility: 'INTERNAL', memberIds: [] }].map((more) => ({
      weight: weightOf(true) / 2,
      change: { mutation: 'updateWorkspace', input: { id: this.#workspace, ...more }, writes },
    }));
  }

  #sessionTurns(): readonly Turn[] {
    if (this.#session !== null && this.#inSession()) return this.#endingSession(this.#session);
    return this.has('enabled') ? [this.#signingIn()] : [];
  }

  #inSession(): boolean {
    return this.#session !== null && this.has(`session ${this.#session.number}`);
  }

  #signingIn(): Turn {
    const number = (this.#number += 1);
    return {
      weight: weightOf(false),
      change: {
        mutation: 'signIn',
        input: { account: 'default', userName: this.name, password: this.#password, scope: { account: true } },
        writes: [gives(this.register(`session ${number}`))],
        select: 'token viewer { sessions(first: 10) { nodes { id current } } }',
        by: null,
      },
      after: (payload) => {
        const { token, viewer } = payload as unknown as {
          readonly token: string;
          readonly viewer: { readonly sessions: { readonly nodes: readonly { id: string; current: boolean }[] } };
        };
        const id = viewer.sessions.nodes.find(({ current }) => current)?.id ?? '';
        this.#session = { id, number, token };
      },
    };
  }

  #endingSession({ id, token }: Session): readonly Turn[] {
    const password = `Password of ${this.name} ${(this.#number += 1)}`;
    const writes = this.#sessions();
    const ends = (mutation: string, input: object, more: object = {}, newPassword = this.#password): Turn => ({
      weight: weightOf(true) / 4,
      change: { mutation, input, writes, ...more },
      after: () => void (this.#password = newPassword),
    });
    return [
      ends('signOut', {}, { by: { kind: 'token', token } }),
      ends('endSession', { id }),
      ends('revokeSessions', { userId: this.#user }),
      ends('resetPassword', { userId: this.#user, newPassword: password }, {}, password),
    ];
  }

  #sessions(): readonly Written[] {
    return this.#inSession() ? [takes(this.register(`session ${this.#session?.number}`))] : [];
  }

  #keyMaking(): Turn {
    const number = (this.#number += 1);
    return {
      weight: weightOf(false),
      change: {
        mutation: 'createAccessKey',
        input: { userId: this.#user },
        writes: [gives(this.register(`key ${number}`))],
        select: 'accessKey { id accessKeyId } secretAccessKey',
      },
      after: (payload) => {
        const { accessKey, secretAccessKey } = payload as unknown as {
          readonly accessKey: { readonly id: string; readonly accessKeyId: string };
          readonly secretAccessKey: string;
        };
        const { id, accessKeyId } = accessKey;
        const headers = { 'x-domain-id': this.options.accountId };
        this.#key = { id, number, credential: { kind: 'key', accessKeyId, secretAccessKey, headers } };
        this.#keyDeleted = false;
      },
    };
  }

  /** Whose key is switched or deleted has no session afterwards: whoever stole the one may have the other. */
  #turningKey({ id, number }: AccessKey): readonly Turn[] {
    const register = this.register(`key ${number}`);
    const enabled = !this.has(`key ${number}`);
    const taken = [takes(register), ...this.#sessions()];
    return [
      {
        weight: weightOf(!enabled),
        change: {
          mutation: 'updateAccessKey',
          input: { id, enabled },
          writes: enabled ? [gives(register), ...this.#sessions()] : taken,
        },
      },
      {
        weight: weightOf(true) / 2,
        change: { mutation: 'deleteAccessKey', input: { id }, writes: taken },
        after: () => void (this.#keyDeleted = true),
      },
    ];
  }

  /** What is gone for good. */
  #ending(): readonly Turn[] {
    const key = this.#key === null ? [] : [takes(this.register(`key ${this.#key.number}`))];
    const gone = (mutation: string, id: string, writes: readonly Written[]): Turn => ({
      weight: 0.05,
      change: { mutation, input: { id }, writes },
      last: true,
    });
    return [
      gone('deleteUser', this.#user, [takes(this.register('enabled')), ...this.#sessions(), ...key]),
      gone('deleteGroup', this.#group, [takes(this.register('member'))]),
      gone('deleteWorkspace', this.#workspace, [takes(this.register('entry'))]),
    ];
  }
}
