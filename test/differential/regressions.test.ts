import { afterAll, beforeAll, describe, it } from '@jest/globals'
import { type KmsEmulator, startKmsEmulator } from 'fieldseal/testing'
import { compare } from './compare.js'
import type { Call, Case, Step } from './randomCase.js'
import type { Column, Encryption, Index, Schema } from './schema.js'
import { Tally } from './tally.js'
import { openTwins, type Twins } from './twins.js'

/** What the random test has found once. The wrong answers are gone; their questions stay. */

const encrypted = (name: string, kind: Column['kind'], more: Partial<Column & Encryption> = {}): Column => {
  const { optional = true, storage = 'String', bind = [], indexes = [] } = more
  const unique = indexes.some((index) => index.unique)
  return { name, kind, optional, ...(unique && { unique }), encrypted: { storage, bind, indexes } }
}
const index = (column: string, unique = false): Index => ({
  column,
  storage: 'String',
  scope: 'tenant',
  bits: 128,
  unique,
})

const schema: Schema = {
  models: [
    {
      name: 'Person',
      id: ['id'],
      columns: [
        { name: 'id', kind: 'Int', optional: false },
        { name: 'rank', kind: 'Int', optional: false },
        encrypted('name', 'String', { optional: false, indexes: [index('nameIndex')] }),
        encrypted('email', 'String', { indexes: [index('emailIndex', true)] }),
        encrypted('code', 'String', { indexes: [{ ...index('codeIndex', true), storage: 'Bytes' }] }),
        encrypted('notes', 'Json'),
        encrypted('first', 'String'),
        encrypted('last', 'String'),
      ],
      relations: [],
      uniques: [],
      groups: [{ column: 'fullIndex', sources: ['first', 'last'] }],
    },
  ],
}

const call = (operation: string, args: Call['args']): Step => ({
  kind: 'call',
  calls: [{ model: 'Person', operation, args }],
})
const people = (...rows: object[]): Step =>
  call('createMany', { data: rows.map((row, position) => ({ id: position + 1, rank: 1, name: 'a', ...row })) })
const DB_NULL = { $null: 'DbNull' }

const cases: { readonly [title: string]: Case } = {
  'DbNull in a Json field whose column is text': [
    people({ notes: DB_NULL }, { notes: { $json: { a: 1 } } }),
    call('findMany', { where: { notes: { equals: DB_NULL } } }),
    call('findMany', { where: { notes: { not: DB_NULL } } }),
    call('update', { where: { id: 2 }, data: { notes: DB_NULL } }),
  ],
  'null beside values in a filter of a required field': [
    people({}),
    call('findMany', { where: { name: { in: null } } }),
    call('findMany', { where: { name: { in: ['a'], not: null } } }),
    call('findMany', { where: { email: { in: null } } }),
  ],
  'a cursor and distinct by a field whose index is bytes': [
    people({ code: 'a' }, { code: 'b', rank: 2 }, { code: 'c' }, { rank: 3 }, { rank: 3 }),
    call('findMany', { orderBy: [{ id: 'asc' }], distinct: ['code'] }),
    call('findMany', { orderBy: [{ id: 'asc' }], cursor: { code: 'b' }, take: 2 }),
    call('findMany', { orderBy: [{ id: 'asc' }], cursor: { code: 'b' }, distinct: ['rank'] }),
    call('findMany', { orderBy: [{ id: 'desc' }], cursor: { email: 'x' }, distinct: ['code'], take: -2 }),
  ],
  'what is not a combination, where one of its fields is null': [
    people({ first: 'b' }, { first: 'a' }, { first: 'a', last: 'b' }, { first: 'a', last: 'a' }),
    call('findMany', { where: { first: 'a', last: 'b' } }),
    call('findMany', { where: { NOT: { first: 'a', last: 'b' } } }),
    call('deleteMany', { where: { NOT: [{ first: 'a', last: 'b' }] } }),
  ],
}

let emulator: KmsEmulator
let twins: Twins
beforeAll(async () => {
  emulator = await startKmsEmulator()
  twins = await openTwins(schema, emulator)
})
afterAll(async () => {
  await twins?.close()
  await emulator.close()
})

describe('what random operations have found once stays found', () => {
  it.each(Object.entries(cases))('both clients agree on %s', (_, steps) => compare(twins, steps, new Tally()))
})
