/** A history in which decisions are made and kept, and then every one of them recalled. */
import { isDeepStrictEqual } from 'node:util';
import {
  checkAccess,
  recallAccess,
  type AccessRequest,
  type Instant,
  type Moment,
  type ShownDecision,
} from '../../src/iam/index.js';
import { must, Scene } from '../iam/scene.js';
import { Dice } from '../replay/random.js';
import { History } from './history.js';

export interface RecallOptions {
  readonly seed: number;
  readonly steps: number;
  /** Decisions that are made after each step. */
  readonly decisions?: number;
  /** Recall each in every way of naming its moment, instead of one. */
  readonly thorough?: boolean;
  readonly told?: (step: number) => void;
}

export interface Recalled {
  /** Decisions that were made and recalled, in each way of naming the moment. */
  readonly recalled: number;
  /** By reason. */
  readonly reasons: ReadonlyMap<string, number>;
  readonly done: ReadonlyMap<string, number>;
  readonly found: readonly string[];
  readonly milliseconds: { readonly history: number; readonly recall: number };
}

interface Kept {
  readonly step: number;
  readonly at: Instant;
  readonly revision: number;
  readonly requests: readonly AccessRequest[];
  readonly decisions: readonly ShownDecision[];
}

const actions = [
  'modelarts:notebook:get',
  'modelarts:notebook:update',
  'modelarts:trainJob:create',
  'modelarts:notebook:list',
  'modelarts:workspace:list',
  'iam:users:getUser',
  'bailiwick:audit:list',
  'bailiwick:session:use',
  'own-1:thing:use',
  'own-2:thing:use',
];

export async function recallHistory(databaseUrl: string, options: RecallOptions): Promise<Recalled> {
  const { seed, steps, decisions = 8, told = () => undefined } = options;
  const scene = await Scene.open(databaseUrl);
  try {
    const dice = new Dice(seed);
    const history = new History(scene, dice);
    const began = performance.now();
    // Before there is anybody, nobody can be asked about.
    for (let first = 0; first < 30; first += 1) await history.happen();
    const kept: Kept[] = [];
    const marks: { readonly at: Instant; readonly revision: number }[] = [];
    for (let step = 0; step < steps; step += 1) {
      await history.happen();
      const call = await history.root();
      const revision = call.account?.revision ?? 0;
      marks.push({ at: call.now, revision });
      const requests = Array.from({ length: decisions }, () => requestOf(history));
      const made = must(await checkAccess(scene.iam, scene.iam.calls, call, requests));
      kept.push({ step, at: call.now, revision, requests, decisions: made });
      told(step + 1);
    }
    // What follows the last of them, so that each is of the past.
    scene.clock.at += 1;
    for (let more = 0; more < 20; more += 1) await history.happen();
    scene.clock.at += 1;
    const made = performance.now();
    const found: string[] = [];
    const reasons = new Map<string, number>();
    let recalled = 0;
    for (const one of kept) {
      const call = await history.root();
      // An instant is not enough where something happened twice in it.
      const last = !marks.some(({ at, revision }) => at <= one.at && revision > one.revision);
      for (const moment of options.thorough === true ? momentsOf(one, last) : [dice.pick(momentsOf(one, last))]) {
        const told = must(await recallAccess(scene.iam, scene.iam.calls, call, one.requests, moment));
        for (const [index, { decision, unknown }] of told.decisions.entries()) {
          recalled += 1;
          const then = one.decisions[index];
          if (then !== undefined) reasons.set(then.reason, (reasons.get(then.reason) ?? 0) + 1);
          if (isDeepStrictEqual(decision, then)) continue;
          const lines = { moment, step: one.step, request: one.requests[index], then, unknown, recalled: decision };
          found.push(JSON.stringify(lines, null, 1));
        }
      }
    }
    const milliseconds = { history: made - began, recall: performance.now() - made };
    return { recalled, reasons, done: history.done, found, milliseconds };
  } finally {
    await scene.close();
  }
}

function momentsOf({ at, revision }: Kept, last: boolean): readonly Moment[] {
  const exact = { at, revision };
  return last ? [exact, { at, revision: null }] : [exact];
}

function requestOf(history: History): AccessRequest {
  const { dice } = history;
  const workspaceId = dice.chance(0.25)
    ? null
    : dice.chance(0.03)
      ? 'e'.repeat(32)
      : history.recent(history.workspaces);
  return {
    principal: history.principal(),
    action: dice.pick(actions),
    resource: dice.chance(0.5) ? dice.pick(history.urns) : null,
    workspaceId,
    context: dice.chance(0.2) ? [{ key: 'modelarts:poolType', values: [dice.pick(['public', 'dedicated'])] }] : [],
  };
}
