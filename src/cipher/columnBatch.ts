import { PREFIX, TEXT_HEAD } from '../crypto/ciphertext.js'
import type { Place } from '../crypto/engine.js'
import type { DecryptionKey } from './keyResolution.js'
import { plaintextValue } from './outcome.js'
import type { CipherField } from './slot.js'

/** A column of rows: `isTextColumn` of its field. */
export interface RowColumn {
  readonly field: CipherField
  /** Its name in the rows. */
  readonly key: string
}

export type Row = Record<string, unknown>

/** Where heads mostly differ: the flags, and the last characters of the DEK's id. */
const [FLAGS, ID_END] = [PREFIX.length + 2, TEXT_HEAD - 1]

/** Values under one key, and where they stand. */
export class ColumnBatch {
  readonly #key: DecryptionKey
  readonly #columns: readonly RowColumn[]
  readonly #placeOf: Place[] = []
  readonly #flags: number
  readonly #idEnd: number
  readonly #beforeEnd: number
  #size = 0
  /** Of each value, row × columns + column. */
  #at!: number[]
  #places!: Place[]
  #stored!: string[]

  constructor(
    readonly head: string,
    key: DecryptionKey,
    columns: readonly RowColumn[],
  ) {
    this.#key = key
    this.#columns = columns
    this.#flags = head.charCodeAt(FLAGS)
    this.#idEnd = head.charCodeAt(ID_END)
    this.#beforeEnd = head.charCodeAt(ID_END - 1)
  }

  /**
   * Whether a ciphertext is most likely under this key. A look at a few characters takes a tenth of the time of one at all;
   * the engine holds each ciphertext against the whole head.
   */
  mayHave(stored: string): boolean {
    return (
      stored.charCodeAt(ID_END) === this.#idEnd &&
      stored.charCodeAt(ID_END - 1) === this.#beforeEnd &&
      stored.charCodeAt(FLAGS) === this.#flags
    )
  }

  add(row: number, column: number, stored: string): void {
    const i = this.#size++
    this.#places[i] = this.#placeOf[column] ?? this.#addPlace(column)
    this.#at[i] = row * this.#columns.length + column
    this.#stored[i] = stored
  }

  /** For so many values at once: arrays that grow are copied again and again. */
  makeRoom(room: number): void {
    this.#at = new Array<number>(room)
    this.#places = new Array<Place>(room)
    this.#stored = new Array<string>(room)
  }

  #addPlace(column: number): Place {
    const place = this.#key.place(this.#columns[column]!.field)
    this.#placeOf[column] = place
    return place
  }

  get size(): number {
    return this.#size
  }

  /** Puts the values into the rows; `false` if there is a ciphertext without. */
  decrypt(rows: readonly Row[]): boolean {
    const columns = this.#columns
    const size = this.#size
    if (size === 0) return true
    this.#size = 0
    for (const list of [this.#at, this.#places, this.#stored]) list.length = size
    const outcomes = this.#key.dek.values!.decrypt({ places: this.#places, bound: undefined, stored: this.#stored })
    for (let i = 0; i < size; i += 1) {
      const at = this.#at[i]!
      const column = at % columns.length
      const { field, key } = columns[column]!
      const value = plaintextValue(field, outcomes[i]!)
      if (value === undefined) return false
      rows[(at - column) / columns.length]![key] = value
    }
    return true
  }
}
