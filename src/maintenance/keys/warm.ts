import type { ActiveKeys } from '../../keys/activeKeys.js'
import type { KeyStore } from '../../keys/keyStore.js'
import type { Purpose } from '../../keys/kms.js'
import { checkWalk, type WalkOptions, type WalkReport, walkKeys } from './keyWalk.js'
import { paceOf } from './pace.js'

export interface WarmOptions extends Omit<WalkOptions, 'tenants' | 'after'> {
  /** Which keys; `encrypt` unless given. Reads need that one, writes of and searches by indexed fields also `index`. */
  readonly purposes?: readonly Exclude<Purpose, 'wrap'>[]
}

/** Decrypt of Tencent's lowest tier, which all processes share: 300 a second. */
const RATE = 290
const CONCURRENCY = 20
/** Tenants in one query. */
const CHUNK = 1000

/** Brings the active DEKs of tenants into memory. Tenants without keys get none by that. */
export async function warm(
  active: ActiveKeys,
  store: KeyStore,
  tenants: readonly string[],
  options: WarmOptions = {},
): Promise<WalkReport> {
  const { purposes = ['encrypt'], ...rest } = options
  const { rate = RATE, concurrency = CONCURRENCY } = options
  checkWalk({ rate, concurrency })
  const pace = paceOf(rate)
  const total = { changed: 0, unchanged: 0, failed: [] as WalkReport['failed'] }
  for (const purpose of purposes) {
    for (let i = 0; i < tenants.length; i += CHUNK) {
      const { changed, unchanged, failed } = await walkKeys({
        store,
        filter: { purpose, states: ['active'] },
        options: { ...rest, concurrency, tenants: tenants.slice(i, i + CHUNK) },
        rate,
        pace,
        each: (row) => active.adopt(row),
      })
      total.changed += changed
      total.unchanged += unchanged
      total.failed = [...total.failed, ...failed]
    }
  }
  return total
}
