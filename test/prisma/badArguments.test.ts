import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { FieldsealError } from 'fieldseal'
import type pg from 'pg'
import { openPool } from '../support/pool.js'
import { refusal } from '../support/refusal.js'
import { type Fixture, openFixture } from './fixtureClient.js'

let fixture: Fixture
let pool: pg.Pool
beforeAll(async () => {
  fixture = await openFixture('measures.prisma')
  pool = openPool(fixture.database.url)
  await fixture.prisma.measure!.create({ data: { id: 1, count: 1 } })
})
afterAll(async () => {
  await pool?.end()
  await fixture?.close()
})

const BAD: readonly unknown[] = [null, 5, 'x', '', true, [], {}, [null], [5], () => 5, new Date(Number.NaN), 5n]

type Arguments = readonly unknown[]
type Methods = { readonly [method: string]: (...args: Arguments) => unknown }

/** Arguments that each method takes, of which one at a time is put in the wrong. */
const calls: { readonly [method: string]: () => Arguments } = {
  decryptRows: () => ['Measure', [{ count: null }]],
  encrypt: () => ['Measure.count', 1, {}],
  blindIndex: () => ['Measure.both', [new Date(0), 1]],
  words: () => ['Measure.count', 'one'],
  maintain: () => [{ operation: 'verify', database: pool }],
  maintainRange: () => [{ range: '1' }, { database: pool }],
  rotateIndexKeys: () => [{ database: pool, tenant: 'nobody' }],
  survey: () => [{ database: pool }],
  checkKey: () => ['acme'],
  tryKms: () => ['acme'],
  rotate: () => [{ tenants: 'acme' }],
  rewrap: () => [{ tenants: 'acme' }],
  reopen: () => ['acme'],
  shred: () => ['nobody'],
  warm: () => [['acme'], {}],
  exportKeys: () => [{ database: pool }],
  restoreKeys: () => [{ keys: [] }],
}

const OPTIONS: { readonly [method: string]: readonly string[] } = {
  maintain: [
    ...['operation', 'database', 'models', 'fields', 'tenant', 'tenants', 'rowsPerSecond', 'maxLag', 'workers'],
    ...['signal', 'onProgress', 'onProblem', 'onWait', 'onFailure', 'onError'],
  ],
  rotateIndexKeys: [
    ...['database', 'tenant', 'tenants', 'settle', 'pauseUniqueWrites', 'rowsPerSecond', 'maxLag', 'workers'],
    ...['signal', 'onStep', 'onProgress', 'onProblem', 'onWait', 'onFailure'],
  ],
  survey: ['database', 'models', 'fields', 'tenant', 'tenants'],
  rotate: ['tenants', 'rate', 'concurrency', 'signal', 'after', 'onProgress', 'before'],
  rewrap: ['tenants', 'rate', 'concurrency', 'signal', 'after', 'onProgress', 'from'],
  warm: ['rate', 'concurrency', 'signal', 'onProgress', 'purposes'],
  exportKeys: ['database', 'copy'],
  restoreKeys: ['keys', 'dryRun', 'tenants', 'verify', 'undoShred', 'rate', 'concurrency', 'signal', 'onProgress'],
}

/** The error, if it is not one of this library's. */
async function surprise(method: string, args: Arguments): Promise<string | undefined> {
  const methods = fixture.prisma.$encryption as unknown as Methods
  try {
    await methods[method]!(...args)
    return undefined
  } catch (error) {
    return FieldsealError.is(error) ? undefined : `${method}(${args.map(String)}): ${String(error)}`
  }
}

describe('$encryption', () => {
  it('has no method that is not tried here', () => {
    const methods = Object.entries(fixture.prisma.$encryption).filter(([, value]) => typeof value === 'function')
    expect(methods.map(([name]) => name).sort()).toEqual([...Object.keys(calls), 'close', 'stats'].sort())
  })

  it.each(Object.keys(calls))('%s takes what it takes, or says in its own words why not', async (method) => {
    const args = calls[method]!()
    expect(await surprise(method, args)).toBeUndefined()
    for (let position = 0; position < args.length; position++) {
      for (const bad of BAD) expect(await surprise(method, args.with(position, bad))).toBeUndefined()
    }
    expect(await surprise(method, [])).toBeUndefined()
  })

  it.each(Object.keys(OPTIONS))('%s says so of each of its options', async (method) => {
    const args = calls[method]!()
    const options = args.at(-1) as object
    for (const name of OPTIONS[method]!) {
      for (const bad of BAD) {
        expect(await surprise(method, args.with(-1, { ...options, [name]: bad }))).toBeUndefined()
      }
    }
  })

  it('names the method and the argument', async () => {
    const { $encryption } = fixture.prisma
    const error = await refusal(() => $encryption.decryptRows('Measure', null as never))
    expect(error.code).toBe('OPTIONS_INVALID')
    expect(error.message).toBe('$encryption.decryptRows: "rows" must be a list of objects')
  })
})
