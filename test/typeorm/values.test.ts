import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { BlindIndex, Encrypted, EncryptionKeyColumns, EncryptionKeys } from 'fieldseal/typeorm'
import { Entity, IsNull, Not, PrimaryGeneratedColumn, type Repository } from 'typeorm'
import { refusal } from '../support/refusal.js'
import { openEntities, type SourceUnderTest } from './openSource.js'
import { emptyTables } from './people.js'

/** Of nobody's key. */
const CIPHERTEXT = `fs1.${Buffer.from(`\u0001${'\0'.repeat(60)}`).toString('base64url')}`

enum Color {
  Red = 'red',
  Green = 'green',
}

/** Every type of value, in a column of every kind, alone and as a list. */
@Entity()
class Everything {
  @PrimaryGeneratedColumn()
  declare id: number

  @Encrypted({ nullable: true })
  declare string: string | null

  @Encrypted({ column: 'bytea', type: 'String', nullable: true })
  declare stringBytes: string | null

  @Encrypted({ type: 'Bytes', nullable: true })
  declare bytes: Uint8Array | null

  @Encrypted({ column: 'bytea', nullable: true })
  declare bytesBytes: Uint8Array | null

  @Encrypted({ type: 'Json', nullable: true })
  declare json: unknown

  @Encrypted({ column: 'jsonb', nullable: true })
  declare jsonJson: unknown

  @Encrypted({ column: 'bytea', type: 'Json', nullable: true })
  declare jsonBytes: unknown

  @Encrypted({ type: 'Int', nullable: true })
  declare int: number | null

  @BlindIndex<Everything>('int')
  declare intIndex?: string

  @Encrypted({ type: 'BigInt', nullable: true })
  declare bigInt: bigint | null

  @BlindIndex<Everything>('bigInt')
  declare bigIntIndex?: string

  @Encrypted({ type: 'Float', nullable: true })
  declare float: number | null

  @Encrypted({ type: 'Decimal', nullable: true })
  declare decimal: string | null

  @BlindIndex<Everything>('decimal')
  declare decimalIndex?: string

  @Encrypted({ type: 'Boolean', nullable: true })
  declare boolean: boolean | null

  @Encrypted({ type: 'DateTime', nullable: true })
  declare dateTime: Date | null

  @BlindIndex<Everything>('dateTime', { column: 'bytea' })
  declare dateTimeIndex?: Uint8Array

  @Encrypted({ enum: Color, nullable: true })
  declare color: Color | null

  @BlindIndex<Everything>('color')
  declare colorIndex?: string

  @Encrypted({ array: true, nullable: true })
  declare strings: string[] | null

  @Encrypted({ array: true, column: 'bytea', nullable: true })
  declare bytesList: Uint8Array[] | null

  @Encrypted({ array: true, type: 'Int', nullable: true })
  declare ints: number[] | null

  @Encrypted({ array: true, type: 'DateTime', column: 'bytea', nullable: true })
  declare dates: Date[] | null

  @Encrypted({ array: true, enum: Color, nullable: true })
  declare colors: Color[] | null
}

@EncryptionKeys()
class Keys extends EncryptionKeyColumns {}

type Field = Exclude<keyof Everything, 'id'>

let source: SourceUnderTest
let rows: Repository<Everything>
beforeAll(async () => {
  source = await openEntities([Everything, Keys])
  rows = source.dataSource.getRepository(Everything)
})
beforeEach(() => emptyTables(source))
afterAll(() => source?.close())

const VALUES: readonly [Field, ...unknown[]][] = [
  ['string', 'Ünïcödé 🔑 秘密', '', 'fs1', '[sealed]', "it's $1 -- ?"],
  ['stringBytes', 'text', ''],
  ['bytes', new Uint8Array([0, 255, 128]), new Uint8Array()],
  ['bytesBytes', new Uint8Array([0, 255, 128]), new Uint8Array()],
  ['json', { a: [1, null, 'ä'] }, [], 'text', 7, false, { '@instanceof': 'x' }],
  ['jsonJson', { a: [1, null, 'ä'] }, [], 'text', 7, false],
  ['jsonBytes', { a: [1, null, 'ä'] }, []],
  ['int', 0, -2147483648, 2147483647],
  ['bigInt', 0n, -(2n ** 63n), 2n ** 63n - 1n],
  ['float', 0.1, -1e300, 5e-324],
  ['decimal', '1.5', '-0.000000000000000000001', '123456789012345678901234567890'],
  ['boolean', true, false],
  ['dateTime', new Date('2027-01-02T03:04:05.678Z'), new Date(0)],
  ['color', Color.Red, Color.Green],
  ['strings', ['x', '', 'ü'], []],
  ['bytesList', [new Uint8Array([1]), new Uint8Array()], []],
  ['ints', [1, -1, 0], []],
  ['dates', [new Date(0)], []],
  ['colors', [Color.Red, Color.Red], []],
]

/** The keys that every object inherits, with values that TypeORM would copy into what is inherited. */
const INHERITED = JSON.parse(
  '{"__proto__":{"a":1},"toString":{"b":[2]},"constructor":{"c":3},"valueOf":[{"__proto__":null}]}',
)

/** Bytes by what they hold: it may be a Buffer that comes back. */
function shown(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`
  return Array.isArray(value) ? value.map(shown) : value
}

const cell = async (field: string) => (await source.stored('SELECT * FROM everything'))[0]![field]

describe.each(VALUES.map(([field, ...values]) => ({ field, values })))('the column $field', ({ field, values }) => {
  it('gives back what was written, by save, insert, update and a builder', async () => {
    for (const value of values) {
      const { id } = await rows.save({ [field]: value })
      const read = async () => shown((await rows.findOneByOrFail({ id }))[field])
      expect(await read()).toEqual(shown(value))
      await rows.update(id, { [field]: null })
      expect(await read()).toBeNull()
      await rows.update(id, { [field]: value } as never)
      expect(await read()).toEqual(shown(value))
      const result = await rows
        .createQueryBuilder()
        .insert()
        .values({ [field]: value } as never)
        .returning('*')
        .execute()
      expect(shown(result.raw[0][field])).toEqual(shown(value))
    }
  })

  it('holds nothing but a ciphertext', async () => {
    await rows.insert({ [field]: values[0] } as never)
    const stored = [await cell(field)].flat()
    expect(stored).toHaveLength(1)
    const text = Buffer.isBuffer(stored[0]) ? stored[0].subarray(0, 4).toString() : String(stored[0]).slice(0, 4)
    expect(text).toBe('fs1.')
  })

  it('is unchanged when the entity is saved again', async () => {
    await rows.insert({ [field]: values[0] } as never)
    const before = shown(await cell(field))
    const found = await rows.findOneByOrFail({})
    source.takeSql()
    await rows.save(found)
    expect(source.takeSql().filter((statement) => statement.startsWith('UPDATE'))).toEqual([])
    expect(shown(await cell(field))).toEqual(before)
  })

  it('is written when the entity is saved with another value', async () => {
    await rows.insert({ [field]: values[0] } as never)
    for (const value of values.toReversed()) {
      const found = await rows.findOneByOrFail({})
      await rows.save(Object.assign(found, { [field]: value }))
      expect(shown((await rows.findOneByOrFail({}))[field])).toEqual(shown(value))
    }
  })

  it('is null or not', async () => {
    await rows.insert([{ [field]: values[0] }, {}] as never)
    expect(await rows.countBy({ [field]: IsNull() })).toBe(1)
    expect(await rows.countBy({ [field]: Not(IsNull()) })).toBe(1)
  })
})

describe('bytes', () => {
  it('come back as Buffers, as those of a plain column do', async () => {
    const { id } = await rows.save({ bytesBytes: new Uint8Array([0, 255]) })
    const found = await rows.findOneByOrFail({ id })
    expect(Buffer.isBuffer(found.bytesBytes)).toBe(true)
    const [row] = await source.dataSource.query('SELECT "bytesBytes" FROM everything WHERE id = $1', [id])
    expect([Buffer.isBuffer(row.bytesBytes), row.bytesBytes.toString('hex')]).toEqual([true, '00ff'])
  })
})

describe.each(['json', 'jsonJson', 'jsonBytes'] as const)('JSON in the column %s', (field) => {
  it('keeps the keys that every object inherits', async () => {
    const text = JSON.stringify(INHERITED)
    const read = async (id: number) => JSON.stringify((await rows.findOneByOrFail({ id }))[field])
    const saved = await rows.save(rows.create({ [field]: INHERITED }))
    expect([JSON.stringify(saved[field]), await read(saved.id)]).toEqual([text, text])
    await rows.save(Object.assign(await rows.findOneByOrFail({ id: saved.id }), { [field]: { plain: true } }))
    await rows.save({ id: saved.id, [field]: [INHERITED] })
    expect(await read(saved.id)).toBe(`[${text}]`)
    await rows.update(saved.id, { [field]: INHERITED })
    expect(await read(saved.id)).toBe(text)
    const builder = rows.createQueryBuilder().insert()
    const { raw, generatedMaps } = await builder
      .values({ [field]: INHERITED })
      .returning('*')
      .execute()
    expect([raw[0], generatedMaps[0]].map((row) => JSON.stringify(row[field]))).toEqual([text, text])
    const { id } = await rows.save({ id: raw[0].id, [field]: null, string: 'x' })
    await rows.save({ id, [field]: INHERITED })
    expect(await read(id)).toBe(text)
  })
})

describe('values', () => {
  it('of every text come back as they were', async () => {
    const texts = fc.array(
      fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0')),
      { maxLength: 20 },
    )
    await fc.assert(
      fc.asyncProperty(texts, async (list) => {
        await emptyTables(source)
        await rows.insert(list.map((string) => ({ string, json: { string } })))
        const found = await rows.find({ order: { id: 'ASC' } })
        expect(found.map(({ string, json }) => [string, json])).toEqual(list.map((string) => [string, { string }]))
      }),
      { numRuns: 15 },
    )
  })

  it.each([
    ['int', 7, 8],
    ['bigInt', 2n ** 60n, 1n],
    ['decimal', '1.50', '1.5001'],
    ['dateTime', new Date(1), new Date(2)],
    ['color', Color.Red, Color.Green],
  ] as const)('of %s are found by', async (field, value, other) => {
    await rows.insert([{ [field]: value }, { [field]: other }, {}] as never)
    expect(await rows.findBy({ [field]: value } as never)).toHaveLength(1)
    expect(await rows.findBy({ [field]: Not(value) } as never)).toHaveLength(1)
  })

  it.each<[Field, unknown]>([
    ['string', 7],
    ['string', '\ud800'],
    ['int', 1.5],
    ['int', 2 ** 31],
    ['bigInt', 2n ** 63n],
    ['float', Number.NaN],
    ['decimal', 'ten'],
    ['boolean', 'yes'],
    ['dateTime', new Date(Number.NaN)],
    ['color', 'blue'],
    ['bytes', 'text'],
    ['strings', 'text'],
    ['ints', [1, 'x']],
    ['json', 1n],
    ['string', CIPHERTEXT],
    ['strings', ['a', CIPHERTEXT]],
    ['json', CIPHERTEXT],
    ['bytes', Buffer.from(`fs1.\u0001${'\0'.repeat(60)}`)],
  ])('of %s that it cannot hold are refused before any SQL: %p', async (field, value) => {
    source.takeSql()
    const error = await refusal(() => rows.insert({ [field]: value } as never))
    expect(error).toMatchObject({ code: 'VALUE_INVALID', message: expect.stringContaining(`Everything.${field}`) })
    expect(source.takeSql()).toEqual([])
  })
})
