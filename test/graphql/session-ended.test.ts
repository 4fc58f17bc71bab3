/** A session that ends while a token of it is being made. */
import 'reflect-metadata';
import { expect, it } from 'vitest';
import type { GraphContext } from '../../src/graphql/context.js';
import { shownToken } from '../../src/graphql/session.js';
import type { Issued } from '../../src/iam/index.js';

it('is refused like any ended session, with no token', () => {
  const broken = { message: 'the session has ended; sign in again', reference: 'IAM.0067', status: 401 };
  const issued = { token: 't', expiresAt: 0, call: { broken, requestId: 'r1' } } as unknown as Issued;
  expect(() => shownToken({} as GraphContext, issued)).toThrow(
    expect.objectContaining({
      message: broken.message,
      extensions: expect.objectContaining({ code: 'UNAUTHENTICATED', requestId: 'r1' }) as object,
    }) as Error,
  );
});
