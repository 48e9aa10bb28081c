import { randomBytes, randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { type CipherField, type EncryptSlot, type Slot, type TenantHolder, transform } from '../../src/cipher/cipher.js'
import { chooseEngine } from '../../src/crypto/chooseEngine.js'
import { FieldsealError } from '../../src/errors.js'
import { DekCache } from '../../src/keys/cache/dekCache.js'
import { Dek } from '../../src/keys/dek.js'
import { KeyRing } from '../../src/keys/keyRing.js'
import { ANY_TENANT } from '../../src/tenancy/scope.js'
import { memoryKeyStore } from '../../src/testing/memoryKeyStore.js'
import { watchedKms } from '../keys/watchedKms.js'
import { fail } from '../support/fail.js'
import { itWhere } from '../support/where.js'

const FIELDS = ['a', 'b', 'c'].map((name): CipherField => field(`Note.${name}`))
const [A, B] = FIELDS as [CipherField, CipherField]

function field(name: string, more: Partial<CipherField> = {}): CipherField {
  return { name, context: name, kind: 'String', ...more } as CipherField
}

function openRing() {
  const cache = new DekCache({ ttl: 60_000, max: 100 })
  return { cache, ring: new KeyRing({ kms: watchedKms(), store: memoryKeyStore(), cache }) }
}

type Holder = Record<string, unknown>

function encryptSlot(at: CipherField, value: unknown, tenant = 'acme', bound: readonly string[] = []): EncryptSlot {
  return { mode: 'encrypt', field: at, owner: { tenant }, holder: { value }, key: 'value', bound }
}

/** The same places, to be read. */
function readBack(slots: readonly EncryptSlot[], owner: TenantHolder = { tenant: 'acme' }): Slot[] {
  return slots.map(({ field: at, holder, bound }) => ({
    mode: 'decrypt',
    field: at,
    owner,
    holder: { ...holder },
    key: 'value',
    bound,
  }))
}

const valuesOf = (slots: readonly Slot[]) => slots.map(({ holder }) => holder.value)

function spoil(slot: Slot, at: number): void {
  const text = slot.holder.value as string
  slot.holder.value = text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1)
}

async function failureOf(work: () => unknown): Promise<FieldsealError> {
  try {
    await work()
  } catch (error) {
    expect(error).toBeInstanceOf(FieldsealError)
    return error as FieldsealError
  }
  return fail('was not refused')
}

/** Values of three fields and two tenants, some bound, in the order of rows. */
function mixed(count: number): EncryptSlot[] {
  return Array.from({ length: count }, (_, i) => {
    const tenant = i % 5 === 0 ? 'globex' : 'acme'
    return encryptSlot(FIELDS[i % 3]!, `value ${i}`, tenant, i % 3 === 2 ? [`row ${i}`] : [])
  })
}

describe('a pass', () => {
  it('gives each slot its own value back, over fields, tenants and bound rows', async () => {
    const { ring } = openRing()
    const slots = mixed(3000)
    const values = valuesOf(slots)
    await transform(slots, ring)
    expect(new Set(valuesOf(slots)).size).toBe(3000)
    const reading = readBack(slots, { tenant: ANY_TENANT })
    await transform(reading, ring)
    expect(valuesOf(reading)).toEqual(values)
  })

  it('waits for nothing when the keys are in memory and the values are not very many', async () => {
    const { ring } = openRing()
    await transform([encryptSlot(A, 'first')], ring)
    expect(
      transform(
        mixed(1).map((slot) => ({ ...slot, owner: { tenant: 'acme' } })),
        ring,
      ),
    ).toBeUndefined()
    expect(transform([], ring)).toBeUndefined()
  })

  it('fails for the first slot in its order, whatever field it is of, and says which', async () => {
    const { ring } = openRing()
    const written = Array.from({ length: 40 }, (_, i) => encryptSlot(i % 2 === 0 ? A : B, `value ${i}`))
    await transform(written, ring)
    const spoilt = (changes: readonly (readonly [position: number, at: number])[]) => {
      const slots = readBack(written)
      for (const [position, at] of changes) spoil(slots[position]!, at)
      return failureOf(() => transform(slots, ring))
    }
    expect(
      await spoilt([
        [30, 60],
        [7, 60],
      ]),
    ).toMatchObject({ code: 'DECRYPTION_FAILED', message: expect.stringMatching(/^Note\.b could not/) })
    expect(
      await spoilt([
        [7, 60],
        [6, 60],
      ]),
    ).toMatchObject({ code: 'DECRYPTION_FAILED', message: expect.stringMatching(/^Note\.a could not/) })
    const tornAt = (position: number) => {
      const slots = readBack(written)
      slots[position]!.holder.value = (slots[position]!.holder.value as string).slice(0, 50)
      return slots
    }
    const both = tornAt(3)
    spoil(both[2]!, 60)
    expect(await failureOf(() => transform(both, ring))).toMatchObject({ code: 'DECRYPTION_FAILED' })
    expect(await failureOf(() => transform(tornAt(3), ring))).toMatchObject({
      code: 'CIPHERTEXT_INVALID',
      message: expect.stringMatching(/^Note\.b is torn/),
    })
  })

  it('decides the others of a pass that fails as one by one', async () => {
    const { ring } = openRing()
    const written = Array.from({ length: 20 }, (_, i) => encryptSlot(A, `value ${i}`))
    await transform(written, ring)
    const slots = readBack(written)
    spoil(slots[4]!, 70)
    await failureOf(() => transform(slots, ring))
    expect(valuesOf(slots).filter((_, i) => i !== 4)).toEqual(
      written.map((_, i) => `value ${i}`).filter((_, i) => i !== 4),
    )
  })

  it('names the first of a value that cannot be written and a ciphertext that is not another tenant’s', async () => {
    const { ring } = openRing()
    const [foreign] = mixed(1) as [EncryptSlot]
    const own = encryptSlot(B, 'own')
    await transform([foreign, own], ring)
    const reading = readBack([own, foreign])
    expect(await failureOf(() => transform(reading, ring))).toMatchObject({ code: 'TENANT_MISMATCH' })
    spoil(reading[0]!, 60)
    reading[0]!.holder.value = `${own.holder.value}AAAA`
    expect(await failureOf(() => transform(reading, ring))).toMatchObject({ code: 'DECRYPTION_FAILED' })
    const writing = [encryptSlot(A, 'fine'), encryptSlot(B, 7), encryptSlot(A, Symbol('no'))]
    expect(await failureOf(() => transform(writing, ring))).toMatchObject({
      code: 'VALUE_INVALID',
      message: expect.stringMatching(/^Note\.b /),
    })
  })

  it('refuses to encrypt what it has encrypted, also in one batch with other values', async () => {
    const { ring } = openRing()
    const once = encryptSlot(A, 'once')
    await transform([once], ring)
    const again = [encryptSlot(A, 'other'), encryptSlot(A, once.holder.value)]
    expect(await failureOf(() => transform(again, ring))).toMatchObject({ code: 'VALUE_INVALID' })
  })

  it('fails for a value far down, with its field', async () => {
    const { ring } = openRing()
    const written = Array.from({ length: 5000 }, (_, i) => encryptSlot(A, `value ${i}`))
    await transform(written, ring)
    const slots = readBack(written)
    spoil(slots[4321]!, 70)
    expect(await failureOf(() => transform(slots, ring))).toMatchObject({
      code: 'DECRYPTION_FAILED',
      message: expect.stringMatching(/^Note\.a/),
    })
  })
})

describe.each(['native', 'node'] as const)('a pass over very many values, engine %s', (engine) => {
  const shipped = process.platform === 'linux' && process.arch === 'x64'

  itWhere(engine === 'node' || shipped)('lets others on the event loop have their turn', async () => {
    const { cache, ring } = openRing()
    const dek = new Dek(
      { key: randomUUID(), purpose: 'encrypt', tenant: 'acme' },
      randomBytes(32),
      chooseEngine(engine),
    )
    cache.add(dek)
    const count = 100_000
    const plaintexts = Array.from({ length: count }, (_, i) => `\0value ${i}`)
    const places = plaintexts.map(() => dek.place(A, false))
    const made = dek.values!.encrypt({ places, bound: undefined, plaintexts })
    const slots = made.map(
      (value): Slot => ({
        mode: 'decrypt',
        field: A,
        owner: { tenant: 'acme' },
        holder: { value } as Holder,
        key: 'value',
        bound: [],
      }),
    )
    let turns = 0
    let done = false
    const look = () => {
      turns += 1
      if (!done) setImmediate(look)
    }
    setImmediate(look)
    const running = transform(slots, ring)
    expect(running).toBeInstanceOf(Promise)
    await running
    done = true
    expect(turns).toBeGreaterThan(2)
    expect(slots.every(({ holder }, i) => holder.value === `value ${i}`)).toBe(true)
  })
})
