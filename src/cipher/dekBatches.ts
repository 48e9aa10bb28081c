import type { Ciphertext } from '../crypto/ciphertext.js'
import type { Outcome, Place } from '../crypto/engine.js'
import { pad } from '../crypto/padding.js'
import { tokenLists } from '../crypto/tokens/tokens.js'
import type { Dek } from '../keys/dek.js'
import { indexValues } from './indexValues.js'
import { outcomeError, plaintextValue } from './outcome.js'
import type { CipherIndex, DecryptSlot, EncryptSlot, IndexSlot, Slot, TokenSlot } from './slot.js'
import type { CipherTokenIndex } from './tokenIndex.js'

/** A slot that could not be transformed. */
export interface FailedSlot {
  readonly slot: Slot
  readonly error: unknown
}

export interface Batch {
  /** Works on all slots at once; the first that fails is returned, the others are done. */
  run(): FailedSlot | undefined
}

/** The batches under one DEK: fields that the engine takes together are in one. */
export class DekBatches {
  readonly #dek: Dek
  readonly #all: Batch[]
  /** By the form of the ciphertexts, text or raw. */
  readonly #encrypts: (EncryptBatch | undefined)[] = []
  /** By the form of the ciphertexts, and whether plaintexts come out as texts. */
  readonly #decrypts: (DecryptBatch | undefined)[] = []
  readonly #indexes: IndexBatch[] = []
  readonly #tokens: TokenBatch[] = []

  constructor(dek: Dek, all: Batch[]) {
    this.#dek = dek
    this.#all = all
  }

  encrypt(slot: EncryptSlot, place: Place, plaintext: string | Uint8Array): void {
    const kind = place.form === 'text' ? 0 : 1
    const batch = this.#encrypts[kind] ?? this.#added(new EncryptBatch(this.#dek))
    this.#encrypts[kind] = batch
    batch.add(slot, place, plaintext)
  }

  decrypt(slot: DecryptSlot, place: Place): void {
    const kind = (place.form === 'text' ? 0 : 1) + (place.codec === undefined ? 2 : 0)
    const batch = this.#decrypts[kind] ?? this.#added(new DecryptBatch(this.#dek))
    this.#decrypts[kind] = batch
    batch.add(slot, place)
  }

  index(slot: IndexSlot, message: string | Uint8Array): void {
    let batch = this.#indexes.find(({ index }) => index === slot.index)
    if (!batch) {
      batch = this.#added(new IndexBatch(this.#dek, slot.index))
      this.#indexes.push(batch)
    }
    batch.add(slot, message)
  }

  tokens(slot: TokenSlot, bodies: readonly Buffer[]): void {
    let batch = this.#tokens.find(({ index }) => index === slot.index)
    if (!batch) {
      batch = this.#added(new TokenBatch(this.#dek, slot.index))
      this.#tokens.push(batch)
    }
    batch.add(slot, bodies)
  }

  #added<B extends Batch>(batch: B): B {
    this.#all.push(batch)
    return batch
  }
}

class EncryptBatch implements Batch {
  readonly #dek: Dek
  readonly #slots: EncryptSlot[] = []
  readonly #places: Place[] = []
  readonly #plaintexts: (string | Uint8Array)[] = []

  constructor(dek: Dek) {
    this.#dek = dek
  }

  add(slot: EncryptSlot, place: Place, plaintext: string | Uint8Array): void {
    const { pad: block } = slot.field
    this.#slots.push(slot)
    this.#places.push(place)
    this.#plaintexts.push(block ? padded(plaintext, block) : plaintext)
  }

  run(): undefined {
    const slots = this.#slots
    const made = this.#dek.values!.encrypt({
      places: this.#places,
      bound: boundOf(slots),
      plaintexts: this.#plaintexts,
    })
    for (let i = 0; i < slots.length; i++) {
      const { holder, key, field } = slots[i]!
      holder[key] = field.list ? [made[i]] : made[i]
    }
  }
}

function padded(plaintext: string | Uint8Array, block: number): Buffer {
  return pad(typeof plaintext === 'string' ? Buffer.from(plaintext) : plaintext, block)
}

class DecryptBatch implements Batch {
  readonly #dek: Dek
  readonly #slots: DecryptSlot[] = []
  readonly #places: Place[] = []
  readonly #stored: Ciphertext[] = []

  constructor(dek: Dek) {
    this.#dek = dek
  }

  add(slot: DecryptSlot, place: Place): void {
    this.#slots.push(slot)
    this.#places.push(place)
    this.#stored.push(slot.holder[slot.key] as Ciphertext)
  }

  run(): FailedSlot | undefined {
    const places = this.#places
    return this.#put(this.#dek.values!.decrypt({ places, bound: boundOf(this.#slots), stored: this.#stored }))
  }

  #put(outcomes: readonly Outcome[]): FailedSlot | undefined {
    let first: FailedSlot | undefined
    for (let i = 0; i < outcomes.length; i++) {
      const slot = this.#slots[i]!
      const { field, holder, key } = slot
      const value = plaintextValue(field, outcomes[i]!)
      if (value === undefined) first ??= { slot, error: outcomeError(field, outcomes[i]!) }
      else holder[key] = value
    }
    return first
  }
}

class IndexBatch implements Batch {
  readonly #dek: Dek
  readonly #slots: IndexSlot[] = []
  readonly #messages: (string | Uint8Array)[] = []

  constructor(
    dek: Dek,
    readonly index: CipherIndex,
  ) {
    this.#dek = dek
  }

  add(slot: IndexSlot, message: string | Uint8Array): void {
    this.#slots.push(slot)
    this.#messages.push(message)
  }

  run(): undefined {
    const made = indexValues(this.#dek, this.index, this.#messages)
    this.#slots.forEach(({ holder, key }, i) => {
      holder[key] = made[i]!
    })
  }
}

class TokenBatch implements Batch {
  readonly #dek: Dek
  readonly #slots: TokenSlot[] = []
  readonly #bodies: (readonly Buffer[])[] = []

  constructor(
    dek: Dek,
    readonly index: CipherTokenIndex,
  ) {
    this.#dek = dek
  }

  add(slot: TokenSlot, bodies: readonly Buffer[]): void {
    this.#slots.push(slot)
    this.#bodies.push(bodies)
  }

  run(): undefined {
    const { kind, prefix } = this.index
    const byKey = [this.#dek, ...this.#dek.beside.map((older) => older.dek)].map((dek) =>
      tokenLists(dek.tokens![kind], prefix, this.#bodies),
    )
    this.#slots.forEach(({ holder, key, use }, i) => {
      const lists = byKey.map((made) => made[i]!)
      if (use === 'any') holder[key] = lists.length === 1 ? lists[0] : lists.flat().sort()
      else use(lists)
    })
  }
}

/** Mostly no value of a batch is bound to columns of its row. */
function boundOf(slots: readonly (EncryptSlot | DecryptSlot)[]): readonly (readonly string[])[] | undefined {
  for (const { bound } of slots) if (bound.length > 0) return slots.map((slot) => slot.bound)
  return undefined
}
