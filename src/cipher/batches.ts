import type { Dek } from '../keys/dek.js'
import { blindIndexKey } from './blindIndexKey.js'
import { type Batch, DekBatches, type FailedSlot } from './dekBatches.js'
import type { DecryptionKey } from './keyResolution.js'
import type { DecryptSlot, EncryptSlot, IndexSlot, TokenSlot } from './slot.js'

export type { FailedSlot } from './dekBatches.js'

/** The slots of one stretch of a pass, sorted by key and kind: each sort is one call of the engine. */
export class Batches {
  readonly #all: Batch[] = []
  readonly #byDek = new Map<Dek, DekBatches>()
  /** The last one asked for: consecutive slots mostly have the same key. */
  #lastDek: Dek | undefined
  /** Those that take what several keys make. */
  readonly #rotated: { readonly slot: IndexSlot; readonly finish: () => void }[] = []
  #last: DekBatches | undefined

  encrypt(dek: Dek, slot: EncryptSlot, plaintext: string | Uint8Array): void {
    this.#of(dek).encrypt(slot, dek.place(slot.field, Boolean(slot.field.pad)), plaintext)
  }

  decrypt(key: DecryptionKey, slot: DecryptSlot): void {
    this.#of(key.dek).decrypt(slot, key.place(slot.field))
  }

  index(dek: Dek, slot: IndexSlot, message: string | Uint8Array): void {
    if (dek.beside.length === 0) this.#of(dek).index(slot, message)
    else this.#indexBeside(dek, slot, message)
  }

  /** While the tenant's key is rotated. */
  #indexBeside(dek: Dek, slot: IndexSlot, message: string | Uint8Array): void {
    const { several } = slot
    if (!several) {
      this.#of(blindIndexKey(dek, slot)).index(slot, message)
      return
    }
    const made = [dek, ...dek.beside.map((older) => older.dek)].map((key) => {
      const holder: Record<string, unknown> = {}
      this.#of(key).index({ ...slot, holder, key: 'value' }, message)
      return holder
    })
    const { state } = dek.beside.at(-1)!
    const values = () => made.map(({ value }) => value)
    this.#rotated.push({ slot, finish: () => several(slot, values(), state) })
  }

  tokens(dek: Dek, slot: TokenSlot, bodies: readonly Buffer[]): void {
    this.#of(dek).tokens(slot, bodies)
  }

  #of(dek: Dek): DekBatches {
    if (dek === this.#lastDek) return this.#last!
    let batches = this.#byDek.get(dek)
    if (!batches) {
      batches = new DekBatches(dek, this.#all)
      this.#byDek.set(dek, batches)
    }
    this.#lastDek = dek
    this.#last = batches
    return batches
  }

  /** Works on all of them; of each that has slots that fail, the first is returned. */
  run(): FailedSlot[] {
    const failures: FailedSlot[] = []
    for (const batch of this.#all) {
      const failed = batch.run()
      if (failed) failures.push(failed)
    }
    for (const { slot, finish } of this.#rotated) {
      try {
        finish()
      } catch (error) {
        failures.push({ slot, error })
      }
    }
    return failures
  }
}
