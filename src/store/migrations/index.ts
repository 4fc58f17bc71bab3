/** Every migration in the order in which they run. Add at the end; never change one that has been released. */
import { InitialTables1763900000000 } from './1763900000000-initial-tables.js';

export const migrations = [InitialTables1763900000000] as const;
