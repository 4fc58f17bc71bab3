/** Operations and values as the attacks on documents send them. */
import type { Shot, Target } from './target.js';

export const json = ['content-type', 'application/json'];

/** Asked by root unless said otherwise, so that nothing but the document can be the reason of a refusal. */
export const asks =
  (query: string, variables: object = {}, who: 'root' | 'account' | 'ann' | null = 'account') =>
  ({ tokens }: Target): Shot => ({
    headers: [...json, ...(who === null ? [] : ['authorization', `Bearer ${tokens[who]}`])],
    body: JSON.stringify({ query, variables }),
  });

/** A body whose variables stand there as written, which JSON.stringify would change. */
export const written =
  (query: string, variables: string) =>
  ({ tokens }: Target): Shot => ({
    headers: [...json, 'authorization', `Bearer ${tokens.account}`],
    body: `{"query":${JSON.stringify(query)},"variables":${variables}}`,
  });

export const invalid = { status: 400, code: 'GRAPHQL_VALIDATION_FAILED' } as const;
export const unread = { status: 400, code: 'GRAPHQL_PARSE_FAILED' } as const;
export const tooLarge = { status: 400, code: 'OPERATION_TOO_LARGE' } as const;
export const unfit = { status: 400, code: 'BAD_USER_INPUT' } as const;
