import { describe, expect, it } from '@jest/globals'
import type { RangeJob, RangeQueue } from 'fieldseal/prisma'
import { people, peopleFirst } from './people.js'

peopleFirst()

const lengths = async () =>
  (await people.rows()).map(({ id, nameParts, salaryRanges, salary_ranges }) => [
    id,
    (nameParts as string[] | null)?.length ?? null,
    ((salary_ranges ?? salaryRanges) as string[] | null)?.length ?? null,
  ])
const survey = async () => {
  const { indexes } = await people.another().$encryption.survey({ database: people.pool })
  return Object.fromEntries(indexes.map(({ field, missing, stray }) => [field, { missing, stray }]))
}
const mismatches = async () =>
  (await people.run('verify', { restart: true })).problems.map(({ key, message }) => [key[0], message])
/** A queue in memory that has jobs done at once, one after the other, by a client of its own. */
function queueHere(): RangeQueue {
  const worker = people.another()
  const begun = new Map<string, Promise<unknown>>()
  const work = (job: RangeJob) => worker.$encryption.maintainRange(job, { database: people.pool })
  let last: Promise<unknown> = Promise.resolve()
  return {
    keep: async (jobs) => {
      for (const job of jobs.filter(({ range }) => !begun.has(range))) {
        last = last.then(() => work(job))
        begun.set(job.range, last)
      }
    },
    remove: async () => void (await last),
  }
}

const FILLED = [
  [1, 5, 9],
  [2, 5, null],
  [3, null, 9],
  [4, 1, 9],
  [5, 0, 9],
  [6, null, null],
]
const RIGHT = { nameParts: { missing: 0, stray: 0 }, salaryRanges: { missing: 0, stray: 0 } }

describe('token indexes', () => {
  it('are filled by encrypt with sorted tokens, with none for a text that is too short, and not for NULL', async () => {
    expect(await survey()).toEqual({ nameParts: { missing: 4, stray: 0 }, salaryRanges: { missing: 4, stray: 0 } })
    expect(await people.run('encrypt')).toMatchObject({ changed: 5, skipped: 0 })
    expect(await lengths()).toEqual(FILLED)
    for (const { nameParts } of await people.rows()) {
      const sorted = [...new Set((nameParts as string[] | null) ?? [])].sort()
      expect(nameParts ?? []).toEqual(sorted)
    }
    expect(await survey()).toEqual(RIGHT)
    expect(await mismatches()).toEqual([])
    expect(await people.run('encrypt', { restart: true })).toMatchObject({ changed: 0, skipped: 0 })
  })

  it('are filled where they were added after their fields were encrypted, and where a range is empty beside a value', async () => {
    await people.run('encrypt')
    const before = await people.rows()
    await people.sql(`UPDATE "Person" SET "nameParts" = NULL WHERE id IN (1, 5)`)
    await people.sql(`UPDATE "Person" SET salary_ranges = '{}' WHERE id IN (3, 6)`)
    expect(await survey()).toEqual({ nameParts: { missing: 2, stray: 0 }, salaryRanges: { missing: 1, stray: 0 } })
    expect(await people.run('encrypt', { restart: true })).toMatchObject({ changed: 3, skipped: 0 })
    await people.sql(`UPDATE "Person" SET salary_ranges = NULL WHERE id = 6`)
    expect(await people.rows()).toEqual(before)
  })

  it('are left by re-encrypt', async () => {
    await people.run('encrypt')
    const indexes = async () => (await people.rows()).map(({ nameParts, salary_ranges }) => [nameParts, salary_ranges])
    const before = await indexes()
    await people.another().$encryption.rotate()
    expect(await people.run('re-encrypt')).toMatchObject({ changed: 5, skipped: 0 })
    expect(await indexes()).toEqual(before)
    expect(await mismatches()).toEqual([])
  })

  it('are made again by reindex, whatever stands in them: nothing, no tokens, others, more, or the same in another order', async () => {
    await people.run('encrypt')
    const before = await people.rows()
    await people.sql(`UPDATE "Person" SET "nameParts" = NULL, salary_ranges = '{}' WHERE id = 1`)
    await people.sql(`UPDATE "Person" SET "nameParts" = ARRAY[gen_random_uuid()] WHERE id IN (2, 3)`)
    await people.sql(`UPDATE "Person" SET "nameParts" = "nameParts" || gen_random_uuid() WHERE id = 4`)
    await people.sql(
      `UPDATE "Person" SET salary_ranges = ARRAY(SELECT unnest(salary_ranges) u ORDER BY u DESC) WHERE id = 5`,
    )
    await people.sql(`UPDATE "Person" SET "nameParts" = '{}', salary_ranges = '{NULL}' WHERE id = 6`)
    expect(await survey()).toEqual({ nameParts: { missing: 1, stray: 1 }, salaryRanges: { missing: 1, stray: 1 } })
    expect(await mismatches()).toEqual([
      ['1', 'Person.nameParts is empty beside a value: run reindex'],
      ['2', 'Person.nameParts is not the index that is made of the value beside it now: run reindex'],
      ['3', 'Person.nameParts is not the index that is made of the value beside it now: run reindex'],
      ['4', 'Person.nameParts is not the index that is made of the value beside it now: run reindex'],
      ['5', 'Person.salaryRanges is not the index that is made of the value beside it now: run reindex'],
      ['6', 'Person.salaryRanges is not the index that is made of the value beside it now: run reindex'],
    ])
    expect(await people.run('reindex')).toMatchObject({ changed: 6, skipped: 0 })
    const after = await people.rows()
    // What Prisma wrote when it set the value to null stays, as right as NULL is.
    expect(after[5]!.nameParts).toEqual([])
    await people.sql(`UPDATE "Person" SET "nameParts" = NULL WHERE id = 6`)
    expect(await people.rows()).toEqual(before)
    expect(await mismatches()).toEqual([])
    expect(await people.run('reindex', { restart: true })).toMatchObject({ changed: 0 })
  })

  it('become NULL by decrypt', async () => {
    const before = await people.rows()
    await people.run('encrypt')
    await people.sql(`UPDATE "Person" SET "nameParts" = ARRAY[gen_random_uuid()] WHERE id = 6`)
    expect(await people.run('decrypt')).toMatchObject({ changed: 6, skipped: 0 })
    expect(await people.rows()).toEqual(before)
    await people.sql(`UPDATE "Person" SET "nameParts" = '{}' WHERE id = 6`)
    expect(await people.run('decrypt', { restart: true })).toMatchObject({ changed: 0 })
  })

  it('are made of the chosen fields alone', async () => {
    expect(await people.run('encrypt', { fields: ['Person.salary'] })).toMatchObject({ changed: 4, skipped: 0 })
    expect(await lengths()).toEqual(FILLED.map(([id, , salary]) => [id, null, salary]))
    expect(await people.run('encrypt', { fields: ['Person.name'] })).toMatchObject({ changed: 4, skipped: 0 })
    expect(await lengths()).toEqual(FILLED)
  })

  it('have the run name a row whose value is outside of a range, and go on', async () => {
    await people.sql(`UPDATE "Person" SET salary = '100001' WHERE id = 1`)
    await people.sql(`UPDATE "Person" SET salary = '-1' WHERE id = 4`)
    const report = await people.run('encrypt')
    const message =
      'Person.salary cannot be indexed: the value is not within 0 and 100000, for which Person.salaryRanges is made'
    const problem = { model: 'Person', code: 'VALUE_INVALID', message }
    expect(report).toMatchObject({ outcome: 'done', changed: 3, skipped: 2 })
    expect(report.problems).toEqual([
      { ...problem, key: ['1'] },
      { ...problem, key: ['4'] },
    ])
    const [first] = await people.rows()
    expect(first).toMatchObject({ name: 'Ada Lovelace', salary: '100001', nameParts: null, salary_ranges: null })
  })

  it('are made by workers as by one run', async () => {
    await people.sql(`INSERT INTO "Person" (id, "clinicId", name, salary)
      SELECT n, 'acme', 'Person ' || n, n FROM generate_series(10, 2009) n`)
    expect(await people.run('encrypt', { workers: { queue: queueHere(), count: 2 } })).toMatchObject({
      outcome: 'done',
      changed: 2_005,
      skipped: 0,
    })
    expect(await survey()).toEqual(RIGHT)
    expect(await mismatches()).toEqual([])
  })
})
