/** Heads over the API, on both databases: what they are heads of, and for whom. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { isGenuine, verifyTrail, type SignedHead } from '../../src/audit-chain/index.js';
import { auditHeadKey } from '../../src/iam/index.js';
import { inspectStore } from '../../src/store/index.js';
import { databaseNames, startHouse, type TestHouse } from '../kit/house.js';

/** The query that docs/audit.md tells people to send. */
async function documented(): Promise<string> {
  const text = await readFile(new URL('../../docs/audit.md', import.meta.url), 'utf8');
  return /```graphql\n(.*?)```/s.exec(text)?.[1] ?? '';
}

async function headOf(house: TestHouse, token: string): Promise<SignedHead> {
  return (await house.gql<{ auditHead: SignedHead }>(token, await documented())).auditHead;
}

async function verified(house: TestHouse, account: string, heads: readonly SignedHead[]) {
  const inspection = await inspectStore(house.databaseUrl);
  if (inspection === null) throw new Error('there is no database');
  try {
    return await verifyTrail(inspection.trail, account, heads);
  } finally {
    await inspection.close();
  }
}

const createGroup = `mutation ($name: String!) { createGroup(input: { name: $name }) { group { id } revision userErrors { message } } }`;

describe.each(databaseNames)('%s', (database) => {
  test('fifty mutations at once make one chain, of which a head is a head', async () => {
    const house = await startHouse({ database });
    const other = await house.addAccount('other');
    const token = await house.signIn(house.root, 'account');
    const elsewhere = await house.signIn(other, 'account');
    const before = await headOf(house, token);
    await Promise.all(
      [...Array(50).keys()].flatMap((index) => [
        house.gql(token, createGroup, { name: `group ${index}` }),
        ...(index % 5 === 0 ? [house.gql(elsewhere, createGroup, { name: `group ${index}` })] : []),
      ]),
    );
    const after = await headOf(house, token);
    expect(after.position).toBe(before.position + 50);
    const { publicKey } = auditHeadKey(house.masterKey);
    for (const head of [before, after]) expect(isGenuine(head, publicKey)).toBe(true);
    const verdict = await verified(house, after.account, [before, after]);
    expect(verdict).toMatchObject({ breaks: [], events: after.position, provenThrough: after.position });
    // The other account has a chain and a head of its own.
    const theirs = await headOf(house, elsewhere);
    expect(theirs.account).not.toBe(after.account);
    expect(theirs.publicKey).toBe(after.publicKey);
    expect(await verified(house, theirs.account, [theirs])).toMatchObject({
      breaks: [],
      provenThrough: theirs.position,
    });
    await house.stop();
  });

  test('a head counts what happens inside workspaces, is asked for in account scope, and by an action of its own', async () => {
    const house = await startHouse({ database });
    const token = await house.signIn(house.root, 'account');
    const inside = await house.signIn(house.root, { workspace: '0' });
    const before = await headOf(house, token);
    const urn = `modelarts:cn-north-4:${before.account}:notebook:n1`;
    const register = `mutation ($urn: String!) { registerResource(input: { urn: $urn }) { resource { id } userErrors { message } } }`;
    await house.gql(inside, register, { urn });
    expect((await headOf(house, token)).position).toBe(before.position + 1);
    const refused = (await house.ask(inside, await documented())) as { errors?: readonly { extensions?: object }[] };
    expect(refused.errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', reason: 'WRONG_SCOPE' });
    await house.stop();
  });
});
