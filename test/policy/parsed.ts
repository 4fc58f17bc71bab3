/** Documents of tests, read as simulated ones are: any operator and form. */
import { parsePolicy, type PolicyDocument } from '../../src/policy/index.js';

export function parsed(policy: unknown): PolicyDocument {
  const { document } = parsePolicy(policy, 'ANY');
  if (document === null) throw new Error(`a policy of a test cannot be read: ${JSON.stringify(policy)}`);
  return document;
}
