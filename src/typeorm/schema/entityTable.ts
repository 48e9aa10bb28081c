import type { EntityMetadata } from 'typeorm'
import { annotationsOf } from './annotation.js'
import { columnsOf } from './metadata.js'

/** A table, with the entities that describe it. */
export interface EntityTable {
  /** The one that gives the model its name: the one with the most encrypted columns and blind indexes. */
  readonly entity: EntityMetadata
  readonly others: readonly EntityMetadata[]
}

/** The tables of all entities; junction and closure tables are among them. */
export function entityTables(entities: readonly EntityMetadata[]): EntityTable[] {
  const tables = new Map<string, EntityMetadata[]>()
  for (const entity of entities.filter(isTable)) {
    const name = JSON.stringify([entity.schema, entity.tableName])
    tables.set(name, [...(tables.get(name) ?? []), entity])
  }
  return [...tables.values()].map((described) => {
    const [entity, ...others] = described.toSorted((one, other) => markedColumns(other) - markedColumns(one))
    return { entity: entity!, others }
  })
}

/** Children of single-table inheritance have the table of their root. */
function isTable({ tableType }: EntityMetadata): boolean {
  return tableType !== 'view' && tableType !== 'entity-child'
}

function markedColumns(entity: EntityMetadata): number {
  return columnsOf(entity).filter(({ transformer }) => annotationsOf(transformer).length > 0).length
}
