import { randomBytes, randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type CipherField, type DecryptSlot, transform } from '../../src/cipher/cipher.js'
import { isTextColumn, type RowColumn, RowColumns } from '../../src/cipher/rowColumns.js'
import { chooseEngine } from '../../src/crypto/chooseEngine.js'
import { directCiphertext, directHeader } from '../../src/crypto/direct.js'
import { encodeField } from '../../src/crypto/fieldValue.js'
import { pad } from '../../src/crypto/padding.js'
import { DekCache } from '../../src/keys/cache/dekCache.js'
import { Dek } from '../../src/keys/dek.js'
import { KeyRing } from '../../src/keys/keyRing.js'
import { memoryKeyStore } from '../../src/testing/memoryKeyStore.js'
import { watchedKms } from '../keys/watchedKms.js'
import { itWhere } from '../support/where.js'

type Row = Record<string, unknown>

function field(name: string, more: Partial<CipherField> = {}): CipherField {
  return { name: `Note.${name}`, context: `note.${name}`, kind: 'String', column: 'String', ...more }
}

const COLUMNS: readonly RowColumn[] = [
  { key: 'text', field: field('text') },
  { key: 'padded', field: field('padded', { pad: 16 }) },
  { key: 'kind', field: field('kind', { kind: 'Enum', names: ['short', 'long'] }) },
  { key: 'json', field: field('json', { kind: 'Json', column: 'Json' }) },
  { key: 'price', field: field('price', { kind: 'Decimal', decimal: (text) => ({ decimal: text }) }) },
]
const [TEXT, , KIND] = COLUMNS as [RowColumn, RowColumn, RowColumn]

const ENGINES = ['native', 'node'] as const
const SHIPPED = process.platform === 'linux' && process.arch === 'x64'

function openRing(engine: (typeof ENGINES)[number] = 'node') {
  const cache = new DekCache({ ttl: 60_000, max: 100 })
  const ring = new KeyRing({ kms: watchedKms(), store: memoryKeyStore(), cache })
  const newDek = (tenant = 'acme') =>
    new Dek({ key: randomUUID(), purpose: 'encrypt', tenant }, randomBytes(32), chooseEngine(engine))
  const keep = (dek: Dek) => {
    cache.add(dek)
    return dek
  }
  return { ring, newDek, keep, heldDek: (tenant?: string) => keep(newDek(tenant)) }
}

/** An id with another digit in its second group. */
function flipped(id: string): string {
  return id.slice(0, 9) + (id[9] === '0' ? '1' : '0') + id.slice(10)
}

type Ring = ReturnType<typeof openRing>['ring']

function sealed(dek: Dek, at: CipherField, value: unknown, bound?: readonly string[]): unknown {
  const encoded = encodeField(at, value)
  const plaintext = at.pad ? pad(Buffer.from(encoded), at.pad) : encoded
  const places = [dek.place(at, at.pad !== undefined)]
  return dek.values!.encrypt({ places, bound: bound && [bound], plaintexts: [plaintext] })[0]
}

function byColumns(rows: readonly Row[], columns = COLUMNS): RowColumns {
  const all = new RowColumns()
  for (const row of rows) all.add(columns, row)
  return all
}

const decryptNow = (rows: readonly Row[], ring: Ring) => byColumns(rows).decryptNow({ tenant: 'acme', ring })

async function bySlots(rows: readonly Row[], ring: Ring): Promise<void> {
  const slots = rows.flatMap((holder) =>
    COLUMNS.filter(({ key }) => holder[key] !== null && holder[key] !== undefined).map(
      ({ key, field: of }): DecryptSlot => ({
        mode: 'decrypt',
        field: of,
        owner: { tenant: 'acme' },
        holder,
        key,
        bound: [],
      }),
    ),
  )
  await transform(slots, ring)
}

const spoilt = (stored: unknown, at: number) =>
  `${(stored as string).slice(0, at)}${(stored as string)[at] === 'A' ? 'B' : 'A'}${(stored as string).slice(at + 1)}`

describe.each(ENGINES)('columns of rows, engine %s', (engine) => {
  const itRuns = itWhere(engine === 'node' || SHIPPED)

  itRuns('become what slots make of them, whatever stands in them, under whichever of the tenant’s keys', async () => {
    const { ring, heldDek } = openRing(engine)
    const deks = [heldDek(), heldDek(), heldDek()]
    const stored = <T>(of: RowColumn, values: fc.Arbitrary<T>) =>
      fc.oneof(
        {
          weight: 6,
          arbitrary: fc.tuple(fc.nat(2), values).map(([dek, value]) => sealed(deks[dek]!, of.field, value)),
        },
        { weight: 1, arbitrary: fc.constantFrom(null, undefined) },
      )
    const text = fc.string({ unit: 'binary', maxLength: 60 }).map((all) => all.replaceAll('\0', ''))
    const rows = fc.array(
      fc.record({
        id: fc.nat(),
        text: stored(COLUMNS[0]!, text),
        padded: stored(COLUMNS[1]!, text),
        kind: stored(COLUMNS[2]!, fc.constantFrom('short', 'long')),
        json: stored(
          COLUMNS[3]!,
          fc.dictionary(fc.string({ unit: 'grapheme-ascii' }), fc.nat(9), { noNullPrototype: true }),
        ),
        price: stored(COLUMNS[4]!, fc.integer().map(String)),
      }),
      { maxLength: 12 },
    )
    await fc.assert(
      fc.asyncProperty(rows, async (read) => {
        const [columns, slots] = [read.map((row): Row => ({ ...row })), read.map((row): Row => ({ ...row }))]
        await bySlots(slots, ring)
        expect(decryptNow(columns, ring)).toBe(true)
        expect(columns).toEqual(slots)
      }),
      { numRuns: 60 },
    )
  })

  itRuns('of very many rows let others on the event loop have their turn', async () => {
    const { ring, heldDek } = openRing(engine)
    const rows = manyRows(heldDek(), 100_000)
    let turns = 0
    let isOver = false
    const look = () => {
      turns += 1
      if (!isOver) setImmediate(look)
    }
    setImmediate(look)
    expect(await byColumns(rows, [TEXT]).decrypt({ tenant: 'acme', ring })).toBe(true)
    isOver = true
    expect(turns).toBeGreaterThan(2)
    expect(rows.every(({ text }, i) => text === `value ${i}`)).toBe(true)
  })

  itRuns('are not done for one value among 100,000 that was changed, and its slot tells which it is', async () => {
    const { ring, heldDek } = openRing(engine)
    const rows = manyRows(heldDek(), 100_000)
    rows[98_765]!.text = spoilt(rows[98_765]!.text, 60)
    const copies = rows.map((row) => ({ ...row }))
    expect(await byColumns(copies, [TEXT]).decrypt({ tenant: 'acme', ring })).toBe(false)
    expect(copies[99_999]!.text).toBe(rows[99_999]!.text)
    await expect(bySlots(rows, ring)).rejects.toMatchObject({
      code: 'DECRYPTION_FAILED',
      message: expect.stringMatching(/^Note\.text/),
    })
  })
})

function manyRows(dek: Dek, count: number): Row[] {
  const made = dek.values!.encrypt({
    places: Array.from({ length: count }, () => dek.place(TEXT.field, false)),
    bound: undefined,
    plaintexts: Array.from({ length: count }, (_, i) => `\0value ${i}`),
  })
  return made.map((text): Row => ({ text }))
}

describe('columns of rows', () => {
  const { ring, newDek, heldDek } = openRing()
  const own = heldDek()
  const whole = sealed(own, TEXT.field, 'Ada') as string

  it.each<[what: string, stored: unknown]>([
    ['plaintext', 'Ada'],
    ['something that is no text', 7],
    ['bytes', Buffer.from(whole)],
    ['a list', [whole]],
    ['a head of no known version', `fs1.${'_'.repeat(24)}${whole.slice(28)}`],
    ['a head alone', whole.slice(0, 28)],
    ['less than a head', whole.slice(0, 20)],
    ['a torn value', whole.slice(0, 50)],
    ['a changed value', spoilt(whole, 60)],
    ['a value of another field', sealed(own, KIND.field, 'long')],
    ['a value of another type', sealed(own, { ...TEXT.field, kind: 'Json' }, 'Ada')],
    ['a value that is bound to its row', sealed(own, TEXT.field, 'Ada', ['7'])],
    ['a value of another tenant, whose key is in memory', sealed(heldDek('globex'), TEXT.field, 'Ada')],
    ['a value whose key is not in memory', sealed(newDek(), TEXT.field, 'Ada')],
    ['a value of the KMS itself', directCiphertext(directHeader(false), 'kms', 'text')],
  ])('leave %s to slots', async (_, stored) => {
    const rows = [{ text: whole }, { text: stored }]
    expect(decryptNow(rows, ring)).toBe(false)
    expect(await byColumns([{ text: whole }, { text: stored }]).decrypt({ tenant: 'acme', ring })).toBe(false)
  })

  it('are not decrypted where any character of a head is other than it was written', () => {
    const { ring, heldDek } = openRing()
    const whole = sealed(heldDek(), TEXT.field, 'Ada') as string
    const opened = Array.from({ length: 28 }, (_, at) => {
      const other = whole[at] === 'A' ? 'B' : 'A'
      return decryptNow([{ text: whole }, { text: whole.slice(0, at) + other + whole.slice(at + 1) }], ring)
    })
    expect(opened).toEqual(opened.map(() => false))
  })

  it('of keys whose heads differ only where nobody looks are left to slots, and never opened by the wrong key', async () => {
    const { ring, keep } = openRing()
    const id = randomUUID()
    const alike = new Dek(
      { key: flipped(id), purpose: 'encrypt', tenant: 'acme' },
      randomBytes(32),
      chooseEngine('node'),
    )
    const first = new Dek({ key: id, purpose: 'encrypt', tenant: 'acme' }, randomBytes(32), chooseEngine('node'))
    for (const dek of [first, alike]) keep(dek)
    const rows = () => [{ text: sealed(first, TEXT.field, 'Ada') }, { text: sealed(alike, TEXT.field, 'Grace') }]
    expect(decryptNow(rows(), ring)).toBe(false)
    const bySlot = rows()
    await bySlots(bySlot, ring)
    expect(bySlot).toEqual([{ text: 'Ada' }, { text: 'Grace' }])
  })

  it('leave a value to slots that the field cannot have', () => {
    const other = { ...KIND.field, names: ['wide'] }
    expect(decryptNow([{ kind: sealed(own, other, 'wide') }], ring)).toBe(false)
  })

  it('of several kinds of rows are done in one pass', () => {
    const both = new RowColumns()
    const [texts, kinds]: [Row[], Row[]] = [[{ text: whole }], [{ kind: sealed(own, KIND.field, 'long') }]]
    both.add([TEXT], texts[0]!)
    both.add([KIND], kinds[0]!)
    expect(both.decryptNow({ tenant: 'acme', ring })).toBe(true)
    expect([texts, kinds]).toEqual([[{ text: 'Ada' }], [{ kind: 'long' }]])
  })

  it('are those of fields whose ciphertexts and plaintexts are texts', () => {
    const isOne = (more: Partial<CipherField>) => isTextColumn(field('x', more))
    expect(COLUMNS.every(({ field: of }) => isTextColumn(of))).toBe(true)
    expect([isOne({ kind: 'Int' }), isOne({ kind: 'DateTime' }), isOne({ column: 'Bytes' })]).toEqual([
      false,
      false,
      false,
    ])
    expect([isOne({ list: true }), isOne({ direct: true })]).toEqual([false, false])
  })
})
