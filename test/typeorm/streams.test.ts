import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { withTenant } from 'fieldseal'
import { forTenant } from 'fieldseal/typeorm'
import type { DataSource } from 'typeorm'
import { eventually } from '../support/eventually.js'
import { refusal } from '../support/refusal.js'
import { User } from './entities.js'
import { openSource, type Row, type SourceUnderTest } from './openSource.js'
import { plantPeople, usersOf } from './people.js'

let source: SourceUnderTest
let acme: DataSource
beforeAll(async () => {
  source = await openSource({ defaultTenant: null })
  acme = forTenant(source.dataSource, 'acme')
  await plantPeople({ ...source, dataSource: acme })
  await usersOf(acme).insert(Array.from({ length: 500 }, (_, n) => ({ email: `s${n}@x.org`, n: 100, profile: {} })))
})
afterAll(() => source?.close())

const streamOf = (dataSource: DataSource) =>
  usersOf(dataSource).createQueryBuilder('u').where('u.n = 100').orderBy('u.id').stream() as Promise<Readable>

async function rowsOf(stream: AsyncIterable<Row>): Promise<Row[]> {
  const rows: Row[] = []
  for await (const row of stream) rows.push(row)
  return rows
}

/** Connections that are held by somebody. */
function borrowed(dataSource: DataSource): number {
  const { master } = dataSource.driver as unknown as { master: { totalCount: number; idleCount: number } }
  return master.totalCount - master.idleCount
}

describe('a stream', () => {
  it('gives every row in plaintext, in order', async () => {
    const rows = await rowsOf(await streamOf(acme))
    expect(rows.map(({ u_email }) => u_email)).toEqual(Array.from({ length: 500 }, (_, n) => `s${n}@x.org`))
  })

  it('finds by a value', async () => {
    const query = usersOf(acme).createQueryBuilder('u').where('u.email = :e', { e: 'ADA@x.org' })
    expect(await rowsOf((await query.stream()) as never)).toMatchObject([{ u_email: 'ada@x.org' }])
  })

  it('stays in the tenant in which it was asked for, also when it is read elsewhere', async () => {
    const stream = await withTenant('acme', () => streamOf(source.dataSource))
    const rows = await withTenant('globex', () => rowsOf(stream as never))
    expect(rows).toHaveLength(500)
    expect(rows[0]).toMatchObject({ u_email: 's0@x.org' })
  })

  it('that is abandoned half way gives its connection back', async () => {
    const runner = acme.createQueryRunner()
    const [text, values] = usersOf(acme).createQueryBuilder('u').getQueryAndParameters()
    const stream = (await runner.stream(text, values)) as unknown as Readable
    for await (const _ of stream) break
    await runner.release()
    await eventually(() => expect(borrowed(acme)).toBe(0))
    expect(await usersOf(acme).countBy({ email: 'ada@x.org' })).toBe(1)
  })

  it('tells the end, and releases', async () => {
    let ended = 0
    const runner = acme.createQueryRunner()
    const stream = await runner.stream('SELECT email FROM "user" LIMIT 3', [], () => {
      ended += 1
    })
    expect(await rowsOf(stream as never)).toHaveLength(3)
    await eventually(() => expect(ended).toBe(1))
    await runner.release()
  })

  it('is refused as a query is, with nothing sent, and gives its connection back', async () => {
    source.takeSql()
    const query = usersOf(acme).createQueryBuilder('u').orderBy('u.email')
    const error = await refusal(() => query.stream())
    expect(error).toMatchObject({ code: 'QUERY_UNSUPPORTED', message: expect.stringContaining('User.email') })
    expect(source.takeSql()).toEqual([])
    await eventually(() => expect(borrowed(acme)).toBe(0))
  })

  it('of another tenant fails with the first row that is not its own', async () => {
    const stream = await streamOf(forTenant(source.dataSource, 'globex'))
    const failed = once(stream, 'error')
    stream.resume()
    expect(await failed).toMatchObject([{ code: 'TENANT_MISMATCH', message: expect.stringContaining('User.email') }])
    await eventually(() => expect(borrowed(acme)).toBe(0))
  })

  it('without a tenant is refused before any SQL', async () => {
    source.takeSql()
    expect(await refusal(() => streamOf(source.dataSource))).toMatchObject({ code: 'TENANT_MISSING' })
    expect(source.takeSql()).toEqual([])
  })

  it('of a table without encrypted columns streams as ever', async () => {
    const runner = source.dataSource.createQueryRunner()
    const stream = await runner.stream('SELECT generate_series(1, 3) AS n')
    expect(await rowsOf(stream as never)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
    await runner.release()
    expect(User).toBeDefined()
  })
})
