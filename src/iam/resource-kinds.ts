/** What the catalogue calls the acts on a kind of resource, and which kinds there are to register. */
import type { Catalogue } from '../catalogue/index.js';
import type { Call } from './call.js';
import type { Question } from './authorizer.js';

/** `listAll`: listing what everybody owns, where `list` is of one's own (decision 65). */
export const kindOperations = ['create', 'update', 'delete', 'get', 'list', 'listAll'] as const;

export type KindOperation = (typeof kindOperations)[number];

/**
 * The names that the catalogue may have for an operation on a kind: `modelarts:notebook:create`, and with the type in the
 * name where the vendors write it so (`modelarts:dataset:createDataset`, `obs:bucket:CreateBucket`).
 */
export function kindActions(catalogue: Catalogue, kind: string, operation: KindOperation): readonly string[] {
  const type = kind.slice(kind.indexOf(':') + 1);
  const spelled = ['', type, `${type}s`].map((suffix) => `${kind}:${operation}${suffix}`);
  return [...new Set(spelled.map((name) => catalogue.canonical(name)?.name ?? name))];
}

export function isRegistered(catalogue: Catalogue, kind: string, operation: KindOperation): boolean {
  return kindActions(catalogue, kind, operation).some((name) => catalogue.find(name) !== undefined);
}

/**
 * The question about an operation on a kind. Every spelling takes part, so that registering another name never steps out
 * of a Deny. Where a kind has no action for the operation, the register's own action alone decides, and every Deny.
 */
export function kindQuestion(
  { catalogue }: Pick<Call, 'catalogue'>,
  kind: string,
  operation: KindOperation,
  about: Omit<Question, 'action'>,
): Question {
  const spellings = kindActions(catalogue, kind, operation);
  const action = spellings.find((name) => catalogue.find(name) !== undefined) ?? `${kind}:${operation}`;
  return { ...about, action, spellings, onlyIfRegistered: true };
}

/** Kinds of which there can be a resource: something creates one. */
export function registerableKinds(catalogue: Catalogue): readonly string[] {
  return catalogue.resourceKinds.map(({ name }) => name).filter((kind) => isRegistered(catalogue, kind, 'create'));
}
