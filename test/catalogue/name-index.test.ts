import fc from 'fast-check';
import { expect, it } from 'vitest';
import { platformCatalogue as catalogue } from '../../src/catalogue/index.js';
import { actionMatcher } from '../../src/policy/index.js';
import '../policy/seed.js';

const row = fc.constantFrom(...catalogue.rows);
const piece = fc.constantFrom('', '*', '?', '**', '*?', 'x', ':');
/** Names of the catalogue with some pieces put in place of others: near to what there is, so that many fit. */
const slipped = fc
  .tuple(row, fc.array(fc.tuple(fc.nat(40), fc.nat(12), piece), { maxLength: 3 }), fc.boolean())
  .map(([{ name }, slips, loud]) => {
    const text = slips.reduce((left, [at, cut, put]) => `${left.slice(0, at)}${put}${left.slice(at + cut)}`, name);
    return loud ? text.toUpperCase() : text;
  });
const segment = (own: fc.Arbitrary<string>) => fc.oneof(fc.constantFrom('*', '?*', '', 'tag', '*s', 'get*'), own);
const pattern = fc.oneof(
  slipped,
  fc.constantFrom('*', '**', '*:*', '*:*:*:*', ''),
  fc
    .tuple(
      segment(row.map(({ service }) => service)),
      segment(row.map(({ resourceType }) => resourceType)),
      segment(row.map(({ operation }) => operation)),
    )
    .map((parts) => parts.join(':')),
);

it('a pattern stands for the rows that have some name which fits it, in the order of the catalogue', () => {
  let several = 0;
  fc.assert(
    fc.property(pattern, (asked) => {
      const fits = actionMatcher(asked);
      const expected = catalogue.rows.filter(
        ({ name, aliasOf }) =>
          aliasOf === null &&
          catalogue.namesOf(name).some((own) => fits(own) || own.toLowerCase() === asked.toLowerCase()),
      );
      if (expected.length > 1) several += 1;
      expect(catalogue.matching(asked).map(({ name }) => name)).toEqual(expected.map(({ name }) => name));
      expect(catalogue.knows(asked)).toBe(expected.length > 0);
    }),
    { numRuns: 500 },
  );
  expect(several).toBeGreaterThan(25);
});
