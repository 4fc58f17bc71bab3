/**
 * The catalogue of an account: the platform's, with what the account's services registered (rule 3). Put together once for all who
 * ask while the account's accessRevision stands.
 */
import type { Catalogue, RegisteredAction, RegisteredKind } from '../catalogue/index.js';
import type { House } from './house.js';
import type { Store } from './ports.js';
import { Recollection, type Stamp } from './recollection.js';
import type { Account, Id, Service } from './records.js';

/** Of as many accounts what their services registered is kept: 80 KiB for a usual one, a few MiB for one at every limit. */
const keptCatalogues = 1_000;

/** What is kept is kept by the revision; nothing but the id and it may matter. */
type AsOf = Pick<Account, 'id' | 'accessRevision'>;

interface Registered {
  readonly catalogue: Catalogue;
  readonly hosts: ReadonlySet<string>;
}

/** The platform's catalogue with what the account's services registered. */
export async function accountCatalogue(house: House, account: AsOf): Promise<Catalogue> {
  return (await registered(house, account)).catalogue;
}

/** Hosts under which the account's services are reached. */
export async function serviceHosts(house: House, account: AsOf): Promise<ReadonlySet<string>> {
  return (await registered(house, account)).hosts;
}

/** A catalogue with what these services registered. */
export function catalogueOf(platform: Catalogue, services: readonly Service[]): Catalogue {
  if (services.length === 0) return platform;
  return platform.with(services.flatMap(actionsOf), services.flatMap(kindsOf));
}

export function actionsOf(service: Pick<Service, 'name' | 'actions'>): readonly RegisteredAction[] {
  return service.actions.map((action) => ({ service: service.name, ...action }));
}

export function kindsOf(service: Pick<Service, 'name' | 'resourceKinds'>): readonly RegisteredKind[] {
  return service.resourceKinds.map(({ type, description }) => ({
    service: service.name,
    name: `${service.name}:${type}`,
    label: description === '' ? undefined : description,
  }));
}

interface Kept {
  readonly registered: Recollection<Registered>;
  readonly catalogues: Catalogues;
}

const ofStores = new WeakMap<Store, Kept>();

/** What the account's services registered; read again, once for all who ask meanwhile, when the accessRevision has moved. */
function registered(house: House, account: AsOf): Registered | Promise<Registered> {
  let kept = ofStores.get(house.store);
  if (kept === undefined) {
    kept = { registered: new Recollection(keptCatalogues), catalogues: new Catalogues() };
    ofStores.set(house.store, kept);
  }
  const { catalogues } = kept;
  return kept.registered.of(account.id, account.accessRevision, async () => {
    const services = await house.store.access.services(account.id);
    const catalogue = catalogues.of(account, services, house.catalogue);
    return { catalogue, hosts: new Set(services.flatMap(({ hosts }) => hosts)) };
  });
}

interface MadeCatalogue {
  readonly stamp: Stamp;
  /** What the catalogue was made of. */
  readonly text: string;
  readonly catalogue: Catalogue;
}

/**
 * The latest catalogue of each account, whatever its accessRevision. Few moves of that are about services: while what they
 * registered stays, so does the catalogue, with everything that was read from it.
 */
class Catalogues {
  readonly #latest = new Map<Id, MadeCatalogue>();

  of({ id, accessRevision: stamp }: AsOf, services: readonly Service[], platform: Catalogue): Catalogue {
    const text = JSON.stringify(services.map(({ name, actions, resourceKinds }) => [name, actions, resourceKinds]));
    const known = this.#latest.get(id);
    const catalogue = known?.text === text ? known.catalogue : catalogueOf(platform, services);
    // Whoever was slow and asks under a revision that is past takes nothing away from the others.
    if (known === undefined || known.stamp <= stamp) this.#keep(id, { stamp, text, catalogue });
    return catalogue;
  }

  #keep(id: Id, made: MadeCatalogue): void {
    // Made anew it is the youngest; with too many the oldest goes.
    this.#latest.delete(id);
    const [oldest] = this.#latest.keys();
    if (oldest !== undefined && this.#latest.size >= keptCatalogues) this.#latest.delete(oldest);
    this.#latest.set(id, made);
  }
}
