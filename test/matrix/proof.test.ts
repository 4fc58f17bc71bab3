/**
 * The start-up proof on the real schema: with any one directive taken away or mistyped, the server does not start. The
 * directives are found in the printed SDL, so that each one there is tried.
 */
import { buildASTSchema, buildSchema, parse, visit, type ASTNode } from 'graphql';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { expectReviewed, printGuardedSchema, SchemaNotGuarded } from '../../src/graphql/index.js';
import { proveSchema } from '../../src/graphql/proof.js';
import { testSchema } from '../kit/house.js';

/** Without descriptions, which are most of it and which no rule reads: each proof prints and reads the whole schema. */
const undescribed = visit(parse(printGuardedSchema(testSchema())), {
  enter: (node: ASTNode) => ('description' in node ? { ...node, description: undefined } : undefined),
});
const sdl = printGuardedSchema(buildASTSchema(undescribed));
const usage = / @(permission|public)\((?:[^()"]|"(?:[^"\\]|\\.)*")*\)/g;
const usages = [...sdl.matchAll(usage)]
  // The definitions themselves begin a line.
  .filter(({ index }) => sdl.lastIndexOf('\ndirective', index) < sdl.lastIndexOf('\n', index - 1))
  .map((match) => ({
    text: match[0],
    index: match.index,
    line: sdl.slice(sdl.lastIndexOf('\n', match.index), match.index).trim(),
  }));

function prove(text: string): readonly string[] {
  try {
    const schema = buildSchema(text, { assumeValidSDL: true });
    proveSchema(schema, platformCatalogue);
    expectReviewed(schema, sdl);
    return [];
  } catch (error) {
    if (error instanceof SchemaNotGuarded) return error.problems;
    throw error;
  }
}

function replaced({ text, index }: (typeof usages)[number], by: string): string {
  return sdl.slice(0, index) + by + sdl.slice(index + text.length);
}

it('the schema as it is can be proved and is the reviewed one', () => {
  expect(prove(sdl)).toEqual([]);
  expect(() => expectReviewed(testSchema(), readFileSync('schema/schema.graphql', 'utf8'))).not.toThrow();
});

it('every directive of the schema is found', () => {
  expect(usages.length).toBe((sdl.match(/(?<!^directive) @(permission|public)\(/gm) ?? []).length);
  expect(usages.length).toBeGreaterThan(80);
});

it.each(usages)('without the directive of `$line` the server does not start', (found) => {
  expect(prove(replaced(found, ''))).not.toEqual([]);
});

it.each(usages)('with the directive of `$line` mistyped the server does not start', (found) => {
  const isPermission = found.text.includes('@permission');
  const mistyped = isPermission
    ? found.text.replace(/"([a-z]+:[A-Za-z]*:[A-Za-z]+)"/, '"$1x"')
    : found.text.replace('@public', '@publik');
  expect(mistyped).not.toBe(found.text);
  const problems = prove(replaced(found, mistyped));
  // Not only because it differs from the reviewed text: the proof itself names the mistake.
  expect(problems.filter((problem) => !problem.includes('npm run fix:schema'))).not.toEqual([]);
});

it('with the name, an argument or the scope of a directive mistyped the server does not start', () => {
  const found = usages.find(({ text }) => text.includes('@permission'));
  if (found === undefined) throw new Error('the schema has no permission');
  for (const [from, to] of [
    ['@permission', '@permissions'],
    [/scope: "[A-Z]+"/, 'scope: "ANYWHERE"'],
    ['scope:', 'scopes:'],
    [/action: |anyOf: /, 'actions: '],
  ] as const) {
    const mistyped = found.text.replace(from, to);
    expect(mistyped).not.toBe(found.text);
    const problems = prove(replaced(found, mistyped));
    expect(problems.filter((problem) => !problem.includes('npm run fix:schema'))).not.toEqual([]);
  }
});
