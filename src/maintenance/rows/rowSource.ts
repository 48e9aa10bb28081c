/** The primary key of a row as texts, in the key's order. */
export type RowKey = readonly string[]

/**
 * What a column holds: text, the text of JSON, or bytes; of a list, its elements as the text of JSON; of tokens, the list
 * as PostgreSQL writes it; `null` is NULL.
 */
export type Cell = string | Uint8Array | null

/** A row as it was read. */
export interface StoredRow {
  readonly key: RowKey
  /** Another one after every change of the row. */
  readonly version: string
  /** Where it was, to find it again at once; it may have moved since, also without a change. */
  readonly location: string
  /** Whose row it is; `null` where its tenant column is NULL, `undefined` where nothing but its ciphertexts can tell. */
  readonly tenant: string | null | undefined
  /** The canonical texts of the columns that ciphertexts are bound to. */
  readonly bound: { readonly [column: string]: string | null }
  /** Encrypted fields and indexes, by field. */
  readonly cells: { readonly [field: string]: Cell }
}

/** The next rows in the order of the primary key. */
export interface Page {
  /** Those that the operation wants, in order. */
  readonly rows: readonly StoredRow[]
  /** How many rows were looked at. */
  readonly scanned: number
  /** The key of the last row looked at; `null` when there was none. */
  readonly last: RowKey | null
  /** No rows follow. */
  readonly ended: boolean
}

export interface PageRequest {
  /** Begins after this key; at the first row if `null`. */
  readonly after: RowKey | null
  /** Ends with this key; with the last row if `null`. */
  readonly until: RowKey | null
  /** How many rows to look at, at most. */
  readonly limit: number
}

/** New cells for a row. */
export interface RowChange {
  readonly row: StoredRow
  readonly cells: { readonly [field: string]: Cell }
}

/** The whole table is locked, or somebody waits for its lock: to be tried again later, so that they go first. */
export class TableLocked extends Error {}

/**
 * The seam to the table of one model and what one operation wants of it. It holds no lock and no snapshot between
 * calls. Broken is thrown: `DATABASE_UNAVAILABLE`. Any of them may throw `TableLocked`, and has done nothing then.
 */
export interface RowSource {
  /** The ids of all DEKs that were active when it was opened; `null` when there are very many. */
  readonly activeDeks: ReadonlySet<string> | null
  /** About how many rows the table has. */
  estimate(): Promise<number>
  page(request: PageRequest): Promise<Page>
  /** How many rows the operation has still to do, in the whole table. It reads all of it. */
  countRemaining(): Promise<number>
  /** Those of the rows that are still there and still to be done, as they are now. */
  reread(rows: readonly StoredRow[]): Promise<readonly StoredRow[]>
  /** Those of the values that a blind index holds in some row. */
  holding(field: string, values: readonly NonNullable<Cell>[]): Promise<readonly NonNullable<Cell>[]>
  /**
   * Writes all changes in one statement, each on the condition that its row still has the version that was read and is
   * not locked by anybody. It waits for no lock.
   *
   * @returns the rows that were written
   * @throws FieldsealError `ROW_REFUSED` when a constraint refuses one of them: then none is written
   */
  change(changes: readonly RowChange[]): Promise<ReadonlySet<StoredRow>>
}
