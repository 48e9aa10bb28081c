import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Problem } from 'fieldseal/prisma'
import { SeenValues } from '../../../src/maintenance/rows/seenValues.js'
import { dump, empty, type Migration, openMigration } from '../migration.js'

let migration: Migration
beforeAll(async () => {
  migration = await openMigration()
})
beforeEach(() => empty(migration))
afterAll(() => migration?.close())

/** Customers in plaintext, by number. */
async function add(customers: readonly [number: number, tenantId: string, email: string | null][]): Promise<void> {
  const data = customers.map(([number, tenantId, email]) => ({ number, tenantId, email, name: `name ${number}` }))
  await migration.plain.customer!.createMany({ data })
}

const numberOf = async ({ key }: Problem) =>
  (await migration.plain.customer!.findUniqueOrThrow({ where: { id: key[0] } })).number as number

const numbers = async (problems: readonly Problem[]) => (await Promise.all(problems.map(numberOf))).sort()

describe('rows in plaintext whose unique blind index another row has', () => {
  it('are all told of before any row is changed', async () => {
    await add([
      [1, 'acme', 'Ann@x'],
      [2, 'acme', ' ann@X '],
      [3, 'globex', 'ann@x'],
      [4, 'acme', 'bob@x'],
      [5, 'acme', null],
      [6, 'acme', null],
      [7, 'acme', ' CID@x'],
    ])
    await migration.prisma.customer!.create({ data: { number: 8, tenantId: 'acme', email: 'cid@x', name: 'Cid' } })
    const before = await dump(migration)
    const told: Problem[] = []
    const onProblem = (problem: Problem) => told.push(problem)
    const report = await migration.runOne('encrypt', { onError: 'stop', onProblem })
    expect(await dump(migration)).toEqual(before)
    expect(report).toMatchObject({ outcome: 'stopped', changed: 0, skipped: 3 })
    expect(await numbers(told)).toEqual([1, 2, 7])
    expect(report.problems).toEqual(told)
    for (const { code, message } of told) {
      expect(code).toBe('ROW_REFUSED')
      expect(message).toMatch(/^Customer\.emailIndex is unique, and the value of this row is also that of /)
      expect(message).not.toMatch(/ann|cid/i)
    }
    const byNumber = new Map(await Promise.all(told.map(async (one) => [await numberOf(one), one] as const)))
    expect(byNumber.get(1)!.message).toContain(byNumber.get(2)!.key[0])
    expect(byNumber.get(7)!.message).toContain('that of an encrypted row')
  })

  it('are left by a run that goes on, but for the first of them', async () => {
    await add([
      [1, 'acme', 'Ann@x'],
      [2, 'acme', ' ann@X '],
      [3, 'acme', 'bob@x'],
    ])
    const told: Problem[] = []
    const report = await migration.runOne('encrypt', { onProblem: (problem) => told.push(problem) })
    expect(report).toMatchObject({ outcome: 'done', changed: 2, skipped: 1 })
    expect(told.map(({ code }) => code)).toEqual(['ROW_REFUSED', 'ROW_REFUSED', 'ROW_REFUSED'])
    await migration.plain.customer!.deleteMany({ where: { id: report.problems[0]!.key[0] } })
    expect(await migration.runOne('encrypt', { restart: true })).toMatchObject({ changed: 0, skipped: 0 })
  })

  it('are not looked for among rows that cannot be encrypted, nor where nothing is changed', async () => {
    await add([
      [1, 'acme', 'ann@x'],
      [2, 'acme', 'ann@x'],
    ])
    await migration.sql('UPDATE customers SET tenant_id = NULL WHERE number = 2')
    const report = await migration.runOne('encrypt')
    expect(report.problems.map(({ code }) => code)).toEqual(['TENANT_MISSING'])
    expect(await migration.runOne('encrypt', { dryRun: true })).toMatchObject({ skipped: 0 })
  })

  it('are found among many', async () => {
    await migration.sql(`INSERT INTO customers (id, tenant_id, number, name, email, updated_at)
      SELECT gen_random_uuid(), 'acme', n, 'n', 'p' || (n % 2990) || '@x', now() FROM generate_series(0, 2999) n`)
    const told: Problem[] = []
    const stopped = await migration.runOne('encrypt', { onError: 'stop', onProblem: (problem) => told.push(problem) })
    expect(stopped).toMatchObject({ outcome: 'stopped', skipped: 20 })
    const found = (await numbers(told)).sort((a, b) => a - b)
    expect(found).toEqual([...Array(10).keys(), ...Array.from(Array(10).keys(), (n) => 2990 + n)])
  })
})

describe('values that were seen', () => {
  it('are told from others, however many there are', () => {
    const seen = new SeenValues()
    const values = Array.from({ length: 100_000 }, () => randomBytes(16))
    expect(values.filter((value) => seen.add(value))).toEqual([])
    expect(values.filter((value) => !seen.add(value))).toEqual([])
    expect(seen.add(Buffer.alloc(16))).toBe(false)
    expect(seen.add(Buffer.alloc(16))).toBe(true)
  })
})
