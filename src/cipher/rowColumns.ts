import { headOf } from '../crypto/ciphertext.js'
import { isDirect } from '../crypto/direct.js'
import type { Place } from '../crypto/engine.js'
import { textCodecOf } from '../crypto/fieldValue.js'
import { debugStep, isDebugging } from '../debug.js'
import type { KeyRing } from '../keys/keyRing.js'
import { headerOf } from './headers.js'
import { DecryptionKey } from './keyResolution.js'
import { plaintextValue } from './outcome.js'
import type { CipherField } from './slot.js'
import { inTurns } from './turns.js'

/** A column of rows: `isTextColumn` of its field. */
export interface RowColumn {
  readonly field: CipherField
  /** Its name in the rows. */
  readonly key: string
}

/** Whose the rows are, and who has their keys. */
export interface RowKeys {
  readonly tenant: string
  readonly ring: KeyRing
}

type Row = Record<string, unknown>

/** As many values as the addon takes in one call. */
const AT_ONCE = 1024

/** Whether a field's ciphertexts and plaintexts are texts, so that many of them are opened by one call. */
export function isTextColumn(field: CipherField): boolean {
  return !field.direct && field.column !== 'Bytes' && textCodecOf(field) !== undefined
}

/**
 * Rows of one pass that are decrypted in place, without a slot for each value. That is for values of which nothing is
 * unusual: ciphertexts of one tenant, under DEKs that are in memory, bound to nothing. Whatever is not so, or cannot be
 * decrypted, is left to slots, which say what the matter is.
 */
export class RowColumns {
  readonly #rows = new Map<readonly RowColumn[], Row[]>()
  #count = 0

  /** @param columns the same list for all rows of one kind */
  add(columns: readonly RowColumn[], row: Row): void {
    const rows = this.#rows.get(columns)
    if (rows) rows.push(row)
    else this.#rows.set(columns, [row])
    this.#count += columns.length
  }

  get isEmpty(): boolean {
    return this.#count === 0
  }

  /** @returns whether all was done; otherwise no row is to be used any more */
  decryptNow(keys: RowKeys): boolean {
    const isDone = this.#parts(keys).every((part) => part())
    if (isDone && isDebugging) this.#debug()
    return isDone
  }

  /** As `decryptNow`, with turns for others on the event loop where the values are very many. */
  decrypt(keys: RowKeys): boolean | Promise<boolean> {
    if (this.#count <= AT_ONCE) return this.decryptNow(keys)
    let isDone = true
    const parts = this.#parts(keys)
    const turns = inTurns(parts.length, 1, (at) => {
      isDone = parts[at]!()
      return isDone
    })
    if (isDebugging && !turns && isDone) this.#debug()
    return turns ? turns.then(() => isDone) : isDone
  }

  #parts(keys: RowKeys): (() => boolean)[] {
    const held = new HeldKeys(keys)
    const parts: (() => boolean)[] = []
    for (const [columns, rows] of this.#rows) {
      const columnKeys = new ColumnKeys(columns, held)
      const size = Math.max(1, Math.floor(AT_ONCE / columns.length))
      for (let from = 0; from < rows.length; from += size) {
        parts.push(() => decryptPart(columnKeys, rows, from, Math.min(from + size, rows.length)))
      }
    }
    return parts
  }

  #debug(): void {
    debugStep('cipher', `up to ${this.#count} decrypted by their columns, all keys in memory`)
  }
}

function decryptPart(keys: ColumnKeys, rows: readonly Row[], from: number, to: number): boolean {
  const { columns } = keys
  for (let at = from; at < to; at += 1) {
    const row = rows[at]!
    for (let column = 0; column < columns.length; column += 1) {
      const stored = row[columns[column]!.key]
      if (stored === null || stored === undefined) continue
      const batch = typeof stored === 'string' ? keys.of(stored) : undefined
      if (!batch) return false
      batch.add(row, column, stored as string)
    }
  }
  return keys.decrypt()
}

/** The keys of the ciphertexts in some columns, by their heads, each with what is to be decrypted under it. */
class ColumnKeys {
  readonly #held: HeldKeys
  readonly #byHead = new Map<string, ColumnBatch>()
  /** The last one asked for: comparing with its head is cheaper than looking one up. */
  #last: ColumnBatch | undefined

  constructor(
    readonly columns: readonly RowColumn[],
    held: HeldKeys,
  ) {
    this.#held = held
  }

  of(stored: string): ColumnBatch | undefined {
    const last = this.#last
    return last && stored.startsWith(last.head) ? last : this.#find(stored)
  }

  #find(stored: string): ColumnBatch | undefined {
    const head = headOf(stored)
    if (head === null) return undefined
    let batch = this.#byHead.get(head)
    if (!batch) {
      const key = this.#held.of(head)
      if (!key) return undefined
      batch = new ColumnBatch(head, key, this.columns)
      this.#byHead.set(head, batch)
    }
    this.#last = batch
    return batch
  }

  decrypt(): boolean {
    for (const batch of this.#byHead.values()) if (!batch.decrypt()) return false
    return true
  }
}

/** The tenant's keys that are in memory, each looked up once. */
class HeldKeys {
  readonly #keys: RowKeys
  readonly #byHead = new Map<string, DecryptionKey | undefined>()

  constructor(keys: RowKeys) {
    this.#keys = keys
  }

  of(head: string): DecryptionKey | undefined {
    if (this.#byHead.has(head)) return this.#byHead.get(head)
    const key = this.#find(head)
    this.#byHead.set(head, key)
    return key
  }

  #find(head: string): DecryptionKey | undefined {
    const header = headerOf(head)
    if (!header || isDirect(header)) return undefined
    const dek = this.#keys.ring.loaded.cached(header.dekId)
    return dek?.tenant === this.#keys.tenant ? new DecryptionKey(dek, header) : undefined
  }
}

/** Values under one key, and where they stand. */
class ColumnBatch {
  readonly #key: DecryptionKey
  readonly #columns: readonly RowColumn[]
  readonly #placeOf: Place[] = []
  #rows: Row[] = []
  #at: number[] = []
  #places: Place[] = []
  #stored: string[] = []

  constructor(
    readonly head: string,
    key: DecryptionKey,
    columns: readonly RowColumn[],
  ) {
    this.#key = key
    this.#columns = columns
  }

  add(row: Row, column: number, stored: string): void {
    const place = this.#placeOf[column] ?? this.#addPlace(column)
    this.#rows.push(row)
    this.#at.push(column)
    this.#places.push(place)
    this.#stored.push(stored)
  }

  #addPlace(column: number): Place {
    const place = this.#key.place(this.#columns[column]!.field)
    this.#placeOf[column] = place
    return place
  }

  /** Puts the values into the rows; `false` if there is one without. */
  decrypt(): boolean {
    if (this.#stored.length === 0) return true
    const outcomes = this.#key.dek.values!.decrypt({ places: this.#places, bound: undefined, stored: this.#stored })
    for (let i = 0; i < outcomes.length; i += 1) {
      const { field, key } = this.#columns[this.#at[i]!]!
      const value = plaintextValue(field, outcomes[i]!)
      if (value === undefined) return false
      this.#rows[i]![key] = value
    }
    this.#rows = []
    this.#at = []
    this.#places = []
    this.#stored = []
    return true
  }
}
