import { FieldsealError, quoted } from '../../errors.js'
import { isWithin, type TenantScope } from '../../tenancy/scope.js'
import type { Dek } from '../dek.js'
import type { DestroyedKeys } from '../destroyedKeys.js'
import type { Emit } from '../events.js'
import { keyError } from '../keyError.js'
import type { KeyStore, StoredKey } from '../keyStore.js'
import type { CountedPurpose } from '../kms.js'
import type { Unwrapper } from '../unwrapper.js'
import type { DekCache, ReadMark } from './dekCache.js'
import { isOutage } from './outage.js'

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
  /** What is on its way, by id, for all who come meanwhile. */
  readonly #reads = new Map<string, KeyRead>()

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
    this.#readMissing([id])
    this.#load(id, tenant).catch(() => undefined)
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
    const known = ids.map((id) => this.#inMemory(id, scope))
    this.#readMissing(ids.filter((_, i) => known[i] === undefined))
    return ids.map((id, i) => known[i] ?? this.#load(id, scope))
  }

  /** Has nobody wait for what is on its way. */
  forget(): void {
    this.#reads.clear()
  }

  #inMemory(id: string, scope: TenantScope): Dek | Promise<Dek> | undefined {
    const dek = this.cached(id)
    return dek && !isWithin(scope, dek.tenant) ? Promise.reject(foreign(id, scope)) : dek
  }

  /** Begins to read, with one query, the rows that are not on their way. */
  #readMissing(ids: readonly string[]): void {
    const missing = new Set(ids.filter((id) => !this.#reads.has(id)))
    if (missing.size === 0) return
    const since = this.#cache.readMark()
    const rows = this.#find([...missing])
    for (const id of missing) this.#reads.set(id, { row: this.#rowOf(id, rows), since, isStale: false })
  }

  /** A store that throws instead of rejecting does so into the promise. */
  async #find(ids: readonly string[]): Promise<StoredKey[]> {
    return this.#options.store.findByIds(ids)
  }

  async #rowOf(id: string, rows: Promise<readonly StoredKey[]>): Promise<StoredKey | undefined> {
    const row = (await rows).find((candidate) => candidate.id === id)
    if (row && this.#options.destroyed.includes(row)) this.#options.onDestroyed(row.tenant)
    return row
  }

  /** Each of those who wait is held against its own scope; the unwrapper shares the call of the KMS. */
  async #load(id: string, scope: TenantScope): Promise<Dek> {
    const read = this.#reads.get(id)!
    try {
      return await this.#unwrap(id, scope, read)
    } catch (error) {
      return this.#serveOn(id, scope, read, error)
    } finally {
      if (this.#reads.get(id) === read) this.#reads.delete(id)
    }
  }

  async #unwrap(id: string, scope: TenantScope, read: KeyRead): Promise<Dek> {
    const row = await read.row
    if (!row) throw keyError('KEY_NOT_FOUND', id, 'is not in the keys table: restore the table, or the row is lost')
    if (!isWithin(scope, row.tenant)) throw foreign(id, scope)
    const dek = await this.#options.unwrapper.unwrap(row, { key: id, purpose: this.#counted, tenant: row.tenant })
    this.#cache.add(dek, read.since)
    return dek
  }

  /** A DEK that is in memory serves on when a KMS or a keys table that is down is all that stands against it. */
  #serveOn(id: string, scope: TenantScope, read: KeyRead, error: unknown): Dek {
    const dek = isOutage(error) ? this.#cache.extend(id) : undefined
    if (!dek || !isWithin(scope, dek.tenant)) throw error
    const { code } = error as FieldsealError
    if (!read.isStale) this.#options.emit?.({ type: 'key.stale', tenant: dek.tenant, key: id, code })
    read.isStale = true
    return dek
  }
}

/** A row that is being read, or whose DEK is being unwrapped. */
interface KeyRead {
  readonly row: Promise<StoredKey | undefined>
  /** The cache's mark from before the keys table was asked. */
  readonly since: ReadMark
  /** Whether it was told that the DEK serves on without. */
  isStale: boolean
}

function foreign(id: string, scope: TenantScope): FieldsealError {
  const message = `tenant ${quoted(scope)} asked for data under DEK ${id} of another tenant`
  return new FieldsealError('TENANT_MISMATCH', message)
}
