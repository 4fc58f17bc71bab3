/** The system-defined policies and roles, and the published samples of custom ones (docs/domain.md section c). */
import { readRows, RowReader, type JsonObject } from './schema-file.js';

/** ROLE: version 1.0. POLICY: version 1.1. IDENTITY_POLICY: version 5.0, published without a scope to pick. */
export type SystemPolicyKind = 'ROLE' | 'POLICY' | 'IDENTITY_POLICY' | 'SAMPLE';

/** A policy that ships with the program. Nobody can change or delete one. */
export interface SystemPolicy {
  /** Stable: stored grants refer to it. */
  readonly id: string;
  readonly displayName: string;
  readonly kind: SystemPolicyKind;
  /** The published scope to grant it in; `policyLevel` of its document is what decides. */
  readonly scopeType: string;
  readonly catalog: string;
  readonly description: string;
  /** To be parsed with dialect SYSTEM (samples: CUSTOM). */
  readonly document: JsonObject;
  /** How much of it is published: `none`, `name`, `purpose`, `actions`, `1.1 action list`. */
  readonly documented: string;
  /** The statements are rebuilt from the stated purpose, not published ones. */
  readonly reconstructed: boolean;
  readonly note: string | null;
  readonly source: readonly string[];
}

const kindsByType = {
  'system-defined role': 'ROLE',
  'system-defined policy': 'POLICY',
  'system-defined identity policy': 'IDENTITY_POLICY',
  'custom policy sample': 'SAMPLE',
} as const;

/** Every system-defined policy and role, FullAccess (`*:*:*`) among them. */
export const systemPolicies: readonly SystemPolicy[] = readPolicies('policies/system-policies.json');

/** Published custom policies, to start from; they are not stored until somebody saves one. */
export const samplePolicies: readonly SystemPolicy[] = readPolicies('policies/samples.json');

/** The system policy that may never be given to an agency (rule 5). */
export const securityAdministratorId = 'secu_admin';

/** The system policy that the group `admin` holds in scope ALL (rule 2). */
export const fullAccessId = 'full_access';

function readPolicies(path: string): readonly SystemPolicy[] {
  const policies = readRows(path).map((row) => policy(row, `schema/${path}`));
  const ids = new Set(policies.map(({ id }) => id));
  if (ids.size !== policies.length) throw new Error(`schema/${path}: two policies have the same id`);
  return policies;
}

function policy(row: JsonObject, place: string): SystemPolicy {
  const read = new RowReader(row, place);
  return {
    id: read.text('id'),
    displayName: read.text('displayName'),
    kind: kindsByType[
      read.oneOf('type', [
        'system-defined role',
        'system-defined policy',
        'system-defined identity policy',
        'custom policy sample',
      ])
    ],
    scopeType: read.text('scopeType'),
    catalog: read.text('catalog'),
    description: read.text('description'),
    document: read.object('policy'),
    documented: read.text('documented'),
    reconstructed: read.flag('reconstructed'),
    note: read.optionalText('note'),
    source: read.texts('source'),
  };
}
