import type { CiphertextFound, EncryptedModel, RowsOfTenant } from '../../keys/ciphertextTraces.js'
import type { SkipReason } from '../../keys/keyTraces.js'
import { dekIdOf, isOfKms } from './rowFilter.js'
import { quoteName, type Statement, tableName } from './sql.js'

/** Finds one row that has a ciphertext under a DEK; `found` is the place of its field in `fields`, as text. */
export function ciphertextStatement({ schema, fields }: EncryptedModel, whose: RowsOfTenant): Statement {
  const { columns, encrypted } = schema
  const conditions = fields.map((field) => {
    const { type: storage, list } = encrypted[field]!
    const column = { column: columns[field]!, storage, list: list === true }
    return `((${dekIdOf(column)}) IS NOT NULL AND NOT ${isOfKms(column)})`
  })
  const cases = conditions.map((condition, i) => `WHEN ${condition} THEN '${i}'`)
  const owned = whose.kind === 'all' ? '' : `t.${quoteName(columns[whose.field]!)} = $1 AND `
  return {
    text: `SELECT CASE ${cases.join(' ')} END AS found FROM ${tableName(schema)} t WHERE ${owned}(${conditions.join(' OR ')}) LIMIT 1`,
    values: whose.kind === 'all' ? [] : [whose.tenant],
  }
}

export function fieldFound({ fields }: EncryptedModel, found: string | null | undefined): CiphertextFound {
  return { field: fields[Number(found)]! }
}

/** No such schema, table or column, or a tenant id that the column's type cannot hold. */
const NOWHERE: ReadonlySet<string> = new Set(['3F000', '42P01', '42703', '22P02', '22003'])

/** Whether PostgreSQL's error code says that there cannot be such a row. */
export function isNowhere(code: string): boolean {
  return NOWHERE.has(code)
}

const SKIPPED: ReadonlyMap<string, SkipReason> = new Map([
  ['57014', 'time'],
  ['42501', 'rights'],
])

/**
 * What a look that failed has found, by PostgreSQL's error code: query_canceled, insufficient_privilege; `undefined` where
 * the failure is another.
 */
export function foundByCode(code: string): CiphertextFound | undefined {
  if (isNowhere(code)) return null
  const skipped = SKIPPED.get(code)
  return skipped && { skipped }
}
