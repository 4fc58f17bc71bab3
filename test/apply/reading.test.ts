/** What files say, and where they are wrong: a table of texts, and how files of a folder become pieces. */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readDocuments, type Wanted, type WantedGroup, type WantedPolicy } from '../../src/apply/index.js';
import table from './documents.json' with { type: 'json' };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bailiwick-apply-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Row {
  readonly name: string;
  readonly text: string;
  readonly format?: string;
  readonly wanted?: readonly object[];
  readonly problems?: readonly string[];
}

let files = 0;

async function place(name: string, content: string | Uint8Array): Promise<string> {
  files += 1;
  const inner = join(folder, String(files));
  await mkdir(inner);
  await writeFile(join(inner, name), content);
  return inner;
}

/** As the table has it: the line instead of the whole place, and nothing that is only for problems. */
function told({ place: { line }, lines: _lines, ...said }: Wanted): object {
  if (said.kind !== 'Policy') return { ...said, line };
  const { locate: _locate, ...policy } = said;
  return { ...policy, line };
}

describe('a text', () => {
  test.each(table as readonly Row[])('$name', async ({ text, format, wanted = [], problems = [] }) => {
    const path = await place(format === 'JSON' ? 'a.json' : 'a.yaml', text);
    const reading = await readDocuments(path);
    const found = reading.problems.map(({ place, message }) => `${place?.line}:${place?.column} ${message}`);
    // What a parser says of itself is longer than what matters.
    expect(found.map((line, index) => line.slice(0, problems[index]?.length ?? line.length))).toEqual(problems);
    if (problems.length === 0) expect(reading.wanted.map(told)).toEqual(wanted);
    expect(reading.problems.every(({ place }) => place?.file.startsWith(path))).toBe(true);
  });
});

describe('files of a folder', () => {
  test('are read in the order of their names, with those of folders in it, and nothing else', async () => {
    const path = await place('b.yml', 'kind: Group\nname: b\n');
    await mkdir(join(path, 'c'));
    await mkdir(join(path, '.git'));
    await writeFile(join(path, 'a.jsonl'), '{"kind":"Group","name":"a1"}\n\n{"kind":"Group","name":"a2"}\r\n');
    await writeFile(join(path, 'c', 'c.json'), '{"kind":"Group","name":"c"}');
    await writeFile(join(path, '.git', 'd.yaml'), 'kind: Group\nname: d\n');
    await writeFile(join(path, 'README.md'), 'kind: none');
    await symlink(join(path, 'c'), join(path, 'd'));
    await symlink(path, join(path, 'c', 'round'));
    const { wanted, problems } = await readDocuments(path);
    expect(problems).toEqual([]);
    expect(wanted.map((group) => [told(group), group.place.line])).toMatchObject(
      ['a1', 'a2', 'b', 'c', 'c'].map((name) => [{ name }, name === 'a2' ? 3 : 1]),
    );
  });

  test('can be one file, with ends of line of either kind', async () => {
    const path = await place('users.yaml', 'kind: User\r\nname: a\r\n---\r\nkind: User\r\nname: 1\r\n');
    const { wanted, problems } = await readDocuments(join(path, 'users.yaml'));
    expect(wanted.map(told)).toMatchObject([{ name: 'a' }]);
    expect(problems).toMatchObject([{ place: { line: 5, column: 7 } }]);
  });

  test('are read whatever case their endings are in', async () => {
    const path = await place('a.YAML', 'kind: Group\nname: a\n');
    await writeFile(join(path, 'b.Yml'), 'kind: Group\nname: b\n');
    await writeFile(join(path, 'c.JSON'), '[{"kind":"Group","name":"c"}]');
    await writeFile(join(path, 'd.JsonL'), '{"kind":"Group","name":"d1"}\n{"kind":"Group","name":"d2"}\n');
    const { wanted, problems } = await readDocuments(path);
    expect([problems, wanted.map(told)]).toMatchObject([[], ['a', 'b', 'c', 'd1', 'd2'].map((name) => ({ name }))]);
  });

  test('that are none are told with their own paths, and the others are read', async () => {
    const path = await place('z.yaml', 'kind: Group\nnames: z\n');
    await mkdir(join(path, 'inner'));
    await symlink(join(path, 'nowhere'), join(path, 'inner', 'dangling'));
    await symlink('round.yaml', join(path, 'inner', 'round.yaml'));
    execFileSync('mkfifo', [join(path, 'pipe.json'), join(path, 'pipe')]);
    const { problems } = await readDocuments(path);
    expect(problems.map(({ place, message }) => [place?.file, message])).toEqual([
      [join(path, 'inner', 'dangling'), 'the link leads nowhere; mend it or take it out of the folder'],
      [join(path, 'inner', 'round.yaml'), 'this cannot be read: ELOOP'],
      [join(path, 'pipe.json'), 'this is no regular file; take it out of the folder'],
      [join(path, 'z.yaml'), 'a Group needs the field `name`'],
      [join(path, 'z.yaml'), expect.stringMatching('has no field `names`')],
    ]);
    const alone = join(path, 'pipe');
    expect((await readDocuments(alone)).problems).toEqual([
      { place: { file: alone, line: 1, column: 1 }, message: 'this is no regular file' },
    ]);
  });

  test.each([
    ['a.yaml', 2, 'the document is longer than 64 MiB; split it'],
    ['a.json', 1, 'the file is longer than 64 MiB; split it, or write it as JSON Lines'],
    ['a.jsonl', 2, 'the line is longer than 64 MiB; split it'],
  ])('that are too long are refused before they are read to their end: %s', async (name, line, message) => {
    const head = name === 'a.yaml' ? 'kind: Group\n' : name === 'a.json' ? '' : '{"kind":"Group","name":"g"}\n';
    const path = await place(name, `${head}${' '.repeat(90_000_000)}`);
    const begun = performance.now();
    expect((await readDocuments(path)).problems).toMatchObject([{ place: { line }, message }]);
    expect(performance.now() - begun).toBeLessThan(3_000);
  });

  test('are the same however their bytes come', async () => {
    // Longer than what is read at once, with characters and ends of line across its borders.
    const texts = [1, 2, 3, 4, 5].map((size) => '€'.repeat(size * 87_381 + size));
    const path = await place(
      'a.yaml',
      `\ufeff${texts.map((text) => `kind: Group\nname: g\ndescription: ${text}`).join('\n---\n')}`,
    );
    const { wanted, problems } = await readDocuments(path);
    expect(problems).toEqual([]);
    expect(wanted.map((group) => (group as WantedGroup).description === texts.shift())).toEqual(Array(5).fill(true));
    expect(wanted.map(({ place: { line } }) => line)).toEqual([1, 5, 9, 13, 17]);
  });

  test.each([
    ['a.yaml', (depth: number) => `kind: Policy\nname: p\ndocument: {a: ${'['.repeat(depth)}${']'.repeat(depth)}}\n`],
    ['a.yaml', (depth: number) => `kind: Policy\nname: p\ndocument:\n a:\n  ${'- '.repeat(depth)}b\n`],
    [
      'a.json',
      (depth: number) => `[{"kind":"Policy","name":"p","document":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}]`,
    ],
  ])('may be nested, and too deep is refused in words: %s, %#', async (name, textOf) => {
    expect((await readDocuments(await place(name, textOf(90)))).problems).toEqual([]);
    for (const depth of [110, 1_000, 20_000]) {
      expect((await readDocuments(await place(name, textOf(depth)))).problems).toMatchObject([
        { message: 'the document is nested deeper than 100 levels; no object needs as many' },
      ]);
    }
  });

  test('must be UTF-8', async () => {
    const path = await place('a.yaml', Uint8Array.of(0x6b, 0xff, 0x0a));
    expect((await readDocuments(path)).problems).toMatchObject([
      { message: 'the file is not UTF-8; save it in that encoding', place: { line: 1 } },
    ]);
  });

  test('tell no more than a screen can hold', async () => {
    const path = await place('a.yaml', 'kind: User\n---\n'.repeat(500));
    expect((await readDocuments(path)).problems).toHaveLength(100);
  });
});

describe('a place in the document of a policy', () => {
  test.each([
    ['a value', 'document:\n  Version: "1.1"\n  Statement:\n    - Effect: Allow\n      Action: [a:b:c, d]\n', 7, 23],
    [
      'a text of lines',
      'document: |\n  {"Version": "1.1",\n  "Statement": [{"Effect": "Allow", "Action": ["a:b:c", "d"]}]}\n',
      5,
      1,
    ],
    ['a text of one line', 'document: "{}"\n', 3, 11],
  ])('is the line of the file: %s', async (_, text, line, column) => {
    const path = await place('a.yaml', `kind: Policy\nname: p\n${text}`);
    const [policy] = (await readDocuments(path)).wanted;
    const { line: at, column: across } = (policy as WantedPolicy).locate('/Statement/0/Action/1', 2);
    expect([at, across]).toEqual([line, column]);
  });
});
