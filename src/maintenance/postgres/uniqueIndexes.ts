import { type PgConnection, runSql, tableName } from './sql.js'

/** A column, and the table that it is in. */
export interface IndexedColumn {
  readonly schema: string | undefined
  readonly table: string
  readonly column: string
}

/** Unique indexes and exclusion constraints, of all rows or some, over the column itself or what is computed from it. */
const IN_UNIQUE = `
  SELECT w.position::text AS position FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w ("table", "column", position)
  JOIN pg_attribute a ON a.attrelid = to_regclass(w."table") AND a.attname = w."column"
  WHERE EXISTS (
    SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND (i.indisunique OR i.indisexclusion) AND (
      a.attnum = ANY (i.indkey) OR EXISTS (
        SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
          AND d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum)))`

/** Those of the columns that the database keeps unique, by whatever name and way. */
export async function uniquelyIndexed<Column extends IndexedColumn>(
  database: PgConnection,
  columns: readonly Column[],
): Promise<Column[]> {
  const found = await runSql<'position'>(database, IN_UNIQUE, [
    columns.map((one) => tableName(one)),
    columns.map(({ column }) => column),
  ])
  return found.map(({ position }) => columns[Number(position) - 1]!)
}
