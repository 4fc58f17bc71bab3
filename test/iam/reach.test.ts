import { describe, expect, it } from 'vitest';
import { covers, mayMeet, reaches, type GrantScope, type ReachableAction } from '../../src/iam/index.js';
import table from './reach.json' with { type: 'json' };

const actions: Readonly<Record<string, ReachableAction>> = {
  project: { global: false, enterpriseProjectScope: true },
  'project without enterprise projects': { global: false, enterpriseProjectScope: false },
  global: { global: true, enterpriseProjectScope: false },
  'global with enterprise projects': { global: true, enterpriseProjectScope: true },
};

function scope(text: string): GrantScope {
  const [scopeKind, scopeId = ''] = text.split(' ');
  return { scopeKind: scopeKind as GrantScope['scopeKind'], scopeId };
}

function place(text: string): { id: string; enterpriseProjectId: string } | null {
  if (text === 'account') return null;
  const [id = '', enterpriseProjectId = ''] = text.split(' of ');
  return { id, enterpriseProjectId };
}

describe('reach of a grant (rule 11)', () => {
  it.each(table)('$says', (row) => {
    const action = actions[row.action];
    if (action === undefined) throw new Error(`the table names an unknown action: ${row.action}`);
    expect(reaches(scope(row.grant), place(row.at), action)).toBe(row.reaches);
  });
});

const scopes = [
  'ALL',
  'ACCOUNT',
  'ALL_WORKSPACES',
  'WORKSPACE w1',
  'WORKSPACE w2',
  'ENTERPRISE_PROJECT p1',
  'ENTERPRISE_PROJECT p2',
].map(scope);
const places = ['account', 'w1 of p1', 'w2 of p1', 'w1 of p2', 'w2 of p2', 'w3 of p3'].map(place);

describe('comparison of scopes agrees with reach on every request', () => {
  for (const outer of scopes) {
    for (const inner of scopes) {
      const title = `${outer.scopeKind} ${outer.scopeId} and ${inner.scopeKind} ${inner.scopeId}`;
      it(title, () => {
        const requests = places.flatMap((at) => Object.values(actions).map((action) => ({ at, action })));
        const byOuter = requests.filter(({ at, action }) => reaches(outer, at, action));
        const byInner = requests.filter(({ at, action }) => reaches(inner, at, action));
        if (covers(outer, inner)) expect(byInner.every((request) => byOuter.includes(request))).toBe(true);
        if (!mayMeet(outer, inner)) expect(byInner.some((request) => byOuter.includes(request))).toBe(false);
      });
    }
  }
});
