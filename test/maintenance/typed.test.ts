import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Operation, RunReport } from 'fieldseal/prisma'
import type pg from 'pg'
import { type Fixture, openFixture, type Row } from '../prisma/fixtureClient.js'
import { ejecting } from '../support/ejecting.js'
import { openPool } from '../support/pool.js'

let fixture: Fixture
let pool: pg.Pool
beforeAll(async () => {
  fixture = await openFixture('measures.prisma')
  pool = openPool(fixture.database.url)
})
beforeEach(async () => {
  await pool.query('TRUNCATE "Measure"')
  await pool.query(`INSERT INTO "Measure" (id, born, amount, count, data, tags, blobs) VALUES
    (1, '2026-01-02T03:04:05.678Z', '1234567890.12345', '42', '{"a": 1}', ARRAY['x', 'y "z" {,}'], ARRAY['\\x00ff', '\\x']::bytea[]),
    (2, '2026-01-02 10:00:00', '1.50', NULL, 'null', ARRAY['fs'], '{}'),
    (3, NULL, NULL, '-7', NULL, '{}', ARRAY['\\x66']::bytea[])`)
})
afterAll(async () => {
  await pool?.end()
  await fixture?.close()
})

const run = async (operation: Operation): Promise<RunReport> => {
  const client = fixture.another(operation === 'decrypt' ? { schema: ejecting(fixture.schema) } : {})
  return (await client.$encryption.maintain({ operation, database: pool, restart: true }))[0]!
}
const read = async () =>
  JSON.parse(JSON.stringify(await fixture.another().measure!.findMany({ orderBy: { id: 'asc' } })))
const stored = async (): Promise<Row[]> => (await pool.query('SELECT * FROM "Measure" ORDER BY id')).rows

describe('typed fields, lists and indexes over several fields', () => {
  it('read the same before, while and after they are encrypted', async () => {
    const before = (await read()).map(({ both, ...row }: Row) => row)
    expect(before[0]).toMatchObject({
      born: '2026-01-02T03:04:05.678Z',
      amount: '1234567890.12345',
      count: 42,
      tags: ['x', 'y "z" {,}'],
    })
    expect(await run('encrypt')).toMatchObject({ changed: 3, skipped: 0 })
    expect((await read()).map(({ both, ...row }: Row) => row)).toEqual(before)
    for (const { id, both, ...row } of await stored()) {
      for (const value of Object.values(row)
        .flat()
        .filter((cell) => cell !== null)) {
        expect(Buffer.from(value as string).toString()).toMatch(/^fs1\./)
      }
    }
    expect(await run('encrypt')).toMatchObject({ changed: 0 })
    expect(await run('verify')).toMatchObject({ skipped: 0, scanned: 3 })
  })

  it('have an index over several where all of them have a value, the one that the client makes', async () => {
    await run('encrypt')
    const made = (await stored()).map(({ both }) => both)
    expect(made).toEqual([expect.any(String), null, null])
    await fixture
      .another()
      .measure!.update({ where: { id: 1 }, data: { born: new Date('2026-01-02T03:04:05.678Z'), count: 42 } })
    expect((await stored())[0]!.both).toBe(made[0])
  })

  it('come under the active key, and back to plaintext in the form of their type', async () => {
    const before = await stored()
    await run('encrypt')
    await fixture.another().$encryption.rotate()
    expect(await run('re-encrypt')).toMatchObject({ changed: 3, skipped: 0 })
    expect(await run('re-encrypt')).toMatchObject({ changed: 0 })
    expect(await run('decrypt')).toMatchObject({ changed: 3, skipped: 0 })
    const after = await stored()
    expect(after[0]).toEqual({ ...before[0], data: '{"a":1}' })
    expect(after[1]).toEqual({
      ...before[1],
      born: expect.stringMatching(/^2026-01-02T10:00:00\.000Z$/),
      amount: '1.5',
    })
    expect(after[2]).toEqual(before[2])
  })

  it('that hold text of another type, or numbers that would be rounded, are reported and left', async () => {
    await pool.query(`UPDATE "Measure" SET count = 'many' WHERE id = 1`)
    await pool.query(`UPDATE "Measure" SET data = '12345678901234567890' WHERE id = 2`)
    await pool.query(`UPDATE "Measure" SET tags = ARRAY['plain', 'fs1.half'] WHERE id = 3`)
    const places = ({ problems }: RunReport) =>
      problems.map(({ key, code, message }) => [key[0], code, message.split(' ')[0]])
    const report = await run('encrypt')
    expect(report.changed).toBe(0)
    expect(places(report)).toEqual([
      ['1', 'VALUE_INVALID', 'Measure.count'],
      ['2', 'VALUE_INVALID', 'Measure.data'],
      ['3', 'CIPHERTEXT_INVALID', 'Measure.tags'],
    ])
  })

  it.each([
    ['born', '2026-01-01 10:00:00.123456', 'holds a time finer than a millisecond'],
    ['born', '2026-01-01T10:00:00.0001Z', 'holds a time finer than a millisecond'],
    ['born', '2026-01-01 10:00:00.123456+02', 'holds a time finer than a millisecond'],
    ['born', 'infinity', 'holds plaintext that is no value of DateTime'],
    ['born', '0044-03-15 10:00:00 BC', 'holds plaintext that is no value of DateTime'],
    ['born', '10000-01-01 00:00:00', 'holds plaintext that is no value of DateTime'],
    ['born', '1800-01-01 00:00:00+00:19:32', 'holds plaintext that is no value of DateTime'],
    ['born', '2026-01-01 24:00:00', 'holds plaintext that is no value of DateTime'],
    ['amount', 'NaN', 'holds plaintext that is no value of Decimal'],
    ['amount', '1e200000', 'holds plaintext that is no value of Decimal'],
    ['count', '007', 'holds plaintext that is no value of Int'],
    ['count', '2147483648', 'holds plaintext that is no value of Int'],
    ['data', '{"a": 1, "a": 2}', 'holds JSON with the same key twice'],
    ['ratio', '0.1000000000000000055', 'holds a number that a Float would round'],
    ['ratio', 'NaN', 'holds plaintext that is no value of Float'],
    ['data', '[1e400]', 'holds a number in its JSON that JavaScript would round'],
    ['data', '["\\ud800"]', 'cannot be kept: the value has a lone surrogate'],
  ])('would lose what cannot come back: %s %s, so it is reported and left', async (column, text, message) => {
    await pool.query(`UPDATE "Measure" SET ${column} = $1 WHERE id = 3`, [text])
    const report = await run('encrypt')
    expect(report).toMatchObject({ changed: 2, skipped: 1 })
    expect(report.problems[0]).toMatchObject({ key: ['3'], code: 'VALUE_INVALID' })
    expect(report.problems[0]!.message).toContain(`Measure.${column} ${message}`)
    expect((await stored())[2]![column]).toBe(text)
  })

  it.each([
    ['born', '2026-01-01 10:00:00.123000', '2026-01-01T10:00:00.123Z'],
    ['born', '2026-01-01 10:00:00+02', '2026-01-01T08:00:00.000Z'],
    ['born', '2026-01-01', '2026-01-01T00:00:00.000Z'],
    ['born', '0001-01-01 00:00:00.1', '0001-01-01T00:00:00.100Z'],
    ['amount', '-0.10', '-0.1'],
    ['amount', '1e5', '100000'],
    ['ratio', '1.50', '1.5'],
    ['data', '{"b": 1.50, "a": "\\u0000"}', '{"b":1.5,"a":"\\u0000"}'],
  ])('come back as the same value in the form of their type: %s %s', async (column, text, form) => {
    await pool.query(`UPDATE "Measure" SET ${column} = $1 WHERE id = 3`, [text])
    expect(await run('encrypt')).toMatchObject({ changed: 3, skipped: 0 })
    await fixture.another().$encryption.rotate()
    expect(await run('re-encrypt')).toMatchObject({ changed: 3, skipped: 0 })
    expect(await run('verify')).toMatchObject({ skipped: 0 })
    expect(await run('decrypt')).toMatchObject({ changed: 3, skipped: 0 })
    expect((await stored())[2]![column]).toBe(form)
  })
})
