import { FieldsealError, quoted } from '../errors.js'
import { ActiveKeys, type Allotment } from './activeKeys.js'
import { withBreaker } from './breaker.js'
import type { Dek } from './dek.js'
import type { DekCache } from './dekCache.js'
import type { Emit } from './events.js'
import { keyError } from './keyError.js'
import type { KeyStore, StoredKey } from './keyStore.js'
import type { CountedPurpose, Kms, Purpose } from './kms.js'
import { type Observation, observedKms } from './observedKms.js'
import { isOutage } from './outage.js'
import { checkPolicy, ROTATION_DEFAULTS, type RotationPolicy } from './rotation.js'
import { SingleFlight } from './singleFlight.js'
import { Unwrapper } from './unwrapper.js'

export type { Allotment } from './activeKeys.js'

/** Stands for every tenant where a tenant is asked for: only `$acrossTenants` passes it. */
export const ANY_TENANT = Symbol('any tenant')
export type TenantScope = string | typeof ANY_TENANT

const NOBODY: Observation = { emit: undefined, around: undefined }
/** Ids in one query. */
const PAGE = 1000
const NO_ROWS: Promise<StoredKey[]> = Promise.resolve([])

export interface KeyRingOptions {
  readonly kms: Kms
  readonly store: KeyStore
  readonly cache: DekCache
  /** When DEKs are succeeded by new ones; 90 days and 2³² messages unless given. */
  readonly rotation?: Partial<RotationPolicy>
  /** What the ring's DEKs are for that are allotted and loaded; `encrypt` unless given. */
  readonly counted?: CountedPurpose
  /** Milliseconds since the epoch; `Date.now` unless given. */
  readonly now?: () => number
  /** Told when a new DEK has succeeded one that could have gone on, so that other processes can know. */
  readonly onRotated?: (tenant: string) => void
  readonly observation?: Observation
  /** The purpose of the keys that are asked for by id; `encrypt` unless given. */
  readonly loads?: Purpose
}

/**
 * The tenants' DEKs: finds, unwraps and creates them. An answer from memory is given at once, any other as a promise,
 * so that a warm path awaits nothing.
 */
export class KeyRing {
  readonly #counted: CountedPurpose
  readonly #store: KeyStore
  readonly #cache: DekCache
  readonly #unwrapper: Unwrapper
  readonly #actives: ActiveKeys
  readonly #loads = new SingleFlight<Dek>()
  readonly #emit: Emit | undefined
  readonly #purpose: Purpose

  /** @throws FieldsealError `OPTIONS_INVALID` for a rotation that cannot be */
  constructor(options: KeyRingOptions) {
    const { kms, store, cache, rotation, counted = 'encrypt', now = Date.now, onRotated = () => undefined } = options
    const { emit, around } = options.observation ?? NOBODY
    const policy = { ...ROTATION_DEFAULTS, ...rotation }
    checkPolicy(policy)
    this.#counted = counted
    this.#store = store
    this.#cache = cache
    const spared = withBreaker(observedKms(kms, { emit, around }))
    this.#emit = emit
    this.#purpose = options.loads ?? 'encrypt'
    this.#unwrapper = new Unwrapper(spared)
    this.#actives = new ActiveKeys({
      kms: spared,
      store,
      cache,
      unwrapper: this.#unwrapper,
      policy,
      counted,
      now,
      onRotated,
      emit,
    })
  }

  /** The DEK of a ciphertext if it is in memory. Whose it is, the caller checks. */
  cached(id: string): Dek | undefined {
    const dek = this.#cache.byId(id, this.#renew)
    return dek?.purpose === this.#counted ? dek : undefined
  }

  /**
   * Fetches a DEK in use again before its time is over, behind the operation that uses it, as `ActiveKeys.cached` does.
   */
  readonly #renew = ({ id, tenant, purpose }: Dek): void => {
    if (purpose !== this.#counted) return
    const load = () => this.#load(id, tenant, { since: this.#cache.now(), rows: this.#find([id]) })
    this.#loads.run(flight(id, tenant), load).catch(() => undefined)
  }

  /** The active DEK of a tenant if it is in memory. */
  cachedActive(tenant: string, purpose: Purpose): Dek | undefined {
    return this.#actives.cached(tenant, purpose)
  }

  /**
   * The active DEK of a tenant; the first one is made and stored before it is returned. Who encrypts with it asks for
   * an allotment instead.
   *
   * @throws FieldsealError `TENANT_INVALID`, `KEY_DESTROYED`, `KEY_INVALID`, `KEY_STORE_UNAVAILABLE`, `KMS_*`
   */
  active(tenant: string, purpose: Purpose): Promise<Dek> {
    return this.#actives.active(tenant, purpose)
  }

  /** As `active`, and has the next messages need neither keys table nor KMS. */
  prepare(tenant: string, purpose: Purpose): Promise<void> {
    return this.#actives.prepare(tenant, purpose)
  }

  /** The right to encrypt `count` messages for a tenant, if memory has it. It is spent, used or not. */
  take(tenant: string, count: number): readonly Allotment[] | undefined {
    return this.#actives.take(tenant, count)
  }

  /**
   * The right to encrypt `count` messages for a tenant, under one DEK or, where its limit ends, several. It is spent,
   * used or not.
   *
   * @throws FieldsealError as `active`
   */
  allot(tenant: string, count: number): Promise<readonly Allotment[]> {
    return this.#actives.allot(tenant, count)
  }

  /**
   * Brings the active DEK of a tenant for `encrypt` into memory, if the tenant has one; makes none.
   *
   * @throws FieldsealError `KEY_INVALID`, `KEY_STORE_UNAVAILABLE`, `KMS_*`
   */
  open(tenant: string): Promise<void> {
    return this.#actives.open(tenant)
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
    const since = this.#cache.now()
    const rows = missing.size > 0 ? this.#find([...missing]) : NO_ROWS
    const load = (id: string) => this.#loads.run(flight(id, scope), () => this.#load(id, scope, { rows, since }))
    return ids.map((id, i) => known[i] ?? load(id))
  }

  /**
   * Has a new DEK for `encrypt` succeed the one with this id, unless another one has already.
   *
   * @throws FieldsealError as `active`
   */
  rotate(tenant: string, id: string): Promise<Dek> {
    return this.#actives.rotate(tenant, id)
  }

  /** Makes new keys for a tenant whose keys were destroyed, and says for which purposes. */
  reopen(tenant: string): Promise<Purpose[]> {
    return this.#actives.reopen(tenant)
  }

  /** Drops a tenant's DEKs from memory. What is on its way still serves those who wait for it already. */
  evict(tenant: string): void {
    if (this.#cache.evict(tenant)) this.#emit?.({ type: 'key.evicted', tenant })
    this.#loads.forget()
    this.#unwrapper.forget()
    this.#actives.forget()
  }

  /** Has a tenant's active DEKs asked for before they are used again. */
  retire(tenant: string): void {
    this.#cache.retire(tenant)
    this.#actives.forget()
  }

  /** Has a tenant's active DEKs asked for at their next use, and behind it. */
  renewSoon(tenant: string): void {
    this.#cache.renewSoon(tenant)
  }

  /**
   * Brings the DEK of an active row into memory.
   *
   * @returns whether it was not there
   */
  adopt(row: StoredKey): Promise<boolean> {
    return this.#actives.adopt(row)
  }

  /** Compares what is in memory with the keys table, and drops what is no longer so. No call of the KMS. */
  async recheck(): Promise<void> {
    const deks = this.#cache.deks
    for (let i = 0; i < deks.length; i += PAGE) {
      const page = deks.slice(i, i + PAGE)
      const rows = new Map((await this.#find(page.map(({ id }) => id))).map((row) => [row.id, row]))
      for (const { id, tenant, purpose } of page) {
        const state = rows.get(id)?.state ?? 'destroyed'
        if (state === 'destroyed') this.evict(tenant)
        else if (state === 'retired' && this.#cache.active(tenant, purpose)?.id === id) this.retire(tenant)
      }
    }
  }

  #inMemory(id: string, scope: TenantScope): Dek | Promise<Dek> | undefined {
    const dek = this.cached(id)
    return dek && !isWithin(scope, dek.tenant) ? Promise.reject(foreign(id, scope)) : dek
  }

  /** A store that throws instead of rejecting does so into the promise. */
  async #find(ids: readonly string[]): Promise<StoredKey[]> {
    return this.#store.findByIds(ids)
  }

  /** A DEK that is in memory serves on when a KMS or a keys table that is down is all that stands against it. */
  async #load(id: string, scope: TenantScope, read: KeysRead): Promise<Dek> {
    try {
      return await this.#loadRow(id, scope, read)
    } catch (error) {
      const dek = isOutage(error) ? this.#cache.extend(id) : undefined
      if (!dek || !isWithin(scope, dek.tenant)) throw error
      this.#emit?.({ type: 'key.stale', tenant: dek.tenant, key: id, code: (error as FieldsealError).code })
      return dek
    }
  }

  async #loadRow(id: string, scope: TenantScope, read: KeysRead): Promise<Dek> {
    const row = (await read.rows).find((candidate) => candidate.id === id)
    if (!row) throw keyError('KEY_NOT_FOUND', id, 'is not in the keys table: restore the table, or the row is lost')
    if (!isWithin(scope, row.tenant)) throw foreign(id, scope)
    if (row.state === 'destroyed') this.evict(row.tenant)
    const dek = await this.#unwrapper.unwrap(row, { key: id, purpose: this.#counted, tenant: row.tenant })
    this.#cache.add(dek, read.since)
    return dek
  }
}

/** A query of the keys table that has begun, and the cache's mark from before it. */
interface KeysRead {
  readonly rows: Promise<StoredKey[]>
  readonly since: number
}

function isWithin(scope: TenantScope, tenant: string): boolean {
  return scope === ANY_TENANT || tenant === scope
}

function foreign(id: string, scope: TenantScope): FieldsealError {
  const message = `tenant ${quoted(scope)} asked for data under DEK ${id} of another tenant`
  return new FieldsealError('TENANT_MISMATCH', message)
}

/** Loads are shared within one scope only: an answer, or an error, that is right for one is wrong for another. */
function flight(id: string, scope: TenantScope): string {
  return scope === ANY_TENANT ? id : `${id} ${scope}`
}
