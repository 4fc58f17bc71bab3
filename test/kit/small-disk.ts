/**
 * A file system in memory that is soon full, and larger when it is told to be. To mount one takes root on Linux; elsewhere
 * there is none, and who needs one is skipped.
 *
 *     const disk = await mountSmallDisk(4);
 *     ... join(disk.folder, 'test.db') ...
 *     await disk.leave(100);
 *     ...
 *     await disk.resize(64);
 *     await disk.unmount();
 */
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rmdir, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface SmallDisk {
  readonly folder: string;
  resize(mebibytes: number): Promise<void>;
  /** Leaves so many kibibytes beside what is on it. */
  leave(kibibytes: number): Promise<void>;
  unmount(): Promise<void>;
}

/** Why there is none here; null: there can be. */
export async function whyNoSmallDisk(): Promise<string | null> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'only root mounts a file system, and only on Linux';
  try {
    const disk = await mountSmallDisk(1);
    await disk.unmount();
    return null;
  } catch (error) {
    return `nothing can be mounted here: ${error instanceof Error ? error.message.split('\n', 1)[0] : String(error)}`;
  }
}

export async function mountSmallDisk(mebibytes: number): Promise<SmallDisk> {
  const folder = await mkdtemp(join(tmpdir(), 'bailiwick-disk-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=0755`, 'bailiwick-test', folder]);
  } catch (error) {
    await rmdir(folder);
    throw error;
  }
  // Also when this process is killed.
  const script = `while kill -0 ${process.pid} 2>/dev/null; do sleep 1; done; umount -l '${folder}'; rmdir '${folder}'`;
  const watcher = spawn('sh', ['-c', script], { detached: true, stdio: 'ignore' });
  watcher.unref();
  const remount = async (size: string): Promise<void> => {
    await run('mount', ['-o', `remount,size=${size}`, folder]);
  };
  return {
    folder,
    resize: (other) => remount(`${other}m`),
    leave: async (kibibytes) => {
      const { blocks, bfree, bsize } = await statfs(folder);
      await remount(`${Math.ceil(((blocks - bfree) * bsize) / 1024) + kibibytes}k`);
    },
    unmount: async () => {
      watcher.kill('SIGKILL');
      await run('umount', ['-l', folder]);
      await rmdir(folder);
    },
  };
}
