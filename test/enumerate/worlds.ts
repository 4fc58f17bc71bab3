/**
 * Generated worlds in which `whoCan` and `whatCan` are held against `decide`, asked of everybody for every completion of
 * what is open. A world is an account on a real store: people, groups, a service, workspaces, policies, grants.
 */
import {
  createService,
  decide,
  whatCan,
  whoCan,
  type AccessPage,
  type Call,
  type Id,
  type Principal,
  type User,
} from '../../src/iam/index.js';
import { buildContext } from '../../src/policy/index.js';
import { must, Scene, type Statement } from '../iam/scene.js';
import { Dice } from '../replay/random.js';

const actions = ['modelarts:notebook:get', 'modelarts:notebook:create', 'obs:bucket:GetBucketAcl'] as const;
/** A policy is about services of accounts or of workspaces, never both. */
const patterns = [
  ['modelarts:notebook:get', 'modelarts:notebook:*', 'modelarts:*:*'],
  ['obs:*:*', 'obs:bucket:GetBucketAcl'],
] as const;
const openKeys = ['modelarts:poolType', 'g:ResourceTag/team'] as const;
const values = [null, '', 'x', 'y', 'elsewhere'] as const;

type Access = Readonly<Record<string, string>>;

/** What does not agree, one line each; empty where lists and brute force say the same. */
export async function compareWorld(databaseUrl: string, seed: number): Promise<readonly string[]> {
  const dice = new Dice(seed);
  const scene = await Scene.open(databaseUrl);
  try {
    if (dice.chance(0.7)) await scene.strict();
    return await compare(scene, dice);
  } finally {
    await scene.close();
  }
}

async function compare(scene: Scene, dice: Dice): Promise<readonly string[]> {
  const users = [await scene.user(), await scene.user(), await scene.user(), await scene.user()];
  const groups = [await scene.group(...users.slice(0, 2)), await scene.group(...users.slice(1, 3))];
  const hidden = await scene.workspace({ visibility: 'PRIVATE' }, undefined);
  const { service } = must(await createService(scene.iam, await scene.root(), { name: 'trainer' }));
  for (let i = 0; i < 5; i++) {
    const about = dice.pick(patterns);
    const policy = await scene.policy(...Array.from({ length: 1 + dice.below(2) }, () => statementOf(dice, about)));
    const subject = dice.pick([
      ...users.map(({ id }) => ({ kind: 'USER' as const, id })),
      ...groups.map(({ id }) => ({ kind: 'GROUP' as const, id })),
      { kind: 'SERVICE' as const, id: service.id },
    ]);
    const scope = dice.pick([
      { kind: 'ALL' as const, id: '' },
      { kind: 'ACCOUNT' as const, id: '' },
      { kind: 'WORKSPACE' as const, id: dice.pick(['0', hidden.id]) },
    ]);
    await scene.grant(subject, policy, scope);
  }
  const found: string[] = [];
  for (const workspaceId of [null, '0', hidden.id]) {
    for (const resource of [null, `modelarts::${scene.account.id}:notebook:a`]) {
      const asked = { resource, workspaceId, context: [] };
      const byPrincipal = new Map<Id, Access>();
      for (const principal of principalsOf(scene, users, service)) {
        byPrincipal.set(principal.id, await bruteForce(scene, principal, workspaceId, resource));
      }
      const calls = [await scene.root(), ...(workspaceId === null ? [] : [await scene.root(workspaceId)])];
      for (const call of calls) {
        const at = `in ${call.scope.workspaceId ?? 'the account'} about ${workspaceId ?? 'the account'}, ${resource ?? 'no resource'}`;
        for (const action of actions) {
          const expected = Object.fromEntries(
            [...byPrincipal].flatMap(([id, access]) => (access[action] === 'NO' ? [] : [[id, access[action] ?? '']])),
          );
          const listed = await everyPage((window) =>
            whoCan(scene.iam, scene.iam.calls, call, { ...asked, action, filter: {} }, window).then(must),
          );
          const shown = Object.fromEntries(listed.map(({ principal, verdict }) => [principal.id, verdict]));
          note(found, `whoCan ${action} ${at}`, shown, expected, listed.length);
        }
        if (resource === null) continue;
        const [user] = users;
        if (user === undefined) continue;
        const listed = await everyPage((window) =>
          whatCan(
            scene.iam,
            scene.iam.calls,
            call,
            { ...asked, principal: { kind: 'user', id: user.id }, filter: {} },
            { ...window, limit: 100 },
          ).then(must),
        );
        const shown = listed.filter(({ action }) => actions.some((one) => one === action));
        const expected = Object.entries(byPrincipal.get(user.id) ?? {}).filter(([, verdict]) => verdict !== 'NO');
        note(
          found,
          `whatCan ${at}`,
          Object.fromEntries(shown.map(({ action, verdict }) => [action, verdict])),
          Object.fromEntries(expected),
          shown.length,
        );
      }
    }
  }
  return found;
}

function note(found: string[], what: string, shown: Access, expected: Access, count: number): void {
  const sorted = (access: Access): string => JSON.stringify(Object.entries(access).sort());
  if (sorted(shown) !== sorted(expected)) found.push(`${what}: lists ${sorted(shown)}, decides ${sorted(expected)}`);
  if (count !== Object.keys(shown).length) found.push(`${what}: something is listed twice`);
}

interface Window {
  readonly limit: number;
  readonly backward: boolean;
  readonly after: Place;
  readonly before: Place;
}
type Place = AccessPage<unknown>['last'];

/** Every page, forward; backward must show the same. */
async function everyPage<R>(read: (window: Window) => Promise<AccessPage<R>>): Promise<readonly R[]> {
  const forward: R[] = [];
  for (let after: Place = null, more = true; more;) {
    const page = await read({ limit: 2, backward: false, after, before: null });
    forward.push(...page.rows.map(({ record }) => record));
    after = page.last;
    more = page.hasNext;
  }
  const backward: R[] = [];
  for (let before: Place = null, more = true; more;) {
    const page = await read({ limit: 2, backward: true, after: null, before });
    backward.unshift(...page.rows.map(({ record }) => record));
    before = page.first;
    more = page.hasPrevious;
  }
  if (JSON.stringify(forward) !== JSON.stringify(backward)) throw new Error('the list differs when read backwards');
  return forward;
}

function principalsOf(scene: Scene, users: readonly User[], service: { readonly id: Id; readonly name: string }) {
  return [
    { kind: 'ROOT', id: scene.rootUser.id, name: scene.rootUser.name, mfaAt: null },
    ...users.map(({ id, name }) => ({ kind: 'USER', id, name, mfaAt: null })),
    { kind: 'SERVICE', id: service.id, name: service.name, mfaAt: null },
  ] as readonly Principal[];
}

/** Each action's verdict, by asking for everything that the open keys may come to. */
async function bruteForce(
  scene: Scene,
  principal: Principal,
  workspaceId: Id | null,
  resource: string | null,
): Promise<Access> {
  const { calls, store } = scene.iam;
  const call: Call = await scene.root();
  const { account } = call;
  if (account === null) throw new Error('root has an account');
  // As it is now: a grant may have ended a user's default access.
  const user = (await call.reader.find('user', [principal.id])).get(principal.id) ?? null;
  const workspace = workspaceId === null ? null : await store.access.workspace(account.id, workspaceId);
  const rights = await calls.rightsOf(account, principal, user);
  const facts = await calls.scopeFacts(account, { accountId: account.id, workspaceId }, workspace, user, rights);
  const verdicts = actions.map((action) => {
    const effects = new Set<string>();
    for (const pool of values) {
      for (const tag of values) {
        const given = [pool, tag].flatMap((value, i) =>
          value === null ? [] : [[openKeys[i] ?? '', [value]] as const],
        );
        const environment = { ...call.environment, sourceAddress: null };
        const question = { action, resource, context: buildContext(given) };
        effects.add(decide(call.catalogue, rights, facts, environment, question).effect);
      }
    }
    return [action, effects.size === 2 ? 'IF' : effects.has('ALLOW') ? 'YES' : 'NO'] as const;
  });
  return Object.fromEntries(verdicts);
}

function statementOf(dice: Dice, about: readonly string[]): Statement {
  const conditions = [
    { StringEquals: { 'modelarts:poolType': [dice.pick(['x', 'y'])] } },
    { StringNotEquals: { 'g:ResourceTag/team': ['x'] } },
    { StringEquals: { 'g:ResourceTag/team': ['x', 'y'] } },
    { Null: { 'modelarts:poolType': [dice.pick(['true', 'false'])] } },
  ];
  return {
    Effect: dice.chance(0.7) ? 'Allow' : 'Deny',
    Action: [dice.pick(about)],
    ...(dice.chance(0.6) ? { Condition: dice.pick(conditions) } : {}),
  };
}
