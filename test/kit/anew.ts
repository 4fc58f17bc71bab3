/**
 * Before each file of a worker that has run others: whatever the tests themselves are made of is loaded again, so that
 * hooks which modules of the kit register, and what they remember, are of one file. The program and the packages stay.
 */
import { vi } from 'vitest';

vi.resetModules();
