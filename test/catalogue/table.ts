/** Truth tables are JSON files beside the tests, an English sentence to each row. */
import { readFileSync } from 'node:fs';

export function readTable<T>(file: string): T[] {
  return JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as T[];
}
