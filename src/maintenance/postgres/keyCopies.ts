import type { CopiedKey, KeyState } from '../../keys/keyStore.js'
import type { Purpose } from '../../keys/kms.js'
import type { EncryptionSchema } from '../../schema/encryptionSchema.js'
import { type PgConnection, quoteName, runSql, tableName } from './sql.js'

const TEXTS = ['id', 'tenant', 'purpose', 'version', 'state', 'wrapped', 'kms', 'kekId', 'messages'] as const
const TIMES = ['createdAt', 'retiredAt', 'destroyedAt'] as const

/** Another table with the columns of the keys table, in its schema unless another is named. */
export interface CopyTable {
  readonly schema?: string | undefined
  readonly table: string
}

/**
 * All rows of the keys table, or of a copy of it, as they were at one moment.
 *
 * @throws FieldsealError `DATABASE_UNAVAILABLE`
 */
export async function readKeys(
  database: PgConnection,
  { keysModel, models }: EncryptionSchema,
  copy?: CopyTable,
): Promise<CopiedKey[]> {
  const { columns, schema, table } = models[keysModel]!
  const column = (name: (typeof TEXTS)[number] | (typeof TIMES)[number]) => quoteName(columns[name]!)
  const select = [
    ...TEXTS.map((name) => `${column(name)} AS ${quoteName(name)}`),
    ...TIMES.map((name) => `extract(epoch FROM ${column(name)}) AS ${quoteName(name)}`),
  ]
  const order = (['tenant', 'purpose', 'version'] as const).map(column)
  const from = tableName(copy ? { schema: copy.schema ?? schema, table: copy.table } : { schema, table })
  const rows = await runSql<(typeof TEXTS)[number] | (typeof TIMES)[number]>(
    database,
    `SELECT ${select} FROM ${from} ORDER BY ${order}`,
  )
  return rows.map((row) => ({
    id: row.id!,
    tenant: row.tenant!,
    purpose: row.purpose as Purpose,
    version: Number(row.version),
    state: row.state as KeyState,
    wrapped: row.wrapped,
    kms: row.kms!,
    kekId: row.kekId!,
    messages: Number(row.messages),
    createdAt: timeOf(row.createdAt)!,
    retiredAt: timeOf(row.retiredAt),
    destroyedAt: timeOf(row.destroyedAt),
  }))
}

function timeOf(epoch: string | null): Date | null {
  return epoch === null ? null : new Date(Math.round(Number(epoch) * 1000))
}
