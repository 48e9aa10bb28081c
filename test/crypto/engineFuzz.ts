import { createHash, createSecretKey } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { aadOf } from '../../src/crypto/aad.js'
import type { Ciphertext } from '../../src/crypto/ciphertext.js'
import type {
  DecryptInput,
  EncryptInput,
  Engine,
  Outcome,
  Place,
  PlaceSpec,
  ValueKey,
} from '../../src/crypto/engine.js'

/** Random whole numbers below a bound, the same for the same seed (mulberry32). */
function numbers(seed: number): (below: number) => number {
  let state = seed | 0
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

type Random = ReturnType<typeof numbers>

/** Where UTF-8 and Latin-1 change their lengths, and around. */
const CODE_POINTS = [
  0, 0x41, 0x7f, 0x80, 0xe9, 0xff, 0x100, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xfeff, 0xffff, 0x10000, 0x1f600, 0x10ffff,
]
const FOREIGN_CHARACTERS = ['=', '+', '/', ' ', '\n', '\0', 'é', 'ÿ', 'Ł', '\u4e00', '\ud800']

/** A length below a bound, and nothing at all as often as not. */
function lengthBelow(random: Random, bound: number): number {
  return random(2) === 0 ? 0 : random(bound)
}

function textOf(random: Random): string {
  const length = random(4) === 0 ? lengthBelow(random, 400) : random(60)
  const kinds = 1 + random(4) * 5
  return Array.from({ length }, () => String.fromCodePoint(CODE_POINTS[1 + random(kinds)] ?? 0x61)).join('')
}

function bytesOf(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random(256)))
}

function plaintextOf(random: Random): string | Uint8Array {
  const text = String.fromCharCode(random(4)) + textOf(random)
  switch (random(8)) {
    case 0:
      return bytesOf(random, lengthBelow(random, 80))
    case 1:
      return Buffer.concat([Buffer.from(text), Buffer.of(0x80), Buffer.alloc(random(20))])
    default:
      return text
  }
}

function list<T>(random: Random, count: number, make: (random: Random) => T): T[] {
  return Array.from({ length: count }, () => make(random))
}

/** A batch without places, the fields that its values are of, and which is of which. */
interface RandomBatch<Batch> {
  readonly batch: Omit<Batch, 'places'>
  readonly specs: readonly PlaceSpec[]
  readonly specOf: readonly number[]
}

function encryptBatch(random: Random): RandomBatch<EncryptInput> {
  const count = random(50) === 0 ? 1000 + random(100) : 1 + random(40)
  const bound = random(2) === 0 ? undefined : list(random, count, () => list(random, random(3), textOf))
  const onlyText = random(3) > 0
  const plaintexts = list(random, count, () => {
    const made = plaintextOf(random)
    return onlyText && typeof made !== 'string' ? textOf(random) : made
  })
  const form = random(3) === 0 ? 'raw' : 'text'
  const specs = list(random, 1 + random(4), (): PlaceSpec => {
    const header = bytesOf(random, 18)
    const aad = random(8) === 0 ? Buffer.alloc(0) : aadOf(header, textOf(random), textOf(random))
    return { header, form, aad, padded: false, codec: undefined }
  })
  const specOf = list(random, count, () => random(specs.length))
  return { batch: { bound, plaintexts, nonces: bytesOf(random, count * 12) }, specs, specOf }
}

/** Mostly as it is; or with something changed, inserted, cut off or added. */
function spoilt(random: Random, ciphertext: Ciphertext): Ciphertext {
  const at = random(ciphertext.length)
  const change = random(16)
  if (typeof ciphertext !== 'string') {
    if (change === 0) return ciphertext.slice(0, at)
    if (change === 1) return Buffer.concat([ciphertext, Buffer.alloc(1 + random(3))])
    return change > 3 ? ciphertext : ciphertext.map((byte, i) => (i === at ? byte ^ (1 << random(8)) : byte))
  }
  const other = FOREIGN_CHARACTERS[random(FOREIGN_CHARACTERS.length)]!
  const [before, after] = [ciphertext.slice(0, at), ciphertext.slice(at + 1)]
  if (change === 0) return before
  if (change === 1) return `${before}${other}${after}`
  if (change === 2) return `${ciphertext}${'A'.repeat(1 + random(4))}`
  if (change === 3) return `${before}${String.fromCharCode(ciphertext.charCodeAt(at) ^ 1)}${after}`
  // The lowest bits of the last character may be beyond the last byte.
  if (change === 4)
    return `${ciphertext.slice(0, -1)}${String.fromCharCode(ciphertext.charCodeAt(ciphertext.length - 1) + 1)}`
  return ciphertext
}

function decryptBatch(
  random: Random,
  made: readonly Ciphertext[],
  { batch: { bound }, specs, specOf }: RandomBatch<EncryptInput>,
): RandomBatch<DecryptInput> {
  const stored = made.map((ciphertext) => spoilt(random, ciphertext))
  const texts = random(3) > 0
  const others = specs.map((spec): PlaceSpec => {
    const aad = random(10) === 0 ? Buffer.concat([spec.aad, Buffer.of(0)]) : spec.aad
    return { ...spec, aad, padded: random(3) === 0, codec: texts ? random(3) : undefined }
  })
  const otherBound = bound && random(10) === 0 ? bound.map((each) => [...each, '']) : bound
  return { batch: { stored, bound: otherBound }, specs: others, specOf }
}

function placesOf(key: ValueKey, { specs, specOf }: RandomBatch<unknown>): Place[] {
  const places = specs.map((spec) => key.place(spec))
  return specOf.map((i) => places[i]!)
}

/** What a run has seen, to tell that it looked at what matters. */
export interface FuzzCounts {
  values: number
  opened: number
  refused: number
}

/**
 * Gives the same random batches to two engines.
 *
 * @param values how many values to try, at least
 * @throws Error with the seed of the batch on which they differ
 */
export function fuzzEngines(engines: readonly [Engine, Engine], values: number, seed: number): FuzzCounts {
  const counts: FuzzCounts = { values: 0, opened: 0, refused: 0 }
  for (let i = seed; counts.values < values; i++) {
    const random = numbers(i)
    const bytes = createHash('sha256')
      .update(`${i >> 4}`)
      .digest()
    compareIndexes(random, engines, bytes, i)
    const keys = engines.map(({ open }) => open(createSecretKey(bytes), bytes)) as [ValueKey, ValueKey]
    compareBatch(random, keys, counts, i)
  }
  return counts
}

function compareBatch(random: Random, [one, other]: [ValueKey, ValueKey], counts: FuzzCounts, seed: number): void {
  const writing = encryptBatch(random)
  const encrypt = (key: ValueKey) => key.encrypt({ ...writing.batch, places: placesOf(key, writing) })
  const made = encrypt(one)
  if (!isDeepStrictEqual(made, encrypt(other))) throw new Error(`encrypt differs, seed ${seed}`)
  const reading = decryptBatch(random, made, writing)
  const decrypt = (key: ValueKey): Outcome[] => key.decrypt({ ...reading.batch, places: placesOf(key, reading) })
  const opened = decrypt(one)
  if (!isDeepStrictEqual(opened, decrypt(other))) throw new Error(`decrypt differs, seed ${seed}`)
  const refused = opened.filter((outcome) => typeof outcome === 'number').length
  counts.values += made.length
  counts.refused += refused
  counts.opened += opened.length - refused
}

function compareIndexes(random: Random, engines: readonly [Engine, Engine], bytes: Buffer, seed: number): void {
  const prefix = bytesOf(random, lengthBelow(random, 80))
  const onlyEmpty = random(8) === 0
  const messages = list(random, random(40), (each) => (onlyEmpty ? Buffer.alloc(0) : plaintextOf(each)))
  const size = 1 + random(32)
  const [one, other] = engines.map(({ openIndex }) =>
    openIndex(createSecretKey(bytes), bytes).index(prefix, messages, size),
  )
  if (!isDeepStrictEqual(one, other)) throw new Error(`index differs, seed ${seed}`)
}
