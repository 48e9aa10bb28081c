import type { Cell } from '../rows/rowSource.js'
import { holdsCiphertext, holdsFormer, isSet } from './rowFilter.js'
import { type PgConnection, quoteName, runSql, tableName } from './sql.js'
import type { MaintainedColumn, MaintainedTable } from './table.js'

export interface FormerCellsOptions {
  readonly table: MaintainedTable
  readonly column: MaintainedColumn
  /** What the other library's ciphertexts begin with. */
  readonly prefix?: string
  readonly limit: number
}

/** Some of the values in a column that another library has encrypted. */
export async function formerCells(
  database: PgConnection,
  { table, column, prefix, limit }: FormerCellsOptions,
): Promise<Cell[]> {
  const isBytes = column.storage === 'Bytes'
  const value = `t.${quoteName(column.column)}`
  const text = `SELECT ${isBytes ? `encode(${value}, 'base64')` : `${value}::text`} AS value FROM ${tableName(table)} t
    WHERE ${isSet(column)} AND (${holdsCiphertext(column)}) IS NOT TRUE AND ${holdsFormer(column, prefix)} LIMIT ${limit}`
  const rows = await runSql<'value'>(database, text, [])
  return rows.map(({ value }) => (isBytes ? Buffer.from(value!, 'base64') : value))
}
