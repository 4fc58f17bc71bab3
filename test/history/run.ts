/**
 * A history: clients change, ask and read at replicas that share one database, while these are killed and stand still.
 * Whoever takes a right away at one replica asks for it at another one at once.
 */
import { faultsOf } from '../crash/proof.js';
import { settingsOf } from '../crash/server.js';
import { emptyNotes, signIn } from '../crash/writers.js';
import { Dice } from '../replay/random.js';
import { Adversary } from './adversary.js';
import { Delegate, Loose, Subject, type Shared } from './delegate.js';
import { Groups } from './groups.js';
import { Hand, type Asked } from './hand.js';
import { Person } from './person.js';
import { HistoryRecord } from './record.js';
import { Replicas } from './replicas.js';
import { action, document, idOf, made, plainIdOf, type Right, type Shown } from './rights.js';
import { Wire, type Credential } from './wire.js';

export interface HistoryOptions {
  readonly databaseUrl: string;
  readonly keyFile: string;
  readonly replicas: number;
  readonly operations: number;
  readonly clients: number;
  readonly strikes: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}

export interface HistoryReport {
  readonly record: HistoryRecord;
  readonly kills: number;
  readonly pauses: number;
  readonly rights: number;
  readonly seconds: number;
}

const password = 'Password of the root user 1';
const sharedGroups = 6;
/** Rights that do not change any more, and are asked for all the same. */
const mostKept = 40;
const longestBatch = 4;
const mostAttempts = 20;

export async function record(options: HistoryOptions): Promise<HistoryReport> {
  const { databaseUrl, replicas: count, operations, seed } = options;
  const begun = performance.now();
  const kept = new HistoryRecord();
  const replicas = new Replicas(count, settingsOf(options, password), (why) => kept.fault(why));
  const adversary = new Adversary(replicas, options);
  try {
    await replicas.startAll();
    const token = await signIn(`http://127.0.0.1:${replicas.portOf(0)}/graphql`, password);
    const crowd = new Crowd(options, kept, replicas, { kind: 'token', token }, adversary);
    await crowd.gather();
    await crowd.go(operations);
    await adversary.end();
    // What was only in somebody's memory is gone before it is looked what there is.
    await replicas.killAll();
    await replicas.startAll();
    await crowd.lookAtAll();
    kept.faults.push(...(await faultsOf(databaseUrl, { ...emptyNotes(), acknowledged: kept.acknowledged })));
    const { kills, pauses } = adversary;
    return { record: kept, kills, pauses, rights: crowd.rights, seconds: (performance.now() - begun) / 1000 };
  } catch (error) {
    throw new Error(`with seed ${seed}, after ${kept.sent} operations`, { cause: error });
  } finally {
    await replicas.killAll();
  }
}

class Crowd {
  /** How many there were. */
  rights = 0;
  readonly #hands: readonly Hand[];
  readonly #wires: readonly Wire[];
  readonly #groups: Groups;
  readonly #current: Right[] = [];
  readonly #over: Right[] = [];
  /** Changed a moment ago, or being changed: where an answer that is late would be a wrong one. */
  #hot: Right[] = [];
  #shared: (Shared & { readonly denyId: string }) | null = null;

  constructor(
    private readonly options: HistoryOptions,
    private readonly kept: HistoryRecord,
    private readonly replicas: Replicas,
    root: Credential,
    private readonly adversary: Adversary,
  ) {
    this.#wires = Array.from({ length: options.clients }, () => new Wire(replicas));
    this.#hands = this.#wires.map(
      (wire, index) => new Hand(new Dice(options.seed + 1 + index), wire, replicas, kept, () => root),
    );
    this.#groups = new Groups(kept);
  }

  /** Makes what the clients work on; nothing is killed yet. */
  async gather(): Promise<void> {
    const hand = this.#anybody();
    this.#shared = await sharedBy(hand);
    await this.#groups.makeShared(hand, sharedGroups);
    const wanted = Math.min(36, Math.max(4, Math.floor(this.options.operations / 100)));
    const kinds = Array.from({ length: wanted }, (_none, index) => index);
    await Promise.all(
      this.#hands.map(async (each) => {
        for (let kind = kinds.pop(); kind !== undefined; kind = kinds.pop()) await this.#join(each, kind);
      }),
    );
    this.#add(await Loose.make(hand));
  }

  async go(operations: number): Promise<void> {
    let told = performance.now();
    const last = this.kept.sent + operations;
    const first = this.kept.sent;
    await Promise.all(
      this.#hands.map(async (hand) => {
        while (this.kept.sent < last) {
          await this.#act(hand);
          this.adversary.strike(this.kept.sent - first);
          if (performance.now() - told < 10_000) continue;
          told = performance.now();
          const { kills, pauses } = this.adversary;
          this.options.say(`${this.kept.sent - first} of ${operations} operations, ${kills} kills, ${pauses} pauses`);
        }
      }),
    );
  }

  /** What everybody may and what is there, as each replica has it. */
  async lookAtAll(): Promise<void> {
    const hand = this.#anybody();
    for (const replica of this.replicas.listening()) await this.#groups.readAll(hand, replica);
    for (const right of [...this.#current, ...this.#over]) {
      for (const { by, asked } of right.shown()) {
        for (const replica of this.replicas.listening()) await hand.ask(by, [asked], { at: replica });
      }
    }
    for (const wire of this.#wires) wire.end();
  }

  async #act(hand: Hand): Promise<void> {
    const { dice } = hand;
    const act = dice.weighted<() => Promise<unknown>>([
      [3, () => this.#turn(hand)],
      [4.5, () => this.#groups.make(hand)],
      [2.5, () => this.#groups.describe(hand)],
      [0.5, () => this.#groups.delete(hand)],
      [1, () => this.#groups.read(hand)],
      [60, () => this.#askByThemselves(hand)],
      [27, () => this.#askAboutMany(hand)],
    ]);
    await act();
  }

  async #turn(hand: Hand): Promise<void> {
    const free = this.#current.filter(({ busy }) => !busy);
    if (free.length === 0) return this.#askAboutMany(hand);
    const right = hand.dice.pick(free);
    right.busy = true;
    this.#hot = [right, ...this.#hot.filter((other) => other !== right)].slice(0, 8);
    const { payload, replica, shown } = await right.turn(hand);
    if (payload !== null && shown.length > 0) {
      const { by, asked } = hand.dice.pick(shown);
      await hand.ask(by, [asked], { not: replica });
    }
    right.busy = false;
    if (!right.over) return;
    this.#current.splice(this.#current.indexOf(right), 1);
    this.#over.push(right);
    if (this.#over.length > mostKept) this.#over.shift();
    await this.#join(hand, this.rights);
  }

  #pick(dice: Dice): Right {
    if (this.#hot.length > 0 && dice.chance(0.5)) return dice.pick(this.#hot);
    return dice.pick(this.#over.length > 0 && dice.chance(0.05) ? this.#over : this.#current);
  }

  async #askByThemselves(hand: Hand): Promise<void> {
    const { by, asked } = hand.dice.pick(this.#pick(hand.dice).shown());
    await hand.ask(by, [asked]);
  }

  async #askAboutMany(hand: Hand): Promise<void> {
    const { dice } = hand;
    const asked: Asked[] = [];
    for (let left = 1 + dice.below(longestBatch); left > 0; left -= 1) {
      const about = this.#pick(dice)
        .shown()
        .find(({ by }: Shown) => by === null);
      if (about !== undefined) asked.push(about.asked);
    }
    if (asked.length > 0) await hand.ask(null, asked);
  }

  /** Another right; most are people's. When a server is killed meanwhile, it is made once more under another name. */
  async #join(hand: Hand, kind: number): Promise<void> {
    for (let attempt = 1; attempt <= mostAttempts; attempt += 1) {
      const right = await made(this.#making(hand, kind));
      if (right !== null) return this.#add(right);
    }
    throw new Error(`a right could not be made in ${mostAttempts} attempts`);
  }

  #making(hand: Hand, kind: number): Promise<Right> {
    const shared = this.#shared;
    if (shared === null) throw new Error('nothing is shared yet');
    const name = `r${(this.rights += 1)}`;
    if (kind % 6 === 3) return Delegate.make(hand, name, shared);
    if (kind % 6 === 5) return Subject.make(hand, name, kind % 12 === 5 ? 'agency' : 'service', shared);
    return Person.make(hand, { name, ...shared });
  }

  #anybody(): Hand {
    const [hand] = this.#hands;
    if (hand === undefined) throw new Error('there are no clients');
    return hand;
  }

  #add(right: Right): void {
    this.#current.push(right);
  }
}

async function sharedBy(hand: Hand): Promise<Shared & { readonly denyId: string }> {
  const make = async (mutation: string, input: object, select: string) => {
    const { payload } = await hand.change({ mutation, input, writes: [], select });
    if (payload === null) throw new Error(`${mutation} was not acknowledged`);
    return payload;
  };
  const account = await make('setAuthorizationMode', { mode: 'STRICT' }, 'account { id }');
  const policy = async (name: string, content: object): Promise<string> =>
    idOf(await make('createPolicy', { name, document: content }, 'policy { id }'), 'policy');
  const allowId = await policy('allows', document('Allow', action));
  const denyId = await policy('denies', document('Deny', action));
  const worksId = await policy('works', document('Allow', 'bailiwick:resources:*', 'iam:agencies:assume'));
  const trainsId = await policy('trains', document('Allow', 'modelarts:trainJob:*'));
  const service = await make('createService', { name: 'modelarts' }, 'service { id } accessKeyId secretAccessKey');
  for (const policyId of [worksId, trainsId]) {
    const subject = { service: idOf(service, 'service') };
    await make('grantPolicy', { policyId, subject, scope: { all: true } }, '');
  }
  const { accessKeyId, secretAccessKey } = service as unknown as {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
  };
  return {
    accountId: plainIdOf(account, 'account'),
    allowId,
    denyId,
    service: { kind: 'key', accessKeyId, secretAccessKey, headers: { 'x-workspace-id': '0' } },
  };
}
