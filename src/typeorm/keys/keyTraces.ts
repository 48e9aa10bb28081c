import type { DataSource } from 'typeorm'
import type { FindCiphertext } from '../../keys/ciphertextTraces.js'
import type { KeyTraces } from '../../keys/keyTraces.js'
import {
  type FindRow,
  type IndexedModel,
  type TenantRows,
  tableKeyTraces,
  tracesUnavailable,
} from '../../keys/tableKeyTraces.js'
import { ciphertextStatement, fieldFound, foundByCode, isNowhere } from '../../maintenance/postgres/ciphertextSearch.js'
import { quoteName, tableName } from '../../maintenance/postgres/sql.js'
import type { EncryptionSchema } from '../../schema/encryptionSchema.js'
import { codeOf } from './keyStore.js'
import { inTransaction, poolOf, runText } from './pool.js'

/** Looks into the tables over the data source's own pool, as `typeormKeyStore` does. */
export function typeormKeyTraces(dataSource: DataSource, schema: EncryptionSchema): KeyTraces {
  const pool = () => poolOf(dataSource) ?? notInitialized()
  const findRow: FindRow = async (indexed, whose) => {
    try {
      const { text, values } = statement(indexed, whose)
      const [row] = (await runText(pool(), text, values)).rows
      return row === undefined
        ? null
        : Object.fromEntries([...indexed.columns, ...indexed.lists].map((field, i) => [field, row[i]]))
    } catch (cause) {
      if (isNowhere(codeOf(cause))) return null
      throw tracesUnavailable(indexed.model, cause)
    }
  }
  const findCiphertext: FindCiphertext = async (encrypted, whose, milliseconds) => {
    try {
      const { text, values } = ciphertextStatement(encrypted, whose)
      const [row] = await inTransaction(pool(), async (connection) => {
        await runText(connection, `SET LOCAL statement_timeout = ${milliseconds}`, [])
        return (await runText(connection, text, values)).rows
      })
      return row === undefined ? null : fieldFound(encrypted, row[0])
    } catch (cause) {
      const found = foundByCode(codeOf(cause))
      if (found !== undefined) return found
      throw tracesUnavailable(encrypted.model, cause)
    }
  }
  return tableKeyTraces(schema, { findRow, findCiphertext })
}

function notInitialized(): never {
  throw new Error('the data source is not initialized, or was destroyed')
}

function statement(
  { schema, columns, lists }: IndexedModel,
  whose: TenantRows,
): { text: string; values: readonly unknown[] } {
  const name = (field: string) => quoteName(schema.columns[field]!)
  const filled = [
    ...columns.map((field) => `${name(field)} IS NOT NULL`),
    ...lists.map((field) => `cardinality(${name(field)}) > 0`),
  ].join(' OR ')
  const { condition, values } = conditionOf(whose, name)
  const text = `SELECT ${[...columns, ...lists].map(name)} FROM ${tableName(schema)} WHERE (${condition}) AND (${filled}) LIMIT 1`
  return { text, values }
}

function conditionOf(whose: TenantRows, name: (field: string) => string): { condition: string; values: unknown[] } {
  if (whose.kind === 'all') return { condition: 'true', values: [] }
  if (whose.kind === 'column') return { condition: `${name(whose.field)} = $1`, values: [whose.tenant] }
  // Base64url has one character that LIKE would take for a pattern.
  const patterns = whose.heads.map((head) => `${head.replaceAll('_', '\\_')}%`)
  return { condition: whose.fields.map((field) => `${name(field)} LIKE ANY($1)`).join(' OR '), values: [patterns] }
}
