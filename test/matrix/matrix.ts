/**
 * The permission matrix, generated from the schema: every root field, asked as everyone it should be refused to and as
 * everyone it should let in. A cell passes when the answer at that field is, or is not, FORBIDDEN or UNAUTHENTICATED as
 * expected; whether the use-case then succeeds is other tests' matter.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import type { PermissionRule } from '../../src/graphql/rules.js';
import { selfPolicy } from '../../src/catalogue/index.js';
import { post, type Answer } from '../kit/exchange.js';
import { hearOnce, listen } from '../kit/listening.js';
import { startHouse, testSchema, type DatabaseName } from '../kit/house.js';
import { aimed } from './aim.js';
import { operationFor, rootFields, type RootField } from './fields.js';
import { fixtures } from './fixtures.js';
import { makeWorld, type Place, type World } from './world.js';

interface Refusal {
  readonly code: string;
  readonly reason: unknown;
  readonly action: unknown;
  readonly requiredScope: unknown;
}

/** One file of tests for each database calls this, so that they run side by side. */
export function matrixOn(database: DatabaseName): void {
  let world: World;
  /** A token of the root of another account. */
  let foreignToken: (place: Place) => Promise<string>;
  beforeAll(async () => {
    world = await makeWorld(await startHouse({ database }));
    const { id, account } = await world.house.addAccount('foreign-account');
    const accountId = (await world.house.iam.store.access.accountByName(account))?.id;
    foreignToken = (place) => world.token(id, place, accountId);
  });

  const fields = rootFields(testSchema());
  const guarded = fields.filter(
    (field): field is RootField & { readonly rule: PermissionRule } => field.rule.kind === 'permission',
  );
  const open = fields.filter(({ rule }) => rule.kind === 'public');

  /** Actions that Self gives to everyone without naming a resource. */
  const selfActions = (selfPolicy.document['Statement'] as readonly { Action: readonly string[]; Resource?: unknown }[])
    .filter(({ Resource }) => Resource === undefined)
    .flatMap(({ Action }) => Action);

  /** Fields that Self opens for one's own row, whatever else the caller holds; the rows are filtered behind the door. */
  const ownThroughSelf = new Set([
    'Query.authorizations',
    'Mutation.changePassword',
    'Mutation.createAccessKey',
    'Mutation.deleteAccessKey',
    'Mutation.updateAccessKey',
    'Mutation.confirmSecondFactor',
    'Mutation.createKeyPair',
    'Mutation.deleteKeyPair',
    'Mutation.importKeyPair',
    'Mutation.createSecondFactor',
  ]);

  async function ask(field: RootField, token: string | null, action = ''): Promise<Answer> {
    const args = fixtures[field.at]?.(world, action);
    if (args === undefined) throw new Error(`${field.at} has no fixture`);
    return askWith(field, token, args);
  }

  async function askWith(
    field: RootField,
    token: string | null,
    args: Readonly<Record<string, unknown>>,
  ): Promise<Answer> {
    const query = operationFor(field, args);
    if (field.kind === 'subscription') return hearOnce(world.house, token, query, args);
    return post(world.house.url, token, { query, variables: args });
  }

  /** The refusal at the field, null when it was let in. Anything else that went wrong fails. */
  function refusal(answer: Answer): Refusal | null {
    for (const { path, extensions, message } of answer.errors) {
      const { code, reason, action, requiredScope } = extensions;
      if (code === 'FORBIDDEN' || code === 'UNAUTHENTICATED') {
        expect(path).toEqual(['answer']);
        return { code, reason, action, requiredScope };
      }
      // A mistake in the input may be refused after the door; a broken document never reaches it.
      expect({ code, message, path }).toMatchObject({ code: 'BAD_USER_INPUT', path: ['answer'] });
    }
    return null;
  }

  /** Let in: no refusal, or only the exact question behind the door, which names an action that is not the door's. */
  function expectLetIn(refused: Refusal | null, { anyOf }: PermissionRule): void {
    if (refused === null) return;
    expect(refused.code).toBe('FORBIDDEN');
    expect(anyOf).not.toContain(refused.action);
  }

  function placesOf({ scope }: PermissionRule): readonly Place[] {
    const inside: Place = { workspace: world.home };
    if (scope === 'ACCOUNT') return ['account'];
    return scope === 'WORKSPACE' ? [inside] : ['account', inside];
  }

  async function as(field: RootField, userId: string, place: Place, action = '') {
    return refusal(await ask(field, await world.token(userId, place), action));
  }

  function isOpenToAll({ at, rule }: { readonly at: string; readonly rule: PermissionRule }): boolean {
    return ownThroughSelf.has(at) || rule.anyOf.some((action) => selfActions.includes(action));
  }

  it('every root field has a fixture, and every fixture a field', () => {
    expect(Object.keys(fixtures).sort()).toEqual(fields.map(({ at }) => at).sort());
  });

  describe.each(open)('$at is public', (field) => {
    it('answers a caller without credential', async () => {
      expect(refusal(await ask(field, null))).toBeNull();
    });
  });

  describe.each(guarded)('$at', (field) => {
    const { rule } = field;

    it('refuses the anonymous caller', async () => {
      const answer = await ask(field, null);
      expect(refusal(answer)).toMatchObject({ code: 'UNAUTHENTICATED' });
      expect(answer.status).toBe(401);
    });

    it(isOpenToAll(field) ? 'lets in a user with nothing, through Self' : 'refuses a user without rights', async () => {
      const user = await world.holding();
      for (const place of placesOf(rule)) {
        const refused = await as(field, user, place);
        if (isOpenToAll(field)) expect(refused).toBeNull();
        else expect(refused).toMatchObject({ code: 'FORBIDDEN' });
      }
    });

    it.each(rule.anyOf)('lets in who holds exactly %s', async (action) => {
      const user = await world.holding(action);
      for (const place of placesOf(rule)) expectLetIn(await as(field, user, place, action), rule);
    });

    it('lets in who holds a wildcard', async () => {
      const services = new Set(rule.anyOf.map((action) => action.split(':')[0]));
      const user = await world.holding(...[...services].map((service) => `${service}:*:*`));
      for (const place of placesOf(rule)) expectLetIn(await as(field, user, place), rule);
    });

    it('refuses whom a Deny names, whatever they hold', async () => {
      const user = await world.stranger();
      await world.give(user, 'Allow', ['*:*:*']);
      for (const action of rule.anyOf) await world.give(user, 'Deny', [action]);
      for (const place of placesOf(rule)) expect(await as(field, user, place)).toMatchObject({ code: 'FORBIDDEN' });
    });

    if (!isOpenToAll(field)) {
      it('refuses who holds the right in another workspace only', async () => {
        const user = await world.stranger();
        for (const action of rule.anyOf) await world.give(user, 'Allow', [action], { workspace: world.elsewhere });
        for (const place of placesOf(rule)) expect(await as(field, user, place)).toMatchObject({ code: 'FORBIDDEN' });
      });
    }

    it('lets an administrator of another account see nothing of this one', async () => {
      for (const place of rule.scope === 'WORKSPACE' ? [{ workspace: '0' }] : (['account'] as const)) {
        const answer = await ask(field, await foreignToken(place));
        expect(refusal(answer)).toBeNull();
        expect(answer.text).not.toMatch(/some-|home-workspace|other-workspace/);
      }
    });

    if (field.kind === 'subscription') {
      it('ends with a refusal once a Deny names who listens', async () => {
        for (const place of placesOf(rule)) {
          const user = await world.stranger();
          await world.give(user, 'Allow', rule.anyOf);
          const args = fixtures[field.at]?.(world, '') ?? {};
          const stream = await listen(world.house, await world.token(user, place), operationFor(field, args), args);
          await world.give(user, 'Deny', rule.anyOf);
          const said = await stream.rest();
          const errors = said.flatMap((one) => ('errors' in one ? (one.errors ?? []) : []));
          expect(errors.map(({ path, extensions: { code } }) => ({ path, code }))).toEqual([
            { path: ['answer'], code: 'FORBIDDEN' },
          ]);
          expect(said.at(-1)).toEqual({ complete: true });
          await stream.stop();
        }
      });
    }

    if (field.kind === 'mutation') {
      it('changes nothing of this account for an administrator of another, who knows the real ids', async () => {
        const { access } = world.house.iam.store;
        const before = (await access.account(world.accountId))?.revision;
        for (const place of rule.scope === 'WORKSPACE' ? [{ workspace: '0' }] : (['account'] as const)) {
          const answer = await askWith(field, await foreignToken(place), aimed(field, world));
          expect(answer.text).not.toMatch(/some-|home-workspace|other-workspace|stranger-\d/);
        }
        expect((await access.account(world.accountId))?.revision).toBe(before);
      });
    }

    if (field.kind === 'mutation' && rule.scope !== 'ACCOUNT') {
      it('changes nothing of one workspace for who may do everything in another and knows the real ids', async () => {
        const { house, accountId, resourceId, home, elsewhere } = world;
        const inHome = house.iam.store.reader({ accountId, workspaceId: home });
        const resource = async () => (await inHome.find('resource', [resourceId])).get(resourceId);
        const before = await resource();
        const mighty = await world.holding('*:*:*');
        const token = await world.token(mighty, { workspace: elsewhere });
        const answer = await askWith(field, token, aimed(field, world));
        expect(answer.text).not.toMatch(/some-notebook|home-workspace/);
        expect(before).toBeDefined();
        expect(await resource()).toEqual(before);
      });
    }

    if (rule.scope !== 'ANY') {
      it('refuses a credential of the wrong scope and says which it needs', async () => {
        const user = await world.holding('*:*:*');
        const wrong: Place = rule.scope === 'ACCOUNT' ? { workspace: world.home } : 'account';
        expect(await as(field, user, wrong)).toMatchObject({
          code: 'FORBIDDEN',
          reason: 'WRONG_SCOPE',
          requiredScope: rule.scope,
        });
      });
    }
  });
}
