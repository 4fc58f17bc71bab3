import { usualSocketLimits } from '../../src/http/index.js';
import { usualThrottle } from '../../src/graphql/index.js';
import { describe, expect, test } from 'vitest';
import { usualDatabaseLimits } from '../../src/store/index.js';
import { describeSettings, readSettings, SettingsRefused, withoutPassword } from '../../src/settings.js';

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    readSettings(environment);
    return [];
  } catch (error) {
    if (error instanceof SettingsRefused) return error.problems;
    throw error;
  }
}

describe('settings', () => {
  test('have a safe default each', () => {
    expect(readSettings({ PATH: '/bin', PORT: 'of somebody else' })).toEqual({
      port: 4000,
      host: '127.0.0.1',
      databaseUrl: 'sqlite:data/bailiwick.db',
      databasePool: 10,
      databaseWaitSeconds: 5,
      databaseStatementSeconds: 15,
      databaseLockSeconds: 10,
      databaseIdleSeconds: 30,
      secretKeyFile: 'data/secret.key',
      accountName: 'default',
      adminName: 'admin',
      adminPassword: null,
      corsOrigins: [],
      trustedProxies: [],
      publicHosts: [],
      documents: 'any',
      documentsFolder: null,
      metricsPort: null,
      metricsHost: '127.0.0.1',
      sshSocket: null,
      pointsPerMinute: 20_000_000,
      strangersPerMinute: 6_000,
      failedSignInsPerMinute: 60,
      rememberedPrincipals: 20_000,
      connections: 1_000,
      connectionsPerActor: 50,
      subscriptionsPerConnection: 20,
      connectionInitSeconds: 5,
      connectionPingSeconds: 30,
      connectionMessageBytes: 65_536,
      studio: false,
      explorer: false,
      apolloKey: null,
      apolloGraphRef: null,
      logLevel: 'info',
      drainSeconds: 20,
      tokenKeyDays: 30,
      tokenKeyEpoch: 0,
    });
  });

  test('count as absent when they are empty', () => {
    expect(readSettings({ BAILIWICK_PORT: '', BAILIWICK_ADMIN_PASSWORD: '' })).toMatchObject({
      port: 4000,
      adminPassword: null,
    });
  });

  test('hold back as much as the server does that is given none', () => {
    const { pointsPerMinute, strangersPerMinute, failedSignInsPerMinute } = readSettings({});
    expect({
      points: pointsPerMinute,
      strangers: strangersPerMinute,
      failedSignIns: failedSignInsPerMinute,
    }).toEqual(usualThrottle);
  });

  test('give the database as much time as the store does that is told nothing', () => {
    const settings = readSettings({});
    expect({
      poolSize: settings.databasePool,
      connectionWait: settings.databaseWaitSeconds * 1000,
      longestStatement: settings.databaseStatementSeconds * 1000,
      longestLockWait: settings.databaseLockSeconds * 1000,
      longestIdle: settings.databaseIdleSeconds * 1000,
    }).toEqual(usualDatabaseLimits);
  });

  test('refuse a pool in which a process would wait for itself', () => {
    expect(problemsOf({ BAILIWICK_DATABASE_POOL: '1', BAILIWICK_DATABASE_WAIT_SECONDS: '0' })).toEqual([
      'BAILIWICK_DATABASE_POOL is `1`; write a whole number from 2 to 500',
      'BAILIWICK_DATABASE_WAIT_SECONDS is `0`; write a whole number from 1 to 60',
    ]);
  });

  test('let as many sockets in as the server does that is told nothing', () => {
    const settings = readSettings({});
    expect({
      connections: settings.connections,
      connectionsPerActor: settings.connectionsPerActor,
      subscriptionsPerConnection: settings.subscriptionsPerConnection,
      initSeconds: settings.connectionInitSeconds,
      pingSeconds: settings.connectionPingSeconds,
      messageBytes: settings.connectionMessageBytes,
    }).toEqual(usualSocketLimits);
  });

  test('let Apollo Studio in by one setting, beside the origins that are named', () => {
    const named = { BAILIWICK_CORS_ORIGINS: 'https://console.example.com, http://localhost:3000' };
    expect(readSettings({ ...named, BAILIWICK_STUDIO: 'on' }).corsOrigins).toEqual([
      'https://console.example.com',
      'http://localhost:3000',
      'https://studio.apollographql.com',
    ]);
    expect(readSettings(named).corsOrigins).toHaveLength(2);
  });

  test.each([
    ['PORT', '65536', 'is `65536`; write a whole number from 0 to 65535'],
    ['PORT', '80 ', 'is `80 `; write a whole number from 0 to 65535'],
    ['PORT', '0x50', 'is `0x50`; write a whole number from 0 to 65535'],
    ['HOST', 'a b', 'is no address or host name; write one such as `127.0.0.1`'],
    ['LOG_LEVEL', 'loud', 'is `loud`; write one of fatal, error, warn, info, debug, trace, silent'],
    ['SSH_SOCKET', 'data/ssh.sock', 'is no absolute path of at most 100 plain characters'],
    ['SSH_SOCKET', `/${'x'.repeat(100)}`, 'is no absolute path of at most 100 plain characters'],
    ['STUDIO', 'yes', 'is `yes`; write `on` or `off`'],
    ['EXPLORER', '1', 'is `1`; write `on` or `off`'],
    ['CORS_ORIGINS', '*', 'is `*`, which would let every page in; name the origins, with commas between'],
    [
      'CORS_ORIGINS',
      'https://a.example/',
      'has `https://a.example/`; write origins such as `https://console.example.com`, without a path',
    ],
    ['CORS_ORIGINS', 'null', 'has `null`; write origins such as `https://console.example.com`, without a path'],
    ['TRUSTED_PROXIES', '10.0.0.0/33', 'has `10.0.0.0/33`; write addresses such as `10.0.0.7` or `fd00::/8`'],
    [
      'PUBLIC_HOSTS',
      'https://iam.example.com',
      'has `https://iam.example.com`; write host names such as `iam.example.com` or `10.0.0.7:4000`',
    ],
    ['TRUSTED_PROXIES', 'loopback', 'has `loopback`; write addresses such as `10.0.0.7` or `fd00::/8`'],
    [
      'TRUSTED_PROXIES',
      '10.0.0.1, ::/0',
      'has `::/0`, by which everybody could choose their own address; name the proxies',
    ],
    [
      'ACCOUNT_NAME',
      ' a',
      'is no account name; write up to 64 letters, digits, `-`, `_` and `.`, a letter or digit first',
    ],
    [
      'ADMIN_NAME',
      '1st',
      'is `1st`; write 1 to 64 letters, digits, spaces and `-`, `_`, `.`, not beginning with a digit or a space',
    ],
  ])('%s=%j is refused and says what to write', (variable, value, problem) => {
    expect(problemsOf({ [`BAILIWICK_${variable}`]: value })).toEqual([`BAILIWICK_${variable} ${problem}`]);
  });

  test('take a key of Apollo with its graph, or neither, and never its own variables', () => {
    const both = { BAILIWICK_APOLLO_KEY: 'service:g:hunter2', BAILIWICK_APOLLO_GRAPH_REF: 'g@current' };
    expect(readSettings(both)).toMatchObject({ apolloKey: 'service:g:hunter2', apolloGraphRef: 'g@current' });
    expect(readSettings({ APOLLO_KEY: 'service:g:hunter2', APOLLO_GRAPH_REF: 'g@current' })).toMatchObject({
      apolloKey: null,
      apolloGraphRef: null,
    });
    const together = ['BAILIWICK_APOLLO_KEY and BAILIWICK_APOLLO_GRAPH_REF go together; set both or neither'];
    expect(problemsOf({ BAILIWICK_APOLLO_KEY: 'service:g:hunter2' })).toEqual(together);
    expect(problemsOf({ BAILIWICK_APOLLO_GRAPH_REF: 'g@current' })).toEqual(together);
    expect(problemsOf({ BAILIWICK_APOLLO_KEY: 'hunter 2', BAILIWICK_APOLLO_GRAPH_REF: 'a b' })).toEqual([
      'BAILIWICK_APOLLO_KEY is no key; write the one that Apollo Studio shows',
      'BAILIWICK_APOLLO_GRAPH_REF names no graph; write one such as `my-graph@current`',
    ]);
  });

  test('give the metrics a port of their own wherever both would listen at one address', () => {
    const ports = (more: Readonly<Record<string, string>>) =>
      problemsOf({ BAILIWICK_PORT: '4900', BAILIWICK_METRICS_PORT: '4900', ...more });
    const refused = ['BAILIWICK_PORT and BAILIWICK_METRICS_PORT are both `4900`; metrics need a port of their own'];
    expect(ports({})).toEqual(refused);
    expect(ports({ BAILIWICK_HOST: '0.0.0.0' })).toEqual(refused);
    expect(ports({ BAILIWICK_METRICS_HOST: '::' })).toEqual(refused);
    for (const apart of [{ BAILIWICK_METRICS_HOST: '10.0.0.7' }, { BAILIWICK_METRICS_PORT: '4901' }]) {
      expect(readSettings({ BAILIWICK_PORT: '4900', BAILIWICK_METRICS_PORT: '4900', ...apart })).toBeDefined();
    }
    expect(readSettings({ BAILIWICK_PORT: '0', BAILIWICK_METRICS_PORT: '0' })).toMatchObject({ metricsPort: 0 });
  });

  test('never repeat a password or a database URL', () => {
    const problems = problemsOf({
      BAILIWICK_ADMIN_PASSWORD: 'hunter2',
      BAILIWICK_DATABASE_URL: 'mysql://u:hunter2@h/d',
    });
    expect(problems).toEqual([
      'BAILIWICK_DATABASE_URL names no database; write `sqlite:<path>` or `postgres://user:password@host/name`',
      'BAILIWICK_ADMIN_PASSWORD has 7 characters; write 8 to 128, or leave it out for a random one',
    ]);
    expect(withoutPassword('postgres://ann:hunter2@db:5432/bw')).toBe('postgres://ann@db:5432/bw');
    expect(withoutPassword('postgres://ann@db/bw?password=hunter2')).toBe('postgres://ann@db/bw');
    expect(withoutPassword('postgres://ann:p@ss:hunter2@db:5432/bw')).toBe('postgres://ann@db:5432/bw');
  });

  test('that nobody knows are refused, with the one that was meant', () => {
    expect(problemsOf({ BAILIWICK_PROT: '1', BAILIWICK_COLOUR_OF_THE_SKY: 'blue' })).toEqual([
      'BAILIWICK_COLOUR_OF_THE_SKY is no setting; see `bailiwick serve --help` for those there are',
      'BAILIWICK_PROT is no setting; did you mean BAILIWICK_PORT?',
    ]);
  });

  test('report all problems together', () => {
    const problems = problemsOf({
      BAILIWICK_PORT: 'x',
      BAILIWICK_STUDIO: 'x',
      BAILIWICK_LOG_LEVEL: 'x',
      BAILIWICK_X: 'x',
    });
    expect(problems).toHaveLength(4);
  });

  test('print as help, each with its default', () => {
    for (const name of ['PORT', 'HOST', 'DATABASE_URL', 'SECRET_KEY_FILE', 'ADMIN_PASSWORD', 'CORS_ORIGINS']) {
      expect(describeSettings()).toContain(`BAILIWICK_${name} `);
    }
    expect(describeSettings()).toContain('(default: sqlite:data/bailiwick.db)');
  });
});
