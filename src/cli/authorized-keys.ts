/**
 * What sshd runs at each connection (`AuthorizedKeysCommand`): asks the running server whose keys may get into a notebook, and
 * prints them. Whatever goes wrong, it prints nothing and ends with status 0, which lets nobody in and fills no log.
 * It must import nothing but what Node has: it is started again and again, and somebody waits for it each time.
 */
import { request } from 'node:http';

/** Milliseconds from the start of the process within which everything must be done. */
const deadline = 2_000;

const longestAnswer = 1_048_576;

/** What an answer consists of; anything else was not written by our server. */
const line =
  /^restrict,pty,port-forwarding(,from="[0-9a-f.:/]+(,[0-9a-f.:/]+)*")? (sk-)?(ssh|ecdsa)-[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}$/;

const names = ['notebook', 'user', 'fingerprint', 'socket'] as const;

type Options = { readonly [Name in (typeof names)[number]]?: string };

/** Names and values in pairs: a value is never taken for a name, whatever it looks like. Null: not so. */
export function readOptions(args: readonly string[]): Options | null {
  const options: { [Name in (typeof names)[number]]?: string } = {};
  for (let index = 0; index < args.length; index += 2) {
    const name = names.find((known) => `--${known}` === args[index]);
    const value = args[index + 1];
    if (name === undefined || value === undefined || name in options) return null;
    options[name] = value;
  }
  return options;
}

/** Prints the keys, or nothing. */
export async function printAuthorizedKeys(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<void> {
  try {
    const text = await answerTo(args, environment);
    if (text !== '') process.stdout.on('error', () => undefined).write(text);
  } catch (error) {
    // sshd throws away what is said here; whoever tries the command by hand wants to know.
    if (process.stderr.isTTY) process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  }
}

async function answerTo(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const options = readOptions(args);
  if (options?.notebook === undefined) {
    throw new Error('usage: --notebook URN [--user NAME] [--fingerprint FINGERPRINT] [--socket PATH]');
  }
  const { socket = environment['BAILIWICK_SSH_SOCKET'] ?? '', ...question } = options;
  if (socket === '') throw new Error('no socket is named; give --socket, or set BAILIWICK_SSH_SOCKET');
  const text = await ask(socket, `/authorized-keys?${new URLSearchParams(question).toString()}`);
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  if (!lines.every((each) => line.test(each))) throw new Error('the answer has lines that are no keys');
  if (lines.length === 0) throw new Error('nobody may get in so');
  return text;
}

function ask(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(
      () => {
        sent.destroy();
        reject(new Error(`the server did not answer within ${deadline} milliseconds`));
      },
      Math.max(0, deadline - performance.now()),
    );
    const fail = (error: Error): void => {
      clearTimeout(late);
      reject(error);
    };
    const sent = request({ socketPath, path, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (part: string) => {
        text += part;
        if (text.length > longestAnswer) sent.destroy(new Error('the answer is too long'));
      });
      answer.on('error', fail);
      answer.on('end', () => {
        if (answer.statusCode !== 200 || !answer.complete) return fail(new Error('the server refused to answer'));
        clearTimeout(late);
        resolve(text);
      });
    });
    sent.on('error', fail);
    sent.end();
  });
}
