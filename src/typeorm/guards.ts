import type { DataSource, EntityMetadata } from 'typeorm'
import { guardCondition, guardName } from '../maintenance/postgres/guards.js'
import { quoteName } from '../maintenance/postgres/sql.js'
import { own } from '../own.js'
import type { EncryptionSchema, ModelSchema } from '../schema/encryptionSchema.js'
import { entityTables } from './schema/entityTable.js'

type Check = EntityMetadata['checks'][number]

/**
 * Gives the entities a CHECK for each encrypted column, as `@Check` would: TypeORM's schema builder makes constraints of
 * them and takes away those that no entity has. Columns that are `migrating` or `ejecting` have none.
 */
export function addGuards({ entityMetadatas }: DataSource, { models }: EncryptionSchema): void {
  for (const { entity, others } of entityTables(entityMetadatas)) {
    const model = own(models, entity.name)
    // Of two entities with one name the model is that of one.
    if (model?.table !== entity.tableName || model.schema !== (entity.schema || undefined)) continue
    for (const described of [entity, ...others]) guard(described, model)
  }
}

function guard(entity: EntityMetadata, { table, columns, encrypted }: ModelSchema): void {
  const { checks } = entity
  for (const [field, spec] of Object.entries(encrypted)) {
    const name = guardName(table, columns[field]!)
    if (spec.state !== undefined || checks.some((check) => check.name === name)) continue
    checks.push(checkOf(entity, name, guardCondition(quoteName(columns[field]!), spec, false)))
  }
}

/** TypeORM keeps the class of its own to itself. */
function checkOf(entityMetadata: EntityMetadata, name: string, expression: string): Check {
  const check: Check = {
    entityMetadata,
    target: entityMetadata.target,
    name,
    givenName: name,
    expression,
    build: () => check,
  }
  return check
}
