import type { ActiveKeys } from './activeKeys.js'
import type { DekCache } from './cache/dekCache.js'
import type { HeldKeys } from './heldKeys.js'
import type { KeyFilter, KeyStore, NextState, ReplacedState, StoredKey } from './keyStore.js'

/** Rows in one query. */
const PAGE = 1_000

export interface IndexKeysOptions {
  readonly store: KeyStore
  readonly cache: DekCache
  readonly active: ActiveKeys
  readonly held: HeldKeys
}

/**
 * The keys for indexes, as their rotation takes them from state to state. Each step is one of the keys table, after which
 * other processes may still work by what they hold for `memoryTime`.
 */
export class IndexKeys {
  readonly #options: IndexKeysOptions

  constructor(options: IndexKeysOptions) {
    this.#options = options
  }

  get store(): KeyStore {
    return this.#options.store
  }

  /** For how long a process may hold keys without looking at the keys table, in milliseconds; of those with these options. */
  get memoryTime(): number {
    return this.#options.cache.memoryTime
  }

  /** Has a new key stand beside a tenant's present one; `false` where there is none, or an earlier rotation has not ended. */
  async add(tenant: string): Promise<boolean> {
    const added = await this.#options.active.besideIndex(tenant)
    this.#options.held.retire(tenant)
    return added
  }

  /** Those that a rotation has brought into a state and not further. */
  async inState(state: ReplacedState | 'retired', tenant: string | undefined): Promise<StoredKey[]> {
    const filter: KeyFilter = { purpose: 'index', states: [state], ...(tenant !== undefined && { tenants: [tenant] }) }
    const found: StoredKey[] = []
    for (let after: string | undefined; ; ) {
      const rows = await this.store.list(filter, { after, limit: PAGE })
      found.push(...(await this.#succeeded(rows)))
      after = rows.at(-1)?.id
      if (rows.length < PAGE) return found
    }
  }

  /** One that somebody has retired by hand has no successor, and its tokens are all there are. */
  async #succeeded(rows: readonly StoredKey[]): Promise<StoredKey[]> {
    const tenants = [...new Set(rows.map(({ tenant }) => tenant))]
    const active = await this.store.list({ purpose: 'index', states: ['active'], tenants }, { limit: PAGE })
    const newest = new Map(active.map(({ tenant, version }) => [tenant, version]))
    return rows.filter(({ tenant, version }) => version < (newest.get(tenant) ?? 0))
  }

  async advance({ id, tenant }: StoredKey, to: NextState): Promise<boolean> {
    const advanced = await this.store.advance(id, to)
    this.#options.held.retire(tenant)
    return advanced
  }
}
