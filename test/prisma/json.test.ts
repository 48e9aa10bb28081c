import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Decimal } from '@prisma/client/runtime/client'
import { refusal } from '../support/refusal.js'
import { type Fixture, openFixture } from './fixtureClient.js'

let fixture: Fixture
beforeAll(async () => {
  fixture = await openFixture('typed.prisma', { normalizers: { noVowels: (text) => text } })
})
afterAll(() => fixture?.close())

describe('Json', () => {
  it('that is not encrypted is never touched, whatever its keys and texts are', async () => {
    const { prisma, plain } = fixture
    const inner = { text: 'fs1.x', set: 1, json: { names: ['a'] }, create: { int: 1 }, where: { text: 'b' } }
    for (const value of [inner, { set: inner }, [inner], 'fs1.AQ', { push: 1 }]) {
      const { id } = await prisma.guarded!.create({ data: { text: 'Ada', plain: value } })
      expect((await prisma.guarded!.findUniqueOrThrow({ where: { id } })).plain).toEqual(value)
      expect((await plain.guarded!.findUniqueOrThrow({ where: { id } })).plain).toEqual(value)
      await prisma.guarded!.update({ where: { id }, data: { plain: value } })
      expect(await prisma.guarded!.findFirst({ where: { id, plain: { equals: value } } })).toMatchObject({
        plain: value,
      })
    }
  })

  it('that is encrypted keeps DbNull and JsonNull apart', async () => {
    const { prisma, plain, Prisma } = fixture
    const { id } = await prisma.guarded!.create({ data: { json: Prisma.JsonNull, old: Prisma.DbNull } })
    expect(await prisma.guarded!.findUniqueOrThrow({ where: { id } })).toMatchObject({ json: null, old: null })
    const stored = await plain.guarded!.findUniqueOrThrow({ where: { id } })
    expect(stored).toMatchObject({ json: expect.stringMatching(/^fs1\./), old: null })
    const rows = await prisma.guarded!.findMany({ where: { id, old: { equals: Prisma.DbNull } } })
    expect(rows).toHaveLength(1)
  })

  it.each([
    ['a Decimal', new Decimal('2.0')],
    ['a Decimal that is small', new Decimal('1e-10')],
    ['a Decimal that is large', new Decimal('1e30')],
    ['Decimals inside', { a: [new Decimal('2.50')], b: { c: new Decimal('12345678901234567890.1') } }],
    ['Dates', [new Date(0), { a: new Date(1) }]],
    ['undefined in an object', { a: undefined, b: 1 }],
    ['-0', -0],
    ['keys that every object has', { constructor: 1, toString: 'x', hasOwnProperty: [2] }],
    ['keys that Prisma has a meaning for', [{ $type: 'Decimal', value: '3' }, { set: 1 }]],
  ])('is what the plain client makes of %s', async (_, json) => {
    const { prisma, plain } = fixture
    const expected = (await plain.plain!.create({ data: { json } })).json
    const made = await Promise.all([
      prisma.guarded!.create({ data: { json } }),
      prisma.typed!.create({ data: { json } }),
    ])
    expect(made.map((row) => row.json)).toEqual([expected, expected])
    const read = await prisma.guarded!.findUniqueOrThrow({ where: { id: made[0]!.id } })
    expect(read.json).toEqual(expected)
    const written = await prisma.$forTenant('acme').$encryption.encrypt('Guarded.json', json)
    expect(await prisma.$encryption.decryptRows('Guarded', [{ json: written }])).toEqual([{ json: expected }])
  })

  it('keeps a key __proto__, which the plain client loses', async () => {
    const json = JSON.parse('{"a": {"__proto__": {"b": 1}}, "__proto__": [2]}')
    const { id } = await fixture.prisma.guarded!.create({ data: { json } })
    const read = await fixture.prisma.guarded!.findUniqueOrThrow({ where: { id } })
    expect(JSON.stringify(read.json)).toBe(JSON.stringify(json))
    expect(Object.getPrototypeOf(read.json)).toBe(Object.prototype)
  })

  it('is refused where a Decimal would be rounded to a number of JSON', async () => {
    const json = new Decimal('12345678901234567890.5')
    const error = await refusal(() => fixture.prisma.guarded!.create({ data: { json } }))
    expect(error.code).toBe('VALUE_INVALID')
    expect(error.message).toBe(
      'Guarded.json cannot be written: the value is a Decimal that a number in JSON would round: write its text',
    )
  })
})

describe('a NUL character, which text of PostgreSQL cannot hold', () => {
  const nul = 'a\0b'
  it.each([
    ['text', { text: nul }],
    ['text of a list', { names: ['x', nul] }],
    ['text in JSON', { json: { a: [nul] } }],
    ['text that is JSON', { json: nul }],
    ['a key in JSON', { json: [{ [nul]: 1 }] }],
    ['JSON behind a backslash', { json: `\\${nul}` }],
  ])('is refused in %s, as the plain client is refused', async (_, data) => {
    const { prisma, plain } = fixture
    await expect(plain.plain!.create({ data })).rejects.toThrow()
    fixture.takeSql()
    for (const model of [prisma.guarded!, prisma.typed!]) {
      const error = await refusal(() => model.create({ data }))
      expect(error.code).toBe('VALUE_INVALID')
      expect(error.message).toMatch(/ cannot be written: the value (has an element that )?has a NUL character/)
    }
    expect(fixture.takeSql()).toEqual([])
  })

  it('is refused while plaintext is written again, and where it is looked for', async () => {
    const { prisma, plain } = fixture
    const ejecting = await refusal(() => prisma.ejecting!.create({ data: { name: nul } }))
    expect(ejecting.message).toMatch(/^Ejecting.name cannot be written: the value has a NUL character/)
    await expect(plain.plain!.findMany({ where: { text: nul } })).rejects.toThrow()
    for (const where of [{ nick: nul }, { nick: { in: ['a', nul] } }, { NOT: { nick: nul } }]) {
      const search = await refusal(() => prisma.person!.findMany({ where }))
      expect(search.code).toBe('VALUE_INVALID')
      expect(search.message).toMatch(/^Person.nick cannot be searched for: the value has a NUL character/)
    }
  })

  it('may stand in bytes, and in text that only says how it is written', async () => {
    const data = { bytes: new Uint8Array([0]), text: '\\u0000', json: ['\\u0000', '\\\\u0000'] }
    const { id } = await fixture.prisma.typed!.create({ data })
    expect(await fixture.prisma.typed!.findUniqueOrThrow({ where: { id } })).toMatchObject(data)
    const { id: plainId } = await fixture.plain.plain!.create({ data })
    expect(await fixture.plain.plain!.findUniqueOrThrow({ where: { id: plainId } })).toMatchObject(data)
  })
})

describe('a value that the field cannot hold', () => {
  it('cannot be searched for, nor indexed, and is told so', async () => {
    const { prisma } = fixture
    const date = { lastName: 'x', birthDate: 'yesterday' }
    const calls: [() => Promise<unknown>, string][] = [
      [() => prisma.person!.findMany({ where: { nick: 5 } }), 'Person.nick cannot be searched for: '],
      [() => prisma.person!.findMany({ where: { nick: { not: 5 } } }), 'Person.nick cannot be searched for: '],
      [() => prisma.person!.findMany({ where: { salary: 'much' } }), 'Person.salary cannot be searched for: '],
      [() => prisma.person!.findUnique({ where: date }), 'Person.birthDate cannot be searched for: '],
      [() => prisma.migrating!.findMany({ where: { name: 5 } }), 'Migrating.name cannot be searched for: '],
      [() => prisma.$encryption.blindIndex('Person.nickIs', 5), 'Person.nick cannot be indexed: '],
      [() => prisma.$encryption.encrypt('Person.nick', 5), 'Person.nick cannot be written: '],
      [() => prisma.person!.create({ data: { nick: 5 } }), 'Person.nick cannot be written: '],
    ]
    for (const [call, message] of calls) {
      const error = await refusal(call)
      expect([error.code, error.message.slice(0, message.length)]).toEqual(['VALUE_INVALID', message])
    }
  })
})
