import { quoteName, tableName } from './sql.js'
import type { MaintainedTable } from './table.js'

/**
 * How many values PostgreSQL keeps statistics of in a column of tokens, at least. With its default of 100 it takes a rare
 * token for a frequent one, and looks for a few rows by walking through all of them in the order that they are wanted in.
 */
export const TOKEN_STATISTICS = 1_000

type Table = Pick<MaintainedTable, 'schema' | 'table'>

/** The index that searches by tokens need, with new entries in their place at once: a list of them is read by each search. */
export function createTokenIndex(table: Table, column: string): string {
  return `CREATE INDEX CONCURRENTLY ON ${tableName(table)} USING gin (${quoteName(column)}) WITH (fastupdate = off)`
}

/** Has a GIN index put new entries in their place at once, and those that wait, now. */
export function endFastUpdate(schema: string | undefined, index: string): string {
  const name = tableName({ schema, table: index })
  return `ALTER INDEX ${name} SET (fastupdate = off); SELECT gin_clean_pending_list('${name.replaceAll("'", "''")}')`
}

export function raiseStatistics(table: Table, column: string): string {
  const [name, target] = [tableName(table), quoteName(column)]
  return `ALTER TABLE ${name} ALTER COLUMN ${target} SET STATISTICS ${TOKEN_STATISTICS}; ANALYZE ${name} (${target})`
}
