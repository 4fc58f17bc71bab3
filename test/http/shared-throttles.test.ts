/** Two servers on one PostgreSQL database: who failed at one has less left at the other. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { post } from '../kit/exchange.js';
import { startHouse, type TestHouse } from '../kit/house.js';

const limit = 30;
const throttle = { points: 1_000_000, strangers: 100_000, failedSignIns: limit };

async function guess({ url, root }: TestHouse): Promise<number> {
  const answer = await post(url, null, {
    query: 'mutation M($input: SignInInput!) { signIn(input: $input) { token userErrors { code } } }',
    variables: { input: { account: root.account, userName: 'nobody', password: 'Wrong-password-1' } },
  });
  return answer.status;
}

it('failed sign-ins of an address count at every server', async () => {
  const here = await startHouse({ database: 'postgres', throttle });
  const there = await startHouse({ beside: here, throttle });
  for (let made = 0; made < limit - 5; made += 5) {
    expect(await Promise.all(Array.from({ length: 5 }, () => guess(here)))).toEqual([200, 200, 200, 200, 200]);
  }
  // The first one makes the server look what the others have counted.
  expect(await guess(there)).toBe(200);
  await pause(3_000);
  let passed = 1;
  while (passed < limit && (await guess(there)) === 200) passed += 1;
  // By itself it would have let thirty through.
  expect(passed).toBeLessThan(limit - 8);
});
