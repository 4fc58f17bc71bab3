/** The program from the outside: what a person sees at the terminal from the first start to the last. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { post } from '../kit/exchange.js';
import { runProgram, startProgram, type Ended, type Running } from '../kit/program.js';

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

interface Place {
  readonly folder: string;
  readonly key: string;
  readonly settings: Readonly<Record<string, string>>;
}

async function emptyPlace(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'bailiwick-start-'));
  folders.push(folder);
  const key = join(folder, 'keys', 'secret.key');
  return {
    folder,
    key,
    settings: { PORT: '0', DATABASE_URL: `sqlite:${join(folder, 'data', 'test.db')}`, SECRET_KEY_FILE: key },
  };
}

async function start(
  { settings }: Place,
  more: Readonly<Record<string, string>> = {},
): Promise<Running & { url: string }> {
  const running = startProgram('main.ts', [], { settings: { ...settings, ...more } });
  const [, url = ''] = await running.until(/listening on (\S+)/);
  return Object.assign(running, { url });
}

async function end(running: Running, signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
  running.kill(signal);
  return running.ended;
}

/** Runs what was printed for pasting, as it was printed. */
async function paste(output: string, environment: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const commands = output.split('\n').filter((line) => /^ {2}(TOKEN=|curl )/.test(line));
  expect(commands, output).toHaveLength(2);
  // The server is on this machine, whatever proxy the environment names.
  const env = { ...process.env, ...environment, no_proxy: '127.0.0.1' };
  const { stdout } = await promisify(execFile)('sh', ['-euc', commands.join('\n')], { env });
  return JSON.parse(stdout);
}

const password = /password: (\S+)/;

describe('the first start', () => {
  test.each(['known', 'only'])('says what works to paste where %s documents are answered', async (DOCUMENTS) => {
    const first = await start(await emptyPlace(), { DOCUMENTS });
    await first.until(/Bearer/);
    expect(await paste(first.stdout())).toMatchObject({ data: { viewer: { actor: { kind: 'ROOT', name: 'admin' } } } });
    expect((await end(first)).status).toBe(0);
  });

  test('makes everything, says the password once, and what it says to paste works', async () => {
    const place = await emptyPlace();
    const first = await start(place);
    await first.until(/Bearer/);
    expect(first.stdout()).toContain('made account `default` with root user `admin`');
    const [, word = ''] = password.exec(first.stdout()) ?? [];
    expect(word).toMatch(/^[A-Za-z0-9_-]{20}$/);
    expect(await paste(first.stdout())).toMatchObject({
      data: { viewer: { actor: { kind: 'ROOT', name: 'admin' }, account: { name: 'default' } } },
    });
    expect(first.stderr()).toContain('"authorizationMode":"LOOSE"');
    const ended = await end(first);
    expect(ended.status, ended.stderr).toBe(0);
    expect(ended.stderr).toContain('"msg":"ended"');
    expect(ended.stderr).not.toContain(word);

    expect((await stat(place.key)).mode & 0o777).toBe(0o600);
    expect((await readFile(place.key)).length).toBe(32);

    const second = await start(place);
    const signIn = 'mutation M($input: SignInInput!) { signIn(input: $input) { token } }';
    const input = { account: 'default', userName: 'admin', password: word };
    const answer = await post(second.url, null, { query: signIn, variables: { input } });
    expect(answer.data, answer.text).toMatchObject({ signIn: { token: expect.any(String) as string } });
    const again = await end(second, 'SIGINT');
    expect(again.status).toBe(0);
    expect(again.stdout).toMatch(/^listening on \S+ \(database sqlite:/);
    expect(again.stdout).not.toMatch(password);
  });

  test('takes names and a password from the settings, and does not print what it was given', async () => {
    const place = await emptyPlace();
    const given = `it's "quoted" $HOME`;
    // A password that JSON or a shell would have to escape is the one thing that cannot be pasted.
    const plain = 'Correct horse 1';
    const names = { ACCOUNT_NAME: 'acme', ADMIN_NAME: 'Zoë Root' };
    const running = await start(place, { ...names, ADMIN_PASSWORD: plain });
    await running.until(/Bearer/);
    expect(running.stdout()).toContain('made account `acme` with root user `Zoë Root`');
    expect(running.stdout() + running.stderr()).not.toContain(plain);
    expect(await paste(running.stdout(), { BAILIWICK_ADMIN_PASSWORD: plain })).toMatchObject({
      data: { viewer: { actor: { name: 'Zoë Root' }, account: { name: 'acme' } } },
    });
    await end(running);
    // On a database that has an account these settings do nothing, so a later start cannot change a password.
    const later = await start(place, { ...names, ADMIN_PASSWORD: given });
    expect((await end(later)).stdout).not.toContain('made account');
  });
});

describe('a start that cannot be', () => {
  async function refusal(place: Place, more: Readonly<Record<string, string>> = {}): Promise<string> {
    const ended = await runProgram('main.ts', [], { settings: { ...place.settings, ...more } });
    expect(ended.status, ended.stdout + ended.stderr).toBe(1);
    return ended.stderr;
  }

  test('says all that is wrong with the settings, one line each', async () => {
    const place = await emptyPlace();
    expect(await refusal(place, { PORT: 'x', STUDIO: 'yes', HOTS: 'a' })).toBe(
      'bailiwick: BAILIWICK_HOTS is no setting; did you mean BAILIWICK_HOST?\n' +
        'bailiwick: BAILIWICK_PORT is `x`; write a whole number from 0 to 65535\n' +
        'bailiwick: BAILIWICK_STUDIO is `yes`; write `on` or `off`\n',
    );
    await expect(stat(place.key)).rejects.toThrow('ENOENT');
  });

  test('says that the port is in use, and has said the password before', async () => {
    const place = await emptyPlace();
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    const ended = await runProgram('main.ts', [], { settings: { ...place.settings, PORT: String(port) } });
    other.close();
    expect(ended.status).toBe(1);
    expect(ended.stderr).toBe(
      `bailiwick: port ${port} of 127.0.0.1 is in use; stop the other program, or set BAILIWICK_PORT\n`,
    );
    expect(ended.stdout).toMatch(password);
  });

  test('says which process has the database, and so do the commands that write', async () => {
    const place = await emptyPlace();
    const running = await start(place);
    expect(await refusal(place)).toMatch(
      new RegExp(`^bailiwick: the database \\S+ is already open in process ${running.pid}; stop `),
    );
    const ended = await runProgram('cli/bailiwick.ts', ['unlock', 'default', 'admin'], { settings: place.settings });
    expect(ended).toMatchObject({ status: 1, stdout: '' });
    expect(ended.stderr).toMatch(/^bailiwick: the database \S+ is already open in process \d+; stop [^\n]*\n$/);
    expect((await end(running)).status).toBe(0);
  });
});

test('a second signal ends at once, though a request is under way', async () => {
  const running = await start(await emptyPlace(), { DRAIN_SECONDS: '3600' });
  const { hostname, port, pathname } = new URL(running.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  const asked = new Promise((resolve) => socket.once('data', resolve));
  socket.write(
    `POST ${pathname} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\nexpect: 100-continue\r\n\r\n`,
  );
  await asked;
  running.kill('SIGTERM');
  await running.until(/running requests may finish/);
  // One that comes with the first is its echo, so it is sent until it counts.
  const again = setInterval(() => running.kill('SIGINT'), 100);
  const ended = await running.ended;
  clearInterval(again);
  socket.destroy();
  expect(ended.status).toBe(130);
});

test('`bailiwick serve` is the server, and its help names every setting', async () => {
  const { settings } = await emptyPlace();
  const running = startProgram('cli/bailiwick.ts', ['serve'], { settings });
  await running.until(/listening on/);
  expect((await end(running)).status).toBe(0);
  expect((await runProgram('cli/bailiwick.ts', ['serve', '--help'])).stdout).toContain('BAILIWICK_SECRET_KEY_FILE');
});
