/** Nothing that proves somebody is kept in the clear, whatever the database, searched byte by byte. */
import { afterAll, describe, expect, test } from 'vitest';
import { databases } from '../store/databases.js';
import { run } from './run.js';

const { postgres } = databases({ own: true });

afterAll(() => postgres.stop());

/** All that a round may bring, each of which must have happened; see scene.ts. */
const operations = [
  'assumeAgency',
  'authenticateRequest (permanent)',
  'authenticateRequest (temporary)',
  'authenticateRequest, replayed',
  'changePassword',
  'changePassword, refused',
  'checkAccess with a token',
  'confirmSecondFactor',
  'createAccessKey',
  'createKeyPair',
  'createSecondFactor',
  'createService',
  'deleteAccessKey',
  'deleteKeyPair',
  'deleteSecondFactor',
  'refreshToken',
  'request with a key',
  'request with a rotated key',
  'request with a temporary key',
  'request with a token',
  'request, wrongly signed',
  'resetPassword',
  'rotateServiceKey',
  'secret in a wrong place',
  'signIn',
  'signIn with a code',
  'signIn, failed',
  'signIn, failed by code',
  'signOut',
  'switchScope',
];

const everywhere = ['audit events', 'log', 'metrics', 'output', 'rows as text'];
const places = {
  sqlite: ['backup', 'files of the ended database', 'files of the running database'],
  postgres: [
    'data directory: log of writes',
    'data directory: other files',
    'data directory: relations',
    'log of the database',
  ],
};

describe.concurrent.each(['sqlite', 'postgres'] as const)('on %s', (database) => {
  // The files of a server that runs elsewhere cannot be read.
  const out = database === 'postgres' && (process.env['TEST_POSTGRES_URL'] ?? '') !== '';
  test.skipIf(out)(
    'no secret that was issued or shown is found in any place, and what was planted is found in each',
    async () => {
      const on = database === 'sqlite' ? {} : { databaseUrl: await postgres.freshUrl(), databaseLog: postgres.log };
      const report = await run({ rounds: 30, ...on });
      expect([...report.operations.keys()].sort()).toEqual(operations);
      expect(report.operations.get('signIn')).toBe(30);
      expect(report.values.get('signature')).toBeGreaterThan(75);
      expect([...report.searched.keys()]).toEqual(expect.arrayContaining([...everywhere, ...places[database]]));
      expect(report.overlooked).toEqual([]);
      expect(report.controls).toBeGreaterThan(20);
      expect(report.findings).toEqual([]);
    },
    240_000,
  );
});
