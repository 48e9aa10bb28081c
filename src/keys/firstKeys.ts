import { LRUCache } from 'lru-cache'
import { FieldsealError, quoted } from '../errors.js'
import type { DekCache } from './cache/dekCache.js'
import type { KeyStore } from './keyStore.js'
import type { KeyTraces } from './keyTraces.js'
import type { Purpose } from './kms.js'

/** How many of the tenant's DEKs its rows are known by. */
const MOST_DEKS = 20
/** How long a DEK that was made here is too new for what an older index key made, in milliseconds. */
const NEW_FOR = 10_000

export interface FirstKeysOptions {
  readonly store: KeyStore
  readonly cache: DekCache
  readonly traces: KeyTraces | undefined
}

/**
 * Whether a tenant without a key may have a first one. A new index key would find nothing that an older one made, and
 * would let in again what is there once already.
 */
export class FirstKeys {
  readonly #options: FirstKeysOptions
  /** A tenant's first DEK for values is made beside its first index key: tables need not be searched for it. */
  readonly #made = new LRUCache<string, true>({ max: 10_000, ttl: NEW_FOR })

  constructor(options: FirstKeysOptions) {
    this.#options = options
  }

  noteMade(id: string): void {
    this.#made.set(id, true)
  }

  /** What says that there was a key before; `null` when nothing does. */
  async traceOf(tenant: string, purpose: Purpose): Promise<string | null> {
    const { cache, traces } = this.#options
    if (purpose !== 'index') return null
    if (cache.holdsActive(tenant, purpose)) return 'this process has one in memory'
    const trace = (await traces?.find({ tenant, purpose, deks: () => this.#deksOf(tenant) })) ?? null
    return trace === null ? null : `${trace} holds values that one has made`
  }

  async #deksOf(tenant: string): Promise<string[]> {
    const rows = await this.#options.store.list({ tenants: [tenant], purpose: 'encrypt' }, { limit: MOST_DEKS })
    return rows.map(({ id }) => id).filter((id) => !this.#made.has(id))
  }
}

/** The key was lost, not never made. */
export function lostKey(tenant: string, purpose: Purpose, trace: string): FieldsealError {
  const message =
    `the keys table has no key of tenant ${quoted(tenant)} for the purpose ${quoted(purpose)}, yet ${trace}: restore the table from a ` +
    'backup. Only if no backup has the key, set these columns of the tenant to NULL and make them again with ' +
    '`fieldseal reindex`'
  return new FieldsealError('KEY_NOT_FOUND', message)
}
