import type { ActiveKeys } from './activeKeys.js'
import type { DekCache } from './cache/dekCache.js'
import type { LoadedKeys } from './cache/loadedKeys.js'
import { TrailingFlight } from './cache/trailingFlight.js'
import type { Dek, ReplacedDek } from './dek.js'
import type { DestroyedKeys } from './destroyedKeys.js'
import type { Emit } from './events.js'
import type { KeyStore, StoredKey } from './keyStore.js'
import type { KeyHolder } from './notifications/keyNotification.js'
import type { Unwrapper } from './unwrapper.js'

/** Ids in one query. */
const PAGE = 1000

export interface HeldKeysOptions {
  readonly store: KeyStore
  readonly cache: DekCache
  readonly unwrapper: Unwrapper
  readonly destroyed: DestroyedKeys
  readonly active: ActiveKeys
  readonly loaded: LoadedKeys
  readonly emit: Emit | undefined
}

/** The keys that this process holds, or is about to: drops them when something became of them elsewhere. */
export class HeldKeys implements KeyHolder {
  readonly #options: HeldKeysOptions
  readonly #cache: DekCache
  readonly #rechecks = new TrailingFlight()

  constructor(options: HeldKeysOptions) {
    this.#options = options
    this.#cache = options.cache
  }

  /** Takes note that keys of a tenant were destroyed: they are dropped, and not used again if their rows come back. */
  forgetDestroyed(tenant: string, ids: Iterable<string>): void {
    for (const id of ids) this.#options.destroyed.add(id)
    this.evict(tenant)
  }

  /** Drops a tenant's DEKs from memory. What is on its way still serves those who wait for it already. */
  evict(tenant: string): void {
    if (this.#cache.evict(tenant)) this.#options.emit?.({ type: 'key.evicted', tenant })
    this.#forgetReads()
  }

  /** Has a tenant's active DEKs asked for before they are used again. */
  retire(tenant: string): void {
    this.#cache.retire(tenant)
    this.#options.active.forget()
  }

  #forgetReads(): void {
    const { loaded, unwrapper, active } = this.#options
    loaded.forget()
    unwrapper.forget()
    active.forget()
  }

  /** Has a tenant's active DEKs asked for at their next use, and behind it. */
  renewSoon(tenant: string): void {
    this.#cache.renewSoon(tenant)
  }

  /**
   * Compares what is in memory with the keys table, of one tenant or of all, and drops what must not be used any more. No
   * call of the KMS.
   *
   * @throws FieldsealError `KEY_STORE_UNAVAILABLE`; the tenant's DEKs are asked for then before they are used again
   */
  recheck(tenant?: string): Promise<void> {
    this.#cache.discardReads(tenant)
    this.#forgetReads()
    if (tenant === undefined) return this.#compare(this.#cache.deks)
    return this.#rechecks.run(tenant, () => this.#recheckTenant(tenant))
  }

  async #recheckTenant(tenant: string): Promise<void> {
    try {
      await this.#compare(this.#cache.deks.filter((dek) => dek.tenant === tenant))
    } catch (error) {
      this.#cache.doubt(tenant)
      throw error
    }
  }

  async #compare(deks: readonly Dek[]): Promise<void> {
    for (let i = 0; i < deks.length; i += PAGE) {
      const page = deks.slice(i, i + PAGE)
      const found = await this.#options.store.findByIds(
        page.flatMap(({ id, beside }) => [id, ...beside.map((older) => older.dek.id)]),
      )
      const rows = new Map(found.map((row) => [row.id, row]))
      for (const dek of page) {
        this.#compareDek(dek, rows.get(dek.id))
        for (const older of dek.beside) this.#compareBeside(older, rows.get(older.dek.id))
      }
    }
  }

  #compareDek({ id, tenant, purpose }: Dek, row: StoredKey | undefined): void {
    if (!row || this.#options.destroyed.includes(row)) this.evict(tenant)
    else if (row.state !== 'active' && this.#cache.active(tenant, purpose)?.id === id) this.retire(tenant)
  }

  #compareBeside({ dek, state }: ReplacedDek, row: StoredKey | undefined): void {
    if (row?.state !== state) this.retire(dek.tenant)
  }
}
