/** The listener as something that runs: health, log, and an orderly end. */
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { openListener } from '../../src/http/index.js';
import { exchange, post } from '../kit/exchange.js';
import { startHouse, testSchema, type TestHouse } from '../kit/house.js';

const body = '{"query":"{ __typename }"}';

describe('health', () => {
  test('/healthz says that the process lives, /readyz that its database answers', async () => {
    const house = await startHouse();
    for (const path of ['/healthz', '/readyz']) {
      expect(await exchange(house.origin + path, { method: 'GET' })).toMatchObject({ status: 200, text: 'ok\n' });
      expect(await exchange(house.origin + path, { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
    }
    await house.iam.store.close();
    expect(await exchange(`${house.origin}/healthz`, { method: 'GET' })).toMatchObject({ status: 200 });
    expect(await exchange(`${house.origin}/readyz`, { method: 'GET' })).toMatchObject({
      status: 503,
      text: 'the database does not answer\n',
    });
  });
});

describe('the log', () => {
  const lineOf = (house: TestHouse, requestId: string): Record<string, unknown> => {
    const lines = house.log.map((line) => JSON.parse(line) as Record<string, unknown>);
    const found = lines.find((line) => line['requestId'] === requestId && line['msg'] === 'request');
    if (found === undefined) throw new Error(`no line for ${requestId} in\n${house.log.join('')}`);
    return found;
  };

  test('has one line for each request: who, what, where from, how it ended', async () => {
    const house = await startHouse();
    const token = await house.signIn(house.root);
    const answer = await house.ask(token, 'query Me { viewer { actor { name } } }');
    expect(lineOf(house, String(answer.headers['x-request-id']))).toMatchObject({
      level: 30,
      method: 'POST',
      route: '/graphql',
      status: 200,
      sourceAddress: '127.0.0.1',
      operation: 'query Me',
      actor: `ROOT ${house.root.id}`,
    });
    const refused = await house.ask(null, '{ viewer { actor { name } } }');
    expect(lineOf(house, String(refused.headers['x-request-id']))).toMatchObject({
      status: 401,
      actor: 'ANONYMOUS',
      errors: ['UNAUTHENTICATED'],
    });
  });

  test('names who signed in and who signed out, though nobody is signed in before and after', async () => {
    const house = await startHouse();
    const input = { account: 'default', userName: house.root.name, password: house.root.password };
    const signIn = await post(house.url, null, {
      query: 'mutation ($input: SignInInput!) { signIn(input: $input) { token } }',
      variables: { input },
    });
    const token = (signIn.data?.['signIn'] as { readonly token: string }).token;
    const signOut = await house.ask(token, 'mutation { signOut { endedAt } }');
    for (const answer of [signIn, signOut]) {
      expect(lineOf(house, String(answer.headers['x-request-id']))).toMatchObject({
        actor: `ROOT ${house.root.id}`,
        kind: 'mutation',
      });
    }
  });

  test('has no secret, from wherever one may come', async () => {
    const house = await startHouse();
    const secret = 'cAnArY0123456789';
    const token = await house.signIn(house.root);
    const signIn = `mutation { signIn(input: {account: "default", userName: "${secret}", password: "${secret}"}) { token } }`;
    await house.ask(null, signIn);
    await house.ask(null, signIn.replace('token', 'nonsense'));
    await house.ask(secret, '{ __typename }');
    await post(house.url, null, { query: '{ __typename }', variables: { password: secret }, [secret]: secret });
    for (const headers of [
      ['x-auth-token', secret],
      ['authorization', secret],
      ['authorization', `Basic ${secret}`],
      ['cookie', secret],
      ['content-type', secret],
    ]) {
      await exchange(house.url, { headers, body });
    }
    await exchange(house.url, { headers: ['content-type', 'application/json'], body: `{"${secret}":` });
    for (const path of [`/graphql?query=${secret}`, `/graphql?token=${secret}%zz`, `/${secret}`, `/%zz${secret}`]) {
      await exchange(house.origin + path, { method: 'GET' });
    }
    const log = house.log.join('');
    expect(log).not.toContain(secret);
    expect(log).not.toContain(token);
    expect(log).not.toContain(house.root.password);
  });

  test('keeps the cause of a defect, which the answer does not', async () => {
    const house = await startHouse();
    // Of an account that is in no memory: who asks is known without the database otherwise.
    const scope = { accountId: 'elsewhere', workspaceId: null };
    const expiresAt = house.iam.now() + 60_000;
    const token = await house.iam.tokens.issue({ ...scope, userId: 'u', sessionId: 's', scope, expiresAt });
    await house.iam.store.close();
    const answer = await house.ask(token, '{ viewer { actor { name } } }');
    expect(answer.status).toBe(500);
    expect(answer.errors).toHaveLength(1);
    expect(answer.errors[0]?.message).toMatch(/^internal error/);
    expect(answer.text).not.toMatch(/stack|sqlite|at .*\.ts/i);
    expect(house.log.join('')).toContain('"stack"');
  });
});

/** Sends a request but for the last byte of its body, as most send one: nothing comes back before the end of it. */
async function beginPlainly(url: string, sent: string): Promise<() => Promise<string>> {
  const { hostname, port, pathname } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.setEncoding('utf8');
  let text = '';
  socket.on('data', (chunk: string) => (text += chunk));
  const closed = new Promise<string>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });
  const headers = `host: x\r\ncontent-type: application/json\r\ncontent-length: ${sent.length}`;
  socket.write(`POST ${pathname} HTTP/1.1\r\n${headers}\r\n\r\n${sent.slice(0, -1)}`);
  // Everything that is read is read in turn: what came before was seen when a later request is answered.
  await exchange(url, { headers: ['content-type', 'application/json'], body });
  return () => {
    socket.write(sent.slice(-1));
    return closed;
  };
}

/** Sends the head of a request and waits until the server asks for the body: it is under way then, for certain. */
async function begin(url: string): Promise<{ readonly socket: Socket; finish(): Promise<string> }> {
  const { hostname, port, pathname } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.setEncoding('utf8');
  const head = `POST ${pathname} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nexpect: 100-continue\r\n\r\n`;
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('data', () => resolve());
    socket.write(head);
  });
  return {
    socket,
    finish: () =>
      new Promise((resolve, reject) => {
        let text = '';
        socket.on('error', reject);
        socket.on('data', (chunk: string) => (text += chunk));
        socket.on('close', () => resolve(text));
        socket.write(body);
      }),
  };
}

describe('the end', () => {
  async function listening(): Promise<{ readonly url: string; readonly stop: (seconds: number) => Promise<void> }> {
    const house = await startHouse();
    const listener = await openListener({
      iam: house.iam,
      schema: testSchema(),
      log: { level: 'silent', stream: { write: () => undefined } },
    });
    const origin = await listener.listen('127.0.0.1', 0);
    return { url: `${origin}/graphql`, stop: (seconds) => listener.stop(seconds) };
  }

  test('waits for a request under way, answers it, and takes no other', async () => {
    const { url, stop } = await listening();
    const request = await begin(url);
    const stopped = stop(60);
    await expect(exchange(url, { headers: ['content-type', 'application/json'], body })).rejects.toThrow(
      'ECONNREFUSED',
    );
    const answer = await request.finish();
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer).toContain('"__typename":"Query"');
    // Said to the client too, so that it does not send its next request down a closing connection.
    expect(answer).toMatch(/connection: close/i);
    await stopped;
  });

  test('answers what was under way and is not told before its body is there, and refuses what is wrong with it', async () => {
    const { url, stop } = await listening();
    const finish = [await beginPlainly(url, body), await beginPlainly(url, `${body.slice(0, -1)}]`)];
    const stopped = stop(60);
    const answers = await Promise.all(finish.map((end) => end()));
    expect(answers[0]).toMatch(/^HTTP\/1\.1 200 /);
    expect(answers[0]).toContain('"__typename":"Query"');
    expect(answers[1]).toMatch(/^HTTP\/1\.1 400 /);
    for (const answer of answers) {
      expect(answer).toMatch(/connection: close/i);
      expect(answer).toMatch(/x-request-id: /i);
    }
    await stopped;
  });

  test('cuts off a request that does not finish in time', async () => {
    const { url, stop } = await listening();
    const { socket } = await begin(url);
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.on('error', () => undefined);
    await stop(0);
    await closed;
  });

  test('does not wait for idle connections', async () => {
    const { url, stop } = await listening();
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await new Promise((resolve) => socket.once('connect', resolve));
    const closed = new Promise((resolve) => socket.on('close', resolve));
    await stop(600);
    await closed;
  });
});
