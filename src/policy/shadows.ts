/**
 * Statements of one document that others of it make idle.
 *
 * Unlike `statementCovers`, both sides meet the same request: what a variable or a key says is the same for both.
 * INVARIANT: nothing is said to be idle wrongly. Without what is named here, all of it at once, the document decides
 * every request as before.
 */
import { readGlob, type Glob, globCovers } from './globs.js';
import { conditionImplies } from './condition-implication.js';
import type { Statement } from './document.js';
import { readOperator } from './operators.js';
import { resourcePatternCovers } from './resources.js';
import { hasVariables } from './templates.js';

export interface Shadow {
  readonly statement: Statement;
  /** REDUNDANT: statements of the same effect cover it. UNREACHABLE: it allows what a Deny keeps back. */
  readonly kind: 'REDUNDANT' | 'UNREACHABLE';
  /** Places in the statement's own list; null when the whole statement is idle. */
  readonly part: { readonly field: 'actions' | 'resources'; readonly places: readonly number[] } | null;
  /** Together they cover it. */
  readonly by: readonly Statement[];
}

/**
 * What of these statements is idle, in their order. Of two that say the same the later one is named.
 *
 * @param namesOf all names of one action, so that a Deny under one name is seen to keep back the others
 * @param asked whether a statement is asked about at all
 */
export function findShadows(
  statements: readonly Statement[],
  namesOf: (action: string) => readonly string[] = (action) => [action],
  asked: (statement: Statement) => boolean = () => true,
): readonly Shadow[] {
  const originals = statements.map((statement) => readStatement(statement, namesOf));
  // What is left when all that was found so far is taken out: two that cover each other must not both be named.
  const left: (ReadStatement | null)[] = [...originals];
  const found: Shadow[] = [];
  for (let place = statements.length - 1; place >= 0; place -= 1) {
    const own = originals[place];
    if (own === undefined || !asked(own.statement)) continue;
    const { effect } = own.statement;
    const denials = originals.filter(({ statement }) => statement.effect === 'DENY');
    const peers = left.filter(
      (other, at): other is ReadStatement => at !== place && other !== null && other.statement.effect === effect,
    );
    const kinds = effect === 'ALLOW' ? ([['UNREACHABLE', denials], ['REDUNDANT', peers]] as const) : ([['REDUNDANT', peers]] as const); // prettier-ignore
    for (const [kind, others] of kinds) {
      const rest = left[place] ?? null;
      if (rest === null) break;
      const shadow = shadowOf(rest, kind, others);
      if (shadow === null) continue;
      found.push({ ...shadow, statement: own.statement, part: placesIn(own.statement, shadow.part) });
      left[place] = shadow.part === null ? null : readStatement(without(rest.statement, shadow.part), namesOf);
    }
  }
  return found.sort((a, b) => statements.indexOf(a.statement) - statements.indexOf(b.statement));
}

interface Part {
  readonly field: 'actions' | 'resources';
  readonly entries: readonly string[];
}

function shadowOf(
  own: ReadStatement,
  kind: Shadow['kind'],
  others: readonly ReadStatement[],
): (Omit<Shadow, 'part' | 'statement'> & { readonly part: Part | null }) | null {
  const likely = others.filter((other) => conditionsCovered(other.statement, own.statement));
  if (likely.length === 0) return null;
  const everywhere = likely.filter((other) => resourcesCovered(other.statement, own.statement));
  const whole = everywhere.find((other) => actionsCovered(other, own));
  if (whole !== undefined) return { kind, part: null, by: [whole.statement] };
  const { actions, notActions, resources } = own.statement;
  if (notActions === null) {
    const part = share(
      actions.map((entry, place) => [entry, everywhere.find((other) => actionCovered(other, own.actions[place]))]),
    );
    if (part !== null) return { kind, by: part.by, part: part.whole ? null : { field: 'actions', ...part } };
  }
  if (resources === null) return null;
  const wide = likely.filter((other) => actionsCovered(other, own));
  const part = share(
    resources.map((entry) => [
      entry,
      wide.find((other) => resourcesCovered(other.statement, { ...own.statement, resources: [entry] })),
    ]),
  );
  return part === null ? null : { kind, by: part.by, part: part.whole ? null : { field: 'resources', ...part } };
}

function share(
  entries: readonly (readonly [string, ReadStatement | undefined])[],
): { readonly entries: readonly string[]; readonly by: readonly Statement[]; readonly whole: boolean } | null {
  const covered = entries.filter(([, by]) => by !== undefined);
  if (covered.length === 0) return null;
  const by = [...new Set(covered.flatMap(([, other]) => (other === undefined ? [] : [other.statement])))];
  return { entries: covered.map(([entry]) => entry), by, whole: covered.length === entries.length };
}

function placesIn(statement: Statement, part: Part | null): Shadow['part'] {
  if (part === null) return null;
  const listed = statement[part.field] ?? [];
  const places = listed.flatMap((entry, place) => (part.entries.includes(entry) ? [place] : []));
  return { field: part.field, places };
}

function without(statement: Statement, { field, entries }: Part): Statement {
  return { ...statement, [field]: (statement[field] ?? []).filter((entry) => !entries.includes(entry)) };
}

/** A statement with its action patterns read once: a document may have hundreds, each to be laid over all others. */
interface ReadStatement {
  readonly statement: Statement;
  readonly actions: readonly ReadAction[];
  /** Names without wildcards, in lower case. */
  readonly plain: ReadonlySet<string>;
  readonly wild: readonly ReadAction[];
  readonly every: boolean;
}

interface ReadAction {
  readonly wild: boolean;
  /** A plain action under all its names. */
  readonly names: readonly (readonly Segment[])[];
  readonly texts: readonly string[];
}

interface Segment {
  readonly text: string;
  readonly glob: Glob;
  readonly wild: boolean;
}

function readStatement(statement: Statement, namesOf: (action: string) => readonly string[]): ReadStatement {
  const actions = statement.actions.map((pattern): ReadAction => {
    const wild = isWild(pattern);
    const texts = (wild ? [pattern] : [...namesOf(pattern), pattern]).map((text) => text.toLowerCase());
    return { wild, texts, names: texts.map((text) => text.split(':').map(readSegment)) };
  });
  return {
    statement,
    actions,
    plain: new Set(statement.actions.filter((action) => !isWild(action)).map((action) => action.toLowerCase())),
    wild: actions.filter(({ wild }) => wild),
    every: statement.notActions === null ? statement.actions.some(isEvery) : statement.notActions.length === 0,
  };
}

function readSegment(text: string): Segment {
  return { text, glob: readGlob(text), wild: isWild(text) };
}

function isWild(text: string): boolean {
  return /[*?]/.test(text);
}

function isEvery(pattern: string): boolean {
  return /^\*+$/.test(pattern);
}

function actionCovered(other: ReadStatement, action: ReadAction | undefined): boolean {
  if (action === undefined) return false;
  if (other.every) return true;
  if (!action.wild && action.texts.some((text) => other.plain.has(text))) return true;
  return other.wild.some(({ names: [wide = []] }) => action.names.some((narrow) => segmentsCover(wide, narrow)));
}

function segmentsCover(wide: readonly Segment[], narrow: readonly Segment[]): boolean {
  return (
    wide.length === narrow.length &&
    wide.every((segment, i) => {
      const other = narrow[i];
      if (other === undefined) return false;
      return (
        segment.text === '*' || segment.text === other.text || (segment.wild && globCovers(segment.glob, other.glob))
      );
    })
  );
}

function actionsCovered(other: ReadStatement, own: ReadStatement): boolean {
  if (other.every) return true;
  const { notActions } = own.statement;
  if (notActions === null) return own.actions.every((action) => actionCovered(other, action));
  const exceptions = other.statement.notActions;
  // Word for word: an action under any of its names is left out there as well as here.
  return exceptions !== null && exceptions.every((pattern) => notActions.includes(pattern));
}

function resourcesCovered(other: Statement, own: Statement): boolean {
  if (other.notResources !== null) {
    const exceptions = own.notResources ?? [];
    return other.notResources.every((pattern) => !hasVariables(pattern) && exceptions.includes(pattern));
  }
  const patterns = other.resources;
  if (patterns === null) return true;
  const coveredBy = (entry: string): boolean =>
    patterns.some((wider) => wider === entry || resourcePatternCovers(wider, entry));
  return own.notResources === null ? (own.resources ?? ['*']).every(coveredBy) : coveredBy('*');
}

function conditionsCovered(other: Statement, own: Statement): boolean {
  // An operator that nobody knows means one thing in an Allow and another in a Deny.
  if ([...other.conditions, ...own.conditions].some(({ operator }) => readOperator(operator) === null)) return false;
  return other.conditions.every((held) => own.conditions.some((given) => conditionImplies(given, held)));
}
