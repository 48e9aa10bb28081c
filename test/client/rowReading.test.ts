import { randomBytes, randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { type CipherField, type DecryptSlot, type TenantHolder, transform } from '../../src/cipher/cipher.js'
import type { RowColumn, RowColumns } from '../../src/cipher/rowColumns.js'
import type { AuditEntry, AuditTrail } from '../../src/client/audit.js'
import type { Bait } from '../../src/client/honeytokens.js'
import { type RowReading, readRows } from '../../src/client/rowReading.js'
import { chooseEngine } from '../../src/crypto/chooseEngine.js'
import { DekCache } from '../../src/keys/cache/dekCache.js'
import { Dek } from '../../src/keys/dek.js'
import { KeyRing } from '../../src/keys/keyRing.js'
import { ANY_TENANT } from '../../src/tenancy/scope.js'
import { memoryKeyStore } from '../../src/testing/memoryKeyStore.js'
import { watchedKms } from '../keys/watchedKms.js'

type Row = { readonly id: number; name: unknown }

const NAME: CipherField = { name: 'Note.name', context: 'note.name', kind: 'String', column: 'String' }
const COLUMNS: readonly RowColumn[] = [{ key: 'name', field: NAME }]

const cache = new DekCache({ ttl: 60_000, max: 100 })
const ring = new KeyRing({ kms: watchedKms(), store: memoryKeyStore(), cache })
const dek = newDek()
cache.add(dek)

function newDek(): Dek {
  return new Dek({ key: randomUUID(), purpose: 'encrypt', tenant: 'acme' }, randomBytes(32), chooseEngine('node'))
}

function stored(count: number, under = dek): Row[] {
  const names = under.values!.encrypt({
    places: Array.from({ length: count }, () => under.place(NAME, false)),
    bound: undefined,
    plaintexts: Array.from({ length: count }, (_, id) => `\0name ${id}`),
  })
  return names.map((name, id) => ({ id, name }))
}

interface Options {
  readonly owner?: TenantHolder
  readonly auditTrail?: AuditTrail
  /** Is in memory once it has been waited for. */
  readonly late?: Dek
}

/** Reads rows, and says how each part of them was collected. */
function reading(rows: readonly Row[], { owner = { tenant: 'acme' }, auditTrail, late }: Options = {}) {
  const collected: string[] = []
  const waited: number[] = []
  const collect = (from: number, to: number, columns: RowColumns | undefined) => {
    collected.push(`${from}–${to} by ${columns ? 'columns' : 'slots'}`)
    const copies = rows.slice(from, to).map((row): Row => ({ ...row }))
    for (const copy of copies) columns?.add(COLUMNS, copy)
    const slots = columns ? [] : copies.map((holder): DecryptSlot => slotOf(holder, owner))
    return { rows: copies, slots }
  }
  const transformed = (slots: readonly DecryptSlot[]) => {
    waited.push(slots.length)
    if (late) cache.add(late)
    return transform(slots, ring)
  }
  const whole = {
    context: { ring },
    tenancy: { owner },
    length: rows.length,
    collect,
    transform: transformed,
    audited: { auditTrail, clientBinding: { access: () => ({}) } },
    operation: 'findMany',
  }
  return { collected, waited, read: async () => readRows(whole as unknown as RowReading<Row>) }
}

function slotOf(holder: Row, owner: TenantHolder): DecryptSlot {
  return { mode: 'decrypt', field: NAME, owner, holder, key: 'name', bound: [] }
}

const namesOf = (count: number): Row[] => Array.from({ length: count }, (_, id) => ({ id, name: `name ${id}` }))

function spoilt(rows: readonly Row[], at: number): Row[] {
  const text = rows[at]!.name as string
  return rows.with(at, { id: at, name: `${text.slice(0, 50)}${text[50] === 'A' ? 'B' : 'A'}${text.slice(51)}` })
}

describe('rows that are read', () => {
  it('are decrypted by their columns, and left as they came to whoever else holds them', async () => {
    const rows = stored(3)
    const before = structuredClone(rows)
    const { collected, waited, read } = reading(rows)
    expect(await read()).toEqual(namesOf(3))
    expect([collected, waited]).toEqual([['0–3 by columns'], []])
    expect(rows).toEqual(before)
  })

  it('are there at once where nothing has to be waited for', () => {
    const collect = () => ({ rows: ['row'], slots: [] })
    const tenancy = { owner: { tenant: 'acme' } }
    const one = { context: { ring }, tenancy, length: 1, collect, transform: () => undefined, audited: {} }
    expect(readRows(one as unknown as RowReading<string>)).toEqual(['row'])
  })

  it('have a slot for each value where they may be of all tenants', async () => {
    const { collected, read } = reading(stored(3), { owner: { tenant: ANY_TENANT } })
    expect(await read()).toEqual(namesOf(3))
    expect(collected).toEqual(['0–3 by slots'])
  })

  it('are not handed out if one of them cannot be decrypted, of which its slot tells', async () => {
    const { collected, read } = reading(spoilt(stored(3), 1))
    await expect(read()).rejects.toMatchObject({
      code: 'DECRYPTION_FAILED',
      message: expect.stringMatching(/^Note\.name/),
    })
    expect(collected).toEqual(['0–3 by columns', '0–3 by slots'])
  })

  it('are not handed out if one far down cannot be decrypted', async () => {
    const { collected, read } = reading(spoilt(stored(1_000), 700))
    await expect(read()).rejects.toMatchObject({ code: 'DECRYPTION_FAILED' })
    expect(collected).toEqual(['0–256 by columns', '256–512 by columns', '512–768 by columns', '512–768 by slots'])
  })

  it('go part by part if they are many, and have slots only where a part needs them', async () => {
    const rows = stored(600)
    const { collected, waited, read } = reading(rows.with(300, { id: 300, name: null }))
    expect(await read()).toEqual(namesOf(600).with(300, { id: 300, name: null }))
    expect([collected, waited]).toEqual([['0–256 by columns', '256–512 by columns', '512–600 by columns'], []])
  })

  it('wait once, with their slots, from the first part on whose keys are not in memory', async () => {
    const rows = stored(1_000)
    const foreign = stored(1, newDek())[0]!
    const { collected, waited, read } = reading(rows.with(300, { id: 300, name: foreign.name }))
    await expect(read()).rejects.toMatchObject({ code: 'KEY_NOT_FOUND', message: expect.stringMatching(/^Note\.name/) })
    expect(collected).toEqual([
      '0–256 by columns',
      '256–512 by columns',
      '256–512 by slots',
      '512–768 by slots',
      '768–1000 by slots',
    ])
    expect(waited).toEqual([744])
  })
})

describe('an audit of rows that are read', () => {
  const nameless = (rows: Row[], at: number) => rows.with(at, { id: at, name: null })
  const trail = (record: (entry: AuditEntry) => unknown, bait?: true | readonly string[]): AuditTrail => ({
    emit: undefined,
    audit: { record },
    bait:
      bait &&
      ({ has: ({ holder, key }: DecryptSlot) => bait === true || bait.includes(holder[key] as string) } as Bait),
  })

  it.each<[rows: string, stored: Row[], by: string[]]>([
    ['few', nameless(stored(3), 1), ['0–3 by columns']],
    ['many', nameless(stored(600), 300), ['0–256 by columns', '256–512 by columns', '512–600 by columns']],
  ])('is told once how many values there were in %s rows, without a slot for any', async (_, rows, by) => {
    const entries: AuditEntry[] = []
    const { collected, read } = reading(rows, { auditTrail: trail((entry) => entries.push(entry)) })
    expect(await read()).toEqual(
      nameless(
        namesOf(rows.length),
        rows.findIndex(({ name }) => name === null),
      ),
    )
    expect(entries).toMatchObject([
      { tenant: 'acme', operation: 'findMany', field: 'Note.name', mode: 'decrypt', rows: rows.length - 1 },
    ])
    expect(collected).toEqual(by)
  })

  it('counts the values of parts by columns and of parts by slots together', async () => {
    const late = newDek()
    const rows = stored(1_000).with(300, stored(301, late)[300]!)
    const entries: AuditEntry[] = []
    const { collected, read } = reading(rows, { auditTrail: trail((entry) => entries.push(entry)), late })
    expect(await read()).toEqual(namesOf(1_000))
    expect(entries).toMatchObject([{ mode: 'decrypt', rows: 1_000 }])
    expect(collected).toContain('0–256 by columns')
    expect(collected).toContain('256–512 by slots')
  })

  it('is told of bait among the values', async () => {
    const events: unknown[] = []
    const auditTrail = { ...trail(() => {}, ['name 1', 'name 400']), emit: (event: unknown) => events.push(event) }
    await reading(stored(600), { auditTrail: auditTrail as unknown as AuditTrail }).read()
    expect(events).toMatchObject([
      { type: 'values', count: 600 },
      { type: 'honeytoken', field: 'Note.name', count: 2 },
    ])
  })

  it('is told nothing of rows that are not handed out', async () => {
    const entries: AuditEntry[] = []
    const { read } = reading(spoilt(stored(1_000), 700), { auditTrail: trail((entry) => entries.push(entry)) })
    await expect(read()).rejects.toMatchObject({ code: 'DECRYPTION_FAILED' })
    expect(entries).toEqual([])
  })

  it('keeps the rows back until it has stored what it was told, and for ever if it cannot', async () => {
    const { read } = reading(stored(3), { auditTrail: trail(() => Promise.reject(new Error('the log is full'))) })
    await expect(read()).rejects.toThrow('the log is full')
  })
})
