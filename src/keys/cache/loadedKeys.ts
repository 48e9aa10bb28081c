import { FieldsealError, quoted } from '../../errors.js'
import { ANY_TENANT, isWithin, type TenantScope } from '../../tenancy/scope.js'
import type { Dek } from '../dek.js'
import type { DestroyedKeys } from '../destroyedKeys.js'
import type { Emit } from '../events.js'
import { keyError } from '../keyError.js'
import type { KeyStore, StoredKey } from '../keyStore.js'
import type { CountedPurpose } from '../kms.js'
import type { Unwrapper } from '../unwrapper.js'
import type { DekCache } from './dekCache.js'
import { isOutage } from './outage.js'
import { SingleFlight } from './singleFlight.js'

const NO_ROWS: Promise<StoredKey[]> = Promise.resolve([])

export interface LoadedKeysOptions {
  readonly store: KeyStore
  readonly cache: DekCache
  readonly unwrapper: Unwrapper
  readonly destroyed: DestroyedKeys
  readonly counted: CountedPurpose
  readonly emit: Emit | undefined
  /** Told of a tenant whose key the keys table shows as destroyed. */
  readonly onDestroyed: (tenant: string) => void
}

/** DEKs by their ids, as ciphertexts name them: from memory, or from the keys table and the KMS. */
export class LoadedKeys {
  readonly #options: LoadedKeysOptions
  readonly #cache: DekCache
  readonly #counted: CountedPurpose
  readonly #loads = new SingleFlight<Dek>()

  constructor(options: LoadedKeysOptions) {
    this.#options = options
    this.#cache = options.cache
    this.#counted = options.counted
  }

  /** The DEK if it is in memory. Whose it is, the caller checks. */
  cached(id: string): Dek | undefined {
    const dek = this.#cache.byId(id, this.#renew)
    return dek?.purpose === this.#counted ? dek : undefined
  }

  /**
   * Fetches a DEK in use again before its time is over, behind the operation that uses it, as `ActiveKeys.cached` does.
   */
  readonly #renew = ({ id, tenant, purpose }: Dek): void => {
    if (purpose !== this.#counted) return
    const load = () => this.#load(id, tenant, { since: this.#cache.readMark(), rows: this.#find([id]) })
    this.#loads.run(flight(id, tenant), load).catch(() => undefined)
  }

  /**
   * The DEKs with these ids, with one query for all that are not in memory.
   *
   * @throws FieldsealError `TENANT_MISMATCH` before that DEK is unwrapped, `KEY_NOT_FOUND`, `KEY_DESTROYED`,
   * `KEY_INVALID`, `KEY_STORE_UNAVAILABLE`, `KMS_*`
   */
  async load(ids: readonly string[], scope: TenantScope): Promise<Dek[]> {
    return Promise.all(this.loadEach(ids, scope))
  }

  /**
   * As `load`, with an outcome for each id, so that a caller can tell what each is needed for. It throws nothing itself;
   * the caller handles every promise.
   */
  loadEach(ids: readonly string[], scope: TenantScope): (Dek | Promise<Dek>)[] {
    const known = ids.map((id) => this.#inMemory(id, scope) ?? this.#loads.get(flight(id, scope)))
    const missing = new Set(ids.filter((_, i) => known[i] === undefined))
    const since = this.#cache.readMark()
    const rows = missing.size > 0 ? this.#find([...missing]) : NO_ROWS
    const load = (id: string) => this.#loads.run(flight(id, scope), () => this.#load(id, scope, { rows, since }))
    return ids.map((id, i) => known[i] ?? load(id))
  }

  /** Has nobody wait for what is on its way. */
  forget(): void {
    this.#loads.forget()
  }

  #inMemory(id: string, scope: TenantScope): Dek | Promise<Dek> | undefined {
    const dek = this.cached(id)
    return dek && !isWithin(scope, dek.tenant) ? Promise.reject(foreign(id, scope)) : dek
  }

  /** A store that throws instead of rejecting does so into the promise. */
  async #find(ids: readonly string[]): Promise<StoredKey[]> {
    return this.#options.store.findByIds(ids)
  }

  /** A DEK that is in memory serves on when a KMS or a keys table that is down is all that stands against it. */
  async #load(id: string, scope: TenantScope, read: KeysRead): Promise<Dek> {
    try {
      return await this.#loadRow(id, scope, read)
    } catch (error) {
      const dek = isOutage(error) ? this.#cache.extend(id) : undefined
      if (!dek || !isWithin(scope, dek.tenant)) throw error
      const { code } = error as FieldsealError
      this.#options.emit?.({ type: 'key.stale', tenant: dek.tenant, key: id, code })
      return dek
    }
  }

  async #loadRow(id: string, scope: TenantScope, read: KeysRead): Promise<Dek> {
    const row = (await read.rows).find((candidate) => candidate.id === id)
    if (!row) throw keyError('KEY_NOT_FOUND', id, 'is not in the keys table: restore the table, or the row is lost')
    if (!isWithin(scope, row.tenant)) throw foreign(id, scope)
    if (this.#options.destroyed.includes(row)) this.#options.onDestroyed(row.tenant)
    const dek = await this.#options.unwrapper.unwrap(row, { key: id, purpose: this.#counted, tenant: row.tenant })
    this.#cache.add(dek, read.since)
    return dek
  }
}

/** A query of the keys table that has begun, and the cache's mark from before it. */
interface KeysRead {
  readonly rows: Promise<StoredKey[]>
  readonly since: number
}

function foreign(id: string, scope: TenantScope): FieldsealError {
  const message = `tenant ${quoted(scope)} asked for data under DEK ${id} of another tenant`
  return new FieldsealError('TENANT_MISMATCH', message)
}

/** Loads are shared within one scope only: an answer, or an error, that is right for one is wrong for another. */
function flight(id: string, scope: TenantScope): string {
  return scope === ANY_TENANT ? id : `${id} ${scope}`
}
