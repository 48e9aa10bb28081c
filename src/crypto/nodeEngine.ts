import { isUtf8 } from 'node:buffer'
import type { KeyObject } from 'node:crypto'
import { withBound } from './aad.js'
import { decrypt, encrypt, NONCE_BYTES, randomNonces } from './aead.js'
import { type Ciphertext, RAW_HEAD, rawCiphertext, sealedPart, textCiphertext } from './ciphertext.js'
import {
  type DecryptInput,
  type EncryptInput,
  type Engine,
  FAILURE,
  type Outcome,
  type Place,
  type PlaceSpec,
  type ValueKey,
} from './engine.js'
import { hmacSha256 } from './hmac.js'
import { unpad } from './padding.js'
import { PreparedPlace, placeHead } from './place.js'

/** `node:crypto`, one value after the other: it is always there. */
export const nodeEngine: Engine = {
  name: 'node',
  open: (key) => new NodeKey(key),
  openIndex: (key) => ({
    index: (prefix, messages, size) => messages.map((message) => hmacSha256(key, prefix, message).subarray(0, size)),
  }),
}

class NodeKey implements ValueKey {
  readonly #key: KeyObject

  constructor(key: KeyObject) {
    this.#key = key
  }

  /** Another engine's place will do: nothing is prepared but the head. */
  place(spec: PlaceSpec): Place {
    return new PreparedPlace(spec, placeHead(spec), undefined)
  }

  encrypt({ places, bound, plaintexts, nonces = randomNonces(plaintexts.length) }: EncryptInput): Ciphertext[] {
    return plaintexts.map((plaintext, i) => {
      const { header, head, aad, form } = places[i]!
      const nonce = nonces.subarray(i * NONCE_BYTES, (i + 1) * NONCE_BYTES)
      const sealed = encrypt(this.#key, bound ? withBound(aad, bound[i]!) : aad, plaintext, nonce)
      return form === 'raw' ? rawCiphertext(header, sealed) : textCiphertext(head as string, sealed)
    })
  }

  decrypt({ stored, places, bound }: DecryptInput): Outcome[] {
    return stored.map((ciphertext, i) => {
      const { head, aad, padded, codec } = places[i]!
      const sealed = beginsWith(head, ciphertext) ? sealedPart(ciphertext) : null
      if (!sealed) return FAILURE.torn
      const opened = decrypt(this.#key, bound ? withBound(aad, bound[i]!) : aad, sealed)
      if (!opened) return FAILURE.forged
      const plaintext = padded ? unpad(opened) : opened
      if (!plaintext) return FAILURE.foreign
      return codec === undefined ? plaintext : textAfter(codec, plaintext)
    })
  }
}

/** `indexOf`, which compares at once; `startsWith` takes one character after the other. */
function beginsWith(head: string | Buffer, ciphertext: Ciphertext): boolean {
  return typeof ciphertext === 'string'
    ? ciphertext.indexOf(head as string) === 0
    : (head as Buffer).equals(ciphertext.subarray(0, RAW_HEAD))
}

function textAfter(codec: number, plaintext: Buffer): Outcome {
  return plaintext[0] === codec && isUtf8(plaintext) ? plaintext.toString('utf8', 1) : FAILURE.foreign
}
