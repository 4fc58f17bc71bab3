import { TOTP, URI } from 'otpauth';
import { beforeAll, describe, expect, it } from 'vitest';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { resolvers } from '../../src/graphql/resolvers.js';
import { buildGuardedSchema } from '../../src/graphql/schema.js';
import { createUser, type Id } from '../../src/iam/index.js';
import { allow, gist, makeStrict, refusedWith, send } from './acts.js';
import { must, openStage, type Stage } from './stage.js';

const schema = buildGuardedSchema({ resolvers, catalogue: platformCatalogue });
const password = 'Correct-horse-9';

let stage: Stage;
let root: string;
beforeAll(async () => {
  stage = await openStage(schema);
  await makeStrict(stage);
  root = await stage.token(stage.root, 'account');
});

async function person(name: string): Promise<Id> {
  return must(await createUser(stage.iam, await stage.call(root), { name, password })).id;
}

/** The code of the device that has scanned this address. */
function codeOf(uri: string): string {
  const device = URI.parse(uri);
  if (!(device instanceof TOTP)) throw new Error('the address is of another kind');
  return device.generate({ timestamp: stage.iam.now() });
}

interface Made {
  readonly uri: string;
  readonly secret: string;
  readonly replayed: boolean;
}

const make = (token: string, input: object = {}) =>
  send<Made>(stage, token, 'createSecondFactor', input, 'secondFactor { confirmedAt } uri secret replayed');
const confirm = (token: string, code: string) =>
  send(stage, token, 'confirmSecondFactor', { code }, 'secondFactor { confirmedAt createdAt }');
const remove = (token: string, input: object) => send(stage, token, 'deleteSecondFactor', input, 'user { name }');

async function signIn(userName: string, totp?: string) {
  const source = `mutation ($input: SignInInput!) { signIn(input: $input) {
    token viewer { secondFactor { confirmedAt } sessions { nodes { secondFactorAt } } } userErrors { code message path } } }`;
  const { data } = await stage.ask(null, source, { input: { account: 'default', userName, password, totp } });
  return data['signIn'] as { token: string | null; viewer: unknown; userErrors: unknown[] };
}

describe('a second factor', () => {
  it('is made, scanned, confirmed, asked for, and taken away again', async () => {
    const ann = await stage.token(await person('careful-ann'), 'account');
    expect(await stage.get(ann, '{ viewer { secondFactor { confirmedAt } } }')).toEqual({
      viewer: { secondFactor: null },
    });
    const made = await make(ann);
    expect(made).toMatchObject({ secondFactor: { confirmedAt: null }, replayed: false, userErrors: [] });
    expect(URI.parse(made.uri)).toMatchObject({ issuer: 'Bailiwick', label: 'careful-ann@default', digits: 6 });
    expect(made.uri).toContain(made.secret);
    expect(gist(await confirm(ann, '123456'))).toEqual([['CREDENTIALS_INVALID', 'code', 'IAM.0062']]);
    expect(await confirm(ann, codeOf(made.uri))).toMatchObject({
      secondFactor: { confirmedAt: expect.stringMatching(/Z$/) as string },
      userErrors: [],
    });

    expect(await signIn('careful-ann')).toEqual({
      token: null,
      viewer: null,
      userErrors: [
        {
          code: 'SECOND_FACTOR_REQUIRED',
          message: 'the user has a second factor; send its present one-time password as well',
          path: ['input', 'totp'],
        },
      ],
    });
    stage.advance(30_000);
    const signedIn = await signIn('careful-ann', codeOf(made.uri));
    const instant = expect.stringMatching(/Z$/) as string;
    expect(signedIn).toMatchObject({
      viewer: {
        secondFactor: { confirmedAt: instant },
        sessions: { nodes: [{ secondFactorAt: instant }, { secondFactorAt: null }] },
      },
      userErrors: [],
    });

    expect(gist(await remove(ann, {}))).toEqual([['INVALID', 'code', null]]);
    expect(await remove(ann, { password })).toMatchObject({ user: { name: 'careful-ann' }, userErrors: [] });
    expect((await signIn('careful-ann')).userErrors).toEqual([]);
  });

  it('shows its secret no second time', async () => {
    const ann = await stage.token(await person('retrying-ann'), 'account');
    await make(ann, { idempotencyKey: 'once' });
    expect(await make(ann, { idempotencyKey: 'once' })).toMatchObject({ uri: null, secret: null, replayed: true });
  });

  it('needs no input to be made', async () => {
    const ann = await stage.token(await person('brief-ann'), 'account');
    expect(await stage.get(ann, 'mutation { createSecondFactor { secondFactor { confirmedAt } } }')).toEqual({
      createSecondFactor: { secondFactor: { confirmedAt: null } },
    });
  });

  it('of another is seen and taken away with the rights of its own kind only', async () => {
    const ann = await person('bound-ann');
    const token = await stage.token(ann, 'account');
    await confirm(token, codeOf((await make(token)).uri));
    const ben = await stage.user('helping-ben');
    const bearer = await stage.token(ben, 'account');
    const source = `{ user(id: "${ann}") { secondFactor { createdAt } } }`;
    await allow(stage, ben, ['iam:users:getUser']);
    expect(await stage.get(bearer, source)).toEqual({ user: { secondFactor: null } });
    await allow(stage, ben, ['iam:mfa:listVirtualMFADevices']);
    expect(await stage.get(bearer, source)).not.toEqual({ user: { secondFactor: null } });
    expect(await refusedWith(stage, bearer, 'deleteSecondFactor', { userId: ann })).toEqual(['FORBIDDEN']);
    await allow(stage, ben, ['iam:mfa:deleteVirtualMFADevice']);
    expect(await refusedWith(stage, bearer, 'deleteSecondFactor', { userId: ann })).toEqual(['FORBIDDEN']);
    await allow(stage, ben, ['iam:mfa:unbindMFADevice']);
    expect(await remove(bearer, { userId: ann })).toMatchObject({ user: { name: 'bound-ann' }, userErrors: [] });
  });

  it('is nothing that a Deny could not close', async () => {
    const ann = await person('barred-ann');
    await allow(stage, ann, [{ Effect: 'Deny', Action: ['iam:mfa:*'] }]);
    const token = await stage.token(ann, 'account');
    expect(await refusedWith(stage, token, 'createSecondFactor', {})).toEqual(['FORBIDDEN']);
    expect(await refusedWith(stage, token, 'confirmSecondFactor', { code: '000000' })).toEqual(['FORBIDDEN']);
    expect(await refusedWith(stage, token, 'deleteSecondFactor', { password })).toEqual(['FORBIDDEN']);
    expect(await stage.get(token, '{ viewer { secondFactor { createdAt } } }')).toEqual({
      viewer: { secondFactor: null },
    });
  });
});
