/**
 * What is said to be allowed on every resource is allowed on each: guards of lists ask the one in place of the other. In
 * generated rights, with policies of sessions, grants of every scope, and conditions on what is read off a URN.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { Call, type CallParts } from '../../src/iam/call.js';
import type { Rights, RightsSource, ScopeFacts } from '../../src/iam/index.js';
import type { Condition, Statement } from '../../src/policy/index.js';
import { documentOf, statement } from '../policy/arbitraries.js';
import '../policy/seed.js';

const now = Date.UTC(2026, 0, 1);
const some = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 1, maxLength: 2 });

const actions = [
  'iam:users:getUser',
  // Known by another name as well.
  'iam:agencies:assume',
  'modelarts:notebook:get',
  // Never given through an enterprise project.
  'modelarts:notebook:listAllNotebooks',
  'obs:bucket:GetBucketAcl',
  'nobody:registered:this',
] as const;
const actionPattern = fc.constantFrom(...actions, 'iam:tokens:assume', 'iam:*:*', 'modelarts:*:*', '*:*:*', '*', '*:*:get*'); // prettier-ignore

/** Ones that fit everything, in several spellings, so that parts which leave nothing out do meet. */
const resourcePattern = fc.constantFrom('*', '*:*:*:*:*', '**:*:*:*:*', '*:*:*:*:?*', '*:*:*:*', 'iam:*:*:user:*', 'IAM:*:*:*:*', '*::*:*:*', '*:north:*:*:*', '*:*:acc:*:*', '*:*:*:*:a*', '*:*:*:*:${g:UserName}', '*:*:${g:ResourceAccount}:*:*', '*:*:*:*:${g:ResourceTag/team}', "*:*:*:*:${g:Absent, '*'}", '*:*:*:*:${*}', '*:*:*:*:${'); // prettier-ignore

const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({
    operator: fc.constantFrom('StringEquals', 'StringNotEquals', 'StringLike', 'StringNotLike', 'StringStartWith', 'StringEqualsIfExists', 'StringNotEqualsIfExists', 'StringEqualsIgnoreCase', 'ForAnyValue:StringEquals', 'ForAllValues:StringEquals', 'ForAllValues:StringNotEquals', 'NotAnOperator'),
    key: fc.constantFrom('g:ResourceAccount', 'g:resourceaccount', 'g:RequestedRegion', 'g:ResourceTag/team', 'g:UserName', 'g:ProjectName', 'g:ServiceName', 'g:EnterpriseProjectId', 'g:Absent'),
    values: some(fc.constantFrom('acc', 'north', 'ann', 'blue', 'iam', 'ep', '*', '', '?*', 'a*', '${g:UserName}', '${g:ResourceAccount}', '${g:ResourceTag/team}', '${g:Absent}')),
  }),
  fc.record({
    operator: fc.constantFrom('Null', 'IsNullOrEmpty'),
    key: fc.constantFrom('g:ResourceAccount', 'g:RequestedRegion', 'g:ResourceTag/team', 'g:UserName', 'g:Absent'),
    values: fc.constantFrom(['true'], ['false']),
  }),
  fc.constantFrom(
    { operator: 'DateLessThan', key: 'g:CurrentTime', values: ['2026-06-01T00:00:00Z'] },
    { operator: 'DateGreaterThan', key: 'g:CurrentTime', values: ['2026-06-01T00:00:00Z'] },
    { operator: 'Bool', key: 'g:MFAPresent', values: ['true'] },
    { operator: 'IpAddress', key: 'g:SourceIp', values: ['192.0.2.0/24'] },
    { operator: 'NumericLessThan', key: 'g:RequestedRegion', values: ['5'] },
  ),
); // prettier-ignore

const all = { index: 0, sid: null, effect: 'ALLOW', actions: ['*:*:*'], notActions: null, resources: null, notResources: null, conditions: [] } as const; // prettier-ignore
const parts = { action: actionPattern, resource: resourcePattern, condition };
// Mostly with something that is allowed, or nothing else would count.
const statements = fc
  .tuple(fc.array(statement(['ALLOW', 'DENY'], parts), { maxLength: 3 }), fc.boolean())
  .map(([written, besides]) => (besides ? [all, ...written] : written));

const source: fc.Arbitrary<RightsSource> = fc
  .tuple(
    statements,
    fc.constantFrom('BUILT_IN' as const, 'GRANT' as const, 'GRANT' as const),
    fc.constantFrom('ALL' as const, 'ALL' as const, 'ACCOUNT' as const, 'ALL_WORKSPACES' as const, 'WORKSPACE' as const, 'ENTERPRISE_PROJECT' as const),
    fc.constantFrom(null, null, now + 1, now),
    fc.boolean(),
  )
  .map(([written, kind, scopeKind, expiresAt, authorizationMode]) => ({
    name: 'some',
    document: documentOf(written),
    origin: { kind, policyId: 'p', policyVersion: 1, grantId: null, scopeKind, scopeId: scopeKind === 'WORKSPACE' ? '1' : 'ep', expiresAt, group: null, authorizationMode },
  })); // prettier-ignore

const rights: fc.Arbitrary<Rights> = fc
  .record({
    kind: fc.constantFrom('USER', 'USER', 'USER', 'SERVICE', 'AGENCY', 'ROOT', 'ANONYMOUS'),
    mfaAt: fc.constantFrom(null, now - 1_000),
    sources: fc.array(source, { minLength: 1, maxLength: 3 }),
    unreadable: fc.oneof(
      { weight: 19, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.constant(['a policy']) },
    ),
    session: fc.option(statements),
  })
  .map(({ kind, mfaAt, sources, unreadable, session }) => ({
    principal: { kind, id: kind === 'ANONYMOUS' ? '' : 'id', name: 'ann', mfaAt },
    sources,
    unreadable,
    ...(kind !== 'AGENCY' ? {} : { bounds: { policy: sessionOf(session), workspaceId: null, expiresAt: now + 1, agencyExpiresAt: null } }),
  })); // prettier-ignore

function sessionOf(written: readonly Statement[] | null): RightsSource | null {
  if (written === null) return null;
  const origin = { kind: 'SESSION', policyId: '', policyVersion: 1, grantId: null, scopeKind: 'ALL', scopeId: '', expiresAt: null, group: null, authorizationMode: false } as const; // prettier-ignore
  return { name: 'session', document: documentOf(written), origin };
}

const facts: fc.Arbitrary<ScopeFacts> = fc.record({
  account: fc.constant({ id: 'acc', name: 'account' }),
  workspace: fc.constantFrom(null, ...['1', '2'].map((id) => ({ id, name: 'blue', enterpriseProjectId: id === '1' ? 'ep' : 'other' }))),
  open: fc.constantFrom(true, true, true, false),
}); // prettier-ignore

const urns: readonly string[] = ['iam', 'Modelarts', 'x'].flatMap((service) =>
  ['', 'north', '*'].flatMap((region) =>
    ['', 'acc', 'stranger', '*'].flatMap((account) =>
      ['user:a', 'user:ann', 'notebook:a:b', 'bucket:*'].map((rest) => [service, region, account, rest].join(':')),
    ),
  ),
);

describe('what is allowed everywhere', () => {
  it('is allowed on each resource; and by plain Allows whatever is allowed is allowed everywhere', () => {
    const tally = { everywhere: 0, sometimes: 0, never: 0, despiteResources: 0 };
    const asked = fc.array(fc.constantFrom(...actions), { minLength: 1, maxLength: 2 });
    const scope = fc.constantFrom('ANY' as const, 'ANY' as const, 'ACCOUNT' as const, 'WORKSPACE' as const);
    const address = fc.constantFrom(null, '192.0.2.7');
    fc.assert(
      fc.property(rights, facts, asked, scope, address, (held, known, anyOf, required, sourceAddress) => {
        const environment = { now, sourceAddress };
        const call = new Call({
          rights: held,
          facts: known,
          environment,
          catalogue: platformCatalogue,
          broken: null,
        } as unknown as CallParts);
        const effects = new Set(urns.map((urn) => call.ask(anyOf, urn, required).effect));
        const everywhere = call.mayEverywhere(anyOf, required);
        const written = JSON.stringify([held.sources, held.bounds?.policy]);
        const narrowed = (held.bounds?.policy ?? null) !== null;
        const plain = !narrowed && !/"(?:resources|notResources)":\[|"conditions":\[\{|"DENY"/.test(written);
        if (everywhere) expect([...effects]).toEqual(['ALLOW']);
        else if (plain && anyOf.length === 1) expect([...effects]).toEqual(['DENY']);
        if (everywhere) tally.everywhere += 1;
        else if (effects.has('ALLOW')) tally.sometimes += 1;
        else tally.never += 1;
        tally.despiteResources += Number(everywhere && !plain);
      }),
      { numRuns: 3_000 },
    );
    // Or it would hold for nothing ever being allowed everywhere.
    for (const count of Object.values(tally)) expect(count).toBeGreaterThan(20);
  });
});
