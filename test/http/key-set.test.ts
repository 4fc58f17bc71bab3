/** The public keys of tokens over HTTP: what a service that verifies tokens by itself is given. */
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { expect, test } from 'vitest';
import { exchange } from '../kit/exchange.js';
import { startHouse } from '../kit/house.js';

const path = '/.well-known/jwks.json';

test('a token verifies with the keys that are served, and one of another house does not', async () => {
  const [house, other] = [await startHouse(), await startHouse()];
  const keys = createRemoteJWKSet(new URL(path, house.origin));
  const { payload, protectedHeader } = await jwtVerify(await house.signIn(house.root), keys, { issuer: 'bailiwick' });
  expect(payload.sub).toBe(house.root.id);
  expect(protectedHeader).toEqual({ alg: 'EdDSA', typ: 'JWT', kid: expect.stringMatching(/^0\.30\.\d+$/) as string });
  await expect(jwtVerify(await other.signIn(other.root), keys)).rejects.toThrow('signature verification failed');
});

test('the keys are public and may be kept for minutes; nothing else is', async () => {
  const house = await startHouse();
  const answer = await exchange(house.origin + path, { method: 'GET' });
  expect(answer.status).toBe(200);
  expect(answer.headers['content-type']).toBe('application/jwk-set+json');
  expect(answer.headers['cache-control']).toBe('public, max-age=300');
  expect(answer.headers['x-content-type-options']).toBe('nosniff');
  const { keys } = JSON.parse(answer.text) as { keys: Record<string, unknown>[] };
  expect(keys).toHaveLength(3);
  for (const key of keys) expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
  expect((await exchange(house.origin + path, { method: 'HEAD' })).status).toBe(200);
  expect((await exchange(house.origin + path, { method: 'POST' })).status).toBe(404);
  const health = await exchange(`${house.origin}/healthz`, { method: 'GET' });
  expect(health.headers['cache-control']).toBe('no-store');
});

test('a broken credential beside the request changes nothing: there is nothing to ask it for', async () => {
  const house = await startHouse();
  const answer = await exchange(house.origin + path, { method: 'GET', headers: ['authorization', 'Bearer a.b.c'] });
  expect(answer.status).toBe(200);
});
