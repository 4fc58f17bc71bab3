import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { platformCatalogue as catalogue } from '../../src/catalogue/index.js';
import { decide, fitsScope, type Question, type RightsSource } from '../../src/iam/authorizer.js';
import { composeRights } from '../../src/iam/rights.js';
import { grantPolicy, type GrantScope } from '../../src/iam/index.js';
import { kindOperations, kindQuestion, registerableKinds } from '../../src/iam/resource-kinds.js';
import {
  askedInAccountOnly,
  describeVoid,
  findVoid,
  isWhollyVoid,
  type ScopeKeys,
  type VoidPart,
} from '../../src/iam/void-grants.js';
import { parsePolicy, type PolicyDocument } from '../../src/policy/index.js';
import { databases } from '../store/databases.js';
import { must, Scene } from './scene.js';
import table from './void-grants.json' with { type: 'json' };
import '../policy/seed.js';

const account = { id: 'acc', name: 'home' };
const workspaces = [
  { id: 'w1', name: 'one', enterpriseProjectId: 'p1' },
  { id: 'w2', name: 'two', enterpriseProjectId: 'p2' },
];

function scopeOf(text: string): GrantScope {
  const [scopeKind, scopeId = ''] = text.split(' ');
  return { scopeKind: scopeKind as GrantScope['scopeKind'], scopeId };
}

function keysOf({ scopeKind, scopeId }: GrantScope): ScopeKeys {
  const keys = new Map([['g:DomainId', account.id]]);
  const workspace = scopeKind === 'WORKSPACE' ? workspaces.find(({ id }) => id === scopeId) : undefined;
  if (workspace !== undefined) keys.set('g:ProjectName', workspace.name);
  const project = scopeKind === 'ENTERPRISE_PROJECT' ? scopeId : workspace?.enterpriseProjectId;
  if (project !== undefined) keys.set('g:EnterpriseProjectId', project);
  return keys;
}

function read(statements: unknown): PolicyDocument {
  const { document, problems } = parsePolicy({ Version: '5.0', Statement: statements }, 'ANY');
  if (document === null) throw new Error(JSON.stringify(problems));
  return document;
}

const inWords = ({ statement, whole, places, reason }: VoidPart): string =>
  `${reason.kind} ${statement.index} ${whole ? 'whole' : 'part'} ${places.join(',')}`;

describe('what is void of a grant', () => {
  it.each(table)('$sentence', ({ scope, statements, parts, wholly }) => {
    const document = read(statements);
    const found = findVoid(document, scopeOf(scope), catalogue, keysOf(scopeOf(scope)));
    expect(found.map(inWords)).toEqual(parts);
    expect(isWhollyVoid(document, found)).toBe(wholly);
    for (const part of found) expect(describeVoid(part)).toMatch(/^[^\n]+: [^\n]+[^.\n]$/);
  });
});

const user = { kind: 'USER', id: 'u1', name: 'alice', mfaAt: null } as const;
const { sources: builtIn } = composeRights({ authorizationMode: 'STRICT' }, user, null, []);

function source(document: PolicyDocument, { scopeKind, scopeId }: GrantScope, grantId: string): RightsSource {
  const origin = { kind: 'GRANT', policyId: 'p', policyVersion: 1, grantId, scopeKind, scopeId, expiresAt: null, group: null, authorizationMode: false } as const; // prettier-ignore
  return { name: grantId, document, origin };
}

const scopes = ['ACCOUNT', 'ALL', 'ALL_WORKSPACES', 'WORKSPACE w1', 'ENTERPRISE_PROJECT p1', 'ENTERPRISE_PROJECT p2'].map(scopeOf); // prettier-ignore
const row = fc.constantFrom(...catalogue.rows);
const kind = fc.constantFrom(...registerableKinds(catalogue));
const operation = fc.constantFrom(...kindOperations);
/** Actions that some scope does not reach are few: they are named as often as all others together. */
const rare = fc.constantFrom(
  ...catalogue.rows.filter(({ name, enterpriseProjectScope }) => !enterpriseProjectScope || (askedInAccountOnly as readonly string[]).includes(name)),
); // prettier-ignore
const pattern = fc.oneof(
  { weight: 6, arbitrary: fc.oneof(row, rare).map(({ name }) => name) },
  { weight: 3, arbitrary: fc.oneof(row, rare).map(({ service, resourceType }) => `${service}:${resourceType}:*`) },
  { weight: 1, arbitrary: rare.map(({ service }) => `${service}:*:*`) },
  { weight: 1, arbitrary: fc.tuple(kind, operation).map(([of, act]) => `${of}:${act}`) },
  { weight: 1, arbitrary: fc.constantFrom('*:*:update*', '*:*:Get*', 'o?s:*:*', 'iam:*:create*', '*:*:*') },
);
const condition = fc.oneof(
  { weight: 4, arbitrary: fc.constant({}) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom('StringEquals', 'StringNotEquals', 'StringLike', 'StringEqualsIfExists', 'ForAllValues:StringEquals', 'ForAnyValue:StringNotLike'),
        fc.constantFrom('g:EnterpriseProjectId', 'g:ProjectName', 'g:DomainId'),
        fc.constantFrom('p1', 'p2', 'p*', 'one', 'acc', 'other'),
      )
      .map(([operator, key, value]) => ({ Condition: { [operator]: { [key]: [value] } } })),
  },
); // prettier-ignore
const statement = fc
  .tuple(fc.constantFrom('Allow', 'Deny'), fc.array(pattern, { minLength: 1, maxLength: 3 }), condition, fc.nat(12))
  .map(([Effect, actions, rest, turn]) => ({ Effect, [turn === 0 ? 'NotAction' : 'Action']: actions, ...rest }));
const statements = fc.array(statement, { minLength: 1, maxLength: 3 });

/** What may be asked: an action by name, at a door or for somebody else, or an act on a resource of some kind. */
type Asked = Omit<Question, 'resource'>;
const doorsOf = (action: string): 'ACCOUNT' | 'ANY' =>
  (askedInAccountOnly as readonly string[]).includes(catalogue.canonical(action)?.name ?? action) ? 'ACCOUNT' : 'ANY';

function questionsAbout(document: PolicyDocument): readonly (Asked & { readonly scope: 'ACCOUNT' | 'ANY' })[] {
  const named = document.statements.flatMap(({ actions, notActions }) => [...actions, ...(notActions ?? [])]);
  const rows = named.flatMap((one) => {
    const matching = catalogue.matching(one);
    const step = Math.ceil(matching.length / 8);
    return matching.filter((_, at) => at % step === 0).flatMap(({ name }) => catalogue.namesOf(name));
  });
  const kinds = registerableKinds(catalogue).filter((of) => named.some((one) => one.split(':')[0] === of.split(':')[0] || one.startsWith('*'))); // prettier-ignore
  return [
    ...rows.map((action) => ({ action, scope: doorsOf(action) })),
    ...kinds.flatMap((of) =>
      kindOperations.map((act) => {
        const { resource: _, ...asked } = kindQuestion({ catalogue }, of, act, { resource: null });
        return { ...asked, scope: 'ANY' as const };
      }),
    ),
  ];
}

function takeOut(document: PolicyDocument, parts: readonly VoidPart[]): PolicyDocument {
  const left = document.statements.flatMap((one) => {
    const own = parts.filter((part) => part.statement === one);
    if (own.some(({ whole }) => whole)) return [];
    const places = own.flatMap((part) => part.places);
    return [{ ...one, actions: one.actions.filter((_, place) => !places.includes(place)) }];
  });
  return { ...document, statements: left };
}

it('what is said to be void changes no decision that is asked', () => {
  const seen = { wholly: 0, part: 0, denies: 0, ENTERPRISE_PROJECT: 0, ACCOUNT_ONLY: 0, CONDITION: 0 };
  const everything = source(read([{ Effect: 'Allow', Action: '*:*:*' }]), scopeOf('ALL'), 'everything');
  const unchanged = fc.property(statements, fc.constantFrom(...scopes), fc.boolean(), (written, scope, held) => {
    const document = read(written);
    const parts = findVoid(document, scope, catalogue, keysOf(scope));
    if (parts.length === 0) return;
    if (isWhollyVoid(document, parts)) seen.wholly += 1;
    for (const { whole, reason, statement: one } of parts) {
      seen[reason.kind] += 1;
      if (!whole) seen.part += 1;
      if (one.effect === 'DENY') seen.denies += 1;
    }
    const common = [...builtIn, ...(held ? [everything] : [])];
    const given = { principal: user, sources: [...common, source(document, scope, 'g')], unreadable: [] };
    const left = { ...given, sources: [...common, source(takeOut(document, parts), scope, 'g')] };
    for (const asked of questionsAbout(document)) {
      for (const workspace of [null, ...workspaces]) {
        const facts = { account, workspace, open: true };
        if (!fitsScope(facts, asked.scope)) continue;
        const question = { ...asked, resource: null };
        const environment = { now: 0, sourceAddress: null };
        const decided = decide(catalogue, given, facts, environment, question);
        const without = decide(catalogue, left, facts, environment, question);
        const place = `${asked.action} in ${workspace?.id ?? 'the account'}`;
        expect(`${place} ${decided.effect} ${decided.reason}`).toBe(`${place} ${without.effect} ${without.reason}`);
      }
    }
  });
  // The first half is the same in every run: some reasons are rare, and by chance one may hardly come up.
  fc.assert(unchanged, { seed: 7, numRuns: 125 });
  for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(3);
  fc.assert(unchanged, { numRuns: 125 });
});

it('the actions that are asked in account scope alone are those whose doors all say so', () => {
  const schema = readFileSync(new URL('../../schema/schema.graphql', import.meta.url), 'utf8');
  const scopesByAction = new Map<string, Set<string>>();
  for (const [, said = ''] of schema.matchAll(/@permission\(([^)]*)\)/g)) {
    const scope = /scope: "(\w+)"/.exec(said)?.[1] ?? 'none';
    for (const [, action = ''] of said.matchAll(/"([a-z]+:\w*:\w+)"/g)) {
      scopesByAction.set(action, (scopesByAction.get(action) ?? new Set()).add(scope));
    }
  }
  const only = [...scopesByAction].filter(([, said]) => [...said].join() === 'ACCOUNT').map(([action]) => action);
  expect([...askedInAccountOnly]).toEqual(only.sort());
});

for (const database of Object.values(databases())) {
  describe(`grantPolicy on ${database.name}`, () => {
    let scene: Scene;
    beforeAll(async () => {
      scene = await Scene.open(await database.readyUrl());
    });
    afterAll(async () => {
      await scene.close();
      await database.stop();
    });

    it('warns of what has no effect where it is granted, and grants it all the same', async () => {
      const workspace = await scene.workspace();
      const { id } = await scene.user();
      const policy = await scene.policy({ Effect: 'Allow', Action: ['iam:users:createUser', 'iam:users:getUser'] });
      const useless = await scene.policy({ Effect: 'Allow', Action: ['iam:groups:createGroup'] });
      const elsewhere = await scene.policy({
        Effect: 'Allow',
        Action: ['modelarts:notebook:get'],
        Condition: { StringEquals: { 'g:ProjectName': [`not-${workspace.name}`] } },
      });
      const give = async ({ id: policyId }: { id: string }, kind: 'WORKSPACE' | 'ALL') =>
        must(
          await grantPolicy(scene.iam, await scene.root(), {
            policyId,
            subject: { kind: 'USER', id },
            scope: { kind, id: kind === 'ALL' ? '' : workspace.id },
          }),
        );
      const { grant, warnings } = await give(policy, 'WORKSPACE');
      expect(grant.scopeKind).toBe('WORKSPACE');
      expect(warnings).toEqual([
        `\`${policy.name}\`, \`/Statement/0\`: \`iam:users:createUser\` has no effect in this scope: what it names is asked in account scope alone; grant it there`,
      ]);
      expect((await give(useless, 'WORKSPACE')).warnings).toEqual([
        `\`${useless.name}\`: the policy has no effect in this scope: what it names is asked in account scope alone; grant it there`,
      ]);
      expect((await give(elsewhere, 'WORKSPACE')).warnings).toEqual([
        `\`${elsewhere.name}\`: the policy has no effect in this scope: its condition on \`g:ProjectName\` never holds there; mend it, or grant it elsewhere`,
      ]);
      for (const one of [policy, useless, elsewhere]) expect((await give(one, 'ALL')).warnings).toEqual([]);
    });
  });
}
