import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { MaintainOptions, Operation } from 'fieldseal/prisma'
import type pg from 'pg'
import { type Fixture, openFixture } from '../prisma/fixtureClient.js'
import { ejecting } from '../support/ejecting.js'
import { openPool } from '../support/pool.js'

const tenants = { Order: 'person.tenantId' }

let fixture: Fixture
let database: pg.Pool
beforeAll(async () => {
  fixture = await openFixture('schemas.prisma')
  database = openPool(fixture.url, { max: 4 })
  await fixture.plain.person!.createMany({
    data: Array.from({ length: 30 }, (_, i) => ({
      tenantId: i % 3 ? 'acme' : 'globex',
      email: `person${i}@example.com`,
    })),
  })
  const people = await fixture.plain.person!.findMany()
  await fixture.plain.order!.createMany({ data: people.map(({ id }, i) => ({ personId: id, note: `note ${i}` })) })
})
afterAll(async () => {
  await database?.end()
  await fixture?.close()
})

const run = (operation: Operation, options: Partial<MaintainOptions> = {}) => {
  const client = fixture.another(operation === 'decrypt' ? { schema: ejecting(fixture.schema) } : {})
  return client.$encryption.maintain({ operation, database, tenants, ...options })
}
const encrypted = async (table: string, column: string) => {
  const { rows } = await database.query(`SELECT count(*) FILTER (WHERE ${column} LIKE 'fs1.%') AS count FROM ${table}`)
  return Number(rows[0].count)
}

describe('models in several schemas of the database, with tables of one name', () => {
  it('are encrypted and verified, each in its own, with a tenant that stands in another', async () => {
    const done = await run('encrypt')
    expect(done).toMatchObject([
      { model: 'Order', changed: 30, skipped: 0 },
      { model: 'Person', changed: 30, skipped: 0 },
    ])
    expect(await encrypted('people."Record"', 'email')).toBe(30)
    expect(await encrypted('"Sales"."Record"', 'note')).toBe(30)
    expect(await run('verify')).toMatchObject([
      { skipped: 0, scanned: 30 },
      { skipped: 0, scanned: 30 },
    ])
    const orders = await fixture
      .another()
      .$acrossTenants()
      .order!.findMany({ include: { person: true } })
    expect(orders.map(({ note }) => note)).toContain('note 29')
    expect(orders.map(({ person }) => (person as { email: string }).email)).toContain('person29@example.com')
  })

  it('are surveyed', async () => {
    const survey = await fixture.prisma.$encryption.survey({ database, tenants })
    expect(survey.fields).toMatchObject([
      { model: 'Order', field: 'note', rows: 30, ciphertext: 30, unknownKey: 0, versions: [{ version: 1, rows: 30 }] },
      { model: 'Person', field: 'email', rows: 30, ciphertext: 30, unknownKey: 0 },
    ])
    expect(survey.indexes).toMatchObject([{ field: 'emailIndex', missing: 0, stray: 0 }])
    expect(new Set(survey.keys.map(({ tenant }) => tenant))).toEqual(new Set(['acme', 'globex']))
  })

  it('are re-encrypted after a rotation, reindexed and decrypted', async () => {
    await fixture.prisma.$encryption.rotate()
    expect(await run('re-encrypt')).toMatchObject([{ changed: 30 }, { changed: 30 }])
    await database.query('UPDATE people."Record" SET "emailIndex" = NULL')
    expect(await run('reindex')).toMatchObject([{ model: 'Order' }, { model: 'Person', changed: 30 }])
    expect(await run('verify')).toMatchObject([{ skipped: 0 }, { skipped: 0 }])
    expect(await run('decrypt', { tenant: 'globex' })).toMatchObject([{ changed: 10 }, { changed: 10 }])
    expect(await encrypted('"Sales"."Record"', 'note')).toBe(20)
    expect(await run('encrypt')).toMatchObject([{ changed: 10 }, { changed: 10 }])
  })

  it('have guards that the database takes', async () => {
    await database.query(readFileSync(join(fixture.folder, 'generated/guards.sql'), 'utf8'))
    await expect(database.query(`UPDATE "Sales"."Record" SET note = 'plain'`)).rejects.toThrow('check constraint')
  })
})
