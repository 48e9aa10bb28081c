import { type EntityMetadata, EntitySchema, getMetadataArgsStorage } from 'typeorm'
import { type Annotation, annotationsOf } from './annotation.js'
import { columnsDeclaredIn, lineage } from './declarations.js'

/** What is said of a column where it is written down, whether TypeORM goes by it or not. */
export interface WrittenColumn {
  readonly marks: readonly Annotation[]
  /** By a decorator of ours. */
  readonly isDeclared: boolean
}

/** What a class says of its columns, by decorators or in an `EntitySchema`, and those that it extends as far as it does not. */
export function writtenColumns(owner: unknown, entity: EntityMetadata): Map<string, WrittenColumn> {
  const written = new Map<string, WrittenColumn>()
  // An `EntitySchema` without a class stands alone.
  if (typeof owner !== 'function') return written
  for (const each of lineage(owner)) {
    for (const [property, column] of writtenOf(each, entity)) {
      if (!written.has(property)) written.set(property, column)
    }
  }
  return written
}

/** What it says of encryption. */
export function marksOf(transformer: Parameters<typeof annotationsOf>[0]): Annotation[] {
  return annotationsOf(transformer).filter(({ kind }) => kind !== 'tenant')
}

function* writtenOf(owner: object, entity: EntityMetadata): Generator<[property: string, WrittenColumn]> {
  const declared = columnsDeclaredIn(owner)
  for (const [property, { annotation }] of declared) yield [property, { marks: [annotation], isDeclared: true }]
  for (const { target, propertyName, options } of getMetadataArgsStorage().columns) {
    if (target === owner && !declared.has(propertyName))
      yield [propertyName, { marks: marksOf(options.transformer), isDeclared: false }]
  }
  for (const { target, columns } of schemasOf(entity)) {
    if (target !== owner) continue
    for (const [property, column] of Object.entries(columns))
      yield [property, { marks: marksOf(column?.transformer), isDeclared: false }]
  }
}

function schemasOf(entity: EntityMetadata): EntitySchema['options'][] {
  const { entities = [] } = (entity.dataSource ?? entity.connection).options
  return Object.values(entities as object).flatMap((each) => (each instanceof EntitySchema ? each.options : []))
}
