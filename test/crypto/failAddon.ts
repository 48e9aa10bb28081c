import { isDeepStrictEqual } from 'node:util'
import type { Addon } from '../../src/crypto/native/addon.js'

/** Calls that the addon makes and that can fail, as test/crypto/failingAddon.c numbers them. */
const KIND = { openssl: 0, other: 1 } as const

/** What test/crypto/failingAddon.c exports besides. */
export interface FailingAddon extends Addon {
  /** Lets so many calls of a kind go well and the next one fail; none with −1. Gives how many were left before. */
  failAfter(kind: number, calls: number): number
  /** Bytes cleansed since it was last called. */
  cleansed(): number
  load(): unknown
}

const LARGEST_COUNT = 1024
const TEXTS = ['\0Ada', '\0Gräfin', '\0']
const WIDE = ['\0健康', '\0', '\0a']
const BOUND = ['\0\0\0\u0001a', '', '\0\0\0\u0001b']
const NONCES = Buffer.alloc(12 * 3, 3)
const RAW = TEXTS.map((text) => ({ length: 22 + 12 + Buffer.byteLength(text) + 16 }))
const ROOM = RAW.reduce((sum, { length }) => sum + length, 0)
/** FORGED of FAILURE: as an outcome that is a value, and as one in the frame. */
const FORGED = [1, -2]

const collect = (...values: unknown[]) => values

function frameOf(place: number, values: readonly { readonly length: number }[]): Uint32Array {
  const frame = new Uint32Array(4 * LARGEST_COUNT)
  frame.set(values.map(({ length }) => length))
  frame.fill(place, LARGEST_COUNT, LARGEST_COUNT + values.length)
  frame.set(
    BOUND.map(({ length }) => length),
    2 * LARGEST_COUNT,
  )
  return frame
}

type Calls = { readonly [name: string]: () => unknown }

/** Functions that work on secrets: the same call gives the same. */
function workersOf(addon: Addon): Calls {
  const key = addon.open(Buffer.alloc(32, 1))
  const indexKey = addon.openIndex(Buffer.alloc(32, 1))
  const [text, raw] = ['h'.repeat(28), Buffer.alloc(22)].map((head) =>
    addon.place(key, Buffer.alloc(66), head, false, 0),
  )
  const bound = BOUND.join('')
  const encrypt = (texts: readonly string[], encoding: number) =>
    addon.encrypt(key, frameOf(text!, texts), 3, bound, texts.join(''), encoding, NONCES, collect)
  const encryptRaw = () => {
    const out = Buffer.alloc(ROOM)
    addon.encrypt(key, frameOf(raw!, TEXTS), 3, undefined, TEXTS.join(''), 0, NONCES, out)
    return out
  }
  const [stored, storedRaw] = [encrypt(TEXTS, 0) as string[], encryptRaw()]
  return {
    encrypt: () => encrypt(TEXTS, 0),
    encryptWide: () => encrypt(WIDE, 1),
    encryptRaw,
    decrypt: () => addon.decrypt(key, frameOf(text!, stored), 3, bound, stored.join(''), collect),
    decryptRaw: () => {
      const frame = frameOf(raw!, RAW)
      addon.decrypt(key, frame, 3, undefined, storedRaw, Buffer.alloc(ROOM))
      return [...new Int32Array(frame.buffer, 12 * LARGEST_COUNT, 3)]
    },
    index: () => {
      const out = Buffer.alloc(3 * 16)
      addon.index(indexKey, frameOf(0, TEXTS), 3, Buffer.alloc(14), TEXTS.join(''), 0, 16, out)
      return out
    },
  }
}

/** Functions that make something, each time another. */
function makersOf(addon: FailingAddon): Calls {
  const key = addon.open(Buffer.alloc(32, 1))
  const place = addon.place(key, Buffer.alloc(66), 'h'.repeat(28), false, 0)
  const encrypt = (count: number) => {
    const frame = new Uint32Array(4 * LARGEST_COUNT)
    frame.fill(1, 0, count).fill(place, LARGEST_COUNT, LARGEST_COUNT + count)
    return (addon.encrypt(key, frame, count, undefined, 'a'.repeat(count), 0, undefined, collect) as string[]).length
  }
  return {
    encryptFew: () => encrypt(3),
    encryptMany: () => encrypt(40),
    open: () => typeof addon.open(Buffer.alloc(32, 2)),
    openIndex: () => typeof addon.openIndex(Buffer.alloc(32, 2)),
    place: () => typeof addon.place(key, Buffer.alloc(66), 'h'.repeat(28), false, 0),
    load: () => typeof addon.load(),
  }
}

/**
 * Makes each call inside each function fail, one at a time. A function then throws, or takes single values for forged; it
 * works as before afterwards, and when OpenSSL fails it has cleansed all that it cleanses when all goes well.
 *
 * @returns how many failures there were
 * @throws Error for an answer that is neither right nor a failure, and for secrets that are left in memory
 */
export function failEverywhere(addon: FailingAddon): number {
  let failures = 0
  for (const [name, call] of Object.entries({ ...makersOf(addon), ...workersOf(addon) })) {
    for (const kind of Object.values(KIND)) failures += failEach(addon, kind, name, call)
  }
  return failures
}

function failEach(addon: FailingAddon, kind: number, name: string, call: () => unknown): number {
  addon.cleansed()
  const right = call()
  const secret = addon.cleansed()
  for (let after = 0; ; after++) {
    addon.failAfter(kind, after)
    const outcome = outcomeOf(call)
    const reached = addon.failAfter(kind, -1) < 0
    const left = secret - addon.cleansed()
    if (!reached) return after
    if (!isFailure(right, outcome)) throw new Error(`${name} has an answer though its call ${after} failed`)
    if (kind === KIND.openssl && left > 0) throw new Error(`${name} leaves ${left} bytes when its call ${after} fails`)
    if (!isDeepStrictEqual(call(), right)) throw new Error(`${name} is broken after its call ${after} failed`)
    addon.cleansed()
  }
}

/** What a call gives; `undefined` when it throws. */
function outcomeOf(call: () => unknown): unknown {
  try {
    return call()
  } catch {
    return undefined
  }
}

function isFailure(right: unknown, outcome: unknown): boolean {
  if (outcome === undefined) return true
  if (!Array.isArray(outcome) || !Array.isArray(right)) return false
  return (
    outcome.some((value) => FORGED.includes(value)) &&
    outcome.every((value, i) => value === right[i] || FORGED.includes(value))
  )
}
