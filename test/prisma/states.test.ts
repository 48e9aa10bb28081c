import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Decimal } from '@prisma/client/runtime/client'
import { refusal } from '../support/refusal.js'
import { type Fixture, openFixture, type Row } from './fixtureClient.js'

let fixture: Fixture
beforeAll(async () => {
  fixture = await openFixture('typed.prisma', { normalizers: { noVowels: (text) => text } })
})
afterAll(() => fixture?.close())

const VALUES = {
  int: 42,
  at: new Date('2026-01-01T10:00:00Z'),
  decimal: new Decimal('1.5'),
  flag: true,
  json: { a: [1] },
  color: 'green',
  name: 'Ada',
  scan: new Uint8Array([1, 2]),
  notes: { b: null },
  names: ['x', 'y'],
}

/** As PostgreSQL's `::text` shows the old columns. */
const OLD = {
  int: '42',
  at: '2026-01-01 10:00:00',
  decimal: '1.50',
  flag: 'true',
  json: '{"a": [1]}',
  color: 'green',
  name: 'Ada',
  scan: new Uint8Array([1, 2]),
  notes: { b: null },
  names: ['x', 'y'],
}

describe('a migrating field', () => {
  it('reads the plaintext that is there, in its type, and ciphertext beside it', async () => {
    const { plain, prisma } = fixture
    const old = await plain.migrating!.create({ data: OLD })
    const written = await prisma.migrating!.create({ data: VALUES })
    expect(await prisma.migrating!.findUniqueOrThrow({ where: { id: old.id } })).toMatchObject(VALUES)
    expect(await prisma.migrating!.findUniqueOrThrow({ where: { id: written.id } })).toMatchObject(VALUES)
    const stored = await plain.migrating!.findUniqueOrThrow({ where: { id: written.id } })
    for (const field of ['int', 'at', 'decimal', 'flag', 'json', 'color', 'name', 'notes']) {
      expect(stored[field]).toMatch(/^fs1\./)
    }
    expect(stored.names).toEqual([expect.stringMatching(/^fs1\./)])
    expect(stored.nameIs).not.toBeNull()
    const names = await prisma.migrating!.findMany({ where: { name: 'Ada' }, orderBy: { id: 'asc' } })
    expect(names.map(({ id }) => id)).toEqual([old.id, written.id])
    const rows = await plain.$queryRawUnsafe('SELECT * FROM "old rows" ORDER BY "row id"')
    expect(await prisma.$encryption.decryptRows('Migrating', rows)).toMatchObject([
      { int: 42, name: 'Ada', 'when it was': VALUES.at },
      { int: 42, name: 'Ada', 'when it was': VALUES.at },
    ])
    await plain.migrating!.deleteMany()
  })

  it.each([
    ['at', '2026-01-01 10:00:00.123456', new Date('2026-01-01T10:00:00.123Z')],
    ['at', '2026-01-01 10:00:00+02', new Date('2026-01-01T08:00:00Z')],
    ['at', '2026-01-01 10:00:00.5-03:30', new Date('2026-01-01T13:30:00.500Z')],
    ['at', '2026-01-01T10:00:00.000Z', new Date('2026-01-01T10:00:00Z')],
    ['at', '2026-01-01', new Date('2026-01-01T00:00:00Z')],
    ['int', '-2147483648', -2147483648],
    ['flag', 'false', false],
    ['json', 'null', null],
    ['json', '"text"', 'text'],
    ['names', [], []],
  ])('reads %s %p', async (field, stored, value) => {
    const { plain, prisma } = fixture
    const { id } = await plain.migrating!.create({ data: { [field]: stored } })
    expect((await prisma.migrating!.findUniqueOrThrow({ where: { id } }))[field]).toStrictEqual(value)
    await plain.migrating!.delete({ where: { id } })
  })

  it.each([
    ['int', '4711.5'],
    ['int', '47110000000'],
    ['int', ''],
    ['int', '04711'],
    ['at', '4711'],
    ['at', '4711-02-30 10:00:00'],
    ['at', 'infinity'],
    ['decimal', 'NaN4711'],
    ['flag', 'yes4711'],
    ['json', '{4711'],
    ['color', 'blue4711'],
    ['name', 'fs1.4711'],
    ['names', ['fs1.4711', 'b']],
    ['scan', new Uint8Array(Buffer.from('fs1.4711'))],
    ['notes', 'fs1.4711'],
  ])('refuses for %s what is neither a ciphertext nor plaintext of its type: %p', async (field, stored) => {
    const { plain, prisma } = fixture
    const { id } = await plain.migrating!.create({ data: { [field]: stored } })
    const error = await refusal(() => prisma.migrating!.findUniqueOrThrow({ where: { id } }))
    expect(error.code).toBe('CIPHERTEXT_INVALID')
    expect(error.message).toContain(`Migrating.${field} holds`)
    expect(error.message).not.toContain('4711')
    await plain.migrating!.delete({ where: { id } })
  })

  it('is encrypted by the update that writes it, and null stays null', async () => {
    const { plain, prisma } = fixture
    const { id } = await plain.migrating!.create({ data: { int: '1', name: 'Ada' } })
    const updated = await prisma.migrating!.update({ where: { id }, data: { int: 2, name: null } })
    expect(updated).toMatchObject({ int: 2, name: null, at: null, names: [] })
    const stored = await plain.migrating!.findUniqueOrThrow({ where: { id } })
    expect(stored).toMatchObject({ int: expect.stringMatching(/^fs1\./), name: null, nameIs: null })
    await plain.migrating!.delete({ where: { id } })
  })
})

describe('an ejecting field', () => {
  const written = { int: 42, at: VALUES.at, name: 'Ada', notes: { a: 1 }, names: ['x', 'y'] }

  it('is written as plaintext, with no index, and reads both', async () => {
    const { plain, prisma } = fixture
    const sealed: Row = {
      int: await prisma.$encryption.encrypt('Ejecting.int', 7),
      name: await prisma.$encryption.encrypt('Ejecting.name', 'Grace'),
      names: await prisma.$encryption.encrypt('Ejecting.names', ['z']),
      nameIs: 'old',
    }
    const { id } = await plain.ejecting!.create({ data: sealed })
    expect(await prisma.ejecting!.findUniqueOrThrow({ where: { id } })).toMatchObject({
      int: 7,
      name: 'Grace',
      names: ['z'],
    })
    expect(await prisma.ejecting!.update({ where: { id }, data: written })).toMatchObject(written)
    expect(await plain.ejecting!.findUniqueOrThrow({ where: { id } })).toMatchObject({
      int: '42',
      at: '2026-01-01T10:00:00.000Z',
      name: 'Ada',
      nameIs: null,
      notes: { a: 1 },
      names: ['x', 'y'],
    })
  })

  it('keeps the meaning of Json nulls', async () => {
    const { plain, prisma, Prisma } = fixture
    const kinds = [Prisma.JsonNull, Prisma.DbNull]
    for (const notes of kinds) await prisma.ejecting!.create({ data: { notes, names: ['nulls'] } })
    const found = await plain.ejecting!.findMany({ where: { names: { equals: ['nulls'] } }, orderBy: { id: 'asc' } })
    expect(found.map(({ notes }) => notes)).toEqual([null, null])
    const json = await plain.ejecting!.findMany({ where: { notes: { equals: Prisma.JsonNull } } })
    expect(json.map(({ id }) => id)).toEqual([found[0]!.id])
  })

  it.each([{ int: 'fs1.4711' }, { name: 'fs1.4711' }, { notes: 'fs1.4711' }, { names: ['a', 'fs1.4711'] }])(
    'refuses %p, which would read as a torn ciphertext',
    async (data) => {
      fixture.takeSql()
      const error = await refusal(() => fixture.prisma.ejecting!.create({ data }))
      expect(error.code).toBe('VALUE_INVALID')
      expect(error.message).not.toContain('4711')
      expect(fixture.takeSql()).toEqual([])
    },
  )
})
