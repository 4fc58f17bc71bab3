/** Asks a person at a terminal before something is done that cannot be taken back. */
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

export interface Asked {
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly errors: Writable;
}

/** Only `yes` is a yes. Where nobody sits, nobody has said it; whoever leaves with Ctrl-C or Ctrl-D has said no. */
export async function isConfirmed(question: string, { input, errors }: Asked): Promise<boolean> {
  if (input.isTTY !== true) return false;
  const asking = createInterface({ input, output: errors });
  const leave = (): void => asking.close();
  // Where errors go elsewhere the terminal sends the signal instead of the character.
  process.once('SIGINT', leave);
  try {
    const answer = await new Promise<string | null>((resolve) => {
      asking.once('close', () => resolve(null));
      asking.question(`${question} Only \`yes\` does: `, resolve);
    });
    if (answer === null) errors.write('\n');
    return answer?.trim() === 'yes';
  } finally {
    process.off('SIGINT', leave);
    asking.close();
  }
}
