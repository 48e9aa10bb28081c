import { createHash } from 'node:crypto'
import { own } from '../../own.js'
import type { DatamodelModel } from '../../schema/datamodel.js'
import type { EncryptedFieldSchema, EncryptionSchema } from '../../schema/encryptionSchema.js'
import { marker } from './render.js'

/** PostgreSQL cuts longer names off. */
const MOST_NAME_BYTES = 63
const PREFIX_HEX = '\\x6673312e'

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
  const alter = `ALTER TABLE ${[...(model.schema ? [model.schema] : []), table].map(identifier).join('.')}`
  const name = identifier(constraintName(table, column))
  const drop = `${alter} DROP CONSTRAINT IF EXISTS ${name};`
  if (spec.state !== undefined) return [drop]
  const check = guardCondition(identifier(column), spec, nativeType?.[0] === 'Json')
  return [drop, `${alter} ADD CONSTRAINT ${name} CHECK (${check});`]
}

/**
 * SQL that is true of NULL and of ciphertext.
 *
 * @param column in SQL
 * @param isJsonText the column is of the type json, not jsonb
 */
export function guardCondition(column: string, { type, list }: EncryptedFieldSchema, isJsonText: boolean): string {
  if (!list) return begins(column, type, isJsonText)
  const one = `cardinality(${column}) = 1 AND ${begins(`${column}[1]`, type, isJsonText)}`
  return `${column} IS NULL OR cardinality(${column}) = 0 OR COALESCE(${one}, false)`
}

function begins(value: string, type: EncryptedFieldSchema['type'], isJsonText: boolean): string {
  switch (type) {
    case 'String':
      return `${value} LIKE 'fs1.%'`
    case 'Bytes':
      return `substring(${value} FROM 1 FOR 4) = '${PREFIX_HEX}'::bytea`
    case 'Json':
      return `${isJsonText ? 'json' : 'jsonb'}_typeof(${value}) = 'string' AND ${value} #>> '{}' LIKE 'fs1.%'`
  }
}

/** A name of its own for each column, of which PostgreSQL cuts nothing off. */
function constraintName(table: string, column: string): string {
  const whole = `fieldseal_${table}_${column}`
  if (Buffer.byteLength(whole) <= MOST_NAME_BYTES) return whole
  const digest = createHash('sha256').update(`${table}\0${column}`).digest('hex').slice(0, 12)
  return `${cut(whole, MOST_NAME_BYTES - digest.length - 1)}_${digest}`
}

function cut(text: string, bytes: number): string {
  let kept = text
  while (Buffer.byteLength(kept) > bytes) kept = [...kept].slice(0, -1).join('')
  return kept
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
