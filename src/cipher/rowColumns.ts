import { headOf } from '../crypto/ciphertext.js'
import { isDirect } from '../crypto/direct.js'
import { textCodecOf } from '../crypto/fieldValue.js'
import { debugStep, isDebugging } from '../debug.js'
import type { KeyRing } from '../keys/keyRing.js'
import { ColumnBatch, type Row, type RowColumn } from './columnBatch.js'
import { headerOf } from './headers.js'
import { DecryptionKey } from './keyResolution.js'
import { debugKeys } from './passSteps.js'
import type { CipherField } from './slot.js'
import { inTurns } from './turns.js'

export type { RowColumn } from './columnBatch.js'

/** Whose the rows are, and who has their keys. */
export interface RowKeys {
  readonly tenant: string
  readonly ring: KeyRing
}

/** Values that go to the engine together: enough to make its calls cheap, and few enough to stay in the processor's cache. */
const AT_ONCE = 512

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
  readonly #tables: ColumnTable[] = []
  #last: ColumnTable | undefined
  #count = 0

  /** @param columns the same list for all rows of one kind */
  add(columns: readonly RowColumn[], row: Row): void {
    const table = this.#last?.columns === columns ? this.#last : this.#tableOf(columns)
    table.rows.push(row)
    this.#count += columns.length
  }

  #tableOf(columns: readonly RowColumn[]): ColumnTable {
    let table = this.#tables.find((one) => one.columns === columns)
    if (!table) {
      table = new ColumnTable(columns)
      this.#tables.push(table)
    }
    this.#last = table
    return table
  }

  /** The columns, each with the rows that it was decrypted in. */
  *decrypted(): Iterable<{ readonly column: RowColumn; readonly rows: readonly Row[] }> {
    for (const { columns, rows } of this.#tables) for (const column of columns) yield { column, rows }
  }

  /** @returns whether all was done; otherwise no row is to be used any more */
  decryptNow(keys: RowKeys): boolean {
    for (const table of this.#tables) {
      for (let from = 0; from < table.rows.length; from += table.rowsAtOnce) {
        if (!table.decrypt(keys, from)) return false
      }
    }
    if (isDebugging) this.#debug()
    return true
  }

  /** As `decryptNow`, with turns for others on the event loop where the values are very many. */
  decrypt(keys: RowKeys): boolean | Promise<boolean> {
    return this.#count <= AT_ONCE ? this.decryptNow(keys) : this.#decryptInTurns(keys)
  }

  #decryptInTurns(keys: RowKeys): boolean | Promise<boolean> {
    const parts = this.#tables.flatMap((table) => partsOf(table).map((from) => () => table.decrypt(keys, from)))
    let isDone = true
    const turns = inTurns(parts.length, 1, (at) => {
      isDone = parts[at]!()
      return isDone
    })
    const outcome = () => {
      if (isDebugging && isDone) this.#debug()
      return isDone
    }
    return turns ? turns.then(outcome) : outcome()
  }

  /** The same steps as of slots. */
  #debug(): void {
    const values = this.#tables.reduce((sum, { decrypted }) => sum + decrypted, 0)
    if (values === 0) return
    debugStep('cipher', `${values} to decrypt`)
    debugKeys({ held: new Set(this.#tables.flatMap(({ heads }) => heads)).size, missing: 0 })
    debugStep('cipher', `${values} of ${values} applied`)
  }
}

function partsOf({ rows, rowsAtOnce }: ColumnTable): number[] {
  return Array.from({ length: Math.ceil(rows.length / rowsAtOnce) }, (_, part) => part * rowsAtOnce)
}

/** Rows with the same columns, and the keys of the ciphertexts in them. */
class ColumnTable {
  readonly rows: Row[] = []
  readonly rowsAtOnce: number
  /** How many values were. */
  decrypted = 0
  /** By the head of ciphertexts; a tenant has few keys. */
  readonly #batches: ColumnBatch[] = []
  /** The last one asked for: consecutive values mostly have the same key. */
  #last: ColumnBatch | undefined

  constructor(readonly columns: readonly RowColumn[]) {
    this.rowsAtOnce = Math.max(1, Math.floor(AT_ONCE / columns.length))
  }

  get heads(): string[] {
    return this.#batches.map(({ head }) => head)
  }

  /** Decrypts so many rows as go to the engine at once; `false` if one of their values is not as all mostly are. */
  decrypt(keys: RowKeys, from: number): boolean {
    const to = Math.min(from + this.rowsAtOnce, this.rows.length)
    if (!this.#sort(keys, from, to)) return false
    for (const batch of this.#batches) {
      this.decrypted += batch.size
      if (!batch.decrypt(this.rows)) return false
    }
    return true
  }

  #sort(keys: RowKeys, from: number, to: number): boolean {
    const { columns, rows } = this
    for (let at = from; at < to; at += 1) {
      const row = rows[at]!
      for (let column = 0; column < columns.length; column += 1) {
        const stored = row[columns[column]!.key]
        if (stored === null || stored === undefined) continue
        if (typeof stored !== 'string') return false
        const last = this.#last
        const batch = last?.mayHave(stored) ? last : this.#batchOf(stored, keys)
        if (!batch) return false
        if (batch.size === 0) batch.makeRoom((to - at) * columns.length)
        batch.add(at, column, stored)
      }
    }
    return true
  }

  #batchOf(stored: string, keys: RowKeys): ColumnBatch | undefined {
    this.#last = this.#batches.find((batch) => batch.mayHave(stored)) ?? this.#newBatch(stored, keys)
    return this.#last
  }

  #newBatch(stored: string, keys: RowKeys): ColumnBatch | undefined {
    const head = headOf(stored)
    const key = head === null ? undefined : heldKey(head, keys)
    if (!key) return undefined
    const batch = new ColumnBatch(head!, key, this.columns)
    this.#batches.push(batch)
    return batch
  }
}

/** The tenant's key of what begins so, if it is in memory. */
function heldKey(head: string, { tenant, ring }: RowKeys): DecryptionKey | undefined {
  const header = headerOf(head)
  if (!header || isDirect(header)) return undefined
  const dek = ring.loaded.cached(header.dekId)
  return dek?.tenant === tenant ? new DecryptionKey(dek, header) : undefined
}
