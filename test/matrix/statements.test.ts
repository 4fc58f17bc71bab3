/** Lists fan out without fanning out: the number of SQL statements of a nested list does not grow with its length. */
import { beforeAll, describe, expect, it } from 'vitest';
import { databaseNames, startHouse, type TestHouse } from '../kit/house.js';
import { setScene, type Scene } from '../kit/scene.js';

const query = /* GraphQL */ `
  query Fan($first: Int!) {
    users(first: $first) {
      totalCount
      nodes {
        name
        groups {
          nodes {
            name
            grants {
              nodes {
                policy {
                  name
                  documentText
                }
              }
            }
          }
        }
        grants {
          nodes {
            policy {
              name
            }
          }
        }
      }
    }
  }
`;

describe.each(databaseNames)('a list of users with groups and their policies on %s', (database) => {
  let house: TestHouse;
  let scene: Scene;
  beforeAll(async () => {
    house = await startHouse({ database });
    scene = await setScene(house);
    const groups = await Promise.all(
      Array.from({ length: 10 }, async (_, n) => {
        const group = await scene.group(`group-${n}`);
        await scene.grant(await scene.policy(`policy-${n}`, ['modelarts:notebook:list']), { group });
        return group;
      }),
    );
    const make =
      'mutation Make($input: CreateUserInput!) { createUser(input: $input) { user { id } userErrors { code } } }';
    for (let n = 0; n < 100; n += 1) {
      const groupIds = [groups[n % 10], groups[(n + 3) % 10], groups[(n + 7) % 10]];
      await house.gql(scene.token, make, { input: { name: `user-${n}`, groupIds } });
    }
  });

  async function statementsFor(first: number): Promise<{ statements: number; users: number; policies: number }> {
    const from = house.statements.length;
    const { users } = await house.gql<{
      users: { nodes: { groups: { nodes: { grants: { nodes: unknown[] } }[] } }[] };
    }>(scene.token, query, { first });
    const statements = house.statements.length - from;
    const policies = users.nodes.flatMap((user) => user.groups.nodes.flatMap((group) => group.grants.nodes)).length;
    return { statements, users: users.nodes.length, policies };
  }

  it('costs a bounded number of statements, as many for a hundred users as for five', async () => {
    await statementsFor(1);
    const few = await statementsFor(5);
    const many = await statementsFor(100);
    expect(many.users).toBe(100);
    expect(many.policies).toBeGreaterThan(250);
    expect(many.statements).toBe(few.statements);
    expect(many.statements).toBeLessThanOrEqual(20);
  });
});
