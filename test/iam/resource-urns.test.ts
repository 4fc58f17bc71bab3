/** URNs are told apart quickly where they are plain; the quick answer is that of the reader, whatever is asked. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isUrn, readUrn } from '../../src/iam/resource-urns.js';
import '../policy/seed.js';

it.each([
  'a:::b:c',
  'obs:north:acc:bucket:a/b:c:d',
  'a:::b:c d',
  ' a:::b:c',
  'a:::b:c ',
  'a:::b: ',
  ':::b:c',
  'a::::c',
  'a:::b:',
  'a:::b',
  '',
  'a:::b:*',
  'a:::b:?',
  'a:::b:${x}',
  'a:::b:\t',
  'a:::b:\u007f',
  'a:::b:é',
  'a:::b:\u00a0',
  '\ufeffa:::b:c',
  'a:::b:\u200bc',
  'a:::b:\u2028c',
  'a:::b:\ud800',
  `a:::b:${'c'.repeat(506)}`,
  `a:::b:${'c'.repeat(507)}`,
])('%j is a URN of one thing or none by both', (urn) => {
  expect(isUrn(urn)).toBe(readUrn(urn) !== null);
});

it('the same holds of generated ones', () => {
  const piece = fc.constantFrom('a', 'Z', '9', '-', '/', '.', '~', '!', '@', ' ', '*', '?', '$', '\0', '\u007f', 'é', '\u200b', '\u3000', '\ud83d\ude00', '\udc00', ':', 'iam', '%'); // prettier-ignore
  const segment = fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join(''));
  const ordinary = fc.constantFrom('', 'a', 'iam', 'Z9-');
  const urns = fc.oneof(
    fc.array(segment, { maxLength: 7 }).map((segments) => segments.join(':')),
    fc.tuple(segment, segment, segment, segment, segment).map((segments) => segments.join(':')),
    fc.tuple(ordinary, ordinary, ordinary, ordinary, segment).map((segments) => segments.join(':')),
  );
  let read = 0;
  fc.assert(
    fc.property(urns, (urn) => {
      const parts = readUrn(urn);
      if (parts !== null) read += 1;
      expect(isUrn(urn), JSON.stringify(urn)).toBe(parts !== null);
    }),
    { numRuns: 5_000 },
  );
  expect(read).toBeGreaterThan(200);
});
