import type { Ciphertext } from '../../src/crypto/ciphertext.js'
import type { EncryptInput, Outcome, PlaceSpec, ValueKey } from '../../src/crypto/engine.js'

export interface WrittenBatch
  extends Pick<PlaceSpec, 'header' | 'form' | 'aad'>,
    Pick<EncryptInput, 'bound' | 'plaintexts' | 'nonces'> {}

export interface ReadBatch extends Pick<PlaceSpec, 'header' | 'aad' | 'padded' | 'codec'>, Pick<EncryptInput, 'bound'> {
  readonly stored: readonly Ciphertext[]
}

/** A key whose batches are all of one field. */
export interface PlacedKey {
  encrypt(batch: WrittenBatch): Ciphertext[]
  decrypt(batch: ReadBatch): Outcome[]
}

export function placed(key: ValueKey): PlacedKey {
  return {
    encrypt({ header, form, aad, bound, plaintexts, nonces }) {
      const place = key.place({ header, form, aad, padded: false, codec: undefined })
      return key.encrypt({ places: plaintexts.map(() => place), bound, plaintexts, nonces })
    },
    decrypt({ header, aad, padded, codec, bound, stored }) {
      const [text, raw] = (['text', 'raw'] as const).map((form) => key.place({ header, form, aad, padded, codec }))
      return key.decrypt({ places: stored.map((value) => (typeof value === 'string' ? text! : raw!)), bound, stored })
    },
  }
}
