import { guardCondition, guardName } from '../../maintenance/postgres/guards.js'
import { quoteName, tableName } from '../../maintenance/postgres/sql.js'
import { own } from '../../own.js'
import type { DatamodelModel } from '../../schema/datamodel.js'
import type { EncryptedFieldSchema, EncryptionSchema } from '../../schema/encryptionSchema.js'
import { marker } from './render.js'

const NOTICE = [
  `-- ${marker}`,
  '-- Apply it after the tables are there and hold no plaintext, and again whenever it changes:',
  '--   npx prisma db execute --file <this file>',
]

/**
 * SQL that lets no tool put plaintext into encrypted columns. It may be run again and again. Fields that are `migrating`
 * or `ejecting` lose their guard.
 *
 * @param models the data model, which knows of database schemas and native types
 */
export function renderGuards({ models: encrypted }: EncryptionSchema, models: readonly DatamodelModel[]): string {
  const statements = models.flatMap((model) =>
    Object.entries(own(encrypted, model.name)?.encrypted ?? {}).flatMap(([field, spec]) => guard(model, field, spec)),
  )
  return `${[...NOTICE, '', ...statements].join('\n')}\n`
}

function guard(model: DatamodelModel, field: string, spec: EncryptedFieldSchema): string[] {
  const { dbName, nativeType } = model.fields.find(({ name }) => name === field)!
  const column = dbName ?? field
  const table = model.dbName ?? model.name
  const alter = `ALTER TABLE ${tableName({ schema: model.schema || undefined, table })}`
  const name = quoteName(guardName(table, column))
  const drop = `${alter} DROP CONSTRAINT IF EXISTS ${name};`
  if (spec.state !== undefined) return [drop]
  const check = guardCondition(quoteName(column), spec, nativeType?.[0] === 'Json')
  return [drop, `${alter} ADD CONSTRAINT ${name} CHECK (${check});`]
}
