import { compilePlans } from '../../../src/plan/compilePlans.js'
import type { Plans } from '../../../src/plan/plan.js'
import type { EncryptionSchema } from '../../../src/schema/encryptionSchema.js'
import { type Catalog, type CatalogColumn, type CatalogTable, isEncrypted } from '../../../src/sql/catalog.js'

export const plansOf = (schema: EncryptionSchema): Plans =>
  compilePlans(schema, { toDecimal: (text) => text as unknown as object })

/** The catalog of a schema whose tables are all in `public`. */
export function catalogOfSchema(schema: EncryptionSchema, plans: Plans): Catalog {
  const tables = new Map<string, CatalogTable>()
  for (const [model, { table, columns }] of Object.entries(schema.models)) {
    const plan = plans.get(model)!
    const entries = Object.entries(columns).map(([field, column]): [string, CatalogColumn] => {
      const member = plan.members.get(field)
      return [column, member && member.kind !== 'relation' ? member : { kind: 'plain', field }]
    })
    tables.set(table, { schema: 'public', name: table, plan, columns: new Map(entries), isView: false })
  }
  const encryptedNames = [...tables].flatMap(([name, table]) => (isEncrypted(table) ? name : []))
  return { encryptedNames, find: (_, name) => tables.get(name) }
}
