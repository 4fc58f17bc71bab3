/** One process at a time on a SQLite database: whatever its name, from whatever container, and however the one before ended. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { openStore } from '../../src/store/index.js';
import { LockFile } from '../../src/store/lock-file.js';
import { runProgram, startProgram } from '../kit/program.js';
import { mountSmallDisk, whyNoSmallDisk } from '../kit/small-disk.js';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'bailiwick-lock-')));
const children = new Set<ChildProcess>();
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
});

let database = '';
let count = 0;
beforeEach(() => {
  count += 1;
  database = join(root, String(count), 'test.db');
  mkdirSync(dirname(database));
});

/** What the kernel of a container shows: processes of its own, the first of which is 1. */
const container = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];

function whyNo(command: readonly string[]): string | null {
  try {
    execFileSync(command[0] ?? '', command.slice(1), { stdio: 'pipe' });
    return null;
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n', 2)[1] ?? error.message) : String(error);
  }
}
const noContainers = whyNo([...container, 'true']);
const noMounts = await whyNoSmallDisk();

interface Other {
  readonly pid: number;
  readonly take: (path: string) => Promise<string>;
  readonly release: () => Promise<string>;
  readonly kill: () => Promise<void>;
}

async function startOther(...through: readonly string[]): Promise<Other> {
  const script = fileURLToPath(new URL('lock-process.ts', import.meta.url));
  const [command = '', ...words] = [...through, process.execPath, '--import', 'tsx', script];
  const child = spawn(command, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.add(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => String((await lines.next()).value);
  expect(await answer()).toBe('ready');
  const ask = (line: string) => {
    child.stdin.write(`${line}\n`);
    return answer();
  };
  return {
    pid: child.pid ?? 0,
    take: ask,
    release: () => ask(''),
    kill: async () => {
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    },
  };
}

const refusal = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'held',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
const inUse = (path: string, pid: number) =>
  `the database ${path} is already open in process ${pid}; stop that process first, or ask it through its API`;

describe('a second process', () => {
  test('is told which has the database, and gets it when that one gives it back', async () => {
    const url = `sqlite:${database}`;
    const other = await startOther();
    const store = await openStore(url);
    expect(await refusal(openStore(url))).toBe(inUse(database, process.pid));
    expect(await other.take(database)).toBe(inUse(database, process.pid));
    await store.close();
    expect(await other.take(database)).toBe('held');
    expect(await refusal(openStore(url))).toBe(inUse(database, other.pid));
    // The file stays, so that nobody can hold one that is not there any more while another makes one anew.
    const before = statSync(`${database}.lock`).ino;
    await other.release();
    await (await openStore(url)).close();
    expect(statSync(`${database}.lock`).ino).toBe(before);
    await other.kill();
  });

  test('gets it when the first was killed, and nothing has to be cleared up', async () => {
    const [one, two] = [await startOther(), await startOther()];
    for (let round = 1; round <= 3; round += 1) {
      const killed = round === 1 ? one : await startOther();
      expect(await killed.take(database)).toBe('held');
      expect(await two.take(database)).toBe(inUse(database, killed.pid));
      await killed.kill();
      expect(await two.take(database)).toBe('held');
      expect(await two.release()).toBe('held');
    }
    await two.kill();
  });

  test('at the very same time: one of them has it', async () => {
    const others = [await startOther(), await startOther()];
    for (let round = 1; round <= 20; round += 1) {
      // Of every two rounds one begins without the file.
      const path = join(dirname(database), `${Math.ceil(round / 2)}.db`);
      const here = [LockFile.take(path), LockFile.take(path)];
      const answers = await Promise.all([...here.map(refusal), ...others.map(({ take }) => take(path))]);
      expect(answers.filter((answer) => answer === 'held')).toHaveLength(1);
      const won = answers.indexOf('held');
      // One that has lost may have said that it was about to win.
      const contenders = [process.pid, ...others.map(({ pid }) => pid)].map((pid) => inUse(path, pid));
      for (const [index, answer] of answers.entries()) if (index !== won) expect(contenders).toContain(answer);
      if (won < here.length) await (await here[won])?.release();
      else await others[won - here.length]?.release();
    }
    await Promise.all(others.map(({ kill }) => kill()));
  });

  test('may look at the database all the while', async () => {
    const place = { DATABASE_URL: `sqlite:${database}`, SECRET_KEY_FILE: join(root, `${count}.key`), PORT: '0' };
    const server = startProgram('main.ts', [], { settings: place });
    await server.until(/listening on/);
    for (const command of [['doctor'], ['backup', join(root, `${count}.backup`)]]) {
      const { status, stderr } = await runProgram('cli/bailiwick.ts', command, { settings: place });
      if (command[0] === 'backup') expect(status).toBe(0);
      expect(stderr).not.toMatch(/already open|lock file/);
    }
    const lock = readFileSync(`${database}.lock`);
    expect([lock.readUInt32BE(60), statSync(`${database}.lock`).mode & 0o777]).toEqual([server.pid, 0o600]);
    server.kill('SIGTERM');
    expect((await server.ended).status).toBe(0);
  });
});

describe(`in containers${noContainers === null ? '' : ` (none here: ${noContainers})`}`, () => {
  const inContainer = test.skipIf(noContainers !== null);
  const elsewhere =
    /^the database \S+ is already open in process \d+, which is none of those here and may be in another container; stop that process first, or ask it/;

  inContainer('two of them: each process is the first of its own', async () => {
    const [one, two] = [await startOther(...container), await startOther(...container)];
    expect(await one.take(database)).toBe('held');
    expect(await two.take(database)).toMatch(elsewhere);
    // What was refused has given nothing back.
    expect(await two.take(database)).toMatch(/already open in process 1, /);
    await one.kill();
    expect(await two.take(database)).toBe('held');
    expect(await refusal(LockFile.take(database))).toMatch(elsewhere);
    await two.kill();
    await (await LockFile.take(database)).release();
  });

  const reset = ['cli/bailiwick.ts', 'reset-password', 'default', 'admin'] as const;
  inContainer.each([
    ['a server outside and a command inside', [], container, reset],
    ['a server inside and a command outside', container, [], reset],
    ['a server each in two of them', container, container, ['main.ts']],
  ] as const)('%s', async (_, around, through, [file, ...words]) => {
    const settings = { DATABASE_URL: `sqlite:${database}`, SECRET_KEY_FILE: join(root, `${count}.key`), PORT: '0' };
    const server = startProgram('main.ts', [], { settings, through: around });
    await server.until(/listening on/);
    const told = await runProgram(file, words, { settings, through });
    expect(told).toMatchObject({ status: 1, stdout: '' });
    expect(told.stderr.replace('bailiwick: ', '')).toMatch(elsewhere);
    server.kill('SIGKILL');
    await server.ended;
    const done = await runProgram('cli/bailiwick.ts', reset.slice(1), { settings });
    expect(done.status, done.stderr).toBe(0);
  });
});

describe('by another name', () => {
  test('a link to the file, or to its folder, leads to the same lock', async () => {
    writeFileSync(database, '');
    const folder = join(root, `folder-${count}`);
    const link = join(root, `link-${count}.db`);
    symlinkSync(dirname(database), folder);
    symlinkSync(database, link);
    for (const [first, ...names] of [
      [database, link, join(folder, 'test.db')],
      [link, database],
      [join(folder, 'new.db'), join(dirname(database), 'new.db')],
    ]) {
      const store = await openStore(`sqlite:${first ?? ''}`);
      for (const name of names) expect(await refusal(openStore(`sqlite:${name}`))).toBe(inUse(name, process.pid));
      await store.close();
    }
    expect(existsSync(`${link}.lock`)).toBe(false);
  });

  test('a link to what is not there is refused: it may be a disk that is not mounted', async () => {
    symlinkSync(join(root, 'nowhere.db'), database);
    expect(await refusal(openStore(`sqlite:${database}`))).toBe(
      `the database ${database} is a link to what is not there; mount what it points to, make an empty file there, or remove the link`,
    );
    writeFileSync(join(root, 'nowhere.db'), '');
    await (await openStore(`sqlite:${database}`)).close();
  });

  test('a hard link is refused, under either name', async () => {
    await (await openStore(`sqlite:${database}`)).close();
    const second = join(root, `second-${count}.db`);
    linkSync(database, second);
    for (const name of [database, second]) {
      expect(await refusal(openStore(`sqlite:${name}`))).toMatch(
        /^the database \S+ has 2 names \(hard links\), .*; remove/,
      );
    }
    expect(existsSync(`${second}.lock`)).toBe(false);
    unlinkSync(second);
    await (await openStore(`sqlite:${database}`)).close();
  });

  test.skipIf(noMounts !== null)(
    `a file that is mounted without its folder is refused${noMounts === null ? '' : ` (${noMounts})`}`,
    async () => {
      await (await openStore(`sqlite:${database}`)).close();
      const alone = join(root, `alone ${count}.db`);
      writeFileSync(alone, '');
      // Seen by that process alone, and gone with it.
      const mount = 'mount --bind "$1" "$2" && shift 2 && exec "$@"';
      const other = await startOther('unshare', '--mount', 'sh', '-c', mount, 'sh', database, alone);
      expect(await other.take(alone)).toBe(
        `the database ${alone} is mounted alone, and what SQLite keeps beside it would stay behind; mount the folder that it is in`,
      );
      await other.kill();
      await (await openStore(`sqlite:${database}`)).close();
    },
  );
});

describe('a lock file that cannot be used', () => {
  test.each([
    ['of an older version', JSON.stringify({ pid: 1, began: 'earlier' })],
    ['that is damaged', 'x'.repeat(5_000)],
  ])('%s: it is said what to do, and helps', async (_, content) => {
    writeFileSync(`${database}.lock`, content);
    expect(await refusal(openStore(`sqlite:${database}`))).toBe(
      `the lock file ${database}.lock is damaged, or of an older version; see that nothing uses the database, then remove the lock file and try again`,
    );
    expect(readFileSync(`${database}.lock`, 'utf8')).toBe(content);
    unlinkSync(`${database}.lock`);
    await (await openStore(`sqlite:${database}`)).close();
  });

  test('that is empty is like a new one', async () => {
    writeFileSync(`${database}.lock`, '');
    await (await openStore(`sqlite:${database}`)).close();
  });

  test('because it is none', async () => {
    mkdirSync(`${database}.lock`);
    expect(await refusal(openStore(`sqlite:${database}`))).toMatch(
      /^the lock file \S+ cannot be written \(SQLITE_CANTOPEN.*; it must be a file that belongs to who runs the server/,
    );
  });

  test.skipIf(noMounts !== null)(
    `for want of room, or on a disk that is read only${noMounts === null ? '' : ` (${noMounts})`}`,
    async () => {
      const disk = await mountSmallDisk(1);
      const path = join(disk.folder, 'test.db');
      try {
        writeFileSync(join(disk.folder, 'other'), 'x');
        await disk.leave(0);
        expect(await refusal(openStore(`sqlite:${path}`))).toMatch(
          /^there is no room for the lock file \S+; make some/,
        );
        await disk.resize(8);
        await (await openStore(`sqlite:${path}`)).close();
        execFileSync('mount', ['-o', 'remount,ro', disk.folder]);
        expect(await refusal(openStore(`sqlite:${path}`))).toMatch(
          /^the lock file \S+ cannot be written \(.*; it must be a file .* on a disk that can be written to$/,
        );
        expect(await refusal(openStore(`sqlite:${join(disk.folder, 'new.db')}`))).toMatch(
          /^cannot write beside the SQLite database \S+ \(EROFS.*; choose a folder that is yours$/,
        );
      } finally {
        await disk.unmount();
      }
    },
  );

  test.each([
    [0o640, 0o600],
    [0o660, 0o660],
    [0o666, 0o666],
  ])('is for those who may write the database: mode %o gives %o', async (mode, expected) => {
    writeFileSync(database, '');
    chmodSync(database, mode);
    await (await LockFile.take(database)).release();
    expect(statSync(`${database}.lock`).mode & 0o777).toBe(expected);
  });

  test.skipIf(process.getuid?.() !== 0)(
    'is never made for root alone beside the database of another user',
    async () => {
      writeFileSync(database, '');
      execFileSync('chown', ['65534:65534', database]);
      await (await LockFile.take(database)).release();
      const { uid, gid, mode } = statSync(`${database}.lock`);
      expect([uid, gid, mode & 0o777]).toEqual([65534, 65534, 0o600]);
    },
  );
});
