import type { DataSource, EntityMetadata } from 'typeorm'
import { annotationsOf } from '../schema/annotation.js'
import { isSealed, openSeal, Seal } from './seal.js'

type Column = EntityMetadata['columns'][number]
type Driver = DataSource['driver']
type CreateGeneratedMap = Driver['createGeneratedMap']

/**
 * TypeORM copies JSON deeply before `save` writes it, and what RETURNING gives, and loses the keys that every object
 * inherits (`__proto__`; `toString`, if it holds an object). A seal is copied as the one thing that it is.
 */
export function keepSavedValuesWhole({ entityMetadatas }: DataSource): void {
  const columns = entityMetadatas.flatMap(encryptedColumns)
  for (const column of columns) {
    const { createValueMap } = column
    column.createValueMap = (value, useDatabaseName) =>
      createValueMap.call(column, isCopied(value) ? new Seal(value) : value, useDatabaseName)
  }
}

/** The same for what RETURNING gives, which is not to stay sealed. */
export function keepReturnedValuesWhole({ driver }: DataSource): void {
  const { createGeneratedMap } = driver
  /** Each row comes by here. */
  const known = new WeakMap<EntityMetadata, readonly Column[]>()
  const columnsOf = (entity: EntityMetadata) => {
    const columns = known.get(entity) ?? encryptedColumns(entity)
    known.set(entity, columns)
    return columns
  }
  driver.createGeneratedMap = (...args: Parameters<CreateGeneratedMap>) => {
    const map = createGeneratedMap.apply(driver, args)
    for (const column of map ? columnsOf(args[0]) : []) {
      const value: unknown = column.getEntityValue(map!)
      if (isSealed(value)) column.setEntityValue(map!, openSeal(value))
    }
    return map
  }
}

function encryptedColumns({ columns }: EntityMetadata): Column[] {
  return columns.filter(({ transformer }) => annotationsOf(transformer).some(({ kind }) => kind === 'encrypted'))
}

function isCopied(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !isSealed(value)
}
