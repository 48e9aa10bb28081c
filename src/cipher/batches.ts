import { randomNonces } from '../crypto/aead.js'
import type { Outcome } from '../crypto/batch.js'
import type { Ciphertext } from '../crypto/ciphertext.js'
import { textCodecOf } from '../crypto/fieldValue.js'
import { pad } from '../crypto/padding.js'
import type { Dek } from '../keys/dek.js'
import { plainFrom, refused } from './outcome.js'
import type { Opener } from './passKeys.js'
import type { CipherField, DecryptSlot, EncryptSlot } from './slot.js'

/** A slot that could not be transformed, by its place in the pass. */
export interface FailedSlot {
  readonly position: number
  readonly error: unknown
}

interface Batch {
  /** Works on all slots at once; the first that fails is returned, the others are done. */
  run(): FailedSlot | undefined
}

/** The slots of one stretch of a pass, sorted by field and key: each sort is one call of the engine. */
export class Batches {
  readonly #encrypts = new Sorted<Dek, EncryptBatch>((dek, field) => new EncryptBatch(dek, field))
  readonly #decrypts = new Sorted<Opener, DecryptBatch>((opener, field) => new DecryptBatch(opener, field))

  encrypt(dek: Dek, slot: EncryptSlot, plaintext: string | Uint8Array): void {
    this.#encrypts.of(dek, slot.field).add(slot, plaintext)
  }

  decrypt(opener: Opener, slot: DecryptSlot, position: number): void {
    this.#decrypts.of(opener, slot.field).add(slot, position)
  }

  /** Works on all of them. Of several that fail, the first in the order of the pass is returned. */
  run(): FailedSlot | undefined {
    let first: FailedSlot | undefined
    for (const batch of [...this.#encrypts.all, ...this.#decrypts.all] as Batch[]) {
      const failed = batch.run()
      if (failed && (!first || failed.position < first.position)) first = failed
    }
    return first
  }
}

/** One batch for each field and key. Consecutive slots mostly have the same key. */
class Sorted<Key, Sort extends Batch> {
  readonly all: Sort[] = []
  readonly #byKey = new Map<Key, Map<CipherField, Sort>>()
  readonly #make: (key: Key, field: CipherField) => Sort
  #lastKey: Key | undefined
  #last = new Map<CipherField, Sort>()

  constructor(make: (key: Key, field: CipherField) => Sort) {
    this.#make = make
  }

  of(key: Key, field: CipherField): Sort {
    const byField = key === this.#lastKey ? this.#last : this.#fieldsOf(key)
    return byField.get(field) ?? this.#add(byField, key, field)
  }

  #fieldsOf(key: Key): Map<CipherField, Sort> {
    const known = this.#byKey.get(key)
    const byField = known ?? new Map<CipherField, Sort>()
    if (!known) this.#byKey.set(key, byField)
    this.#lastKey = key
    this.#last = byField
    return byField
  }

  #add(byField: Map<CipherField, Sort>, key: Key, field: CipherField): Sort {
    const made = this.#make(key, field)
    byField.set(field, made)
    this.all.push(made)
    return made
  }
}

class EncryptBatch implements Batch {
  readonly #slots: EncryptSlot[] = []
  readonly #plaintexts: (string | Uint8Array)[] = []

  constructor(
    private readonly dek: Dek,
    private readonly field: CipherField,
  ) {}

  add(slot: EncryptSlot, plaintext: string | Uint8Array): void {
    this.#slots.push(slot)
    this.#plaintexts.push(plaintext)
  }

  run(): undefined {
    const { dek, field } = this
    const slots = this.#slots
    const { header, aad } = field.pad ? dek.padded(field.context) : { header: dek.header, aad: dek.aad(field.context) }
    const made = dek.values.encrypt({
      header,
      form: field.column === 'Bytes' ? 'raw' : 'text',
      aad,
      bound: boundOf(slots),
      plaintexts: field.pad ? this.#plaintexts.map((plaintext) => padded(plaintext, field.pad!)) : this.#plaintexts,
      nonces: randomNonces(slots.length),
    })
    for (let i = 0; i < slots.length; i++) slots[i]!.holder[slots[i]!.key] = field.list ? [made[i]] : made[i]
  }
}

function padded(plaintext: string | Uint8Array, block: number): Buffer {
  return pad(typeof plaintext === 'string' ? Buffer.from(plaintext) : plaintext, block)
}

class DecryptBatch implements Batch {
  readonly #slots: DecryptSlot[] = []
  readonly #positions: number[] = []
  readonly #stored: Ciphertext[] = []

  constructor(
    private readonly opener: Opener,
    private readonly field: CipherField,
  ) {}

  add(slot: DecryptSlot, position: number): void {
    this.#slots.push(slot)
    this.#positions.push(position)
    this.#stored.push(slot.holder[slot.key] as Ciphertext)
  }

  run(): FailedSlot | undefined {
    const { opener, field } = this
    const outcomes = opener.dek.values.decrypt({
      aad: opener.aad(field.context),
      bound: boundOf(this.#slots),
      stored: this.#stored,
      padded: opener.padded,
      codec: textCodecOf(field),
    })
    return this.#place(outcomes)
  }

  #place(outcomes: readonly Outcome[]): FailedSlot | undefined {
    let first: FailedSlot | undefined
    for (let i = 0; i < outcomes.length; i++) {
      const value = plainFrom(this.field, outcomes[i]!)
      if (value === undefined) first ??= { position: this.#positions[i]!, error: refused(this.field, outcomes[i]!) }
      else this.#slots[i]!.holder[this.#slots[i]!.key] = value
    }
    return first
  }
}

/** All values of a field are bound to the same columns, mostly to none. */
function boundOf(slots: readonly (EncryptSlot | DecryptSlot)[]): readonly (readonly string[])[] | undefined {
  return slots[0]!.bound.length === 0 ? undefined : slots.map(({ bound }) => bound)
}
