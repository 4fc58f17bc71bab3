/** What the README says to paste answers what the README shows, on a real server. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { startHouse } from '../kit/house.js';

const readme = readFileSync('README.md', 'utf8');

/** Commands that are followed by the answer they get. */
const shown = [...readme.matchAll(/```sh\n(curl [^`]+)```\s+```json\n([^`]*(?:`[^`]+`[^`]*)*)```/g)].map(
  ([, command = '', answer = '']) => ({ command, answer }),
);

/** Every request has an id of its own. */
const withoutRequestIds = (text: string): unknown =>
  JSON.parse(text, (name, value: unknown) => (name === 'requestId' ? 'any' : value));

it('the README shows a request that is refused and one that is allowed', () => {
  expect(shown).toHaveLength(2);
  expect(shown[0]?.answer).toContain('"code"');
  expect(shown[1]?.answer).not.toContain('"errors"');
});

it('its requests answer what it shows', async () => {
  const house = await startHouse();
  const TOKEN = await house.signIn(house.root);
  for (const { command, answer } of shown) {
    const here = command.replace('http://127.0.0.1:4000/graphql', house.url);
    expect(here).toContain(house.url);
    const env = { ...process.env, TOKEN, no_proxy: '127.0.0.1' };
    const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', here], { env });
    expect(withoutRequestIds(stdout)).toEqual(withoutRequestIds(answer));
  }
});
