import { describe, expect, it } from 'vitest';
import { matchesActionPattern, matchesResourcePattern } from '../../src/policy/index.js';
import { readTable } from './table.js';

interface ActionRow {
  sentence: string;
  pattern: string;
  action: string;
  matches: boolean;
}
interface ResourceRow {
  sentence: string;
  pattern: string;
  resource: string;
  matches: boolean;
}

describe('action patterns', () => {
  it.each(readTable<ActionRow>('action-patterns.json'))('$sentence', ({ pattern, action, matches }) => {
    expect(matchesActionPattern(pattern, action)).toBe(matches);
  });
});

describe('resource patterns', () => {
  it.each(readTable<ResourceRow>('resource-patterns.json'))('$sentence', ({ pattern, resource, matches }) => {
    expect(matchesResourcePattern(pattern, resource)).toBe(matches);
  });
});

it('many stars are not tried in every combination', () => {
  const pattern = `a:b:${'*a'.repeat(200)}b`;
  const started = performance.now();
  expect(matchesActionPattern(pattern, `a:b:${'a'.repeat(5000)}`)).toBe(false);
  expect(performance.now() - started).toBeLessThan(15_000);
});
