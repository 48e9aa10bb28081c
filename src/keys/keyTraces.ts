import type { Purpose } from './kms.js'

/** A key that the keys table has no row of. */
export interface MissingKey {
  readonly tenant: string
  readonly purpose: Purpose
  /** Ids of the tenant's DEKs for values: what is under them is the tenant's, where no column says so. */
  deks(): Promise<readonly string[]>
  /** Whether the keys table has any key for values, of whichever tenant: if not, any ciphertext is of a lost one. */
  isAnyKeyThere(): Promise<boolean>
  /** Is told of a model that could not be looked into, and that the key is made all the same unless others tell. */
  skipped(model: string, reason: SkipReason): void
}

/** `time`: to look takes too long. `rights`: the database's user may not read the table. */
export type SkipReason = 'time' | 'rights'

/**
 * The seam to the data: tells a tenant that is new from one whose rows of the keys table are gone, before a first key is
 * made. It throws when it cannot look.
 */
export interface KeyTraces {
  /** Where something is stored that the key must have made, as `Model.field`; `null` when nothing is known of. */
  find(key: MissingKey): Promise<string | null>
}
