import { quoted } from '../errors.js'
import { type Catalog, type CatalogTable, isEncrypted } from './catalog.js'
import { unsupported } from './refusals.js'

/**
 * A catalog of these tables.
 *
 * @param searchSchema the schema that connections begin with, as soon as that is known
 */
export function tableCatalog(tables: readonly CatalogTable[], searchSchema: () => string | undefined): Catalog {
  const byName = new Map<string, CatalogTable[]>()
  for (const table of tables) byName.set(table.name, [...(byName.get(table.name) ?? []), table])
  return {
    tables,
    encryptedNames: [...byName].flatMap(([name, all]) => (all.some(isEncrypted) ? name : [])),
    find(schema, name) {
      const candidates = meant(byName.get(name) ?? [], schema, searchSchema())
      if (candidates.length > 1 && candidates.some(isEncrypted)) throw ambiguous(name, candidates)
      // Of several plain tables it is not known which columns are meant: no more than of one that nobody declared.
      return candidates.length === 1 ? candidates[0] : undefined
    },
    with(others) {
      const replaced = new Set(others.map(placeOf))
      return tableCatalog([...tables.filter((table) => !replaced.has(placeOf(table))), ...others], searchSchema)
    },
  }
}

function placeOf({ schema, name }: CatalogTable): string {
  return JSON.stringify([schema, name])
}

/**
 * The tables that a name may mean. A table without schema is where the search path leads, so it may be in any; a name
 * without schema means one of these, or what is in the schema that the connection began with.
 */
function meant(
  tables: readonly CatalogTable[],
  schema: string | undefined,
  searchSchema: string | undefined,
): readonly CatalogTable[] {
  const isIn = (schemas: readonly (string | undefined)[]) => tables.filter((table) => schemas.includes(table.schema))
  const steps =
    schema === undefined
      ? [isIn([undefined, ...(searchSchema === undefined ? [] : [searchSchema])]), tables]
      : [isIn([schema]), isIn([undefined])]
  return steps.find((step) => step.length > 0) ?? []
}

function ambiguous(name: string, candidates: readonly CatalogTable[]): Error {
  const places = candidates.map(({ schema, plan }) => `${plan.name} (${schema ?? 'no schema'})`).join(', ')
  return unsupported(
    `the table ${quoted(name)} may be that of several entities, ${places}, and one has encrypted columns; write the schema before its name`,
  )
}
