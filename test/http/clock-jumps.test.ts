/**
 * Wall clocks that are set forward and back by hours while servers run, and two that differ: what has ended stays ended, what
 * was used up stays used up, nothing lives longer than it was made for, and nothing is lost.
 */
import { Secret, TOTP } from 'otpauth';
import { beforeAll, describe, expect, it } from 'vitest';
import { KeyLocks, sweepExpired } from '../../src/iam/index.js';
import { codesOf, exchange, type Answer } from '../kit/exchange.js';
import { databaseNames, startHouse, type TestHouse } from '../kit/house.js';
import { setScene, type Scene } from '../kit/scene.js';
import { sign, type Key } from '../kit/signing.js';

const minute = 60_000;
const hour = 60 * minute;
const viewer = '{ viewer { actor { name } } }';
const makeGroup =
  'mutation M($name: String!) { createGroup(input: { name: $name }) { group { name } revision userErrors { code } } }';

describe.each(databaseNames)('on %s', (database) => {
  let house: TestHouse;
  let scene: Scene;
  let key: Key;
  let accountId: string;
  beforeAll(async () => {
    house = await startHouse({ database });
    scene = await setScene(house);
    accountId = (await house.iam.store.access.accountByName('default'))?.id ?? '';
    const { createAccessKey } = await house.gql<{
      createAccessKey: { accessKey: { accessKeyId: string }; secretAccessKey: string };
    }>(
      scene.token,
      'mutation { createAccessKey(input: {}) { accessKey { accessKeyId } secretAccessKey userErrors { code } } }',
    );
    const { accessKey, secretAccessKey } = createAccessKey;
    key = { accessKeyId: accessKey.accessKeyId, secretAccessKey };
  });

  const during = async <T>(ahead: number, work: () => Promise<T>): Promise<T> => {
    house.advance(ahead);
    try {
      return await work();
    } finally {
      house.advance(-ahead);
    }
  };
  const as = async (token: string): Promise<readonly [number, readonly string[]]> => {
    const answer = await house.ask(token, viewer);
    return [answer.status, codesOf(answer)];
  };
  const good = [200, []];
  const refused = [401, ['UNAUTHENTICATED']];

  const signed = (at: number, query: string): Promise<Answer> => {
    const body = JSON.stringify({ query });
    const headers = {
      host: new URL(house.url).host,
      'content-type': 'application/json',
      'x-domain-id': accountId,
    };
    const { authorization, headers: all } = sign(key, { headers, body, at });
    return exchange(house.url, { headers: [...Object.entries(all).flat(), 'authorization', authorization], body });
  };

  it('a session expires by the clock and lives again when it is set back, but not what was ended', async () => {
    const [kept, ended] = [await house.signIn(house.root), await house.signIn(house.root)];
    await during(25 * hour, async () => {
      expect(await as(kept)).toEqual(refused);
      expect(await as(ended)).toEqual(refused);
    });
    expect(await as(kept)).toEqual(good);
    await house.gql(ended, 'mutation { signOut { userErrors { code } } }');
    for (const back of [-10 * minute, -12 * hour, -400 * 24 * hour, 0]) {
      await during(back, async () => expect(await as(ended)).toEqual(refused));
    }
    expect(await as(kept)).toEqual(good);
  });

  it('what was begun while the clock was ahead does not outlive it', async () => {
    // Used as well: what is remembered of a session knows no better.
    const ahead = await during(10 * hour, async () => {
      const token = await house.signIn(house.root);
      await house.gql(token, viewer);
      return token;
    });
    const told = await house.ask(ahead, viewer);
    expect([told.status, codesOf(told)]).toEqual(refused);
    // Nor is the session itself good, whatever token leads to it.
    const [, payload = ''] = ahead.split('.');
    const { acc, sub, sid } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, string>;
    const environment = { now: house.iam.now(), sourceAddress: null };
    const scope = { accountId: acc ?? '', workspaceId: '0' };
    const { calls } = house.iam;
    const call = await calls.openSession({ requestId: 'r', environment }, acc ?? '', sub ?? '', sid ?? '', scope);
    expect(call.broken?.status).toBe(401);
    // Nobody wonders for long, and who signs in again is in.
    expect(told.errors[0]?.message).toMatch(/sign in again/);
    expect(await as(await house.signIn(house.root))).toEqual(good);
    // A clock that is a little ahead, as that of another server may be, is no matter.
    expect(await as(await during(4 * minute, () => house.signIn(house.root)))).toEqual(good);
  });

  it('a token for a service that was made by a clock ahead lives no longer either', async () => {
    const token = await house.signIn(house.root, 'account');
    const { createService } = await house.gql<{ createService: { service: { id: string } } }>(
      token,
      'mutation { createService(input: { name: "hearer" }) { service { id } userErrors { code } } }',
    );
    const made = await during(3 * hour, () =>
      house.gql<{ switchScope: { token: string } }>(
        token,
        'mutation S($id: ID!) { switchScope(input: { scope: { account: true }, audience: $id }) { token userErrors { code } } }',
        { id: createService.service.id },
      ),
    );
    expect(await house.iam.tokens.read(made.switchScope.token)).toEqual({ kind: 'expired' });
  });

  it('a signature that was spent is not good again because it was swept by a clock that was ahead', async () => {
    const at = house.iam.now();
    const query = makeGroup.replace('M($name: String!)', 'M').replace('$name', '"by signature"');
    expect((await signed(at, query)).errors).toEqual([]);
    await during(hour, async () => expect((await sweepExpired(house.iam)).spentSignature).toBeGreaterThan(0));
    const again = await signed(at, query);
    expect([again.status, codesOf(again)]).toEqual(refused);
    expect(again.errors[0]?.message).toMatch(/nobody knows any more whether .* sign it again/);
    // What is signed after it is another request, and spent as ever.
    expect((await signed(at + 1_000, query)).data).toMatchObject({
      createGroup: { userErrors: [{ code: 'NAME_TAKEN' }] },
    });
    expect((await signed(at + 1_000, query)).status).toBe(401);
    // A second sweep forgets nothing of what the first one noted.
    await during(hour, () => sweepExpired(house.iam));
    expect((await signed(at + 1_000, query)).status).toBe(401);
    expect((await sweepExpired(house.iam)).spentSignature).toBe(0);
  });

  it('a lock of a user stays when the clock is set back, and the operator can end it', async () => {
    const ann = await scene.user('ann');
    const attempt = async (password: string) => {
      const answer = await house.ask(null, signIn, { account: ann.account, userName: ann.name, password });
      expect(answer.status).toBe(200);
      return JSON.stringify(answer.data);
    };
    await during(5 * hour, async () => {
      for (let count = 0; count < 5; count += 1) await attempt('Wrong password 1');
    });
    expect(await attempt(ann.password)).toContain('LOCKED');
    await during(6 * hour, async () => expect(await attempt(ann.password)).not.toContain('LOCKED'));
  });

  it('a code of a second factor is taken once, however the clock is set in between', async () => {
    const bob = await scene.user('bob');
    const token = await house.signIn(bob);
    const { createSecondFactor } = await house.gql<{ createSecondFactor: { secret: string } }>(
      token,
      'mutation { createSecondFactor(input: {}) { secret userErrors { code } } }',
    );
    const secret = Secret.fromBase32(createSecondFactor.secret);
    const codeAt = (ahead: number) => TOTP.generate({ secret, timestamp: house.iam.now() + ahead });
    await house.gql(
      token,
      'mutation C($code: String!) { confirmSecondFactor(input: { code: $code }) { userErrors { code } } }',
      { code: codeAt(0) },
    );
    const enters = async (totp: string) => {
      const { account, name: userName, password } = bob;
      const answer = await house.ask(null, signInTwice, { account, userName, password, totp });
      return (answer.data as { signIn: { token: string | null } }).signIn.token !== null;
    };
    const used = codeAt(2 * minute);
    await during(2 * minute, async () => expect(await enters(used)).toBe(true));
    // The clock that was ahead has taken codes that are still to come.
    expect(await enters(codeAt(0))).toBe(false);
    await during(2 * minute, async () => expect(await enters(used)).toBe(false));
    await during(4 * minute, async () => expect(await enters(codeAt(0))).toBe(true));
  });

  it('an instant of the past names no revision where the clock was set, and a revision does', async () => {
    const token = await house.signIn(house.root, 'account');
    const cat = await scene.user('cat');
    const policyId = await scene.policy('past of cat', [{ Effect: 'Deny', Action: ['modelarts:notebook:get'] }]);
    const grant = () => scene.grant(policyId, { user: cat.id });
    const recall = async (moment: object) => {
      const { recallAccess } = await house.gql<{
        recallAccess: { decisions: { decision: { reason: string } | null; unknown: string | null }[] };
      }>(
        token,
        `query R($id: ID!, $asOf: DateTime, $asOfRevision: Int) {
          recallAccess(asOf: $asOf, asOfRevision: $asOfRevision, principal: { user: $id }, requests: [{ action: "modelarts:notebook:get", workspaceId: "0" }]) {
            decisions { decision { reason } unknown }
          }
        }`,
        { id: cat.id, ...moment },
      );
      const [{ decision, unknown } = { decision: null, unknown: null }] = recallAccess.decisions;
      return decision?.reason ?? unknown;
    };
    const at = (instant: number) => ({ asOf: new Date(instant).toISOString() });
    // Control: in order, an instant does.
    expect(await recall(at(house.iam.now()))).toBe('AUTHORIZATION_MODE');
    const revoke = (id: string) =>
      house.gql(token, 'mutation R($id: ID!) { revokeGrant(input: { id: $id }) { userErrors { code } } }', { id });
    // Granted by a clock that was ahead, revoked by one that was set back.
    const id = await during(2 * hour, grant);
    const { revision: granted = 0 } = (await house.iam.store.access.accountByName('default')) ?? {};
    expect(await recall(at(house.iam.now()))).toBe('CLOCK_SET_BACK');
    house.advance(10 * minute);
    await revoke(id);
    house.advance(10 * minute);
    expect(await recall(at(house.iam.now()))).toBe('CLOCK_SET_BACK');
    expect(await recall({ asOfRevision: granted })).toBe('EXPLICIT_DENY');
    expect(await recall({ asOfRevision: granted - 1 })).toBe('AUTHORIZATION_MODE');
    house.advance(3 * hour);
    // What came before it and what comes after all of it is in order again.
    await scene.group('afterwards');
    expect(await recall(at(house.iam.now()))).toBe('AUTHORIZATION_MODE');
    expect(await recall(at(house.iam.now() - 2.8 * hour))).toBe('CLOCK_SET_BACK');
    house.advance(-(3 * hour + 20 * minute));
  });

  it('changes that were acknowledged are there, in the order of revisions, and requests go on', async () => {
    const revisions: number[] = [];
    const names: string[] = [];
    for (const [index, ahead] of [0, 10 * hour, 0, -7 * hour, 3 * hour, 0].entries()) {
      await during(ahead, async () => {
        const token = await house.signIn(house.root, 'account');
        const name = `jump ${index}`;
        const { createGroup } = await house.gql<{ createGroup: { revision: number } }>(token, makeGroup, { name });
        revisions.push(createGroup.revision);
        names.push(name);
      });
    }
    expect([...revisions].sort((one, other) => one - other)).toEqual(revisions);
    const token = await house.signIn(house.root, 'account');
    const { auditEvents } = await house.gql<{
      auditEvents: { nodes: { revision: number; after: { name?: string } | null }[] };
    }>(
      token,
      '{ auditEvents(first: 50, filter: { operation: "createGroup" }, orderBy: { field: REVISION, direction: ASC }) { nodes { revision after } } }',
    );
    const told = auditEvents.nodes.map(({ after }) => after?.name ?? '').filter((name) => name.startsWith('jump'));
    expect(told).toEqual(names);
    expect(house.log.join('')).not.toContain('a defect was masked');
  });
});

const signInTwice =
  'mutation M($account: String!, $userName: String!, $password: String!, $totp: String!) { signIn(input: { account: $account, userName: $userName, password: $password, totp: $totp }) { token userErrors { code } } }';
const signIn =
  'mutation M($account: String!, $userName: String!, $password: String!) { signIn(input: { account: $account, userName: $userName, password: $password }) { token userErrors { code } } }';

it('a lock of a key lasts no longer than a lock when the clock is set back', () => {
  const locks = new KeyLocks();
  const now = Date.parse('2026-06-01T12:00:00Z');
  for (let count = 0; count < 5; count += 1) locks.noteFailure('KEY', null, now + 10 * hour);
  expect(locks.lockedUntil('KEY', null, now)).toBe(now + 5 * minute);
  expect(locks.lockedUntil('KEY', null, now + 5 * minute - 1)).toBe(now + 5 * minute);
  expect(locks.lockedUntil('KEY', null, now + 5 * minute)).toBeNull();
});
