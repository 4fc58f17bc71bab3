/** `comparePolicies` through the API: what it shows, of which policies, and to whom. */
import { beforeAll, describe, expect, it } from 'vitest';
import { databaseNames, startHouse, type Person, type TestHouse } from '../kit/house.js';
import { setScene, type Scene } from '../kit/scene.js';

const query = `query Compare($before: ComparedPolicyInput!, $after: ComparedPolicyInput!) {
  comparePolicies(before: $before, after: $after) {
    verdict verdictBesideOthers message
    gained { ...Request } lost { ...Request } lifted { ...Request } imposed { ...Request }
    beforeProblems { code severity pointer line } afterProblems { code severity pointer line }
  }
}
fragment Request on ChangedRequest {
  action resource context { key values } message
  before { effect reason statements { index sid effect } }
  after { effect reason statements { index sid effect } }
}`;

const get = 'modelarts:notebook:get';
const remove = 'modelarts:notebook:delete';
const allow = (...Action: string[]) => ({ Effect: 'Allow', Action });
const documentOf = (...Statement: readonly object[]) => ({ Version: '1.1', Statement });
const reading = documentOf(allow(get));
const plainId = (id: string) => Buffer.from(id, 'base64url').toString().replace(/^.*:/, '');

describe.each(databaseNames)('comparePolicies on %s', (database) => {
  let house: TestHouse;
  let scene: Scene;
  let guest: Person;
  let workspace: string;
  let stored: string;

  beforeAll(async () => {
    house = await startHouse({ database });
    scene = await setScene(house);
    guest = await scene.user('guest');
    workspace = await scene.workspace('w-one');
    stored = await scene.policy('stored', [get]);
    const wider = documentOf(allow(get), allow(remove));
    await house.gql(
      scene.token,
      'mutation ($input: CreatePolicyVersionInput!) { createPolicyVersion(input: $input) { userErrors { message } } }',
      { input: { policyId: stored, document: wider } },
    );
    await scene.grant(await scene.policy('simulating', ['bailiwick:access:simulate']), { user: guest.id });
  });

  const compare = async (before: object, after: object, token = scene.token) =>
    (await house.gql<{ comparePolicies: Record<string, unknown> }>(token, query, { before, after })).comparePolicies;
  const failure = async (before: object, after: object, token = scene.token) => {
    const answered = await house.ask(token, query, { before, after });
    return answered.errors?.map(({ message, extensions }) => ({ message, ...extensions }))[0];
  };

  it('shows a request that only one side allows, and the statements that decide it', async () => {
    const condition = { IpAddress: { 'g:SourceIp': ['10.0.0.0/8'] } };
    const told = await compare(
      { document: documentOf({ ...allow(get), Condition: condition }) },
      { document: JSON.stringify(documentOf(allow(get))) },
    );
    expect(told).toMatchObject({
      verdict: 'WIDER',
      verdictBesideOthers: 'WIDER',
      message: 'allows more than before',
      gained: {
        action: get,
        before: { effect: 'DENY', reason: 'NO_MATCHING_ALLOW', statements: [] },
        after: { effect: 'ALLOW', reason: 'ALLOWED', statements: [{ index: 0, sid: null, effect: 'ALLOW' }] },
      },
      lost: null,
      lifted: null,
      imposed: null,
    });
    expect((told['gained'] as { message: string }).message).toMatch(/^`modelarts:notebook:get` on /);
  });

  it('a Deny that goes is shown as lifted, and is wider beside other policies only', async () => {
    const deny = { Effect: 'Deny', Action: [remove] };
    const [before, after] = [{ document: documentOf(allow(get), deny) }, { document: reading }];
    expect(await compare(before, after)).toMatchObject({
      verdict: 'EQUIVALENT',
      verdictBesideOthers: 'WIDER',
      message: 'by itself it allows the same as before; beside other policies it allows more than before',
      gained: null,
      lifted: { action: remove, before: { reason: 'EXPLICIT_DENY' }, after: { reason: 'NO_MATCHING_ALLOW' } },
      imposed: null,
    });
    expect(await compare(after, before)).toMatchObject({
      verdictBesideOthers: 'NARROWER',
      lifted: null,
      imposed: { action: remove },
    });
  });

  it('takes stored policies: the version in use unless one is named, system policies too', async () => {
    const second = { policy: { id: stored, version: 2 } };
    expect(await compare({ policy: { id: stored } }, second)).toMatchObject({
      verdict: 'WIDER',
      gained: { action: remove, after: { statements: [{ index: 1, sid: null }] } },
    });
    expect(await compare({ policy: { id: stored } }, { document: reading })).toMatchObject({ verdict: 'EQUIVALENT' });
    expect(await compare({ policy: { id: 'full_access' } }, second)).toMatchObject({
      verdict: 'NARROWER',
      gained: null,
    });
  });

  it('says what is wrong with a document as if it were to be saved', async () => {
    const text = '{"Version":"1.1","Statement":[{"Effect":"Maybe","Action":["modelarts:notebook:get"]}]}';
    expect(await compare({ document: reading }, { document: text })).toMatchObject({
      verdict: null,
      verdictBesideOthers: null,
      message: 'one of the two cannot be read; its problems say why',
      gained: null,
      beforeProblems: [],
      afterProblems: [{ code: 'BAD_EFFECT', severity: 'ERROR', pointer: '/Statement/0/Effect', line: 1 }],
    });
    const unknown = documentOf(allow('modelarts:notebok:get'));
    expect(await compare({ document: reading }, { document: unknown })).toMatchObject({
      verdict: 'INCOMPARABLE',
      afterProblems: [{ code: 'IAM.1036', severity: 'ERROR', pointer: '/Statement/0/Action/0' }],
    });
  });

  it('needs its own action; a stored policy that one may not read is not there', async () => {
    const token = await house.signIn(guest, 'account');
    const document = { document: reading };
    expect(await compare(document, document, token)).toMatchObject({ verdict: 'EQUIVALENT' });
    const nobody = 'f'.repeat(32);
    const closed = await failure(document, { policy: { id: stored } }, token);
    expect(closed).toMatchObject({ code: 'BAD_USER_INPUT', reference: 'IAM.0004' });
    expect(await failure(document, { policy: { id: nobody } }, token)).toEqual({
      ...closed,
      message: closed?.message.replace(plainId(stored), nobody),
    });
    expect(await failure(document, { policy: { id: nobody } })).toMatchObject({
      message: `there is no policy \`${nobody}\` here`,
    });
    expect(await failure(document, { policy: { id: stored, version: 9 } })).toMatchObject({
      message: 'there is no version `9` here',
    });
    const plain = await house.signIn(await scene.user('plain'), 'account');
    expect(await failure(document, document, plain)).toMatchObject({
      code: 'FORBIDDEN',
      action: 'bailiwick:access:simulate',
    });
  });

  it('inside a workspace a policy that is not granted there is not there', async () => {
    const token = await house.signIn(house.root, { workspace });
    expect(await failure({ policy: { id: stored } }, { document: reading }, token)).toMatchObject({
      message: `there is no policy \`${plainId(stored)}\` here`,
    });
    await scene.grant(stored, { user: guest.id }, { workspace });
    expect(await compare({ policy: { id: stored } }, { document: reading }, token)).toMatchObject({
      verdict: 'EQUIVALENT',
    });
  });

  it('a side is exactly one of a document and a stored policy', async () => {
    const document = { document: reading };
    expect(await failure(document, {})).toMatchObject({ code: 'BAD_USER_INPUT' });
    expect(await failure(document, { ...document, policy: { id: stored } })).toMatchObject({ code: 'BAD_USER_INPUT' });
  });
});
