// Two lints in one run: the TypeScript code, and the emitted SDL (schema/schema.graphql) as the product's face.
import graphqlPlugin from '@graphql-eslint/eslint-plugin';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist/**', '.program-*/**', 'node_modules/**', 'coverage/**', 'data/**'] },
  {
    files: ['src/**/*.ts', 'explorer/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts', 'docs/**/*.ts', '*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/require-await': 'off',
      // `== null` is the one way to say "absent or null", which inputs of GraphQL are.
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
    },
  },
  {
    // type-graphql reads the classes it is given as values, so their imports must stay imports at run time.
    files: ['src/graphql/**/*.ts'],
    rules: { '@typescript-eslint/consistent-type-imports': 'off' },
  },
  { files: ['src/cli/**/*.ts', 'bench/**/*.ts', 'docs/**/*.ts'], rules: { 'no-console': 'off' } },
  {
    // One write path (rule 27): outside the transaction door nothing may reach for TypeORM's own ways of writing.
    files: ['src/**/*.ts'],
    ignores: ['src/store/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        { paths: [{ name: 'typeorm', message: 'TypeORM stays behind src/store.' }], patterns: ['typeorm/*'] },
      ],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: "CallExpression[callee.property.name='getRepository']",
          message: 'No bare repository: read through a scope-bound reader, write through store.transaction.',
        },
      ],
    },
  },
  {
    files: ['schema/schema.graphql'],
    plugins: { '@graphql-eslint': graphqlPlugin },
    languageOptions: {
      parser: graphqlPlugin.parser,
      parserOptions: { graphQLConfig: { schema: './schema/schema.graphql' } },
    },
    rules: {
      ...graphqlPlugin.configs['flat/schema-recommended'].rules,
      '@graphql-eslint/require-description': [
        'error',
        {
          types: true,
          rootField: true,
          DirectiveDefinition: true,
          FieldDefinition: true,
          InputValueDefinition: true,
          EnumValueDefinition: true,
        },
      ],
      '@graphql-eslint/strict-id-in-types': [
        'error',
        {
          exceptions: {
            types: [
              // Plain values: what they say has no identity of its own.
              'AccessChange',
              'AccessDecision',
              'AccessExplanation',
              'AccessFailure',
              'AccessLevelActions',
              'AccessNearMiss',
              'AccessPermission',
              'AccessRecall',
              'AccessWay',
              'ActionAccess',
              'AccountSettings',
              'Action',
              'Actor',
              'AgencyPolicyDraft',
              'AgencyTrust',
              'AuditActor',
              'AuditHead',
              'AuditTarget',
              'AuthorizationReadiness',
              'ChangedRequest',
              'ComparedDecision',
              'ContextEntry',
              'DecidingStatement',
              'DraftedAgencyPolicy',
              'FunctionReadiness',
              'GrantScope',
              'PageInfo',
              'PasswordSettings',
              'PermissionsChange',
              'PolicyComparison',
              'PolicyCondition',
              'PolicyDraft',
              'PolicyProblem',
              'PrincipalAccess',
              'RateLimit',
              'ReadinessProblem',
              'RecalledDecision',
              'PolicyStatement',
              'PolicyVersion',
              'RemoteAccess',
              'RemoteAccessCheck',
              'RemoteAccessExplanation',
              'RequestScope',
              'ResourceKind',
              'SecondFactor',
              'ServiceAction',
              'ServiceResourceKind',
              'SignInSettings',
              'Tag',
              'TemporaryCredential',
              'WorkspaceQuota',
              'Viewer',
            ],
            suffixes: ['Connection', 'Edge', 'Payload', 'Error'],
          },
        },
      ],
      // `AccessKey.accessKeyId` is the name that clients of the platform know; see docs/domain.md section e1.
      '@graphql-eslint/no-typename-prefix': 'off',
      '@graphql-eslint/input-name': ['error', { checkInputType: true, caseSensitiveInputType: false }],
      '@graphql-eslint/no-scalar-result-type-on-mutation': 'error',
      '@graphql-eslint/require-nullable-result-in-root': 'error',
      '@graphql-eslint/require-nullable-fields-with-oneof': 'error',
      '@graphql-eslint/alphabetize': [
        'error',
        {
          fields: ['ObjectTypeDefinition', 'InterfaceTypeDefinition', 'InputObjectTypeDefinition'],
          values: true,
          arguments: ['FieldDefinition', 'DirectiveDefinition'],
        },
      ],
      '@graphql-eslint/relay-page-info': 'error',
      '@graphql-eslint/relay-connection-types': 'error',
      '@graphql-eslint/relay-edge-types': [
        'error',
        // Actions of the catalogue and versions of a policy are listed in pages but have a name, not an identity.
        { listTypeCanWrapOnlyEdgeType: false, shouldImplementNode: false, withEdgeSuffix: true },
      ],
      '@graphql-eslint/relay-arguments': ['error', { includeBoth: true }],
    },
  },
);
