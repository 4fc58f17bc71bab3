/**
 * What resolvers are given: the call being answered, its loaders, and the business. A context belongs to one operation;
 * its call changes between root mutation fields, so nobody keeps a call for longer than one field.
 */
import type { Arrival, Call, Iam } from '../iam/index.js';
import { createCursors, type Cursors } from './cursors.js';
import { KnownAnswers } from './known-answers.js';
import { createLoaders, type Loaders } from './loaders.js';
import type { Allowance } from './throttle.js';

export interface GraphContext {
  readonly call: Call;
  readonly loaders: Loaders;
  readonly iam: Iam;
  readonly cursors: Cursors;
  readonly answers: KnownAnswers;
  /** What the operation cost its caller; null before that is known, and for strangers. */
  allowance: Allowance | null;
  /** The operation tries to sign somebody in, and whether it did. */
  signIn: 'NONE' | 'TRIED' | 'DONE';
  /** Takes what an operation of nobody costs from whoever it signs in, before anything is answered to them. */
  chargeTo: ((call: Call) => void) | null;
  /** Takes the cost of the subscription from whoever listens, for an event or a look without one; throws when there is not enough. Null where nothing is counted. */
  chargeAgain: (() => void) | null;
  /** Opens the call again from the same credential: actor, rights, memo and loaders are new (rule 21). */
  renew(): Promise<void>;
  /** Answers what is left of the current field as another call: sign-in shows the session that it made. */
  actAs(call: Call): void;
  /** Before a root mutation field: null for the first; later ones wait until the call is opened again. */
  beforeMutation(): Promise<void> | null;
  /** After a root mutation field, before its payload is read: null when `actAs` has chosen who reads it. */
  afterMutation(): Promise<void> | null;
}

/**
 * INVARIANT: plain properties and prototype methods only. Apollo copies a context property by property before it uses
 * it, which loses #private members and freezes what getters of the object itself would answer.
 */
class OperationContext implements GraphContext {
  call: Call;
  loaders: Loaders;
  cursors: Cursors;
  answers = new KnownAnswers();
  allowance: Allowance | null = null;
  signIn: GraphContext['signIn'] = 'NONE';
  chargeTo: GraphContext['chargeTo'] = null;
  chargeAgain: GraphContext['chargeAgain'] = null;
  private mutated = false;
  private acting = false;
  private spent = false;

  constructor(
    readonly iam: Iam,
    call: Call,
    private readonly open: (spent: boolean) => Promise<Call>,
  ) {
    this.call = call;
    this.cursors = createCursors(iam.sealing, call.scope);
    this.loaders = createLoaders(call.reader);
  }

  actAs(call: Call): void {
    this.acting = true;
    this.take(call);
  }

  async renew(): Promise<void> {
    this.acting = false;
    // A request that was received before stays refused, whatever it asks next.
    if (this.call.broken !== null) return;
    this.take(await this.open(this.spent));
  }

  private take(call: Call): void {
    this.call = call;
    this.cursors = createCursors(this.iam.sealing, call.scope);
    this.loaders = createLoaders(call.reader);
    this.answers = new KnownAnswers();
  }

  beforeMutation(): Promise<void> | null {
    if (this.mutated) return this.renew();
    this.mutated = true;
    return this.call.signature === null ? null : this.spend();
  }

  /** Whatever a signed request changes, it changes once: its signature is spent before the first of its mutations. */
  private async spend(): Promise<void> {
    this.take(await this.iam.calls.spend(this.call));
    this.spent = true;
  }

  afterMutation(): Promise<void> | null {
    return this.acting ? null : this.renew();
  }
}

/** The context of an operation whose call is opened, now and later, by `open`. */
export function contextFrom(iam: Iam, open: (spent: boolean) => Promise<Call>): Promise<GraphContext> {
  return open(false).then((call) => new OperationContext(iam, call, open));
}

/** The context of a request as the listener saw it. The clock is read anew whenever the call is opened again. */
export function openContext(iam: Iam, arrival: Arrival): Promise<GraphContext> {
  let opened = false;
  return contextFrom(iam, (spent) => {
    if (opened) return iam.calls.open({ ...arrival, spent, environment: { ...arrival.environment, now: iam.now() } });
    opened = true;
    return iam.calls.open(arrival);
  });
}
