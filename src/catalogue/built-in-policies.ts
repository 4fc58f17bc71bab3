/**
 * The two policies that nobody grants: Self, which every authenticated actor holds, and the LOOSE default, which a user
 * holds until a first Allow naming modelarts reaches them. Every account has a row of each to read; what they give comes
 * from here (rules 4 and 12).
 */
import { matchesActionPattern } from '../policy/index.js';
import { platformCatalogue, type Catalogue } from './catalogue.js';
import { readObject, RowReader, type JsonObject } from './schema-file.js';

/** A policy that is in force by rule and not by grant. */
export interface BuiltInPolicy {
  readonly id: string;
  readonly displayName: string;
  readonly description: string;
  /** To be parsed with dialect SYSTEM. */
  readonly document: JsonObject;
}

const place = 'schema/policies/built-in.json';
const file = readObject('policies/built-in.json');

/**
 * Rule 4. Its limits are URNs of the actor's own: `iam:*:<account>:user:<userId>`, `…:credential:<userId>[/<key id>]`,
 * `…:mfa:<userId>[/<serial>]`, `ecs:*:<account>:keypair:<userId>[/<name>]`,
 * `modelarts:*:<account>:authorization:<userId>` (docs/domain.md section m). Questions about what is one's own must
 * carry that URN, or Self does not answer them. Services and agency sessions have no `g:UserId`: of Self they have the
 * session and the schema alone.
 */
export const selfPolicy: BuiltInPolicy = readSelf();

/** Rule 12, for the platform's catalogue; a registered service can add nothing to modelarts. */
export const modelArtsDefaultPolicy: BuiltInPolicy = modelArtsDefault(platformCatalogue);

/** Both, to be shown among the policies of every account. */
export const builtInPolicies: readonly BuiltInPolicy[] = [selfPolicy, modelArtsDefaultPolicy];

/**
 * Builds the LOOSE default from a catalogue: `modelarts:<type>:*` for every type, so that a new one is covered, and
 * action by action for a type of which something is excepted, so that a new act of administration is not.
 */
export function modelArtsDefault(catalogue: Catalogue): BuiltInPolicy {
  const read = new RowReader(new RowReader(file, place).object('modelartsDefault'), place);
  const service = read.text('service');
  const except = read.texts('except');
  const unless = read.texts('unless');
  const admitted = (action: string): boolean =>
    unless.some((pattern) => matchesActionPattern(pattern, action)) ||
    !except.some((pattern) => matchesActionPattern(pattern, action));

  const patterns = catalogue.resourceKinds
    .filter((kind) => kind.service === service)
    .flatMap((kind) => {
      const names = Object.values(kind.actions)
        .flat()
        .map((row) => row.name);
      return names.every(admitted) ? [`${kind.name}:*`] : names.filter(admitted);
    });
  for (const row of catalogue.rows) {
    // INVARIANT: no other name of an excepted action slips in; aliases bind both ways (rule 7).
    const names = catalogue.namesOf(row.name);
    if (row.service !== service || names.every(admitted)) continue;
    const leak = patterns.find((pattern) => names.some((name) => matchesActionPattern(pattern, name)));
    if (leak !== undefined) throw new Error(`the LOOSE default must not allow \`${row.name}\`, but \`${leak}\` does`);
  }
  return {
    id: read.text('id'),
    displayName: read.text('displayName'),
    description: read.text('description'),
    document: { Version: '1.1', Statement: [{ Effect: 'Allow', Action: patterns }] },
  };
}

function readSelf(): BuiltInPolicy {
  const read = new RowReader(new RowReader(file, place).object('self'), place);
  return {
    id: read.text('id'),
    displayName: read.text('displayName'),
    description: read.text('description'),
    document: read.object('policy'),
  };
}
