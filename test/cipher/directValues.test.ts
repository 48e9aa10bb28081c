import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { localKms } from 'fieldseal/local-kms'
import { memoryKeyStore } from 'fieldseal/testing'
import { type CipherField, type EncryptSlot, type Slot, transform } from '../../src/cipher/cipher.js'
import type { ValueKind } from '../../src/crypto/codec.js'
import { FieldsealError } from '../../src/errors.js'
import { DekCache } from '../../src/keys/cache/dekCache.js'
import { KeyRing } from '../../src/keys/keyRing.js'
import type { ValueKms } from '../../src/keys/kms.js'
import { ANY_TENANT } from '../../src/tenancy/scope.js'
import { refusal } from '../support/refusal.js'

const local = localKms({ key: Buffer.alloc(32, 7).toString('base64') }) as ValueKms

function open(kms: Partial<ValueKms> = {}) {
  const cache = new DekCache({ ttl: 60_000, max: 100 })
  return new KeyRing({ kms: { ...local, ...kms }, store: memoryKeyStore(), cache })
}

function field(name: string, more: Partial<CipherField> = {}): CipherField {
  return { name, context: name, kind: 'String', column: 'String', direct: true, ...more }
}

function sealing(at: CipherField, value: unknown, bound: readonly string[] = []): EncryptSlot {
  return { mode: 'encrypt', field: at, owner: { tenant: 'acme' }, holder: { value }, key: 'value', bound }
}

/** The same places, to be read; of a list, its one ciphertext. */
function readBack(slots: readonly EncryptSlot[], owner: Slot['owner'] = { tenant: 'acme' }): Slot[] {
  return slots.map(({ field: at, holder: { value }, bound }) => {
    const stored = at.list ? (value as unknown[])[0] : value
    return { mode: 'decrypt', field: at, owner, holder: { value: stored }, key: 'value', bound }
  })
}

const valuesOf = (slots: readonly Slot[]) => slots.map(({ holder }) => holder.value)

const text = fc.string({ unit: 'grapheme', maxLength: 300 })
const VALUES: { readonly [kind in Exclude<ValueKind, 'Enum' | 'Decimal'>]: fc.Arbitrary<unknown> } = {
  String: text,
  Bytes: fc.uint8Array({ maxLength: 500 }),
  Json: fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value))),
  Int: fc.integer(),
  BigInt: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  Float: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value)),
  Boolean: fc.boolean(),
  DateTime: fc.date({
    noInvalidDate: true,
    min: new Date('0001-01-01T00:00:00Z'),
    max: new Date('9999-12-31T00:00:00Z'),
  }),
}

const anything = fc
  .record({
    kind: fc.constantFrom(...(Object.keys(VALUES) as (keyof typeof VALUES)[])),
    column: fc.constantFrom('String', 'Bytes', 'Json'),
    list: fc.boolean(),
    pad: fc.option(fc.integer({ min: 2, max: 200 }), { nil: undefined }),
    bound: fc.array(text, { maxLength: 2 }),
  })
  .chain((form) => {
    const one = VALUES[form.kind]
    const value = form.list ? fc.array(one, { maxLength: 3 }) : one
    return fc.record({ form: fc.constant(form), value })
  })

describe('values that the KMS itself encrypts', () => {
  it('come back as they were: every type, list, padding, column and bound value, many in one pass', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anything, { minLength: 1, maxLength: 8 }), async (cases) => {
        const ring = open()
        const slots = cases.map(({ form: { bound, ...form }, value }, i) =>
          sealing(field(`M.f${i}`, form), value, bound),
        )
        await transform(slots, ring)
        const read = readBack(slots)
        await transform(read, ring)
        expect(valuesOf(read)).toEqual(cases.map(({ value }) => value))
      }),
      { numRuns: 100 },
    )
  })

  it('stand beside values of DEKs and indexes in one pass, in any order', async () => {
    const ring = open()
    const plain = field('M.b', { direct: false })
    const slots = Array.from({ length: 2000 }, (_, i) =>
      sealing(i % 3 === 0 ? plain : field(`M.f${i % 7}`), `value ${i}`),
    )
    await transform(slots, ring)
    const suites = slots.map(({ holder }) => String(holder.value).slice(4, 6))
    expect(suites).toEqual(slots.map((_, i) => (i % 3 === 0 ? 'AQ' : 'Ag')))
    const read = readBack(slots)
    await transform(read, ring)
    expect(valuesOf(read)).toEqual(slots.map((_, i) => `value ${i}`))
  })

  it('are refused with the first failure in the order of the pass, and nothing is begun after one', async () => {
    let asked = 0
    const encrypt = async () => {
      asked += 1
      if (asked === 3) throw new FieldsealError('KMS_DENIED', 'no')
      return 'text'
    }
    const slots = Array.from({ length: 100 }, (_, i) => sealing(field(`M.f${i}`), 'x'))
    const error = await refusal(() => transform(slots, open({ encrypt, concurrency: 1 })))
    expect([error.code, error.message, asked]).toEqual(['KMS_DENIED', 'M.f2: no', 3])
    expect(valuesOf(slots)).toEqual(slots.map(() => 'x'))
  })

  it('are asked for 20 at a time where the KMS names no number of its own', async () => {
    let [now, most] = [0, 0]
    const encrypt = async () => {
      now += 1
      most = Math.max(most, now)
      await new Promise(setImmediate)
      now -= 1
      return 'text'
    }
    const { concurrency: _, ...unsaid } = { concurrency: 0, encrypt }
    await transform(
      Array.from({ length: 200 }, (_, i) => sealing(field('M.f'), `${i}`)),
      open(unsaid),
    )
    expect(most).toBe(20)
  })

  it('are asked for again after throttling, as long as the KMS answers others, and not when it answers none', async () => {
    let calls = 0
    const encrypt = async () => {
      calls += 1
      if (calls === 4 || calls === 6) throw new FieldsealError('KMS_THROTTLED', 'later')
      return 'text'
    }
    await transform(
      Array.from({ length: 6 }, () => sealing(field('M.f'), 'x')),
      open({ encrypt, concurrency: 2 }),
    )
    expect(calls).toBe(8)
    const never = async () => {
      throw new FieldsealError('KMS_THROTTLED', 'never')
    }
    const slots = [sealing(field('M.f'), 'x'), sealing(field('M.f'), 'y')]
    expect((await refusal(() => transform(slots, open({ encrypt: never })))).code).toBe('KMS_THROTTLED')
  })

  it('wait for no key, ask for none, and make none', async () => {
    const generate = async () => {
      throw new FieldsealError('KMS_DENIED', 'no key is needed')
    }
    const ring = open({ generate })
    const slots = [sealing(field('M.f'), 'x')]
    await transform(slots, ring, async () => undefined)
    const read = readBack(slots)
    await transform(read, ring)
    expect(valuesOf(read)).toEqual(['x'])
  })

  it('need to know whose they are, before the KMS is asked', async () => {
    const slots = [sealing(field('M.f'), 'x')]
    await transform(slots, open())
    const decrypt = async () => Buffer.alloc(64)
    const error = await refusal(() => transform(readBack(slots, { tenant: ANY_TENANT }), open({ decrypt })))
    expect(error.code).toBe('TENANT_MISSING')
  })

  it.each(['', undefined, 7, '\ud800', null])(
    'are KMS_REFUSED when the KMS answers %j for a ciphertext',
    async (answer) => {
      const slots = [sealing(field('M.f'), 'x')]
      const error = await refusal(() => transform(slots, open({ encrypt: async () => answer as string })))
      expect([error.code, valuesOf(slots)]).toEqual(['KMS_REFUSED', ['x']])
    },
  )

  it.each([
    ['is shorter than its digest', Buffer.alloc(32)],
    ['is nothing', Buffer.alloc(0)],
    ['has another digest', Buffer.alloc(40)],
  ])('are DECRYPTION_FAILED when what the KMS answers %s', async (_, answer) => {
    const slots = [sealing(field('M.f'), 'x')]
    await transform(slots, open())
    const error = await refusal(() => transform(readBack(slots), open({ decrypt: async () => answer })))
    expect(error.code).toBe('DECRYPTION_FAILED')
  })

  it.each([
    ['another codec', Buffer.of(1, 2)],
    ['no UTF-8', Buffer.of(0, 0xff)],
  ])('are CIPHERTEXT_INVALID when the value at the right place has %s', async (_, content) => {
    const slots = [sealing(field('M.f'), 'x')]
    let digest = Buffer.alloc(0)
    const encrypt = async (plaintext: Buffer) => {
      digest = Buffer.from(plaintext.subarray(0, 32))
      return 'text'
    }
    await transform(slots, open({ encrypt }))
    const decrypt = async () => Buffer.concat([digest, content])
    expect((await refusal(() => transform(readBack(slots), open({ decrypt })))).code).toBe('CIPHERTEXT_INVALID')
    const padded = readBack(slots).map((slot) => {
      const stored = String(slot.holder.value).replace('fs1.AgA', 'fs1.AgE')
      return { ...slot, holder: { value: stored } }
    })
    expect((await refusal(() => transform(padded, open({ decrypt })))).code).toBe('DECRYPTION_FAILED')
  })
})
