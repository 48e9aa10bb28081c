import { createHash } from 'node:crypto'
import { localKms } from 'fieldseal/local-kms'
import { memoryKeyStore } from 'fieldseal/testing'
import { describe, expect, it } from 'vitest'
import { type CipherField, transform } from '../../src/cipher.js'
import { aadOf, withBound } from '../../src/crypto/aad.js'
import { blindIndexes, indexPrefix } from '../../src/crypto/blindIndex.js'
import { lengthPrefixed } from '../../src/crypto/bytes.js'
import { encode } from '../../src/crypto/codec.js'
import { directHeader } from '../../src/crypto/direct.js'
import { chooseEngine } from '../../src/crypto/engine.js'
import { encodeHeader } from '../../src/crypto/header.js'
import { deriveWith } from '../../src/crypto/keys.js'
import { normalize } from '../../src/crypto/normalize.js'
import { DekCache } from '../../src/keys/dekCache.js'
import { encryptionContext, valueContext } from '../../src/keys/encryptionContext.js'
import { KeyRing } from '../../src/keys/keyRing.js'
import type { Kms, ValueIdentity } from '../../src/keys/kms.js'
import { open, seal } from './sealing.js'
import {
  type BlindIndexVector,
  type CiphertextVector,
  formOf,
  hex,
  type KmsValueVector,
  plainOf,
  storedOf,
  vectors,
} from './vectors.js'

function placeOf(vector: CiphertextVector) {
  const { dek, context, bound } = vector
  const { id, tenant, dek: bytes } = vectors.deks[dek]!
  return { dek: hex(bytes), dekId: id, tenant, context, bound, ...formOf(vector) }
}

function plaintextOf({ kind, value, normalize: names }: BlindIndexVector) {
  return kind === 'Bytes' ? encode('Bytes', hex(value)) : encode('String', normalize(value, names))
}

describe('frozen ciphertexts', () => {
  it.each(vectors.ciphertexts)('opens $name', (vector) => {
    expect(open(placeOf(vector), storedOf(vector))).toEqual({ value: plainOf(vector) })
  })

  it.each(vectors.ciphertexts)('makes $name again, byte for byte, from the same nonce', (vector) => {
    const { padTo, nonce } = vector
    const made = seal({ ...placeOf(vector), padTo, nonce: hex(nonce), value: plainOf(vector) })
    expect(made).toEqual(storedOf(vector))
  })

  it.each(vectors.ciphertexts)('authenticates exactly the frozen AAD with $name', (vector) => {
    const { dekId, tenant, context, bound } = placeOf(vector)
    const header = encodeHeader({ suite: 1, flags: vector.padTo ? 1 : 0, dekId })
    expect(withBound(aadOf(header, tenant, context), bound).toString('hex')).toBe(vector.aad)
  })

  it('cover every kind, form and flag, and are not fewer than when they were frozen', () => {
    const seen = (key: 'kind' | 'form') => new Set(vectors.ciphertexts.map((vector) => vector[key])).size
    expect(vectors.ciphertexts.length).toBeGreaterThanOrEqual(34)
    expect([seen('kind'), seen('form')]).toEqual([9, 3])
    expect(vectors.ciphertexts.filter(({ list }) => list).length).toBeGreaterThanOrEqual(3)
    expect(vectors.ciphertexts.filter(({ padTo }) => padTo).length).toBeGreaterThanOrEqual(4)
  })
})

describe('frozen values of the KMS itself', () => {
  const { kek, values } = vectors.kmsValues
  const kms = localKms({ key: kek })
  const placed = ({ name, tenant, context, bound, padTo, ...vector }: KmsValueVector) => {
    const field: CipherField = { ...formOf(vector), name, context, pad: padTo, direct: true }
    return { field, owner: { tenant }, bound }
  }
  const ring = (of: Kms) =>
    new KeyRing({ kms: of, store: memoryKeyStore(), cache: new DekCache({ ttl: 1000, max: 1, staleFor: 0 }) })

  it.each(values)('opens $name', async (vector) => {
    const holder: Record<string, unknown> = { value: storedOf(vector) }
    await transform([{ mode: 'decrypt', ...placed(vector), holder, key: 'value' }], ring(kms))
    expect(holder.value).toEqual(plainOf(vector))
  })

  it.each(values)('gives the KMS the frozen plaintext and context of $name, and stores its text', async (vector) => {
    const asked: unknown[] = []
    const encrypt = async (plaintext: Buffer, identity: ValueIdentity) => {
      asked.push(plaintext.toString('hex'), valueContext(identity))
      return vector.blob
    }
    const holder: Record<string, unknown> = { value: plainOf(vector) }
    await transform([{ mode: 'encrypt', ...placed(vector), holder, key: 'value' }], ring({ ...kms, encrypt }))
    expect(asked).toEqual([vector.plaintext, vector.encryptionContext])
    expect([holder.value].flat()).toEqual([storedOf(vector)])
  })

  it.each(values)('ties $name to its place by the digest of exactly the frozen AAD', (vector) => {
    const { tenant, context, bound, padTo, aad, plaintext } = vector
    const header = directHeader(padTo !== undefined)
    expect(withBound(aadOf(encodeHeader(header), tenant, context), bound).toString('hex')).toBe(aad)
    expect(createHash('sha256').update(hex(aad)).digest('hex')).toBe(plaintext.slice(0, 64))
  })

  it('cover every form and flag', () => {
    expect(new Set(values.map(({ form }) => form)).size).toBe(3)
    expect(values.filter(({ padTo }) => padTo)).toHaveLength(1)
    expect(values.filter(({ list }) => list)).toHaveLength(1)
  })
})

const indexKeyOf = (engine: string, dek: string) =>
  deriveWith(hex(vectors.deks[dek]!.dek), 'index', (key, bytes) => chooseEngine(engine).openIndex(key, bytes)).made

describe.each(['', 'node'])('frozen blind indexes, engine "%s"', (engine) => {
  it.each(vectors.blindIndexes)('makes the index $name', (vector) => {
    const plaintext = plaintextOf(vector)
    const prefix = indexPrefix([vector.context])
    const index = blindIndexes(indexKeyOf(engine, vector.dek), prefix, [plaintext], vector.bits)[0]!
    expect(Buffer.from(plaintext as string).toString('hex')).toBe(vector.plaintext)
    expect([index.toString('hex'), index.toString('base64url')]).toEqual([vector.raw, vector.text])
  })

  it('cover every normaliser', () => {
    const names = new Set(vectors.blindIndexes.flatMap((vector) => vector.normalize))
    expect([...names].sort()).toEqual(['diacritics', 'digits', 'lowercase', 'nfkc', 'trim'])
  })
})

describe.each(['', 'node'])('frozen blind indexes over several fields, engine "%s"', (engine) => {
  it.each(vectors.combinedIndexes)('makes the index $name', ({ dek, sources, message, bits, raw, text }) => {
    const plaintexts = sources.map((source) => Buffer.from(encode(source.kind, plainOf(source)) as string))
    expect(plaintexts.map((plaintext) => plaintext.toString('hex'))).toEqual(sources.map(({ plaintext }) => plaintext))
    const joined = Buffer.concat(plaintexts.map(lengthPrefixed))
    expect(joined.toString('hex')).toBe(message)
    const prefix = indexPrefix(sources.map(({ context }) => context))
    const index = blindIndexes(indexKeyOf(engine, dek), prefix, [joined], bits)[0]!
    expect([index.toString('hex'), index.toString('base64url')]).toEqual([raw, text])
  })
})

describe('frozen encryption contexts', () => {
  it.each(vectors.encryptionContexts)('writes $text', ({ text, ...identity }) => {
    expect(encryptionContext(identity)).toBe(text)
  })
})
