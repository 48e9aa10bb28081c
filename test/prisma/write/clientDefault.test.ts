import { describe, expect, it } from '@jest/globals'
import { makeDefault } from '../../../src/prisma/write/clientDefault.js'

describe('makeDefault', () => {
  it.each([
    [{ name: 'uuid' }, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/],
    [{ name: 'uuid', argument: 4 }, /^[0-9a-f]{8}-[0-9a-f]{4}-4/],
    [{ name: 'uuid', argument: 7 }, /^[0-9a-f]{8}-[0-9a-f]{4}-7/],
    [{ name: 'cuid' }, /^c[0-9a-z]{24}$/],
    [{ name: 'cuid', argument: 1 }, /^c[0-9a-z]{24}$/],
    [{ name: 'cuid', argument: 2 }, /^[a-z][0-9a-z]{23}$/],
    [{ name: 'ulid' }, /^[0-9A-HJKMNP-TV-Z]{26}$/],
    [{ name: 'nanoid' }, /^[\w-]{21}$/],
    [{ name: 'nanoid', argument: 12 }, /^[\w-]{12}$/],
  ] as const)('makes the form of %p, a new one each time', (wanted, form) => {
    const [one, other] = [makeDefault(wanted), makeDefault(wanted)]
    expect(one).toMatch(form)
    expect(other).toMatch(form)
    expect(one).not.toBe(other)
  })
})
