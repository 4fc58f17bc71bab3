import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { connection, linkedConnection, windowOf } from '../../src/graphql/connections.js';
import { createCursors } from '../../src/graphql/cursors.js';
import {
  decodeId,
  decodeIds,
  encodeNodeId,
  nodeKinds,
  plainId,
  readNodeId,
  type NodeKind,
} from '../../src/graphql/node-ids.js';
import { fillTemplate, parseTemplate } from '../../src/urn-templates/index.js';
import { BadInput, createSealing, type Order } from '../../src/iam/index.js';

const sealing = createSealing(new Uint8Array(32).fill(7));
const scope = { accountId: 'a'.repeat(32), workspaceId: null };
const cursors = createCursors(sealing, scope).of('users');
const kinds = Object.keys(nodeKinds) as NodeKind[];
const base64url = (text: string): string => Buffer.from(text, 'latin1').toString('base64url');

describe('a Node id', () => {
  it('comes back as the id that went in, for every kind', () => {
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.stringMatching(/^[A-Za-z0-9._:-]{1,64}$/), (kind, id) => {
        expect(readNodeId(encodeNodeId(kind, id))).toEqual({ kind, id });
        expect(decodeId(kind, encodeNodeId(kind, id))).toBe(id);
      }),
    );
  });

  it('may be the plain id instead', () => {
    for (const id of ['0', 'd41d8cd98f00b204e9800998ecf8427e', 'AKIA123', 'policy.1']) {
      expect(decodeId('User', id)).toBe(id);
      expect(plainId(id)).toBe(id);
    }
  });

  it('of another kind is refused, never looked up', () => {
    expect(() => decodeId('User', encodeNodeId('Group', '1'))).toThrow(BadInput);
    expect(() => decodeIds('User', ['1', encodeNodeId('Group', '1')])).toThrow(
      'is the id of a Group; give the id of a User',
    );
    expect(plainId(encodeNodeId('Group', '1'))).toBe('1');
  });

  it('counts as plain when it only looks like one', () => {
    for (const text of [
      base64url('Nobody:1'),
      base64url('User:'),
      base64url('User'),
      `${encodeNodeId('User', '1')}=`,
      base64url('toString:1'),
    ]) {
      expect(readNodeId(text)).toBeNull();
    }
  });

  it('has one spelling only', () => {
    const canonical = encodeNodeId('User', '12');
    const other = canonical.slice(0, -1) + String.fromCharCode(canonical.charCodeAt(canonical.length - 1) + 1);
    expect(Buffer.from(other, 'base64url').equals(Buffer.from(canonical, 'base64url'))).toBe(true);
    expect(readNodeId(other)).toBeNull();
  });

  it('cannot smuggle text that the edge would have refused', () => {
    expect(() => decodeId('User', encodeNodeId('User', 'a\0b'))).toThrow('U+0000');
  });

  it('is not longer than any id', () => {
    expect(() => decodeId('User', 'x'.repeat(513))).toThrow(BadInput);
  });
});

describe('a cursor', () => {
  const byName: Order<'NAME'> = { by: 'NAME', direction: 'ASC' };
  const byTime: Order<'CREATED_AT'> = { by: 'CREATED_AT', direction: 'DESC' };

  it('comes back as the position that went in', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !/\0|\p{Surrogate}/u.test(text)),
        fc.maxSafeInteger(),
        (name, time) => {
          expect(cursors.decode(byName, cursors.encode(byName, { key: name, id: 'x' }))).toEqual({
            key: name,
            id: 'x',
          });
          expect(cursors.decode(byTime, cursors.encode(byTime, { key: time, id: 'x' }))).toEqual({
            key: time,
            id: 'x',
          });
        },
      ),
    );
  });

  it('of another order or direction is refused', () => {
    const cursor = cursors.encode(byName, { key: 'a', id: 'x' });
    expect(() => cursors.decode(byTime, cursor)).toThrow(BadInput);
    expect(() => cursors.decode({ by: 'NAME', direction: 'DESC' }, cursor)).toThrow(BadInput);
    expect(() => cursors.decode({ by: 'URN', direction: 'ASC' }, cursor)).toThrow(BadInput);
  });

  it('of another list, parent, workspace or account is refused', () => {
    const here = createCursors(sealing, scope);
    const cursor = here.of('Group.members', 'g1').encode(byName, { key: 'a', id: 'x' });
    for (const other of [
      here.of('users'),
      here.of('Group.members'),
      here.of('Group.members', 'g2'),
      createCursors(sealing, { ...scope, workspaceId: '0' }).of('Group.members', 'g1'),
      createCursors(sealing, { ...scope, accountId: 'b'.repeat(32) }).of('Group.members', 'g1'),
    ]) {
      expect(() => other.decode(byName, cursor)).toThrow(BadInput);
    }
    expect(here.of('Group.members', 'g1').decode(byName, cursor)).toEqual({ key: 'a', id: 'x' });
  });

  it('shows nothing of the row it stands for, and is the same whenever the row is', () => {
    const place = { key: 'the-name-of-a-hidden-row', id: 'its-id' };
    const cursor = cursors.encode(byName, place);
    expect(Buffer.from(cursor, 'base64url').toString('latin1')).not.toMatch(/hidden|its-id|NAME/);
    expect(cursors.encode(byName, place)).toBe(cursor);
    expect(cursors.encode(byName, { ...place, id: 'another' })).not.toBe(cursor);
  });

  it('of another installation is refused', () => {
    const elsewhere = createCursors(createSealing(new Uint8Array(32).fill(9)), scope).of('users');
    expect(() => cursors.decode(byName, elsewhere.encode(byName, { key: 'a', id: 'x' }))).toThrow(BadInput);
  });

  it('that was forged or changed is refused, whatever is in it', () => {
    const good = cursors.encode(byName, { key: 'a', id: 'x' });
    const plain = (content: unknown): string =>
      Buffer.concat([Buffer.of(1), Buffer.from(JSON.stringify(content))]).toString('base64url');
    for (const cursor of ['', 'no cursor', '!!!', plain(['NAME', 'ASC', 'a', 'x']), `${good}A`, 'A'.repeat(3000)]) {
      expect(() => cursors.decode(byName, cursor), cursor).toThrow(BadInput);
    }
    for (let at = 0; at < good.length; at += 1) {
      const changed = good.slice(0, at) + (good[at] === 'A' ? 'B' : 'A') + good.slice(at + 1);
      expect(() => cursors.decode(byName, changed), changed).toThrow(BadInput);
    }
  });
});

describe('a page', () => {
  const order: Order<'NAME'> = { by: 'NAME', direction: 'ASC' };
  const after = cursors.encode(order, { key: 'a', id: 'x' });

  it('has 25 items from the start unless something else is asked', () => {
    expect(windowOf(cursors, {}, order)).toEqual({
      order,
      limit: 25,
      backward: false,
      after: null,
      before: null,
      cursors,
    });
    expect(windowOf(cursors, { first: null, last: null }, order)).toMatchObject({ limit: 25, backward: false });
    expect(windowOf(cursors, { first: 100, after }, order)).toMatchObject({ limit: 100, after: { key: 'a', id: 'x' } });
    expect(windowOf(cursors, { last: 3, before: after }, order)).toMatchObject({
      limit: 3,
      backward: true,
      before: { id: 'x' },
    });
  });

  it.each([{ first: 0 }, { first: 101 }, { last: 0 }, { last: -1 }, { first: 1, last: 1 }, { after: 'x' }])(
    'refuses %j',
    (args) => {
      expect(() => windowOf(cursors, args, order)).toThrow(BadInput);
    },
  );

  it('becomes a connection whose cursors lead on from its ends', () => {
    const rows = ['b', 'c'].map((id) => ({ record: { id }, position: { key: id, id } }));
    const shown = connection({ rows, hasNext: true, hasPrevious: false }, { order, cursors });
    expect(shown.nodes).toEqual([{ id: 'b' }, { id: 'c' }]);
    expect(shown.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
    expect(cursors.decode(order, shown.pageInfo.endCursor ?? '')).toEqual({ key: 'c', id: 'c' });
    expect(cursors.decode(order, shown.pageInfo.startCursor ?? '')).toEqual({ key: 'b', id: 'b' });
    expect(
      connection({ rows: [], hasNext: false, hasPrevious: true }, { order, cursors }).pageInfo.endCursor,
    ).toBeNull();
  });

  it('of a relationship keeps its facts on the edges', () => {
    const rows = [{ record: { target: { id: 'b' }, addedAt: 7 }, position: { key: 'b', id: 'b' } }];
    const shown = linkedConnection({ rows, hasNext: false, hasPrevious: false }, { order, cursors });
    expect(shown.edges[0]).toMatchObject({ node: { id: 'b' }, addedAt: 7 });
  });
});

describe('a resource template', () => {
  const fill = (text: string, args: Record<string, unknown>, source: unknown = null): string | null => {
    const template = parseTemplate(text);
    if (typeof template === 'string') throw new Error(template);
    return fillTemplate(template, { accountId: 'a1', callerId: 'u1', args, source, plain: plainId });
  };

  it.each([
    ['iam::{account}:user:{args.id}', { id: 'u2' }, null, 'iam::a1:user:u2'],
    ['iam:::user:{args.id}', { id: 'u2' }, null, 'iam::a1:user:u2'],
    ['iam:*:{account}:user:{args.input.id}', { input: { id: encodeNodeId('User', 'u2') } }, null, 'iam:*:a1:user:u2'],
    ['iam:::policy:{source.id}/{source.number}', {}, { id: 'p', number: 3 }, 'iam::a1:policy:p/3'],
    ['iam:::credential:{args.id|caller}', {}, null, 'iam::a1:credential:u1'],
    ['iam:::credential:{caller}', {}, null, 'iam::a1:credential:u1'],
    ['{source.urn}', {}, { urn: 'modelarts::a1:notebook:n1' }, 'modelarts::a1:notebook:n1'],
    ['iam:::user:*', {}, null, 'iam::a1:user:*'],
    ['iam:::user:{args.id}', { id: 'a:b*c?d e%' }, null, 'iam::a1:user:a%3Ab%2Ac%3Fd%20e%25'],
  ])('%s is filled in', (text, args, source, urn) => {
    expect(fill(text, args, source)).toBe(urn);
  });

  it.each([
    ['iam:::user:{args.id}', { id: '' }, null],
    ['iam:::user:{args.id}', { id: null }, null],
    ['iam:::user:{args.id}', {}, null],
    ['iam:::user:{args.id}', { id: { toString: 'x' } }, null],
    ['iam:::user:{args.id}', { id: ['u2'] }, null],
    ['iam:::user:{source.id}', {}, null],
    ['iam:::user:{source.id}', {}, { id: undefined }],
    ['iam:::user:{source.id}', {}, { id: 1.5 }],
  ])('%s cannot be filled from %j and %j', (text, args, source) => {
    expect(fill(text, args, source)).toBeNull();
  });
});
