import { createSecretKey } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { NONCE_BYTES } from './aead.js'
import { type Ciphertext, RAW_HEAD } from './ciphertext.js'
import { CODEC } from './codec.js'
import type { Engine, Outcome } from './engine.js'

/* What an engine has to do as another does it, before it is trusted with values. Neither key nor values are secret. */

const KEY = Buffer.from('feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308', 'hex')
const AAD = Buffer.from('feedfacedeadbeeffeedfacedeadbeefabaddad2', 'hex')
const HEADER = Buffer.alloc(18, 1)
const TEXTS = ['', 'a', 'Grüße', '健康', '\u{1f600} and more than one block of AES', '\ufeff\0']
const PLAINTEXTS = [...TEXTS.map((text) => String.fromCharCode(CODEC.string) + text), '\u0002{}', 'ab\u0080']
const NONCES = Buffer.from(PLAINTEXTS.flatMap((_, i) => Array<number>(NONCE_BYTES).fill(i)))
const BOUND = PLAINTEXTS.map((_, i) => [`row ${i}`, 'ß'])

/** Whether an engine makes the same of the same as another, and draws nonces that are no others'. */
export function behavesAlike(engine: Engine, other: Engine): boolean {
  return isDeepStrictEqual(resultsOf(engine), resultsOf(other)) && drawsNonces(engine)
}

/** For few values and for many, which come from different generators. */
function drawsNonces({ open }: Engine): boolean {
  const key = open(createSecretKey(KEY), KEY)
  const place = key.place({ header: HEADER, form: 'raw', aad: AAD, padded: false, codec: undefined })
  const drawn = [1, 1, 40, 40].flatMap((count) => {
    const made = key.encrypt({ places: Array(count).fill(place), bound: undefined, plaintexts: Array(count).fill('a') })
    return made.map((ciphertext) => String(ciphertext.slice(RAW_HEAD, RAW_HEAD + NONCE_BYTES)))
  })
  return new Set(drawn).size === drawn.length
}

function resultsOf({ open, openIndex }: Engine): (Ciphertext | Outcome)[] {
  const key = open(createSecretKey(KEY), KEY)
  const all: (Ciphertext | Outcome)[] = openIndex(createSecretKey(KEY), KEY).index(AAD, PLAINTEXTS, 16)
  for (const form of ['text', 'raw'] as const) {
    for (const bound of [undefined, BOUND]) {
      const spec = { header: HEADER, form, aad: AAD }
      const [text, bytes] = [
        key.place({ ...spec, padded: false, codec: CODEC.string }),
        key.place({ ...spec, padded: true, codec: undefined }),
      ]
      const made = key.encrypt({ places: PLAINTEXTS.map(() => text), bound, plaintexts: PLAINTEXTS, nonces: NONCES })
      const stored = [...made, ...made.map(tampered), ...made.map((ciphertext) => ciphertext.slice(0, 40))]
      const rows = bound && [...bound, ...bound, ...bound]
      for (const place of [text, bytes])
        all.push(...key.decrypt({ places: stored.map(() => place), bound: rows, stored }))
      all.push(...made)
    }
  }
  return all
}

/** With another first character, or byte, of the tag. */
function tampered(ciphertext: Ciphertext): Ciphertext {
  if (typeof ciphertext !== 'string')
    return Uint8Array.from(ciphertext, (byte, i) => (i === ciphertext.length - 16 ? byte ^ 1 : byte))
  const at = ciphertext.length - 20
  return ciphertext.slice(0, at) + (ciphertext[at] === 'A' ? 'B' : 'A') + ciphertext.slice(at + 1)
}
