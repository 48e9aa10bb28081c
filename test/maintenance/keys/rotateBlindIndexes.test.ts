import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { FieldsealError } from 'fieldseal'
import type { MaintainOptions, Operation, RunReport } from 'fieldseal/prisma'
import type pg from 'pg'
import type { RotateIndexKeysOptions } from '../../../src/maintenance/keys/rotateIndexKeys.js'
import { type Fixture, type FixtureClient, openFixture, type Row } from '../../prisma/fixtureClient.js'
import { openPool } from '../../support/pool.js'
import { refusal } from '../../support/refusal.js'

/** For how long each process holds keys, in milliseconds. */
const TTL = 500
const ROWS = 200

let fixture: Fixture
let pool: pg.Pool
beforeAll(async () => {
  fixture = await openFixture('rotation.prisma', { defaultTenant: undefined as never })
  pool = openPool(fixture.url, { max: 4 })
})
beforeEach(async () => {
  await sql('TRUNCATE "Member", "EncryptionKey"')
  await sql('DROP SCHEMA IF EXISTS fieldseal CASCADE')
  const data = Array.from({ length: ROWS }, (_, id) => memberOf(id))
  await acmeOf(process()).member!.createMany({ data })
})
afterAll(async () => {
  await pool?.end()
  await fixture?.close()
})

const memberOf = (id: number) => ({
  id,
  clinicId: 'acme',
  name: `Name ${id % 10}`,
  city: `City ${id % 5}`,
  street: `Street ${id % 4}`,
  house: `${id % 10}`,
  email: `${id}@example.com`,
})
const sql = async (text: string, values: unknown[] = []): Promise<Row[]> => (await pool.query(text, values)).rows
/** A client with a memory of its own, as another process would have it. */
const process = (): FixtureClient => fixture.another({ keys: { ttl: TTL, staleFor: 0 } })
const acmeOf = (client: FixtureClient): FixtureClient => client.$forTenant('acme')
const acme = (): FixtureClient => acmeOf(process())
const rotate = (options: Partial<RotateIndexKeysOptions> = {}) =>
  process().$encryption.rotateIndexKeys({ database: pool, settle: 50, pauseUniqueWrites: true, ...options })
const run = async (operation: Operation, options: Partial<MaintainOptions> = {}): Promise<RunReport> =>
  (await process().$encryption.maintain({ operation, database: pool, restart: true, ...options }))[0]!
const states = async () =>
  (await sql(`SELECT version, state FROM "EncryptionKey" WHERE purpose = 'index' ORDER BY version`)).map(
    ({ version, state }) => `${version} ${state}`,
  )

/** Breaks a rotation off when it comes to a step for the n-th time. */
async function rotateUntil(step: string, times = 1): Promise<void> {
  const stop = new AbortController()
  let seen = 0
  await rotate({
    signal: stop.signal,
    onStep: (now) => {
      if (now.step === step && (step === 'replace' || step === 'retire' || now.count === undefined)) seen += 1
      if (seen === times) stop.abort()
    },
  })
}
/** Old keys are `retiring`: all search for both, and write blind indexes under the old one. */
const toRetiring = () => rotateUntil('forget')
/** Old keys are `replaced`: blind indexes are written under the new one. */
const toReplaced = () => rotateUntil('forget', 2)

const OWN = { id: { lt: ROWS } }
/** Questions with their right numbers, whoever else writes. */
const QUESTIONS: readonly (readonly [what: string, where: object, right: number])[] = [
  ['equals', { name: 'name 3' }, 20],
  ['equals beside another operator', { name: { equals: 'NAME 3', not: 'Name 4' } }, 20],
  ['in', { name: { in: ['Name 1', 'Name 2'] } }, 40],
  ['not', { name: { not: 'Name 1' } }, 180],
  ['notIn', { name: { notIn: ['Name 1', 'Name 2', 'Name 3'] } }, 140],
  ['NOT', { NOT: { name: 'Name 1' } }, 180],
  ['OR', { OR: [{ name: 'Name 1' }, { email: '0@example.com' }, { email: '1@example.com' }] }, 21],
  ['a unique field in a filter', { email: { in: ['7@example.com', '8@example.com'] } }, 2],
  ['an index over two fields', { street: 'Street 1', house: '1' }, 10],
  ['null', { name: null }, 0],
]

/** Asks and writes until it is stopped, by clients of its own; tells of each wrong answer. */
class Others {
  readonly wrong: string[] = []
  readonly refused = { naming: 0, writing: 0 }
  asked = 0
  written = 0
  named = 0
  #stopped = false
  readonly #running: Promise<void>[]

  constructor() {
    this.#running = [this.#search(acme()), this.#write(acme(), acme()), this.#name(acme()), this.#repeat(acme())]
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#running)
  }

  async #search(client: FixtureClient): Promise<void> {
    for (; !this.#stopped; this.asked += 1) {
      const [what, where, right] = QUESTIONS[this.asked % QUESTIONS.length]!
      const count = await client.member!.count({ where: { AND: [OWN, where] } })
      if (count !== right) this.wrong.push(`${what}: ${count} and not ${right}`)
      const few = await client.member!.findMany({ where: { AND: [OWN, { city: 'City 2' }] } })
      if (few.length !== 40) this.wrong.push(`an index of few bits: ${few.length} and not 40`)
      await delay(2)
    }
  }

  /** What is written is found at once, by others, and is not found any more by what it was. */
  async #write(writer: FixtureClient, reader: FixtureClient): Promise<void> {
    for (let id = 10_000; !this.#stopped; id += 1, this.written += 1) {
      await writer.member!.create({ data: { id, clinicId: 'acme', name: `New ${id}`, city: 'Else' } })
      const count = (name: string) => reader.member!.count({ where: { name } })
      if ((await count(`new ${id}`)) !== 1) this.wrong.push(`${id} was written and not found`)
      await writer.member!.update({ where: { id }, data: { name: `Other ${id}` } })
      const found = [await count(`other ${id}`), await count(`new ${id}`)]
      if (found.join() !== '1,0') this.wrong.push(`${id} was changed and found ${found}`)
      await delay(5)
    }
  }

  /** A row is named by its unique field, or that is refused. */
  async #name(client: FixtureClient): Promise<void> {
    for (let turn = 0; !this.#stopped; turn += 1) {
      const id = turn % ROWS
      const email = { clinicId: 'acme', email: `${id}@example.com` }
      try {
        const row = await client.member!.findUnique({ where: { clinicId_email: email } })
        if (row?.id !== id) this.wrong.push(`${id} was named and not found`)
        this.named += 1
      } catch (error) {
        if (!FieldsealError.is(error, 'KEY_ROTATING')) throw error
        this.refused.naming += 1
      }
      await delay(5)
    }
  }

  /** A second row of the same email never comes to be. */
  async #repeat(client: FixtureClient): Promise<void> {
    for (let id = 50_000; !this.#stopped; id += 1) {
      try {
        const data = { id, clinicId: 'acme', name: 'Twice', email: `${id % ROWS}@example.com` }
        await client.member!.create({ data })
        this.wrong.push(`${data.email} is there twice`)
      } catch (error) {
        if (FieldsealError.is(error, 'KEY_ROTATING')) this.refused.writing += 1
        else if ((error as { code?: string }).code !== 'P2002') throw error
      }
      await delay(5)
    }
  }
}

describe('the rotation of keys under which there are blind indexes', () => {
  it('beside writers and searchers has no search miss a row and no value come in twice', async () => {
    const others = new Others()
    const asked: number[] = []
    await delay(300)
    const report = await rotate({
      settle: 1_500,
      rowsPerSecond: 200,
      onStep: ({ step }) => step === 'fill' && asked.push(others.asked, others.written),
      onProgress: () => asked.push(others.asked, others.written),
    })
    await delay(2 * TTL)
    const named = others.named
    await delay(200)
    await others.stop()
    expect(others.wrong).toEqual([])
    expect(report).toMatchObject({ outcome: 'done', added: 1, destroyed: 1, failed: [] })
    expect(await states()).toEqual(['1 destroyed', '2 active'])
    expect(others.refused.naming).toBeGreaterThan(0)
    expect(others.refused.writing).toBeGreaterThan(0)
    expect(others.named).toBeGreaterThan(named)
    expect(others.asked).toBeGreaterThan(30)
    expect(others.written).toBeGreaterThan(10)
    expect(await run('verify')).toMatchObject({ outcome: 'done', skipped: 0 })
    const [{ n } = {}] = await sql('SELECT count(DISTINCT "emailIndex") AS n FROM "Member"')
    expect(Number(n)).toBe(ROWS)
  }, 90_000)

  it.each([
    ['retiring', toRetiring],
    ['replaced', toReplaced],
  ])(
    'answers every question while old keys are %s, whichever key a row is under',
    async (state, reach) => {
      await reach()
      expect(await states()).toEqual([`1 ${state}`, '2 active'])
      const asked = async () => {
        const client = acme()
        const counts = QUESTIONS.map(([, where]) => client.member!.count({ where: { AND: [OWN, where] } }))
        return Promise.all(counts)
      }
      const right = QUESTIONS.map(([, , count]) => count)
      expect(await asked()).toEqual(right)
      // Half of the rows of each value are rewritten: under the old key or the new one, as its state says.
      const client = acme()
      for (let id = 0; id < ROWS / 2; id += 1) {
        await client.member!.update({ where: { id }, data: { ...memberOf(id), email: undefined } })
      }
      // Of the index of few bits different values may be the same, so it is looked at city by city.
      const [{ names, places, city } = {}] = await sql(
        `SELECT count(DISTINCT "nameIndex") AS names, count(DISTINCT "placeIndex") AS places,
           (SELECT max(n) FROM (SELECT count(DISTINCT "cityIndex") AS n FROM "Member" GROUP BY id % 5) c) AS city
         FROM "Member"`,
      )
      expect([names, places, city].map(Number)).toEqual(state === 'retiring' ? [10, 20, 1] : [20, 40, 2])
      expect(await asked()).toEqual(right)
      expect(await run('verify')).toMatchObject({ skipped: 0 })
      expect(await rotate()).toMatchObject({ outcome: 'done', destroyed: 1 })
      expect(await asked()).toEqual(right)
    },
    60_000,
  )

  it('goes on where it was broken off, at each of its steps', async () => {
    const left: string[][] = []
    for (const [step, times] of [
      ['forget', 1],
      ['prepare', 1],
      ['replace', 1],
      ['forget', 1],
      ['fill', 1],
      ['settle', 1],
      ['retire', 1],
      ['drop', 1],
    ] as const) {
      await rotateUntil(step, times)
      left.push(await states())
      expect(await acme().member!.count({ where: { ...OWN, name: 'name 3' } })).toBe(20)
    }
    const [retiring, replaced, retired] = ['retiring', 'replaced', 'retired'].map((state) => [`1 ${state}`, '2 active'])
    expect(left).toEqual([retiring, retiring, replaced, replaced, replaced, replaced, retired, retired])
    expect(await rotate()).toMatchObject({ outcome: 'done', added: 0, destroyed: 1 })
    expect(await run('verify')).toMatchObject({ skipped: 0 })
  }, 90_000)

  it('is refused with unique ones until their writes may be paused, before anything is changed', async () => {
    const error = await refusal(() => rotate({ pauseUniqueWrites: false }))
    expect(error.code).toBe('OPTIONS_INVALID')
    expect(error.message).toMatch(
      /^rotateIndexKeys: Member\.emailIndex is in a unique constraint.*--pause-unique-writes/,
    )
    expect(await states()).toEqual(['1 active'])
  })

  it('lets a unique index name rows and be written while old keys are retiring', async () => {
    await toRetiring()
    const client = acme()
    const email = { clinicId: 'acme', email: '7@example.com' }
    expect(await client.member!.findUnique({ where: { clinicId_email: email } })).toMatchObject({ id: 7 })
    await client.member!.update({ where: { clinicId_email: email }, data: { email: 'seven@example.com' } })
    const other = { clinicId: 'acme', email: 'seven@example.com' }
    expect(await acme().member!.findUnique({ where: { clinicId_email: other } })).toMatchObject({ id: 7 })
    const twice = client.member!.create({ data: { id: 900, clinicId: 'acme', email: '8@example.com' } })
    await expect(twice).rejects.toMatchObject({ code: 'P2002' })
  }, 30_000)

  it('refuses, before any SQL, what one key cannot answer while old keys are replaced', async () => {
    await toReplaced()
    const client = acme()
    const where = { clinicId_email: { clinicId: 'acme', email: '7@example.com' } }
    const data = { id: 901, clinicId: 'acme', email: 'new@example.com' }
    const before = await sql('SELECT * FROM "Member" ORDER BY id')
    const refused = [
      () => client.member!.findUnique({ where }),
      () => client.member!.update({ where, data: { name: 'Ada' } }),
      () => client.member!.upsert({ where, create: data, update: {} }),
      () => client.member!.delete({ where }),
      () => client.member!.findMany({ cursor: where }),
      () => client.member!.create({ data }),
      () => client.member!.createMany({ data: [data] }),
      () => client.member!.updateMany({ where: { id: 3 }, data: { email: 'new@example.com' } }),
      () => client.member!.findMany({ distinct: ['name'] }),
      () => client.member!.findMany({ distinct: ['nameIndex'] }),
      () => client.member!.groupBy({ by: ['nameIndex'], _count: true }),
      () => client.member!.count({ where: { name: { not: { not: 'Name 1' } } } }),
      () => client.member!.deleteMany({ where: { name: { not: { equals: 'Name 1', not: 'Name 2' } } } }),
      () => client.member!.count({ where: { name: { equals: 'Name 1', in: ['Name 1', 'Name 2'] } } }),
      () => client.$encryption.blindIndex('Member.nameIndex', 'Ada'),
    ]
    for (const ask of refused) expect((await refusal(ask as never)).code).toBe('KEY_ROTATING')
    expect(await sql('SELECT * FROM "Member" ORDER BY id')).toEqual(before)
    // What touches no unique index goes on; so does taking a value away.
    await client.member!.create({ data: { id: 902, clinicId: 'acme', name: 'Ada' } })
    await client.member!.update({ where: { id: 3 }, data: { name: 'Ada', email: null } })
    expect(await client.member!.count({ where: { name: 'ada' } })).toBe(2)
  }, 30_000)

  it('does not fill a unique index that a row lacks once old keys are replaced, and says so', async () => {
    await toReplaced()
    await sql(`UPDATE "Member" SET "emailIndex" = NULL WHERE id = 5`)
    for (const operation of ['encrypt', 'reindex'] as const) {
      const { skipped, problems } = await run(operation)
      expect([skipped, problems[0]?.code, problems[0]?.key]).toEqual([1, 'KEY_ROTATING', ['5']])
    }
    expect(await rotate()).toMatchObject({ outcome: 'left' })
    await sql(`UPDATE "Member" SET email = NULL WHERE id = 5`)
    expect(await rotate()).toMatchObject({ outcome: 'done', destroyed: 1 })
  }, 60_000)

  it('fills what a unique index lacks before keys are replaced', async () => {
    await toRetiring()
    await sql(`UPDATE "Member" SET "emailIndex" = NULL WHERE id = 5`)
    expect(await rotate()).toMatchObject({ outcome: 'done', destroyed: 1 })
    const where = { clinicId_email: { clinicId: 'acme', email: '5@example.com' } }
    expect(await acme().member!.findUnique({ where })).toMatchObject({ id: 5 })
  }, 30_000)

  it('has who holds the old key alone find what is written by who knows of both', async () => {
    const late = fixture.another({ keys: { ttl: '1h' } }).$forTenant('acme')
    expect(await late.member!.count({ where: { name: 'name 3' } })).toBe(20)
    await toRetiring()
    await acme().member!.create({ data: { id: 903, clinicId: 'acme', name: 'Name 3', email: 'e903' } })
    expect(await late.member!.count({ where: { name: 'name 3' } })).toBe(21)
    const where = { clinicId_email: { clinicId: 'acme', email: 'e903' } }
    expect(await late.member!.findUnique({ where })).toMatchObject({ id: 903 })
  })

  it.each([
    ['a unique index of some rows', 'CREATE UNIQUE INDEX only_sql ON "Member" ("nameIndex") WHERE id < 10'],
    ['one of what is computed', 'CREATE UNIQUE INDEX only_sql ON "Member" (id, lower("nameIndex"))'],
  ])('is refused where only the database knows %s', async (_, statement) => {
    await sql(statement)
    const error = await refusal(() => rotate())
    await sql('DROP INDEX only_sql')
    expect(error.code).toBe('OPTIONS_INVALID')
    expect(error.message).toContain('in the database Member.nameIndex is in a unique index')
    expect(await states()).toEqual(['1 active'])
  })

  it('comes to its end although a tenant was shredded whose rows are still there', async () => {
    const gone = process().$forTenant('gone')
    await gone.member!.create({ data: { ...memberOf(950), clinicId: 'gone' } })
    await toReplaced()
    await process().$encryption.shred('gone')
    expect(await rotate()).toMatchObject({ outcome: 'done', destroyed: 1 })
    await acme().member!.create({ data: { ...memberOf(951) } })
  }, 60_000)
})
