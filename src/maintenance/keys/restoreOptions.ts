import type { CopiedKey } from '../../keys/keyStore.js'
import type { KeyFailure, WalkOptions } from './keyWalk.js'

export interface RestoreKeysOptions extends Pick<WalkOptions, 'rate' | 'concurrency' | 'signal'> {
  /** The rows of a copy of the keys table: what `exportKeys` gave. */
  readonly keys: readonly CopiedKey[]
  /** Says what would be done, and changes nothing. */
  readonly dryRun?: boolean
  /** Only the keys of these tenants, and those that wrap others; all unless given. */
  readonly tenants?: readonly string[]
  /** Whether the KMS has to open each key before it is put into the table; `true` unless given. */
  readonly verify?: boolean
  /** Tenants that were shredded by mistake: their keys come back, as far as the copy has them. */
  readonly undoShred?: readonly string[]
  /** Told after each key that the KMS has opened, and of how many there are to open. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void
}

export interface RestoreKeysReport {
  /** Keys that the table did not have, those that are destroyed included. */
  readonly inserted: number
  /** Keys that the table has, as the copy does or further on. */
  readonly unchanged: number
  /** Keys of the table whose state or count of messages the copy knows better. */
  readonly updated: number
  /** Keys that the table got since it lost others, which made room for these: they are retired, and read by on. */
  readonly renumbered: number
  /** Keys of the copy that stay destroyed, as their tenants were shredded. */
  readonly keptDestroyed: number
  /** Tenants whose keys the copy shows as destroyed, and the table does not: a shred that was undone, or that is to be repeated. */
  readonly shredded: readonly string[]
  /** Tenants with older keys for indexes beside a newer one: `rotateIndexKeys` has to come to its end for them. */
  readonly reindex: readonly string[]
  /** Keys that the KMS does not open, or that cannot be right: they were left out. */
  readonly failed: readonly KeyFailure[]
}
