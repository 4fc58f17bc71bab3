/** What is told of a change whose request met an outage: that it was made where it was, and that it was not where it was not. */
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { Unavailable, type Store } from '../../src/iam/index.js';
import { errorsOf, exchange, type Answer } from '../kit/exchange.js';
import { startHouse, type TestHouse } from '../kit/house.js';

const makeGroup = 'mutation ($name: String!) { createGroup(input: { name: $name }) { group { name } } }';
const changePassword =
  'mutation ($now: String!) { changePassword(input: { currentPassword: $now, newPassword: "Another one 1" }) { revision } }';
const signIn = 'mutation ($input: SignInInput!) { signIn(input: $input) { token } }';

let house: TestHouse;
let token: string;

beforeAll(async () => {
  house = await startHouse();
  token = await house.signIn(house.root, 'account');
});
afterEach(() => vi.restoreAllMocks());

function send(query: string, variables: object, credential: string | null = token): Promise<Answer> {
  const authorization = credential === null ? [] : ['authorization', `Bearer ${credential}`];
  const headers = ['content-type', 'application/json', 'x-request-id', 'chosen-by-callers', ...authorization];
  return exchange(house.url, { headers, body: JSON.stringify({ query, variables }) });
}

const away = (): Promise<never> => Promise.reject(new Unavailable('the database does not answer just now'));

/** Has transactions of this operation meet what `outage` answers; nothing where it answers at all. */
function interrupt(operation: string, outage: () => Promise<void>): void {
  const { store } = house.iam;
  const transaction: Store['transaction'] = store.transaction.bind(store);
  vi.spyOn(store, 'transaction').mockImplementation(async (origin, work) => {
    if (origin.operation === operation) await outage();
    return transaction(origin, work);
  });
}

/** Once this operation is committed, nothing can be read any more. */
function loseAfter(operation: string): void {
  const { store, calls } = house.iam;
  const transaction: Store['transaction'] = store.transaction.bind(store);
  vi.spyOn(store, 'transaction').mockImplementation(async (origin, work) => {
    const committed = await transaction(origin, work);
    if (origin.operation === operation) {
      vi.spyOn(calls, 'open').mockImplementation(away);
      vi.spyOn(calls, 'openSession').mockImplementation(away);
    }
    return committed;
  });
}

const codes = (answer: Answer) => errorsOf(answer).map(({ extensions }) => extensions.code);

describe('a change that was not made is said to be unavailable', () => {
  test('though another request with the same id made one meanwhile', async () => {
    let fail = (): void => undefined;
    const failed = new Promise<void>((resolve) => (fail = resolve));
    let waiting = 0;
    const began = new Promise<void>((resolve) => {
      interrupt('createGroup', async () => {
        waiting += 1;
        // The first has no luck.
        if (waiting > 1) return;
        resolve();
        await failed;
        await away();
      });
    });
    const unlucky = send(makeGroup, { name: 'never' });
    await began;
    expect((await send(makeGroup, { name: 'made' })).data).toMatchObject({ createGroup: { group: { name: 'made' } } });
    fail();
    const answer = await unlucky;
    expect(codes(answer)).toEqual(['UNAVAILABLE']);
    expect(answer.headers['retry-after']).toBe('5');
  });

  test('though the proof that it asks for was written down', async () => {
    const wrong = await send(changePassword, { now: 'a wrong one' });
    expect(wrong.data).toEqual({ changePassword: { revision: null } });
    interrupt('changePassword', away);
    const answer = await send(changePassword, { now: house.root.password });
    expect(codes(answer)).toEqual(['UNAVAILABLE']);
    expect(await house.signIn(house.root)).not.toBe('');
  });
});

describe('a change that was made and cannot be read any more is said to have been made', () => {
  test.each([
    ['a group', 'createGroup', () => send(makeGroup, { name: 'kept' })],
    [
      'a session',
      'signIn',
      () => {
        const { account, name: userName, password } = house.root;
        return send(signIn, { input: { account, userName, password } }, null);
      },
    ],
  ])('%s', async (_, operation, ask) => {
    loseAfter(operation);
    const answer = await ask();
    expect(codes(answer)).toEqual(['OUTCOME_UNKNOWN']);
    expect(answer.headers['retry-after']).toBeUndefined();
  });
});
