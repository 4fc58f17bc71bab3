/**
 * Writes the API's schema to schema/schema.graphql, or with `--check` says whether the file is what the code makes.
 *
 *   tsx src/cli/emit-schema.ts [--check]
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { platformCatalogue } from '../catalogue/index.js';
import { buildGuardedSchema, printGuardedSchema, resolvers } from '../graphql/index.js';

const file = fileURLToPath(new URL('../../schema/schema.graphql', import.meta.url));

const header = '# GENERATED from src/graphql by `npm run fix:schema`, never edit.\n\n';

const text = header + printGuardedSchema(buildGuardedSchema({ resolvers, catalogue: platformCatalogue }));

if (process.argv.includes('--check')) {
  const kept = await readFile(file, 'utf8').catch(() => null);
  if (kept !== text) {
    console.error(
      `schema/schema.graphql is ${kept === null ? 'missing' : 'not what the code makes'}: npm run fix:schema`,
    );
    process.exitCode = 1;
  }
} else {
  await writeFile(file, text);
}
