import { describe, expect, it } from '@jest/globals'
import type { MaintainOptions } from 'fieldseal/prisma'
import { plainCustomer, replaceEvents } from './migration.js'
import { migration, plaintextFirst } from './plaintextFirst.js'

plaintextFirst()

type Query = (config: { text: string }) => Promise<{ rows: unknown[]; rowCount: number | null }>

/** The pool, with something happening just before a statement that matches. */
function justBefore(pattern: RegExp, happen: (times: number) => Promise<unknown>): MaintainOptions['database'] {
  let times = 0
  return {
    query: async (config) => {
      times += Number(pattern.test(config.text))
      if (pattern.test(config.text)) await happen(times)
      return (migration.pool.query as unknown as Query)(config) as ReturnType<MaintainOptions['database']['query']>
    },
  }
}
const CHANGE = /SKIP LOCKED/

const idOf = async (number: number) => (await migration.plain.customer!.findFirst({ where: { number } })).id
const decrypted = async () => {
  const client = migration.another().$acrossTenants()
  return new Map((await client.customer!.findMany()).map((row) => [row.number, row]))
}

describe('a row that the app changes between read and write', () => {
  it('keeps what the app wrote, and is encrypted with it', async () => {
    const app = migration.another().$forTenant('acme')
    const [plainly, secretly] = [await idOf(1), await idOf(2)]
    const database = justBefore(CHANGE, async (times) => {
      if (times > 1) return
      await migration.plain.customer!.update({ where: { id: plainly }, data: { name: 'by an old process' } })
      await app.customer!.updateMany({ where: { id: secretly, tenantId: 'acme' }, data: { name: 'by a new process' } })
    })
    const report = await migration.runOne('encrypt', { database })
    expect(report).toMatchObject({ outcome: 'done', skipped: 0, conflicts: 2, changed: 60 })
    const rows = await decrypted()
    expect(rows.get(1)).toMatchObject({ name: 'by an old process', email: plainCustomer(1).email })
    expect(rows.get(2)).toMatchObject({ name: 'by a new process', email: plainCustomer(2).email })
    expect((await migration.runOne('verify')).problems).toEqual([])
  })

  it('is done at last, however often that happens', async () => {
    const id = await idOf(4)
    const database = justBefore(CHANGE, async (times) => {
      if (times < 8) await migration.sql('UPDATE customers SET visits = visits + 1 WHERE id = $1', [id])
    })
    expect(await migration.runOne('encrypt', { database })).toMatchObject({ skipped: 0, conflicts: 7, changed: 60 })
    expect((await decrypted()).get(4)).toMatchObject({ visits: 7, name: plainCustomer(4).name })
  })

  it('is left and reported if it happens between every read and write', async () => {
    const id = await idOf(4)
    const database = justBefore(CHANGE, () =>
      migration.sql('UPDATE customers SET visits = visits + 1 WHERE id = $1', [id]),
    )
    const { skipped, changed, problems } = await migration.runOne('encrypt', { database })
    expect({ skipped, changed }).toEqual({ skipped: 1, changed: 59 })
    expect(problems).toMatchObject([{ key: [id], code: 'ROW_BUSY' }])
  })

  it('is found again where the whole table was written anew', async () => {
    await migration.sql('DELETE FROM invoices')
    await migration.sql('DELETE FROM customers WHERE number < 10')
    const database = justBefore(CHANGE, async (times) => {
      if (times === 1) await migration.sql('VACUUM FULL customers')
    })
    const report = await migration.runOne('encrypt', { database })
    expect(report).toMatchObject({ outcome: 'done', skipped: 0, changed: 50, conflicts: 50 })
    expect(await migration.runOne('verify')).toMatchObject({ scanned: 50, problems: [] })
  })

  it('stays deleted, and a new row under its id is a row of its own', async () => {
    const [gone, replaced] = [await idOf(1), await idOf(2)]
    await migration.sql('TRUNCATE invoices')
    const database = justBefore(CHANGE, async (times) => {
      if (times > 1) return
      await migration.plain.customer!.deleteMany({ where: { id: { in: [gone, replaced] } } })
      await migration.plain.customer!.create({ data: { ...plainCustomer(2), id: replaced, name: 'somebody else' } })
    })
    expect(await migration.runOne('encrypt', { database })).toMatchObject({ skipped: 0, changed: 59 })
    const rows = await decrypted()
    expect([rows.has(1), rows.get(2)!.name]).toEqual([false, 'somebody else'])
  })
})

describe('a row that a transaction of the app has locked', () => {
  it('is not waited for, and done when the lock is gone', async () => {
    const app = await migration.pool.connect()
    await app.query('BEGIN')
    await app.query('UPDATE customers SET visits = 100 WHERE number = 7')
    const database = justBefore(CHANGE, async (times) => times === 4 && app.query('COMMIT'))
    const report = await migration.runOne('encrypt', { database })
    app.release()
    expect(report).toMatchObject({ outcome: 'done', skipped: 0, conflicts: 4, changed: 60 })
    expect((await decrypted()).get(7)).toMatchObject({ visits: 100, name: plainCustomer(7).name })
  })

  it('does not hold the others up, and is reported if the lock stays', async () => {
    const app = await migration.pool.connect()
    await app.query('BEGIN')
    await app.query('SELECT FROM customers WHERE number = 7 FOR UPDATE')
    const report = await migration.runOne('encrypt')
    await app.query('ROLLBACK')
    app.release()
    expect(report).toMatchObject({ outcome: 'done', skipped: 1, changed: 59 })
    expect(report.problems).toMatchObject([{ code: 'ROW_BUSY' }])
    expect(await migration.runOne('encrypt')).toMatchObject({ changed: 1, skipped: 0 })
  })
})

describe('a run that ends early', () => {
  it('at a signal finishes its batch, and goes on later with what is left', async () => {
    await migration.plain.customer!.createMany({ data: Array.from({ length: 3000 }, (_, i) => plainCustomer(100 + i)) })
    const controller = new AbortController()
    const stopped = await migration.runOne('encrypt', {
      signal: controller.signal,
      onProgress: () => controller.abort(),
    })
    expect(stopped).toMatchObject({ outcome: 'interrupted', resumed: false })
    expect(stopped.changed).toBeGreaterThan(0)
    expect(stopped.changed).toBeLessThan(3060)
    const [left] = await migration.sql(`SELECT count(*) FROM customers WHERE name NOT LIKE 'fs1.%'`)
    expect(Number(left!.count)).toBe(3060 - stopped.changed)
    const seen: number[] = []
    const rest = await migration.runOne('encrypt', { onProgress: ({ scanned }) => seen.push(scanned) })
    expect(rest).toMatchObject({ outcome: 'done', resumed: true, scanned: 3060, changed: 3060, skipped: 0 })
    expect(seen[0]).toBeGreaterThan(stopped.scanned)
  })

  it('is begun anew with restart, and by another task', async () => {
    await migration.plain.customer!.createMany({ data: Array.from({ length: 3000 }, (_, i) => plainCustomer(100 + i)) })
    const controller = new AbortController()
    await migration.runOne('encrypt', { signal: controller.signal, onProgress: () => controller.abort() })
    expect(await migration.runOne('encrypt', { tenant: 'acme' })).toMatchObject({ resumed: false })
    expect(await migration.runOne('encrypt', { restart: true })).toMatchObject({ resumed: false, scanned: 3060 })
    const states = await migration.sql('SELECT state FROM fieldseal.progress ORDER BY id')
    expect(states.map(({ state }) => state)).toEqual(['dropped', 'done', 'done'])
  })

  it('for want of the database or the KMS is an error that says how to go on, and has lost nothing', async () => {
    const broken = justBefore(CHANGE, async () => {
      throw Object.assign(new Error('terminating connection'), { code: '57P01' })
    })
    await expect(migration.runOne('encrypt', { database: broken })).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      message: expect.stringContaining('it goes on where it stopped'),
    })
    migration.emulator.faults.add({ kind: 'error', code: 'UnauthorizedOperation', times: 100 })
    await expect(migration.runOne('encrypt', { tenant: 'globex' })).rejects.toMatchObject({ code: 'KMS_DENIED' })
    migration.emulator.faults.clear()
    expect(await migration.runOne('encrypt')).toMatchObject({ changed: 60, skipped: 0, resumed: true })
  })
})

describe('batches', () => {
  it('keep to a rate', async () => {
    await migration.plain.customer!.createMany({ data: Array.from({ length: 940 }, (_, i) => plainCustomer(100 + i)) })
    const started = performance.now()
    await migration.runOne('encrypt', { rowsPerSecond: 500 })
    expect(performance.now() - started).toBeGreaterThan(1_900)
  })

  it('of heavy rows hold a few only', async () => {
    await migration.sql(`UPDATE customers SET name = repeat('x', 1000000)`)
    const sizes: number[] = []
    await migration.runOne('encrypt', { onProgress: ({ changed }) => sizes.push(changed) })
    expect(sizes.at(-1)).toBe(60)
    expect(sizes.length).toBeGreaterThan(6)
    expect((await decrypted()).get(3)!.name).toBe('x'.repeat(1_000_000))
  })

  it('page by a composite key of text, time, char and number, each row once', async () => {
    const rows = await replaceEvents(migration)
    const [report] = await migration.run('encrypt', { models: ['Event'] })
    expect(report).toMatchObject({ scanned: rows, changed: rows, conflicts: 0 })
    expect((await migration.run('verify', { models: ['Event'] }))[0]).toMatchObject({
      skipped: 0,
      scanned: rows,
    })
  })
})
