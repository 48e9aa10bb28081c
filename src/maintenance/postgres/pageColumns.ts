import type { RowSourceContext } from './context.js'
import type { MaintainedColumn } from './table.js'

/** What is read of each row, in order. A name is that of the column in a result: those of the table may be long. */
export interface PageColumns {
  readonly key: readonly { readonly name: string; readonly column: string }[]
  /** What ciphertexts are bound to. */
  readonly bound: readonly { readonly name: string; readonly field: string; readonly column: string }[]
  /** Encrypted fields and indexes. */
  readonly cells: readonly CellColumn[]
}

export interface CellColumn extends MaintainedColumn {
  readonly name: string
  readonly field: string
}

export function pageColumns({ model, table, facts }: RowSourceContext): PageColumns {
  const bound = new Set(model.readable.flatMap(({ bind }) => bind))
  const cells = [
    ...model.readable.map(({ field }) => ({ field, ...table.fields[field]! })),
    ...model.indexes.map(({ field }) => ({ field, ...table.indexes[field]! })),
  ]
  return {
    key: facts.key.map((column, i) => ({ name: `k${i}`, column })),
    bound: [...bound].map((field, i) => ({ name: `b${i}`, field, column: table.bound[field]! })),
    cells: cells.map((cell, i) => ({ name: `c${i}`, ...cell })),
  }
}
