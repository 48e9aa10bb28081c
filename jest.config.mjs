// @ts-check
import { availableParallelism } from 'node:os'

/** @type {import('jest').Config} */
export default {
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  roots: ['<rootDir>/src', '<rootDir>/scripts', '<rootDir>/test'],
  modulePathIgnorePatterns: ['<rootDir>/test/package/projects/'],
  globalSetup: '<rootDir>/test/support/globalSetup.mjs',
  globalTeardown: '<rootDir>/test/support/globalTeardown.mjs',
  testTimeout: 120_000,

  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        jsc: { target: 'es2022', parser: { syntax: 'typescript' }, transform: { verbatimModuleSyntax: true } },
      },
    ],
  },
  moduleNameMapper: {
    '^fieldseal$': '<rootDir>/src/index.ts',
    '^fieldseal/prisma$': '<rootDir>/src/prisma/index.ts',
    '^fieldseal/tencent-kms$': '<rootDir>/src/kms/tencent/tencentKms.ts',
    '^fieldseal/local-kms$': '<rootDir>/src/kms/localKms.ts',
    '^fieldseal/hierarchical-kms$': '<rootDir>/src/kms/hierarchical/hierarchicalKms.ts',
    '^fieldseal/redundant-kms$': '<rootDir>/src/kms/redundant/redundantKms.ts',
    '^fieldseal/opentelemetry$': '<rootDir>/src/opentelemetry.ts',
    '^fieldseal/testing$': '<rootDir>/src/testing/index.ts',
  },
  resolver: '<rootDir>/test/support/sourceResolver.cjs',

  testSequencer: '<rootDir>/test/support/longestFirst.cjs',
  // Jest would leave a core to itself; but this process only waits, as tests often do.
  maxWorkers: availableParallelism(),
  workerThreads: false,
  // The modules of a test file's realm stay in memory when it is over.
  workerIdleMemoryLimit: '1GB',
}
