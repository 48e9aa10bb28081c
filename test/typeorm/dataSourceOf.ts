import { DataSource, type DataSourceOptions } from 'typeorm'
import type { EncryptionSchema } from '../../src/schema/encryptionSchema.js'
import { loadParser } from '../../src/sql/parser.js'
import { encryptionSchemaOf } from '../../src/typeorm/schema/encryptionSchemaOf.js'

type Options = Partial<Extract<DataSourceOptions, { type: 'postgres' }>>

/** A data source with the metadata of its entities, that is not connected. */
export async function dataSourceOf(entities: NonNullable<Options['entities']>, options: Options = {}) {
  const dataSource = new DataSource({ type: 'postgres', ...options, entities })
  await loadParser()
  await (dataSource as unknown as { buildMetadatas(): Promise<void> }).buildMetadatas()
  return dataSource
}

export async function schemaOf(
  entities: NonNullable<Options['entities']>,
  options?: Options,
): Promise<EncryptionSchema> {
  return encryptionSchemaOf(await dataSourceOf(entities, options))
}

/** The problems that entities have, a line each. */
export async function problemsOf(entities: NonNullable<Options['entities']>, options?: Options): Promise<string[]> {
  try {
    await schemaOf(entities, options)
    return []
  } catch (error) {
    const { code, message } = error as { code?: unknown; message: string }
    if (code !== 'SCHEMA_INVALID') throw error
    return message
      .split('\n')
      .filter((line) => line.startsWith('  '))
      .map((line) => line.trim())
  }
}
