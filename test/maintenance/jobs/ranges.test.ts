import { describe, expect, it } from '@jest/globals'
import type { MaintainOptions, RangeJob, RangeQueue, RunReport } from 'fieldseal/prisma'
import { splitTable } from '../../../src/maintenance/postgres/splitTable.js'
import { plainCustomer, replaceEvents, TENANTS } from '../migration.js'
import { migration, plaintextFirst } from '../plaintextFirst.js'

/** A job goes on for a while after the command that wanted it. */
const underWay: Promise<unknown>[] = []
plaintextFirst(() => Promise.all(underWay.splice(0)))

const add = (count: number) =>
  migration.plain.customer!.createMany({ data: Array.from({ length: count }, (_, i) => plainCustomer(100 + i)) })

/** A queue in memory that has jobs done at once, one after the other, by a client of its own. */
function queueHere(done: RangeJob[] = []): RangeQueue {
  const worker = migration.another()
  let last = Promise.resolve()
  const begun = new Set<string>()
  const work = async (job: RangeJob) => {
    done.push(job)
    await worker.$encryption.maintainRange(job, { database: migration.pool, tenants: TENANTS })
  }
  return {
    keep: async (jobs) => {
      for (const job of jobs.filter(({ range }) => !begun.has(range))) {
        begun.add(job.range)
        last = last.then(() => work(job))
      }
      underWay.push(last)
    },
    remove: async () => {},
  }
}

const runByWorkers = async (model: string, options: Partial<MaintainOptions> = {}): Promise<RunReport> =>
  (await migration.run('encrypt', { models: [model], workers: { queue: queueHere(), count: 2 }, ...options }))[0]!

describe('a run with a queue of one’s own', () => {
  it('gives out each row once, and counts them together', async () => {
    await add(3_000)
    const jobs: RangeJob[] = []
    const workers = { queue: queueHere(jobs), count: 2 }
    expect(await runByWorkers('Customer', { workers, onError: 'stop' })).toMatchObject({
      outcome: 'done',
      scanned: 3_060,
      changed: 3_060,
      conflicts: 0,
      skipped: 0,
    })
    expect(jobs.length).toBe(7)
    expect(jobs[0]).toEqual({ range: expect.any(String) })
    expect(await migration.runOne('verify')).toMatchObject({ skipped: 0, scanned: 3_060 })
    expect(await migration.sql('SELECT * FROM fieldseal.ranges')).toEqual([])
  })

  it('divides a table by a composite key of text, time, char and number', async () => {
    const rows = await replaceEvents(migration)
    expect(await runByWorkers('Event')).toMatchObject({ outcome: 'done', scanned: rows, changed: rows, conflicts: 0 })
  })

  it('goes on with what one process left, and one process with what workers left', async () => {
    await add(3_000)
    const alone = new AbortController()
    await migration.runOne('encrypt', { signal: alone.signal, onProgress: () => alone.abort() })
    const together = new AbortController()
    const interrupted = await runByWorkers('Customer', {
      signal: together.signal,
      rowsPerSecond: 1_500,
      onProgress: ({ scanned }) => scanned > 1_200 && together.abort(),
    })
    expect(interrupted).toMatchObject({ outcome: 'interrupted', resumed: true })
    const seen: number[] = []
    const rest = await migration.runOne('encrypt', { onProgress: ({ scanned }) => seen.push(scanned) })
    expect(rest).toMatchObject({ outcome: 'done', resumed: true, scanned: 3_060, changed: 3_060 })
    expect(seen.every((scanned, i) => scanned >= (seen[i - 1] ?? interrupted.scanned))).toBe(true)
    expect((await migration.runOne('verify')).problems).toEqual([])
  })

  it('reports a row with a problem, and stops there if that is asked for, alone too', async () => {
    await add(1_500)
    await migration.sql(`UPDATE customers SET notes = '12345678901234567890' WHERE number = 4`)
    const problems: unknown[] = []
    const onProblem = (problem: unknown) => void problems.push(problem)
    const stopped = await runByWorkers('Customer', { onError: 'stop', onProblem })
    const problem = expect.objectContaining({ code: 'VALUE_INVALID', model: 'Customer' })
    expect(stopped).toMatchObject({ outcome: 'stopped', skipped: 1, problems: [problem] })
    expect(problems).toEqual([problem])
    const again = await migration.runOne('encrypt', { onError: 'stop' })
    expect(again).toMatchObject({ outcome: 'stopped', skipped: 1, problems: [problem] })
    expect(await runByWorkers('Customer', { onError: 'skip' })).toMatchObject({
      outcome: 'done',
      changed: 1_559,
      skipped: 1,
      problems: [problem],
    })
  })

  it('begins anew with restart, whatever is left of an earlier one', async () => {
    await add(1_500)
    const controller = new AbortController()
    await runByWorkers('Customer', { signal: controller.signal, onProgress: () => controller.abort() })
    const report = await runByWorkers('Customer', { restart: true })
    expect(report).toMatchObject({ outcome: 'done', resumed: false, scanned: 1_560 })
    const states = await migration.sql('SELECT state FROM fieldseal.progress ORDER BY id')
    expect(states).toEqual([{ state: 'dropped' }, { state: 'done' }])
  })

  it('does no job that no command wants, and needs a pool', async () => {
    const { $encryption } = migration.another()
    await runByWorkers('Customer')
    const job: RangeJob = { range: '1' }
    expect(await $encryption.maintainRange(job, { database: migration.pool })).toEqual({ outcome: 'none' })
    const query = migration.pool.query.bind(migration.pool) as MaintainOptions['database']['query']
    await expect($encryption.maintainRange(job, { database: { query } })).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
      message: expect.stringContaining('a Pool of the package pg'),
    })
  })
})

describe('dividing a large table', () => {
  const table = { table: 'large', fields: {}, indexes: {}, bound: {}, tenant: { kind: 'unknown' } } as const

  it('reads a part of it only, and makes ranges of about the same size that join without a gap', async () => {
    await migration.sql(`
      CREATE TABLE large (id uuid PRIMARY KEY, filler text);
      INSERT INTO large SELECT gen_random_uuid(), repeat('x', 100) FROM generate_series(1, 300000)`)
    const ranges = await splitTable(migration.pool, table, { rows: 300_000, workers: 2, after: null })
    expect(ranges.length).toBe(16)
    expect([ranges[0]!.after, ranges.at(-1)!.until]).toEqual([null, null])
    const sizes: number[] = []
    for (const [i, { after, until }] of ranges.entries()) {
      if (i > 0) expect(after).toEqual(ranges[i - 1]!.until)
      const [row] = await migration.sql(
        'SELECT count(*) FROM large WHERE id > coalesce($1, $3)::uuid AND id <= coalesce($2, $4)::uuid',
        [after?.[0], until?.[0], '0'.repeat(32), 'f'.repeat(32)],
      )
      sizes.push(Number(row!.count))
    }
    expect(sizes.reduce((sum, size) => sum + size)).toBe(300_000)
    expect(Math.max(...sizes)).toBeLessThan(2 * (300_000 / 16))
    await migration.sql('DROP TABLE large')
  })
})
