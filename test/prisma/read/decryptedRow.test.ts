import { describe, expect, it } from '@jest/globals'
import { copyMarkedRow, copyRow, type Reader, type Row, readerOf } from '../../../src/prisma/read/decryptedRow.js'

const reader: Reader = { owner: { tenant: 'acme' }, limit: undefined }

function wideRow(columns: number): Row {
  const row: Row = {}
  for (let i = 0; i < columns; i += 1) row[`column${i}`] = i
  return row
}

describe('the copy of a row', () => {
  it.each([1, 9, 23, 200])('has the properties of a row of %i columns, in their order', (columns) => {
    const row = wideRow(columns)
    const copy = copyRow(row, reader)
    expect(copy).toStrictEqual(row)
    expect(Object.keys(copy)).toEqual(Object.keys(row))
    copy.column0 = 'changed'
    expect(row.column0).toBe(0)
  })

  it('is an ordinary object', () => {
    const copy = copyRow({ id: 1 }, reader)
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype)
    expect(copyRow(Object.assign(Object.create(null), { id: 1 }), reader)).toStrictEqual({ id: 1 })
    expect(JSON.stringify(copy)).toBe('{"id":1}')
  })

  it('loses neither symbols nor a property called __proto__, and takes no prototype from it', () => {
    const tag = Symbol('tag')
    expect(copyRow({ id: 1, [tag]: 'kept' } as Row, reader)).toStrictEqual({ id: 1, [tag]: 'kept' })
    const copy = copyRow(JSON.parse('{"id":1,"__proto__":{"isAdmin":true}}'), reader)
    expect(Object.keys(copy)).toEqual(['id', '__proto__'])
    expect('isAdmin' in copy).toBe(false)
  })

  it('has none of what was only inherited, but the class of its row', () => {
    class Model {
      get name() {
        return 'computed'
      }
    }
    const copy = copyRow(Object.assign(new Model(), { id: 1 }) as unknown as Row, reader)
    expect(copy).toBeInstanceOf(Model)
    expect(Object.keys(copy)).toEqual(['id'])
    expect(copy.name).toBe('computed')
  })
})

describe('the mark of a decrypted row', () => {
  it('is on copies that are for a reader, and on no others', () => {
    expect(readerOf(copyRow({ id: 1 }, reader))).toBe(reader)
    expect(readerOf(copyRow({ id: 1 }, undefined))).toBeUndefined()
    expect(readerOf({ ...copyRow({ id: 1 }, reader) })).toBeUndefined()
  })

  it('goes over to copies of marked rows, with properties that were hidden', () => {
    const row = copyRow({ id: 1, secret: 'x' }, reader)
    Object.defineProperty(row, 'secret', { value: 'x', enumerable: false, configurable: false })
    const copy = copyMarkedRow(row, reader)
    expect(readerOf(copy)).toBe(reader)
    expect([Object.keys(copy), copy.secret]).toEqual([['id'], 'x'])
  })
})
