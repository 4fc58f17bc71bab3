/** Which types of resources an action is asked about, where that is certain. */
import { actionPatternsOverlap } from '../policy/index.js';
import { foldName, hasWildcard, segmentsOf, type ActionRow } from './action-row.js';
import type { Catalogue } from './catalogue.js';

/**
 * Types in URNs by the type in the action's name, of the services that say so. The directory asks about its own objects,
 * which go by other names in URNs. Not here is what is also asked about other things, or about what it belongs to.
 */
const publishedTypes: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  iam: {
    agencies: ['agency'],
    credentials: ['credential'],
    groups: ['group', 'user'],
    mfa: ['mfa'],
    roles: ['policy'],
    tokens: ['agency'],
    users: ['user', 'group'],
  },
  obs: { bucket: ['bucket'], object: ['object'] },
};

/** Further types that resources of these services have: to name one is no slip of the pen. */
const furtherTypes: Readonly<Record<string, readonly string[]>> = { iam: ['service'] };

/** The service whose resources are registered here, each by the type of its own actions. */
const registeredHere = 'modelarts';

/** Services of which it is known what their actions are asked about. */
export function saysTypes(service: string): boolean {
  return service === registeredHere || Object.hasOwn(publishedTypes, service);
}

/** Types, in lower case, that resources of a service are known to have. */
export function typesOfService(service: string, catalogue: Catalogue): readonly string[] {
  const made = service === registeredHere ? makeableTypes(service, catalogue) : [];
  const published = Object.values(publishedTypes[service] ?? {}).flat();
  return [...new Set([...made, ...published, ...(furtherTypes[service] ?? [])])];
}

/**
 * The types, in lower case, of what the actions that a pattern stands for are asked about; null when not all of them are
 * known, or when the pattern stands for nothing.
 */
export function askedTypes(pattern: string, catalogue: Catalogue): readonly string[] | null {
  const rows = catalogue.matching(pattern);
  const types = rows.map((row) => typesOfRow(row, catalogue));
  if (types.length === 0 || types.includes(null)) return null;
  return [...new Set([...types.flatMap((known) => known ?? []), ...typesByNobodysName(pattern, catalogue)])];
}

/** A register asks about each of its kinds under every name that an act on it could have, also those that no row has. */
function typesByNobodysName(pattern: string, catalogue: Catalogue): readonly string[] {
  if (!hasWildcard(pattern)) return [];
  return makeableTypes(registeredHere, catalogue)
    .filter((type) => actionPatternsOverlap(pattern, `${registeredHere}:${type}:*`))
    .flatMap((type) => typesOfName(`${registeredHere}:${type}:*`, catalogue) ?? []);
}

function typesOfRow(row: ActionRow, catalogue: Catalogue): readonly string[] | null {
  const types = catalogue.namesOf(row.name).map((name) => typesOfName(name, catalogue));
  return types.includes(null) ? null : types.flatMap((known) => known ?? []);
}

function typesOfName(name: string, catalogue: Catalogue): readonly string[] | null {
  const { service, resourceType } = segmentsOf(foldName(name));
  if (service !== registeredHere) return publishedTypes[service]?.[resourceType] ?? null;
  const made = makeableTypes(service, catalogue);
  // What cannot be made here belongs to something else, and whoever asks may ask about that.
  if (!made.includes(resourceType)) return null;
  // A version of a job may be asked about as the job that it belongs to.
  return made.filter((other) => other.startsWith(resourceType) || resourceType.startsWith(other));
}

/** Types, in lower case, of which there can be a resource: something creates one. */
export function makeableTypes(service: string, catalogue: Catalogue): readonly string[] {
  const known = makeable.get(catalogue) ?? new Map<string, readonly string[]>();
  makeable.set(catalogue, known);
  let types = known.get(service);
  if (types === undefined) {
    types = catalogue.resourceKinds
      .filter((kind) => kind.service === service && kind.type !== '')
      .filter(({ name, type }) => ['', type, `${type}s`].some((end) => catalogue.knows(`${name}:create${end}`)))
      .map(({ type }) => foldName(type));
    known.set(service, types);
  }
  return types;
}

const makeable = new WeakMap<Catalogue, Map<string, readonly string[]>>();
