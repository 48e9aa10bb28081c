import type { DataSource, EntityMetadata } from 'typeorm'
import { own } from '../own.js'
import { plainPlan } from '../plan/plainPlan.js'
import type { ModelPlan, Plans } from '../plan/plan.js'
import type { EncryptionSchema } from '../schema/encryptionSchema.js'
import { type Catalog, type CatalogColumn, type CatalogTable, columnOf, plainColumn } from '../sql/catalog.js'
import { tableCatalog } from '../sql/tableCatalog.js'
import { entityTables } from './schema/entityTable.js'
import { columnsOf } from './schema/metadata.js'
import { viewColumnsOf } from './schema/viewColumns.js'

/**
 * What the entities of a data source say of the tables and views of its database.
 *
 * @param schema of the same data source
 * @param plans of clients that may read everything
 */
export function catalogOf(dataSource: DataSource, schema: EncryptionSchema, plans: Plans): Catalog {
  const { entityMetadatas: entities } = dataSource
  const tables = entityTables(entities).flatMap(({ entity, others }) => {
    const { schema: given, table } = own(schema.models, entity.name) ?? {}
    if (given !== schemaOf(entity) || table !== entity.tableName) return []
    return tableOf(entity, others, plans.get(entity.name)!)
  })
  const views = entities.filter(({ tableType }) => tableType === 'view').map((view) => viewOf(view, plans))
  return tableCatalog([...tables, ...views], () => searchSchemaOf(dataSource))
}

function tableOf(entity: EntityMetadata, others: readonly EntityMetadata[], plan: ModelPlan): CatalogTable {
  const columns = new Map(Object.entries(plan.columns).map(([field, column]) => [column, columnOf(plan, field)]))
  for (const other of others) {
    for (const { databaseName, propertyPath } of columnsOf(other)) {
      if (!columns.has(databaseName)) columns.set(databaseName, plainColumn(`${other.name}.${propertyPath}`))
    }
  }
  return { schema: schemaOf(entity), name: entity.tableName, plan, columns, isView: false }
}

/** What a view shows besides has the names that it has in the entity: by these a tenant or a bound column is known. */
function viewOf(view: EntityMetadata, plans: Plans): CatalogTable {
  const shown = viewColumnsOf(view)
  const plan = plans.get(shown[0]?.model ?? '') ?? plainPlan(view.name, view.tableName)
  const columns = columnsOf(view).map((column): [string, CatalogColumn] => {
    const field = shown.find((each) => each.column === column)?.field
    return [column.databaseName, field === undefined ? plainColumn(column.propertyPath) : columnOf(plan, field)]
  })
  return { schema: schemaOf(view), name: view.tableName, plan, columns: new Map(columns), isView: true }
}

function schemaOf({ schema }: EntityMetadata): string | undefined {
  return schema || undefined
}

/** Known once the data source has connected. */
function searchSchemaOf({ driver }: DataSource): string | undefined {
  return (driver as { searchSchema?: string }).searchSchema
}
