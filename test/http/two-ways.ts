/**
 * One house behind two listeners: one prepares what it has answered once, the other never anything. Whatever is sent to both is
 * answered the same, byte for byte.
 */
import { vi } from 'vitest';
import { PreparedOperation } from '../../src/graphql/index.js';
import { openListener } from '../../src/http/index.js';
import { exchange, type Answer } from '../kit/exchange.js';
import { startHouse, testSchema, type DatabaseName, type TestHouse } from '../kit/house.js';

const soon = { after: 1, most: 1_000, room: 1_000_000, share: 1 };
const never = { after: Infinity, most: 1, room: 0, share: 1 };

export const requestId = 'the-same-for-all';

export interface Served {
  readonly url: string;
  readonly log: readonly string[];
}

export interface TwoWays {
  readonly preparing: TestHouse;
  readonly plain: Served;
  readonly stop: () => Promise<void>;
}

export async function startTwoWays(database: DatabaseName): Promise<TwoWays> {
  const preparing = await startHouse({ database, preparation: soon });
  const log: string[] = [];
  const listener = await openListener({
    iam: preparing.iam,
    schema: testSchema(),
    preparation: never,
    log: { level: 'debug', stream: { write: (line) => void log.push(line) } },
  });
  const plain = { url: `${await listener.listen('127.0.0.1', 0)}/graphql`, log };
  return { preparing, plain, stop: () => listener.stop(5) };
}

export function send(house: Served, token: string | null, body: object, more: readonly string[] = []): Promise<Answer> {
  const authorization = token === null ? [] : ['authorization', `Bearer ${token}`];
  const headers = ['content-type', 'application/json', 'x-request-id', requestId, ...authorization, ...more];
  return exchange(house.url, { headers, body: JSON.stringify(body) });
}

/** What of an answer everybody sees. */
export function seen({ status, headers: { date: _date, ...headers }, text }: Answer): object {
  return { status, headers, text };
}

/** Whether each operation that was tried as a prepared one was answered so. */
export function watch(): { readonly answers: () => readonly boolean[] } {
  const answered: Promise<boolean>[] = [];
  const results: boolean[] = [];
  const answer = Object.getOwnPropertyDescriptor(PreparedOperation.prototype, 'answer')
    ?.value as PreparedOperation['answer'];
  vi.spyOn(PreparedOperation.prototype, 'answer').mockImplementation(function (this: PreparedOperation, ...args) {
    const result = answer.apply(this, args);
    answered.push(result.then((text) => results.push(text !== null) > 0));
    return result;
  });
  return { answers: () => results };
}
