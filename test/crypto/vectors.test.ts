import { createHash } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { hierarchicalKms } from 'fieldseal/hierarchical-kms'
import { localKms } from 'fieldseal/local-kms'
import { redundantKms } from 'fieldseal/redundant-kms'
import { memoryKeyStore } from 'fieldseal/testing'
import { type CipherField, type CipherIndex, transform } from '../../src/cipher/cipher.js'
import { indexedText } from '../../src/cipher/indexText.js'
import { tokenBodies } from '../../src/cipher/tokenBodies.js'
import { aadOf, withBound } from '../../src/crypto/aad.js'
import { blindIndexes, indexPrefix } from '../../src/crypto/blindIndex.js'
import { chooseEngine } from '../../src/crypto/chooseEngine.js'
import { directHeader } from '../../src/crypto/direct.js'
import { encodeHeader } from '../../src/crypto/header.js'
import { deriveWith } from '../../src/crypto/keys.js'
import { nodeBody, nodesOver } from '../../src/crypto/tokens/rangeCover.js'
import { RangeScale } from '../../src/crypto/tokens/rangeScale.js'
import {
  type RangeParameters,
  rangePrefix,
  type TextParameters,
  textPrefix,
  tokenLists,
} from '../../src/crypto/tokens/tokens.js'
import { DekCache } from '../../src/keys/cache/dekCache.js'
import { encryptionContext, valueContext } from '../../src/keys/encryptionContext.js'
import { KeyRing } from '../../src/keys/keyRing.js'
import type { Kms, ValueIdentity } from '../../src/keys/kms.js'
import { normalizersOf } from '../../src/plan/normalizers.js'
import { open, seal } from './sealing.js'
import {
  type BlindIndexVector,
  type CiphertextVector,
  type CombinedIndexVector,
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

type IndexVector = BlindIndexVector | CombinedIndexVector

const sourcesOf = (vector: IndexVector) => ('sources' in vector ? vector.sources : [vector])
const valuesOf = (vector: IndexVector) => sourcesOf(vector).map(plainOf)

function indexOf(vector: IndexVector): CipherIndex {
  const sources = sourcesOf(vector).map(({ kind, context }): CipherField => {
    return { kind, context, name: context, column: 'String', names: kind === 'Enum' ? ['ACTIVE'] : undefined }
  })
  const { name, normalize, bits } = vector
  const own = { withoutBlanks: (text: string) => text.replaceAll(' ', '') }
  return {
    name,
    sources,
    normalize,
    normalizers: normalizersOf(normalize, own),
    bits,
    column: 'String',
    constrained: false,
    scope: 'tenant',
  }
}

const indexes: IndexVector[] = [...vectors.blindIndexes, ...vectors.combinedIndexes]

const indexKeyOf = (engine: string, dek: string) =>
  deriveWith(hex(vectors.deks[dek]!.dek), 'index', (key, bytes) => chooseEngine(engine).openIndex(key, bytes)).made

describe.each(['', 'node'])('frozen blind indexes, engine "%s"', (engine) => {
  it.each(indexes)('make the index $name of its message', (vector) => {
    const message = hex('message' in vector ? vector.message : vector.plaintext)
    const prefix = indexPrefix(
      sourcesOf(vector).map(({ context }) => context),
      vector,
    )
    const index = blindIndexes(indexKeyOf(engine, vector.dek), prefix, [message], vector.bits)[0]!
    expect([index.toString('hex'), index.toString('base64url')]).toEqual([vector.raw, vector.text])
  })
})

describe('frozen blind indexes', () => {
  /** A ring whose newest index key is a frozen one. */
  async function ringOf({ id, tenant, purpose, dek }: (typeof vectors.deks)[string]): Promise<KeyRing> {
    const store = memoryKeyStore()
    const row = { id, tenant, purpose, version: 1, wrapped: 'x', kms: 'frozen', kekId: 'x', messages: 0 }
    await store.insert({ ...row, state: 'active' })
    const generate = () => Promise.reject(new Error('a key that is not frozen'))
    const kms: Kms = { name: 'frozen', generate, unwrap: async () => hex(dek) }
    return new KeyRing({ kms, store, cache: new DekCache({ ttl: 1000, max: 1, staleFor: 0 }) })
  }

  it.each(indexes)('make the index $name of its values', async (vector) => {
    const index = indexOf(vector)
    const dek = vectors.deks[vector.dek]!
    const [scope, tenant] = dek.tenant === '*' ? (['global', 'acme'] as const) : (['tenant', dek.tenant] as const)
    const holder: Record<string, unknown> = {}
    const slot = { mode: 'index', field: index.sources[0]!, owner: { tenant }, holder, key: 'index' } as const
    await transform([{ ...slot, index: { ...index, scope }, values: valuesOf(vector) }], await ringOf(dek))
    expect(holder.index).toBe(vector.text)
  })

  it.each(vectors.combinedIndexes)('take each of the values of $name as its kind wants', (vector) => {
    const message = Buffer.from(indexedText(indexOf(vector), valuesOf(vector), 'searched for'), 'latin1').toString(
      'hex',
    )
    expect(message).toBe(vector.message)
    const lengths = vector.sources.map(({ plaintext }) => (plaintext.length / 2).toString(16).padStart(8, '0'))
    expect(message).toBe(vector.sources.map(({ plaintext }, i) => `${lengths[i]}${plaintext}`).join(''))
  })

  it('cover every normaliser, and one of the application', () => {
    const names = new Set(indexes.flatMap(({ normalize }) => normalize))
    expect([...names].sort()).toEqual(['diacritics', 'digits', 'lowercase', 'nfkc', 'trim', 'withoutBlanks'])
  })

  it('share nothing where bits or normalisers differ, though field, value and key are the same', () => {
    const alike = vectors.blindIndexes.filter(({ dek, context, plaintext }) => {
      return dek === 'acme index' && context === 'User.email' && plaintext === '00416461406578616d706c652e636f6d'
    })
    expect(alike.map(({ bits, normalize }) => [bits, ...normalize].join())).toEqual(['128', '8', '256', '128,trim'])
    expect(new Set(alike.map(({ raw }) => raw.slice(0, 2))).size).toBe(alike.length)
  })
})

describe.each(['', 'node'])('frozen token indexes, engine "%s"', (engine) => {
  const keyOf = (dek: string, use: 'textIndex' | 'rangeIndex') =>
    deriveWith(hex(vectors.deks[dek]!.dek), use, (key, bytes) => chooseEngine(engine).openIndex(key, bytes)).made
  const ranges = vectors.tokenIndexes.filter(({ parameters }) => parameters.unit !== undefined)
  const texts = vectors.tokenIndexes.filter(({ parameters }) => parameters.unit === undefined)

  it.each(texts)('make the tokens of $name', ({ dek, context, parameters, value, tokens }) => {
    const text = parameters as unknown as TextParameters
    const own = { withoutBlanks: (given: string) => given.replaceAll(' ', '') }
    const sources = [{ name: context, context, kind: 'String', column: 'String' }] as const
    const prefix = textPrefix(context, text)
    const normalizers = normalizersOf(text.normalize, own)
    const index = { ...text, kind: 'text', name: context, sources, scope: 'tenant', parts: text, normalizers } as const
    const bodies = tokenBodies({ ...index, prefix }, value)
    expect(tokenLists(keyOf(dek, 'textIndex'), prefix, [bodies])).toEqual([tokens])
  })

  it.each(ranges)('make the tokens of $name', ({ dek, context, parameters, value, tokens }) => {
    const { sparsity, unit } = parameters as unknown as RangeParameters
    const [min, max, step] = [parameters.min, parameters.max, parameters.step].map((number) => BigInt(String(number)))
    const bounds = { min: min!, max: max!, step: step! }
    const scale = new RangeScale(bounds)
    const bodies = nodesOver({ scale, sparsity }, scale.cellOf(BigInt(value))!).map(nodeBody)
    const prefix = rangePrefix(context, { ...bounds, sparsity, unit })
    expect(tokenLists(keyOf(dek, 'rangeIndex'), prefix, [bodies])).toEqual([tokens])
  })

  it('cover every part of a text, and every unit', () => {
    const parts = new Set(texts.flatMap(({ parameters }) => Object.keys(parameters)))
    expect([...parts].sort()).toEqual(['grams', 'normalize', 'prefix', 'suffix', 'wordPrefix', 'words'])
    expect([...new Set(ranges.map(({ parameters }) => parameters.unit))].sort()).toEqual(['0.01', '1', 'ms'])
  })
})

describe('frozen wrapped DEKs', () => {
  const { keks, rows } = vectors.wrappedDeks
  const dates = { version: 1, state: 'active', messages: 0, createdAt: new Date(), destroyedAt: null } as const
  const store = memoryKeyStore(rows.map(({ name, dek, ...row }) => ({ ...row, ...dates })))
  const members = Object.fromEntries(Object.entries(keks).map(([name, key]) => [name, localKms({ key })]))
  const local = members.north!
  const kmsOf: { readonly [name: string]: Kms } = {
    local,
    redundant: redundantKms({ members }),
    hierarchy: hierarchicalKms({ kms: local, group: () => 'shard-7' })(store),
  }

  it.each(rows)('open $name', async ({ id: key, tenant, purpose, kms, dek, ...wrapped }) => {
    expect((await kmsOf[kms]!.unwrap(wrapped, { key, purpose, tenant })).toString('hex')).toBe(dek)
  })
})

describe('frozen encryption contexts', () => {
  it.each(vectors.encryptionContexts)('writes $text', ({ text, ...identity }) => {
    expect(encryptionContext(identity)).toBe(text)
  })
})
