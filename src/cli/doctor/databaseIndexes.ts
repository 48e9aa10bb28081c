import { type PgConnection, quoteName, runSql, tableName } from '../../maintenance/postgres/sql.js'
import { printable } from '../../printable.js'
import type { ModelSchema } from '../../schema/encryptionSchema.js'
import type { Severity } from './finding.js'

/** A column that is searched by. */
export interface IndexedColumn {
  readonly database: PgConnection
  readonly model: ModelSchema
  readonly column: string
}

/** An index of PostgreSQL's own. */
export interface DatabaseIndex {
  readonly name: string
  readonly valid: boolean
  /** Made beside rows that others may still see as they were: transactions from before it do not use it. */
  readonly young: boolean
  /** The condition of a partial index. */
  readonly predicate: string | null
  /** Columns before the one that is looked for. */
  readonly before: readonly string[]
  readonly definition: string
}

/** What makes searches slow. */
export interface Slow {
  readonly severity: Severity
  readonly what: string
  readonly next?: string
}

/** The indexes with the column in them. */
export async function indexesOn({ database, model, column }: IndexedColumn): Promise<DatabaseIndex[]> {
  const rows = await runSql<'name' | 'valid' | 'young' | 'predicate' | 'definition' | 'before'>(
    database,
    `SELECT c.relname AS name, (i.indisvalid AND i.indisready)::text AS valid, i.indcheckxmin::text AS young,
       pg_get_expr(i.indpred, i.indrelid) AS predicate, pg_get_indexdef(i.indexrelid) AS definition,
       (SELECT json_agg(b.attname ORDER BY k.n) FROM unnest(i.indkey) WITH ORDINALITY AS k(attnum, n)
        JOIN pg_attribute b ON b.attrelid = i.indrelid AND b.attnum = k.attnum
        WHERE k.n < (SELECT min(n) FROM unnest(i.indkey) WITH ORDINALITY AS o(attnum, n) WHERE o.attnum = a.attnum))::text AS before
     FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
     JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = $2 AND a.attnum = ANY (i.indkey)
     WHERE i.indrelid = to_regclass($1) ORDER BY c.relname`,
    [tableName(model), column],
  )
  return rows.map(({ name, valid, young, predicate, definition, before }) => ({
    name: name!,
    valid: valid === 'true',
    young: young === 'true',
    predicate,
    before: JSON.parse(before ?? '[]'),
    definition: definition!,
  }))
}

/** Why none of them serves. */
export function unused(indexes: readonly DatabaseIndex[]): Slow {
  const [index] = indexes
  if (index === undefined) {
    return { severity: 'risk', what: 'has no index in the database, so each search reads the whole table' }
  }
  const broken = indexes.find(({ valid }) => !valid)
  if (broken) {
    const what = `has the index ${quoteName(broken.name)}, which is invalid: it was not built to its end`
    return { severity: 'risk', what, next: `REINDEX INDEX CONCURRENTLY ${quoteName(broken.name)}` }
  }
  const young = indexes.find((one) => one.young && one.predicate === null)
  if (young) {
    const what = `has the index ${quoteName(young.name)}, which waits for transactions that are older than it`
    return { severity: 'hint', what, next: 'run this again once they have ended; see pg_stat_activity' }
  }
  const partial = indexes.find(({ predicate }) => predicate !== null)
  const what = partial
    ? `has the index ${quoteName(partial.name)} of some rows only, WHERE ${printable(partial.predicate)}, so a search reads the whole table`
    : `has an index that PostgreSQL cannot use for a search (its method, operator class or collation): ${printable(index.definition)}`
  return { severity: 'risk', what }
}
