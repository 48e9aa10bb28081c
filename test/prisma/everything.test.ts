import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Fixture, openFixture } from './everything.js'

let fixture: Fixture
beforeAll(async () => {
  fixture = await openFixture('everything.prisma')
})
afterAll(() => fixture?.close())

describe('a schema with every unusual shape', () => {
  it('works with a model whose name starts lower and has an underscore', async () => {
    const created = await fixture.prisma.audit_entry!.create({ data: { text: 'hello' } })
    expect(created.text).toBe('hello')
    const stored = await fixture.plain.audit_entry!.findFirst()
    expect(stored.text).toMatch(/^fs1\./)
  })
})
