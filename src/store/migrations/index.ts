/**
 * Every migration in the order in which they run. Add at the end; never change one that has been released.
 *
 * A name that begins with `Additive` is a promise that programs which do not know the migration may go on beside it: it adds tables,
 * indexes that are not unique, and columns that may be left out, and nothing that older programs write becomes wrong by it.
 */
import { InitialTables1763900000000 } from './1763900000000-initial-tables.js';
import { AccountSettingsAndSecondFactors1764200000000 } from './1764200000000-account-settings-and-second-factors.js';
import { SpentSignatures1764300000000 } from './1764300000000-spent-signatures.js';
import { AgencySessions1764400000000 } from './1764400000000-agency-sessions.js';
import { WorkspaceQuotas1764500000000 } from './1764500000000-workspace-quotas.js';
import { KeyPairs1764750000000 } from './1764750000000-key-pairs.js';
import { RemoteAccesses1764760000000 } from './1764760000000-remote-accesses.js';
import { WorkspaceLife1764770000000 } from './1764770000000-workspace-life.js';
import { ShadowsOfResources1764780000000 } from './1764780000000-shadows-of-resources.js';
import { ScopesLeft1764790000000 } from './1764790000000-scopes-left.js';
import { AuditChains1764800000000 } from './1764800000000-audit-chains.js';
import { AdditiveTrailOfKinds1764810000000 } from './1764810000000-trail-of-kinds.js';
import { AdditiveSharedTallies1764830000000 } from './1764830000000-shared-tallies.js';

export const migrations = [
  InitialTables1763900000000,
  AccountSettingsAndSecondFactors1764200000000,
  SpentSignatures1764300000000,
  AgencySessions1764400000000,
  WorkspaceQuotas1764500000000,
  KeyPairs1764750000000,
  RemoteAccesses1764760000000,
  WorkspaceLife1764770000000,
  ShadowsOfResources1764780000000,
  ScopesLeft1764790000000,
  AuditChains1764800000000,
  AdditiveTrailOfKinds1764810000000,
  AdditiveSharedTallies1764830000000,
] as const;
