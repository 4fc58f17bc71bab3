/**
 * The start-up proof on the real schema: with any one directive taken away or mistyped, the server does not start. The
 * directives are found in the printed SDL, so that each one there is tried. Faults that the proof tells by the name of the
 * field are made all at once: it tells all of them, and reads the whole schema each time.
 */
import { buildASTSchema, buildSchema, Kind, parse, visit, type ASTNode } from 'graphql';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
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
const coordinates = coordinatesOf(sdl);
const usages = [...sdl.matchAll(usage)]
  // The definitions themselves begin a line.
  .filter(({ index }) => sdl.lastIndexOf('\ndirective', index) < sdl.lastIndexOf('\n', index - 1))
  .map((match) => ({ text: match[0], index: match.index, at: coordinates.get(match.index + 1) ?? '' }));

/** Of what bears a directive, by where the directive begins: `Query.users`, `User`. */
function coordinatesOf(text: string): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  for (const type of parse(text).definitions) {
    if (type.kind !== Kind.OBJECT_TYPE_DEFINITION) continue;
    for (const bearer of [type, ...(type.fields ?? [])]) {
      const at = bearer === type ? type.name.value : `${type.name.value}.${bearer.name.value}`;
      for (const { loc } of bearer.directives ?? []) if (loc !== undefined) found.set(loc.start, at);
    }
  }
  return found;
}

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

/** The SDL with these directives replaced. */
function replaced(found: readonly Usage[], by: (usage: Usage) => string): string {
  let text = '';
  let end = 0;
  for (const each of found) {
    text += sdl.slice(end, each.index) + by(each);
    end = each.index + each.text.length;
  }
  return text + sdl.slice(end);
}

type Usage = (typeof usages)[number];

it('the schema as it is can be proved and is the reviewed one', () => {
  expect(prove(sdl)).toEqual([]);
  expect(() => expectReviewed(testSchema(), readFileSync('schema/schema.graphql', 'utf8'))).not.toThrow();
});

it('every directive of the schema is found', () => {
  expect(usages.length).toBe((sdl.match(/(?<!^directive) @(permission|public)\(/gm) ?? []).length);
  expect(usages.length).toBeGreaterThan(80);
});

it('every directive stands on something that has a name', () => {
  expect(usages.filter(({ at }) => at === '')).toEqual([]);
});

/** Whose type may cover them, so that it shows against the reviewed schema alone that they bear none. */
const nested = usages.filter(({ at }) => at.includes('.') && !/^(Query|Mutation|Subscription)\./.test(at));
const others = usages.filter((each) => !nested.includes(each));

it.each(nested)('without the directive of $at the server does not start', (found) => {
  expect(prove(replaced([found], () => ''))).not.toEqual([]);
});

describe('the proof names', () => {
  let untold: readonly string[];
  let mistold: readonly string[];
  beforeAll(() => {
    untold = prove(replaced(others, () => ''));
    mistold = prove(replaced(usages, mistyped));
  });

  it.each(others)('$at without its directive', ({ at }) => {
    expect(untold.filter((problem) => problem.startsWith(`${at}: `))).not.toEqual([]);
  });

  it.each(usages)('$at with its directive mistyped', (found) => {
    expect(mistyped(found)).not.toBe(found.text);
    // Not only because it differs from the reviewed text: the proof itself names the mistake.
    expect(mistold.filter((problem) => problem.startsWith(`${found.at}: `))).not.toEqual([]);
  });
});

function mistyped({ text }: Usage): string {
  return text.includes('@permission')
    ? text.replace(/"([a-z]+:[A-Za-z]*:[A-Za-z]+)"/, '"$1x"')
    : text.replace('@public', '@publik');
}

it('with the name, an argument or the scope of a directive mistyped the server does not start', () => {
  const found = usages.find(({ text }) => text.includes('@permission'));
  if (found === undefined) throw new Error('the schema has no permission');
  for (const [from, to] of [
    ['@permission', '@permissions'],
    [/scope: "[A-Z]+"/, 'scope: "ANYWHERE"'],
    ['scope:', 'scopes:'],
    [/action: |anyOf: /, 'actions: '],
  ] as const) {
    const wrong = found.text.replace(from, to);
    expect(wrong).not.toBe(found.text);
    const problems = prove(replaced([found], () => wrong));
    expect(problems.filter((problem) => !problem.includes('npm run fix:schema'))).not.toEqual([]);
  }
});
