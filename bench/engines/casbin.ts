/**
 * casbin: one enforcer per user that holds only its own rows (as `loadFilteredPolicy` would leave it), so that nobody pays
 * for the rows of others or for role links; `enforceSync`; denials first, since the first of them ends the walk. Patterns,
 * tags, addresses and instants are matcher functions, each row's text read once.
 */
import { Enforcer, newModelFromString } from 'casbin';
import { type Adapter, at, keepByUser, type OpenEngine, ReadRequests } from './engine.js';
import { allTests, conditionTest, type Facts, factsOf, type FactTest, resourcesTest, textTest } from './matchers.js';
import { type Condition, type Statement } from './worlds.js';

const model = `
[request_definition]
r = act, facts
[policy_definition]
p = act, obj, cond, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = actionMatch(r.act, p.act) && objectMatch(r.facts, p.obj) && conditionMatch(r.facts, p.cond)
`;

function rowOf({ effect, actions, resources, conditions }: Statement): string[] {
  return [
    JSON.stringify(actions),
    JSON.stringify(resources),
    JSON.stringify(conditions),
    effect === 'Deny' ? 'deny' : 'allow',
  ];
}

/** What the text of a column says, read when the row is written. */
function kept<Test>(read: (text: string) => Test): (text: string) => Test {
  const known = new Map<string, Test>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const made = read(text);
    known.set(text, made);
    return made;
  };
}

const everything: FactTest = () => true;

function readActions(text: string): (action: string) => boolean {
  const tests = (JSON.parse(text) as string[]).map(textTest);
  const [only] = tests;
  if (only !== undefined && tests.length === 1) return only;
  return (action) => tests.some((test) => test(action));
}

export const casbin: Adapter = {
  name: 'casbin',
  use: 'enforceSync, one enforcer per user with its own rows, deny-override, matcher functions',
  prepare: (world) => {
    const requests = new ReadRequests(world, (asked) => ({
      user: asked.user,
      action: asked.action,
      facts: factsOf(asked),
    }));
    return (): OpenEngine => {
      const rows = world.policies.map((policy) => policy.statements.map(rowOf));
      const actions = kept(readActions);
      const objects = kept((text) => resourcesTest(JSON.parse(text) as string[] | null) ?? everything);
      const conditions = kept((text) => allTests((JSON.parse(text) as Condition[]).map(conditionTest)) ?? everything);
      for (const [action = '', object = '', condition = ''] of rows.flat()) {
        actions(action);
        objects(object);
        conditions(condition);
      }
      const actionMatch = (action: string, text: string) => actions(text)(action);
      const objectMatch = (facts: Facts, text: string) => objects(text)(facts);
      const conditionMatch = (facts: Facts, text: string) => conditions(text)(facts);
      const enforcerOf = keepByUser((user) => {
        const held = world.policiesOf(user).flatMap((place) => at(rows, place));
        const own = newModelFromString(model);
        own.addPolicies('p', 'p', [
          ...held.filter(([, , , effect]) => effect === 'deny'),
          ...held.filter(([, , , effect]) => effect === 'allow'),
        ]);
        const enforcer = new Enforcer();
        // Nothing to load, so it is done when it returns.
        void enforcer.initWithModelAndAdapter(own);
        void enforcer.addFunction('actionMatch', actionMatch);
        void enforcer.addFunction('objectMatch', objectMatch);
        void enforcer.addFunction('conditionMatch', conditionMatch);
        return enforcer;
      });
      return {
        renew: (from, to) => {
          requests.renew(from, to);
        },
        allows: (place) => {
          const { user, action, facts } = requests.at(place);
          return enforcerOf(user).enforceSync(action, facts);
        },
      };
    };
  },
};
