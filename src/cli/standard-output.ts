/**
 * What becomes of a command that can no longer say anything, because nobody reads its output (`| head`), or because what it
 * is written to is full. Once for the process: wherever something is printed, it is the same.
 */

/**
 * - `PRINTS`: what it prints is all that it is for, so it ends.
 * - `WORKS`: what it has begun is worth more than being told of it, so it goes on to its end, and its status says how that was.
 * - `SERVES`: it goes on until it is asked to end.
 */
export type Purpose = 'PRINTS' | 'WORKS' | 'SERVES';

/** 128 + SIGPIPE: what a shell says of a program that the signal has ended, as it ends `cat` and `grep` before `head`. */
const readerGone = 141;

/** EX_IOERR of sysexits.h. The statuses 1 to 3 say something of what was asked. */
const notWritten = 74;

export function outliveReaders(
  purpose: Purpose,
  { stdout, stderr }: Pick<NodeJS.Process, 'stdout' | 'stderr'> = process,
) {
  let told = false;
  stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE') {
      if (purpose === 'PRINTS') process.exit(readerGone);
      return;
    }
    if (!told)
      stderr.write(`bailiwick: standard output cannot be written: ${code}; what was printed is not all there\n`);
    told = true;
    if (purpose === 'PRINTS') process.exit(notWritten);
  });
  // There is nobody left to tell.
  stderr.on('error', () => undefined);
  if (purpose !== 'WORKS') return;
  process.on('exit', (status) => {
    if (told && status === 0) process.exitCode = notWritten;
  });
}
