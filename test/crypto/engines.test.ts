import { createHash, createSecretKey, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import { aadOf } from '../../src/crypto/aad.js'
import { randomNonces } from '../../src/crypto/aead.js'
import { chooseEngine } from '../../src/crypto/chooseEngine.js'
import { type Ciphertext, rawHead } from '../../src/crypto/ciphertext.js'
import { type Engine, FAILURE, type Outcome } from '../../src/crypto/engine.js'
import { decodeField, decodeFieldText, encodeField, textCodecOf } from '../../src/crypto/fieldValue.js'
import { encodeHeader } from '../../src/crypto/header.js'
import { deriveWith } from '../../src/crypto/keys.js'
import { type Addon, loadAddon } from '../../src/crypto/native/addon.js'
import { nativeEngine } from '../../src/crypto/native/nativeEngine.js'
import { nodeEngine } from '../../src/crypto/nodeEngine.js'
import { pad } from '../../src/crypto/padding.js'
import { describeWhere } from '../support/where.js'
import { fuzzEngines } from './engineFuzz.js'
import { type PlacedKey, placed } from './placed.js'
import { worksInThreads } from './threadsOfAddon.js'
import { type CiphertextVector, formOf, hex, plainOf, published, storedOf, vectors } from './vectors.js'

const shipped = process.platform === 'linux' && process.arch === 'x64'
const engines: Engine[] = shipped ? [chooseEngine('native'), nodeEngine] : [nodeEngine]

/** More than the short form takes, for a night: FIELDSEAL_FUZZ=1000000. */
const FUZZED = Number(process.env.FIELDSEAL_FUZZ ?? 30_000)

const HEADER = encodeHeader({ suite: 1, flags: 0, dekId: '0f8fad5b-d9cb-469f-a165-70867728950e' })
const AAD = aadOf(HEADER, 'acme', 'User.email')
const TEXT = { header: HEADER, form: 'text', aad: AAD, bound: undefined } as const
const READ = { header: HEADER, aad: AAD, bound: undefined, padded: false } as const

function keyOf({ open }: Engine, bytes = randomBytes(32)): PlacedKey {
  return placed(open(createSecretKey(bytes), bytes))
}

function frozen(vector: CiphertextVector) {
  const { id, tenant, dek } = vectors.deks[vector.dek]!
  const header = encodeHeader({ suite: 1, flags: vector.padTo ? 1 : 0, dekId: id })
  const place = { aad: aadOf(header, tenant, vector.context), bound: [vector.bound] }
  const form = vector.form === 'raw' ? ('raw' as const) : ('text' as const)
  const keyIn = ({ open }: Engine) => deriveWith(hex(dek), 'encrypt', (key, bytes) => placed(open(key, bytes))).made
  return { header, place, form, keyIn }
}

function decoded(vector: CiphertextVector, outcome: Outcome): unknown {
  const form = formOf(vector)
  return typeof outcome === 'string' ? decodeFieldText(form, outcome) : decodeField(form, outcome as Buffer)
}

describe.each(engines)('the engine $name', (engine) => {
  it.each(vectors.ciphertexts)('opens the frozen ciphertext $name', (vector) => {
    const { header, place, keyIn } = frozen(vector)
    const batch = { ...place, header, stored: [storedOf(vector)], padded: Boolean(vector.padTo) }
    for (const codec of new Set([textCodecOf(formOf(vector)), undefined])) {
      expect(decoded(vector, keyIn(engine).decrypt({ ...batch, codec })[0]!)).toEqual(plainOf(vector))
    }
  })

  it.each(vectors.ciphertexts)('makes the frozen ciphertext $name again', (vector) => {
    const { header, place, form, keyIn } = frozen(vector)
    const encoded = encodeField(formOf(vector), plainOf(vector), true)
    const plaintext = vector.padTo ? pad(Buffer.from(encoded as string), vector.padTo) : encoded
    const batch = { ...place, header, form, plaintexts: [plaintext], nonces: hex(vector.nonce) }
    expect(keyIn(engine).encrypt(batch)).toEqual([storedOf(vector)])
  })

  it.each(published.aes256gcm)('agrees with the published $name', ({ key, iv, aad, msg, ct, tag }) => {
    const worker = keyOf(engine, hex(key))
    const batch = { header: HEADER, aad: hex(aad), bound: undefined }
    const [raw] = worker.encrypt({ ...batch, form: 'raw', plaintexts: [hex(msg)], nonces: hex(iv) })
    expect(Buffer.from(raw as Uint8Array).toString('hex', 22)).toBe(iv + ct + tag)
    const opened = worker.decrypt({ ...batch, stored: [raw!], padded: false, codec: undefined })
    expect(opened).toEqual([msg === '' ? FAILURE.torn : hex(msg)])
  })

  it.each(published.aes256gcmForged)('refuses the published $name', ({ key, iv, aad, ct, tag }) => {
    const stored = [Buffer.concat([rawHead(HEADER), hex(iv + ct + tag)])]
    const batch = { header: HEADER, aad: hex(aad), bound: undefined, stored, padded: false, codec: undefined }
    expect(keyOf(engine, hex(key)).decrypt(batch)).toEqual([FAILURE.forged])
  })

  it('decides each value of a batch as if it were alone', () => {
    const key = keyOf(engine)
    const texts = Array.from({ length: 200 }, (_, i) => `\0value ${i}`)
    const made = key.encrypt({ ...TEXT, plaintexts: texts }) as string[]
    const stored = made.map((text, i) => (i % 3 === 0 ? spoiltAt(text, 28 + (i % (text.length - 28))) : text))
    const together = key.decrypt({ ...READ, stored, codec: 0 })
    expect(together).toEqual(stored.flatMap((text) => key.decrypt({ ...READ, stored: [text], codec: 0 })))
    expect(together.filter((outcome) => typeof outcome === 'number').length).toBeGreaterThan(50)
    expect(together[1]).toBe('value 1')
  })

  it('refuses a ciphertext that does not begin with the head of its place, at any of its characters', () => {
    const key = keyOf(engine)
    for (const form of ['text', 'raw'] as const) {
      const [made] = key.encrypt({ ...TEXT, form, plaintexts: ['\0Ada'] })
      const length = form === 'text' ? 28 : 22
      const spoilt = Array.from({ length }, (_, at) =>
        typeof made === 'string' ? spoiltAt(made, at) : made!.map((byte, i) => (i === at ? byte ^ 1 : byte)),
      )
      expect(key.decrypt({ ...READ, stored: [...spoilt, made!], codec: 0 })).toEqual([
        ...spoilt.map(() => FAILURE.torn),
        'Ada',
      ])
    }
  })

  it('takes batches of any size, and none', () => {
    const key = keyOf(engine)
    for (const count of [0, 1, 1023, 1024, 1025, 2500]) {
      const texts = Array.from({ length: count }, (_, i) => `\0value ${i}`)
      const stored = key.encrypt({ ...TEXT, plaintexts: texts })
      expect(new Set(stored).size).toBe(count)
      expect(key.decrypt({ ...READ, stored, codec: 0 })).toEqual(texts.map((text) => text.slice(1)))
    }
  })

  it('draws a nonce for each value, and never one twice', () => {
    const key = keyOf(engine)
    const counts = [1, 1, 2, 10, 11, 21, 1024, 1500]
    const made = counts.flatMap((count) => key.encrypt({ ...TEXT, plaintexts: Array(count).fill('\0same') }))
    const nonces = made.map((text) => Buffer.from((text as string).slice(28, 28 + 16), 'base64url').toString('hex'))
    expect(new Set(nonces).size).toBe(counts.reduce((sum, count) => sum + count, 0))
    const values = Array.from(
      { length: 12 },
      (_, at) => new Set(nonces.map((nonce) => nonce.slice(2 * at, 2 * at + 2))),
    )
    expect(values.filter(({ size }) => size < 200)).toEqual([])
  })

  it('takes values of any size, alone and among small ones', () => {
    const key = keyOf(engine)
    const sizes = [0, 1, 3_000_000, 2, 2_000_000, 3_000_000, 18_000_000, 3]
    const texts = sizes.map((size, i) => `\0${String(i)}${'ä'.repeat(size)}`)
    const stored = key.encrypt({ ...TEXT, plaintexts: texts })
    const opened = key.decrypt({ ...READ, stored, codec: 0 })
    expect(opened.every((text, i) => text === texts[i]!.slice(1))).toBe(true)
  })

  it('takes text and bytes, stored as both, in one batch', () => {
    const key = keyOf(engine)
    const plaintexts = ['\0Ada', Buffer.from('\0Ada'), '\0健康']
    const [nonces, raw] = [randomNonces(3), { ...TEXT, form: 'raw' } as const]
    const stored: Ciphertext[] = [
      key.encrypt({ ...TEXT, plaintexts, nonces }),
      key.encrypt({ ...raw, plaintexts, nonces }),
    ].flat()
    expect(key.decrypt({ ...READ, stored, codec: 0 })).toEqual(['Ada', 'Ada', '健康', 'Ada', 'Ada', '健康'])
  })

  it('gives no text of a plaintext that is not UTF-8', () => {
    const key = keyOf(engine)
    const invalid = [
      '80',
      'c0af',
      'c1bf',
      'c3',
      'e0809f',
      'e282',
      'eda080',
      'f0808080',
      'f48fbfc0',
      'f4908080',
      'f5808080',
      'ff',
    ]
    const plaintexts = invalid.map((bytes) => hex(`0061${bytes}`))
    const stored = key.encrypt({ ...TEXT, plaintexts })
    expect(key.decrypt({ ...READ, stored, codec: 0 })).toEqual(invalid.map(() => FAILURE.foreign))
  })

  it('leaves no error behind for others who use OpenSSL', () => {
    const key = keyOf(engine)
    const [stored] = key.encrypt({ ...TEXT, plaintexts: ['\0Ada'] }) as string[]
    const forged = Array.from({ length: 40 }, () => spoiltAt(stored!, 50))
    expect(new Set(key.decrypt({ ...READ, stored: forged, codec: 0 }))).toEqual(new Set([FAILURE.forged]))
    expect(() => createSecretKey(Buffer.alloc(0))).not.toThrow()
    expect(key.decrypt({ ...READ, stored: [stored!], codec: 0 })).toEqual(['Ada'])
  })
})

function spoiltAt(text: string, at: number): string {
  return text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1)
}

describeWhere(shipped)('both engines', () => {
  it('make and decide the same of random values, places and corruptions', () => {
    const counts = fuzzEngines([chooseEngine('native'), nodeEngine], FUZZED, 1)
    expect(counts.values).toBeGreaterThanOrEqual(FUZZED)
    expect(Math.min(counts.opened, counts.refused)).toBeGreaterThan(FUZZED / 8)
  }, 3_600_000)
})

describeWhere(shipped)('the addon', () => {
  const bytes = randomBytes(32)
  const addon = shipped ? loadAddon() : (undefined as never)

  it.each(['encrypt', 'decrypt'] as const)('is not missed when its %s fails', (broken) => {
    const failing = {
      ...addon,
      [broken]: () => {
        throw new Error('the addon failed')
      },
    } as Addon
    const key = keyOf(nativeEngine(failing), bytes)
    const nonces = randomNonces(2)
    const stored = key.encrypt({ ...TEXT, plaintexts: ['\0Ada', '\0Grace'], nonces })
    expect(stored).toEqual(keyOf(nodeEngine, bytes).encrypt({ ...TEXT, plaintexts: ['\0Ada', '\0Grace'], nonces }))
    expect(key.decrypt({ ...READ, stored, codec: 0 })).toEqual(['Ada', 'Grace'])
  })

  it('was built from the source beside it: else run npm run build:addon', () => {
    expect(addon.source).toBe(createHash('sha256').update(readFileSync('native/fieldseal.c')).digest('hex'))
  })

  it('shows nothing of a key', () => {
    const key = addon.open(bytes)
    expect([Reflect.ownKeys(key), JSON.stringify(key), Object.getPrototypeOf(key)]).toEqual([
      [],
      '{}',
      Object.prototype,
    ])
  })

  it.each([0, 16, 31, 33])('refuses a key of %i bytes', (length) => {
    expect(() => addon.open(Buffer.alloc(length))).toThrow('open: arguments')
  })

  it('throws at arguments that do not fit each other, and reads nothing beyond them', () => {
    const key = addon.open(bytes)
    const place = addon.place(key, AAD, 'h'.repeat(28), false, 0)
    const raw = addon.place(key, AAD, Buffer.alloc(22), false, -1)
    const frameOf = (length: number, at = place, bound = 0) => {
      const frame = new Uint32Array(4096)
      frame.set([length, length], 0)
      frame.set([at, at], 1024)
      frame.set([bound, bound], 2048)
      return frame
    }
    const out = () => 0
    const common = { key, frame: frameOf(1), count: 1, bound: undefined }
    const reading = { ...common, stored: 'a', out }
    const writing = { ...common, texts: 'a', encoding: 0, nonces: Buffer.alloc(12), out }
    const indexKey = addon.openIndex(bytes)
    const indexing = {
      key: indexKey,
      frame: frameOf(1),
      count: 1,
      prefix: AAD,
      texts: 'a',
      encoding: 0,
      size: 16,
      out: Buffer.alloc(16),
    }
    const wrong: { [argument: string]: readonly unknown[] } = {
      key: [{}, null, addon, Object.create(key as object), Object.create(indexKey as object)],
      frame: [frameOf(0), frameOf(2), frameOf(2 ** 32 - 1), new Uint32Array(4095), new Int32Array(4096), [1]],
      count: [0, 2, 1025, -1, '1', null],
      bound: ['a', 1, null],
      prefix: ['text', null, {}],
      stored: ['', 'aa', Buffer.alloc(2), Buffer.alloc(1), 1, null],
      texts: ['', 'aa', Buffer.alloc(2), 1, null],
      encoding: [{}, 'a'],
      nonces: [Buffer.alloc(11), Buffer.alloc(13), 'text', null],
      size: [0, 33, -1, '16'],
      out: [null, 'text', {}, Buffer.alloc(0)],
    }
    const calls = { decrypt: reading, encrypt: writing, index: indexing }
    for (const [name, given] of Object.entries(calls)) {
      const call = (args: object) =>
        (addon[name as 'decrypt'] as (...args: unknown[]) => unknown)(...Object.values(args))
      expect(() => call(given)).not.toThrow()
      expect(() => call({})).toThrow('arguments')
      for (const [argument, values] of Object.entries(wrong)) {
        if (!(argument in given)) continue
        const taken = values.filter((value) => answers(() => call({ ...given, [argument]: value })))
        expect([name, argument, taken]).toEqual([name, argument, []])
      }
      if (name === 'index') continue
      for (const at of [raw, 2, 2 ** 32 - 1]) expect(() => call({ ...given, frame: frameOf(1, at) })).toThrow()
      expect(() => call({ ...given, frame: frameOf(1, place, 2), bound: 'a' })).toThrow()
    }
    expect(() => addon.encrypt(key, frameOf(1, raw), 1, undefined, 'a', 0, Buffer.alloc(12), Buffer.alloc(50))).toThrow(
      'no room',
    )
    expect(() => addon.encrypt(key, frameOf(1), 1, undefined, '😀', 1, Buffer.alloc(12), out)).toThrow('well-formed')
    for (const [aad, head, padded, codec] of [
      ['text', 'h', false, 0],
      [AAD, 'h'.repeat(29), false, 0],
      [AAD, Buffer.alloc(29), false, 0],
      [AAD, 'h', 1, 0],
      [AAD, 'h', false, 'a'],
    ]) {
      expect(() => addon.place(key, aad as Buffer, head as string, padded as boolean, codec as number)).toThrow(
        'arguments',
      )
    }
  })

  it('works in several threads at once', async () => {
    const path = fileURLToPath(new URL('../../prebuilds/linux-x64-glibc/fieldseal.node', import.meta.url))
    expect(await worksInThreads(path, 4, 300)).toBe(true)
  })
})

function answers(call: () => unknown): boolean {
  try {
    call()
    return true
  } catch {
    return false
  }
}
