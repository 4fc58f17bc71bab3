/**
 * CASL: one ability per user. Rules are indexed by kind and operation (patterns of actions are written out over the kinds
 * and operations there are, `manage` and `all` where all are meant), conditions are functions ("lambda conditions" of its
 * guide, quicker here than its Mongo language), and denials come last, since its last rule wins.
 */
import { Ability, type MatchConditions, type RawRuleOf } from '@casl/ability';
import { type Adapter, at, keepByUser, type OpenEngine, ReadRequests } from './engine.js';
import { allTests, conditionTest, type Facts, factsOf, resourcesTest } from './matchers.js';
import { kinds, operations, patternOf, type Statement } from './worlds.js';

interface Subject extends Facts {
  readonly kind: string;
}

type UserAbility = Ability<[string, Subject | string], MatchConditions>;

const options = {
  conditionsMatcher: (conditions: MatchConditions) => conditions,
  detectSubjectType: (subject: unknown) => (subject as Subject).kind,
};

function rulesOf({ effect, actions, resources, conditions }: Statement): RawRuleOf<UserAbility>[] {
  const onResource = resourcesTest(resources);
  const test = allTests([...(onResource === null ? [] : [onResource]), ...conditions.map(conditionTest)]);
  return actions.map((pattern) => {
    const place = pattern.lastIndexOf(':');
    const among = (names: readonly string[], text: string, all: string) => {
      const fits = patternOf(text);
      const found = names.filter((name) => fits.test(name));
      return found.length === names.length ? all : found;
    };
    return {
      subject: among(kinds, pattern.slice(0, place), 'all'),
      action: among(operations, pattern.slice(place + 1), 'manage'),
      inverted: effect === 'Deny',
      ...(test !== null && { conditions: test as unknown as MatchConditions }),
    };
  });
}

export const casl: Adapter = {
  name: 'casl',
  use: 'Ability per user, rules by kind and operation, lambda conditions',
  prepare: (world) => {
    const requests = new ReadRequests(world, (asked) => {
      const place = asked.action.lastIndexOf(':');
      const subject: Subject = { ...factsOf(asked), kind: asked.action.slice(0, place) };
      return { user: asked.user, operation: asked.action.slice(place + 1), subject };
    });
    return (): OpenEngine => {
      const rules = world.policies.map((policy) => policy.statements.flatMap(rulesOf));
      const abilityOf = keepByUser((user): UserAbility => {
        const held = world.policiesOf(user).flatMap((place) => at(rules, place));
        const ordered = [...held.filter(({ inverted }) => !inverted), ...held.filter(({ inverted }) => inverted)];
        return new Ability(ordered, options);
      });
      return {
        renew: (from, to) => {
          requests.renew(from, to);
        },
        allows: (place) => {
          const { user, operation, subject } = requests.at(place);
          return abilityOf(user).can(operation, subject);
        },
      };
    };
  },
};
