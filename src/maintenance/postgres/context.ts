import type { MaintainedModel } from '../rows/model.js'
import type { Operation } from '../rows/operation.js'
import type { ActiveHeads } from './activeHeads.js'
import { type PgConnection, quoteName, tableName } from './sql.js'
import type { KeysTable, MaintainedTable } from './table.js'
import type { TableFacts } from './tableFacts.js'

/** What an operation wants of a table. */
export interface RowSourceOptions {
  readonly database: PgConnection
  readonly operation: Operation
  readonly model: MaintainedModel
  readonly table: MaintainedTable
  readonly keys: KeysTable
  /** Only the rows of this tenant. */
  readonly tenant: string | undefined
}

export interface RowSourceContext extends RowSourceOptions {
  readonly facts: TableFacts
  readonly activeHeads: ActiveHeads | null
}

/** The type of a column, as a cast names it. */
export function typeOf({ facts, table }: RowSourceContext, column: string): string {
  const type = facts.types.get(column)
  if (type === undefined) throw new TypeError(`${tableName(table)} has no column ${quoteName(column)}`)
  return type
}
