/** How much services may register: what is beyond a limit is refused, and what was there before the limits goes on. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createService,
  quotas,
  updateService,
  type CreateServiceInput,
  type Outcome,
  type Service,
  type UpdateServiceInput,
} from '../../src/iam/index.js';
import { databases } from '../store/databases.js';
import { must, Scene } from './scene.js';

const { sqlite } = databases();
let scene: Scene;
/** A service of the time before the limits, with one of everything more than may be. */
let old: Service;

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, n) => n);
const hosts = (count: number) => numbers(count).map((n) => `h${n}.example`);
const kinds = (count: number, description = '') => numbers(count).map((n) => ({ type: `t${n}`, description }));
const actions = (name: string, count: number, description = ''): Service['actions'] =>
  numbers(count).map((n) => ({ name: `${name}:thing:do${n}`, accessLevel: 'WRITE', description }));

let made = 0;
const fresh = (): string => `svc-${(made += 1)}`;

/** Puts services there past the use-case. */
async function put(...services: readonly Partial<Service>[]): Promise<readonly Service[]> {
  const { clock, account } = scene;
  const rows = services.map((values): Service => {
    const name = values.name ?? fresh();
    const dates = { createdAt: clock.at, updatedAt: clock.at };
    const empty = { description: '', hosts: [], actions: [], resourceKinds: [], enabled: true, version: 1 };
    return { id: `id-of-${name}`, accountId: account.id, name, ...empty, ...dates, ...values };
  });
  await scene.iam.store.transaction(scene.origin('test'), async (transaction) => {
    await transaction.insertAll('service', rows);
    return { commit: true, value: undefined };
  });
  return rows;
}

const create = async (input: CreateServiceInput) => createService(scene.iam, await scene.root(), input);
const update = async (input: UpdateServiceInput) => updateService(scene.iam, await scene.root(), input);

function gist<T>(outcome: Outcome<T>): unknown {
  if (outcome.kind !== 'invalid') return outcome.kind;
  return outcome.problems.map(({ code, path, limit, message }) => [code, path?.slice(1).join('.'), limit, message]);
}

const refused = (path: string, limit: number, message: RegExp) => [
  ['LIMIT_EXCEEDED', path, limit, expect.stringMatching(message)],
];

beforeAll(async () => {
  scene = await Scene.open(await sqlite.readyUrl());
  [old] = (await put({
    name: 'old',
    hosts: hosts(quotas.hostsPerService + 1),
    actions: actions('old', quotas.actionsPerService + 1, 'x'.repeat(300)),
    resourceKinds: kinds(quotas.resourceKindsPerService + 1),
  })) as [Service];
});
afterAll(async () => {
  await scene.close();
  await sqlite.stop();
});

describe('a service', () => {
  const parts = [
    ['hosts', quotas.hostsPerService, (_: string, count: number) => ({ hosts: hosts(count) })],
    ['actions', quotas.actionsPerService, (name: string, count: number) => ({ actions: actions(name, count) })],
    ['resourceKinds', quotas.resourceKindsPerService, (_: string, count: number) => ({ resourceKinds: kinds(count) })],
  ] as const;

  it.each(parts)('has no more %s than it may, when it is made and afterwards', async (part, limit, of) => {
    const [whole, more] = [fresh(), fresh()];
    const { service } = must(await create({ name: whole, ...of(whole, limit) }));
    const message = new RegExp(`at most ${limit} .*, and these are ${limit + 1}; leave some out`);
    expect(gist(await create({ name: more, ...of(more, limit + 1) }))).toEqual(refused(part, limit, message));
    expect(gist(await update({ id: service.id, ...of(whole, limit + 1) }))).toEqual(refused(part, limit, message));
    must(await update({ id: service.id, hosts: [], actions: [], resourceKinds: [] }));
  });

  it('describes what it brings in no more than 255 characters', async () => {
    const name = fresh();
    const [tooLong, longest] = ['x'.repeat(256), 'x'.repeat(255)];
    const { service } = must(
      await create({ name, actions: actions(name, 1, longest), resourceKinds: kinds(1, longest) }),
    );
    const faults = ['actions.0', 'resourceKinds.0'].map((at) => [
      'INVALID',
      `${at}.description`,
      undefined,
      '`description` has 256 characters; at most 255 are allowed',
    ]);
    const registered = { actions: actions(name, 1, tooLong), resourceKinds: kinds(1, tooLong) };
    expect(gist(await update({ id: service.id, ...registered }))).toEqual(faults);
    const other = fresh();
    expect(gist(await create({ name: other, ...registered, actions: actions(other, 1, tooLong) }))).toEqual(faults);
    must(await update({ id: service.id, actions: [], resourceKinds: [] }));
  });

  it('names its kinds in no more than 64 characters', async () => {
    const typed = (length: number) => ({ resourceKinds: [{ type: 'x'.repeat(length), description: '' }] });
    const fault = [
      'INVALID',
      'resourceKinds.0.type',
      undefined,
      'a type has at most 64 characters, and this one 65; shorten it',
    ];
    expect(gist(await create({ name: fresh(), ...typed(65) }))).toEqual([fault]);
    const { service } = must(await create({ name: fresh(), ...typed(64) }));
    expect(gist(await update({ id: service.id, ...typed(65) }))).toEqual([fault]);
    must(await update({ id: service.id, resourceKinds: [] }));
  });

  it('that has more since before there were limits is changed like any other, but does not grow', async () => {
    const { id } = old;
    must(await update({ id, description: 'still here', enabled: false }));
    must(await update({ id, hosts: old.hosts, actions: old.actions, resourceKinds: old.resourceKinds }));
    const call = await scene.root();
    expect(call.catalogue.find('old:thing:do1000')).toBeDefined();
    expect(gist(await update({ id, hosts: [...old.hosts, 'more.example'] }))).toEqual(
      refused('hosts', quotas.hostsPerService, /leave some out/),
    );
    must(await update({ id, hosts: old.hosts.slice(1), actions: [], resourceKinds: [] }));
    expect(gist(await update({ id, hosts: old.hosts }))).toEqual(
      refused('hosts', quotas.hostsPerService, /leave some out/),
    );
  });
});

describe('the services of an account', () => {
  it('have no more actions and kinds together than may be, nor are they more than that', async () => {
    const { actionsPerAccount, actionsPerService, resourceKindsPerAccount, resourceKindsPerService } = quotas;
    const [first] = await put(
      ...numbers(actionsPerAccount / actionsPerService).map((n) => ({
        name: `full-${n}`,
        actions: actions(`full-${n}`, actionsPerService),
        resourceKinds: kinds(resourceKindsPerService),
      })),
    );
    const name = fresh();
    expect(gist(await create({ name, actions: actions(name, 1), resourceKinds: kinds(1) }))).toEqual([
      ...refused('actions', actionsPerAccount, /together; take away/),
      ...refused('resourceKinds', resourceKindsPerAccount, /together; take away/),
    ]);
    const { service } = must(await create({ name }));
    expect(gist(await update({ id: service.id, actions: actions(name, 1) }))).toEqual(
      refused('actions', actionsPerAccount, /together/),
    );
    must(await update({ id: first?.id ?? '', actions: actions('full-0', actionsPerService - 1) }));
    must(await update({ id: service.id, actions: actions(name, 1) }));

    const { size } = new Set(await scene.iam.store.access.services(scene.account.id));
    await put(...numbers(quotas.servicesPerAccount - size).map(() => ({})));
    expect(gist(await create({ name: fresh() }))).toEqual(
      refused('name', quotas.servicesPerAccount, /at most 100 services; delete one/),
    );
    must(await update({ id: service.id, description: 'one of a hundred' }));
  });
});
