/**
 * What an operation is said to ask, held against what the guard asks when it runs; and the tightest policy, held against
 * the authorizer. Generated from the schema: a new field is covered as soon as it is there.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { execute, getNamedType, isAbstractType, Kind, parse, validate, type DocumentNode } from 'graphql';
import { describe, expect, it } from 'vitest';
import { platformCatalogue, selfPolicy } from '../../src/catalogue/index.js';
import { tightestPolicies } from '../../src/cli/operation-policy.js';
import { contextFrom } from '../../src/graphql/context.js';
import type { AskedPermission, OperationPermissions } from '../../src/graphql/asked-permissions.js';
import { declaredByRules, permissionsOfOperation } from '../../src/graphql/operation-permissions.js';
import { readRules } from '../../src/graphql/rules.js';
import { Call, createSealing, decideBy, type Decision, type Iam, type RequiredScope } from '../../src/iam/index.js';
import { parsePolicy } from '../../src/policy/index.js';
import { selections } from '../matrix/documents.js';
import { rootFields } from '../matrix/fields.js';
import { nothing } from './kit.js';
import { neededArguments, plainSchema, pretendSchema, sameText, type Pretence } from './pretend-schema.js';

const schema = plainSchema();
const rules = readRules(schema);
const declared = declaredByRules(rules);
const pretence: Pretence = { type: null, replayed: false };
const guarded = pretendSchema(schema, rules, pretence);
const sealing = createSealing(new Uint8Array(32));

interface Example {
  readonly name: string;
  readonly text: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** An operation for each root field, or several where one would be too large. */
const generated: readonly Example[] = rootFields(schema).flatMap(({ kind, field, at }) => {
  const args = neededArguments(field);
  const names = Object.keys(args);
  const heads = field.args
    .filter(({ name }) => names.includes(name))
    .map(({ name, type }) => `$${name}: ${String(type)}`);
  const head = heads.length === 0 ? kind : `${kind} Generated(${heads.join(', ')})`;
  const values = names.length === 0 ? '' : `(${names.map((name) => `${name}: $${name}`).join(', ')})`;
  const below = selections(schema, getNamedType(field.type), 3);
  return (below.length === 0 ? [''] : below).map((selection, index) => ({
    name: below.length > 1 ? `${at} ${index + 1}` : at,
    text: `${head} { ${field.name}${values} ${selection} }`,
    variables: args,
  }));
});

const folder = new URL('../../schema/operations/', import.meta.url);
const written: readonly Example[] = readdirSync(folder).map((name) => ({
  name,
  text: readFileSync(new URL(name, folder), 'utf8'),
  variables: neededBy(readFileSync(new URL(name, folder), 'utf8')),
}));

/** The operations as written leave their input to variables of the arguments' names. */
function neededBy(text: string): Readonly<Record<string, unknown>> {
  const [first] = parse(text).definitions;
  const [selection] = first?.kind === Kind.OPERATION_DEFINITION ? first.selectionSet.selections : [];
  if (first?.kind !== Kind.OPERATION_DEFINITION || selection?.kind !== Kind.FIELD) throw new Error('no operation');
  const field = schema.getRootType(first.operation)?.getFields()[selection.name.value];
  return field === undefined ? {} : neededArguments(field);
}

function read({ text, variables }: Example, known = true): OperationPermissions & { readonly document: DocumentNode } {
  const document = parse(text);
  const [operation] = document.definitions.flatMap((each) => (each.kind === Kind.OPERATION_DEFINITION ? [each] : []));
  if (operation === undefined) throw new Error('no operation');
  const options = known ? { variables } : {};
  return { ...permissionsOfOperation(schema, declared, document, operation, options), document };
}

function urnOf({ resource }: AskedPermission): string | null {
  if (resource === null) return null;
  const text = (part: (typeof resource.parts)[number]): string => {
    if (typeof part === 'string') return part;
    return part.kind === 'account' ? 'a1' : part.kind === 'caller' ? 'u1' : sameText;
  };
  return resource.parts.map(text).join('');
}

function callOf(sources: Call['rights']['sources'], workspaceId: string | null): Call {
  return new RecordingCall({
    requestId: 'r1',
    environment: { now: 0, sourceAddress: null },
    catalogue: platformCatalogue,
    rights: { principal: { kind: 'USER', id: 'u1', name: 'Ann', mfaAt: null }, sources, unreadable: [] },
    facts: {
      account: { id: 'a1', name: 'acme' },
      workspace: workspaceId === null ? null : { id: workspaceId, name: 'one', enterpriseProjectId: '0' },
      open: true,
    },
    scope: { accountId: 'a1', workspaceId },
    reader: nothing,
    account: null,
    workspace: null,
    user: null,
    session: null,
    administrator: false,
    broken: null,
  });
}

async function run({ document }: { readonly document: DocumentNode }, { variables }: Example, call: Call) {
  const contextValue = await contextFrom({ sealing } as unknown as Iam, async () => call);
  // A subscription answers each of its events like this.
  return execute({ schema: guarded, document, contextValue, variableValues: variables });
}

type Asked = readonly [anyOf: string, resource: string | null, scope: RequiredScope];

/** Types that the answer can be of, one run for each. */
function typesIn(permissions: OperationPermissions): readonly (string | null)[] {
  const types = new Set(permissions.asked.map(({ onType }) => onType));
  types.delete(null);
  return types.size === 0 ? [null] : [...types];
}

const asked = new Map<string, Asked>();
let refusals: Decision[] = [];
let allowAll = true;

/** Remembers what the guard asks. */
class RecordingCall extends Call {
  override ask(anyOf: readonly string[], resource: string | null, scope: RequiredScope): Decision {
    const question: Asked = [anyOf.join(' '), resource, scope];
    asked.set(JSON.stringify(question), question);
    if (allowAll) return { ...decideBy('ALLOWED', { action: anyOf[0] ?? '', resource }), effect: 'ALLOW' };
    const decision = super.ask(anyOf, resource, scope);
    if (decision.effect === 'DENY' && decision.reason !== 'WRONG_SCOPE') refusals.push(decision);
    return decision;
  }
}

describe.each([
  { repeat: false, says: 'a first time' },
  { repeat: true, says: 'as an idempotent repeat' },
])('run $says', ({ repeat }) => {
  it.each([...generated, ...written])('$name asks what it is said to ask', async (example) => {
    allowAll = true;
    const permissions = read(example);
    expect(validate(schema, permissions.document)).toEqual([]);
    for (const type of typesIn(permissions)) {
      asked.clear();
      pretence.type = type;
      pretence.replayed = repeat;
      await run(permissions, example, callOf([], null));
      const said = permissions.asked
        .filter(({ onType, coordinate }) => coordinate !== 'Query.__schema' && (onType === null || onType === type))
        .filter(({ onlyWhenRepeated }) => repeat || !onlyWhenRepeated)
        .map((each): Asked => [each.anyOf.join(' '), urnOf(each), each.scope]);
      const texts = [...new Set(said.map((each) => JSON.stringify(each)))].sort();
      expect([...asked.keys()].sort()).toEqual(texts);
    }
  });
});

const selfSource = sourceOf(selfPolicy.document, 'SYSTEM', 'BUILT_IN');

function sourceOf(document: object, dialect: 'SYSTEM' | 'CUSTOM', kind: 'BUILT_IN' | 'GRANT') {
  const parsed = parsePolicy(JSON.stringify(document), dialect);
  expect(parsed.problems.filter(({ severity }) => severity === 'ERROR')).toEqual([]);
  if (parsed.document === null) throw new Error('no document');
  const origin = {
    kind,
    policyId: 'p',
    policyVersion: 1,
    grantId: null,
    scopeKind: 'ALL' as const,
    scopeId: '',
    expiresAt: null,
    group: null,
    authorizationMode: false,
  };
  return { name: 'tight', document: parsed.document, origin };
}

describe('the tightest policy', () => {
  it.each([...generated, ...written])('of $name is enough, and none of its actions is too many', async (example) => {
    allowAll = false;
    pretence.replayed = false;
    const permissions = read(example, false);
    const { policies } = tightestPolicies(permissions.asked);
    const documents = policies.map(({ document }) => document);
    const places = permissions.scope === 'ACCOUNT' ? [null] : permissions.scope === 'WORKSPACE' ? ['w1'] : [null, 'w1'];
    const refused = async (held: readonly object[]): Promise<number> => {
      refusals = [];
      for (const place of places) {
        for (const type of typesIn(permissions)) {
          pretence.type = type;
          await run(
            permissions,
            example,
            callOf([selfSource, ...held.map((each) => sourceOf(each, 'CUSTOM', 'GRANT'))], place),
          );
        }
      }
      return refusals.length;
    };
    expect(await refused(documents)).toBe(0);
    const actions = new Set(documents.flatMap(({ Statement }) => Statement.flatMap(({ Action }) => Action)));
    for (const action of actions) {
      const fewer = documents
        .map((document) => ({
          ...document,
          Statement: document.Statement.map((each) => ({
            ...each,
            Action: each.Action.filter((one) => one !== action),
          })).filter(({ Action }) => Action.length > 0),
        }))
        .filter(({ Statement }) => Statement.length > 0);
      expect(await refused(fewer), action).toBeGreaterThan(0);
    }
  });
});

describe('an operation', () => {
  const of = (text: string, variables?: Readonly<Record<string, unknown>>) =>
    read({ name: '', text, variables: variables ?? {} }, variables !== undefined);

  it('that needs both scopes at its doors can never succeed whole', () => {
    expect(of('{ workspaces { totalCount } resources { totalCount } }')).toMatchObject({
      scope: 'IMPOSSIBLE',
      wholeScope: 'IMPOSSIBLE',
    });
  });

  it('that needs a scope only for a part is let in everywhere, and whole there', () => {
    const node = of('query ($id: ID!) { node(id: $id) { ... on Resource { name } } }');
    expect(node).toMatchObject({ scope: 'EITHER', wholeScope: 'WORKSPACE' });
    expect(of('query ($id: ID!) { node(id: $id) { id } }')).toMatchObject({ scope: 'EITHER', wholeScope: 'EITHER' });
  });

  it('means every type behind an interface unless it has conditions', () => {
    const node = schema.getType('Node');
    const possible = isAbstractType(node) ? schema.getPossibleTypes(node).map(({ name }) => name) : [];
    const typesOf = (text: string) => [...new Set(of(text).asked.flatMap(({ onType }) => onType ?? []))].sort();
    expect(typesOf('{ node(id: "x") { id } }')).toEqual([...possible].sort());
    expect(typesOf('{ node(id: "x") { id ... on User { name } ... on Node { ... on Group { name } } } }')).toEqual([
      'Group',
      'User',
    ]);
  });

  it('is asked about what its literals, defaults and variables say', () => {
    const shown = (text: string, variables?: Readonly<Record<string, unknown>>) =>
      of(text, variables).asked.map((each) => each.resource?.parts.at(-1));
    expect(shown('{ user(id: "u7") { __typename } }')[0]).toBe('u7');
    expect(shown('query ($id: ID! = "u8") { user(id: $id) { __typename } }', {})[0]).toBe('u8');
    expect(shown('query ($id: ID!) { user(id: $id) { __typename } }', { id: 'a:b' })[0]).toBe('a%3Ab');
    expect(shown('query ($id: ID!) { user(id: $id) { __typename } }')[0]).toMatchObject({ kind: 'argument' });
    const keyed = 'mutation { createAccessKey(input: {}) { __typename } }';
    expect(shown(keyed)).toEqual([{ kind: 'caller' }]);
  });

  it('counts @include and @skip as included, and says so', () => {
    const { asked: found } = of('query ($a: Boolean!) { users @include(if: $a) { totalCount } viewer { __typename } }');
    expect(found.map(({ coordinate, conditional }) => [coordinate, conditional])).toEqual([
      ['Query.users', true],
      ['Query.viewer', false],
      ['Viewer', false],
    ]);
  });

  it('that is larger than may be looked at is not said to be read whole', () => {
    const document = parse('{ users { nodes { id name } } }');
    const [operation] = document.definitions;
    if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('no operation');
    expect(permissionsOfOperation(schema, declared, document, operation, { most: 2 }).complete).toBe(false);
  });
});
