import { randomUUID } from 'node:crypto'
import { isDekId } from '../crypto/header.js'
import { type ErrorCode, FieldsealError, quoted } from '../errors.js'
import { Dek } from './dek.js'
import type { DekCache } from './dekCache.js'
import { encryptionContext } from './encryptionContext.js'
import type { KeyStore, StoredKey } from './keyStore.js'
import type { DekIdentity, Kms, Purpose, WrappedDek } from './kms.js'
import { SingleFlight } from './singleFlight.js'

/** Stands for every tenant where a tenant is asked for: only `$acrossTenants` passes it. */
export const ANY_TENANT = Symbol('any tenant')
export type TenantScope = string | typeof ANY_TENANT

const NO_ROWS: Promise<StoredKey[]> = Promise.resolve([])
const NIL_UUID = '00000000-0000-0000-0000-000000000000'

export interface KeyRingOptions {
  readonly kms: Kms
  readonly store: KeyStore
  readonly cache: DekCache
}

/**
 * The tenants' DEKs: finds, unwraps and creates them. An answer from memory is given at once, any other as a promise,
 * so that a warm path awaits nothing.
 */
export class KeyRing {
  readonly #kms: Kms
  readonly #store: KeyStore
  readonly #cache: DekCache
  readonly #actives = new SingleFlight<Dek>()
  readonly #loads = new SingleFlight<Dek>()
  readonly #opens = new SingleFlight<void>()
  readonly #unwraps = new SingleFlight<Dek>()
  readonly #reloaded = new WeakSet<Dek>()
  readonly #reactivated = new WeakSet<Dek>()

  constructor({ kms, store, cache }: KeyRingOptions) {
    this.#kms = kms
    this.#store = store
    this.#cache = cache
  }

  /** The DEK of a ciphertext if it is in memory. Whose it is, the caller checks. */
  cached(id: string): Dek | undefined {
    const dek = this.#cache.byId(id)
    if (dek?.purpose !== 'encrypt') return undefined
    if (this.#cache.ages(id)) this.#renew(this.#reloaded, dek, () => this.#reload(dek))
    return dek
  }

  /** The active DEK of a tenant if it is in memory. */
  cachedActive(tenant: string, purpose: Purpose): Dek | undefined {
    const dek = this.#cache.active(tenant, purpose)
    if (!dek) return undefined
    if (this.#cache.activeAges(tenant, purpose))
      this.#renew(this.#reactivated, dek, () => this.#activate(tenant, purpose))
    return dek
  }

  /**
   * Fetches a DEK in use again before its time is over, behind the operation that uses it. Interactive transactions
   * that hold all connections could otherwise never get it back. One try: if it fails, the DEK serves until its time is
   * over, and is then asked for as any other.
   */
  #renew(tried: WeakSet<Dek>, dek: Dek, fetch: () => Promise<Dek>): void {
    if (tried.has(dek)) return
    tried.add(dek)
    fetch().catch(() => undefined)
  }

  #reload({ id, tenant }: Dek): Promise<Dek> {
    return this.#loads.run(flight(id, tenant), () => this.#load(id, tenant, this.#find([id])))
  }

  /**
   * The active DEK of a tenant; the first one is made and stored before it is returned.
   *
   * @throws FieldsealError `TENANT_INVALID`, `KEY_DESTROYED`, `KEY_INVALID`, `KEY_STORE_UNAVAILABLE`, `KMS_*`
   */
  async active(tenant: string, purpose: Purpose): Promise<Dek> {
    const cached = this.#cache.active(tenant, purpose)
    return cached ?? this.#activate(tenant, purpose)
  }

  /**
   * Brings the active DEK of a tenant for `encrypt` into memory, if the tenant has one; makes none.
   *
   * @throws FieldsealError `KEY_INVALID`, `KEY_STORE_UNAVAILABLE`, `KMS_*`
   */
  async open(tenant: string): Promise<void> {
    const running = this.#actives.get(`encrypt ${tenant}`)
    await (running ?? this.#opens.run(tenant, () => this.#openNewest(tenant)))
  }

  async #openNewest(tenant: string): Promise<void> {
    const newest = await this.#store.findNewest(tenant, 'encrypt')
    if (newest?.state !== 'active') return
    this.#cache.addActive(await this.#unwrap(newest, { key: newest.id, purpose: 'encrypt', tenant }))
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
    const rows = missing.size > 0 ? this.#find([...missing]) : NO_ROWS
    const load = (id: string) => this.#loads.run(flight(id, scope), () => this.#load(id, scope, rows))
    return ids.map((id, i) => known[i] ?? load(id))
  }

  #inMemory(id: string, scope: TenantScope): Dek | Promise<Dek> | undefined {
    const dek = this.cached(id)
    return dek && !isWithin(scope, dek.tenant) ? Promise.reject(foreign(id, scope)) : dek
  }

  /** A store that throws instead of rejecting does so into the promise. */
  async #find(ids: readonly string[]): Promise<StoredKey[]> {
    return this.#store.findByIds(ids)
  }

  async #load(id: string, scope: TenantScope, rows: Promise<StoredKey[]>): Promise<Dek> {
    const row = (await rows).find((candidate) => candidate.id === id)
    if (!row) throw keyError('KEY_NOT_FOUND', id, 'is not in the keys table: restore the table, or the row is lost')
    if (!isWithin(scope, row.tenant)) throw foreign(id, scope)
    const dek = await this.#unwrap(row, { key: id, purpose: 'encrypt', tenant: row.tenant })
    this.#cache.add(dek)
    return dek
  }

  #activate(tenant: string, purpose: Purpose): Promise<Dek> {
    return this.#actives.run(`${purpose} ${tenant}`, () => this.#findOrCreate(tenant, purpose))
  }

  async #findOrCreate(tenant: string, purpose: Purpose): Promise<Dek> {
    encryptionContext({ key: NIL_UUID, purpose, tenant })
    const newest = await this.#store.findNewest(tenant, purpose)
    const dek = await this.#openOrSucceed(tenant, purpose, newest)
    this.#cache.addActive(dek)
    return dek
  }

  #openOrSucceed(tenant: string, purpose: Purpose, newest: StoredKey | null): Promise<Dek> {
    const current = newest !== null && newest.state !== 'retired'
    return current ? this.#unwrap(newest, { key: newest.id, purpose, tenant }) : this.#create(tenant, purpose, newest)
  }

  /**
   * Two processes may both come here: the keys table lets one win, and the other takes the winner's key, or, should
   * that be retired by then, makes the version after it.
   */
  async #create(tenant: string, purpose: Purpose, newest: StoredKey | null): Promise<Dek> {
    const identity: DekIdentity = { key: randomUUID(), purpose, tenant }
    const { dek: bytes, wrapped, kekId } = await this.#kms.generate(identity)
    const dek = new Dek(identity, bytes)
    const version = (newest?.version ?? 0) + 1
    const row: StoredKey = {
      id: dek.id,
      tenant,
      purpose,
      version,
      state: 'active',
      wrapped,
      kms: this.#kms.name,
      kekId,
    }
    if (await this.#store.insert(row)) return dek
    const winner = await this.#store.findNewest(tenant, purpose)
    if (winner === null || winner.version < version) {
      const what = 'lost to a row that cannot be read back: let the keys table be read where it is written'
      throw keyError('KEY_STORE_UNAVAILABLE', dek.id, what)
    }
    return this.#openOrSucceed(tenant, purpose, winner)
  }

  /** A read and a write that need the same DEK at once share one call of the KMS. */
  async #unwrap(row: StoredKey, identity: DekIdentity): Promise<Dek> {
    const wrapped = { wrapped: usableText(row, identity, this.#kms.name), kekId: row.kekId }
    const same = JSON.stringify([identity.key, identity.purpose, identity.tenant, wrapped])
    return this.#unwraps.run(same, () => this.#askKms(wrapped, identity))
  }

  async #askKms(wrapped: WrappedDek, identity: DekIdentity): Promise<Dek> {
    try {
      return new Dek(identity, await this.#kms.unwrap(wrapped, identity))
    } catch (error) {
      if (!FieldsealError.is(error, 'KMS_REFUSED')) throw error
      throw keyError(
        'KEY_INVALID',
        identity.key,
        'was refused by the KMS: its row in the keys table was changed',
        error,
      )
    }
  }
}

/** The row's wrapped DEK, if the row is one that this process may use. */
function usableText(row: StoredKey, identity: DekIdentity, kms: string): string {
  if (row.state === 'destroyed') throw keyError('KEY_DESTROYED', row.id, 'was destroyed; what it encrypted is gone')
  if (row.state !== 'active' && row.state !== 'retired') throw keyError('KEY_INVALID', row.id, 'has an unknown state')
  if (!isDekId(row.id)) throw keyError('KEY_INVALID', row.id, 'has an id that is not a lower-case UUID')
  if (row.tenant !== identity.tenant) throw keyError('KEY_INVALID', row.id, 'is of another tenant than was asked for')
  if (row.purpose !== identity.purpose) throw keyError('KEY_INVALID', row.id, `has the purpose ${row.purpose}`)
  if (row.kms !== kms)
    throw keyError('KEY_INVALID', row.id, `is wrapped by the KMS ${quoted(row.kms)}, not ${quoted(kms)}`)
  if (row.wrapped === null) throw keyError('KEY_INVALID', row.id, `is ${row.state}, yet its row has no wrapped key`)
  return row.wrapped
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

function keyError(code: ErrorCode, id: string, what: string, cause?: unknown): FieldsealError {
  return new FieldsealError(code, `DEK ${id} ${what}`, cause === undefined ? undefined : { cause })
}
