import { FieldsealError, quoted } from '../errors.js'
import type { TenantScope } from '../tenancy/scope.js'
import { ActiveKeys, type Allotment } from './activeKeys.js'
import { withBreaker } from './breaker.js'
import type { DekCache } from './cache/dekCache.js'
import { LoadedKeys } from './cache/loadedKeys.js'
import { TrailingFlight } from './cache/trailingFlight.js'
import type { Dek } from './dek.js'
import { DestroyedKeys } from './destroyedKeys.js'
import type { Emit } from './events.js'
import type { KeyStore, StoredKey } from './keyStore.js'
import type { KeyTraces } from './keyTraces.js'
import { type CountedPurpose, encryptsValues, type Kms, type Purpose, type ValueKms } from './kms.js'
import { type KmsFailure, probeKms } from './kmsProbe.js'
import type { KeyHolder } from './notifications/keyNotification.js'
import { type Observation, observedKms } from './observedKms.js'
import { checkPolicy, ROTATION_DEFAULTS, type RotationPolicy } from './quota/rotation.js'
import { Unwrapper } from './unwrapper.js'

export { ANY_TENANT, type TenantScope } from '../tenancy/scope.js'
export type { Allotment } from './activeKeys.js'

const NO_OBSERVATION: Observation = { emit: undefined, around: undefined }
/** Ids in one query. */
const PAGE = 1000

export interface KeyRingOptions {
  readonly kms: Kms
  readonly store: KeyStore
  readonly cache: DekCache
  /** Tells tenants without a key for blind indexes from new ones; unless given, every one of them is new. */
  readonly traces?: KeyTraces
  /** When DEKs are succeeded by new ones; 90 days and 2³² messages unless given. */
  readonly rotation?: Partial<RotationPolicy>
  /** What the ring's DEKs are for that are allotted and loaded; `encrypt` unless given. */
  readonly counted?: CountedPurpose
  /** Milliseconds since the epoch; `Date.now` unless given. */
  readonly now?: () => number
  readonly observation?: Observation
}

/**
 * The tenants' DEKs: finds, unwraps and creates them. An answer from memory is given at once, any other as a promise,
 * so that a warm path awaits nothing.
 */
export class KeyRing implements KeyHolder {
  readonly #kms: Kms
  readonly #store: KeyStore
  readonly #cache: DekCache
  readonly #destroyed = new DestroyedKeys()
  readonly #rechecks = new TrailingFlight()
  readonly #unwrapper: Unwrapper
  readonly #actives: ActiveKeys
  readonly #loaded: LoadedKeys
  readonly #emit: Emit | undefined

  /** @throws FieldsealError `OPTIONS_INVALID` for a rotation that cannot be */
  constructor(options: KeyRingOptions) {
    const { kms, store, cache, traces, rotation, counted = 'encrypt', now = Date.now } = options
    const { emit, around, onRotated = () => undefined } = options.observation ?? NO_OBSERVATION
    const policy = { ...ROTATION_DEFAULTS, ...rotation }
    checkPolicy(policy)
    this.#store = store
    this.#cache = cache
    const guardedKms = withBreaker(observedKms(kms, { emit, around }))
    this.#emit = emit
    this.#kms = guardedKms
    const destroyed = this.#destroyed
    const unwrapper = new Unwrapper(guardedKms, destroyed)
    this.#unwrapper = unwrapper
    const shared = { store, cache, unwrapper, destroyed, counted, emit }
    const onDestroyed = (tenant: string) => this.evict(tenant)
    this.#loaded = new LoadedKeys({ ...shared, onDestroyed })
    this.#actives = new ActiveKeys({ ...shared, kms: guardedKms, traces, policy, now, onRotated })
  }

  /** What wraps its DEKs, with its calls told and spared while it is down. */
  get kms(): Kms {
    return this.#kms
  }

  /**
   * What encrypts values without a DEK.
   *
   * @throws FieldsealError `OPTIONS_INVALID` when the KMS encrypts no values
   */
  get valueKms(): ValueKms {
    if (encryptsValues(this.#kms)) return this.#kms
    const message =
      `the KMS ${quoted(this.#kms.name)} has no encrypt() and decrypt() for values that a KMS itself encrypts (mode: kms): ` +
      'use one that has, as tencentKms (without "sealed") and localKms do'
    throw new FieldsealError('OPTIONS_INVALID', message)
  }

  /** The DEK of a ciphertext if it is in memory. Whose it is, the caller checks. */
  cached(id: string): Dek | undefined {
    return this.#loaded.cached(id)
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

  /** What the KMS fails to do for a tenant. Nothing is kept of it. */
  probeKms(tenant: string, values: boolean): Promise<KmsFailure[]> {
    return probeKms(this.#kms, tenant, values)
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
    return this.#loaded.loadEach(ids, scope)
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

  /** Takes note that keys of a tenant were destroyed: they are dropped, and not used again if their rows come back. */
  forgetDestroyed(tenant: string, ids: Iterable<string>): void {
    for (const id of ids) this.#destroyed.add(id)
    this.evict(tenant)
  }

  /** Drops a tenant's DEKs from memory. What is on its way still serves those who wait for it already. */
  evict(tenant: string): void {
    if (this.#cache.evict(tenant)) this.#emit?.({ type: 'key.evicted', tenant })
    this.#forgetReads()
  }

  /** Has a tenant's active DEKs asked for before they are used again. */
  retire(tenant: string): void {
    this.#cache.retire(tenant)
    this.#actives.forget()
  }

  #forgetReads(): void {
    this.#loaded.forget()
    this.#unwrapper.forget()
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
      const rows = new Map((await this.#store.findByIds(page.map(({ id }) => id))).map((row) => [row.id, row]))
      for (const dek of page) this.#compareDek(dek, rows.get(dek.id))
    }
  }

  #compareDek({ id, tenant, purpose }: Dek, row: StoredKey | undefined): void {
    if (!row || this.#destroyed.includes(row)) this.evict(tenant)
    else if (row.state === 'retired' && this.#cache.active(tenant, purpose)?.id === id) this.retire(tenant)
  }
}
