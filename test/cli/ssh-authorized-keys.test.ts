/** The command that sshd runs, as a process, beside the real server, beside broken ones, and beside none. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { connect, createServer as createRawServer, type Server as RawServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyBaseLogger } from 'fastify';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readOptions } from '../../src/cli/authorized-keys.js';
import { serveAuthorizedKeys } from '../../src/http/ssh-socket.js';
import type { Iam } from '../../src/iam/index.js';
import { buildSshCommand, runAsSshd, startNotebook, type Notebook } from '../kit/notebook.js';
import { runProgram, startProgram } from '../kit/program.js';

let folder: string;
let command: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bailiwick-ssh-'));
  command = buildSshCommand(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const silence = { status: 0, signal: null, stdout: '', stderr: '' };
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJYvet7FSxMdOMx1y6oba';

describe('beside the server', () => {
  let notebook: Notebook;
  beforeAll(async () => {
    notebook = await startNotebook(folder);
    await notebook.configure({
      enabled: true,
      keyPairIds: [notebook.pair.id],
      allowedAddresses: ['192.0.2.7', '2001:db8::/32'],
    });
  });
  const ask = (...args: readonly string[]) => runAsSshd(command, [...args, '--socket', notebook.socket]);
  const line = () => `restrict,pty,port-forwarding,from="192.0.2.7,2001:db8::/32" ${notebook.pair.line}\n`;

  it('prints the keys that may get in', async () => {
    expect(await ask('--notebook', notebook.urn)).toEqual({ ...silence, stdout: line() });
    const offered = ['--user', 'ma-user', '--fingerprint', notebook.pair.fingerprint];
    expect(await ask('--notebook', notebook.urn, ...offered)).toEqual({ ...silence, stdout: line() });
  });

  it('does so as a subcommand of the whole program, which says how in its help', async () => {
    const args = ['ssh-authorized-keys', '--notebook', notebook.urn];
    const settings = { SSH_SOCKET: notebook.socket };
    // The sources are compiled on the way, which may take longer than sshd would wait.
    const { stdout, stderr, status } = await runProgram('cli/bailiwick.ts', args, { settings });
    expect([line(), '']).toContain(stdout);
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    const help = await runProgram('cli/bailiwick.ts', ['ssh-authorized-keys', '--help']);
    expect(help.stdout).toMatch(/--notebook <urn>[\s\S]*--fingerprint[\s\S]*docs\/remote-access\.md/);
    expect((await runProgram('cli/bailiwick.ts', ['--help'])).stdout).toContain('ssh-authorized-keys');
  });

  it.each([
    'root',
    '',
    '-v',
    '--help',
    '--socket',
    '--notebook',
    '$(touch /tmp/owned)',
    '`id`',
    "ma-user'; echo ssh-ed25519 AAAA",
    'ma-user\nroot',
    'ma-user ',
    ' ma-user',
    'MA-USER',
    'ma-user%0A',
    'ma-user&notebook=other',
    '../ma-user',
    'é',
    'x'.repeat(5_000),
  ])('prints nothing for the login name `%s`', async (user) => {
    // Blank is no login name: sshd has none to give.
    const expected = user === '' ? { ...silence, stdout: line() } : silence;
    expect(await ask('--notebook', notebook.urn, '--user', user)).toEqual(expected);
  });

  it('prints nothing under any URN but the notebook’s', async () => {
    const hostile = [
      '',
      '*',
      `${notebook.urn}x`,
      ` ${notebook.urn}`,
      `${notebook.urn}\n`,
      notebook.urn.replace('ann-1', '*'),
      notebook.urn.replace('ann-1', '${g:UserId}'),
      notebook.urn.replace(/:[0-9a-f]{32}:/, ':*:'),
      notebook.urn.toUpperCase(),
      `${notebook.urn}&user=ma-user`,
      "' OR 1=1 --",
      'x'.repeat(10_000),
    ];
    for (const urn of hostile) expect([urn, await ask('--notebook', urn)]).toEqual([urn, silence]);
  });

  it('prints nothing for options that are not so', async () => {
    for (const args of [
      [],
      ['--notebook'],
      [notebook.urn],
      ['--notebook', notebook.urn, '--user'],
      ['--notebook', notebook.urn, '--notebook', notebook.urn],
      ['--notebook', notebook.urn, '--nonsense', 'x'],
      [`--notebook=${notebook.urn}`],
    ]) {
      expect(await runAsSshd(command, [...args, '--socket', notebook.socket])).toEqual(silence);
    }
    expect(await runAsSshd(command, ['--notebook', notebook.urn])).toEqual(silence);
  });

  it('the socket is for its owner and their group, and gone with the server; one left behind is taken away', async () => {
    expect((await stat(notebook.socket)).mode & 0o777).toBe(0o660);
    const settings = {
      SSH_SOCKET: notebook.socket,
      PORT: '0',
      DATABASE_URL: `sqlite:${join(folder, 'second', 'b.db')}`,
    };
    const place = { ...settings, SECRET_KEY_FILE: join(folder, 'second.key') };
    const second = await runProgram('main.ts', [], { settings: place });
    expect(second).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('is answered by another program') as string,
    });
    notebook.server.kill('SIGKILL');
    await notebook.server.ended;
    expect((await stat(notebook.socket)).isSocket()).toBe(true);
    expect(await ask('--notebook', notebook.urn)).toEqual(silence);
    const third = startProgram('main.ts', [], { settings: place });
    await third.until(/keys for sshd at/);
    third.kill('SIGTERM');
    await third.ended;
    await expect(stat(notebook.socket)).rejects.toThrow('ENOENT');
    const file = join(folder, 'a-file');
    await writeFile(file, 'precious');
    const fourth = await runProgram('main.ts', [], { settings: { ...place, SSH_SOCKET: file } });
    expect(fourth).toMatchObject({ status: 1, stderr: expect.stringContaining('is no socket') as string });
  });
});

describe('beside a server that is not well', () => {
  const open: (Server | RawServer)[] = [];
  const connections: Socket[] = [];
  afterEach(async () => {
    for (const connection of connections.splice(0)) connection.destroy();
    for (const server of open.splice(0)) await new Promise((resolve) => server.close(resolve));
  });
  let count = 0;
  const listen = async (server: Server | RawServer): Promise<string> => {
    const path = join(folder, `unwell-${(count += 1)}.sock`);
    open.push(server);
    server.on('connection', (connection: Socket) => connections.push(connection));
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return path;
  };
  const askAt = (socket: string) => runAsSshd(command, ['--notebook', 'urn', '--socket', socket]);
  const answering = (answer: RequestListener) => listen(createServer(answer));
  const good = `restrict,pty,port-forwarding ${key}\n`;

  it('prints what a good answer says, or this would show nothing', async () => {
    expect(await askAt(await answering((_, answer) => answer.end(good + good)))).toEqual({
      ...silence,
      stdout: good + good,
    });
  });

  it.each<readonly [string, RequestListener]>([
    ['fails', (_, answer) => answer.writeHead(500).end(good)],
    ['knows nothing of it', (_, answer) => answer.writeHead(404).end(good)],
    ['sends it elsewhere', (_, answer) => answer.writeHead(302, { location: '/' }).end(good)],
    [
      'breaks off',
      (_, answer) => answer.writeHead(200, { 'content-length': 5_000 }).write(good, () => answer.destroy()),
    ],
    ['hangs up', (_, answer) => answer.destroy()],
    ['answers a page', (_, answer) => answer.end('<html></html>')],
    ['answers a key without limits', (_, answer) => answer.end(`${key}\n`)],
    ['answers a key with a command', (_, answer) => answer.end(`command="sh",${good}`)],
    ['answers a key with a comment', (_, answer) => answer.end(good.replace('\n', ' a b\n'))],
    ['answers one good line and one bad', (_, answer) => answer.end(`${good}nonsense\n`)],
    ['answers half a line', (_, answer) => answer.end(good.slice(0, 40))],
    ['answers without end', (_, answer) => answer.end(good.repeat(20_000))],
    ['never answers', () => undefined],
    ['begins and never ends', (_, answer) => answer.write(good)],
  ])('prints nothing when it %s', async (_, answer) => {
    expect(await askAt(await answering(answer))).toEqual(silence);
  });

  it('prints nothing when it does not speak HTTP, or says nothing, or is no socket, or is not there', async () => {
    expect(await askAt(await listen(createRawServer((socket) => socket.end('SSH-2.0-OpenSSH\r\n'))))).toEqual(silence);
    expect(await askAt(await listen(createRawServer(() => undefined)))).toEqual(silence);
    expect(await askAt(command)).toEqual(silence);
    expect(await askAt(folder)).toEqual(silence);
    expect(await askAt(join(folder, 'nothing.sock'))).toEqual(silence);
    expect(await askAt('')).toEqual(silence);
    expect(await askAt('x'.repeat(500))).toEqual(silence);
  });
});

it('a server that is too busy to answer keeps its socket', async () => {
  const path = join(folder, 'busy.sock');
  // It takes nobody from its queue, which is full after two.
  const script = `require('node:net').createServer().listen({ path: ${JSON.stringify(path)}, backlog: 1 }, () => {
    require('node:fs').writeSync(1, 'up');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  })`;
  const busy = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(busy.stdout, 'data');
  const queued = [connect(path), connect(path)];
  try {
    await Promise.all(queued.map((connection) => once(connection, 'connect')));
    const log = { info: () => undefined, error: () => undefined } as unknown as FastifyBaseLogger;
    await expect(serveAuthorizedKeys({} as Iam, path, log)).rejects.toThrow('is answered by another program');
    expect((await stat(path)).isSocket()).toBe(true);
  } finally {
    for (const connection of queued) connection.destroy();
    busy.kill('SIGKILL');
  }
});

describe('options', () => {
  it('come in pairs, and a value is a value whatever it looks like', () => {
    expect(readOptions(['--user', '--socket', '--socket', '/s'])).toEqual({ user: '--socket', socket: '/s' });
    expect(readOptions(['--user', 'a', '--user', 'b'])).toBeNull();
    expect(readOptions(['--toString', 'a'])).toBeNull();
    expect(readOptions(['--user'])).toBeNull();
    expect(readOptions([])).toEqual({});
  });
});
