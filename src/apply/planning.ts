/** What a plan is made of: changes, the steps that carry them out, the order of these, and what all kinds share. */
import type { Grant, Instant } from '../iam/index.js';
import {
  fold,
  type Call,
  type DirectoryInputs,
  type DirectoryOperation,
  type Id,
  type UserProblem,
} from '../iam/index.js';
import type { Current } from './current.js';
import type { DocumentKind, FileProblem, Place, Wanted } from './documents.js';

export type Verb = 'CREATE' | 'UPDATE' | 'DELETE' | 'KEEP';

export interface Detail {
  readonly field: string;
  /** Null where there is none. */
  readonly before: string | null;
  readonly after: string | null;
}

export interface PlannedChange {
  readonly verb: Verb;
  readonly kind: DocumentKind;
  /** Its name; of a grant, what it gives to whom and where. */
  readonly name: string;
  /** Null: no file speaks of it. */
  readonly place: Place | null;
  readonly details: readonly Detail[];
  readonly steps: readonly Step[];
}

/** Ids of what is there and of what has been made so far, by kind and name. */
export interface Ids {
  of(kind: Exclude<DocumentKind, 'Grant'>, name: string): Id;
}

export interface Step<O extends DirectoryOperation = DirectoryOperation> {
  readonly operation: O;
  readonly stage: number;
  /** Made when its turn has come: only then are all the ids known. */
  readonly input: (ids: Ids) => DirectoryInputs[O];
  /** Name under which the answered id is known from then on. */
  readonly makes: { readonly kind: Exclude<DocumentKind, 'Grant'>; readonly name: string } | null;
}

/**
 * The order in which changes are made, so that each finds what it names, so that groups have their grants, Denies among
 * them, before people join, and so that whoever will administer does before others cease to: the last administrator
 * cannot go before the next one is there. Policies go last, when the grants are gone that went with what had them.
 */
export const stages = [
  'create projects',
  'change projects',
  'create policies',
  'change policies',
  'create groups',
  'change groups',
  'create workspaces',
  'grant to groups',
  'create users',
  'change administrators',
  'change users',
  'grant to users',
  'change workspaces',
  'revoke grants',
  'delete users',
  'delete groups',
  'disable projects',
  'delete projects',
  'delete policies',
] as const;

export function step<O extends DirectoryOperation>(
  stage: (typeof stages)[number],
  operation: O,
  input: Step<O>['input'],
  makes: Step['makes'] = null,
): Step {
  // A list of steps of any operation; each still goes with the input of its own.
  return { operation, stage: stages.indexOf(stage), input, makes };
}

/** Kinds of which `--prune` takes away what the files do not name. */
export const prunableKinds = ['Grant', 'User', 'Group', 'Policy', 'EnterpriseProject'] as const;

export type PrunableKind = (typeof prunableKinds)[number];

export interface Planning {
  readonly call: Pick<Call, 'catalogue'>;
  readonly now: Instant;
  readonly current: Current;
  readonly prune: ReadonlySet<DocumentKind>;
  readonly wanted: WantedByName;
  readonly changes: PlannedChange[];
  readonly problems: FileProblem[];
}

/** Documents of each kind by their names as names compare. */
export type WantedByName = {
  readonly [K in Exclude<DocumentKind, 'Grant'>]: ReadonlyMap<string, Extract<Wanted, { readonly kind: K }>>;
} & { readonly Grant: readonly Extract<Wanted, { readonly kind: 'Grant' }>[] };

export interface Plan {
  readonly changes: readonly PlannedChange[];
  readonly problems: readonly FileProblem[];
}

export function twice(kind: DocumentKind, name: string, place: Place, other: Place): FileProblem {
  return { place, message: `the ${kind} ${quoted(name)} is in ${other.file}:${other.line} already` };
}

/** As it may stand on a terminal, whatever is in it. */
export function quoted(name: string): string {
  return `\`${JSON.stringify(name).slice(1, -1)}\``;
}

/** The place of a field that names others. */
export function placeOf({ place, lines }: Pick<Wanted, 'place' | 'lines'>, field: string): Place {
  return { file: place.file, line: lines[field] ?? place.line, column: place.column };
}

/** Whether there will be one of this name when the plan has been carried out. */
export function willBe(
  { current, wanted, prune }: Planning,
  kind: Exclude<DocumentKind, 'Grant'>,
  name: string,
): boolean {
  const folded = fold(name);
  if (wanted[kind].has(folded)) return true;
  const there = {
    EnterpriseProject: current.projects,
    Policy: current.policies,
    Group: current.groups,
    User: current.users,
    Workspace: current.workspaces,
  }[kind].get(folded);
  return there !== undefined && (!prune.has(kind) || isKept(there));
}

/** What belongs to every account, or to the product itself, is neither said by files nor pruned. */
export function isKept(record: object): boolean {
  const { id, origin, builtIn, root } = record as Readonly<Record<string, unknown>>;
  return id === '0' || origin === 'SYSTEM' || builtIn === true || root === true;
}

export function hasEnded({ expiresAt }: Pick<Grant, 'expiresAt'>, now: Instant): boolean {
  return expiresAt !== null && expiresAt <= now;
}

/** Fields that differ. */
export function differences(fields: readonly Detail[]): readonly Detail[] {
  return fields.filter(({ before, after }) => before !== after);
}

/** The fields of what is made; those that say nothing are left out. */
export function created(
  fields: Readonly<Record<string, string | boolean | readonly string[] | null>>,
): readonly Detail[] {
  return Object.entries(fields).flatMap(([field, value]) => {
    const after = typeof value === 'object' && value !== null ? value.join(', ') : String(value ?? '');
    return after === '' || value === true ? [] : [{ field, before: null, after }];
  });
}

/** Plans that something goes, for which no file speaks, with the grants that go with it. */
export function planDeletion(
  { changes }: Planning,
  gone: { readonly kind: DocumentKind; readonly name: string; readonly by: Step; readonly grants?: number | undefined },
): void {
  const { kind, name, by, grants = 0 } = gone;
  const details = grants === 0 ? [] : [{ field: 'grants', before: String(grants), after: null }];
  changes.push({ verb: 'DELETE', kind, name, place: null, details, steps: [by] });
}

/** How many grants there are for each, counted in one walk: an account may have as many as it has users. */
export function countGrants({ grants }: Current, idOf: (grant: Grant) => Id | null): ReadonlyMap<Id, number> {
  const counts = new Map<Id, number>();
  for (const grant of grants) {
    const id = idOf(grant);
    if (id !== null) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}

export function report({ problems }: Planning, place: Place, found: readonly (UserProblem | null)[]): void {
  for (const fault of found) if (fault !== null) problems.push({ place, message: fault.message });
}
