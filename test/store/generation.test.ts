import { afterAll, describe, expect, it } from 'vitest';
import { commandLineSource, openStore } from '../../src/store/index.js';
import { databases } from './databases.js';

describe.each(Object.values(databases()))('a database of a newer program on $name', (database) => {
  afterAll(() => database.stop());

  it('is refused with what to do, and left as it is', async () => {
    const url = await database.freshUrl();
    await (await openStore(url)).close();
    const source = commandLineSource(url);
    await source.initialize();
    await source.query(
      `INSERT INTO "migrations" ("timestamp", "name") VALUES (9999999999999, 'FromTheFuture9999999999999')`,
    );
    await source.destroy();
    await expect(openStore(url)).rejects.toThrow(
      /newer version of bailiwick \(migration FromTheFuture9999999999999\); start that version/,
    );
  });
});
