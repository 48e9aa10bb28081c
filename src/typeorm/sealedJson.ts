import type { DataSource } from 'typeorm'
import { annotationsOf } from './annotation.js'

type Prepare = DataSource['driver']['preparePersistentValue']
type Column = Parameters<Prepare>[1]

/** TypeORM writes what goes into columns of JSON as a text, which of a seal would be all that is left. */
export function keepSealsInJson({ driver }: DataSource): void {
  const prepare: Prepare = driver.preparePersistentValue
  driver.preparePersistentValue = (value, column) =>
    prepare.call(driver, value, isEncrypted(column) ? asText(column) : column)
}

function isEncrypted({ transformer }: Column): boolean {
  return annotationsOf(transformer).some(({ kind }) => kind === 'encrypted')
}

function asText(column: Column): Column {
  return Object.create(column, { type: { value: 'text' } })
}
