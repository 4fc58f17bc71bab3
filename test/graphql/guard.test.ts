import { beforeEach, describe, expect, it } from 'vitest';
import { buildSchema, isObjectType, type GraphQLFieldResolver } from 'graphql';
import { guardSchema } from '../../src/graphql/guard.js';
import { KnownAnswers } from '../../src/graphql/known-answers.js';
import { encodeNodeId } from '../../src/graphql/node-ids.js';
import { contextOf, listen, ListedCall, run, type Answer, type Caller } from './kit.js';
import { PeopleFeed, sample, trail } from './sample.js';

const readOne = (id: string): string => `iam:users:getUser iam::a1:user:${id}`;

beforeEach(() => {
  trail.length = 0;
});

describe('a root field', () => {
  it('is asked about before its resolver runs', async () => {
    const answer = await run(sample, '{ users { edges { cursor } } }', await contextOf({}));
    expect(answer.data).toEqual({ users: null });
    expect(answer.errors[0]).toMatchObject({
      path: ['users'],
      extensions: { code: 'FORBIDDEN', action: 'iam:users:listUsers', requestId: 'r1', reference: 'IAM.0003' },
    });
    expect(answer.errors[0]?.message).toBe(
      '`iam:users:listUsers` is not allowed for you here; ask an administrator and name request `r1`',
    );
    expect(trail).toEqual([]);
  });

  it('does not take its siblings along when it is refused', async () => {
    const answer = await run(sample, '{ status users { edges { cursor } } }', await contextOf({}));
    expect(answer.data).toEqual({ status: 'up', users: null });
  });

  it('asks about the resource that its arguments name, Node ids made plain', async () => {
    for (const id of ['u2', encodeNodeId('User', 'u2')]) {
      const context = await contextOf({ may: [readOne('u2')] });
      const answer = await run(sample, 'query ($id: ID!) { user(id: $id) { name } }', context, { id });
      expect(answer.data).toEqual({ user: { name: 'Name u2' } });
    }
    const other = await run(sample, '{ user(id: "u3") { name } }', await contextOf({ may: [readOne('u2')] }));
    expect(other.codes).toEqual(['FORBIDDEN']);
  });

  it('refuses a Node id of another kind after the permission', async () => {
    const source = `{ user(id: "${encodeNodeId('Group', 'u2')}") { name } }`;
    expect((await run(sample, source, await contextOf({}))).codes).toEqual(['FORBIDDEN']);
    expect((await run(sample, source, await contextOf({ may: ['iam:users:getUser'] }))).codes).toEqual([
      'BAD_USER_INPUT',
    ]);
  });

  it('cannot be opened by ids that would add segments or patterns to the URN', async () => {
    const context = await contextOf({});
    await run(sample, '{ a: user(id: "*") { name } b: user(id: "u1:x") { name } }', context);
    expect((context.call as ListedCall).asked).toEqual([
      'iam:users:getUser iam::a1:user:%2A',
      'bailiwick:access:explain -',
      'iam:users:getUser iam::a1:user:u1%3Ax',
      'bailiwick:access:explain -',
    ]);
  });

  it('defaults an optional argument to the caller where the rule says so', async () => {
    const own = await contextOf({ may: ['iam:credentials:listCredentials iam::a1:credential:u1'] });
    const source = '{ a: credentials b: credentials(userId: null) c: credentials(userId: "u2") }';
    const answer = await run(sample, source, own);
    expect(answer.data).toEqual({ a: 'own', b: 'own', c: null });
  });

  it('opens for any of several actions', async () => {
    const answer = await run(sample, '{ directory }', await contextOf({ may: ['iam:users:updateUser'] }));
    expect(answer.data).toEqual({ directory: 'open' });
  });

  it('says which scope it needs', async () => {
    const inside = await contextOf({ may: ['iam:users:createUser'], workspaceId: '0' });
    const answer = await run(sample, '{ directory }', inside);
    expect(answer.errors[0]?.extensions).toMatchObject({
      code: 'FORBIDDEN',
      reason: 'WRONG_SCOPE',
      requiredScope: 'ACCOUNT',
    });
    expect(trail).toEqual([]);
    const outside = await run(sample, '{ here }', await contextOf({ may: ['modelarts:workspace:get'] }));
    expect(outside.errors[0]?.extensions).toMatchObject({ reason: 'WRONG_SCOPE', requiredScope: 'WORKSPACE' });
  });

  it('names the platform’s code of a refused modelarts action', async () => {
    const answer = await run(sample, '{ here }', await contextOf({ workspaceId: '0' }));
    expect(answer.errors[0]?.extensions['reference']).toBe('ModelArts.0112');
  });

  it('tells the reasons only to those who may see them', async () => {
    const blind = await run(sample, '{ users { edges { cursor } } }', await contextOf({}));
    expect(blind.errors[0]?.extensions).not.toHaveProperty('decision');
    const seeing = await run(
      sample,
      '{ users { edges { cursor } } }',
      await contextOf({ may: ['bailiwick:access:explain'] }),
    );
    expect(seeing.errors[0]?.extensions['decision']).toMatchObject({ reason: 'NO_MATCHING_ALLOW', statements: [] });
  });

  it('wants a credential unless it is public', async () => {
    const answer = await run(sample, '{ status directory }', await contextOf({ kind: 'ANONYMOUS' }));
    expect(answer.data).toEqual({ status: 'up', directory: null });
    expect(answer.codes).toEqual(['UNAUTHENTICATED']);
  });

  it('answers nothing to a broken credential, public or not', async () => {
    const broken = { message: 'the token has expired; sign in again', reference: 'IAM.0066' };
    const answer = await run(sample, '{ status directory }', await contextOf({ kind: 'ANONYMOUS', broken }));
    expect(answer.data).toEqual({ status: null, directory: null });
    expect(answer.codes).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED']);
    expect(answer.errors[0]).toMatchObject({ message: broken.message, extensions: { reference: 'IAM.0066' } });
    expect(trail).toEqual([]);
  });

  it('stays shut when asking itself fails, and says nothing of why', async () => {
    const answer = await run(sample, '{ users { edges { cursor } } }', await contextOf({ fails: true }));
    expect(answer.data).toEqual({ users: null });
    expect(answer.errors[0]).toMatchObject({
      message: 'internal error; name request `r1` to the operator',
      extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: 'r1' },
    });
    expect(JSON.stringify(answer.errors)).not.toContain('secret detail');
    expect(answer.defects).toHaveLength(1);
    expect(trail).toEqual([]);
  });
});

describe('an object of a guarded type', () => {
  /** A caller whom every door lets in, but who may read the first user only. */
  const doors = ['iam:users:listUsers', 'bailiwick:session:use', 'iam:groups:getGroup', readOne('u1')];
  const reads = async (source: string, may: readonly string[] = doors): Promise<Answer> =>
    run(sample, source, await contextOf({ may }));

  it('is null on an edge and in `nodes`, and takes its edge along', async () => {
    const answer = await reads('{ users { edges { cursor node { name } } nodes { name } } }');
    expect(answer.data).toEqual({
      users: {
        edges: [{ cursor: expect.any(String) as string, node: { name: 'Name u1' } }, null, null],
        nodes: [{ name: 'Name u1' }, null, null],
      },
    });
    expect(answer.errors).toEqual([]);
  });

  it('is null in a list of promises', async () => {
    const answer = await reads('{ promised { name } }');
    expect(answer.data).toEqual({ promised: [{ name: 'Name u1' }, null, null] });
    expect(answer.errors).toEqual([]);
  });

  it('is null behind an interface', async () => {
    const answer = await reads('{ a: node(id: "u1") { id } b: node(id: "u2") { id } nodes { __typename } }', [
      'bailiwick:session:use',
      readOne('u1'),
    ]);
    expect(answer.data).toEqual({
      a: { id: encodeNodeId('User', 'u1') },
      b: null,
      nodes: [{ __typename: 'User' }, null],
    });
  });

  it('is null behind a union, beside plain values', async () => {
    const all = await reads('{ search { __typename } }');
    expect(all.data).toEqual({ search: [{ __typename: 'User' }, { __typename: 'Tag' }] });
    const plain = await reads('{ search { __typename } }', ['bailiwick:session:use']);
    expect(plain.data).toEqual({ search: [null, { __typename: 'Tag' }] });
  });

  it('is withheld when it does not say what it is', async () => {
    const answer = await reads('{ unnamed { id } }');
    expect(answer.data).toEqual({ unnamed: null });
    expect(answer.codes).toEqual(['INTERNAL_SERVER_ERROR']);
  });

  it('is null when the rule’s resource cannot be named, whatever is allowed', async () => {
    const answer = await reads('{ incomplete { name } }', ['bailiwick:session:use', 'iam:users:getUser']);
    expect(answer.data).toEqual({ incomplete: null });
    expect(answer.errors).toEqual([]);
  });

  it('is null as a field of another object, and behind a field with a resolver of its own', async () => {
    const answer = await reads('{ group { owner { name } members { nodes { name } } } }');
    expect(answer.data).toEqual({ group: { owner: null, members: { nodes: [{ name: 'Name u1' }, null, null] } } });
  });

  it('is null when the door is open but the object is not', async () => {
    const answer = await reads('{ group { id } }', ['iam:groups:getGroup iam::a1:group:other', 'iam:groups:getGroup']);
    expect(answer.data).toEqual({ group: { id: encodeNodeId('Group', 'g1') } });
    const closed = await run(sample, '{ node(id: "g1") { id } }', await contextOf({ may: ['bailiwick:session:use'] }));
    expect(closed.data).toEqual({ node: null });
    expect(closed.errors).toEqual([]);
  });

  it('hides a field with a rule of its own, silently', async () => {
    const source = '{ user(id: "u1") { name hint } }';
    const hidden = await reads(source);
    expect(hidden.data).toEqual({ user: { name: 'Name u1', hint: null } });
    expect(hidden.errors).toEqual([]);
    const context = await contextOf({ may: doors });
    await run(sample, source, context);
    expect((context.call as ListedCall).asked).toContain('iam:credentials:getCredential iam::a1:credential:u1');
  });

  it('is resolved without a single promise when nothing waits', () => {
    const type = sample.getType('Group');
    if (!isObjectType(type)) throw new Error('no Group');
    const resolve = type.getFields()['owner']?.resolve as GraphQLFieldResolver<unknown, unknown> | undefined;
    const call = new ListedCall({ may: [readOne('u2')] });
    const owner = { id: 'u2' };
    expect(resolve?.({ owner }, {}, { call, answers: new KnownAnswers() }, {} as never)).toBe(owner);
  });

  it('counts a list only when the count is asked for', async () => {
    await reads('{ users { nodes { id } } }');
    expect(trail).toEqual(['users']);
    const answer = await reads('{ users { totalCount } }');
    expect(answer.data).toEqual({ users: { totalCount: 3 } });
  });
});

describe('a mutation', () => {
  const create = (name: string, fields: string): string => `createUser(input: { name: "${name}" }) { ${fields} }`;

  it('shows in its payload what it made, but asks about the rest', async () => {
    const answer = await run(
      sample,
      `mutation { ${create('Eve', 'user { name hint } others { name } group { id owner { name } } revision')} }`,
      await contextOf({ may: ['iam:users:createUser'] }),
    );
    expect(answer.errors).toEqual([]);
    expect(answer.data).toEqual({
      createUser: {
        user: { name: 'Eve', hint: null },
        others: [null, null, null],
        group: { id: encodeNodeId('Group', 'g1'), owner: null },
        revision: 7,
      },
    });
  });

  it('acts as whoever the credential has become after each root field', async () => {
    // Opened at first, after `a`, before `b`, which is refused, and before `c`.
    const context = await contextOf({ may: ['iam:users:createUser'] }, {}, {}, { may: ['iam:users:createUser'] });
    const answer = await run(
      sample,
      `mutation { a: ${create('1', 'revision')} b: ${create('2', 'revision')} c: ${create('3', 'revision')} }`,
      context,
    );
    expect(answer.data).toMatchObject({ a: { revision: 7 }, b: null, c: { revision: 7 } });
    expect(answer.codes).toEqual(['FORBIDDEN']);
    expect(trail).toEqual(['create 1', 'create 3']);
  });

  it('asks about what its payload reaches as whom the change left behind', async () => {
    const query = `mutation { ${create('1', 'others { name }')} }`;
    const may = ['iam:users:createUser', 'iam:users:getUser', 'iam:users:listUsers'];
    const before = await run(sample, query, await contextOf({ may }));
    const after = await run(sample, query, await contextOf({ may }, { may: ['iam:users:createUser'] }));
    expect(JSON.stringify(before.data)).not.toBe(JSON.stringify(after.data));
    expect(after.data).toEqual({ createUser: { others: [null, null, null] } });
  });

  it('begins again from the credential after it acted as another call', async () => {
    const context = await contextOf({ may: ['iam:users:createUser'] });
    const first = context.call;
    const loaders = context.loaders;
    context.actAs(new ListedCall({}));
    expect(context.call).not.toBe(first);
    expect(context.loaders).not.toBe(loaders);
    expect(context.beforeMutation()).toBeNull();
    await context.beforeMutation();
    expect(context.call).toBe(first);
  });

  it('asks about its input, required and decoded', async () => {
    const id = encodeNodeId('User', 'u1');
    const context = await contextOf({ may: ['iam:users:updateUser iam::a1:user:u1'] });
    const answer = await run(
      sample,
      `mutation { renameUser(input: { id: "${id}", clientMutationId: "m" }) { user { name } clientMutationId } }`,
      context,
    );
    expect(answer.data).toEqual({ renameUser: { user: { name: 'Name u1' }, clientMutationId: 'm' } });
  });
});

describe('a subscription', () => {
  const source = 'subscription { userChanged { name } }';

  it('is refused before the stream is opened', async () => {
    const answer = await listen(sample, source, await contextOf({}));
    expect(answer).toMatchObject({ codes: ['FORBIDDEN'] });
    expect(trail).toEqual([]);
  });

  it('asks anew for every event and about the object in it, and ends at the first refusal', async () => {
    const may = ['bailiwick:audit:list'];
    const opened = [{ may }, { may: [...may, 'iam:users:getUser'] }, { may }, {}] as const;
    const answersTo = async (...callers: readonly [Caller, ...Caller[]]): Promise<readonly Answer[]> => {
      const answers: Answer[] = [];
      const stream = await listen(sample, source, await contextOf(...callers));
      for await (const answer of stream as AsyncIterable<Answer>) answers.push(answer);
      return answers;
    };
    const answers = await answersTo(...opened);
    expect(answers.map(({ data }) => data)).toEqual([
      { userChanged: { name: 'Name u1' } },
      { userChanged: null },
      { userChanged: null },
    ]);
    expect(answers.map(({ codes }) => codes)).toEqual([[], [], ['FORBIDDEN']]);
    expect((await answersTo({ may }, {})).map(({ codes }) => codes)).toEqual([['FORBIDDEN']]);
    // Nothing is looked for as a caller who is refused.
    expect(trail).toEqual(['looked']);
  });

  it('answers nothing when its field brings a stream that the guard did not make', async () => {
    const rumours = 'subscription { userRumoured { name } }';
    const answer = await listen(sample, rumours, await contextOf({ may: ['bailiwick:audit:list'] }));
    expect(answer).toMatchObject({ data: null, codes: ['INTERNAL_SERVER_ERROR'] });
    expect(() => new PeopleFeed()[Symbol.asyncIterator]()).toThrow(/by the guard alone/);
  });
});

describe('a schema that was never proved', () => {
  it('stays shut at every root field without a rule', async () => {
    const schema = guardSchema(buildSchema('type Query { open: String }'), {
      roots: new Map(),
      types: new Map(),
      fields: new Map(),
      problems: [],
    });
    const answer = await run(schema, '{ open }', await contextOf({ kind: 'ROOT' }));
    expect(answer.data).toEqual({ open: null });
    expect(answer.codes).toEqual(['INTERNAL_SERVER_ERROR']);
  });
});
