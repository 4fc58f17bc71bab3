/** What files say, and where they are wrong: a table of texts, and how files of a folder become pieces. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readDocuments, type Wanted, type WantedPolicy } from '../../src/apply/index.js';
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
