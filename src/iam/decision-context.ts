/**
 * The condition keys of a question, as far as they are asked for: what the server itself knows (docs/domain.md section a2),
 * then what it was told. What it knows comes first, so that nothing a caller sends can stand in for it (rule 17).
 */
import { buildContext, type RequestContext } from '../policy/index.js';
import type { Environment, Principal, Question, ScopeFacts } from './authorizer.js';
import { principalUrn } from './directory-urns.js';
import type { Tag } from './records.js';

/** Whom and what a question is about. */
interface Asked {
  readonly principal: Principal;
  readonly facts: ScopeFacts;
  readonly environment: Environment;
  readonly question: Question;
}

/** What is known of one key: null or blank when nothing is. */
type Known = (asked: Asked) => string | null;

const ofUser =
  (known: (principal: Principal) => string): Known =>
  ({ principal }) =>
    principal.kind === 'USER' || principal.kind === 'ROOT' ? known(principal) : null;

const knownKeys: ReadonlyMap<string, Known> = new Map<string, Known>([
  ['g:currenttime', ({ environment }) => new Date(environment.now).toISOString().replace(/\.\d{3}Z$/, 'Z')],
  ['g:domainid', ({ facts }) => facts.account.id],
  ['g:domainname', ({ facts }) => facts.account.name],
  ['g:principalid', ({ principal }) => principal.id],
  ['g:principaltype', ({ principal: { kind } }) => (kind === 'ROOT' ? 'User' : capitalise(kind))],
  ['g:principalisrootuser', ({ principal }) => String(principal.kind === 'ROOT')],
  ['g:principalurn', ({ facts, principal }) => principalUrn(facts.account.id, principal)],
  ['g:mfapresent', ({ principal }) => String(principal.mfaAt !== null)],
  [
    'g:mfaage',
    ({ principal: { mfaAt }, environment }) =>
      mfaAt === null ? null : String(Math.max(0, Math.floor((environment.now - mfaAt) / 1000))),
  ],
  ['g:userid', ofUser(({ id }) => id)],
  ['g:username', ofUser(({ name }) => name)],
  ['g:sourceip', ({ environment }) => environment.sourceAddress],
  ['hw:sourceip', ({ environment }) => environment.sourceAddress],
  [
    'g:viaservice',
    // The principal itself is at the other end; who asks for another says whether it does so on that one's behalf.
    ({ environment, principal }) =>
      environment.sourceAddress !== null && principal.kind !== 'AGENCY' ? 'false' : null,
  ],
  ['g:servicename', ({ question: { action } }) => action.slice(0, action.indexOf(':')).toLowerCase()],
  ['g:projectname', ({ facts }) => facts.workspace?.name ?? null],
  ['g:enterpriseprojectid', ({ facts }) => facts.workspace?.enterpriseProjectId ?? null],
  [
    'g:resourceaccount',
    ({ question: { resource }, facts }) => (resource === null ? null : (segmentOf(resource, 2) ?? facts.account.id)),
  ],
  ['g:requestedregion', ({ question: { resource } }) => (resource === null ? null : segmentOf(resource, 1))],
]);

/** One address under two names: said under one alone, it must not escape a Deny that compares the other. */
const otherName: ReadonlyMap<string, string> = new Map([
  ['g:sourceip', 'hw:sourceip'],
  ['hw:sourceip', 'g:sourceip'],
]);

export class DecisionContext implements RequestContext, Asked {
  readonly principal: Principal;
  readonly facts: ScopeFacts;
  readonly environment: Environment;
  readonly question: Question;
  /** What was found of each key that was asked for. */
  #found: Map<string, readonly string[] | undefined> | null = null;
  #toldKeys: RequestContext | null = null;

  constructor(principal: Principal, facts: ScopeFacts, environment: Environment, question: Question) {
    this.principal = principal;
    this.facts = facts;
    this.environment = environment;
    this.question = question;
  }

  get(key: string): readonly string[] | undefined {
    const found = (this.#found ??= new Map<string, readonly string[] | undefined>());
    const known = found.get(key);
    if (known !== undefined || found.has(key)) return known;
    const values = this.#know(key) ?? this.#told(key);
    found.set(key, values);
    return values;
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  #know(key: string): readonly string[] | null {
    const { question } = this;
    const value = knownKeys.get(key)?.(this) ?? null;
    if (value !== null && value !== '') return [value];
    if (key.startsWith(resourceTag)) return tagValue(question.tags, resourceTag, key);
    if (key.startsWith(requestTag)) return tagValue(question.requestTags, requestTag, key);
    if (key !== 'g:tagkeys' || question.requestTags === undefined || question.requestTags.length === 0) return null;
    return question.requestTags.map((tag) => tag.key);
  }

  #told(key: string): readonly string[] | undefined {
    const { context } = this.question;
    if (context === undefined) return undefined;
    const told = (this.#toldKeys ??= isBuilt(context) ? context : buildContext(context));
    const other = otherName.get(key);
    return told.get(key) ?? (other === undefined ? undefined : told.get(other));
  }
}

/** Whether it is what `buildContext` would make of it; so is what most questions bring. */
function isBuilt(context: ReadonlyMap<string, readonly string[]>): boolean {
  for (const [key, values] of context) if (values.length === 0 || key !== key.toLowerCase()) return false;
  return true;
}

const resourceTag = 'g:resourcetag/';
const requestTag = 'g:requesttag/';

/** Keys of tags go without letter case; of two that are one, the later that says something counts. */
function tagValue(tags: readonly Tag[] | undefined, prefix: string, key: string): readonly string[] | null {
  const value = tags?.findLast((tag) => tag.value !== '' && `${prefix}${tag.key}`.toLowerCase() === key)?.value;
  return value === undefined ? null : [value];
}

/** Segment of a URN, `service:region:account:type:id`; null where it names nothing in particular. */
function segmentOf(urn: string, segment: number): string | null {
  const text = urn.split(':')[segment] ?? '';
  return text === '' || text === '*' ? null : text;
}

function capitalise(word: string): string {
  return word.charAt(0) + word.slice(1).toLowerCase();
}
