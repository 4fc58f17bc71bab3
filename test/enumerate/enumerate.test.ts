import { afterAll, describe, expect, it } from 'vitest';
import { databases } from '../store/databases.js';
import { compareWorld } from './worlds.js';

const seed = Number(process.env['ENUMERATE_SEED'] ?? Date.now() & 0x7fffffff);
process.stderr.write(`generated worlds: ENUMERATE_SEED=${seed}\n`);

describe.each(Object.values(databases()))('lists of access on $name', (database) => {
  afterAll(() => database.stop());

  it('say what deciding for everybody says', { timeout: 120_000 }, async () => {
    for (let i = 0; i < 3; i++) expect(await compareWorld(await database.freshUrl(), seed + i)).toEqual([]);
  });
});
