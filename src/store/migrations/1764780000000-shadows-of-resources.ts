/** Tags and paths of resources in the form in which lists look for them. */
import { TableColumn, type MigrationInterface, type QueryRunner } from 'typeorm';
import { checkForeignKeys, optional, text } from './notation.js';

interface Found {
  readonly account_id: string;
  readonly id: string;
  readonly tags: string;
  readonly urn: string;
}

/** Rows that are read and written at once. */
const most = 1_000;

export class ShadowsOfResources1764780000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const isSqlite = runner.connection.options.type === 'sqlite';
    const collated = isSqlite ? {} : { collation: 'C' };
    const required = ['tags_key', 'urn_path'].map((name) => ({ ...text(name), ...collated }));
    const columns = required.map((column) => new TableColumn(optional(column)));
    await runner.addColumns('resources', columns);
    // Rows that are there need a value before the columns can demand one.
    const places = isSqlite ? ['?', '?'] : ['$1', '$2'];
    for (let last: readonly string[] = ['', '']; ;) {
      const rows = (await runner.query(
        `SELECT "account_id", "id", "tags", "urn" FROM "resources"
          WHERE ("account_id", "id") > (${places.join(', ')})
          ORDER BY "account_id", "id" LIMIT ${most}`,
        [...last],
      )) as readonly Found[];
      const written = rows.map(({ account_id: account, id, tags, urn }) => [
        account,
        id,
        linesOf(tags),
        urn.split(':').slice(4).join(':'),
      ]);
      await runner.query(isSqlite ? fillSqlite : fillPostgres, [JSON.stringify(written)]);
      const end = rows.at(-1);
      if (end === undefined || rows.length < most) break;
      last = [end.account_id, end.id];
    }
    const changes = columns.map((oldColumn, n) => {
      const column = required[n];
      if (column === undefined) throw new Error('a column has no form');
      return { oldColumn, newColumn: new TableColumn(column) };
    });
    await runner.changeColumns('resources', changes);
    await checkForeignKeys(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropColumns('resources', ['tags_key', 'urn_path']);
  }
}

const fillSqlite = `UPDATE "resources" SET "tags_key" = json_extract(given.value, '$[2]'),
  "urn_path" = json_extract(given.value, '$[3]') FROM json_each(?) given
  WHERE "resources"."account_id" = json_extract(given.value, '$[0]')
    AND "resources"."id" = json_extract(given.value, '$[1]')`;
const fillPostgres = `UPDATE "resources" SET "tags_key" = given->>2, "urn_path" = given->>3
  FROM jsonb_array_elements($1::jsonb) given
  WHERE "resources"."account_id" = given->>0 AND "resources"."id" = given->>1`;

/** A line for each tag that has a value, keys in lower case, the later of two in the place of the earlier. */
function linesOf(text: string): string {
  const prefix = 'g:resourcetag/';
  const tags = JSON.parse(text) as readonly { readonly key: string; readonly value: string }[];
  const facts = new Map<string, string>();
  for (const { key, value } of tags) {
    if (value !== '') facts.set(`${prefix}${key}`.toLowerCase().slice(prefix.length), value);
  }
  const lines = [...facts].map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  return lines.length === 0 ? '' : `\n${lines.sort().join('\n')}\n`;
}
