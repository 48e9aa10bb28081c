import type { DataSource, EntityMetadata } from 'typeorm'
import { FieldsealError, quoted } from '../errors.js'
import { own } from '../own.js'
import { compilePlans } from '../plan/compilePlans.js'
import type { ModelPlan, Plans } from '../plan/plan.js'
import type { EncryptionSchema } from '../schema/encryptionSchema.js'
import { type Catalog, type CatalogColumn, type CatalogTable, isEncrypted } from '../sql/catalog.js'
import { entityTables } from './entityTable.js'
import { columnsOf } from './metadata.js'
import { viewColumnsOf } from './viewColumns.js'

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
  const byName = new Map<string, CatalogTable[]>()
  for (const table of [...tables, ...views]) byName.set(table.name, [...(byName.get(table.name) ?? []), table])
  const encryptedNames = [...byName].flatMap(([name, all]) => (all.some(isEncrypted) ? name : []))
  return {
    encryptedNames,
    find(schema, name) {
      const candidates = meant(byName.get(name) ?? [], schema, searchSchemaOf(dataSource))
      if (candidates.length > 1 && candidates.some(isEncrypted)) throw ambiguous(name, candidates)
      // Of several plain tables it is not known which columns are meant: no more than of one that nobody declared.
      return candidates.length === 1 ? candidates[0] : undefined
    },
  }
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

function tableOf(entity: EntityMetadata, others: readonly EntityMetadata[], plan: ModelPlan): CatalogTable {
  const columns = new Map(Object.entries(plan.columns).map(([field, column]) => [column, columnOf(plan, field)]))
  for (const other of others) {
    for (const { databaseName, propertyPath } of columnsOf(other)) {
      if (!columns.has(databaseName)) columns.set(databaseName, plain(`${other.name}.${propertyPath}`))
    }
  }
  return { schema: schemaOf(entity), name: entity.tableName, plan, columns, isView: false }
}

/** What a view shows besides has the names that it has in the entity: by these a tenant or a bound column is known. */
function viewOf(view: EntityMetadata, plans: Plans): CatalogTable {
  const shown = viewColumnsOf(view)
  const plan = plans.get(shown[0]?.model ?? '') ?? plainPlan(view)
  const columns = columnsOf(view).map((column): [string, CatalogColumn] => {
    const field = shown.find((each) => each.column === column)?.field
    return [column.databaseName, field === undefined ? plain(column.propertyPath) : columnOf(plan, field)]
  })
  return { schema: schemaOf(view), name: view.tableName, plan, columns: new Map(columns), isView: true }
}

/** Of a view that shows nothing encrypted. */
function plainPlan({ name, tableName: table }: EntityMetadata): ModelPlan {
  const nothing = { id: [], uniques: {}, columns: {}, encrypted: {}, indexes: {}, bound: {}, relations: {} }
  const models = { [name]: { table, ...nothing } }
  return compilePlans({ format: 4, keysModel: '', models }, { toDecimal: Object }).get(name)!
}

function schemaOf({ schema }: EntityMetadata): string | undefined {
  return schema || undefined
}

function columnOf({ members }: ModelPlan, field: string): CatalogColumn {
  const member = members.get(field)
  if (member?.kind === 'encrypted') return member
  return member?.kind === 'index' ? member : plain(field)
}

function plain(field: string): CatalogColumn {
  return { kind: 'plain', field }
}

/** Known once the data source has connected. */
function searchSchemaOf({ driver }: DataSource): string | undefined {
  return (driver as { searchSchema?: string }).searchSchema
}

function ambiguous(name: string, candidates: readonly CatalogTable[]): FieldsealError {
  const places = candidates.map(({ schema, plan }) => `${plan.name} (${schema ?? 'no schema'})`).join(', ')
  return new FieldsealError(
    'QUERY_UNSUPPORTED',
    `the table ${quoted(name)} may be that of several entities, ${places}, and one has encrypted columns; write the schema before its name`,
  )
}
