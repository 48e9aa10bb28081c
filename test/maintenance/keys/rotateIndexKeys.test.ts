import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { EncryptionSchema } from 'fieldseal/prisma'
import type { RotateIndexKeysOptions } from '../../../src/maintenance/keys/rotateIndexKeys.js'
import type { FixtureClient } from '../../prisma/fixtureClient.js'
import { openPeople, type People } from '../people.js'

/** For how long each process holds keys, in milliseconds. */
const TTL = 600
const ROWS = 400

let people: People
let schema: EncryptionSchema
beforeAll(async () => {
  people = await openPeople()
  schema = strict(people.schema)
})
beforeEach(async () => {
  await people.sql('TRUNCATE "Person", "EncryptionKey"')
  await people.sql('DROP SCHEMA IF EXISTS fieldseal CASCADE')
  await people.sql(
    `INSERT INTO "Person" (id, "clinicId", name, salary)
     SELECT n, CASE WHEN n % 4 = 0 THEN 'globex' ELSE 'acme' END, 'Person Number' || n, n * 100 FROM generate_series(1, $1) n`,
    [ROWS],
  )
  await people.run('encrypt')
})
afterAll(() => people?.close())

/** As `prisma generate` writes it once nothing is `migrating` any more. */
function strict(schema: EncryptionSchema): EncryptionSchema {
  const { Person: person, ...models } = schema.models
  const encrypted = Object.entries(person!.encrypted).map(([field, { state, ...rest }]) => [field, rest])
  return { ...schema, models: { ...models, Person: { ...person!, encrypted: Object.fromEntries(encrypted) } } }
}

/** A client with a memory of its own, as another process would have it. */
const process = (): FixtureClient => people.another({ schema, keys: { ttl: TTL, staleFor: 0 } })
const rotate = (options: Partial<RotateIndexKeysOptions> = {}) =>
  process().$encryption.rotateIndexKeys({ database: people.pool, settle: 50, ...options })
const states = async (tenant = 'acme') =>
  (
    await people.sql(
      `SELECT version, state, wrapped IS NULL AS gone FROM "EncryptionKey" WHERE purpose = 'index' AND tenant = $1 ORDER BY version`,
      [tenant],
    )
  ).map(({ version, state, gone }) => `${version} ${state}${gone ? ', gone' : ''}`)
const lengths = async () => {
  const rows = await people.sql('SELECT DISTINCT cardinality(salary_ranges) AS n FROM "Person" ORDER BY 1')
  return rows.map(({ n }) => n)
}

/** Asks again and again until told to stop, by clients of its own; tells of each wrong answer, and counts them all. */
class Searchers {
  readonly wrong: string[] = []
  readonly written: number[] = []
  asked = 0
  added = 0
  #stopped = false
  #running: Promise<void>[] = []

  start(): this {
    this.#running = [process(), process()].flatMap((client) => [this.#search(client.$forTenant('acme'))])
    const [writer, reader] = [process(), process()]
    this.#running.push(this.#write(writer.$forTenant('acme'), reader.$forTenant('acme')))
    return this
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#running)
  }

  async #search(acme: FixtureClient): Promise<void> {
    const own = { id: { lte: ROWS }, clinicId: 'acme' }
    const questions: [string, object, number][] = [
      ['a range', { salary: { gte: 1_000, lt: 11_000 } }, 75],
      ['not a range', { NOT: { salary: { lt: 20_000 } } }, 150],
      ['a beginning', { name: { startsWith: 'Pers' } }, 300],
      ['a negated beginning', { name: { not: { startsWith: 'Pe' } } }, 0],
      ['words', acme.$encryption.words('Person.name' as never, 'person number21'), 1],
    ]
    for (let turn = 0; !this.#stopped; turn += 1) {
      const [what, where, expected] = questions[turn % questions.length]!
      const count = await acme.person!.count({ where: { ...own, ...where } })
      if (count !== expected) this.wrong.push(`${what}: ${count} and not ${expected}`)
      this.asked += 1
      await delay(2)
    }
  }

  /** What is written is found at once, by others. */
  async #write(writer: FixtureClient, reader: FixtureClient): Promise<void> {
    for (let id = 10_000; !this.#stopped; id += 1) {
      await writer.person!.create({ data: { id, clinicId: 'acme', name: `Someone ${id}`, salary: 50_000 + (id % 7) } })
      const salary = { gte: 50_000 + (id % 7), lte: 50_000 + (id % 7) }
      const found = await reader.person!.findMany({ where: { id, salary, name: { startsWith: 'som' } } })
      if (found.length !== 1) this.wrong.push(`${id} was written and not found`)
      await writer.person!.update({ where: { id, clinicId: 'acme' }, data: { salary: 60_000 + (id % 5) } })
      const moved = await reader.person!.count({ where: { id, salary: { gt: 59_999, lt: 60_005 } } })
      if (moved !== 1) this.wrong.push(`${id} was changed and not found`)
      this.added += 1
      await delay(5)
    }
  }
}

describe('the rotation of keys for indexes', () => {
  it('beside writers and searchers has no search miss a row, at no moment', async () => {
    const searchers = new Searchers().start()
    const steps: [string, number, number][] = []
    await delay(300)
    const report = await rotate({
      // A busy machine may take that long between the making of tokens and the statement with them.
      settle: 1_500,
      rowsPerSecond: 200,
      onStep: ({ step }) => steps.push([step, searchers.asked, searchers.added]),
    })
    await delay(TTL)
    await searchers.stop()
    expect(searchers.wrong).toEqual([])
    expect(report).toMatchObject({ outcome: 'done', added: 2, destroyed: 2, failed: [] })
    expect([...new Set(steps.map(([step]) => step))]).toEqual([
      'add',
      'forget',
      'replace',
      'fill',
      'settle',
      'retire',
      'drop',
      'destroy',
    ])
    // All the while they were at it.
    for (const name of ['fill', 'drop']) {
      const at = steps.findIndex(([step]) => step === name)
      expect(steps[at + 1]![1] - steps[at]![1]).toBeGreaterThan(5)
      expect(steps[at + 1]![2] - steps[at]![2]).toBeGreaterThan(1)
    }
    expect(await states()).toEqual(['1 destroyed, gone', '2 active'])
    expect(await states('globex')).toEqual(['1 destroyed, gone', '2 active'])
    expect(await lengths()).toEqual([9])
    expect(await people.run('verify')).toMatchObject({ outcome: 'done', skipped: 0 })
  }, 60_000)

  it('waits for a transaction that had written before it began, and for processes that hold the old keys', async () => {
    const old = process().$forTenant('acme')
    const held = { id: 9_002, clinicId: 'acme', name: 'Held', salary: 7 }
    const steps: string[] = []
    let write: Promise<void> | undefined
    let commit = () => {}
    const committing = new Promise<void>((resolve) => {
      commit = resolve
    })
    let opened = () => {}
    const open = new Promise<void>((resolve) => {
      opened = resolve
    })
    const late = old.$transaction(async (tx) => {
      await tx.person!.create({ data: { id: 9_001, clinicId: 'acme', name: 'Late', salary: 7 } })
      opened()
      await committing
    })
    await open
    const rotated = rotate({
      onStep: ({ step, count }) => {
        steps.push(step)
        // By the keys that it has in memory.
        if (step === 'forget' && steps.length === 2) write = old.person!.create({ data: held }).then(() => undefined)
        if (step === 'forget' && count !== undefined) setTimeout(commit, 300)
      },
    })
    await Promise.all([rotated, late])
    await write
    expect(steps.slice(0, 6)).toEqual(['add', 'forget', 'forget', 'replace', 'forget', 'fill'])
    const found = await process()
      .$forTenant('acme')
      .person!.findMany({ where: { salary: { gte: 7, lte: 7 } } })
    expect(found.map(({ id }) => id).sort()).toEqual([9_001, 9_002])
    expect(await people.run('verify')).toMatchObject({ skipped: 0 })
  }, 30_000)

  it('goes on where it was broken off, at each of its steps', async () => {
    const left: string[][] = []
    for (const last of ['forget', 'replace', 'fill', 'retire', 'drop']) {
      const stop = new AbortController()
      const outcome = await rotate({
        signal: stop.signal,
        onStep: ({ step }) => step === last && stop.abort(),
      })
      expect(outcome).toMatchObject({ outcome: 'interrupted', destroyed: 0 })
      left.push(await states())
      const count = await process()
        .$forTenant('acme')
        .person!.count({ where: { salary: { gte: 1_000, lt: 11_000 } } })
      expect(count).toBe(75)
    }
    expect(left).toEqual([
      ['1 retiring', '2 active'],
      ['1 replaced', '2 active'],
      ['1 replaced', '2 active'],
      ['1 retired', '2 active'],
      ['1 retired', '2 active'],
    ])
    expect(await rotate()).toMatchObject({ outcome: 'done', added: 0, destroyed: 2 })
    expect(await states()).toEqual(['1 destroyed, gone', '2 active'])
    expect(await lengths()).toEqual([9])
  }, 60_000)

  it('keeps the old keys while a row cannot be given new tokens, and finds it by the old ones', async () => {
    const [{ salary } = {}] = await people.sql('SELECT salary FROM "Person" WHERE id = 1')
    await people.sql(`UPDATE "Person" SET salary = left(salary, 60) || 'AAAA' WHERE id = 1`)
    const report = await rotate()
    expect(report).toMatchObject({ outcome: 'left', added: 2, destroyed: 0, runs: [{ skipped: 1 }] })
    expect(report.runs[0]!.problems[0]).toMatchObject({ key: ['1'] })
    expect(await states()).toEqual(['1 replaced', '2 active'])
    const count = () =>
      process()
        .$forTenant('acme')
        .person!.count({ where: { salary: { gte: 100, lte: 100 } } })
    expect(await count()).toBe(1)
    await people.sql('UPDATE "Person" SET salary = $1 WHERE id = 1', [salary])
    expect(await rotate()).toMatchObject({ outcome: 'done', added: 0, destroyed: 2 })
    expect(await count()).toBe(1)
  }, 30_000)

  it('of one tenant leaves the others as they are', async () => {
    expect(await rotate({ tenant: 'globex' })).toMatchObject({ outcome: 'done', added: 1, destroyed: 1 })
    expect([await states(), await states('globex')]).toEqual([['1 active'], ['1 destroyed, gone', '2 active']])
    expect(await people.run('verify')).toMatchObject({ skipped: 0 })
  }, 30_000)

  it('is content with rows under the old key alone, and with both, while it is under way', async () => {
    const stop = new AbortController()
    await rotate({ signal: stop.signal, onStep: ({ step }) => step === 'forget' && stop.abort() })
    expect(await people.run('verify', { restart: true })).toMatchObject({ skipped: 0 })
    expect(await people.run('reindex', { restart: true })).toMatchObject({ changed: ROWS })
    expect(await lengths()).toEqual([18])
    expect(await people.run('verify', { restart: true })).toMatchObject({ skipped: 0 })
    await people.sql(`UPDATE "Person" SET salary_ranges = salary_ranges[1:9] WHERE id = 5`)
    const { problems } = await people.run('verify', { restart: true })
    expect(problems).toMatchObject([{ key: ['5'], code: 'INDEX_MISMATCH' }])
  }, 30_000)

  it('can be undone by whoever can write the keys table and has a copy of it, as SECURITY.md says', async () => {
    await people.sql('CREATE TABLE copy AS SELECT * FROM "EncryptionKey"')
    const witness = process().$forTenant('acme')
    await rotate()
    const data = { clinicId: 'acme', name: 'Ann', salary: 3 }
    const tokens = async (client: FixtureClient, id: number) => {
      await client.person!.create({ data: { id, ...data } })
      const [{ n } = {}] = await people.sql('SELECT cardinality(salary_ranges) AS n FROM "Person" WHERE id = $1', [id])
      return n
    }
    expect(await tokens(process().$forTenant('acme'), 9_101)).toBe(9)
    await people.sql(
      `UPDATE "EncryptionKey" k SET state = 'retiring', wrapped = c.wrapped, "destroyedAt" = NULL FROM copy c WHERE c.id = k.id AND k.purpose = 'index'`,
    )
    expect(await tokens(process().$forTenant('acme'), 9_102)).toBe(18)
    await people.sql(`UPDATE "EncryptionKey" SET state = 'retired' WHERE state = 'retiring'`)
    const found = await witness.person!.findMany({ where: { salary: { lte: 3 } } })
    expect(found.map(({ id }) => id).sort()).toEqual([9_101, 9_102])
    await people.sql('DROP TABLE copy')
  }, 30_000)
})
