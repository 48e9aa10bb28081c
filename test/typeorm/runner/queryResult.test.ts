import { describe, expect, it } from '@jest/globals'
import { readResult, rowsIn } from '../../../src/typeorm/runner/queryResult.js'

class QueryResult {
  records: object[] = []
  raw: unknown
  affected?: number
}

const rows = Object.freeze([Object.freeze({ email: 'fs1.a' }), Object.freeze({ email: 'fs1.b' })])
const read = async (given: readonly object[]) => given.map((row) => ({ ...row, email: 'read' }))
const wasRead = [{ email: 'read' }, { email: 'read' }]

function structured(raw: unknown, affected?: number): QueryResult {
  const result = Object.assign(new QueryResult(), { records: rows, raw })
  return Object.freeze(affected === undefined ? result : Object.assign(result, { affected }))
}

describe('the result of a statement', () => {
  it('keeps its form, with rows that were read in the place of its own', async () => {
    expect(await readResult(rows, read)).toEqual(wasRead)
    expect(await readResult(Object.freeze([rows, 2]), read)).toEqual([wasRead, 2])
    const result = await readResult(structured(rows, 2), read)
    expect(result).toBeInstanceOf(QueryResult)
    expect(result).toEqual(Object.assign(new QueryResult(), { records: wasRead, raw: wasRead, affected: 2 }))
    const counted = await readResult(structured([rows, 2], 2), read)
    expect(counted).toMatchObject({ records: wasRead, raw: [wasRead, 2], affected: 2 })
  })

  it('counts no rows that were found by mistake', async () => {
    const first = async (given: readonly object[]) => given.slice(0, 1)
    expect(await readResult(structured(rows, 2), first)).toMatchObject({ records: [rows[0]], affected: 1 })
    expect(await readResult(structured(rows), first)).toMatchObject({ records: [rows[0]], affected: undefined })
  })

  it('gives the same rows in both places where TypeORM has them', async () => {
    const { records, raw } = (await readResult(structured(rows), read)) as QueryResult
    expect(records).toBe(raw)
  })

  it.each([undefined, null, [], [[], 3], 'text', 7, [1, 2], [['a', 'b'], 3], [rows, rows, rows]])(
    'passes where there are no rows in it: %j',
    async (result) => {
      const neverRead = () => Promise.reject(new Error('was read'))
      expect(await readResult(result, neverRead)).toBe(result)
    },
  )

  it('tells its rows, for whoever counts them', () => {
    expect(rowsIn([rows, null])).toBe(rows)
    expect(rowsIn(structured(rows))).toBe(rows)
    expect(rowsIn(undefined)).toBeUndefined()
  })
})
