import type { DataSource } from 'typeorm'
import { annotationsOf } from '../schema/annotation.js'

type Prepare = DataSource['driver']['preparePersistentValue']
type Column = Parameters<Prepare>[1]

/** TypeORM writes what goes into columns of JSON as a text, which of a seal would be all that is left. */
export function keepSealsInJson({ driver }: DataSource): void {
  const prepare: Prepare = driver.preparePersistentValue
  /** Each value of each row comes by here. */
  const known = new WeakMap<Column, Column>()
  driver.preparePersistentValue = (value, column) => {
    let prepared = known.get(column)
    if (prepared === undefined) {
      prepared = isEncrypted(column) ? asText(column) : column
      known.set(column, prepared)
    }
    return prepare.call(driver, value, prepared)
  }
}

function isEncrypted({ transformer }: Column): boolean {
  return annotationsOf(transformer).some(({ kind }) => kind === 'encrypted')
}

function asText(column: Column): Column {
  return column.type === 'text' ? column : Object.create(column, { type: { value: 'text' } })
}
