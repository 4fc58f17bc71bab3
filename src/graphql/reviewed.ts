/**
 * The schema that is served is the one that was reviewed: schema/schema.graphql, as committed. A directive that was
 * taken off a nested field leaves a schema that can still be proved, because its type covers it; this is where that
 * shows. Whoever means the change writes the file anew and has it reviewed.
 */
import type { GraphQLSchema } from 'graphql';
import { SchemaNotGuarded } from './proof.js';
import { printGuardedSchema } from './schema.js';

/** Throws `SchemaNotGuarded` when the two differ, with the first line that does. `reviewed`: text of the committed file. */
export function expectReviewed(schema: GraphQLSchema, reviewed: string): void {
  const served = withoutHeader(printGuardedSchema(schema)).split('\n');
  const committed = withoutHeader(reviewed).split('\n');
  const at = served.findIndex((line, index) => line !== committed[index]);
  if (at < 0 && served.length === committed.length) return;
  const index = at < 0 ? served.length : at;
  throw new SchemaNotGuarded([
    `the schema differs from the reviewed one in schema/schema.graphql: it has \`${(served[index] ?? 'nothing more').trim()}\` where \`${(committed[index] ?? 'nothing more').trim()}\` was reviewed; run \`npm run fix:schema\` and review the change`,
  ]);
}

/** The file begins with a note that it is generated. */
function withoutHeader(text: string): string {
  return text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .trim();
}
