/**
 * Carries a plan out: step by step in the order of the stages, many steps in one transaction. A transaction that fails
 * has changed nothing; its steps are then tried one by one, so that all before the one that cannot be done are done. What
 * was done stays, and the next plan holds what remains: there is nothing to resume, only the same files to apply again.
 */
import { randomUUID } from 'node:crypto';
import { changeDirectory, fold, type DirectoryOperation, type Iam, type Id, type Outcome } from '../iam/index.js';
import type { Current } from './current.js';
import type { DocumentKind } from './documents.js';
import type { Ids, Plan, PlannedChange, Step } from './planning.js';

export interface Carried {
  /** Steps that are done, of all. */
  readonly done: number;
  readonly total: number;
  /** The change that could not be made, and why; null when all was done or it was stopped. */
  readonly failure: { readonly change: PlannedChange; readonly message: string } | null;
}

export interface Carrying {
  readonly accountId: Id;
  /** With whose rights; null: those of root. */
  readonly userId: Id | null;
  readonly current: Current;
  readonly tell?: (done: number, total: number, operation: DirectoryOperation) => void;
  /** Asked between two transactions. */
  readonly isStopped?: () => boolean;
  readonly atOnce?: number;
}

interface Turn {
  readonly change: PlannedChange;
  readonly step: Step;
}

/** How many steps go into one transaction: users are stored together, everything else one after another. */
const mostAtOnce = 500;

const fewer: Partial<Record<DirectoryOperation, number>> = {
  grantPolicy: 100,
  createPolicy: 100,
  createPolicyVersion: 50,
  updateWorkspace: 20,
  deleteGroup: 20,
};

export async function carryOut(iam: Iam, plan: Plan, carrying: Carrying): Promise<Carried> {
  const { accountId, userId, tell = () => undefined, isStopped = () => false, atOnce = mostAtOnce } = carrying;
  const turns = plan.changes
    .flatMap((change) => change.steps.map((step): Turn => ({ change, step })))
    .sort((one, other) => one.step.stage - other.step.stage);
  const known = new KnownIds(carrying.current);
  // One id for the whole run, by which the trail shows what belongs together.
  const requestId = randomUUID().replaceAll('-', '');
  const attempt = async (some: readonly Turn[]): Promise<string | null> => {
    const [first] = some;
    if (first === undefined) return null;
    const inputs = some.map(({ step }) => step.input(known));
    const call = await iam.calls.openOperator(requestId, accountId, userId);
    const outcome = await changeDirectory(iam, call, first.step.operation, inputs);
    if (outcome.kind !== 'succeeded') return describeFault(outcome);
    outcome.value.forEach((id, index) => known.note(some[index]?.step.makes ?? null, id));
    return null;
  };
  let done = 0;
  while (done < turns.length && !isStopped()) {
    const some = together(turns, done, atOnce);
    const fault = await attempt(some);
    if (fault === null) done += some.length;
    else {
      for (const turn of some) {
        const message = some.length === 1 ? fault : await attempt([turn]);
        if (message !== null) return { done, total: turns.length, failure: { change: turn.change, message } };
        done += 1;
      }
    }
    tell(done, turns.length, some[0]?.step.operation ?? 'createUser');
  }
  return { done, total: turns.length, failure: null };
}

/** The steps from here on that go into one transaction: of one stage and one operation. */
function together(turns: readonly Turn[], from: number, atOnce: number): readonly Turn[] {
  const first = turns[from]?.step;
  if (first === undefined) return [];
  const most = Math.min(atOnce, fewer[first.operation] ?? mostAtOnce);
  let to = from + 1;
  while (to < turns.length && to - from < most) {
    const { operation, stage } = turns[to]?.step ?? first;
    if (operation !== first.operation || stage !== first.stage) break;
    to += 1;
  }
  return turns.slice(from, to);
}

function describeFault(outcome: Exclude<Outcome<unknown>, { readonly kind: 'succeeded' }>): string {
  if (outcome.kind === 'invalid') return outcome.problems.map(({ message }) => message).join('; ');
  const { action, reason } = outcome.decision;
  return `you may not do this: \`${action}\` is refused (${reason})`;
}

class KnownIds implements Ids {
  readonly #ids = new Map<string, Id>();

  constructor({ projects, policies, groups, users, workspaces }: Current) {
    const there = { EnterpriseProject: projects, Policy: policies, Group: groups, User: users, Workspace: workspaces };
    for (const [kind, records] of Object.entries(there)) {
      for (const [name, { id }] of records) this.#ids.set(`${kind}\n${name}`, id);
    }
  }

  of(kind: Exclude<DocumentKind, 'Grant'>, name: string): Id {
    const id = this.#ids.get(`${kind}\n${fold(name)}`);
    // INVARIANT: a plan without problems names nothing that is not there or made before.
    if (id === undefined) throw new Error(`the plan names ${kind} ${name} before it is made`);
    return id;
  }

  note(makes: Step['makes'], id: Id): void {
    if (makes !== null) this.#ids.set(`${makes.kind}\n${fold(makes.name)}`, id);
  }
}
