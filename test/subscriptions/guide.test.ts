/** What the guide tells authors of frontends works as it stands there. */
import { readFile } from 'node:fs/promises';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { expect, it, vi } from 'vitest';
import { startHouse } from '../kit/house.js';

it('shows and hides what may be done, by the lines of the guide', async () => {
  const house = await startHouse();
  const guide = await readFile('docs/guide.md', 'utf8');
  const [, example = ''] = /```js\n(import \{ createClient \}[\s\S]*?)```/.exec(guide) ?? [];
  const body = example
    .replace(/^import .*$/m, '')
    .replace('ws://127.0.0.1:4000/graphql', house.url.replace('http', 'ws'))
    .replace('createClient({', 'createClient({ retryAttempts: 0,');
  expect(body).toContain(house.url.replace('http', 'ws'));
  vi.stubGlobal('WebSocket', WebSocket);
  const shown: [string, boolean][] = [];
  const enough = new Error('seen enough');
  const show = (action: string, allowed: boolean): void => {
    shown.push([action, allowed]);
    if (shown.length === 2) throw enough;
  };
  const currentToken = () => house.signIn(house.root);
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  const run = new Function('createClient', 'currentToken', 'show', `return (async () => {${body}})();`) as (
    ...given: readonly unknown[]
  ) => Promise<void>;
  await expect(run(createClient, currentToken, show)).rejects.toBe(enough);
  expect(shown).toEqual([
    ['modelarts:notebook:create', true],
    ['modelarts:notebook:delete', true],
  ]);
});
