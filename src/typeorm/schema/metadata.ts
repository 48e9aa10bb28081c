import type { EntityMetadata } from 'typeorm'

/** Classes of TypeORM's that it does not export. */
export type ColumnMetadata = EntityMetadata['columns'][number]
export type RelationMetadata = EntityMetadata['relations'][number]
export type ForeignKeyMetadata = EntityMetadata['foreignKeys'][number]

/** The columns that are in the table or view. */
export function columnsOf({ columns }: EntityMetadata): ColumnMetadata[] {
  return columns.filter(({ isVirtualProperty }) => !isVirtualProperty)
}

export function pathsOf(columns: readonly ColumnMetadata[]): string[] {
  return columns.map(({ propertyPath }) => propertyPath)
}

/** The entity that has the table: of single-table inheritance, the root. */
export function rootOf(entity: EntityMetadata): EntityMetadata {
  return entity.tableType === 'entity-child' ? entity.parentEntityMetadata : entity
}
