// The layers of the house, as DESIGN says them. A folder exists because it changes what may be imported.
/** @type {import('dependency-cruiser').IConfiguration} */
const only = (name, from, allowed, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: `^src/${from}/` },
  to: { path: '^src/', pathNot: [`^src/${from}/`, ...allowed.map((folder) => `^src/${folder}/index\\.ts$`)] },
});

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    only('policy-is-pure', 'policy', [], 'The engine knows nothing of ours.'),
    {
      name: 'policy-imports-no-package',
      severity: 'error',
      from: { path: '^src/policy/' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'core'] },
    },
    only('signatures-are-pure', 'signatures', [], 'The scheme knows nothing of ours.'),
    {
      name: 'signatures-import-no-package',
      severity: 'error',
      from: { path: '^src/signatures/' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer'] },
    },
    only('ssh-keys-are-pure', 'ssh-keys', [], 'Forms of keys know nothing of ours.'),
    {
      name: 'ssh-keys-import-no-package',
      severity: 'error',
      from: { path: '^src/ssh-keys/' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer'] },
    },
    only('audit-chain-is-pure', 'audit-chain', [], 'The chain knows nothing of ours.'),
    {
      name: 'audit-chain-imports-no-package',
      severity: 'error',
      from: { path: '^src/audit-chain/' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer'] },
    },
    only('urn-templates-know-graphql', 'urn-templates', [], 'A grammar, and GraphQL’s types.'),
    only(
      'sdk-knows-schemes',
      'sdk',
      ['signatures', 'urn-templates'],
      'Other services import the SDK without the server.',
    ),
    {
      name: 'sdk-imports-no-server-package',
      severity: 'error',
      from: { path: '^src/sdk/' },
      to: { path: 'node_modules/', pathNot: 'node_modules/(graphql|@graphql-tools/utils)/' },
    },
    only('catalogue-knows-policy', 'catalogue', ['policy'], 'The catalogue is data with types.'),
    only(
      'iam-knows-policy-and-catalogue',
      'iam',
      ['policy', 'catalogue', 'signatures', 'ssh-keys', 'audit-chain'],
      'The business knows no store and no skin: it declares ports.',
    ),
    {
      name: 'iam-imports-no-framework',
      severity: 'error',
      from: { path: '^src/iam/' },
      to: { path: 'node_modules/(typeorm|graphql|type-graphql|@apollo|fastify|sqlite3|pg|dataloader)/' },
    },
    only(
      'apply-knows-iam',
      'apply',
      ['iam', 'catalogue', 'policy'],
      'Files go through the use-cases, never to the store.',
    ),
    only(
      'store-knows-iam-ports',
      'store',
      ['iam', 'catalogue', 'policy', 'audit-chain'],
      'The store implements the ports of iam.',
    ),
    only(
      'graphql-knows-iam',
      'graphql',
      ['iam', 'catalogue', 'policy', 'signatures', 'urn-templates'],
      'The skin never reaches the store.',
    ),
    only(
      'http-knows-graphql-and-iam',
      'http',
      ['graphql', 'iam', 'catalogue', 'policy', 'signatures'],
      'The listener never reaches the store.',
    ),
    {
      name: 'typeorm-stays-behind-store',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/store/' },
      to: { path: 'node_modules/(typeorm|sqlite3|pg)/' },
    },
    { name: 'src-never-imports-tests', severity: 'error', from: { path: '^src/' }, to: { path: '^(test|bench)/' } },
    {
      name: 'only-real-dependencies',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
