/**
 * Canaries of what signing in handles: passwords, tokens, codes and secrets of second factors, planted through every
 * input that takes one and every mistake one can make with it. None may sing in the database, in its audit trail, in a
 * row of idempotency, in the log, or in an answer that is not the one answer that shows it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Secret, TOTP } from 'otpauth';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { exchange, post, type Answer } from '../kit/exchange.js';
import { databaseNames, startHouse, type TestHouse } from '../kit/house.js';
import { setScene } from '../kit/scene.js';
import { sign } from '../kit/signing.js';
import { createMetrics } from '../../src/http/index.js';

/** All that the database keeps, as bytes: files, its log of writes too, or every row of every table. */
async function contentsOf({ database, databaseUrl }: TestHouse): Promise<Buffer> {
  if (database === 'sqlite') {
    const path = databaseUrl.slice('sqlite:'.length);
    const files = readdirSync(dirname(path)).filter((name) => name.startsWith(basename(path)));
    return Buffer.concat(files.map((name) => readFileSync(join(dirname(path), name))));
  }
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const tables = await client.query<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`,
    );
    const texts: string[] = [];
    for (const { name } of tables.rows)
      texts.push(JSON.stringify((await client.query(`SELECT * FROM "${name}"`)).rows));
    return Buffer.from(texts.join('\n'));
  } finally {
    await client.end();
  }
}

describe.each(databaseNames)('on %s', (database) => {
  test('no canary sings', async () => {
    const metrics = createMetrics();
    const house = await startHouse({ database, metrics });
    const scene = await setScene(house);
    const canaries = new Map<string, string>();
    const answers: Answer[] = [];
    let planted = 0;

    /** A secret to plant: a good password, unlike any other text. */
    const plant = (what: string): string => {
      planted += 1;
      const secret = `Canary-${what}-${planted}-zQ7xW`;
      canaries.set(`${what} ${planted}`, secret);
      return secret;
    };
    const ask = async (token: string | null, query: string, input: object): Promise<Answer> => {
      const answer = await post(house.url, token, { query, variables: { input } });
      answers.push(answer);
      return answer;
    };
    const mutate = (token: string | null, mutation: string, selection: string, input: object) => {
      const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
      const errors = 'userErrors { code message path }';
      return ask(
        token,
        `mutation M($input: ${type}!) { done: ${mutation}(input: $input) { ${selection} ${errors} } }`,
        input,
      );
    };
    /** The one answer that may show a secret: it is not searched, and what it shows becomes a canary. */
    const reveal = async (answer: Promise<Answer>, ...members: readonly string[]): Promise<string> => {
      const revealing = await answer;
      answers.splice(answers.indexOf(revealing), 1);
      const { done } = revealing.data as { done: Record<string, string | null> };
      for (const member of members) canaries.set(`${member} ${(planted += 1)}`, done[member] ?? '');
      const [first = ''] = members;
      const secret = done[first] ?? '';
      expect(secret, revealing.text).not.toBe('');
      return secret;
    };
    const signIn = (password: string, more: object = {}) => ({
      account: 'default',
      userName: 'ann',
      password,
      ...more,
    });

    // Through createUser, right and too weak, with a key that is remembered.
    const first = plant('first');
    await mutate(scene.token, 'createUser', 'user { name }', { name: 'ann', password: first, idempotencyKey: 'k1' });
    await mutate(scene.token, 'createUser', 'user { name }', { name: 'ann', password: first, idempotencyKey: 'k1' });
    await mutate(scene.token, 'createUser', 'user { name }', {
      name: 'eve',
      password: `${plant('long')}${'x'.repeat(200)}`,
    });
    // Through signIn: wrong, in the wrong place, in the wrong form, in the text of the document, in a URL.
    await mutate(null, 'signIn', 'token', signIn(plant('wrong')));
    await mutate(null, 'signIn', 'token', { account: 'default', userName: plant('name'), password: 'x' });
    await mutate(null, 'signIn', 'token', { account: plant('account'), userName: 'ann', password: 'x' });
    await mutate(null, 'signIn', 'token', signIn(first, { totp: plant('totp') }));
    await ask(null, 'mutation M($input: SignInInput!) { signIn(input: $input) { token } }', {
      account: 'default',
      userName: 'ann',
      password: { nested: plant('form') },
    });
    await ask(
      null,
      `mutation { signIn(input: {account: "default", userName: "ann", password: "${plant('document')}"}) { tokn } }`,
      {},
    );
    for (const literal of [`["${plant('literal')}"]`, `"a" "${plant('literal')}"`]) {
      await ask(
        null,
        `mutation { signIn(input: {account: "default", userName: "ann", password: ${literal}}) { token } }`,
        {},
      );
    }
    await ask(null, `mutation { signIn(input: "${plant('literal')}") { token } }`, {});
    const url = `${house.url}?query=${encodeURIComponent(`{ viewer { actor { id } } }`)}&password=${plant('url')}`;
    answers.push(await exchange(url, { method: 'GET', headers: ['apollo-require-preflight', '1'] }));

    const token = await reveal(mutate(null, 'signIn', 'token', signIn(first)), 'token');
    await reveal(mutate(token, 'refreshToken', 'token', {}), 'token');
    await mutate(scene.token, 'createService', 'service { name }', { name: 'training' });
    const narrow = { scope: { account: true }, audience: 'training' };
    const audienceToken = await reveal(mutate(token, 'switchScope', 'token', narrow), 'token');
    // Tokens where they do not belong.
    await ask(audienceToken, '{ viewer { actor { id } } }', {});
    await ask(`${token}x`, '{ viewer { actor { id } } }', {});
    await mutate(token, 'switchScope', 'token', { scope: { workspace: token } });
    await mutate(token, 'endSession', 'session { id }', { id: token.slice(0, 400) });

    // Through changing and resetting.
    const second = plant('second');
    await mutate(token, 'changePassword', 'user { name }', { currentPassword: plant('current'), newPassword: second });
    await mutate(token, 'changePassword', 'user { name }', { currentPassword: first, newPassword: second });
    await mutate(scene.token, 'updateAccountSettings', 'accountSettings { version }', { password: { remembered: 5 } });
    await mutate(token, 'changePassword', 'user { name }', { currentPassword: second, newPassword: plant('third') });
    const { data } = await house.ask(scene.token, '{ users(filter: { name: "ann" }) { nodes { id } } }');
    const userId = (data as { users: { nodes: { id: string }[] } }).users.nodes[0]?.id;
    await mutate(scene.token, 'resetPassword', 'user { name } password', { userId, newPassword: plant('chosen') });
    await mutate(scene.token, 'resetPassword', 'user { name } password', {
      userId,
      newPassword: plant('chosen').slice(0, 3),
    });
    const random = await reveal(mutate(scene.token, 'resetPassword', 'password', { userId }), 'password');

    // Through the second factor.
    const fresh = await reveal(mutate(null, 'signIn', 'token', signIn(random)), 'token');
    const secret = await reveal(
      mutate(fresh, 'createSecondFactor', 'secret uri', { idempotencyKey: 'k2' }),
      'secret',
      'uri',
    );
    await mutate(fresh, 'createSecondFactor', 'secret uri', { idempotencyKey: 'k2' });
    const { hex, latin1 } = Secret.fromBase32(secret);
    canaries.set('secret in hexadecimal', hex).set('secret as bytes', latin1);
    canaries.set('secret in base64', Buffer.from(hex, 'hex').toString('base64'));
    const code = () => TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: house.iam.now() });
    await mutate(fresh, 'confirmSecondFactor', 'secondFactor { confirmedAt }', { code: plant('code') });
    await mutate(fresh, 'confirmSecondFactor', 'secondFactor { confirmedAt }', { code: code() });
    await mutate(null, 'signIn', 'token', signIn(random, { totp: plant('code') }));
    house.advance(30_000);
    await reveal(mutate(null, 'signIn', 'token', signIn(random, { totp: code() })), 'token');
    await mutate(fresh, 'deleteSecondFactor', 'user { name }', { password: plant('removal') });
    await mutate(fresh, 'deleteSecondFactor', 'user { name }', { code: plant('removal') });

    // Through keys: made, repeated, rotated, signed with, rightly and wrongly.
    const accessKeyId = (of: Answer): string => JSON.stringify(of.data).match(/"accessKeyId":"(\w+)"/)?.[1] ?? '';
    const keyed = mutate(scene.token, 'createAccessKey', 'secretAccessKey accessKey { accessKeyId }', {
      userId,
      idempotencyKey: 'k3',
    });
    const key = { accessKeyId: accessKeyId(await keyed), secretAccessKey: await reveal(keyed, 'secretAccessKey') };
    await mutate(scene.token, 'createAccessKey', 'secretAccessKey', { userId, idempotencyKey: 'k3' });
    await reveal(
      mutate(scene.token, 'createService', 'secretAccessKey', { name: 'rendering', idempotencyKey: 'k4' }),
      'secretAccessKey',
    );
    const services = await house.ask(scene.token, '{ services(first: 100) { nodes { id name } } }');
    const { nodes } = (services.data as { services: { nodes: { id: string; name: string }[] } }).services;
    const id = nodes.find(({ name }) => name === 'rendering')?.id;
    await reveal(mutate(scene.token, 'rotateServiceKey', 'secretAccessKey', { id }), 'secretAccessKey');
    for (const query of ['{ viewer { actor { name } } }', 'mutation { signOut(input: {}) { revision } }']) {
      const body = JSON.stringify({ query });
      const headers = { 'content-type': 'application/json', host: new URL(house.url).host };
      const { host: _, ...signedHeaders } = headers;
      const signed = sign(key, { headers, body, at: house.iam.now() });
      canaries.set(`signature ${(planted += 1)}`, signed.authorization.split('Signature=')[1] ?? '');
      for (const authorization of [signed.authorization, signed.authorization.replace(/.{4}$/, '0000')]) {
        const { 'x-sdk-date': date = '' } = signed.headers;
        const sent = { ...signedHeaders, 'x-sdk-date': date, authorization };
        const answer = await exchange(house.url, { headers: Object.entries(sent).flat(), body });
        expect(answer.status).toBe(authorization === signed.authorization ? 200 : 401);
        answers.push(answer);
      }
    }

    // What an administrator can read of all that.
    for (const query of [
      '{ auditEvents(first: 100) { nodes { operation before after } } }',
      '{ users { nodes { name passwordExpiresAt secondFactor { createdAt confirmedAt } sessions { nodes { id sourceAddress } } } } }',
    ]) {
      const answer = await house.ask(scene.token, query);
      expect(answer.errors).toEqual([]);
      answers.push(answer);
    }

    const kept = await contentsOf(house);
    const counts = await metrics.text();
    expect(counts).toContain('bailiwick_sign_ins_total');
    expect(kept.length).toBeGreaterThan(50_000);
    expect(canaries.size).toBeGreaterThan(25);
    expect(house.log.length).toBeGreaterThan(30);
    for (const [what, canary] of canaries) {
      expect(canary.length, what).toBeGreaterThan(10);
      expect(
        kept.includes(Buffer.from(canary, what.endsWith('bytes') ? 'latin1' : 'utf8')),
        `${what} in the database`,
      ).toBe(false);
      expect(
        house.log.filter((line) => line.includes(canary)),
        `${what} in the log`,
      ).toEqual([]);
      expect(
        house.statements.filter((text) => text.includes(canary)),
        `${what} in the text of a statement`,
      ).toEqual([]);
      expect(counts.includes(canary), `${what} in the metrics`).toBe(false);
      const singing = answers.filter(({ text }) => text.includes(canary) && !echoes(what, text));
      expect(
        singing.map(({ text }) => text.slice(0, 200)),
        `${what} in an answer`,
      ).toEqual([]);
    }
    // The search finds what is there.
    expect(kept.includes(Buffer.from('argon2id'))).toBe(true);
    expect(kept.includes(Buffer.from('resetPassword'))).toBe(true);
    await house.stop();
  });
});

/** A name or an id that is not found is named in the answer, to whoever sent it as such. */
function echoes(what: string, text: string): boolean {
  return what.startsWith('token') && text.includes('NOT_FOUND');
}
