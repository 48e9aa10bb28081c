// @ts-check
// The built package as projects in CommonJS have it under Jest: without --experimental-vm-modules, and through its exports.
// test/package/commonjs.test.ts runs it, on a database in DATABASE_URL with the tables of prisma/schema.prisma.

/** @type {import('jest').Config} */
module.exports = {
  testMatch: ['<rootDir>/test/commonjs/*.test.cjs'],
  roots: ['<rootDir>/test/commonjs'],
  testTimeout: 120_000,
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
        },
        module: { type: 'commonjs' },
      },
    ],
  },
  // The repository's client is generated as an ECMAScript module; one that is generated for CommonJS names these files.
  moduleNameMapper: { '^(@prisma/client/runtime/query_compiler_.+)\\.mjs$': '$1.js' },
  resolver: '<rootDir>/test/support/sourceResolver.cjs',
}
