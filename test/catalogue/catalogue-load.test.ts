import { describe, expect, it } from 'vitest';
import type { ActionRow } from '../../src/catalogue/action-row.js';
import { buildCatalogue } from '../../src/catalogue/catalogue.js';
import { RowReader, readObject, readRows } from '../../src/catalogue/schema-file.js';

function row(name: string, more: Partial<ActionRow> = {}): ActionRow {
  const [service = '', resourceType = '', operation = ''] = name.split(':');
  return {
    name,
    service,
    resourceType,
    operation,
    accessLevel: 'READ',
    global: false,
    projectScope: true,
    enterpriseProjectScope: true,
    description: 'for this test',
    dependsOn: [],
    conditionKeys: [],
    aliasOf: null,
    legacy: false,
    origin: 'PLATFORM',
    ...more,
  };
}

const load = (...rows: ActionRow[]) => buildCatalogue({ rows, kinds: [], conditionKeys: [] });

describe('loading a catalogue stops at the row at fault', () => {
  it('loads what is sound', () => {
    expect(load(row('a:b:c'), row('a:b:d', { aliasOf: 'A:B:C', dependsOn: ['a:b:C'] })).namesOf('a:b:d')).toEqual([
      'a:b:c',
      'a:b:d',
    ]);
  });

  it.each([
    ['the same name twice', [row('a:b:c'), row('a:B:C')], '`a:B:C` stands in the catalogue twice'],
    ['an unknown dependency', [row('a:b:c', { dependsOn: ['a:b:x'] })], '`a:b:c` depends on `a:b:x`'],
    ['an unknown condition key', [row('a:b:c', { conditionKeys: ['a:K'] })], 'unknown key `a:K`'],
    ['an alias of nothing', [row('a:b:c', { aliasOf: 'a:b:x' })], 'alias of the unknown `a:b:x`'],
    [
      'an alias of an alias',
      [row('a:b:c'), row('a:b:d', { aliasOf: 'a:b:c' }), row('a:b:e', { aliasOf: 'a:b:d' })],
      '`a:b:e` is an alias of an alias',
    ],
    [
      'an alias that reaches farther than its canonical name',
      [row('a:b:c', { enterpriseProjectScope: false }), row('a:b:d', { aliasOf: 'a:b:c' })],
      '`a:b:d` and its canonical `a:b:c` disagree in their scopes',
    ],
    [
      'an alias on another level',
      [row('a:b:c', { global: true }), row('x:b:d', { aliasOf: 'a:b:c' })],
      '`x:b:d` and its canonical `a:b:c` disagree in their scopes',
    ],
    [
      'a service on two levels',
      [row('a:b:c'), row('a:b:d', { global: true })],
      '`a:b:d` stands on another level than the rest of `a`',
    ],
  ])('%s', (_, rows, message) => {
    expect(() => load(...rows)).toThrow(message);
  });
});

describe('reading the data files', () => {
  it('names the file that is missing or of the wrong shape', () => {
    expect(() => readRows('actions/none.json')).toThrow('schema/actions/none.json');
    expect(() => readRows('policies/built-in.json')).toThrow('expected an array');
    expect(() => readObject('policies/samples.json')).toThrow('expected an object');
  });

  it('names the row and the property that is not what it should be', () => {
    const read = new RowReader({ action: 7, level: 'Rad', flag: 'yes', list: ['a', 1] }, 'schema/x.json');
    expect(() => read.text('action')).toThrow('schema/x.json: expected `action` to be a string in {"action":7');
    expect(() => read.oneOf('level', ['Read', 'Write'])).toThrow('one of Read, Write');
    expect(() => read.flag('flag')).toThrow('`flag` to be a boolean');
    expect(() => read.texts('list')).toThrow('`list` to be an array of strings');
    expect(() => read.object('list')).toThrow('`list` to be an object');
    expect(read.flag('absent')).toBe(false);
    expect(read.texts('absent')).toEqual([]);
  });
});
