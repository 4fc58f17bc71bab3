import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { askedTypes, makeableTypes, saysTypes, typesOfService } from '../../src/catalogue/asked-types.js';
import { checkDocument, platformCatalogue as catalogue } from '../../src/catalogue/index.js';
import { kindOperations, kindQuestion, registerableKinds } from '../../src/iam/resource-kinds.js';
import { actionMatcher, matchesResourcePattern, parsePolicy } from '../../src/policy/index.js';
import '../policy/seed.js';

const services = catalogue.services.map(({ name }) => name).filter(saysTypes);
const schema = readFileSync(new URL('../../schema/schema.graphql', import.meta.url), 'utf8');

/** What the doors ask: actions, and the type in the URN of what they are asked about; null where that is in the row. */
const doors = [...schema.matchAll(/@permission\(([^)]*)\)/g)].flatMap(([, said = '']) => {
  const urn = /resource: "([^"]*)"/.exec(said)?.[1];
  const type = urn === undefined ? undefined : (/^[a-z]+::\{account\}:(\w+):/.exec(urn)?.[1] ?? null);
  const actions = [...said.matchAll(/"([a-z]+:\w*:\w+)"/g)].map(([, action = '']) => action);
  return type === undefined ? [] : actions.map((action) => ({ action, type }));
});

describe('the types that an action is asked about', () => {
  it('are those that the doors ask it about', () => {
    let known = 0;
    for (const { action, type } of doors) {
      const types = askedTypes(action, catalogue);
      if (types === null || type === null) continue;
      known += 1;
      expect(types, action).toContain(type.toLowerCase());
    }
    expect(known).toBeGreaterThan(25);
  });

  it('are those of which there can be a resource, where resources are registered', () => {
    const kinds = registerableKinds(catalogue).filter((kind) => kind.startsWith('modelarts:'));
    expect(makeableTypes('modelarts', catalogue).map((type) => `modelarts:${type}`)).toEqual(
      kinds.map((kind) => kind.toLowerCase()),
    );
  });

  it.each([
    ['modelarts:notebook:get', 'notebook'],
    ['modelarts:trainJobVersion:create', 'trainjob,trainjobversion'],
    ['modelarts:sample:*', 'unknown'],
    ['modelarts:tag:create', 'unknown'],
    ['modelarts::tagResource', 'unknown'],
    ['modelarts:*:*', 'unknown'],
    ['obs:object:Get*', 'object'],
    ['obs:*:*', 'bucket,object'],
    ['iam:agencies:assume', 'agency'],
    ['iam:permissions:addUserToGroup', 'unknown'],
    ['vpc:subnets:get', 'unknown'],
    ['iam:users:nonesuch', 'unknown'],
  ])('of %s: %s', (pattern, types) => {
    expect(askedTypes(pattern, catalogue)?.toSorted().join() ?? 'unknown').toBe(types);
  });
});

const row = fc.constantFrom(...catalogue.rows.filter(({ service }) => services.includes(service)));
const action = fc.oneof(
  { weight: 3, arbitrary: row.map(({ name }) => name) },
  { weight: 2, arbitrary: row.map(({ service, resourceType }) => `${service}:${resourceType}:*`) },
  { weight: 1, arbitrary: fc.tuple(row, fc.nat(6)).map(([{ service, resourceType, operation }, cut]) => `${service}:${resourceType.slice(0, cut)}*:${operation.slice(0, 3)}*`) },
); // prettier-ignore
const type = fc.constantFrom(...services.flatMap((service) => typesOfService(service, catalogue)));
const typePattern = fc.oneof(
  { weight: 4, arbitrary: type },
  { weight: 1, arbitrary: type.map((text) => `${text.slice(0, 4)}*`) },
  { weight: 1, arbitrary: type.map((text) => `?${text.slice(1)}`) },
  { weight: 1, arbitrary: fc.constantFrom('', '*', '*s', 'nonesuch', '${g:UserName}') },
);
const resource = fc
  .tuple(fc.constantFrom(...services), fc.constantFrom('*', ''), typePattern, fc.constantFrom('*', 'a', '${g:UserName}/*'))
  .map(([service, account, of, path]) => `${service}:*:${account}:${of}:${path}`); // prettier-ignore
const statement = fc.record({
  Effect: fc.constantFrom('Allow', 'Deny'),
  Action: fc.array(action, { minLength: 1, maxLength: 2 }),
  Resource: fc.array(resource, { minLength: 1, maxLength: 3 }),
});

/** What is asked, as the catalogue and the doors say it: under every name of the action, about every type that it has. */
function questionsOf(): readonly { readonly names: readonly string[]; readonly service: string; readonly type: string }[] {
  const ofDoors = doors.flatMap(({ action: name, type: of }) => (of === null ? [] : [{ names: catalogue.namesOf(name), service: name.split(':')[0] ?? '', type: of }]));
  const ofKinds = registerableKinds(catalogue).flatMap((kind) => {
    const [service = '', of = ''] = kind.split(':');
    return kindOperations.map((operation) => {
      const { action: name, spellings = [] } = kindQuestion({ catalogue }, kind, operation, { resource: null });
      return { names: [...catalogue.namesOf(name), ...spellings], service, type: of };
    });
  });
  const ofRows = catalogue.rows.map(({ name, service, resourceType }) => ({ names: catalogue.namesOf(name), service, type: resourceType }));
  return [...ofDoors, ...ofKinds, ...ofRows];
} // prettier-ignore

it('a resource that is said to be of a type never asked about is met by no question', () => {
  const questions = questionsOf();
  const seen = { warned: 0, wild: 0, met: 0 };
  fc.assert(
    fc.property(statement, (written) => {
      const parsed = parsePolicy({ Version: '1.1', Statement: [written] }, 'CUSTOM');
      const warned = checkDocument(parsed, catalogue).filter(({ message }) => message.includes('is of a type') || message.includes('are of a type')); // prettier-ignore
      const named = written.Resource.filter((one) => warned.some(({ message }) => message.includes(`\`${one}\``)));
      if (warned.length > 0) seen.warned += 1;
      if (warned.length > 0 && written.Action.some((one) => one.includes('*'))) seen.wild += 1;
      const matchers = written.Action.map(actionMatcher);
      for (const { names, service, type: of } of questions) {
        if (!matchers.some((matches) => names.some(matches))) continue;
        for (const one of written.Resource) {
          const plain = one.replaceAll('${g:UserName}', 'alice');
          const meets = matchesResourcePattern(plain, `${service}:eu:acc:${of}:a`) || matchesResourcePattern(plain, `${service}:eu:acc:${of}:alice/x`); // prettier-ignore
          if (meets) seen.met += 1;
          if (named.includes(one)) expect(`${one} for ${names[0] ?? ''}: ${meets}`).toBe(`${one} for ${names[0] ?? ''}: false`); // prettier-ignore
        }
      }
    }),
    { numRuns: 300 },
  );
  expect(seen.warned).toBeGreaterThan(10);
  expect(seen.wild).toBeGreaterThan(1);
  expect(seen.met).toBeGreaterThan(5);
});
