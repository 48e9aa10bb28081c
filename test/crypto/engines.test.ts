import { createHash, createSecretKey, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { aadOf } from '../../src/crypto/aad.js'
import { type Addon, loadAddon } from '../../src/crypto/addon.js'
import { randomNonces } from '../../src/crypto/aead.js'
import { type Engine, FAILURE, type Outcome, type ValueKey } from '../../src/crypto/batch.js'
import type { Ciphertext } from '../../src/crypto/ciphertext.js'
import { chooseEngine } from '../../src/crypto/engine.js'
import { decodeField, decodeFieldText, encodeField, textCodecOf } from '../../src/crypto/fieldValue.js'
import { encodeHeader } from '../../src/crypto/header.js'
import { deriveWith } from '../../src/crypto/keys.js'
import { nativeEngine } from '../../src/crypto/nativeEngine.js'
import { nodeEngine } from '../../src/crypto/nodeEngine.js'
import { pad } from '../../src/crypto/padding.js'
import { fuzzEngines } from './engineFuzz.js'
import { type CiphertextVector, formOf, hex, plainOf, published, storedOf, vectors } from './vectors.js'

const shipped = process.platform === 'linux' && process.arch === 'x64'
const engines: Engine[] = shipped ? [chooseEngine('native'), nodeEngine] : [nodeEngine]

/** More than the short form takes, for a night: FIELDSEAL_FUZZ=1000000. */
const FUZZED = Number(process.env.FIELDSEAL_FUZZ ?? 30_000)

const HEADER = encodeHeader({ suite: 1, flags: 0, dekId: '0f8fad5b-d9cb-469f-a165-70867728950e' })
const AAD = aadOf(HEADER, 'acme', 'User.email')
const TEXT = { header: HEADER, form: 'text', aad: AAD, bound: undefined } as const
const READ = { aad: AAD, bound: undefined, padded: false } as const

function keyOf({ open }: Engine, bytes = randomBytes(32)): ValueKey {
  return open(createSecretKey(bytes), bytes)
}

function frozen(vector: CiphertextVector) {
  const { id, tenant, dek } = vectors.deks[vector.dek]!
  const header = encodeHeader({ suite: 1, flags: vector.padTo ? 1 : 0, dekId: id })
  const place = { aad: aadOf(header, tenant, vector.context), bound: [vector.bound] }
  const form = vector.form === 'raw' ? ('raw' as const) : ('text' as const)
  const keyIn = ({ open }: Engine) => deriveWith(hex(dek), 'encrypt', (key, bytes) => open(key, bytes)).made
  return { header, place, form, keyIn }
}

function decoded(vector: CiphertextVector, outcome: Outcome): unknown {
  const form = formOf(vector)
  return typeof outcome === 'string' ? decodeFieldText(form, outcome) : decodeField(form, outcome as Buffer)
}

describe.each(engines)('the engine $name', (engine) => {
  it.each(vectors.ciphertexts)('opens the frozen ciphertext $name', (vector) => {
    const { place, keyIn } = frozen(vector)
    const batch = { ...place, stored: [storedOf(vector)], padded: Boolean(vector.padTo) }
    for (const codec of new Set([textCodecOf(formOf(vector)), undefined])) {
      expect(decoded(vector, keyIn(engine).decrypt({ ...batch, codec })[0]!)).toEqual(plainOf(vector))
    }
  })

  it.each(vectors.ciphertexts)('makes the frozen ciphertext $name again', (vector) => {
    const { header, place, form, keyIn } = frozen(vector)
    const encoded = encodeField(formOf(vector), plainOf(vector))
    const plaintext = vector.padTo ? pad(Buffer.from(encoded as string), vector.padTo) : encoded
    const batch = { ...place, header, form, plaintexts: [plaintext], nonces: hex(vector.nonce) }
    expect(keyIn(engine).encrypt(batch)).toEqual([storedOf(vector)])
  })

  it.each(published.aes256gcm)('agrees with the published $name', ({ key, iv, aad, msg, ct, tag }) => {
    const worker = keyOf(engine, hex(key))
    const batch = { aad: hex(aad), bound: undefined }
    const [raw] = worker.encrypt({ ...batch, header: HEADER, form: 'raw', plaintexts: [hex(msg)], nonces: hex(iv) })
    expect(Buffer.from(raw as Uint8Array).toString('hex', 22)).toBe(iv + ct + tag)
    const opened = worker.decrypt({ ...batch, stored: [raw!], padded: false, codec: undefined })
    expect(opened).toEqual([msg === '' ? FAILURE.torn : hex(msg)])
  })

  it.each(published.aes256gcmForged)('refuses the published $name', ({ key, iv, aad, ct, tag }) => {
    const stored = [Buffer.concat([Buffer.alloc(22), hex(iv + ct + tag)])]
    const batch = { aad: hex(aad), bound: undefined, stored, padded: false, codec: undefined }
    expect(keyOf(engine, hex(key)).decrypt(batch)).toEqual([FAILURE.forged])
  })

  it('decides each value of a batch as if it were alone', () => {
    const key = keyOf(engine)
    const texts = Array.from({ length: 200 }, (_, i) => `\0value ${i}`)
    const made = key.encrypt({ ...TEXT, plaintexts: texts, nonces: randomNonces(200) }) as string[]
    const stored = made.map((text, i) => (i % 3 === 0 ? spoiltAt(text, 28 + (i % (text.length - 28))) : text))
    const together = key.decrypt({ ...READ, stored, codec: 0 })
    expect(together).toEqual(stored.flatMap((text) => key.decrypt({ ...READ, stored: [text], codec: 0 })))
    expect(together.filter((outcome) => typeof outcome === 'number').length).toBeGreaterThan(50)
    expect(together[1]).toBe('value 1')
  })

  it('takes batches of any size, and none', () => {
    const key = keyOf(engine)
    for (const count of [0, 1, 1023, 1024, 1025, 2500]) {
      const texts = Array.from({ length: count }, (_, i) => `\0value ${i}`)
      const stored = key.encrypt({ ...TEXT, plaintexts: texts, nonces: randomNonces(count) })
      expect(new Set(stored).size).toBe(count)
      expect(key.decrypt({ ...READ, stored, codec: 0 })).toEqual(texts.map((text) => text.slice(1)))
    }
  })

  it('takes values of any size, alone and among small ones', () => {
    const key = keyOf(engine)
    const sizes = [0, 1, 3_000_000, 2, 2_000_000, 3_000_000, 18_000_000, 3]
    const texts = sizes.map((size, i) => `\0${String(i)}${'ä'.repeat(size)}`)
    const stored = key.encrypt({ ...TEXT, plaintexts: texts, nonces: randomNonces(sizes.length) })
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
    const stored = key.encrypt({ ...TEXT, plaintexts, nonces: randomNonces(invalid.length) })
    expect(key.decrypt({ ...READ, stored, codec: 0 })).toEqual(invalid.map(() => FAILURE.foreign))
  })

  it('leaves no error behind for others who use OpenSSL', () => {
    const key = keyOf(engine)
    const [stored] = key.encrypt({ ...TEXT, plaintexts: ['\0Ada'], nonces: randomNonces(1) }) as string[]
    const forged = Array.from({ length: 40 }, () => spoiltAt(stored!, 50))
    expect(new Set(key.decrypt({ ...READ, stored: forged, codec: 0 }))).toEqual(new Set([FAILURE.forged]))
    expect(() => createSecretKey(Buffer.alloc(0))).not.toThrow()
    expect(key.decrypt({ ...READ, stored: [stored!], codec: 0 })).toEqual(['Ada'])
  })
})

function spoiltAt(text: string, at: number): string {
  return text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1)
}

describe.runIf(shipped)('both engines', () => {
  it('make and decide the same of random values, places and corruptions', { timeout: 3_600_000 }, () => {
    const counts = fuzzEngines([chooseEngine('native'), nodeEngine], FUZZED, 1)
    expect(counts.values).toBeGreaterThanOrEqual(FUZZED)
    expect(Math.min(counts.opened, counts.refused)).toBeGreaterThan(FUZZED / 8)
  })
})

describe.runIf(shipped)('the addon', () => {
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
    expect(() => addon.open(Buffer.alloc(length))).toThrowError('open: arguments')
  })

  it('throws at arguments that do not fit each other, and reads nothing beyond them', () => {
    const key = addon.open(bytes)
    const one = Uint32Array.of(1)
    const decrypt = { key, aad: AAD, bound: undefined, boundLengths: undefined, stored: 'a', lengths: one, head: 28 }
    const write = { key, aad: AAD, bound: undefined, boundLengths: undefined, texts: 'a', lengths: one, encoding: 0 }
    const wrong: { [argument: string]: readonly unknown[] } = {
      key: [{}, null, addon, Object.create(key as object)],
      aad: ['text', null, {}],
      bound: ['aa', 1],
      stored: ['', 'aa', Buffer.alloc(2), 1, null],
      texts: ['', 'aa', Buffer.alloc(2), 1, null],
      lengths: [new Uint32Array(0), Uint32Array.of(2 ** 32 - 1, 2), new Uint32Array(1025), Int32Array.of(1), [1]],
      encoding: [{}, 'a'],
    }
    const call = (name: 'encrypt' | 'decrypt', given: readonly unknown[], rest: readonly unknown[]) =>
      (addon[name] as (...args: unknown[]) => unknown)(...given, ...rest)
    for (const [argument, values] of Object.entries(wrong)) {
      for (const value of values) {
        const withValue = (given: object) => Object.values({ ...given, [argument]: value })
        if (argument in decrypt) {
          expect(() => call('decrypt', withValue(decrypt), [false, 0, () => 0]), argument).toThrow()
          expect(() => call('decrypt', withValue(decrypt), [false, -1, Buffer.alloc(0), new Int32Array(1)])).toThrow()
        }
        if (argument in write) {
          const rest = [Buffer.alloc(12), 'head', () => 0]
          expect(() => call('encrypt', withValue(write), rest), argument).toThrow()
        }
      }
    }
    for (const nonces of [Buffer.alloc(11), Buffer.alloc(13), 'text']) {
      expect(() => call('encrypt', Object.values(write), [nonces, 'head', () => 0])).toThrowError('arguments')
    }
    expect(() =>
      call('encrypt', Object.values(write), [Buffer.alloc(12), Buffer.alloc(22), Buffer.alloc(50)]),
    ).toThrowError('no room')
    expect(() =>
      call('encrypt', Object.values({ ...write, texts: '😀', lengths: one, encoding: 1 }), [
        Buffer.alloc(12),
        'h',
        () => 0,
      ]),
    ).toThrowError('well-formed')
    expect(() => call('decrypt', [], [])).toThrowError('arguments')
  })

  it('works in several threads at once', async () => {
    const program = `
      const { parentPort, workerData } = require('node:worker_threads')
      const module = { exports: {} }
      process.dlopen(module, workerData.path)
      const { open, encrypt, decrypt } = module.exports
      const lengths = new Uint32Array(100).fill(50)
      const head = 'h'.repeat(28)
      const nonces = Buffer.alloc(1200, 3)
      let right = true
      for (let i = 0; i < 300; i++) {
        const key = open(Buffer.alloc(32, i))
        const texts = encrypt(key, Buffer.alloc(66), undefined, undefined, '\\0'.repeat(5000), lengths, 0, nonces, head, (...made) => made)
        const sizes = Uint32Array.from(texts, (text) => text.length)
        const back = decrypt(key, Buffer.alloc(66), undefined, undefined, texts.join(''), sizes, 28, false, 0, (...made) => made)
        right &&= back.length === 100 && back.every((text) => text === '\\0'.repeat(49))
      }
      parentPort.postMessage(right)
    `
    const path = fileURLToPath(new URL('../../prebuilds/linux-x64-glibc/fieldseal.node', import.meta.url))
    const answers = Array.from({ length: 4 }, () => {
      const worker = new Worker(program, { eval: true, workerData: { path } })
      return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
    })
    expect(await Promise.all(answers)).toEqual([true, true, true, true])
  })
})
