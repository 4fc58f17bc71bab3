/** Options of the bench and of the long runs: what is given, what is refused before anything starts, and what `--help` lists. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { choices, database, flag, number, readOptions, seed, text } from './options.js';

const options = {
  rounds: number('turns', 3),
  strikes: number('blows', null, { least: 0 }),
  rate: number('a second', 2.5, { least: 0.1, whole: false }),
  database: database('sqlite'),
  rows: choices('what', ['a', 'b', 'c']),
  tokens: text('a file', null),
  'no-heap': flag('leave the heap out'),
  seed: seed(1),
};

function read(...written: string[]): { values?: unknown; status?: unknown; told: string } {
  const told: string[] = [];
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((piece) => told.push(String(piece)) > 0);
  }
  const end = vi.spyOn(process, 'exit').mockImplementation(() => {
    throw new Error('ended');
  });
  try {
    return { values: readOptions('npm run it --', 'Does it.', options, written), told: told.join('') };
  } catch (error) {
    if (end.mock.calls.length === 0) throw error;
    return { status: end.mock.calls[0]?.[0], told: told.join('') };
  } finally {
    vi.restoreAllMocks();
  }
}

test('what is not given is as the help says', () => {
  expect(read().values).toEqual({
    rounds: 3,
    strikes: null,
    rate: 2.5,
    database: 'sqlite',
    rows: ['a', 'b', 'c'],
    tokens: null,
    'no-heap': false,
    seed: 1,
  });
});

test('what is given is read, with `=` and without', () => {
  const written = [
    '--rounds',
    '5',
    '--strikes=0',
    '--rate',
    '0.5',
    '--database=postgres',
    '--rows',
    'c, a',
    '--no-heap',
  ];
  expect(read(...written).values).toMatchObject({
    rounds: 5,
    strikes: 0,
    rate: 0.5,
    database: 'postgres',
    rows: ['a', 'c'],
    'no-heap': true,
  });
});

test.each([
  [['--rounds', '0'], 'Write a whole number from 1.'],
  [['--rounds', '1.5'], 'Write a whole number from 1.'],
  [['--rounds', ''], 'Write a whole number from 1.'],
  [['--rate', '0'], 'Write a number from 0.1.'],
  [['--seed', '-1'], 'Write a whole number from 0.'],
  [['--database', 'oracle'], 'Take one of sqlite, postgres.'],
  [['--rows', 'a,d'], 'There is no `d`; take of a, b, c.'],
  [['--rowz', 'a'], '(Did you mean --rows?)'],
  [['5'], 'too many arguments'],
])('%j is refused with status 2, which is not that of a run that found something', (written, reason) => {
  const { values, status, told } = read(...written);
  expect({ values, status }).toEqual({ values: undefined, status: 2 });
  expect(told).toContain(reason);
  expect(told).toContain('`--help` lists the options.');
});

test('`--help` lists every option with what it means and what is taken without it', () => {
  const { status, told } = read('--help');
  expect(status).toBe(0);
  for (const [name, { help }] of Object.entries(options)) expect(told).toMatch(new RegExp(`--${name} .*${help}`));
  expect(told).toContain('Usage: npm run it -- [options]');
  expect(told).toContain('(default: 3)');
  expect(told).toContain('(default: all)');
});

test('each command that reads options is named in its help as it is started', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  const files = ['bench', 'test'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file}`),
  );
  const named = files
    .filter((file) => file.endsWith('.ts') && !file.startsWith('test/kit/'))
    .flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/readOptions\(\s*'npm run ([\w:-]+) --'/g)])
    .map(([, script]) => script ?? '');
  expect(named.length).toBeGreaterThanOrEqual(16);
  expect(named.filter((script) => scripts[script] === undefined)).toEqual([]);
  expect(new Set(named).size).toBe(named.length);
});
