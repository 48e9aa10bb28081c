import type { Cell, RowKey, StoredRow } from '../rows/rowSource.js'
import type { CellColumn, PageColumns } from './pageColumns.js'
import type { TextRow } from './sql.js'
import type { TenantSource } from './table.js'

/** Makes rows of what `PageStatements` answer. */
export class RowReader {
  readonly #columns: PageColumns
  readonly #tenant: TenantSource

  constructor(columns: PageColumns, tenant: TenantSource) {
    this.#columns = columns
    this.#tenant = tenant
  }

  key(row: TextRow): RowKey {
    return this.#columns.key.map(({ name }) => row[name]!)
  }

  matchesFilter(row: TextRow): boolean {
    return row.matches === 'true'
  }

  row(row: TextRow): StoredRow {
    const bound: Record<string, string | null> = {}
    for (const { name, field } of this.#columns.bound) bound[field] = row[name]!
    const cells: Record<string, Cell> = {}
    for (const column of this.#columns.cells) cells[column.field] = cellOf(column, row[column.name]!)
    const { row_version: version, row_location: location, row_tenant: tenant } = row
    return {
      key: this.key(row),
      version: version!,
      location: location!,
      tenant: this.#tenantOf(tenant!),
      bound,
      cells,
    }
  }

  #tenantOf(text: string | null): string | null | undefined {
    const source = this.#tenant
    return source.kind === 'column' ? text : source.kind === 'fixed' ? source.tenant : undefined
  }
}

function cellOf({ storage, list }: CellColumn, text: string | null): Cell {
  return storage === 'Bytes' && !list && text !== null ? Buffer.from(text, 'base64') : text
}
