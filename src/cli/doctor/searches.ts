import { indexesFor } from '../../maintenance/postgres/searchPlan.js'
import { type PgConnection, quoteName, runSql, tableName } from '../../maintenance/postgres/sql.js'
import { printable } from '../../printable.js'
import type { BlindIndexSchema, ModelSchema } from '../../schema/encryptionSchema.js'
import { type Check, type Finding, isPrisma, type Severity } from './finding.js'

/** A search by a blind index: its column, and that of the tenant if there is one. */
interface Search {
  readonly database: PgConnection
  readonly model: ModelSchema
  readonly column: string
  readonly tenant: string | undefined
  readonly type: BlindIndexSchema['type']
}

/** Searches by blind indexes for which PostgreSQL can use no index of its own, by EXPLAIN. */
export const slowSearches: Check = async ({ client, schema, database }) => {
  const found: Finding[] = []
  for (const [name, model] of Object.entries(schema.models)) {
    for (const [field, { type }] of Object.entries(model.indexes)) {
      const tenant = model.tenant === undefined ? undefined : model.columns[model.tenant]!
      const finding = await trySearch({ database, model, column: model.columns[field]!, tenant, type })
      if (finding === undefined) continue
      const { severity, next = isPrisma(client) ? forPrisma(name, model, field) : forTypeorm(name, field) } = finding
      found.push({ severity, check: 'blind indexes', what: `${name}.${field} ${finding.what}`, next })
    }
  }
  return found
}

interface Slow {
  readonly severity: Severity
  readonly what: string
  readonly next?: string
}

function forPrisma(name: string, { tenant }: ModelSchema, field: string): string {
  const fields = tenant === undefined ? field : `${tenant}, ${field}`
  return `add @@index([${fields}]) to ${name}, and a migration`
}

/** Searches need not say the tenant there, and then an index that begins with it would not serve. */
function forTypeorm(name: string, field: string): string {
  return `write @Index() beside the @BlindIndex of ${name}.${field}, and have TypeORM generate a migration`
}

/** An index may serve though other columns stand before: those of an equality beside it, which the tenant's mostly is. */
async function trySearch(search: Search): Promise<Slow | undefined> {
  const used = await usedIndexes(search)
  const indexes = await indexesOn(search)
  if (used.length === 0) return unused(indexes)
  const serving = indexes.filter(({ name, valid, predicate }) => used.includes(name) || (valid && predicate === null))
  const others = serving.map(({ before }) => before.filter((column) => column !== search.tenant))
  const [fewest] = others.sort((one, other) => one.length - other.length)
  if (fewest === undefined || fewest.length === 0) return undefined
  const what = `stands in an index behind ${printable(fewest.join(', '))}, so only searches that give that too are quick`
  return { severity: 'hint', what }
}

/** For each of the forms that a search takes. */
async function usedIndexes({ database, model, column, type }: Search): Promise<string[]> {
  const [one, other] = type === 'Bytes' ? [`'\\x00'::bytea`, `'\\x01'::bytea`] : [`'a'`, `'b'`]
  const name = quoteName(column)
  const forms = [`${name} = ${one}`, `${name} IN (${one}, ${other})`]
  const used = await Promise.all(forms.map((form) => indexesFor(database, tableName(model), form)))
  return used.some(({ length }) => length === 0) ? [] : used.flat()
}

interface DatabaseIndex {
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

/** The indexes with the column in them. */
async function indexesOn({ database, model, column }: Search): Promise<DatabaseIndex[]> {
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
function unused(indexes: readonly DatabaseIndex[]): Slow {
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
