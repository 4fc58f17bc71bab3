import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { actionNames, platformCatalogue, type ActionName } from '../../src/catalogue/index.js';
import { actionNamesText } from '../../src/catalogue/generate.js';

it('stands as the generator would write it', () => {
  const written = readFileSync(new URL('../../src/catalogue/action-names.ts', import.meta.url), 'utf8');
  expect(written).toBe(actionNamesText());
});

it('names every row of the catalogue', () => {
  expect([...actionNames]).toEqual(platformCatalogue.rows.map((row) => row.name));
});

it('lets the compiler refuse a name that does not exist', () => {
  // @ts-expect-error: a slip of the pen in a directive must not compile
  const slip: ActionName = 'modelarts:notebok:create';
  expect(platformCatalogue.find(slip)).toBeUndefined();
});
