/**
 * Our own engine as the product uses it (src/iam/authorizer.ts): documents parsed once for all who hold them, sources of a
 * user made ready once, actions remembered, determining statements told, and each source asked whether it takes part.
 */
import {
  buildContext,
  CompiledSources,
  evaluate,
  type Evaluation,
  parsePolicy,
  type PolicyRequest,
  type PolicySource,
  prepareDocument,
} from '../../src/policy/index.js';
import { contextEntries, documentOf } from './documents.js';
import { type Adapter, at, keepByUser, type OpenEngine, ReadRequests } from './engine.js';
import { type Request, type World } from './worlds.js';

export interface Origin {
  readonly policy: number;
  readonly expiresAt: number | null;
}

const now = Date.parse('2026-03-01T12:00:00Z');
const takesPart = ({ expiresAt }: Origin): boolean => expiresAt === null || expiresAt > now;

export function readSources(world: World): PolicySource<Origin>[] {
  return world.policies.map((policy, place) => {
    const { document, problems } = parsePolicy(JSON.stringify(documentOf(policy)), 'SYSTEM');
    if (document === null) throw new Error(`${policy.name} of ${world.name}: ${problems[0]?.message}`);
    prepareDocument(document);
    return { name: policy.name, document, origin: { policy: place, expiresAt: null } };
  });
}

export function readRequest(asked: Request): { readonly user: number; readonly request: PolicyRequest } {
  const context = buildContext(contextEntries(asked));
  return { user: asked.user, request: { action: asked.action, resource: asked.resource, context } };
}

export const bailiwick: Adapter = {
  name: 'bailiwick',
  use: 'CompiledSources.evaluate, one per user, remember = true; determining statements told',
  prepare: (world) => {
    const requests = new ReadRequests(world, readRequest);
    return (): OpenEngine => {
      const sources = readSources(world);
      const compiledOf = keepByUser(
        (user) => new CompiledSources(world.policiesOf(user).map((place) => at(sources, place))),
      );
      const ask = (place: number) => {
        const { user, request } = requests.at(place);
        return compiledOf(user).evaluate(request, takesPart, true);
      };
      return {
        renew: (from, to) => {
          requests.renew(from, to);
        },
        allows: (place) => ask(place).effect === 'ALLOW',
        determining: (place) => statementIds(world, ask(place)),
        effectOnly: (place) => {
          const { user, request } = requests.at(place);
          return compiledOf(user).effectOf(request, takesPart, true) === 'ALLOW';
        },
      };
    };
  },
};

/** The form of our engine that is written to be seen right: answers are checked against it, and it is not timed. */
export const reference: Adapter = {
  name: 'reference',
  use: 'evaluate',
  prepare: (world) => {
    const requests = new ReadRequests(world, readRequest);
    return (): OpenEngine => {
      const sources = readSources(world);
      const sourcesOf = keepByUser((user) => world.policiesOf(user).map((place) => at(sources, place)));
      const ask = (place: number) => {
        const { user, request } = requests.at(place);
        return evaluate(sourcesOf(user), request);
      };
      return {
        renew: (from, to) => {
          requests.renew(from, to);
        },
        allows: (place) => ask(place).effect === 'ALLOW',
        determining: (place) => statementIds(world, ask(place)),
      };
    };
  },
};

function statementIds(world: World, { statements }: Evaluation<Origin>): string[] {
  return statements.map(
    ({ source, statement }) => at(at(world.policies, source.origin.policy).statements, statement.index).id,
  );
}
