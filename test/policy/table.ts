/** Truth tables are JSON files beside the tests, one English sentence to a row. */
import { readFileSync } from 'node:fs';

export function readTable<Row extends { sentence: string }>(name: string): Row[] {
  const rows = JSON.parse(readFileSync(new URL(`tables/${name}`, import.meta.url), 'utf8')) as Row[];
  const sentences = new Set(rows.map(({ sentence }) => sentence));
  if (sentences.size !== rows.length) throw new Error(`two rows of ${name} have one sentence`);
  return rows;
}
