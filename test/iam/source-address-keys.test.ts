/** The address of a request has two names in conditions; what is said under one counts under the other. */
import { expect, it } from 'vitest';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { decide, type Rights, type RightsSource } from '../../src/iam/index.js';
import { parsePolicy } from '../../src/policy/index.js';

const rightsWith = (key: string): Rights => {
  const { document } = parsePolicy(
    {
      Version: '1.1',
      Statement: [
        { Effect: 'Allow', Action: ['modelarts:notebook:get'] },
        { Effect: 'Deny', Action: ['modelarts:notebook:get'], Condition: { IpAddress: { [key]: ['10.0.0.0/8'] } } },
      ],
    },
    'ANY',
  );
  if (document === null) throw new Error('the policy cannot be read');
  const origin: RightsSource['origin'] = {
    kind: 'GRANT',
    policyId: 'p',
    policyVersion: 1,
    grantId: 'g',
    scopeKind: 'ALL',
    scopeId: '',
    expiresAt: null,
    group: null,
    authorizationMode: false,
  };
  const principal = { kind: 'USER', id: 'u', name: 'ann', mfaAt: null } as const;
  return { principal, sources: [{ name: 'inside', document, origin }], unreadable: [] };
};

const facts = {
  account: { id: 'a', name: 'a' },
  workspace: { id: '0', name: 'w', enterpriseProjectId: '0' },
  open: true,
} as const;

it.each([
  ['g:SourceIp', 'g:SourceIp', '10.1.1.1', 'DENY'],
  ['g:SourceIp', 'hw:SourceIp', '10.1.1.1', 'DENY'],
  ['hw:SourceIp', 'g:SourceIp', '10.1.1.1', 'DENY'],
  ['hw:SourceIp', 'g:SourceIp', '192.0.2.1', 'ALLOW'],
])('said as %s, it meets a Deny on %s: %s is %s', (said, compared, address, effect) => {
  const question = {
    action: 'modelarts:notebook:get',
    resource: null,
    context: new Map([[said, [address]]]),
  };
  const environment = { now: 0, sourceAddress: null };
  expect(decide(platformCatalogue, rightsWith(compared), facts, environment, question).effect).toBe(effect);
});
