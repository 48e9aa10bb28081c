import { LRUCache } from 'lru-cache'
import { FieldsealError, quoted } from '../errors.js'
import type { DekCache } from './cache/dekCache.js'
import type { Emit } from './events.js'
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
  readonly emit: Emit | undefined
}

/**
 * Whether a tenant without a key may have a first one. If there was one before, its row is lost: a new key for values would
 * take the place of the one that a backup has, and a new index key would find nothing that an older one made, and let in
 * again what is there once already.
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
    const { cache, traces, emit } = this.#options
    if (cache.holdsActive(tenant, purpose)) return 'this process has one in memory'
    if (purpose === 'wrap') return null
    const trace = await traces?.find({
      tenant,
      purpose,
      deks: () => this.#deksOf(tenant),
      isAnyKeyThere: () => this.#isAnyKeyThere(),
      skipped: (model, reason) => emit?.({ type: 'key.unchecked', tenant, purpose, model, reason }),
    })
    return trace == null ? null : `${trace} holds values that one has made`
  }

  async #isAnyKeyThere(): Promise<boolean> {
    return (await this.#options.store.list({ purpose: 'encrypt' }, { limit: 1 })).length > 0
  }

  async #deksOf(tenant: string): Promise<string[]> {
    const rows = await this.#options.store.list({ tenants: [tenant], purpose: 'encrypt' }, { limit: MOST_DEKS })
    return rows.map(({ id }) => id).filter((id) => !this.#made.has(id))
  }
}

/** The key was lost, not never made. */
export function lostKey(tenant: string, purpose: Purpose, trace: string): FieldsealError {
  const message =
    `the keys table has no key of tenant ${quoted(tenant)} for the purpose ${quoted(purpose)}, yet ${trace}: rows of the keys ` +
    'table are lost, so none is made anew. Restore them from a backup, beside the running app: `fieldseal keys restore`. ' +
    `Only if no backup has them, ${LAST_RESORT[purpose]}`
  return new FieldsealError('KEY_MISSING', message)
}

const BEGIN_ANEW = '`$encryption.reopen` has the tenant begin anew; what is stored stays unreadable then'

const LAST_RESORT: { readonly [purpose in Purpose]: string } = {
  encrypt: BEGIN_ANEW,
  index:
    "set these columns of the tenant to NULL and make them again with `fieldseal reindex`, or, if the tenant's keys for " +
    `values are lost as well, ${BEGIN_ANEW}`,
  wrap: 'restart the processes: what was under it stays unreadable then',
}
