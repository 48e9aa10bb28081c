import type { ActiveKeys } from '../../keys/activeKeys.js'
import type { KeyStore } from '../../keys/keyStore.js'
import { type WalkOptions, type WalkReport, walkKeys } from './keyWalk.js'

export interface RotateOptions extends WalkOptions {
  /** Only DEKs created before this time; now unless given. A run that goes on where another stopped gives the same. */
  readonly before?: Date
}

/** GenerateDataKey of Tencent's lowest tier: 100 to 150 a second. */
const RATE = 100

/** Has a new DEK for values succeed each active one; rows stay as they are, and old DEKs decrypt on. */
export function rotate(active: ActiveKeys, store: KeyStore, options: RotateOptions = {}): Promise<WalkReport> {
  const { before = new Date() } = options
  return walkKeys({
    store,
    filter: { purpose: 'encrypt', states: ['active'], before },
    options,
    rate: RATE,
    each: async ({ tenant, id }) => {
      await active.rotate(tenant, id)
      return true
    },
  })
}
