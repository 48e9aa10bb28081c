import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import LongestFirst from './longestFirst.cjs'

describe('the order of test files', () => {
  it('names only files that are there', () => {
    const root = fileURLToPath(new URL('../../', import.meta.url))
    expect(LongestFirst.LONG.filter((path: string) => !existsSync(root + path))).toEqual([])
  })

  it('has the longest first, and leaves the others as Jest orders them', async () => {
    const [last, middle, first] = ['test/chaos/chaos.test.ts', 'test/migration/migration.test.ts', 'test/masks.test.ts']
    const context = { config: { rootDir: '/root' }, hasteFS: { getSize: () => 1 } }
    const tests = [first, last, middle].map((path) => ({ path: `/root/${path}`, context, duration: 1_000 }))
    const sorted = await new LongestFirst({ contexts: [], globalConfig: {} } as never).sort(tests as never)
    expect(sorted.map(({ path }) => path)).toEqual([middle, last, first].map((path) => `/root/${path}`))
  })
})
