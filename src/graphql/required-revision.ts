/**
 * What a reader may demand: an answer that is no older than a revision of the account that it was told of. A request names it
 * as `minRevision` in its `extensions`. Where the database stands behind that, the request waits a little and is then refused
 * as a whole (docs/decisions/0091-required-revisions.md).
 */
import { HeaderMap } from '@apollo/server';
import { setTimeout as pause } from 'node:timers/promises';
import type { GraphQLError } from 'graphql';
import { brokenCredential, clientError, retryAfterUnavailable, shownUnavailable } from './errors.js';
import type { Call, Iam } from '../iam/index.js';
import type { Throttle } from './throttle.js';

/** Milliseconds. A copy of a database that is in order is behind by less, and the SDK waits for an answer twice as long. */
const longestWait = 1_000;

/** Milliseconds between the first looks; twice as many after each, up to the longest. */
const pauses = { first: 20, longest: 250 } as const;

/**
 * The call, once its account is at the revision that the request demands: itself where it is or nothing is demanded, opened
 * again where it had to wait. Throws what the caller is told when it is not there in time; nothing has been executed by then.
 *
 * @param extensions of the request, as they were sent
 */
export async function requireRevision(
  { iam, throttle }: { readonly iam: Iam; readonly throttle: Throttle },
  call: Call,
  extensions: unknown,
  reopen: () => Promise<Call>,
): Promise<Call> {
  const revision = readMinRevision(extensions);
  if (revision === null) return call;
  // Who is nobody has no account, and is not told about any.
  if (call.account === null) throw withoutAccount(call);
  if (call.account.revision >= revision) return call;
  const reached = await waitForRevision(iam, call.accountId, revision);
  const reopened = reached ? await reopen() : call;
  if (reopened.broken !== null) throw brokenCredential(reopened);
  if (reopened.account !== null && reopened.account.revision >= revision) return reopened;
  // Held up and looked for, so it costs what a refused document costs.
  throttle.chargeRefused(call);
  throw notReached(call, revision);
}

/** Null: nothing is demanded. What is wrong with `extensions` as such is said by whoever reads the rest of the request. */
function readMinRevision(extensions: unknown): number | null {
  if (typeof extensions !== 'object' || extensions === null || Array.isArray(extensions)) return null;
  const { minRevision } = extensions as { readonly minRevision?: unknown };
  if (minRevision == null) return null;
  if (typeof minRevision === 'number' && Number.isSafeInteger(minRevision) && minRevision >= 0) return minRevision;
  const message = '`minRevision` in `extensions` is no revision; send one that a mutation has answered, a whole number';
  throw clientError('BAD_REQUEST', message, { http: { status: 400 } });
}

/** All who wait share one read of the revisions, and hold no connection in between. */
async function waitForRevision(iam: Iam, accountId: string, revision: number): Promise<boolean> {
  // Not by the clock of the house, which may be put forward or back meanwhile.
  const deadline = performance.now() + longestWait;
  for (let wait: number = pauses.first; ; wait = Math.min(2 * wait, pauses.longest)) {
    const left = deadline - performance.now();
    if (left <= 0) return false;
    await pause(Math.min(wait, left));
    const account = await iam.store.access.account(accountId).catch((error: unknown) => {
      throw shownUnavailable(error);
    });
    if (account !== null && account.revision >= revision) return true;
  }
}

function withoutAccount({ requestId }: Call): GraphQLError {
  return clientError(
    'UNAUTHENTICATED',
    '`minRevision` is a revision of the account of the caller and needs a credential; to sign in leave it out',
    { reference: 'IAM.0001', requestId, http: { status: 401 } },
  );
}

function notReached({ requestId }: Call, minRevision: number): GraphQLError {
  return clientError(
    'REVISION_NOT_REACHED',
    'the database of this server does not have the revision that `minRevision` demands, and nothing was done; try again in a few seconds, and if it stays so ask the operator whether the database was restored, or leave `minRevision` out and read anew',
    {
      minRevision,
      requestId,
      retryAfter: retryAfterUnavailable,
      http: { status: 503, headers: new HeaderMap([['retry-after', String(retryAfterUnavailable)]]) },
    },
  );
}
