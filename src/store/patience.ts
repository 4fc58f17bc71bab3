/** How often something is tried that may well succeed the next time, and how long to wait in between. */
import { setTimeout as pause } from 'node:timers/promises';

export const attempts = 5;

/** Milliseconds after the first attempt, at most; twice as many after each further one. */
const firstPause = 40;

/** Waits for a time that nobody else waits: those who fail together must not come again together. */
export async function pauseAfter(attempt: number): Promise<void> {
  await pause(firstPause * 2 ** (attempt - 1) * (0.5 + Math.random() / 2));
}
