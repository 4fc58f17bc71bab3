/** Two servers on one PostgreSQL database: what is committed through one wakes who listens at the other. */
import { expect, it, onTestFinished } from 'vitest';
import { startHouse } from '../kit/house.js';
import { listen } from '../kit/listening.js';
import { setScene } from '../kit/scene.js';

const get = 'modelarts:notebook:get';

it('a commit on one server wakes who listens at the other', async () => {
  const here = await startHouse({ database: 'postgres' });
  const there = await startHouse({ beside: here });
  const scene = await setScene(here);
  await here.gql(scene.token, 'mutation { setAuthorizationMode(input: { mode: STRICT }) { userErrors { code } } }');
  const ann = await scene.user('ann');
  const hers = await here.signIn(ann);
  const permissions = await listen(
    there,
    hers,
    `subscription { permissionsChanged(actions: ["${get}"]) { changes { action effect } } }`,
  );
  const events = await listen(
    there,
    scene.token,
    'subscription { auditEventRecorded(filter: { operation: "createGroup" }) { after } }',
  );
  onTestFinished(() => Promise.all([permissions.stop(), events.stop()]).then(() => undefined));
  const grantId = await scene.grant(await scene.policy('reader', [get]), { user: ann.id });
  expect(await permissions.next()).toMatchObject({
    data: { permissionsChanged: { changes: [{ action: get, effect: 'ALLOW' }] } },
  });
  await here.gql(scene.token, `mutation { revokeGrant(input: { id: "${grantId}" }) { userErrors { code } } }`);
  expect(await permissions.next()).toMatchObject({
    data: { permissionsChanged: { changes: [{ action: get, effect: 'DENY' }] } },
  });

  // Written through both at once, and told by one: each, once, in order.
  const direct = await setScene(there, here.root);
  const names = Array.from({ length: 40 }, (_, n) => `group-${n}`);
  await Promise.all(names.map((name, n) => (n % 2 === 0 ? scene : direct).group(name)));
  const heard: string[] = [];
  while (heard.length < names.length) {
    const { data } = (await events.next()) as { data: { auditEventRecorded: { after: { name: string } } } };
    heard.push(data.auditEventRecorded.after.name);
  }
  expect([...heard].sort()).toEqual([...names].sort());

  await here.gql(hers, 'mutation { signOut { endedAt userErrors { code } } }');
  expect((await permissions.rest()).at(-2)).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
});
