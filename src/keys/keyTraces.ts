import type { Purpose } from './kms.js'

/** A key that the keys table has no row of. */
export interface MissingKey {
  readonly tenant: string
  readonly purpose: Purpose
  /** Ids of the tenant's DEKs for values: what is under them is the tenant's, where no column says so. */
  deks(): Promise<readonly string[]>
}

/**
 * The seam to the data: tells a tenant that is new from one whose rows of the keys table are gone, before a first key is
 * made. It throws when it cannot look.
 */
export interface KeyTraces {
  /** Where something is stored that the key must have made, as `Model.field`; `null` when nothing is known of. */
  find(key: MissingKey): Promise<string | null>
}
