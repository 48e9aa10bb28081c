import type { EncryptionSchema } from '../../schema/encryptionSchema.js'
import { type PgConnection, tableName } from './sql.js'
import type { KeysTable } from './table.js'
import { readTableFacts } from './tableFacts.js'

/** Where the keys are, for maintenance, which asks the database without Prisma. */
export async function keysTable({ keysModel, models }: EncryptionSchema, database: PgConnection): Promise<KeysTable> {
  const { schema, table, columns } = models[keysModel]!
  const { types } = await readTableFacts(database, tableName({ schema, table }))
  const { id, tenant, version, state } = columns
  return { schema, table, id: id!, idType: types.get(id!)!, tenant: tenant!, version: version!, state: state! }
}
