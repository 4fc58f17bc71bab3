/** Registering many resources in one transaction, all or none: what a service sends that takes stock of what it has. */
import type { Call } from './call.js';
import { change, repeatable, type ChangeOptions } from './change.js';
import type { House } from './house.js';
import { problem, reject, succeed, type Outcome, type UserProblem } from './outcome.js';
import type { Resource } from './records.js';
import { maySeeResource } from './resource-visibility.js';
import { register, type RegisterResourceInput } from './resources.js';

/** Resources in one batch. */
export const longestRegistration = 100;

export interface RegisterResourcesInput {
  readonly resources: readonly Omit<RegisterResourceInput, 'idempotencyKey'>[];
  readonly idempotencyKey?: string | null;
}

/** Registers resources in the workspace of the caller's scope, in the order given; none of them when one is refused. */
export async function registerResources(
  house: House,
  call: Call,
  input: RegisterResourcesInput,
): Promise<Outcome<readonly Resource[]>> {
  const { length } = input.resources;
  if (length === 0) return reject(problem('INVALID', 'no resource is given; give at least one', 'resources'));
  if (length > longestRegistration) {
    const message = `${length} resources are given; at most ${longestRegistration} are registered at once`;
    return reject(problem('LIMIT_EXCEEDED', message, 'resources', { limit: longestRegistration }));
  }
  return change(house, call, registering(input), async (open) => {
    const made: Resource[] = [];
    const problems: UserProblem[] = [];
    for (const [index, resource] of input.resources.entries()) {
      const outcome = await register(open, resource, ['resources', String(index)]);
      if (outcome.kind === 'refused') return outcome;
      if (outcome.kind === 'invalid') problems.push(...outcome.problems);
      else made.push(outcome.value);
    }
    return problems.length > 0 ? reject(...problems) : succeed(made);
  });
}

/** A repeat finds what the first one made by the URNs that both have sent: of one origin, one moment, and visible by now. */
function registering(input: RegisterResourcesInput): ChangeOptions<readonly Resource[]> {
  const urns = input.resources.map(({ urn }) => urn);
  return repeatable('registerResources', input, {
    objectId: ([first]) => first?.id ?? '',
    reread: async (transaction, id, call) => {
      const found = await transaction.access.resourcesByUrn(call.accountId, urns);
      const there = urns.map((urn) => found.get(urn));
      const [first] = there;
      if (first?.id !== id) return null;
      const same = there.filter(
        (each): each is Resource =>
          each?.workspaceId === call.scope.workspaceId &&
          each.registeredBy === first.registeredBy &&
          each.createdAt === first.createdAt &&
          maySeeResource(call, each),
      );
      return same.length === urns.length ? same : null;
    },
  });
}
