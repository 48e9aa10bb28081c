import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Decimal } from '@prisma/client/runtime/client'
import fc from 'fast-check'
import { refusal } from '../support/refusal.js'
import { type Fixture, openFixture, type Row } from './fixtureClient.js'

let fixture: Fixture
beforeAll(async () => {
  const noVowels = (text: string) => text.replace(/[aeiou]/g, '')
  fixture = await openFixture('typed.prisma', { normalizers: { noVowels } })
})
afterAll(() => fixture?.close())

/** What another copy of decimal.js, or nothing but its looks, gives. */
const alikeDecimal = { d: [1, 5000000], e: 0, s: 1, toFixed: () => '1.5' }

const ACCEPTED: { readonly [field: string]: readonly unknown[] } = {
  int: [0, -0, 1, -1, 2147483647, -2147483648, 1e3],
  big: [0, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 9007199254740992, '1', '-12'],
  float: [0, -0, 1, 1.5, 1e308, 5e-324, 0.1, 1e21],
  decimal: [1, -0, 1.5, 1e21, 1e-9, '1.50', '-0', '1e5', '1E-5', '+1', '.5', '5.', '00012', '-.5', alikeDecimal],
  flag: [true, false],
  at: [
    new Date(0),
    new Date(-1),
    '2026-01-01T10:00:00Z',
    '2026-01-01t10:00:00z',
    '2026-01-01T10:00:00.1Z',
    '2026-01-01T10:00:00.123456789Z',
    '2026-01-01T10:00:00.123+02:00',
    '2026-01-01T10:00:00-00:00',
    '2026-01-01 10:00:00Z',
    '0001-01-01T00:00:00Z',
  ],
  json: [{ a: [1, 'x', null, true] }, [], 'text', 5, false],
  color: ['red', 'green'],
  text: ['', 'Ada', '\u0000'.slice(1)],
  bytes: [new Uint8Array([0, 255]), new Uint8Array()],
  names: [[], ['Ada'], ['', 'ä'], { set: ['x', 'y'] }, { set: [] }],
  numbers: [[], [1, -2, 3], { set: [2147483647] }],
}

const REFUSED: { readonly [field: string]: readonly unknown[] } = {
  int: [2147483648, -2147483649, '4711', 4711n, true, [4711], { a: 4711 }],
  big: [2n ** 63n, 4711.5, '4711.5', true, '', ' 4711'],
  float: ['4711', 4711n, true],
  decimal: [4711n, ' 4711', '4711 ', '', 'abc4711', '0x4711', 'NaN', 'Infinity', '4711e', true],
  flag: [1, 0, 'true'],
  at: [
    new Date(Number.NaN),
    '2026-01-01',
    '2026-01-01T10:00:00',
    '2026-01-01T10:00Z',
    '2026-01-01T10:00:00+0200',
    '2026-02-30T10:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T10:00:60Z',
    '0000-01-01T00:00:00Z',
    ' 2026-01-01T10:00:00Z',
    '',
    0,
  ],
  color: ['vert', 'Red', '', 4711],
  text: [4711],
  names: [['a', null], [4711], 'a', { set: '4711' }],
  numbers: [['4711'], [4711n], [2147483648], [null]],
}

const pairs = (table: typeof ACCEPTED) =>
  Object.entries(table).flatMap(([field, values]) => values.map((value) => ({ field, value })))
/** Prisma takes these for `null`, an integer or base64, without a word. */
const LOSSY: typeof ACCEPTED = {
  int: [1.5, Number.NaN, Number.POSITIVE_INFINITY],
  float: [Number.NaN, Number.NEGATIVE_INFINITY],
  decimal: [Number.NaN, Number.POSITIVE_INFINITY, new Decimal(Number.NaN)],
  numbers: [[1.5]],
  bytes: ['4711'],
}

const ciphertext = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : (value as Uint8Array)).toString('latin1')

describe('a typed field', () => {
  it.each(pairs(ACCEPTED))('takes for $field what Prisma takes, and gives what Prisma gives: $value', async (pair) => {
    const { field, value } = pair
    const { prisma, plain } = fixture
    const [expected, actual] = await Promise.all([
      plain.plain!.create({ data: { [field]: value } }),
      prisma.typed!.create({ data: { [field]: value } }),
    ])
    expect(actual[field]).toStrictEqual(expected[field])
    const again = await prisma.typed!.findUniqueOrThrow({ where: { id: actual.id } })
    expect(again[field]).toStrictEqual(expected[field])
    const stored = await plain.typed!.findUniqueOrThrow({ where: { id: actual.id } })
    const cells = [stored[field]].flat()
    expect(cells).toHaveLength(1)
    expect(ciphertext(cells[0])).toMatch(/^fs1\./)
  })

  it.each(pairs(REFUSED))('refuses for $field what Prisma refuses: $value', async ({ field, value }) => {
    await expect(fixture.plain.plain!.create({ data: { [field]: value } })).rejects.toThrow()
    fixture.takeSql()
    const error = await refusal(() => fixture.prisma.typed!.create({ data: { [field]: value } }))
    expect(error.code).toBe('VALUE_INVALID')
    expect(error.message).toMatch(new RegExp(`^Typed\\.${field} cannot be written: the value `))
    expect(error.message).not.toContain('4711')
    expect(fixture.takeSql()).toEqual([])
  })

  it.each(pairs(LOSSY))('refuses for $field what Prisma would store as something else: $value', async (pair) => {
    const error = await refusal(() => fixture.prisma.typed!.create({ data: { [pair.field]: pair.value } }))
    expect(error.code).toBe('VALUE_INVALID')
  })

  it('gives back all values of all types, however they are written and read', async () => {
    const row = fc.record({
      int: fc.option(fc.integer()),
      big: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
      float: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)),
      decimal: fc.option(
        fc.tuple(fc.bigInt(), fc.nat(30)).map(([digits, scale]) => new Decimal(`${digits}e-${scale}`)),
      ),
      flag: fc.option(fc.boolean()),
      at: fc.option(fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })),
      json: fc.option(fc.oneof(fc.dictionary(fc.string(), fc.integer()), fc.array(fc.string()), fc.boolean())),
      color: fc.option(fc.constantFrom('red', 'green')),
      text: fc.option(fc.string({ unit: 'grapheme' })),
      bytes: fc.option(fc.uint8Array().map((bytes) => new Uint8Array(bytes))),
      names: fc.array(fc.string({ unit: 'grapheme' })),
      numbers: fc.array(fc.integer()),
    })
    await fc.assert(
      fc.asyncProperty(row, row, async (first, second) => {
        const { typed } = fixture.prisma
        const { id, ownerId, ...created } = await typed!.create({ data: first })
        expect(comparable(created)).toEqual(comparable(first))
        await typed!.update({ where: { id }, data: second })
        const [read] = await typed!.findMany({ where: { id }, omit: { id: true, ownerId: true } })
        expect(comparable(read!)).toEqual(comparable(second))
      }),
      { numRuns: 40 },
    )
  })

  it('takes { set } in an update, and leaves out what is undefined', async () => {
    const { typed } = fixture.prisma
    const { id } = await typed!.create({ data: { int: 1, flag: true, names: ['a'] } })
    const set = { int: { set: 2 }, flag: undefined, at: { set: new Date(5) }, names: { set: ['b', 'c'] } }
    const updated = await typed!.update({ where: { id }, data: set })
    expect(updated).toMatchObject({ int: 2, flag: true, at: new Date(5), names: ['b', 'c'] })
    const cleared = await typed!.update({ where: { id }, data: { int: null, flag: { set: null }, names: [] } })
    expect(cleared).toMatchObject({ int: null, flag: null, at: new Date(5), names: [] })
  })

  it.each([
    [{ names: { push: 'x' } }, 'Typed.names is encrypted, so the database cannot "push"; read the list'],
    [{ numbers: { push: [4711] } }, 'Typed.numbers is encrypted, so the database cannot "push"; read the list'],
    [{ int: { increment: 4711 } }, 'Typed.int is encrypted, so the database cannot "increment"; read the value'],
  ])('refuses %p, which the database would compute', async (data, message) => {
    const { id } = await fixture.prisma.typed!.create({ data: {} })
    fixture.takeSql()
    const error = await refusal(() => fixture.prisma.typed!.update({ where: { id }, data }))
    expect(error.code).toBe('QUERY_UNSUPPORTED')
    expect(error.message).toContain(message)
    expect(error.message).not.toContain('4711')
    expect(fixture.takeSql()).toEqual([])
  })

  it('reads a list that was never written as an empty one, and no list but of one ciphertext', async () => {
    const { plain, prisma } = fixture
    const { id } = await plain.typed!.create({ data: {} })
    expect(await prisma.typed!.findUniqueOrThrow({ where: { id } })).toMatchObject({ names: [], numbers: [] })
    for (const names of [['plain'], ['a', 'b']]) {
      await plain.typed!.update({ where: { id }, data: { names } })
      const error = await refusal(() => prisma.typed!.findUniqueOrThrow({ where: { id } }))
      expect(error.code).toBe('CIPHERTEXT_INVALID')
    }
    await plain.typed!.delete({ where: { id } })
  })

  it('is refused as plaintext, when the codec inside is of another type, and as a name the enum has lost', async () => {
    const { plain, prisma } = fixture
    const { id } = await prisma.typed!.create({ data: { int: 1, json: { a: 1 }, color: 'red' } })
    await plain.typed!.update({ where: { id }, data: { int: '42' } })
    expect((await refusal(() => prisma.typed!.findUniqueOrThrow({ where: { id } }))).code).toBe('CIPHERTEXT_INVALID')
    await plain.typed!.delete({ where: { id } })
  })

  it('works nested, in createMany and bound to its row', async () => {
    const { prisma } = fixture
    const ada = await prisma.person!.create({
      data: {
        salary: '1234.50',
        things: { create: [{ int: 1, names: ['a'] }], createMany: { data: [{ at: new Date(7), numbers: [1] }] } },
      },
      include: { things: { orderBy: { id: 'asc' } } },
    })
    const { things, salary } = ada as unknown as { things: Row[]; salary: Decimal }
    expect(salary).toBeInstanceOf(Decimal)
    expect(salary.toFixed()).toBe('1234.5')
    expect(things).toMatchObject([
      { int: 1, names: ['a'] },
      { at: new Date(7), numbers: [1] },
    ])
    const found = await prisma.person!.findMany({ where: { salary: new Decimal('1234.500') } })
    expect(found.map(({ id }) => id)).toEqual([ada.id])
  })

  it('comes and goes through raw SQL', async () => {
    const { prisma } = fixture
    const stored = {
      int: await prisma.$encryption.encrypt('Typed.int', 7),
      at: await prisma.$encryption.encrypt('Typed.at', new Date(9)),
      names: await prisma.$encryption.encrypt('Typed.names', ['x', 'y']),
    }
    await prisma.$executeRawUnsafe(
      'INSERT INTO "Typed" (int, at, names) VALUES ($1, $2, $3)',
      stored.int,
      stored.at,
      stored.names,
    )
    const rows = await prisma.$queryRawUnsafe('SELECT * FROM "Typed" WHERE int = $1', stored.int)
    const [row] = await prisma.$encryption.decryptRows('Typed', rows)
    expect(row).toMatchObject({ int: 7, at: new Date(9), names: ['x', 'y'], color: null })
    const wrong = await refusal(() => prisma.$encryption.encrypt('Typed.int', 'secret'))
    expect(wrong).toMatchObject({ code: 'VALUE_INVALID' })
    expect(wrong.message).not.toContain('secret')
  })
})

describe('a padded field', () => {
  it('shows no length but that of its blocks', async () => {
    const { plain, prisma } = fixture
    const lengthOf = async (lastName: string) => {
      const { id } = await prisma.person!.create({ data: { lastName } })
      const { lastName: stored } = await plain.person!.findUniqueOrThrow({ where: { id } })
      expect(await prisma.person!.findUniqueOrThrow({ where: { id } })).toMatchObject({ lastName })
      return (stored as string).length
    }
    const [none, short, full, next] = await Promise.all(['', 'Ng', 'x'.repeat(30), 'x'.repeat(31)].map(lengthOf))
    expect([none, short]).toEqual([full, full])
    expect(next).toBeGreaterThan(full!)
  })
})

describe('a blind index over several fields', () => {
  const birthDate = new Date('1815-12-10')
  const lookupOf = async (id: unknown) => (await fixture.plain.person!.findUniqueOrThrow({ where: { id } })).lookup

  it('finds a row by the combination, written and searched in any form', async () => {
    const { prisma } = fixture
    const { id } = await prisma.person!.create({ data: { lastName: ' Lovelace', birthDate } })
    const where = { lastName: 'lovelace', birthDate: '1815-12-10T00:00:00Z' }
    expect(await prisma.person!.findMany({ where })).toMatchObject([{ id, lastName: ' Lovelace', birthDate }])
    const index = await prisma.$encryption.blindIndex('Person.lookup', ['LOVELACE', birthDate])
    expect(await lookupOf(id)).toBe(index)
    const again = prisma.person!.create({ data: { lastName: 'Lovelace', birthDate } })
    await expect(again).rejects.toMatchObject({ code: 'P2002' })
  })

  it('is null when a field is null or left out of a create', async () => {
    const { prisma } = fixture
    for (const data of [{ lastName: 'Byron' }, { lastName: 'Byron', birthDate: null }, { birthDate }, {}]) {
      const { id } = await prisma.person!.create({ data })
      expect(await lookupOf(id)).toBeNull()
    }
  })

  it('follows an update of all of its fields, is cleared by null, and refuses an update of some', async () => {
    const { prisma } = fixture
    const { id } = await prisma.person!.create({ data: { lastName: 'Hopper', birthDate } })
    const before = await lookupOf(id)
    await prisma.person!.update({ where: { id }, data: { lastName: 'Murray', birthDate: { set: birthDate } } })
    expect(await lookupOf(id)).not.toBe(before)
    fixture.takeSql()
    const error = await refusal(() => prisma.person!.update({ where: { id }, data: { lastName: 'Hopper' } }))
    expect(error).toMatchObject({ code: 'QUERY_UNSUPPORTED' })
    expect(error.message).toBe(
      'Person.lookup is a blind index over lastName and birthDate: this update must give birthDate too',
    )
    expect(fixture.takeSql()).toEqual([])
    await prisma.person!.update({ where: { id }, data: { birthDate: null } })
    expect(await lookupOf(id)).toBeNull()
  })

  it('takes an array with a value for each field in $encryption.blindIndex', async () => {
    const { $encryption } = fixture.prisma
    for (const value of ['Lovelace', ['Lovelace'], null]) {
      const error = await refusal(() => $encryption.blindIndex('Person.lookup', value))
      expect(error).toMatchObject({ code: 'VALUE_INVALID' })
      expect(error.message).not.toContain('Lovelace')
    }
  })
})

describe('a normaliser of the application', () => {
  it('makes values alike that find each other', async () => {
    const { prisma } = fixture
    const { id } = await prisma.person!.create({ data: { nick: 'banana' } })
    expect(await prisma.person!.findMany({ where: { nick: 'benane' } })).toMatchObject([{ id, nick: 'banana' }])
  })
})

function comparable(row: Row): Row {
  const entries = Object.entries(row).map(([key, value]) => [key, Decimal.isDecimal(value) ? value.toFixed() : value])
  return Object.fromEntries(entries)
}
