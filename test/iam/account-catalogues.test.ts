/** Catalogues of accounts: put together once for all who ask, never from an older state, and the same while nothing of them changes. */
import { describe, expect, it } from 'vitest';
import { platformCatalogue, type Catalogue } from '../../src/catalogue/index.js';
import { accountCatalogue, serviceHosts } from '../../src/iam/account-catalogues.js';
import type { House, Service } from '../../src/iam/index.js';

const labeling = service('labeling');
const ranking = service('ranking');

function service(name: string): Service {
  const action = { name: `${name}:task:create`, accessLevel: 'WRITE', description: '' } as const;
  const hosts = [`${name}.example`];
  return { name, hosts, actions: [action], resourceKinds: [] as Service['resourceKinds'] } as unknown as Service;
}

/** A reading of the services that waits until it is answered. */
interface Reading {
  answer(services: readonly Service[]): void;
  fail(error: Error): void;
}

/** The database of one account `a`. */
function openBook(): {
  readonly house: House;
  readonly readings: Reading[];
  readonly ask: (accessRevision: number) => Promise<Catalogue>;
} {
  const readings: Reading[] = [];
  const services = (): Promise<readonly Service[]> =>
    new Promise((answer, fail) => {
      readings.push({ answer, fail });
    });
  const house = { store: { access: { services } }, catalogue: platformCatalogue } as unknown as House;
  return { readings, house, ask: (accessRevision) => accountCatalogue(house, { id: 'a', accessRevision }) };
}

const knows = (catalogue: Catalogue, name: string): boolean => catalogue.find(`${name}:task:create`) !== undefined;

describe('the catalogue of an account', () => {
  it('is read and put together once, however many ask at the same time', async () => {
    const { readings, ask, house } = openBook();
    for (const accessRevision of [1, 2]) {
      const asked = Array.from({ length: 50 }, () => ask(accessRevision));
      const hosts = serviceHosts(house, { id: 'a', accessRevision });
      expect(readings).toHaveLength(accessRevision);
      readings[accessRevision - 1]?.answer(accessRevision === 1 ? [labeling] : [labeling, ranking]);
      const catalogues = await Promise.all(asked);
      expect(new Set(catalogues).size).toBe(1);
      expect(catalogues.map((catalogue) => knows(catalogue, 'ranking'))[0]).toBe(accessRevision === 2);
      expect((await hosts).has('ranking.example')).toBe(accessRevision === 2);
      expect(await ask(accessRevision)).toBe(catalogues[0]);
      expect(readings).toHaveLength(accessRevision);
    }
  });

  it('is the same as before while what is registered stays, also for those who read at the same time', async () => {
    const { readings, ask } = openBook();
    const [first, second] = [ask(1), ask(2)];
    readings[1]?.answer([labeling]);
    readings[0]?.answer([labeling]);
    const catalogue = await second;
    expect(await first).toBe(catalogue);
    const third = ask(3);
    readings[2]?.answer([labeling]);
    expect(await third).toBe(catalogue);
    const fourth = ask(4);
    readings[3]?.fail(new Error('away'));
    await expect(fourth).rejects.toThrow('away');
    const again = ask(4);
    readings[4]?.answer([labeling]);
    expect(await again).toBe(catalogue);
  });

  it('is read again where it could not be read, which everybody who waited for it is told', async () => {
    const { readings, ask } = openBook();
    const asked = [ask(1), ask(1)];
    readings[0]?.fail(new Error('away'));
    expect((await Promise.allSettled(asked)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const again = ask(1);
    expect(readings).toHaveLength(2);
    readings[1]?.answer([labeling]);
    expect(knows(await again, 'labeling')).toBe(true);
  });

  it('is not put back by somebody who was slow and asked under a revision that is past', async () => {
    const { readings, ask } = openBook();
    const slow = ask(1);
    const current = ask(2);
    readings[1]?.answer([labeling, ranking]);
    const catalogue = await current;
    const slower = ask(1);
    readings[0]?.answer([labeling]);
    readings[2]?.answer([labeling]);
    expect(knows(await slow, 'ranking')).toBe(false);
    expect(knows(await slower, 'ranking')).toBe(false);
    expect(await ask(2)).toBe(catalogue);
    expect(readings).toHaveLength(3);
    const next = ask(3);
    readings[3]?.answer([labeling, ranking]);
    expect(await next).toBe(catalogue);
  });
});
