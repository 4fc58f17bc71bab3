/** What a process has used of the machine so far, as Linux tells it; null where that cannot be known. */
import { readdirSync, readFileSync } from 'node:fs';

/** Nanoseconds of processor time of all threads that a process has. */
export function processorTime(pid: number): number | null {
  try {
    let sum = 0;
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      sum += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]);
    }
    return sum > 0 ? sum : null;
  } catch {
    return null;
  }
}

/** Bytes of memory that a process holds now, and at most held. */
export function memoryOf(pid: number): { readonly now: number; readonly most: number } | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]);
    return { now: kilobytes('VmRSS') * 1024, most: kilobytes('VmHWM') * 1024 };
  } catch {
    return null;
  }
}
