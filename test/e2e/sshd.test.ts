/**
 * A real sshd that asks our real program, as docs/remote-access.md sets it up: who gets in, and everybody who does not. It needs
 * OpenSSH’s server, and root, because sshd takes no command that belongs to anybody else; without them it is skipped.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildSshCommand, startNotebook, type Notebook } from '../kit/notebook.js';

const sshd = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/usr/libexec/sshd'].find((path) => existsSync(path));
const lacking =
  sshd === undefined
    ? 'no sshd is installed (Debian: apt-get install openssh-server)'
    : spawnSync('ssh', ['-V']).error !== undefined
      ? 'no ssh is installed (Debian: apt-get install openssh-client)'
      : process.getuid?.() !== 0
        ? 'only root can give sshd a command that it takes'
        : null;
if (lacking !== null) process.stderr.write(`test/e2e/sshd.test.ts is skipped: ${lacking}\n`);

/** Whoever runs the test logs in: sshd needs a user of the machine. */
const { username } = userInfo();

interface Attempt {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe.skipIf(lacking !== null)('sshd', () => {
  /** Everything on the way to sshd's command must be root's alone to write, which the folder for temporary files is not. */
  let folder: string;
  let notebook: Notebook;
  let daemon: ChildProcess;
  let port: number;
  let key: string;
  let log = '';
  const marker = 'inside the notebook';

  beforeAll(async () => {
    folder = await mkdtemp(join(homedir(), '.bailiwick-e2e-'));
    notebook = await startNotebook(folder);
    key = join(folder, 'desk');
    await writeFile(key, notebook.pair.privateKey, { mode: 0o600 });
    const client = buildSshCommand(folder);
    const command = join(folder, 'bailiwick-keys');
    await writeFile(command, `#!/bin/sh\nexec ${process.execPath} ${client} --socket ${notebook.socket} "$@"\n`);
    await chmod(command, 0o755);
    const hostKey = join(folder, 'host_key');
    spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', hostKey]);
    port = await freePort();
    const config = join(folder, 'sshd_config');
    await writeFile(
      config,
      [
        `ListenAddress 127.0.0.1:${port}`,
        `HostKey ${hostKey}`,
        `PidFile ${join(folder, 'sshd.pid')}`,
        `AuthorizedKeysCommand ${command} --notebook ${notebook.urn} --user %u --fingerprint %f`,
        `AuthorizedKeysCommandUser ${username}`,
        'AuthorizedKeysFile none',
        'AuthenticationMethods publickey',
        'PasswordAuthentication no',
        'KbdInteractiveAuthentication no',
        'UseDNS no',
        // Of this test: the one user there is may be root, and may try often.
        'PermitRootLogin prohibit-password',
        'UsePAM no',
        'MaxAuthTries 20',
        'MaxStartups 100',
        'LogLevel VERBOSE',
        '',
      ].join('\n'),
    );
    // Where it leaves its privileges; Debian makes it when the service starts.
    await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
    daemon = spawn(sshd ?? '', ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    daemon.stderr?.setEncoding('utf8').on('data', (text: string) => (log += text));
    await listening(port);
  });
  afterAll(async () => {
    daemon?.kill('SIGTERM');
    await rm(folder, { recursive: true, force: true });
  });

  /** Connects as a person would, by this key, from this address of the machine. */
  function connect(
    more: {
      readonly from?: string;
      readonly identity?: string;
      readonly user?: string;
      readonly args?: readonly string[];
      readonly flags?: readonly string[];
      readonly input?: string;
    } = {},
  ): Promise<Attempt> {
    const {
      from = '127.0.0.1',
      identity = key,
      user = username,
      args = [`echo ${marker}`],
      flags: own = [],
      input = '',
    } = more;
    const options = [
      `BindAddress=${from}`,
      `IdentityFile=${identity}`,
      `UserKnownHostsFile=${join(folder, 'known_hosts')}`,
      'StrictHostKeyChecking=no',
      'IdentitiesOnly=yes',
      'IdentityAgent=none',
      'BatchMode=yes',
      'LogLevel=ERROR',
    ];
    const flags = ['-F', 'none', ...options.flatMap((option) => ['-o', option]), '-p', String(port)];
    const child = spawn('ssh', [...flags, ...own, '-l', user, '127.0.0.1', ...args], { stdio: 'pipe' });
    child.stdin.on('error', () => undefined).end(input);
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (status) => resolve({ status, stdout, stderr }));
    });
  }

  async function expectLetIn(attempt: Promise<Attempt>): Promise<void> {
    const { status, stdout, stderr } = await attempt;
    if (status !== 0) throw new Error(`refused: ${stderr}\nsshd says:\n${log}`);
    expect(stdout.trim()).toBe(marker);
  }

  async function expectRefused(attempt: Promise<Attempt>): Promise<void> {
    const { status, stdout, stderr } = await attempt;
    expect({ status, stdout, stderr }).toEqual({
      status: 255,
      stdout: '',
      stderr: expect.stringContaining('Permission denied (publickey)') as string,
    });
  }

  beforeEach(async () => {
    const open = { enabled: true, keyPairIds: [notebook.pair.id], userName: username, host: '127.0.0.1', port };
    await notebook.configure({ ...open, allowedAddresses: ['127.0.0.1'] });
    await notebook.report('RUNNING');
  });
  afterEach((context) => {
    if (context.task.result?.state === 'fail') process.stderr.write(`sshd said:\n${log}\n`);
    log = '';
  });

  it('lets in by the key, from an address of the list', async () => {
    await expectLetIn(connect());
    expect(log).toContain(notebook.pair.fingerprint);
  });

  it('lets in with what `sshConfig` says', async () => {
    const query = 'query Config($id: ID!) { resource(id: $id) { remoteAccess { sshConfig } } }';
    const found = (await notebook.as('root', query, { id: notebook.id })) as unknown as {
      readonly resource: { readonly remoteAccess: { readonly sshConfig: string } };
    };
    const { sshConfig } = found.resource.remoteAccess;
    expect(sshConfig).toContain('Host notebook-ann-1\n');
    const config = join(folder, 'ssh_config');
    await writeFile(config, sshConfig);
    const known = `UserKnownHostsFile=${join(folder, 'known_hosts')}`;
    const options = [`IdentityFile=${key}`, known, 'StrictHostKeyChecking=no', 'BatchMode=yes', 'IdentityAgent=none'];
    const asked = ['-F', config, ...options.flatMap((option) => ['-o', option]), 'notebook-ann-1', `echo ${marker}`];
    const { stdout, status, stderr } = spawnSync('ssh', asked, { encoding: 'utf8' });
    expect({ stdout: stdout.trim(), status, stderr: status === 0 ? '' : stderr }).toEqual({
      stdout: marker,
      status: 0,
      stderr: '',
    });
  });

  it('refuses from another address, and lets it in once it is on the list', async () => {
    await expectRefused(connect({ from: '127.0.0.2' }));
    expect(log).toMatch(/Authentication tried for \S+ with correct key but not from a permitted host/);
    await notebook.configure({ allowedAddresses: ['192.0.2.0/24', '127.0.0.9/31', '2001:db8::1'] });
    await expectRefused(connect({ from: '127.0.0.2' }));
    await expectRefused(connect());
    await notebook.configure({ allowedAddresses: ['2001:db8::/32', '127.0.0.3/30'] });
    await expectLetIn(connect({ from: '127.0.0.2' }));
    await expectRefused(connect({ from: '127.0.0.4' }));
  });

  it('lets in from anywhere once that was chosen', async () => {
    await notebook.configure({ allowAnyAddress: true });
    await expectLetIn(connect({ from: '127.0.0.2' }));
  });

  it('refuses a key that nobody registered', async () => {
    const other = join(folder, `other-${Date.now()}`);
    spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', other]);
    await expectRefused(connect({ identity: other }));
  });

  it('lets in by keys of every kind that is brought, and no longer once they are deleted', async () => {
    for (const args of [['ed25519'], ['ecdsa', '-b', '256'], ['ecdsa', '-b', '521'], ['rsa', '-b', '2048']]) {
      const identity = join(folder, `brought-${args.join('')}-${Date.now()}`);
      spawnSync('ssh-keygen', ['-q', '-N', '', '-f', identity, '-t', ...args]);
      const publicKey = spawnSync('ssh-keygen', ['-y', '-f', identity], { encoding: 'utf8' }).stdout;
      const bring =
        'mutation Bring($input: ImportKeyPairInput!) { importKeyPair(input: $input) { keyPair { id } userErrors { message } } }';
      const input = { name: args.join(''), publicKey };
      const { importKeyPair } = (await notebook.as('user', bring, { input })) as unknown as {
        readonly importKeyPair: { readonly keyPair: { readonly id: string } };
      };
      const { id } = importKeyPair.keyPair;
      await expectRefused(connect({ identity }));
      await notebook.configure({ keyPairIds: [notebook.pair.id, id] });
      await expectLetIn(connect({ identity }));
      const remove = 'mutation Remove($id: ID!) { deleteKeyPair(input: { id: $id }) { userErrors { message } } }';
      await notebook.as('user', remove, { id });
      await expectRefused(connect({ identity }));
    }
    await expectLetIn(connect());
  });

  it('refuses while the notebook is stopped, and while remote access is closed', async () => {
    await notebook.report('STOPPED');
    await expectRefused(connect());
    await notebook.report('RUNNING');
    await expectLetIn(connect());
    await notebook.configure({ enabled: false });
    await expectRefused(connect());
  });

  it('refuses under a login name that is not the notebook’s, whatever it looks like', async () => {
    await notebook.configure({ userName: 'ma-user' });
    await expectRefused(connect());
    const owned = join(folder, 'owned');
    for (const user of [
      'ma-user',
      `$(touch ${owned})`,
      `\`touch ${owned}\``,
      `; touch ${owned}`,
      '--socket',
      '%u',
      'a b',
      '',
    ]) {
      const { stdout, status } = await connect({ user });
      expect({ user, stdout, status }).toEqual({ user, stdout: '', status: 255 });
    }
    await expect(stat(owned)).rejects.toThrow('ENOENT');
  });

  it('gives a terminal and forwarded ports, and no agent', async () => {
    // A forwarded port, to sshd itself: what answers at its end is the banner.
    const there = `127.0.0.1:${port}`;
    const through = await connect({ flags: ['-W', there], args: [], input: 'x\n' });
    expect(through.stdout).toMatch(/^SSH-2\.0-/);
    // What there is to be forwarded: ssh asks sshd for it as soon as it can connect.
    const agent = createServer();
    const agentPath = join(folder, 'agent.sock');
    await new Promise<void>((resolve) => agent.listen(agentPath, resolve));
    const session = await connect({
      flags: ['-o', `ForwardAgent=${agentPath}`, '-tt'],
      args: ['tty; echo "agent=$SSH_AUTH_SOCK"'],
    });
    expect(session.stdout).toMatch(/\/dev\/pts\/\d+/);
    expect(session.stdout).toMatch(/agent=\s*$/);
    await new Promise((resolve) => agent.close(resolve));
  });

  it('refuses while the user is disabled', async () => {
    const change = 'mutation Change($input: UpdateUserInput!) { updateUser(input: $input) { userErrors { message } } }';
    const enable = (enabled: boolean) => notebook.as('account', change, { input: { id: notebook.user.id, enabled } });
    await enable(false);
    await expectRefused(connect());
    await enable(true);
    await expectLetIn(connect());
  });

  it('refuses while the service is slow', async () => {
    notebook.server.kill('SIGSTOP');
    try {
      await expectRefused(connect());
    } finally {
      notebook.server.kill('SIGCONT');
    }
    await expectLetIn(connect());
  });

  it('refuses once the right is revoked', async () => {
    const revoke = 'mutation Revoke($id: ID!) { revokeGrant(input: { id: $id }) { userErrors { message } } }';
    await expectLetIn(connect());
    await notebook.as('account', revoke, { id: notebook.user.grantId });
    await expectRefused(connect());
    const query =
      'query Why($input: ExplainRemoteAccessInput!) { explainRemoteAccess(input: $input) { allowed checks { name status } } }';
    const input = { resourceId: notebook.id, fingerprint: notebook.pair.fingerprint, sourceAddress: '127.0.0.1' };
    const { explainRemoteAccess } = (await notebook.as('user', query, { input })) as unknown as {
      readonly explainRemoteAccess: { readonly checks: readonly { readonly name: string; readonly status: string }[] };
    };
    expect(explainRemoteAccess.checks.filter(({ status }) => status !== 'OK')).toEqual([
      { name: 'PERMISSION', status: 'FAILED' },
    ]);
    const grant = 'mutation Grant($input: GrantPolicyInput!) { grantPolicy(input: $input) { userErrors { message } } }';
    const again = { policyId: notebook.user.policyId, subject: { user: notebook.user.id }, scope: { all: true } };
    await notebook.as('account', grant, { input: again });
    await expectLetIn(connect());
  });

  // The last one: what it does is not undone.
  it('refuses once the service is down', async () => {
    await expectLetIn(connect());
    notebook.server.kill('SIGKILL');
    await notebook.server.ended;
    await expectRefused(connect());
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listening(port: number): Promise<void> {
  const { connect } = await import('node:net');
  for (let tries = 0; tries < 200; tries += 1) {
    const open = await new Promise<boolean>((resolve) => {
      const probe = connect(port, '127.0.0.1', () => {
        probe.destroy();
        resolve(true);
      });
      probe.on('error', () => resolve(false));
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('sshd does not listen');
}
