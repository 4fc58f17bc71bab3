/** Requests that are told as they are sent: who does what, what comes of it, and why. */
import { signRequest, type Credentials } from '../sdk/index.js';

interface Answer {
  readonly data: Record<string, unknown> | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: Record<string, unknown> }[];
}

/** Who sends a request: nobody, the bearer of a token, or a service that signs. */
export type Sender =
  | { readonly name: string; readonly token: string | null }
  | {
      readonly name: string;
      readonly key: Credentials;
      /** Plain id; null: where the key acts by itself. */
      readonly workspace: string | null;
    };

export class Story {
  /** What did not come out as the story says. */
  readonly failures: string[] = [];
  /** The last request as it went over the wire. */
  #last: { readonly headers: Record<string, string>; readonly body: string } | null = null;

  constructor(readonly url: string) {}

  chapter(title: string): void {
    console.log(`\n${title}\n${'-'.repeat(title.length)}`);
  }

  /** Sends a request, prints it with its outcome, and holds the outcome against the story. */
  async tell(
    sender: Sender,
    does: string,
    expects: 'allowed' | 'refused',
    query: string,
    variables: object = {},
  ): Promise<Record<string, never>> {
    const answer = await this.#send(sender, JSON.stringify({ query, variables }));
    this.#print(sender.name, does, expects, query, answer);
    return (answer.data ?? {}) as Record<string, never>;
  }

  /** Sends the last request once more, byte by byte, as somebody could who saw it pass. */
  async repeat(name: string, does: string, expects: 'allowed' | 'refused'): Promise<void> {
    if (this.#last === null) throw new Error('nothing was sent yet');
    this.#print(name, does, expects, 'the same bytes', await this.#post(this.#last));
  }

  #print(name: string, does: string, expects: 'allowed' | 'refused', query: string, answer: Answer): void {
    const { outcome, why } = outcomeOf(answer);
    console.log(`\n  ${name}: ${does}`);
    const line = query.replace(/\s+/g, ' ');
    console.log(`    ${line.length > 150 ? `${line.slice(0, 149)}…` : line}`);
    console.log(`    -> ${outcome.toUpperCase()}${why === '' ? '' : `: ${why}`}`);
    if (outcome !== expects) this.failures.push(`${name}: ${does}: expected ${expects}, got ${outcome} (${why})`);
  }

  async #send(sender: Sender, body: string): Promise<Answer> {
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if ('key' in sender) Object.assign(headers, signedBy(this.url, sender, headers, body));
    else if (sender.token !== null) headers['authorization'] = `Bearer ${sender.token}`;
    return this.#post({ headers, body });
  }

  async #post(request: { readonly headers: Record<string, string>; readonly body: string }): Promise<Answer> {
    this.#last = request;
    const response = await fetch(this.url, { method: 'POST', ...request });
    return (await response.json()) as Answer;
  }
}

function signedBy(
  url: string,
  { key, workspace }: Extract<Sender, { readonly key: unknown }>,
  headers: Readonly<Record<string, string>>,
  body: string,
): Record<string, string> {
  const scope = workspace === null ? {} : { scope: { workspace } };
  return signRequest({ method: 'POST', url, headers, body, credentials: key, ...scope });
}

/** A refusal is an error, a userError, or a decision to deny; the reason is what the answer itself says. */
function outcomeOf({ data, errors }: Answer): { readonly outcome: 'allowed' | 'refused'; readonly why: string } {
  const [error] = errors ?? [];
  if (error !== undefined) {
    const reason = error.extensions?.['reason'];
    return { outcome: 'refused', why: typeof reason === 'string' ? `${error.message} (${reason})` : error.message };
  }
  const first = Object.values(data ?? {})[0] as
    | { readonly userErrors?: readonly { readonly message: string }[] }
    | readonly {
        readonly effect?: string;
        readonly reason?: string;
        readonly statements?: readonly { origin?: unknown; policy: string }[] | null;
      }[]
    | null;
  if (Array.isArray(first) && first.every((each: { effect?: string }) => each.effect !== undefined)) {
    const decisions = first as readonly {
      effect: string;
      reason: string;
      statements?: readonly { policy: string }[] | null;
    }[];
    const by = decisions.flatMap(({ statements }) => statements ?? []).map(({ policy }) => `\`${policy}\``);
    const why = decisions.map(({ effect, reason }) => `${effect} for reason ${reason}`).join('; ');
    const outcome = decisions.every(({ effect }) => effect === 'ALLOW') ? 'allowed' : 'refused';
    return { outcome, why: by.length === 0 ? why : `${why}, by ${by.join(', ')}` };
  }
  const [problem] =
    (first as { readonly userErrors?: readonly { readonly message: string }[] } | null)?.userErrors ?? [];
  return problem === undefined ? { outcome: 'allowed', why: '' } : { outcome: 'refused', why: problem.message };
}
