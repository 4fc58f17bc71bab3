/**
 * Groups, and users without one, with what is granted to them: from a file with the answers of `GroupPolicies` and
 * `UserPolicies` (schema/operations), or asked of a server by these very documents.
 */
import { readFile } from 'node:fs/promises';
import type { GrantScopeKind } from '../iam/index.js';
import { parsePolicy, type PolicySource } from '../policy/index.js';
import { StartRefused } from './refusal.js';

export interface HeldScope {
  readonly scopeKind: GrantScopeKind;
  /** Id of the workspace or enterprise project, as the API has it; blank for other kinds. */
  readonly scopeId: string;
  /** Name for people; null where there is none. */
  readonly scopeName: string | null;
}

export interface Holder {
  readonly kind: 'group' | 'user';
  readonly name: string;
  readonly sources: readonly PolicySource<HeldScope>[];
}

type Json = Readonly<Record<string, unknown>>;

/** Reads the answers in a file: one, or an array of them. */
export async function readHolders(file: string): Promise<readonly Holder[]> {
  let answers: unknown;
  try {
    answers = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new StartRefused(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  return holdersIn(Array.isArray(answers) ? answers : [answers]);
}

export function holdersIn(answers: readonly unknown[]): readonly Holder[] {
  const holders = answers.flatMap((answer) => {
    const whole = asObject(answer, 'an answer');
    const data = whole['data'] === undefined ? whole : asObject(whole['data'], '`data` of an answer');
    const groups = data['groups'] === undefined ? [] : nodesOf(data['groups'], 'groups');
    const users = data['users'] === undefined ? [] : nodesOf(data['users'], 'users');
    // Root needs no grant, and what groups bring stands with the groups.
    const alone = users.filter(({ root, groups: of }) => root !== true && nodesOf(of, 'groups of a user').length === 0);
    return [...groups.map((each) => holderOf('group', each)), ...alone.map((each) => holderOf('user', each))];
  });
  if (holders.length === 0) throw new StartRefused('there are no groups in what was answered; export `GroupPolicies`');
  return holders;
}

function holderOf(kind: Holder['kind'], { name, grants }: Json): Holder {
  const whose = `${kind} ${String(name)}`;
  const nodes = nodesOf(grants, `grants of ${whose}`);
  if (asObject((grants as Json)['pageInfo'] ?? {}, 'pageInfo')['hasNextPage'] === true) {
    throw new StartRefused(`${whose} has more grants than one page; nothing is said from a part of them`);
  }
  const sources = nodes.filter(({ expired }) => expired !== true).map((grant) => sourceOf(grant, whose));
  return { kind, name: String(name), sources };
}

function sourceOf({ scope, policy }: Json, whose: string): PolicySource<HeldScope> {
  const { name, documentText } = asObject(policy, `a policy of ${whose}`);
  const { document } = parsePolicy(typeof documentText === 'string' ? documentText : '', 'SYSTEM');
  if (document === null) throw new StartRefused(`policy ${String(name)} of ${whose} has no document that can be read`);
  const { kind, workspace, enterpriseProject } = asObject(scope, `the scope of a grant of ${whose}`);
  const scopeKind = kind as GrantScopeKind;
  const place = scopeKind === 'WORKSPACE' ? workspace : scopeKind === 'ENTERPRISE_PROJECT' ? enterpriseProject : null;
  const needsPlace = scopeKind === 'WORKSPACE' || scopeKind === 'ENTERPRISE_PROJECT';
  const named = needsPlace ? asObject(place, `the place of a grant of ${whose}`) : {};
  const origin = {
    scopeKind,
    scopeId: typeof named['id'] === 'string' ? named['id'] : '',
    scopeName: typeof named['name'] === 'string' ? named['name'] : null,
  };
  return { name: String(name), document, origin };
}

function nodesOf(connection: unknown, what: string): readonly Json[] {
  const { nodes } = asObject(connection, what);
  if (!Array.isArray(nodes)) throw new StartRefused(`${what} cannot be read: there are no \`nodes\``);
  return nodes.map((each) => asObject(each, `one of ${what}`));
}

// What the caller may not read is null in the answer, and leaving it out would tell that somebody has less.
function asObject(value: unknown, what: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw new StartRefused(
    `${what} cannot be read; it takes account scope and the permissions that \`bailiwick operations\` says of the export`,
  );
}

/** How long one request to a server may take. */
const patience = 30_000;

/** Asks a server, page by page. */
export async function fetchHolders(url: string, token: string): Promise<readonly Holder[]> {
  const answers: unknown[] = [];
  for (const [name, list] of [
    ['GroupPolicies', 'groups'],
    ['UserPolicies', 'users'],
  ] as const) {
    const query = await readFile(new URL(`../../schema/operations/${name}.graphql`, import.meta.url), 'utf8');
    for (let after: string | null = null, more = true; more;) {
      const data: Json = await ask(url, token, { query, variables: { after } });
      answers.push(data);
      const page: Json = asObject(asObject(data[list], list)['pageInfo'], 'pageInfo');
      after = typeof page['endCursor'] === 'string' ? page['endCursor'] : null;
      more = page['hasNextPage'] === true && after !== null;
    }
  }
  return holdersIn(answers);
}

async function ask(url: string, token: string, body: object): Promise<Json> {
  let answer: unknown;
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(patience),
      redirect: 'error',
    });
    answer = await response.json();
  } catch (error) {
    throw new StartRefused(`${url} does not answer: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { data, errors } = asObject(answer, 'the answer of the server');
  if (Array.isArray(errors) && errors.length > 0) {
    const { message } = asObject(errors[0], 'an error of the server');
    throw new StartRefused(`the server refuses: ${String(message)}`);
  }
  return asObject(data, 'the answer of the server');
}
