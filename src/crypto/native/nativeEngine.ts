import type { KeyObject } from 'node:crypto'
import { NONCE_BYTES, TAG_BYTES } from '../aead.js'
import { type Ciphertext, RAW_HEAD } from '../ciphertext.js'
import {
  type DecryptInput,
  type EncryptInput,
  type Engine,
  FAILURE,
  type Outcome,
  type Place,
  type PlaceSpec,
  type ValueKey,
} from '../engine.js'
import { nodeEngine } from '../nodeEngine.js'
import { PreparedPlace, placeHead } from '../place.js'
import type { Addon, AddonKey } from './addon.js'
import { inParts, orFallback } from './addonCall.js'
import { ADDON_FRAME, readOutcome, writeLengths, writePlaces } from './addonFrame.js'
import { boundInput, storedInput, type TextInput, textInput } from './addonInput.js'
import { NativeIndexKey } from './nativeIndexKey.js'

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
  readonly #fallback: ValueKey

  constructor(addon: Addon, key: KeyObject, bytes: Uint8Array) {
    this.#addon = addon
    this.#key = addon.open(bytes)
    this.#fallback = nodeEngine.open(key, bytes)
  }

  place(spec: PlaceSpec): Place {
    const { aad, padded, codec = NO_CODEC } = spec
    const head = placeHead(spec)
    return new PreparedPlace(spec, head, this.#addon.place(this.#key, aad, head, padded, codec))
  }

  encrypt(batch: EncryptInput): Ciphertext[] {
    return inParts(
      batch.plaintexts,
      batch,
      encryptPart,
      (part) => orFallback(part.plaintexts, () => this.#encrypt(part)) ?? this.#fallback.encrypt(part),
    )
  }

  #encrypt(batch: EncryptInput): Ciphertext[] {
    const plaintext = textInput(batch.plaintexts)
    try {
      return this.#encryptInput(batch, plaintext)
    } finally {
      if (typeof plaintext.input !== 'string') plaintext.input.fill(0)
    }
  }

  #encryptInput({ places, bound, plaintexts, nonces }: EncryptInput, { input, encoding }: TextInput): Ciphertext[] {
    writePlaces(places)
    const texts = boundInput(bound)
    const call = (out: Buffer | typeof collect) =>
      this.#addon.encrypt(this.#key, ADDON_FRAME, places.length, texts, input, encoding, nonces, out)
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

  decrypt(batch: DecryptInput): Outcome[] {
    return inParts(
      batch.stored,
      batch,
      decryptPart,
      (part) => orFallback(part.stored, () => this.#decrypt(part)) ?? this.#fallback.decrypt(part),
    )
  }

  #decrypt({ stored, places, bound }: DecryptInput): Outcome[] {
    writeLengths(stored)
    writePlaces(places)
    const input = storedInput(stored)
    const texts = boundInput(bound)
    if (places[0]!.codec !== undefined) {
      return this.#addon.decrypt(this.#key, ADDON_FRAME, stored.length, texts, input, collect) as Outcome[]
    }
    const out = Buffer.allocUnsafeSlow(input.length)
    this.#addon.decrypt(this.#key, ADDON_FRAME, stored.length, texts, input, out)
    return slicesOf(out, stored)
  }
}

/** How results come back: one call with all of them costs least. */
function collect(...values: unknown[]): unknown[] {
  return values
}

function encryptPart(batch: EncryptInput, from: number, to: number): EncryptInput {
  return {
    places: batch.places.slice(from, to),
    plaintexts: batch.plaintexts.slice(from, to),
    bound: batch.bound?.slice(from, to),
    nonces: batch.nonces?.subarray(from * NONCE_BYTES, to * NONCE_BYTES),
  }
}

function decryptPart({ places, stored, bound }: DecryptInput, from: number, to: number): DecryptInput {
  return { places: places.slice(from, to), stored: stored.slice(from, to), bound: bound?.slice(from, to) }
}

/** Each plaintext begins where its ciphertext did, and is shorter. */
function slicesOf(out: Buffer, stored: readonly Ciphertext[]): Outcome[] {
  let at = 0
  return stored.map(({ length: room }, i) => {
    const length = readOutcome(i)
    at += room
    return length < 0 ? FAILURES[-1 - length]! : out.subarray(at - room, at - room + length)
  })
}

const FAILURES = [FAILURE.torn, FAILURE.forged, FAILURE.foreign] as const
