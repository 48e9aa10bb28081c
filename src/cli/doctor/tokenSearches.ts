import { indexesFor } from '../../maintenance/postgres/searchPlan.js'
import { quoteName, runSql, tableName } from '../../maintenance/postgres/sql.js'
import {
  createTokenIndex,
  endFastUpdate,
  raiseStatistics,
  TOKEN_STATISTICS,
} from '../../maintenance/postgres/tokenColumns.js'
import { count } from '../terminal.js'
import { type IndexedColumn, indexesOn, type Slow, unused } from './databaseIndexes.js'
import type { Check, Finding } from './finding.js'

/** A list of entries up to this many pages is read in no time. */
const PENDING = 16
/** As good as any other. */
const TOKEN = `ARRAY['00000000-0000-0000-0000-000000000000']::uuid[]`

/** What makes searches by text and range indexes slow: no GIN index, one with a list of new entries, few statistics. */
export const slowTokenSearches: Check = async ({ schema, database }) => {
  const found: Finding[] = []
  for (const [name, model] of Object.entries(schema.models)) {
    for (const field of Object.keys(model.tokenIndexes ?? {})) {
      const search = { database, model, column: model.columns[field]! }
      for (const slow of [...(await slowIndexes(search)), ...(await fewStatistics(search))]) {
        const next = slow.next ?? createTokenIndex(model, search.column)
        found.push({ severity: slow.severity, check: 'token indexes', what: `${name}.${field} ${slow.what}`, next })
      }
    }
  }
  return found
}

async function slowIndexes(search: IndexedColumn): Promise<Slow[]> {
  const used = await usedIndexes(search)
  if (used.length === 0) return [unused(await indexesOn(search))]
  return pendingEntries(search, [...new Set(used)])
}

/** For each of the forms that a search takes. */
async function usedIndexes({ database, model, column }: IndexedColumn): Promise<string[]> {
  const forms = ['&&', '@>'].map((operator) => `${quoteName(column)} ${operator} ${TOKEN}`)
  const used = await Promise.all(forms.map((form) => indexesFor(database, tableName(model), form)))
  return used.some(({ length }) => length === 0) ? [] : used.flat()
}

/** Of indexes that do not put new entries in their place at once. */
async function pendingEntries({ database, model }: IndexedColumn, names: readonly string[]): Promise<Slow[]> {
  const rows = await runSql<'oid' | 'schema' | 'name' | 'waits'>(
    database,
    `SELECT c.oid::text, n.nspname AS schema, c.relname AS name,
       coalesce((SELECT option_value::boolean FROM pg_options_to_table(c.reloptions) WHERE option_name = 'fastupdate'), true)::text AS waits
     FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
     JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE i.indrelid = to_regclass($1) AND c.relname = ANY ($2::text[]) AND c.relkind = 'i' AND m.amname = 'gin' ORDER BY c.relname`,
    [tableName(model), names],
  )
  const slow: Slow[] = []
  for (const { oid, schema, name, waits } of rows) {
    const pages = await pendingPages(database, oid!)
    const many = pages !== undefined && pages > PENDING
    if (waits !== 'true' && !many) continue
    const list = many ? `, and ${count(pages)} pages of it wait now` : ''
    const what = `has the index ${quoteName(name!)}, whose new entries are in a list that each search reads (fastupdate)${list}`
    slow.push({ severity: many ? 'risk' : 'hint', what, next: endFastUpdate(schema!, name!) })
  }
  return slow
}

/** Only the extension pgstattuple tells, to those who may use it. */
async function pendingPages(database: IndexedColumn['database'], index: string): Promise<number | undefined> {
  const [found] = await runSql<'name'>(
    database,
    `SELECT p.oid::regproc::text AS name FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
     JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'pgstattuple'
     WHERE p.proname = 'pgstatginindex' AND has_function_privilege(p.oid, 'EXECUTE')
       AND has_schema_privilege(p.pronamespace, 'USAGE')`,
    [],
  )
  if (found === undefined) return undefined
  const [row] = await runSql<'pages'>(
    database,
    `SELECT pending_pages::text AS pages FROM ${found.name}($1::oid::regclass)`,
    [index],
  )
  return Number(row!.pages)
}

async function fewStatistics({ database, model, column }: IndexedColumn): Promise<Slow[]> {
  const [row] = await runSql<'target'>(
    database,
    `SELECT CASE WHEN coalesce(attstattarget, -1) < 0 THEN current_setting('default_statistics_target')::int
       ELSE attstattarget END::text AS target
     FROM pg_attribute WHERE attrelid = to_regclass($1) AND attname = $2`,
    [tableName(model), column],
  )
  const target = Number(row?.target)
  if (!(target < TOKEN_STATISTICS)) return []
  const what = `has statistics of ${count(target)} values, so PostgreSQL may misjudge how many rows have a token, and read them all to find a few`
  return [{ severity: 'risk', what, next: raiseStatistics(model, column) }]
}
