/** Tags of resources in the form in which lists look for them. */
import { TableColumn, type MigrationInterface, type QueryRunner } from 'typeorm';
import { checkForeignKeys, optional, text } from './notation.js';

interface Found {
  readonly account_id: string;
  readonly id: string;
  readonly tags: string;
}

/** Rows that are read and written at once. */
const most = 1_000;

export class TagsOfResources1764780000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const isSqlite = runner.connection.options.type === 'sqlite';
    const required = { ...text('tags_key'), ...(isSqlite ? {} : { collation: 'C' }) };
    const column = new TableColumn(optional(required));
    await runner.addColumn('resources', column);
    // Rows that are there need a value before the column can demand one.
    await runner.query(`UPDATE "resources" SET "tags_key" = '' WHERE "tags" = '[]'`);
    const places = isSqlite ? ['?', '?'] : ['$1', '$2'];
    for (let last: readonly string[] = ['', '']; ;) {
      const rows = (await runner.query(
        `SELECT "account_id", "id", "tags" FROM "resources"
          WHERE ("account_id", "id") > (${places.join(', ')}) AND "tags" <> '[]'
          ORDER BY "account_id", "id" LIMIT ${most}`,
        [...last],
      )) as readonly Found[];
      const written = rows.map(({ account_id: account, id, tags }) => [account, id, linesOf(tags)]);
      await runner.query(isSqlite ? fillSqlite : fillPostgres, [JSON.stringify(written)]);
      const end = rows.at(-1);
      if (end === undefined || rows.length < most) break;
      last = [end.account_id, end.id];
    }
    await runner.changeColumn('resources', column, new TableColumn(required));
    await checkForeignKeys(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropColumn('resources', 'tags_key');
  }
}

const fillSqlite = `UPDATE "resources" SET "tags_key" = json_extract(given.value, '$[2]') FROM json_each(?) given
  WHERE "resources"."account_id" = json_extract(given.value, '$[0]')
    AND "resources"."id" = json_extract(given.value, '$[1]')`;
const fillPostgres = `UPDATE "resources" SET "tags_key" = given->>2 FROM jsonb_array_elements($1::jsonb) given
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
