import { createHash } from 'node:crypto'
import type { EncryptedFieldSchema } from '../../schema/encryptionSchema.js'

/** PostgreSQL cuts longer names off. */
const MOST_NAME_BYTES = 63
const PREFIX_HEX = '\\x6673312e'

/**
 * SQL that is true of NULL and of ciphertext.
 *
 * @param column in SQL
 * @param isJsonText the column is of the type json, not jsonb
 */
export function guardCondition(
  column: string,
  { type, list }: Pick<EncryptedFieldSchema, 'type' | 'list'>,
  isJsonText: boolean,
): string {
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

/** The name of a column's CHECK constraint: its own, of which PostgreSQL cuts nothing off, and the same for each ORM. */
export function guardName(table: string, column: string): string {
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
