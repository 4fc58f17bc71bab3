import { expect, it } from 'vitest';
import { documentAttacks } from './document.js';
import { identityAttacks } from './identity.js';
import { loginAttacks } from './login.js';
import { transportAttacks } from './transport.js';

it('the list has at least 150 attacks, of every category, and says none twice', () => {
  const categories = [transportAttacks, documentAttacks, identityAttacks, loginAttacks];
  for (const attacks of categories) expect(attacks.length).toBeGreaterThanOrEqual(30);
  const sentences = categories.flat().map(({ says }) => says);
  expect(sentences.length).toBeGreaterThanOrEqual(150);
  expect(sentences.filter((says, index) => sentences.indexOf(says) !== index)).toEqual([]);
  for (const says of sentences) expect(says).toMatch(/^[A-Z].*\.$/);
});
