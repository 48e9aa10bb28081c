import type { KeyObject } from 'node:crypto'
import type { Addon, AddonKey } from './addon.js'
import { NONCE_BYTES, TAG_BYTES } from './aead.js'
import {
  type DecryptBatch,
  type EncryptBatch,
  type Engine,
  FAILURE,
  type IndexKey,
  type Outcome,
  type Place,
  type PlaceSpec,
  type ValueKey,
} from './batch.js'
import { lengthPrefixed } from './bytes.js'
import { type Ciphertext, RAW_HEAD, rawHead, textHead } from './ciphertext.js'
import { FRAME, frameBound, framedOutcome, frameLengths, framePlaces, LARGEST_COUNT } from './frame.js'
import { nodeEngine } from './nodeEngine.js'
import { PreparedPlace } from './place.js'

/** The bytes, or characters, that go over in one call at most. */
const LARGEST_SUM = 2 ** 22
/** Longer values are left to `node:crypto`: what its call costs is nothing to them. */
const LARGEST_VALUE = 2 ** 24

/** As the addon numbers them: text of Latin-1 alone, other text, and bytes. */
const ENCODING = { latin1: 0, wide: 1, bytes: 2 } as const
/** Over at once for a string that V8 holds with one byte for each character. */
const WIDE = /[\u0100-\uffff]/
const WIDE_CHARACTERS = /[\u0100-\uffff]/g
const NO_CODEC = -1

/** The addon. What it declines, `node:crypto` does, to the same result. */
export function nativeEngine(addon: Addon): Engine {
  return {
    name: 'native',
    open: (key, bytes) => new NativeKey(addon, key, bytes),
    openIndex: (key, bytes) => new NativeIndexKey(addon, key, bytes),
  }
}

class NativeKey implements ValueKey {
  readonly #addon: Addon
  readonly #key: AddonKey
  readonly #plain: ValueKey

  constructor(addon: Addon, key: KeyObject, bytes: Uint8Array) {
    this.#addon = addon
    this.#key = addon.open(bytes)
    this.#plain = nodeEngine.open(key, bytes)
  }

  place(spec: PlaceSpec): Place {
    const { header, aad, form, padded, codec = NO_CODEC } = spec
    const head = form === 'text' ? textHead(header) : rawHead(header)
    return new PreparedPlace(spec, this.#addon.place(this.#key, aad, head, padded, codec))
  }

  encrypt(batch: EncryptBatch): Ciphertext[] {
    return inParts(batch.plaintexts, batch, encryptPart, (part) => {
      const native = fits(part.plaintexts) && attempt(() => this.#encrypt(part))
      return native || this.#plain.encrypt(part)
    })
  }

  #encrypt(batch: EncryptBatch): Ciphertext[] {
    const plaintext = textInput(batch.plaintexts)
    try {
      return this.#encryptInput(batch, plaintext)
    } finally {
      if (typeof plaintext.input !== 'string') plaintext.input.fill(0)
    }
  }

  #encryptInput({ places, bound, plaintexts, nonces }: EncryptBatch, { input, encoding }: TextInput): Ciphertext[] {
    framePlaces(places)
    const texts = boundInput(bound)
    const call = (out: Buffer | typeof collect) =>
      this.#addon.encrypt(this.#key, FRAME, places.length, texts, input, encoding, nonces, out)
    if (places[0]!.form === 'text') return call(collect) as string[]
    const sizes = plaintexts.map((plaintext) => RAW_HEAD + NONCE_BYTES + Buffer.byteLength(plaintext) + TAG_BYTES)
    const out = Buffer.allocUnsafeSlow(sizes.reduce((sum, size) => sum + size, 0))
    call(out)
    let at = 0
    return sizes.map((size) => {
      at += size
      return new Uint8Array(out.subarray(at - size, at))
    })
  }

  decrypt(batch: DecryptBatch): Outcome[] {
    return inParts(batch.stored, batch, decryptPart, (part) => {
      const native = fits(part.stored) && attempt(() => this.#decrypt(part))
      return native || this.#plain.decrypt(part)
    })
  }

  #decrypt({ stored, places, bound }: DecryptBatch): Outcome[] {
    frameLengths(stored)
    framePlaces(places)
    const input = storedInput(stored)
    const texts = boundInput(bound)
    if (places[0]!.codec !== undefined) {
      return this.#addon.decrypt(this.#key, FRAME, stored.length, texts, input, collect) as Outcome[]
    }
    const out = Buffer.allocUnsafeSlow(input.length)
    this.#addon.decrypt(this.#key, FRAME, stored.length, texts, input, out)
    return slicesOf(out, stored)
  }
}

class NativeIndexKey implements IndexKey {
  readonly #addon: Addon
  readonly #key: AddonKey<'index'>
  readonly #plain: IndexKey

  constructor(addon: Addon, key: KeyObject, bytes: Uint8Array) {
    this.#addon = addon
    this.#key = addon.openIndex(bytes)
    this.#plain = nodeEngine.openIndex(key, bytes)
  }

  index(prefix: Buffer, messages: readonly Value[], size: number): Buffer[] {
    return inParts(messages, messages, slice, (part) => {
      const native = fits(part) && attempt(() => this.#index(prefix, part, size))
      return native || this.#plain.index(prefix, part, size)
    })
  }

  #index(prefix: Buffer, messages: readonly Value[], size: number): Buffer[] {
    const { input, encoding } = textInput(messages)
    const out = Buffer.allocUnsafe(size * messages.length)
    this.#addon.index(this.#key, FRAME, messages.length, prefix, input, encoding, size, out)
    return messages.map((_, i) => out.subarray(i * size, (i + 1) * size))
  }
}

/** How results come back: one call with all of them costs least. */
function collect(...values: unknown[]): unknown[] {
  return values
}

/** What the addon throws is no reason to fail: the other engine decides. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}

type Value = string | Uint8Array

function fits(values: readonly Value[]): boolean {
  return values.length > 1 || values[0]!.length <= LARGEST_VALUE
}

/** Does a batch in one call, or in parts where it is too much for one. */
function inParts<B, R>(
  values: readonly Value[],
  batch: B,
  partOf: (batch: B, from: number, to: number) => B,
  work: (part: B) => R[],
): R[] {
  const first = endOfPart(values, 0)
  if (first === values.length) return first === 0 ? [] : work(batch)
  const out = work(partOf(batch, 0, first))
  for (let from = first, to: number; from < values.length; from = to) {
    to = endOfPart(values, from)
    for (const result of work(partOf(batch, from, to))) out.push(result)
  }
  return out
}

function endOfPart(values: readonly Value[], from: number): number {
  const last = Math.min(values.length, from + LARGEST_COUNT)
  let sum = 0
  for (let at = from; at < last; at++) {
    sum += values[at]!.length
    if (sum > LARGEST_SUM) return Math.max(at, from + 1)
  }
  return last
}

function slice<T>(values: readonly T[], from: number, to: number): readonly T[] {
  return values.slice(from, to)
}

function encryptPart(batch: EncryptBatch, from: number, to: number): EncryptBatch {
  return {
    places: batch.places.slice(from, to),
    plaintexts: batch.plaintexts.slice(from, to),
    bound: batch.bound?.slice(from, to),
    nonces: batch.nonces.subarray(from * NONCE_BYTES, to * NONCE_BYTES),
  }
}

function decryptPart({ places, stored, bound }: DecryptBatch, from: number, to: number): DecryptBatch {
  return { places: places.slice(from, to), stored: stored.slice(from, to), bound: bound?.slice(from, to) }
}

interface TextInput {
  readonly input: string | Buffer
  readonly encoding: number
}

/** All texts as one, their lengths in the frame: strings stay strings if all are, and bytes are a copy. */
function textInput(texts: readonly Value[]): TextInput {
  if (areStrings(texts)) {
    frameLengths(texts)
    const input = joined(texts)
    return { input, encoding: WIDE.test(input) ? ENCODING.wide : ENCODING.latin1 }
  }
  const bytes = texts.map((text) => (typeof text === 'string' ? Buffer.from(text) : text))
  frameLengths(bytes)
  return { input: Buffer.concat(bytes), encoding: ENCODING.bytes }
}

/** All ciphertexts as one. A character that the addon would cut to a byte becomes another that base64url has not. */
function storedInput(stored: readonly Ciphertext[]): string | Buffer {
  if (areStrings(stored)) {
    const input = joined(stored)
    return WIDE.test(input) ? input.replace(WIDE_CHARACTERS, '\u00ff') : input
  }
  if (stored.some((ciphertext) => typeof ciphertext === 'string')) throw new TypeError('text and bytes in one batch')
  return Buffer.concat(stored as readonly Uint8Array[])
}

function joined(texts: readonly string[]): string {
  return texts.length === 1 ? texts[0]! : texts.join('')
}

/** LP(each bound text) of each value, a character for each byte; the lengths in the frame. */
function boundInput(bound: EncryptBatch['bound']): string | undefined {
  if (!bound) return undefined
  const each = bound.map((texts) => (texts.length === 1 ? prefixed(texts[0]!) : texts.map(prefixed).join('')))
  frameBound(each)
  return each.join('')
}

function prefixed(text: string): string {
  const short = text.length < 256 && Buffer.byteLength(text) === text.length
  return short ? `\0\0\0${String.fromCharCode(text.length)}${text}` : lengthPrefixed(text).toString('latin1')
}

function areStrings(values: readonly Value[]): values is readonly string[] {
  for (const value of values) if (typeof value !== 'string') return false
  return true
}

/** Each plaintext begins where its ciphertext did, and is shorter. */
function slicesOf(out: Buffer, stored: readonly Ciphertext[]): Outcome[] {
  let at = 0
  return stored.map(({ length: room }, i) => {
    const length = framedOutcome(i)
    at += room
    return length < 0 ? FAILURES[-1 - length]! : out.subarray(at - room, at - room + length)
  })
}

const FAILURES = [FAILURE.torn, FAILURE.forged, FAILURE.foreign] as const
