/** The kit itself: that a scene is one line each, and that a failure says all there is to know. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { databaseNames, startHouse } from './house.js';
import { setScene } from './scene.js';
import { translation } from './translated.js';

test('the program is translated for the tests as it is for `npm start`', () => {
  const { scripts } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    scripts: Record<'start' | 'build:program', string>;
  };
  const written = Object.entries(translation).map(([option, value]) => `--${option}=${value}`);
  expect(scripts['build:program'].split(' ')).toEqual(expect.arrayContaining(written));
  expect(scripts.start).toMatch(/^npm run --silent build:program && /);
});

describe.each(databaseNames)('a scene on %s', (database) => {
  test('is made over HTTP: an engineer is refused in one workspace and allowed in another', async () => {
    const house = await startHouse({ database });
    const scene = await setScene(house);
    const ann = await scene.user('ann', { groups: [await scene.group('engineers')] });
    const lab = await scene.workspace('lab-one');
    const reader = await scene.policy('list-notebooks', ['modelarts:notebook:list']);
    await scene.grant(reader, { user: ann.id }, { workspace: lab });

    const may = '{ viewer { permissions(actions: ["modelarts:notebook:list"]) { effect } } }';
    const inLab = await house.signIn(ann, { workspace: lab });
    const elsewhere = await house.signIn(ann);
    expect(await house.gql(inLab, may)).toEqual({ viewer: { permissions: [{ effect: 'ALLOW' }] } });
    expect(await house.gql(elsewhere, may)).toEqual({ viewer: { permissions: [{ effect: 'DENY' }] } });
  });
});

test('a failure prints the operation, the variables, the answer, the request id and what was logged', async () => {
  const house = await startHouse();
  const failure = house.gql('a.b.c', 'query Who { viewer { actor { name } } }', { unused: 'variable' });
  await expect(failure).rejects.toThrow(/HTTP 401, request [0-9a-f]{32}/);
  await expect(failure).rejects.toThrow(/query Who/);
  await expect(failure).rejects.toThrow(/variables: {"unused":"variable"}/);
  await expect(failure).rejects.toThrow(/answer: {"errors":\[{"message":"the token is not one of ours; sign in again"/);
  await expect(failure).rejects.toThrow(/log: {"level":30,.*"status":401/);
});

test('userErrors fail too', async () => {
  const house = await startHouse();
  const scene = await setScene(house);
  await scene.group('engineers');
  await expect(scene.group('engineers')).rejects.toThrow(/"code":"NAME_TAKEN"/);
});
