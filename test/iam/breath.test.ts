/** Long work lets others get their turn, by how long it takes rather than by how many pieces it has. */
import { expect, it } from 'vitest';
import { decideForViewer, simulateAccess, type Call } from '../../src/iam/index.js';

/** How often others got their turn while this ran. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let next = setImmediate(function turn() {
    turns += 1;
    next = setImmediate(turn);
  });
  await work();
  clearImmediate(next);
  return turns;
}

it('a simulation of few requests by many long policies', async () => {
  const Statement = Array.from({ length: 8 }, () => ({
    Effect: 'Allow',
    Action: Array.from({ length: 12 }, (_, i) => `modelarts:*o*o*${i}*:create`),
  }));
  const policies = Array.from({ length: 100 }, () => ({ Version: '1.1', Statement }));
  const request = {
    principal: null,
    action: 'modelarts:notebookooo:get',
    resource: null,
    workspaceId: null,
    context: [],
  };
  const requests = Array.from({ length: 45 }, () => request);
  expect(await turnsDuring(() => simulateAccess({ policies, requests, authorizationMode: 'STRICT' }))).toBeGreaterThan(
    3,
  );
});

it('what the viewer may do, where each decision takes long', async () => {
  const call = {
    decide: () => {
      const end = performance.now() + 5;
      while (performance.now() < end);
      return {};
    },
  } as unknown as Call;
  const actions = Array.from({ length: 20 }, (_, i) => `a:b:${i}`);
  expect(await turnsDuring(() => decideForViewer(call, actions))).toBeGreaterThan(3);
});
