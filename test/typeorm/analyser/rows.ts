import type { Table, TableColumn } from './tables.js'

/** Few, so that searches find something; in no order of the alphabet. */
export const TEXTS = ['ada', 'bob', 'Eve', 'dan', '', "o'hara", 'ada ', 'ünï'] as const
export const NUMBERS = [0, 1, 2, 3, 36, -1] as const
export const DOCUMENTS = [{ a: 1 }, { a: [1, 'x'], b: null }, {}] as const

export type Cell = string | number | object | null

/** Some rows of a table, always the same ones. */
export function rowsOf(table: Table): Cell[][] {
  return Array.from({ length: 9 }, (_, position) =>
    table.columns.map((column, place) => cellOf(column, position, place + table.name.length)),
  )
}

function cellOf({ name, kind }: TableColumn, row: number, salt: number): Cell {
  if (name === 'id') return row + 1
  const pick = (row * 7 + salt * 3 + ((row * salt) % 5)) % 11
  if (pick === 0) return null
  const values: { readonly [kind in typeof kind]: readonly Exclude<Cell, null>[] } = {
    int: NUMBERS,
    text: TEXTS,
    json: DOCUMENTS,
  }
  if (name === 'person') return (pick % 9) + 1
  return values[kind][pick % values[kind].length]!
}
