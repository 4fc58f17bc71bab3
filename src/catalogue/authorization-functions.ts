/**
 * What the functions of the platform need, on both sides: the user who starts something, and the agency with whose
 * rights it runs (docs/domain.md sections f2 and f3). Data in `schema/functions.json`, completed from the catalogue's
 * dependencies, so that an action which gains one is asked for everywhere at once.
 */
import { foldName, type ActionRow, type ResourceKind } from './action-row.js';
import { dependenciesOf, platformCatalogue, type Catalogue } from './catalogue.js';
import { readRows, RowReader, type JsonObject } from './schema-file.js';
import { suggestName } from './suggestion.js';

/** A part of the platform that somebody can be let use. */
export interface AuthorizationFunction {
  readonly id: string;
  readonly label: string;
  readonly description: string;
  /** Names of the resource kinds that it is made of. */
  readonly resourceKinds: readonly string[];
  /** What its user needs: acting on the kinds, and what that depends on. Canonical names, sorted. */
  readonly userActions: readonly string[];
  /** What the service does elsewhere in the user's place. Canonical names, sorted; empty when it does nothing. */
  readonly agencyActions: readonly string[];
  /** Of the preset for ordinary users. */
  readonly commonUser: boolean;
}

/** Which functions are meant: those of the ordinary user, or those that are picked. */
export const authorizationPresets = ['COMMON_USER', 'CUSTOM'] as const;

export type AuthorizationPreset = (typeof authorizationPresets)[number];

const place = 'schema/functions.json';

/** The function with this id, letter case apart. */
export function findFunction(id: string): AuthorizationFunction | undefined {
  return authorizationFunctions.find((known) => known.id === foldName(id));
}

export function suggestFunction(id: string): string | null {
  return suggestName(
    id,
    authorizationFunctions.map((known) => known.id),
  );
}

const members = [
  'id',
  'label',
  'description',
  'commonUser',
  'resourceKinds',
  'includes',
  'exceptUserActions',
  'userActions',
  'agencyServices',
  'agencyActions',
];

/**
 * Services that decide who may do what. INVARIANT: no function gives an agency anything of theirs, or whoever gets hold
 * of its credential could let themselves in further.
 */
const withheldServices: ReadonlySet<string> = new Set(['iam', 'bailiwick']);

/** Every function, in the order in which a person thinks of them. */
export const authorizationFunctions: readonly AuthorizationFunction[] = buildFunctions(
  readRows('functions.json'),
  platformCatalogue,
);

/** Reads and completes the rows; throws on the first one at fault. A function may include those before it. */
export function buildFunctions(rows: readonly JsonObject[], catalogue: Catalogue): readonly AuthorizationFunction[] {
  const built = new Map<string, AuthorizationFunction>();
  for (const row of rows) {
    const made = buildFunction(row, catalogue, built);
    if (built.has(made.id)) throw new Error(`${place}: function \`${made.id}\` stands there twice`);
    built.set(made.id, made);
  }
  return [...built.values()];
}

function buildFunction(
  row: JsonObject,
  catalogue: Catalogue,
  before: ReadonlyMap<string, AuthorizationFunction>,
): AuthorizationFunction {
  const read = new RowReader(row, place);
  const id = read.text('id');
  const fault = (message: string): Error => new Error(`${place}: function \`${id}\` ${message}`);
  if (!/^[a-z]+(-[a-z]+)*$/.test(id)) throw fault('has an id that is not lower-case words joined by hyphens');
  const unknown = Object.keys(row).find((member) => !members.includes(member));
  if (unknown !== undefined) throw fault(`has the unknown member \`${unknown}\``);

  const canonical = (action: string): string => {
    const found = catalogue.canonical(action);
    if (found === undefined) throw fault(`names the action \`${action}\`, which the catalogue does not have`);
    return found.name;
  };
  const kinds = read.texts('resourceKinds').map((name): ResourceKind => {
    const kind = catalogue.findKind(name);
    if (kind === undefined) throw fault(`names the resource kind \`${name}\`, which the catalogue does not have`);
    return kind;
  });
  const included = read.texts('includes').map((name): AuthorizationFunction => {
    const found = before.get(name);
    if (found === undefined) throw fault(`includes \`${name}\`, which is no function before it`);
    return found;
  });
  const services = read.texts('agencyServices');
  for (const name of services) {
    if (!catalogue.services.some((service) => service.name === name)) {
      throw fault(`names the service \`${name}\`, which the catalogue does not have`);
    }
  }

  const acts = kinds.flatMap((kind) => Object.values(kind.actions).flat()).filter(isCurrent);
  const except = new Set(read.texts('exceptUserActions').map(canonical));
  const superfluous = [...except].find((action) => !acts.some((act) => act.name === action));
  if (superfluous !== undefined) throw fault(`leaves out \`${superfluous}\`, which is no act on its kinds`);
  const own = acts.map((act) => act.name).filter((action) => !except.has(action));
  const dependencies = dependenciesOf(own, catalogue);
  const agencyActions = [
    ...included.flatMap((other) => other.agencyActions),
    ...dependencies.filter((action) => isForAgency(catalogue.find(action), services)),
    ...read.texts('agencyActions').map(canonical),
  ];
  const withheld = agencyActions.find((action) => withheldServices.has(action.slice(0, action.indexOf(':'))));
  if (withheld !== undefined) throw fault(`would give agencies \`${withheld}\``);
  return {
    id,
    label: read.text('label'),
    description: read.text('description'),
    resourceKinds: kinds.map(({ name }) => name),
    userActions: distinct([
      ...included.flatMap((other) => other.userActions),
      ...own,
      ...dependencies,
      ...read.texts('userActions').map(canonical),
    ]),
    agencyActions: distinct(agencyActions),
    commonUser: read.flag('commonUser'),
  };
}

/** Other names and names of an older generation ask for nothing of their own. */
function isCurrent({ aliasOf, legacy }: ActionRow): boolean {
  return aliasOf === null && !legacy;
}

/**
 * What acting depends on in these services is done by the agency. Not so to give permissions, unless the row names the
 * action: whoever gets a shell in a job acts as the agency, and could open a whole bucket to everybody.
 */
function isForAgency(row: ActionRow | undefined, services: readonly string[]): boolean {
  return row !== undefined && services.includes(row.service) && row.accessLevel !== 'PERMISSION_MANAGEMENT';
}

function distinct(actions: readonly string[]): readonly string[] {
  return [...new Set(actions)].sort();
}
