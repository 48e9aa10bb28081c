// @ts-check
import { availableParallelism } from 'node:os'

/** What test files have in common. */
const common = {
  roots: ['<rootDir>/src', '<rootDir>/scripts', '<rootDir>/test'],
  modulePathIgnorePatterns: ['<rootDir>/test/package/projects/'],
  testEnvironment: '<rootDir>/test/support/testEnvironment.cjs',
  globalSetup: '<rootDir>/test/support/globalSetup.mjs',
  globalTeardown: '<rootDir>/test/support/globalTeardown.mjs',

  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, verbatimModuleSyntax: true },
        },
      },
    ],
  },
  resolver: '<rootDir>/test/support/sourceResolver.cjs',
}

const entryPoints = {
  '^fieldseal$': '<rootDir>/src/index.ts',
  '^fieldseal/prisma$': '<rootDir>/src/prisma/index.ts',
  '^fieldseal/tencent-kms$': '<rootDir>/src/kms/tencent/tencentKms.ts',
  '^fieldseal/google-kms$': '<rootDir>/src/kms/google/googleKms.ts',
  '^fieldseal/azure-kms$': '<rootDir>/src/kms/azure/azureKms.ts',
  '^fieldseal/aws-kms$': '<rootDir>/src/kms/aws/awsKms.ts',
  '^fieldseal/former-formats$': '<rootDir>/src/formerFormats/index.ts',
  '^fieldseal/local-kms$': '<rootDir>/src/kms/localKms.ts',
  '^fieldseal/pkcs11$': '<rootDir>/src/kms/pkcs11/pkcs11Kms.ts',
  '^fieldseal/hierarchical-kms$': '<rootDir>/src/kms/hierarchical/hierarchicalKms.ts',
  '^fieldseal/redundant-kms$': '<rootDir>/src/kms/redundant/redundantKms.ts',
  '^fieldseal/vault$': '<rootDir>/src/kms/vault/vaultKms.ts',
  '^fieldseal/tenant-kms$': '<rootDir>/src/kms/tenant/tenantKms.ts',
  '^fieldseal/audit-log$': '<rootDir>/src/auditLog/auditLog.ts',
  '^fieldseal/opentelemetry$': '<rootDir>/src/opentelemetry.ts',
  '^fieldseal/testing$': '<rootDir>/src/testing/index.ts',
  '^fieldseal/typeorm$': '<rootDir>/src/typeorm/index.ts',
}

/** @type {import('jest').Config} */
export default {
  projects: [
    { ...common, testMatch: ['<rootDir>/test/**/*.test.ts'], moduleNameMapper: entryPoints },
    {
      ...common,
      displayName: 'typeorm 0.3',
      testMatch: ['<rootDir>/test/typeorm/**/*.test.ts'],
      // These are about SQL, whoever sends it, and about rows and results that no code of TypeORM has touched.
      testPathIgnorePatterns: [
        '<rootDir>/test/typeorm/analyser/',
        '<rootDir>/test/typeorm/runner/(queryResult|rowStream)\\.test\\.ts$',
      ],
      moduleNameMapper: { ...entryPoints, '^typeorm$': 'typeorm-0.3' },
    },
  ],

  // Of all projects: Jest does not read it in one.
  testTimeout: 120_000,

  testSequencer: '<rootDir>/test/support/longestFirst.cjs',
  // Jest would leave a core to itself; but this process only waits, as tests often do.
  maxWorkers: availableParallelism(),
  workerThreads: false,
  // The modules of a test file's realm stay in memory when it is over.
  workerIdleMemoryLimit: '1GB',
}
