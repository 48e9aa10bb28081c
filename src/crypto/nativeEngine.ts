import type { KeyObject } from 'node:crypto'
import type { Addon, AddonKey } from './addon.js'
import { NONCE_BYTES, TAG_BYTES } from './aead.js'
import { type DecryptBatch, type EncryptBatch, type Engine, FAILURE, type Outcome, type ValueKey } from './batch.js'
import { lengthPrefixed } from './bytes.js'
import { type Ciphertext, RAW_HEAD, rawHead, TEXT_HEAD, textHead } from './ciphertext.js'
import { nodeEngine } from './nodeEngine.js'

/** What goes over in one call at most; the addon takes no more than this count. */
const LARGEST = { count: 1024, sum: 2 ** 22 }
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
  return { name: 'native', open: (key, bytes) => new NativeKey(addon, key, bytes) }
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

  encrypt(batch: EncryptBatch): Ciphertext[] {
    return inParts(batch.plaintexts, batch, encryptPart, (part) => {
      const native = fits(part.plaintexts) && attempt(() => this.#encrypt(part))
      return native || this.#plain.encrypt(part)
    })
  }

  #encrypt(batch: EncryptBatch): Ciphertext[] {
    const plaintext = plaintextInput(batch.plaintexts)
    try {
      return this.#encryptInput(batch, plaintext)
    } finally {
      if (typeof plaintext.input !== 'string') plaintext.input.fill(0)
    }
  }

  #encryptInput(
    { header, form, aad, bound, plaintexts, nonces }: EncryptBatch,
    { input, lengths, encoding }: PlaintextInput,
  ): Ciphertext[] {
    const { texts, textLengths } = boundInput(bound)
    const call = (head: string | Buffer, out: Buffer | typeof collect) =>
      this.#addon.encrypt(this.#key, aad, texts, textLengths, input, lengths, encoding, nonces, head, out)
    if (form === 'text') return call(textHead(header), collect) as string[]
    const sizes = plaintexts.map((plaintext) => RAW_HEAD + NONCE_BYTES + Buffer.byteLength(plaintext) + TAG_BYTES)
    const out = Buffer.allocUnsafeSlow(sizes.reduce((sum, size) => sum + size, 0))
    call(rawHead(header), out)
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

  #decrypt({ stored, aad, bound, padded, codec }: DecryptBatch): Outcome[] {
    const { input, lengths, head } = storedInput(stored)
    const { texts, textLengths } = boundInput(bound)
    const call = (code: number, out: Buffer | typeof collect, outLengths?: Int32Array) =>
      this.#addon.decrypt(this.#key, aad, texts, textLengths, input, lengths, head, padded, code, out, outLengths)
    if (codec !== undefined) return call(codec, collect) as Outcome[]
    const out = Buffer.allocUnsafeSlow(input.length)
    const outLengths = new Int32Array(lengths.length)
    call(NO_CODEC, out, outLengths)
    return slicesOf(out, lengths, outLengths)
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
  const last = Math.min(values.length, from + LARGEST.count)
  let sum = 0
  for (let at = from; at < last; at++) {
    sum += values[at]!.length
    if (sum > LARGEST.sum) return Math.max(at, from + 1)
  }
  return last
}

function encryptPart(batch: EncryptBatch, from: number, to: number): EncryptBatch {
  return {
    ...batch,
    plaintexts: batch.plaintexts.slice(from, to),
    bound: batch.bound?.slice(from, to),
    nonces: batch.nonces.subarray(from * NONCE_BYTES, to * NONCE_BYTES),
  }
}

function decryptPart(batch: DecryptBatch, from: number, to: number): DecryptBatch {
  return { ...batch, stored: batch.stored.slice(from, to), bound: batch.bound?.slice(from, to) }
}

interface PlaintextInput {
  readonly input: string | Buffer
  readonly lengths: Uint32Array
  readonly encoding: number
}

/** All plaintexts as one: strings stay strings if all are, and bytes are a copy. */
function plaintextInput(plaintexts: readonly Value[]): PlaintextInput {
  if (areStrings(plaintexts)) {
    const input = plaintexts.join('')
    return { input, lengths: lengthsOf(plaintexts), encoding: WIDE.test(input) ? ENCODING.wide : ENCODING.latin1 }
  }
  const bytes = plaintexts.map((plaintext) => (typeof plaintext === 'string' ? Buffer.from(plaintext) : plaintext))
  return { input: Buffer.concat(bytes), lengths: lengthsOf(bytes), encoding: ENCODING.bytes }
}

/** All ciphertexts as one. A character that the addon would cut to a byte becomes another that base64url has not. */
function storedInput(stored: readonly Ciphertext[]) {
  const lengths = lengthsOf(stored)
  if (areStrings(stored)) {
    const joined = stored.join('')
    const input = WIDE.test(joined) ? joined.replace(WIDE_CHARACTERS, '\u00ff') : joined
    return { input, lengths, head: TEXT_HEAD }
  }
  if (stored.some((ciphertext) => typeof ciphertext === 'string')) throw new TypeError('text and bytes in one batch')
  return { input: Buffer.concat(stored as readonly Uint8Array[]), lengths, head: RAW_HEAD }
}

/** LP(each bound text) of each value, a character for each byte. */
function boundInput(bound: EncryptBatch['bound']) {
  if (!bound) return { texts: undefined, textLengths: undefined }
  const each = bound.map((texts) => (texts.length === 1 ? prefixed(texts[0]!) : texts.map(prefixed).join('')))
  return { texts: each.join(''), textLengths: lengthsOf(each) }
}

function prefixed(text: string): string {
  const short = text.length < 256 && Buffer.byteLength(text) === text.length
  return short ? `\0\0\0${String.fromCharCode(text.length)}${text}` : lengthPrefixed(text).toString('latin1')
}

function areStrings(values: readonly Value[]): values is readonly string[] {
  for (const value of values) if (typeof value !== 'string') return false
  return true
}

function lengthsOf(values: readonly Value[]): Uint32Array {
  const lengths = new Uint32Array(values.length)
  for (let i = 0; i < values.length; i++) lengths[i] = values[i]!.length
  return lengths
}

/** Each plaintext begins where its ciphertext did, and is shorter; a negative length is −1 − the failure. */
function slicesOf(out: Buffer, rooms: Uint32Array, lengths: Int32Array): Outcome[] {
  const outcomes: Outcome[] = []
  let at = 0
  for (let i = 0; i < rooms.length; i++) {
    const length = lengths[i]!
    outcomes.push(length < 0 ? FAILURES[-1 - length]! : out.subarray(at, at + length))
    at += rooms[i]!
  }
  return outcomes
}

const FAILURES = [FAILURE.torn, FAILURE.forged, FAILURE.foreign] as const
