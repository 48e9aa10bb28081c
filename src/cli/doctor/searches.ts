import { indexesFor } from '../../maintenance/postgres/searchPlan.js'
import { quoteName, tableName } from '../../maintenance/postgres/sql.js'
import { printable } from '../../printable.js'
import type { BlindIndexSchema, ModelSchema } from '../../schema/encryptionSchema.js'
import { type IndexedColumn, indexesOn, type Slow, unused } from './databaseIndexes.js'
import { type Check, type Finding, isPrisma } from './finding.js'

/** A search by a blind index: its column, and that of the tenant if there is one. */
interface Search extends IndexedColumn {
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
