/**
 * pbac: the same documents as ours, one instance per user, without the validation of documents and of their schema, which
 * would fall on each instance.
 */
import { createRequire } from 'node:module';
import { contextEntries, type Document, documentOf } from './documents.js';
import { type Adapter, at, keepByUser, type OpenEngine, ReadRequests } from './engine.js';

interface Pbac {
  evaluate(request: { action: string; resource: string; context: object }): boolean;
}

type PbacClass = new (
  policies: readonly Document[],
  options: { validateSchema: boolean; validatePolicies: boolean; schema: object },
) => Pbac;

const Pbac = createRequire(import.meta.url)('pbac') as PbacClass;

const unchecked = { validateSchema: false, validatePolicies: false, schema: {} };

export const pbac: Adapter = {
  name: 'pbac',
  use: 'evaluate, one instance per user, validation off',
  prepare: (world) => {
    const requests = new ReadRequests(world, (asked) => {
      const g = Object.fromEntries(contextEntries(asked).map(([key, value]) => [key.slice('g:'.length), value]));
      return { user: asked.user, request: { action: asked.action, resource: asked.resource, context: { g } } };
    });
    return (): OpenEngine => {
      const documents = world.policies.map(documentOf);
      const instanceOf = keepByUser(
        (user) =>
          new Pbac(
            world.policiesOf(user).map((place) => at(documents, place)),
            unchecked,
          ),
      );
      return {
        renew: (from, to) => {
          requests.renew(from, to);
        },
        allows: (place) => {
          const { user, request } = requests.at(place);
          return instanceOf(user).evaluate(request);
        },
      };
    };
  },
};
