import type { Plans } from '../plan/plan.js'
import type { EncryptionSchema } from '../schema/encryptionSchema.js'
import { type Catalog, type CatalogColumn, type CatalogTable, columnOf } from './catalog.js'
import { tableCatalog } from './tableCatalog.js'

/** The tables of the models of a schema, where nothing else is declared. */
export function schemaCatalog({ models }: EncryptionSchema, plans: Plans): Catalog {
  const tables = Object.entries(models).map(([model, { schema, table, columns }]): CatalogTable => {
    const plan = plans.get(model)!
    const entries = Object.entries(columns).map(([field, column]): [string, CatalogColumn] => {
      return [column, columnOf(plan, field)]
    })
    return { schema, name: table, plan, columns: new Map(entries), isView: false }
  })
  return tableCatalog(tables, () => undefined)
}
