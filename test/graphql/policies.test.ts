import { beforeAll, describe, expect, it } from 'vitest';
import { builtInPolicies, platformCatalogue } from '../../src/catalogue/index.js';
import { encodeNodeId } from '../../src/graphql/node-ids.js';
import { resolvers } from '../../src/graphql/resolvers.js';
import { buildGuardedSchema } from '../../src/graphql/schema.js';
import { openStage, type Stage } from './stage.js';
import table from './policy-input.json' with { type: 'json' };

const schema = buildGuardedSchema({ resolvers, catalogue: platformCatalogue });

interface UserError {
  readonly __typename: string;
  readonly code: string;
  readonly message: string;
  readonly path: readonly string[] | null;
  readonly reference: string | null;
}

interface Payload {
  readonly policy: { readonly id: string } & Readonly<Record<string, unknown>>;
  readonly userErrors: readonly UserError[];
  readonly revision: number | null;
  readonly [name: string]: unknown;
}

const errorFields = `userErrors {
  __typename code message path reference
  ... on PolicyDocumentError { pointer line column }
  ... on LimitExceededError { limit }
  ... on NotHeldError { actions }
} revision clientMutationId`;

const create = `mutation ($input: CreatePolicyInput!) {
  done: createPolicy(input: $input) { policy { id name version } replayed ${errorFields} }
}`;
const createVersion = `mutation ($input: CreatePolicyVersionInput!) {
  done: createPolicyVersion(input: $input) {
    policy { id version defaultVersion { number } latestVersion { number } }
    policyVersion { number isDefault documentText } defaultAccessEnded { name } replayed ${errorFields}
  }
}`;
const setDefault = `mutation ($input: SetDefaultPolicyVersionInput!) {
  done: setDefaultPolicyVersion(input: $input) {
    policy { id version defaultVersion { number } } defaultAccessEnded { name } ${errorFields}
  }
}`;
const deleteVersion = `mutation ($input: DeletePolicyVersionInput!) {
  done: deletePolicyVersion(input: $input) {
    policy { id versions { nodes { number } } } deletedPolicyVersionNumber ${errorFields}
  }
}`;
const remove = `mutation ($input: DeletePolicyInput!) {
  done: deletePolicy(input: $input) { policy { id name } deletedPolicyId ${errorFields} }
}`;

const plain = { Version: '1.1', Statement: [{ Effect: 'Allow', Action: ['modelarts:notebook:get'] }] };
const other = { Version: '1.1', Statement: [{ Effect: 'Allow', Action: ['modelarts:notebook:list'] }] };

let stage: Stage;
let root: string;

const change = async (mutation: string, input: object, token = root): Promise<Payload> =>
  (await stage.get<{ done: Payload }>(token, mutation, { input })).done;

beforeAll(async () => {
  stage = await openStage(schema);
  root = await stage.token(stage.root, 'account');
});

describe('a policy document that is refused', () => {
  interface Row {
    readonly sentence: string;
    readonly text: readonly string[];
    readonly fill?: { readonly text: string; readonly times: number; readonly between?: string };
    readonly as?: string;
    readonly errors: readonly {
      readonly reference: string;
      readonly pointer: string;
      readonly line: number | null;
      readonly column: number | null;
      readonly message?: string;
    }[];
  }

  const documentOf = ({ text, fill, as }: Row): unknown => {
    const filling = Array.from({ length: fill?.times ?? 0 }, (_, i) => fill?.text.replace('<i>', String(i)));
    const source = text.join('\n').replace('<fill>', () => filling.join(fill?.between ?? ''));
    return as === 'OBJECT' ? JSON.parse(source) : source;
  };

  let standing: string;

  beforeAll(async () => {
    standing = (await change(create, { name: 'standing', document: plain })).policy.id;
  });

  it.each(table as readonly Row[])('$sentence', async (row) => {
    const document = documentOf(row);
    const before = await stage.revision();
    const expected = row.errors.map((error) => ({
      __typename: 'PolicyDocumentError',
      code: 'POLICY_DOCUMENT',
      path: ['input', 'document'],
      message: expect.any(String) as string,
      ...error,
    }));
    for (const [mutation, input] of [
      [create, { name: 'refused', document }],
      [createVersion, { policyId: standing, document, setAsDefault: true }],
    ] as const) {
      const payload = await change(mutation, input);
      expect(payload.userErrors).toEqual(expected);
      expect(payload).toMatchObject({ policy: null, revision: null });
    }
    expect(await stage.revision()).toBe(before);
    const { policies, policy } = await stage.get<{ policies: { nodes: unknown[] }; policy: unknown }>(
      root,
      'query ($id: ID!) { policies(filter: { name: "refused" }) { nodes { id } } policy(id: $id) { latestVersion { number } } }',
      { id: standing },
    );
    expect(policies.nodes).toEqual([]);
    expect(policy).toEqual({ latestVersion: { number: 1 } });
  });

  it('is told apart from one that is not: the same input with a good document raises the revision', async () => {
    const before = await stage.revision();
    const payload = await change(create, { name: 'accepted', document: JSON.stringify(plain) });
    expect(payload.userErrors).toEqual([]);
    expect(payload.revision).toBe(before + 1);
  });

  it('with a raw U+0000 or half a surrogate pair never gets as far: no text of the API may hold one', async () => {
    const before = await stage.revision();
    for (const name of ['a\u0000b', 'a\ud800b']) {
      const document = { ...plain, Statement: [{ Effect: 'Allow', Action: [name] }] };
      for (const given of [document, `{ "Version": "${name}" }`]) {
        const { codes } = await stage.ask(root, create, { input: { name: 'nul', document: given } });
        expect(codes).toEqual(['BAD_USER_INPUT']);
      }
    }
    expect(await stage.revision()).toBe(before);
  });

  it('is reported together with the faults of the other values', async () => {
    const payload = await change(create, { name: 'bad/name', description: 'x'.repeat(256), document: {} });
    expect(payload.userErrors.map(({ reference, path }) => [reference, path?.join('.')])).toEqual([
      ['IAM.1002', 'input.name'],
      [null, 'input.description'],
      ['IAM.1024', 'input.document'],
      ['MISSING_FIELD', 'input.document'],
    ]);
  });

  it('says so to nobody who may not create policies', async () => {
    const stranger = await stage.token(await stage.user('stranger'), 'account');
    const { codes, data } = await stage.ask(stranger, create, { input: { name: 'x', document: '{' } });
    expect(codes).toEqual(['FORBIDDEN']);
    expect(data).toEqual({ done: null });
  });
});

describe('createPolicy', () => {
  it('keeps text byte for byte beside its parsed form', async () => {
    const documentText = [
      '{',
      '\t"Version":   "1.1",',
      '  "Statement": [',
      '    { "Effect": "allow", "Action": ["modelarts:Notebook:get", "modelarts:trainJob:*"],',
      '      "Condition": { "StringEquals": { "g:UserName": ["\\u00e4nn", "${g:UserName}"] } } },',
      '    { "Effect": "Deny", "Action": ["modelarts:notebook:create"], "Resource": ["*"] }',
      '  ]',
      '}\r\n ',
    ].join('\n');
    const { policy } = await change(create, { name: 'byte for byte', description: 'words', document: documentText });
    const read = await stage.get<{ policy: Record<string, unknown> }>(
      root,
      `query ($id: ID!) { policy(id: $id) {
        name description origin level version createdAt updatedAt document documentText inUse grantCount
        statements { index sid effect actions notActions resources notResources conditions { operator key values } }
        defaultVersion { number isDefault documentText createdBy { name } } latestVersion { number }
        versions { totalCount nodes { number createdAt document statements { effect } warnings { code } } }
      } }`,
      { id: policy.id },
    );
    expect(read.policy).toMatchObject({
      name: 'byte for byte',
      description: 'words',
      origin: 'CUSTOM',
      level: 'PROJECT',
      version: 1,
      documentText,
      document: JSON.parse(documentText) as unknown,
      inUse: false,
      grantCount: 0,
      statements: [
        {
          index: 0,
          sid: null,
          effect: 'ALLOW',
          actions: ['modelarts:Notebook:get', 'modelarts:trainJob:*'],
          notActions: null,
          resources: null,
          notResources: null,
          conditions: [{ operator: 'StringEquals', key: 'g:UserName', values: ['änn', '${g:UserName}'] }],
        },
        { index: 1, effect: 'DENY', actions: ['modelarts:notebook:create'], resources: ['*'], conditions: [] },
      ],
      defaultVersion: { number: 1, isDefault: true, documentText, createdBy: { name: 'root' } },
      latestVersion: { number: 1 },
      versions: {
        totalCount: 1,
        nodes: [{ number: 1, statements: [{ effect: 'ALLOW' }, { effect: 'DENY' }], warnings: [] }],
      },
    });
  });

  it('keeps an object as its compact JSON', async () => {
    const { policy } = await change(create, { name: 'an object', document: plain });
    const read = await stage.get<{ policy: unknown }>(root, 'query ($id: ID!) { policy(id: $id) { documentText } }', {
      id: policy.id,
    });
    expect(read.policy).toEqual({ documentText: JSON.stringify(plain) });
  });

  it('takes a document written out in the operation itself', async () => {
    const { done } = await stage.get<{ done: Payload }>(
      root,
      `mutation { done: createPolicy(input: { name: "literal", document: {
        Version: "1.1", Statement: [{ Effect: "Allow", Action: ["modelarts:notebook:get"] }]
      } }) { policy { document } ${errorFields} } }`,
    );
    expect(done).toMatchObject({ policy: { document: plain }, userErrors: [] });
  });

  it('remarks with its place on what may surprise', async () => {
    const document = [
      '{ "Version": "1.1", "Statement": [',
      '  { "Effect": "Deny", "Action": ["modelarts:notebook:create"],',
      '    "Condition": { "StringEquals": { "modelarts:poolType": ["public"] } } }] }',
    ].join('\n');
    const { policy } = await change(create, { name: 'surprising', document });
    const read = await stage.get<{ policy: { warnings: unknown[] } }>(
      root,
      'query ($id: ID!) { policy(id: $id) { warnings { code severity message pointer line column } } }',
      { id: policy.id },
    );
    expect(read.policy.warnings).toEqual([
      {
        code: 'DENY_DISARMED_BY_ABSENT_KEY',
        severity: 'WARNING',
        message: expect.stringContaining('StringEqualsIfExists') as string,
        pointer: '/Statement/0/Condition/StringEquals/modelarts:poolType',
        line: 3,
        column: 60,
      },
    ]);
  });

  it('refuses a name that stands already, whatever its letter case', async () => {
    await change(create, { name: 'Taken', document: plain });
    const payload = await change(create, { name: 'tAKEN', document: plain });
    expect(payload.userErrors).toMatchObject([
      { __typename: 'GenericUserError', code: 'NAME_TAKEN', reference: 'IAM.0005', path: ['input', 'name'] },
    ]);
  });

  it('does nothing twice under one idempotency key, and refuses the key for other input', async () => {
    const input = { name: 'once', document: plain, idempotencyKey: 'key-once' };
    const first = await change(create, { ...input, clientMutationId: 'one' });
    const again = await change(create, { ...input, clientMutationId: 'two' });
    expect(first).toMatchObject({ replayed: false, clientMutationId: 'one' });
    expect(again).toMatchObject({ replayed: true, policy: { id: first.policy.id }, clientMutationId: 'two' });
    const misused = await change(create, { ...input, name: 'twice' });
    expect(misused.userErrors).toMatchObject([{ code: 'IDEMPOTENCY_KEY_REUSED' }]);
  });

  it('is for account scope', async () => {
    const inside = await stage.token(stage.root, { workspace: '0' });
    const { errors } = await stage.ask(inside, create, { input: { name: 'inside', document: plain } });
    expect(errors[0]?.extensions).toMatchObject({
      code: 'FORBIDDEN',
      reason: 'WRONG_SCOPE',
      requiredScope: 'ACCOUNT',
    });
  });
});

describe('versions of a policy', () => {
  const make = async (name: string, document: object = plain): Promise<string> =>
    (await change(create, { name, document })).policy.id;

  it('are added beside the one in use, or put in use at once', async () => {
    const policyId = await make('versioned');
    const second = await change(createVersion, { policyId, document: other });
    expect(second).toMatchObject({
      policy: { id: policyId, version: 2, defaultVersion: { number: 1 }, latestVersion: { number: 2 } },
      policyVersion: { number: 2, isDefault: false, documentText: JSON.stringify(other) },
      defaultAccessEnded: [],
      userErrors: [],
    });
    const third = await change(createVersion, { policyId, document: plain, setAsDefault: true });
    expect(third).toMatchObject({
      policy: { defaultVersion: { number: 3 }, latestVersion: { number: 3 } },
      policyVersion: { number: 3, isDefault: true },
    });
    expect(third.revision).toBe(await stage.revision());
  });

  it('are read in pages, newest first unless another order is asked for', async () => {
    const policyId = await make('paged');
    await change(createVersion, { policyId, document: other });
    await change(createVersion, { policyId, document: other });
    const page = `query ($id: ID!, $first: Int, $after: String, $orderBy: PolicyVersionOrderInput) { policy(id: $id) {
      versions(first: $first, after: $after, orderBy: $orderBy) {
        totalCount nodes { number } pageInfo { hasNextPage hasPreviousPage endCursor }
      }
    } }`;
    interface Read {
      readonly policy: {
        readonly versions: { readonly nodes: unknown; readonly pageInfo: { readonly endCursor: string } };
      };
    }
    const first = await stage.get<Read>(root, page, { id: policyId, first: 2 });
    expect(first.policy.versions).toMatchObject({
      totalCount: 3,
      nodes: [{ number: 3 }, { number: 2 }],
      pageInfo: { hasNextPage: true, hasPreviousPage: false },
    });
    const after = first.policy.versions.pageInfo.endCursor;
    const second = await stage.get<Read>(root, page, { id: policyId, first: 2, after });
    expect(second.policy.versions).toMatchObject({
      nodes: [{ number: 1 }],
      pageInfo: { hasNextPage: false, hasPreviousPage: true },
    });
    const orderBy = { field: 'NUMBER', direction: 'ASC' };
    const ascending = await stage.get<Read>(root, page, { id: policyId, orderBy });
    expect(ascending.policy.versions.nodes).toEqual([{ number: 1 }, { number: 2 }, { number: 3 }]);
    expect((await stage.ask(root, page, { id: policyId, after, orderBy })).codes).toEqual(['BAD_USER_INPUT']);
  });

  it('are five at most, and a number is never given again', async () => {
    const policyId = await make('full');
    for (let number = 2; number <= 5; number += 1) await change(createVersion, { policyId, document: other });
    const sixth = await change(createVersion, { policyId, document: other });
    expect(sixth.userErrors).toMatchObject([
      { __typename: 'LimitExceededError', code: 'LIMIT_EXCEEDED', reference: 'IAM.1115', limit: 5 },
    ]);
    const deleted = await change(deleteVersion, { policyId, number: 5 });
    expect(deleted).toMatchObject({
      deletedPolicyVersionNumber: 5,
      policy: { versions: { nodes: [{ number: 4 }, { number: 3 }, { number: 2 }, { number: 1 }] } },
    });
    const { policy } = await stage.get<{ policy: unknown }>(
      root,
      'query ($id: ID!) { policy(id: $id) { latestVersion { number } } }',
      { id: policyId },
    );
    expect(policy).toEqual({ latestVersion: null });
    const next = await change(createVersion, { policyId, document: other });
    expect(next.policyVersion).toMatchObject({ number: 6 });
  });

  it('stay on the level of the policy', async () => {
    const policyId = await make('levelled');
    const document = { Version: '1.1', Statement: [{ Effect: 'Allow', Action: ['iam:users:listUsers'] }] };
    const payload = await change(createVersion, { policyId, document });
    expect(payload.userErrors).toMatchObject([
      { __typename: 'PolicyDocumentError', reference: 'IAM.1009', pointer: '/Statement', line: null, column: null },
    ]);
  });

  it('are put in use one at a time, by whoever read the policy as it stands', async () => {
    const policyId = await make('switched');
    await change(createVersion, { policyId, document: other });
    const stale = await change(setDefault, { policyId, number: 2, expectedVersion: 1 });
    expect(stale.userErrors).toMatchObject([{ code: 'CONFLICT', path: ['input', 'expectedVersion'] }]);
    const switched = await change(setDefault, { policyId, number: 2, expectedVersion: 2 });
    expect(switched).toMatchObject({ policy: { version: 3, defaultVersion: { number: 2 } }, userErrors: [] });
    const missing = await change(setDefault, { policyId, number: 9 });
    expect(missing.userErrors).toMatchObject([{ code: 'NOT_FOUND', reference: 'IAM.0004', path: ['input', 'number'] }]);
  });

  it('are not deleted while in use', async () => {
    const policyId = await make('kept');
    const inUse = await change(deleteVersion, { policyId, number: 1 });
    expect(inUse.userErrors).toMatchObject([{ code: 'IN_USE', path: ['input', 'number'] }]);
    const missing = await change(deleteVersion, { policyId, number: 2 });
    expect(missing.userErrors).toMatchObject([{ code: 'NOT_FOUND', path: ['input', 'number'] }]);
  });

  it('are made once under one idempotency key', async () => {
    const policyId = await make('versioned once');
    const input = { policyId, document: other, idempotencyKey: 'version-once' };
    const first = await change(createVersion, input);
    const again = await change(createVersion, { ...input, policyId: first.policy.id });
    expect(again).toMatchObject({
      replayed: true,
      policyVersion: { number: 2 },
      policy: { latestVersion: { number: 2 } },
    });
    const misused = await change(createVersion, { ...input, document: plain });
    expect(misused.userErrors).toMatchObject([{ code: 'IDEMPOTENCY_KEY_REUSED' }]);
  });

  it('give nobody more than the one who puts them in use holds', async () => {
    const policyId = await make('escalating');
    const holder = await stage.user('holder');
    const { iam } = stage;
    const writer = await stage.user('writer');
    const writing = await stage.policy('policy writer', ['iam:roles:*']);
    const grant = `mutation ($input: GrantPolicyInput!) { done: grantPolicy(input: $input) { ${errorFields} } }`;
    await change(grant, { policyId, subject: { user: holder }, scope: { workspace: '0' } });
    await change(grant, { policyId: writing, subject: { user: writer }, scope: { all: true } });
    const token = await stage.token(writer, 'account');
    const before = (await iam.store.access.account(stage.accountId))?.revision;
    const wide = { Version: '1.1', Statement: [{ Effect: 'Allow', Action: ['modelarts:*:*'] }] };
    const payload = await change(createVersion, { policyId, document: wide, setAsDefault: true }, token);
    expect(payload.userErrors).toMatchObject([
      { __typename: 'NotHeldError', code: 'NOT_HELD', reference: 'IAM.0003', actions: ['modelarts:*:*'] },
    ]);
    expect(await stage.revision()).toBe(before);
    const unused = await change(createVersion, { policyId, document: wide }, token);
    expect(unused.userErrors).toEqual([]);
    const late = await change(setDefault, { policyId, number: 2 }, token);
    expect(late.userErrors).toMatchObject([{ code: 'NOT_HELD' }]);
  });

  it('end the LOOSE default of those whom a first Allow naming modelarts reaches', async () => {
    const quiet = { Version: '1.1', Statement: [{ Effect: 'Deny', Action: ['modelarts:notebook:delete'] }] };
    const policyId = await make('waking', quiet);
    const sleeper = await stage.user('sleeper');
    const grant = `mutation ($input: GrantPolicyInput!) { done: grantPolicy(input: $input) { ${errorFields} } }`;
    await change(grant, { policyId, subject: { user: sleeper }, scope: { workspace: '0' } });
    const { defaultAccessEnded } = await change(createVersion, { policyId, document: plain, setAsDefault: true });
    expect(defaultAccessEnded).toEqual([{ name: 'sleeper' }]);
  });
});

describe('deletePolicy', () => {
  it('deletes a policy that nobody holds, with its versions', async () => {
    const id = (await change(create, { name: 'short-lived', document: plain })).policy.id;
    const payload = await change(remove, { id });
    expect(payload).toMatchObject({ policy: { name: 'short-lived' }, deletedPolicyId: id, userErrors: [] });
    const { policy } = await stage.get<{ policy: unknown }>(root, 'query ($id: ID!) { policy(id: $id) { id } }', {
      id,
    });
    expect(policy).toBeNull();
    expect((await change(remove, { id })).userErrors).toMatchObject([
      { code: 'NOT_FOUND', reference: 'IAM.0004', path: ['input', 'id'] },
    ]);
  });

  it('refuses one that a grant uses', async () => {
    const id = (await change(create, { name: 'held', document: plain })).policy.id;
    const user = await stage.user('holds it');
    const grant = `mutation ($input: GrantPolicyInput!) { done: grantPolicy(input: $input) { ${errorFields} } }`;
    await change(grant, { policyId: id, subject: { user }, scope: { all: true } });
    const payload = await change(remove, { id });
    expect(payload.userErrors).toMatchObject([{ code: 'IN_USE', reference: 'IAM.0005', path: ['input', 'id'] }]);
    const { policy } = await stage.get<{ policy: unknown }>(
      root,
      'query ($id: ID!) { policy(id: $id) { inUse grantCount } }',
      { id },
    );
    expect(policy).toEqual({ inUse: true, grantCount: 1 });
  });

  it('leaves system policies alone, as every mutation does', async () => {
    const policyId = encodeNodeId('Policy', 'full_access');
    const before = await stage.revision();
    for (const payload of [
      await change(remove, { id: policyId }),
      await change(createVersion, { policyId, document: plain }),
      await change(setDefault, { policyId, number: 1 }),
      await change(deleteVersion, { policyId, number: 1 }),
    ]) {
      expect(payload.userErrors).toMatchObject([{ code: 'IMMUTABLE' }]);
    }
    expect(await stage.revision()).toBe(before);
  });
});

describe('reading policies', () => {
  const list = `query ($filter: PolicyFilterInput, $orderBy: PolicyOrderInput, $first: Int, $after: String, $last: Int) {
    policies(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last) {
      totalCount nodes { name origin } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }`;
  interface Listed {
    readonly policies: {
      readonly totalCount: number;
      readonly nodes: readonly { readonly name: string; readonly origin: string }[];
      readonly pageInfo: { readonly endCursor: string };
    };
  }
  const names = ({ policies }: Listed): readonly string[] => policies.nodes.map(({ name }) => name);

  beforeAll(async () => {
    for (const name of ['shelf A', 'shelf b', 'Shelf C']) await change(create, { name, document: plain });
  });

  it('finds by name, by part of a name and by origin', async () => {
    expect(names(await stage.get(root, list, { filter: { name: 'SHELF B' } }))).toEqual(['shelf b']);
    expect(names(await stage.get(root, list, { filter: { nameContains: 'helf ' } }))).toEqual([
      'shelf A',
      'shelf b',
      'Shelf C',
    ]);
    const system = await stage.get<Listed>(root, list, { filter: { origin: 'SYSTEM' }, first: 100 });
    expect(system.policies.nodes.length).toBe(system.policies.totalCount);
    expect(new Set(system.policies.nodes.map(({ origin }) => origin))).toEqual(new Set(['SYSTEM']));
    expect(names(await stage.get(root, list, { filter: { nameContains: 'shelf', origin: 'SYSTEM' } }))).toEqual([]);
  });

  it('orders by name or time, either way, and pages in each order', async () => {
    const filter = { nameContains: 'shelf' };
    const orderBy = { field: 'NAME', direction: 'DESC' };
    expect(names(await stage.get(root, list, { filter, orderBy }))).toEqual(['Shelf C', 'shelf b', 'shelf A']);
    const first = await stage.get<Listed>(root, list, { filter, first: 2 });
    expect(first.policies).toMatchObject({ totalCount: 3, pageInfo: { hasNextPage: true, hasPreviousPage: false } });
    const { endCursor: after } = first.policies.pageInfo;
    expect(names(await stage.get(root, list, { filter, first: 2, after }))).toEqual(['Shelf C']);
    expect(names(await stage.get(root, list, { filter, last: 1 }))).toEqual(['Shelf C']);
    expect((await stage.ask(root, list, { filter, orderBy, after })).codes).toEqual(['BAD_USER_INPUT']);
    for (const field of ['CREATED_AT', 'UPDATED_AT']) {
      const ordered = await stage.get<Listed>(root, list, { filter, orderBy: { field, direction: 'ASC' } });
      expect(names(ordered)).toEqual(['shelf A', 'shelf b', 'Shelf C']);
    }
  });

  it('reads every system policy, whatever its version, without a grammar error', async () => {
    const { policies } = await stage.get<{
      policies: {
        nodes: { name: string; statements: unknown[]; documentText: string; warnings: { severity: string }[] }[];
      };
    }>(
      root,
      '{ policies(first: 100, filter: { origin: SYSTEM }) { nodes { name statements { effect } documentText warnings { severity code } } } }',
    );
    expect(policies.nodes.length).toBeGreaterThan(20);
    for (const { name, statements, warnings } of policies.nodes) {
      expect([name, statements.length > 0]).toEqual([name, true]);
      expect([name, warnings.filter(({ severity }) => severity === 'ERROR')]).toEqual([name, []]);
    }
  });

  it('answers null for what is missing, of another account, or named by an id that is none', async () => {
    const neighbour = await stage.neighbour('next door');
    const foreign = await neighbour.policy('theirs', ['modelarts:notebook:get']);
    const query = 'query ($id: ID!) { policy(id: $id) { name } }';
    for (const id of [foreign, encodeNodeId('Policy', foreign), 'missing']) {
      expect(await stage.get(root, query, { id })).toEqual({ policy: null });
    }
    expect((await stage.ask(root, query, { id: encodeNodeId('User', foreign) })).codes).toEqual(['BAD_USER_INPUT']);
    for (const [mutation, input] of [
      [remove, { id: foreign }],
      [createVersion, { policyId: foreign, document: plain }],
      [setDefault, { policyId: foreign, number: 1 }],
      [deleteVersion, { policyId: foreign, number: 1 }],
    ] as const) {
      expect((await change(mutation, input)).userErrors).toMatchObject([{ code: 'NOT_FOUND', reference: 'IAM.0004' }]);
    }
    const theirs = await neighbour.get(await neighbour.token(neighbour.root, 'account'), query, { id: foreign });
    expect(theirs).toEqual({ policy: { name: 'theirs' } });
  });

  it('shows inside a workspace the system policies and those granted there', async () => {
    const here = await stage.workspace('bench-here');
    const there = await stage.workspace('bench-there');
    const hereId = await stage.policy('granted here', ['modelarts:notebook:get']);
    const thereId = await stage.policy('granted there', ['modelarts:notebook:get']);
    const grant = `mutation ($input: GrantPolicyInput!) { done: grantPolicy(input: $input) { ${errorFields} } }`;
    const user = await stage.user('works here and there');
    await change(grant, { policyId: hereId, subject: { user }, scope: { workspace: here } });
    await change(grant, { policyId: thereId, subject: { user }, scope: { workspace: there } });
    const inside = await stage.token(stage.root, { workspace: here });
    const found = await stage.get<Listed>(inside, list, { filter: { nameContains: 'granted ' } });
    expect(names(found)).toEqual(['granted here']);
    expect(found.policies.totalCount).toBe(1);
    const query = 'query ($id: ID!) { policy(id: $id) { name documentText grantCount versions { totalCount } } }';
    expect(await stage.get(inside, query, { id: thereId })).toEqual({ policy: null });
    expect(await stage.get(inside, query, { id: hereId })).toMatchObject({
      policy: { name: 'granted here', grantCount: 1, versions: { totalCount: 1 } },
    });
    expect(await stage.get(inside, query, { id: 'full_access' })).toMatchObject({ policy: { name: 'FullAccess' } });
  });

  it('keeps the number of grants from those who may not list grants', async () => {
    const reader = await stage.user('reader');
    const reading = await stage.policy('role reader', ['iam:roles:listRoles', 'iam:roles:getRole']);
    const grant = `mutation ($input: GrantPolicyInput!) { done: grantPolicy(input: $input) { ${errorFields} } }`;
    await change(grant, { policyId: reading, subject: { user: reader }, scope: { all: true } });
    const token = await stage.token(reader, 'account');
    const query = 'query ($id: ID!) { policy(id: $id) { name inUse grantCount grants { totalCount } } }';
    expect(await stage.get(token, query, { id: reading })).toEqual({
      policy: { name: 'role reader', inUse: null, grantCount: null, grants: null },
    });
  });

  it('shows the document to readers only: who may change a policy does not thereby read it', async () => {
    const changer = await stage.user('changer');
    const changing = await stage.policy('role changer', ['iam:roles:updateRole']);
    const policyId = await stage.policy('unread', ['modelarts:notebook:get']);
    const grant = `mutation ($input: GrantPolicyInput!) { done: grantPolicy(input: $input) { ${errorFields} } }`;
    await change(grant, { policyId: changing, subject: { user: changer }, scope: { all: true } });
    const token = await stage.token(changer, 'account');
    const { done } = await stage.get<{ done: Payload }>(
      token,
      `mutation ($input: SetDefaultPolicyVersionInput!) { done: setDefaultPolicyVersion(input: $input) {
        policy { name document documentText statements { index } warnings { code } defaultVersion { documentText } versions { totalCount } }
        ${errorFields}
      } }`,
      { input: { policyId, number: 1 } },
    );
    expect(done).toMatchObject({
      userErrors: [],
      policy: {
        name: 'unread',
        document: null,
        documentText: null,
        statements: null,
        warnings: null,
        defaultVersion: null,
        versions: null,
      },
    });
  });

  it('honours a Deny on one policy in lists, too', async () => {
    const half = await stage.user('half blind');
    const hidden = await stage.policy('hidden one', ['modelarts:notebook:get']);
    const reading = await stage.policy('role reader but one', [
      'iam:roles:*',
      { Effect: 'Deny', Action: ['iam:roles:*'], Resource: [`iam:*:*:policy:${hidden}`] },
    ]);
    const grant = `mutation ($input: GrantPolicyInput!) { done: grantPolicy(input: $input) { ${errorFields} } }`;
    await change(grant, { policyId: reading, subject: { user: half }, scope: { all: true } });
    const token = await stage.token(half, 'account');
    const { policies } = await stage.get<{ policies: { nodes: unknown[] } }>(
      token,
      '{ policies(filter: { nameContains: "hidden one" }) { nodes { name } } }',
    );
    expect(policies.nodes).toEqual([null]);
    const { codes } = await stage.ask(token, 'query ($id: ID!) { policy(id: $id) { name } }', { id: hidden });
    expect(codes).toEqual(['FORBIDDEN']);
  });
});

describe('policies that nobody grants', () => {
  it.each(['self', 'modelarts-default-access'])('%s is among those of the account, to be read', async (id) => {
    const { policy } = await stage.get<{ policy: { origin: string; defaultVersion: { documentText: string } } }>(
      root,
      `{ policy(id: "${id}") { origin defaultVersion { documentText } } }`,
    );
    const kept = builtInPolicies.find((known) => known.id === id);
    expect(policy).toEqual({ origin: 'SYSTEM', defaultVersion: { documentText: JSON.stringify(kept?.document) } });
  });

  it.each(['self', 'modelarts-default-access'])('%s is granted to nobody', async (policyId) => {
    const userId = await stage.user(`holder-of-${policyId}`);
    const { done } = await stage.get<{ done: unknown }>(
      root,
      'mutation ($input: GrantPolicyInput!) { done: grantPolicy(input: $input) { grant { id } userErrors { code path } revision } }',
      { input: { policyId, subject: { user: userId }, scope: { all: true } } },
    );
    expect(done).toEqual({
      grant: null,
      userErrors: [{ code: 'RESERVED', path: ['input', 'policyId'] }],
      revision: null,
    });
  });
});
