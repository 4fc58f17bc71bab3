import { describe, expect, it } from 'vitest';
import { platformCatalogue as catalogue } from '../../src/catalogue/index.js';
import { readTable } from './table.js';

describe('the nearest known action', () => {
  const cases = readTable<{ sentence: string; asked: string; suggested: string | null }>('suggestions.json');
  it.each(cases)('$sentence: $asked', ({ asked, suggested }) => {
    expect(catalogue.suggest(asked)).toBe(suggested);
  });

  it('is itself something that can be named', () => {
    for (const row of catalogue.rows) {
      const suggested = catalogue.suggest(`${row.name}x`);
      if (suggested !== null) expect(catalogue.matching(suggested), row.name).not.toEqual([]);
    }
  });

  it('is found in good time for the most hostile pattern a policy can carry', () => {
    const hostile = `${'*a'.repeat(20)}:${'*a'.repeat(20)}:${'*a'.repeat(22)}`;
    const started = performance.now();
    for (let i = 0; i < 48; i += 1) catalogue.suggest(hostile);
    expect(performance.now() - started).toBeLessThan(3000);
  });
});

describe('the nearest known kind and key', () => {
  it('is found by whole name', () => {
    expect(catalogue.suggestKind('modelarts:notebok')).toBe('modelarts:notebook');
    expect(catalogue.suggestKind('zzz')).toBeNull();
    expect(catalogue.suggestConditionKey('g:MFAPresnt')).toBe('g:MFAPresent');
  });
});
