/** The schema that operations are read against, with what its directives declare: this API's, or another service's. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { buildSchema, GraphQLError, type GraphQLSchema } from 'graphql';
import { declaredByRules, plainId, readRules, type DeclaredPermissions } from '../graphql/index.js';
import { permissionTypeDefs, readRules as readServiceRules, SchemaNotGuarded } from '../sdk/directives.js';
import type { DocumentProblem } from './operation-files.js';

export interface GuardedSchema {
  readonly schema: GraphQLSchema;
  readonly declared: DeclaredPermissions;
  /** What the text of an id stands for. */
  readonly plain: (text: string) => string;
}

const packaged = fileURLToPath(new URL('../../schema/schema.graphql', import.meta.url));

/** @param file null for the schema of this version */
export async function readGuardedSchema(file: string | null): Promise<GuardedSchema | readonly DocumentProblem[]> {
  const path = file ?? packaged;
  const problem = (message: string, line: number | null = null, column: number | null = null): DocumentProblem => ({
    file: path,
    line,
    column,
    code: 'UNREADABLE',
    message,
  });
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
    return [problem(`the schema cannot be read: ${reason}`)];
  }
  let schema: GraphQLSchema;
  try {
    // The SDK keeps the definitions of its directives apart from the SDL that uses them.
    schema = buildSchema(/\bdirective\s+@permission\b/.test(text) ? text : `${text}\n${permissionTypeDefs}`);
  } catch (error) {
    if (error instanceof GraphQLError) {
      const [place] = error.locations ?? [];
      return [problem(`the schema cannot be read: ${error.message}`, place?.line ?? null, place?.column ?? null)];
    }
    const message = error instanceof Error ? error.message : String(error);
    return message.split('\n\n').map((fault) => problem(`the schema cannot be read: ${fault}`));
  }
  const ownForm = schema.getDirective('permission')?.args.some(({ name }) => name === 'scope') === true;
  if (ownForm) {
    const rules = readRules(schema);
    if (rules.problems.length > 0) return rules.problems.map((fault) => problem(fault));
    return { schema, declared: declaredByRules(rules), plain: plainId };
  }
  try {
    return { schema, declared: declaredByService(schema), plain: (id) => id };
  } catch (error) {
    if (!(error instanceof SchemaNotGuarded)) throw error;
    return error.problems.map((fault) => problem(fault));
  }
}

/** The SDK asks in the scope of the caller's own credential, whichever that is. */
function declaredByService(schema: GraphQLSchema): DeclaredPermissions {
  const { fields, types } = readServiceRules(schema);
  const roots = new Set(
    [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].map((type) => type?.name),
  );
  const inAnyScope = [...fields].map(([at, rule]) => [at, { ...rule, scope: 'ANY' as const }] as const);
  const isRoot = (at: string): boolean => roots.has(at.slice(0, at.indexOf('.')));
  return {
    roots: new Map(inAnyScope.filter(([at]) => isRoot(at))),
    fields: new Map(inAnyScope.filter(([at]) => !isRoot(at))),
    types: new Map([...types].map(([at, rule]) => [at, { ...rule, scope: 'ANY' as const }])),
    customs: false,
  };
}
