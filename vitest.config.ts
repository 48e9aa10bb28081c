import { fileURLToPath } from 'node:url'
import { configDefaults, defineConfig } from 'vitest/config'

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url))

export default defineConfig({
  resolve: {
    alias: [
      { find: /^fieldseal$/, replacement: source('index.ts') },
      { find: /^fieldseal\/prisma$/, replacement: source('prisma/index.ts') },
      { find: /^fieldseal\/tencent-kms$/, replacement: source('kms/tencent/tencentKms.ts') },
      { find: /^fieldseal\/local-kms$/, replacement: source('kms/localKms.ts') },
      { find: /^fieldseal\/hierarchical-kms$/, replacement: source('kms/hierarchical/hierarchicalKms.ts') },
      { find: /^fieldseal\/redundant-kms$/, replacement: source('kms/redundant/redundantKms.ts') },
      { find: /^fieldseal\/opentelemetry$/, replacement: source('opentelemetry.ts') },
      { find: /^fieldseal\/testing$/, replacement: source('testing/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, 'test/package/projects'],
    globalSetup: ['test/support/globalSetup.ts'],
    pool: 'forks',
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Of one second by default, which a busy machine needs for itself.
    expect: { poll: { timeout: 30_000 } },
  },
})
