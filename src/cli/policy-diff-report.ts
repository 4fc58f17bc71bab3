/** What `policy diff` found, for people at a terminal, for a comment on a change, for its checks, and for programs. */
import {
  describeChangedRequest,
  describePolicyChange,
  mayWiden,
  quote,
  type ChangedRequest,
  type PolicyChange,
} from '../catalogue/index.js';
import type { ComparisonVerdict, Evaluation } from '../policy/index.js';
import type { PolicyDifference, PolicyFile } from './policy-diff.js';

export const reportFormats = ['text', 'json', 'github', 'markdown'] as const;

export type ReportFormat = (typeof reportFormats)[number];

export interface ReportOptions {
  readonly format: ReportFormat;
  /** Only what the policies say by themselves counts. */
  readonly alone: boolean;
}

export function printDiff(differences: readonly PolicyDifference[], { format, alone }: ReportOptions): string {
  if (format === 'json') return `${JSON.stringify(differences.map(asJson), null, 2)}\n`;
  const told = differences.map((difference) => tell(difference, alone));
  if (format === 'github') return told.map(asAnnotation).join('');
  return format === 'markdown' ? asMarkdown(told) : asText(told);
}

/** The verdict that counts. */
export function verdictOf({ verdict, verdictBesideOthers }: PolicyChange<unknown>, alone: boolean): ComparisonVerdict {
  return alone ? verdict : verdictBesideOthers;
}

type Witness = ChangedRequest<PolicyFile>;

interface Told {
  readonly name: string;
  readonly note: 'added' | 'removed' | null;
  readonly verdict: ComparisonVerdict;
  readonly sentence: string;
  /** Each witness as a sentence, gains first. */
  readonly witnesses: readonly { readonly gain: boolean; readonly what: string; readonly why: string }[];
  /** The file as it is now; as it was when it was removed. */
  readonly file: string;
  /** Of the statement that now decides the first of them; null when none does. */
  readonly line: number | null;
}

function tell(difference: PolicyDifference, alone: boolean): Told {
  const { name, before, after, change } = difference;
  const { gained, lost, lifted, imposed } = change;
  const found = [
    { gain: true, intro: 'gains', witness: gained },
    { gain: true, intro: 'gains, where another policy allows it,', witness: alone ? null : apart(lifted, 'after') },
    { gain: false, intro: 'loses', witness: lost },
    { gain: false, intro: 'loses, where another policy allows it,', witness: alone ? null : apart(imposed, 'before') },
  ].flatMap(({ witness, ...rest }) => (witness === null ? [] : [{ ...rest, witness }]));
  const [first] = found;
  return {
    name,
    note: before.length === 0 ? 'added' : after.length === 0 ? 'removed' : null,
    verdict: verdictOf(change, alone),
    sentence: describePolicyChange(alone ? { ...change, verdictBesideOthers: change.verdict } : change),
    witnesses: found.map(({ gain, intro, witness }) => ({
      gain,
      what: `${intro} ${describeChangedRequest(witness)}`,
      why: `before ${describeDecision(witness.before)}; now ${describeDecision(witness.after)}`,
    })),
    file: (after[0] ?? before[0])?.file ?? name,
    line: placesOf(first?.witness.after.statements ?? [])[0]?.line ?? null,
  };
}

/** What one side allows by itself is told as gained or lost already. */
function apart(witness: Witness | null, side: 'before' | 'after'): Witness | null {
  return witness === null || witness[side].effect === 'ALLOW' ? null : witness;
}

function describeDecision({ reason, statements }: Evaluation<PolicyFile>): string {
  if (reason === 'NO_MATCHING_ALLOW') return 'nothing allows it';
  const by = placesOf(statements).map(
    ({ file, line, index, sid }) =>
      `statement ${index}${sid === null ? '' : ` ${quote(sid)}`} (${file}${line === null ? '' : `:${line}`})`,
  );
  const shown = by.length > 3 ? `${by.slice(0, 3).join(', ')} and ${by.length - 3} more` : by.join(', ');
  return `${reason === 'ALLOWED' ? 'allowed' : 'denied'} by ${shown}`;
}

interface Place {
  readonly file: string;
  readonly index: number;
  readonly sid: string | null;
  readonly line: number | null;
}

function placesOf(statements: Evaluation<PolicyFile>['statements']): readonly Place[] {
  return statements.map(({ source: { origin }, statement: { index, sid } }) => ({
    file: origin.file,
    index,
    sid,
    line: origin.locate(`/Statement/${index}`)?.line ?? null,
  }));
}

function asText(told: readonly Told[]): string {
  if (told.length === 0) return 'there is no policy on either side\n';
  return told
    .flatMap(({ name, note, verdict, sentence, witnesses }) => [
      `${name}: ${verdict}${note === null ? '' : ` (${note})`}: ${sentence}`,
      ...witnesses.flatMap(({ what, why }) => [`  ${what}`, `    ${why}`]),
    ])
    .map((line) => `${line}\n`)
    .join('');
}

const marks = {
  EQUIVALENT: '✅ same',
  NARROWER: '✅ less',
  WIDER: '⚠️ **more**',
  INCOMPARABLE: '⚠️ **more and less**',
  UNKNOWN: '⚠️ **not decided**',
} as const satisfies Record<ComparisonVerdict, string>;

/** A comment on a change: the table first, what changed below it. Files in which nothing did are counted. */
function asMarkdown(told: readonly Told[]): string {
  const changed = told.filter(({ verdict }) => verdict !== 'EQUIVALENT');
  const wider = changed.filter(({ verdict }) => mayWiden(verdict)).length;
  const same = told.length - changed.length;
  const lines = [
    wider === 0 ? '### Policies allow nothing more' : `### ${wider} of ${told.length} policies may allow more`,
  ];
  if (changed.length > 0) lines.push('', '| Policy | It allows |', '| --- | --- |');
  for (const { name, note, verdict } of changed) {
    lines.push(`| ${cell(name)}${note === null ? '' : ` (${note})`} | ${marks[verdict]} |`);
  }
  for (const { name, sentence, witnesses } of changed) {
    lines.push('', `**${plain(name)}** ${plain(sentence)}`);
    if (witnesses.length > 0) lines.push('');
    lines.push(...witnesses.map(({ what, why }) => `- ${markdown(what)}<br>${markdown(why)}`));
  }
  if (same > 0) lines.push('', `${same === 1 ? 'One policy allows' : `${same} policies allow`} the same as before.`);
  return `${lines.join('\n')}\n`;
}

/** Outside of code spans nothing of a file's text may be markup: names of files are chosen by whoever proposes a change. */
function plain(text: string): string {
  return text
    .replaceAll(/[\u0000-\u001f\u007f]/g, '\ufffd')
    .replaceAll(/[\\`*_{}[\]<>#|~@!&()]/g, (one) => `&#${one.charCodeAt(0)};`);
}

function cell(text: string): string {
  return plain(text);
}

/** Sentences quote what they were given between backticks, in which there are none. */
function markdown(sentence: string): string {
  return sentence
    .split('`')
    .map((part, at) => (at % 2 === 0 ? plain(part) : part === '' ? '(empty)' : `\`${part}\``))
    .join('');
}

/** Commands of GitHub's workflows; what widens is an error, what narrows a notice. */
function asAnnotation({ name, verdict, sentence, witnesses, file, line }: Told): string {
  if (verdict === 'EQUIVALENT') return '';
  const level = mayWiden(verdict) ? 'error' : 'notice';
  const properties = [
    ['file', file],
    ...(line === null ? [] : [['line', String(line)]]),
    ['title', `${verdict}: ${sentence}`],
  ].map(([key = '', value = '']) => `${key}=${escaped(value).replaceAll(':', '%3A').replaceAll(',', '%2C')}`);
  const message = [`${name} ${sentence}`, ...witnesses.map(({ what, why }) => `${what}: ${why}`)].join('\n');
  return `::${level} ${properties.join(',')}::${escaped(message)}\n`;
}

function escaped(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

/** For other programs; members are added, never changed. */
function asJson({ name, before, after, change }: PolicyDifference): object {
  const { verdict, verdictBesideOthers, gained, lost, lifted, imposed } = change;
  return {
    name,
    before: before.map(({ file }) => file),
    after: after.map(({ file }) => file),
    verdict,
    verdictBesideOthers,
    message: describePolicyChange(change),
    gained: witnessAsJson(gained),
    lost: witnessAsJson(lost),
    lifted: witnessAsJson(lifted),
    imposed: witnessAsJson(imposed),
  };
}

function witnessAsJson(witness: Witness | null): object | null {
  if (witness === null) return null;
  const { action, resource, context, before, after } = witness;
  const decision = ({ effect, reason, statements }: Evaluation<PolicyFile>) => ({
    effect,
    reason,
    statements: placesOf(statements),
  });
  return {
    action,
    resource,
    context: context.map(([key, values]) => ({ key, values })),
    before: decision(before),
    after: decision(after),
  };
}
