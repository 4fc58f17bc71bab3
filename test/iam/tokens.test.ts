/** Tokens and the keys that sign them: forgeries are refused, and keys change without anyone being signed out. */
import { createHmac, createPrivateKey, hkdfSync, randomBytes, sign, type JsonWebKey } from 'node:crypto';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose';
import { describe, expect, it } from 'vitest';
import { longestTokenLife } from '../../src/iam/token-keys.js';
import { createTokens, type TokenClaims, type Tokens } from '../../src/iam/tokens.js';

const minute = 60_000;
const day = 24 * 60 * minute;
const masterKey = randomBytes(32);

/** Ten minutes into a period of thirty days. */
const start = 688 * 30 * day;
const clock = { at: start + 10 * minute };
const now = () => clock.at;

function at(instant: number): void {
  clock.at = instant;
}

const claims = (more: Partial<TokenClaims> = {}): TokenClaims => ({
  accountId: 'a1',
  userId: 'u1',
  sessionId: 's1',
  scope: { accountId: 'a1', workspaceId: '0' },
  expiresAt: clock.at + day,
  audience: null,
  ...more,
});

const kindOf = async (tokens: Tokens, token: string) => (await tokens.read(token)).kind;

describe('a token', () => {
  const tokens = createTokens(masterKey, now);

  it.each([
    ['in a workspace', {}],
    ['in account scope', { scope: { accountId: 'a1', workspaceId: null } }],
    ['for one service', { audience: 'svc1' }],
  ])('says what was put in: %s', async (_what, more) => {
    at(start + 10 * minute);
    const wanted = claims(more);
    expect(await tokens.read(await tokens.issue(wanted))).toEqual({ kind: 'good', claims: wanted });
  });

  it('is expired, and not broken, when its time is over', async () => {
    at(start + 10 * minute);
    const token = await tokens.issue(claims({ expiresAt: clock.at + minute }));
    at(start + 11 * minute);
    expect(await tokens.read(token)).toEqual({ kind: 'expired' });
  });

  it('is made for no longer than the key that signs it is known', async () => {
    const wanted = claims({ expiresAt: clock.at + longestTokenLife + 1 });
    await expect(tokens.issue(wanted)).rejects.toThrow('no token may live longer than a day');
  });
});

describe('keys', () => {
  const restarted = () => createTokens(masterKey, now, { days: 30, epoch: 0 });

  it('change with the period, and what the last one signed stays good until it expires by itself', async () => {
    const tokens = restarted();
    at(start - minute);
    const before = await tokens.issue(claims());
    at(start + minute);
    const after = await tokens.issue(claims());
    expect(decodeProtectedHeader(before).kid).toBe('0.30.687');
    expect(decodeProtectedHeader(after).kid).toBe('0.30.688');
    expect(await kindOf(tokens, before)).toBe('good');
    // Another process, or the same one after a restart, knows both without having been told.
    expect(await kindOf(restarted(), before)).toBe('good');
    at(start + day - 2 * minute);
    expect(await kindOf(restarted(), before)).toBe('good');
    at(start + day);
    expect(await kindOf(restarted(), before)).toBe('expired');
  });

  it('of the last period are refused once no token of it can be alive', async () => {
    const tokens = restarted();
    at(start - minute);
    const token = await tokens.issue(claims());
    at(start + 3 * day);
    expect(await kindOf(tokens, token)).toBe('broken');
  });

  it('of the next period are taken where a clock may be ahead, and not earlier', async () => {
    const tokens = restarted();
    at(start + minute);
    const early = await tokens.issue(claims());
    at(start - 4 * minute);
    expect(await kindOf(tokens, early)).toBe('good');
    at(start - 6 * minute);
    expect(await kindOf(tokens, early)).toBe('broken');
  });

  it('keep everyone signed in through many periods', async () => {
    const tokens = createTokens(masterKey, now, { days: 1, epoch: 0 });
    const kids = new Set<unknown>();
    for (let hour = 0; hour < 24 * 10; hour += 7) {
      at(start + hour * 60 * minute);
      const token = await tokens.issue(claims());
      kids.add(decodeProtectedHeader(token).kid);
      at(clock.at + day - 1000);
      expect(await kindOf(tokens, token)).toBe('good');
    }
    expect(kids.size).toBe(10);
  });

  it('of another epoch, of another length of periods and of another master key are others', async () => {
    at(start + minute);
    const token = await restarted().issue(claims());
    for (const other of [
      createTokens(masterKey, now, { days: 30, epoch: 1 }),
      createTokens(masterKey, now, { days: 29, epoch: 0 }),
      createTokens(randomBytes(32), now),
    ]) {
      expect(await kindOf(other, token)).toBe('broken');
      expect(await kindOf(other, await other.issue(claims()))).toBe('good');
    }
  });

  it('are published as a set with which jose verifies a token, the next one beforehand', async () => {
    const tokens = restarted();
    at(start + minute);
    const keys = tokens.publicKeys();
    expect(keys.map(({ kid }) => kid)).toEqual(['0.30.687', '0.30.688', '0.30.689']);
    for (const key of keys) {
      expect(key).toEqual({
        kty: 'OKP',
        crv: 'Ed25519',
        x: expect.stringMatching(/^[\w-]{43}$/) as string,
        kid: key['kid'],
        use: 'sig',
        alg: 'EdDSA',
      });
    }
    const verify = createLocalJWKSet({ keys } as unknown as JSONWebKeySet);
    for (const moment of [start - minute, start + minute, start + 30 * day + minute]) {
      at(moment);
      const token = await restarted().issue(claims());
      const { payload } = await jwtVerify(token, verify, { issuer: 'bailiwick', currentDate: new Date(moment) });
      expect(payload).toMatchObject({ sub: 'u1', acc: 'a1', sid: 's1' });
    }
  });
});

describe('a forged token', () => {
  const tokens = createTokens(masterKey, now);
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

  /** The signing key itself, as a thief of the master key would derive it: what is refused here has a good signature. */
  function signed(header: object, payload: object, kid = '0.30.688'): string {
    const seed = hkdfSync('sha256', masterKey, new Uint8Array(0), `bailiwick token signing 2 ${kid}`, 32);
    const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(seed)]);
    const text = `${part(header)}.${part(payload)}`;
    const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    return `${text}.${sign(null, Buffer.from(text), key).toString('base64url')}`;
  }

  at(start + 10 * minute);
  const second = Math.floor(clock.at / 1000);
  const header = { alg: 'EdDSA', typ: 'JWT', kid: '0.30.688' };
  const payload = {
    acc: 'a1',
    sid: 's1',
    scp: 'workspace',
    wsp: '0',
    iss: 'bailiwick',
    sub: 'u1',
    iat: second,
    exp: second + 60,
  };
  const without = (name: keyof typeof payload) =>
    Object.fromEntries(Object.entries(payload).filter(([n]) => n !== name));

  it('made as the server makes them is good, so that the others fail for what they say', async () => {
    at(start + 10 * minute);
    expect(await kindOf(tokens, signed(header, payload))).toBe('good');
  });

  it.each<readonly [string, () => string]>([
    ['says `alg: none`', () => `${part({ ...header, alg: 'none' })}.${part(payload)}.`],
    ['says `alg: none` and keeps a good signature', () => signed({ ...header, alg: 'none' }, payload)],
    ['says `alg: ES256` and keeps a good signature', () => signed({ ...header, alg: 'ES256' }, payload)],
    [
      'is an HMAC with a public key as its secret',
      () => {
        const [, key] = tokens.publicKeys();
        const text = `${part({ ...header, alg: 'HS256' })}.${part(payload)}`;
        const secret = Buffer.from((key as JsonWebKey).x ?? '', 'base64url');
        return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
      },
    ],
    ['names no key', () => signed({ alg: 'EdDSA', typ: 'JWT' }, payload)],
    ['names a key that there is not', () => signed({ ...header, kid: 'main' }, payload)],
    ['names a key by a number', () => signed({ ...header, kid: 688 }, payload)],
    ['names the key of a period long past', () => signed({ ...header, kid: '0.30.1' }, payload, '0.30.1')],
    ['names the key of a period to come', () => signed({ ...header, kid: '0.30.689' }, payload, '0.30.689')],
    ['names this period and is signed by the last one', () => signed(header, payload, '0.30.687')],
    ['names the last period and is signed by this one', () => signed({ ...header, kid: '0.30.687' }, payload)],
    ['has a critical extension', () => signed({ ...header, crit: ['b64'], b64: false }, payload)],
    ['has a critical extension that nobody knows', () => signed({ ...header, crit: ['exp'], exp: 1 }, payload)],
    ['brings a key along', () => signed({ ...header, jwk: tokens.publicKeys()[1] }, payload)],
    ['says where to fetch a key', () => signed({ ...header, jku: 'http://127.0.0.1/' }, payload)],
    ['is of another type', () => signed({ ...header, typ: 'at+jwt' }, payload)],
    ['is of no type', () => signed({ alg: 'EdDSA', kid: header.kid }, payload)],
    ['is of another issuer', () => signed(header, { ...payload, iss: 'somebody' })],
    ['is of no issuer', () => signed(header, without('iss'))],
    ['names no user', () => signed(header, without('sub'))],
    ['names no account', () => signed(header, without('acc'))],
    ['names no session', () => signed(header, without('sid'))],
    ['names no scope', () => signed(header, without('scp'))],
    ['names no workspace in workspace scope', () => signed(header, without('wsp'))],
    ['names a workspace in account scope', () => signed(header, { ...payload, scp: 'account' })],
    ['names a scope that there is not', () => signed(header, { ...payload, scp: 'all' })],
    ['never ends', () => signed(header, without('exp'))],
    ['does not say when it was made', () => signed(header, without('iat'))],
    ['ends at a text', () => signed(header, { ...payload, exp: 'never' })],
    ['is for several services', () => signed(header, { ...payload, aud: ['svc1', 'svc2'] })],
    ['has a user that is a number', () => signed(header, { ...payload, sub: 1 })],
    ['has lost its signature', () => signed(header, payload).replace(/[^.]*$/, '')],
    ['has two parts', () => signed(header, payload).replace(/\.[^.]*$/, '')],
    ['has four parts', () => `${signed(header, payload)}.x`],
    ['is empty', () => ''],
    [
      'spells its last letter in another way',
      () => {
        const good = signed(header, payload);
        const last = good.at(-1) ?? '';
        const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
        return good.slice(0, -1) + letters.charAt(letters.indexOf(last) ^ 1);
      },
    ],
  ])('is refused when it %s', async (_how, forge) => {
    at(start + 10 * minute);
    expect(await tokens.read(forge())).toEqual({ kind: 'broken' });
  });
});
