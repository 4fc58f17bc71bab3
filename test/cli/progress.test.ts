/** What whoever waits is told, on a terminal and in a log. */
import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { describeProgress, Progress } from '../../src/cli/progress.js';

test.each([
  ['what is not counted yet', [3_000, null, 2_000], 'reading: 3,000 (1,500 a second)'],
  ['what is left', [25_000, 100_000, 10_000], 'reading: 25,000 of 100,000 (2,500 a second, 30 s left)'],
  ['minutes', [1_000, 100_000, 1_000], 'reading: 1,000 of 100,000 (1,000 a second, 1 min 39 s left)'],
  ['nothing yet', [0, 10, 0], 'reading: 0 of 10 (0 a second)'],
] as const)('says %s', (_, [done, total, elapsed], line) => {
  expect(describeProgress('reading', done, total, elapsed)).toBe(line);
});

describe('it is told now and then', () => {
  function told(isTTY: boolean): string {
    let text = '';
    let now = 0;
    const write = (chunk: Buffer, _: string, done: () => void) => {
      text += chunk.toString();
      done();
    };
    const progress = new Progress(Object.assign(new Writable({ write }), { isTTY }), () => now);
    for (now = 0; now <= 10_500; now += 100) progress.tell('x', now, null);
    progress.close();
    return text;
  }

  test('in lines for a log', () => {
    expect(told(false)).toBe('x: 5,000 (1,000 a second)\nx: 10,000 (1,000 a second)\n');
  });

  test('in one line on a terminal, which is gone in the end', () => {
    const text = told(true);
    expect(text.split('\r\u001b[K')).toHaveLength(54);
    expect(text.endsWith('\r\u001b[K')).toBe(true);
    expect(text).not.toContain('\n');
  });
});
