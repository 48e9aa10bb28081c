import { type KeyRow, openDek } from './decryptor.mjs'

/** A row of the keys table with what tells the rows of a tenant apart. */
interface StoredRow extends KeyRow {
  readonly version: number
}

/** The keys of a database, found and opened as docs/format.md says. */
export interface OpenedKeys {
  /** Of the DEK that a ciphertext names. */
  of(dekId: string): { readonly dek: Buffer; readonly tenant: string }
  /** The DEK of a tenant's blind indexes. */
  ofIndexes(tenant: string): Buffer
}

/** @param keks those of `localKms` */
export async function readKeysTable(
  sql: (text: string) => Promise<{ readonly [column: string]: unknown }[]>,
  keks: readonly Uint8Array[],
): Promise<OpenedKeys> {
  const rows = (await sql('SELECT * FROM "EncryptionKey"')) as unknown as StoredRow[]
  const rowOf = (id: string) => rows.find((row) => row.id === id)!
  const open = (row: KeyRow) => openDek(row, { keks, intermediate: rowOf })
  return {
    of: (dekId) => ({ dek: open(rowOf(dekId)), tenant: rowOf(dekId).tenant }),
    ofIndexes: (tenant) => {
      const own = rows.filter((row) => row.tenant === tenant && row.purpose === 'index')
      return open(own.toSorted((one, other) => other.version - one.version)[0]!)
    },
  }
}
