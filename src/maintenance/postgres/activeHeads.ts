import { rawHead, textHead } from '../../crypto/ciphertext.js'
import { encodeHeader, FLAG_PADDED, SUITE_AES_256_GCM } from '../../crypto/header.js'
import { type PgConnection, quoteName, runSql, tableName } from './sql.js'
import type { KeysTable } from './table.js'

/** How ciphertexts under the active DEKs begin. */
export interface ActiveHeads {
  readonly dekIds: ReadonlySet<string>
  readonly text: readonly string[]
  /** Of those in Bytes columns, in hexadecimal digits. */
  readonly hex: readonly string[]
}

/** More active DEKs than these are cheaper looked up for each value. */
const MOST = 1_000

/** `null` when there are too many. */
export async function readActiveHeads(database: PgConnection, keys: KeysTable): Promise<ActiveHeads | null> {
  const active = `SELECT ${quoteName(keys.id)} AS id FROM ${tableName(keys)} WHERE ${isActive(keys)} LIMIT ${MOST + 1}`
  const rows = await runSql<'id'>(database, active)
  if (rows.length > MOST) return null
  const dekIds = new Set(rows.map(({ id }) => id!))
  const headers = [...dekIds].flatMap((dekId) =>
    [0, FLAG_PADDED].map((flags) => encodeHeader({ suite: SUITE_AES_256_GCM, flags, dekId })),
  )
  return { dekIds, text: headers.map(textHead), hex: headers.map((header) => rawHead(header).toString('hex')) }
}

/** A condition of SQL on the keys table. */
export function isActive(keys: KeysTable, alias?: string): string {
  const state = quoteName(keys.state)
  return `${alias === undefined ? state : `${alias}.${state}`} = 'active'`
}
