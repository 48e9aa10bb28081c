import { FieldsealError } from '../../errors.js'
import { type PgConnection, runSql } from './sql.js'

/** What the database itself says of a table. */
export interface TableFacts {
  /** The columns of the primary key, or else of another unique index that no NULL gets by, in order. */
  readonly key: readonly string[]
  /** The types of all columns, as a cast names them. */
  readonly types: ReadonlyMap<string, string>
  /** Columns of unique indexes: changing them locks out foreign-key checks. */
  readonly unique: ReadonlySet<string>
}

const TYPES = `
  SELECT attname AS name, format_type(atttypid, -1) AS type
  FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped`

/** The primary key first, then the shortest. */
const UNIQUES = `
  SELECT a.attname AS name, (i.indpred IS NULL AND i.indimmediate AND bool_and(a.attnotnull) OVER (PARTITION BY i.indexrelid))::text AS usable,
    i.indexrelid::text AS index
  FROM pg_index i
  CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, position)
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
  WHERE i.indrelid = to_regclass($1) AND i.indisunique AND i.indisvalid AND i.indexprs IS NULL AND k.position <= i.indnkeyatts
  ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid, k.position`

/**
 * Asks the catalogue about a table.
 *
 * @param table its name in SQL
 * @throws FieldsealError `DATABASE_UNAVAILABLE`; `OPTIONS_INVALID` for a table without a key to page by
 */
export async function readTableFacts(database: PgConnection, table: string): Promise<TableFacts> {
  const [columns, uniques] = await Promise.all([
    runSql<'name' | 'type'>(database, TYPES, [table]),
    runSql<'name' | 'usable' | 'index'>(database, UNIQUES, [table]),
  ])
  if (columns.length === 0) {
    const message = `there is no table ${table} in this database: apply your migrations, and look at the database and schema of your configuration`
    throw new FieldsealError('DATABASE_UNAVAILABLE', message)
  }
  const first = uniques.find(({ usable }) => usable === 'true')?.index
  if (first === undefined) {
    throw new FieldsealError(
      'OPTIONS_INVALID',
      `the table ${table} has no primary key, so its rows cannot be told apart`,
    )
  }
  return {
    key: uniques.filter(({ index }) => index === first).map(({ name }) => name!),
    types: new Map(columns.map(({ name, type }) => [name!, type!])),
    unique: new Set(uniques.map(({ name }) => name!)),
  }
}
