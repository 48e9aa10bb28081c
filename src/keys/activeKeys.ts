import { FieldsealError } from '../errors.js'
import { isOutage } from './cache/outage.js'
import { SingleFlight } from './cache/singleFlight.js'
import type { Dek } from './dek.js'
import { encryptionContext } from './encryptionContext.js'
import { type NewKey, REPLACED_STATES, type StoredKey } from './keyStore.js'
import { type KeyRequest, KeyVersions, type KeyVersionsOptions } from './keyVersions.js'
import type { Purpose } from './kms.js'
import { MessageQuota } from './quota/messageQuota.js'

const NIL_UUID = '00000000-0000-0000-0000-000000000000'

/** The right to encrypt `count` messages under a DEK, which is counted as used. */
export interface Allotment {
  readonly dek: Dek
  readonly count: number
}

/**
 * The tenants' active DEKs: finds them, counts what they encrypt, and lets new ones succeed them. An answer from memory is
 * given at once, any other as a promise, so that a warm path awaits nothing.
 */
export class ActiveKeys {
  readonly #options: KeyVersionsOptions
  readonly #quota: MessageQuota
  readonly #versions: KeyVersions
  readonly #flights = new SingleFlight<Dek>()
  readonly #opens = new SingleFlight<void>()

  constructor(options: KeyVersionsOptions) {
    const { store, policy, cache } = options
    this.#options = options
    this.#quota = new MessageQuota({ store, policy, max: cache.max })
    this.#versions = new KeyVersions(options, this.#quota)
  }

  /**
   * The active DEK if it is in memory. One that is used is fetched again, or succeeded, before its time is over and
   * behind its users: interactive transactions that hold all connections could otherwise never get one. It is tried
   * once; if that fails, the DEK serves until its time in memory is over, and is then asked for as any other.
   */
  cached(tenant: string, purpose: Purpose): Dek | undefined {
    return this.#options.cache.active(tenant, purpose, () => {
      this.#activate(tenant, purpose).catch(() => undefined)
    })
  }

  /**
   * The active DEK; the first one is made and stored before it is returned. Who encrypts with it asks for an allotment
   * instead.
   *
   * @throws FieldsealError `TENANT_INVALID`, `KEY_DESTROYED`, `KEY_INVALID`, `KEY_STORE_UNAVAILABLE`, `KMS_*`
   */
  async get(tenant: string, purpose: Purpose): Promise<Dek> {
    return this.cached(tenant, purpose) ?? this.#activate(tenant, purpose)
  }

  /** As `get`, and has the next messages of a tenant need neither keys table nor KMS. */
  async prepare(tenant: string, purpose: Purpose): Promise<void> {
    const dek = await this.get(tenant, purpose)
    if (purpose !== this.#options.counted) return
    if (this.#quota.remaining(dek.id) <= this.#quota.lowMark) await this.#extend(dek)
  }

  /** The right to encrypt `count` messages, if memory has it. It is spent, used or not. */
  take(tenant: string, count: number): readonly Allotment[] | undefined {
    const dek = this.cached(tenant, this.#options.counted)
    const left = dek ? this.#quota.take(dek.id, count) : undefined
    if (!dek || left === undefined) return undefined
    if (left < this.#quota.lowMark) this.#extend(dek).catch(() => undefined)
    return [{ dek, count }]
  }

  /**
   * The right to encrypt `count` messages, under one DEK or, where its limit ends, several. It is spent, used or not.
   *
   * @throws FieldsealError as `get`
   */
  async allot(tenant: string, count: number): Promise<readonly Allotment[]> {
    const allotments: Allotment[] = []
    let dek = await this.get(tenant, this.#options.counted)
    for (let missing = count; missing > 0; ) {
      const drawn = this.#quota.takeUpTo(dek.id, missing)
      if (drawn > 0) allotments.push({ dek, count: drawn })
      else if ((await this.#quota.reserve(dek.id, missing)) === 0) dek = await this.#successor(dek)
      missing -= drawn
    }
    return allotments
  }

  /**
   * Brings the DEK of an active row into memory.
   *
   * @returns whether it was not there
   */
  async adopt(row: StoredKey): Promise<boolean> {
    const { id: key, tenant, purpose } = row
    if (this.cached(tenant, purpose)) return false
    await this.#versions.use(row, { key, tenant, purpose }, this.#options.cache.readMark())
    return true
  }

  /**
   * Brings the active DEK for `encrypt` into memory, if there is one; makes none.
   *
   * @throws FieldsealError `KEY_INVALID`, `KEY_STORE_UNAVAILABLE`, `KMS_*`
   */
  async open(tenant: string): Promise<void> {
    const running = this.#flights.get(`encrypt ${tenant}`)
    await (running ?? this.#opens.run(tenant, () => this.#openNewest(tenant)))
  }

  async #openNewest(tenant: string): Promise<void> {
    const since = this.#options.cache.readMark()
    const newest = await this.#options.store.findNewest(tenant, 'encrypt')
    if (newest?.state !== 'active') return
    await this.#versions.use(newest, { key: newest.id, purpose: 'encrypt', tenant }, since)
  }

  async #extend(dek: Dek): Promise<void> {
    if ((await this.#quota.reserve(dek.id, 0)) === 0) await this.#successor(dek)
  }

  /** The DEK after one that can encrypt no more. */
  #successor({ id, tenant }: Pick<Dek, 'id' | 'tenant'>): Promise<Dek> {
    const { cache, counted } = this.#options
    const current = cache.active(tenant, counted)
    if (current && current.id !== id) return Promise.resolve(current)
    return this.#activate(tenant, counted, id)
  }

  #activate(tenant: string, purpose: Purpose, spent?: string): Promise<Dek> {
    return this.#flights.run(`${purpose} ${tenant}`, async () => {
      encryptionContext({ key: NIL_UUID, purpose, tenant })
      const request: KeyRequest = { tenant, purpose, spent, since: this.#options.cache.readMark() }
      try {
        const newest = await this.#options.store.findNewest(tenant, purpose)
        return await this.#versions.useOrSucceed(request, newest)
      } catch (error) {
        return this.#useCached(request, error)
      }
    })
  }

  /** What is in memory, when a KMS or a keys table that is down is all that stands against it. */
  #useCached({ tenant, purpose, spent }: KeyRequest, error: unknown): Dek {
    const { cache, emit } = this.#options
    if (FieldsealError.is(error, 'KEY_DESTROYED') && cache.evict(tenant)) emit?.({ type: 'key.evicted', tenant })
    const dek = isOutage(error) ? cache.extendActive(tenant, purpose) : undefined
    if (!dek || dek.id === spent) throw error
    emit?.({ type: 'key.stale', tenant, key: dek.id, code: (error as FieldsealError).code })
    return dek
  }

  /**
   * Has a new DEK succeed the one with this id, unless another one has already.
   *
   * @throws FieldsealError as `get`
   */
  async rotate(tenant: string, id: string): Promise<Dek> {
    for (;;) {
      const dek = await this.#successor({ id, tenant })
      if (dek.id === id) continue
      this.#versions.emitRotated(dek)
      return dek
    }
  }

  /**
   * Has a new key for indexes stand beside a tenant's present one, under which tokens are made, too, until it is retired.
   *
   * @returns whether it does; not where there is none, or where an earlier rotation has not ended
   */
  async besideIndex(tenant: string): Promise<boolean> {
    const { store, destroyed } = this.#options
    const newest = await store.findNewest(tenant, 'index')
    if (newest?.state !== 'active' || destroyed.includes(newest)) return false
    const older = await store.list(
      { tenants: [tenant], purpose: 'index', states: [...REPLACED_STATES, 'retired'] },
      { limit: 1 },
    )
    return older.length === 0 && this.#versions.addBeside(newest)
  }

  /**
   * Makes a key of a version that the keys table does not have yet, and leaves it to the caller to store it.
   *
   * @throws FieldsealError `KMS_*`, `TENANT_INVALID`
   */
  make(of: Pick<KeyRequest, 'tenant' | 'purpose'>, version: number): Promise<NewKey> {
    return this.#versions.make(of, version)
  }

  /**
   * Makes new keys for a tenant whose keys were destroyed, or are lost: all that are for values, at least.
   *
   * @returns the purposes that had a destroyed or a lost key
   */
  async reopen(tenant: string): Promise<Purpose[]> {
    const { store, cache, destroyed } = this.#options
    const newest = {
      encrypt: await store.findNewest(tenant, 'encrypt'),
      index: await store.findNewest(tenant, 'index'),
    }
    const isLost = async (purpose: Purpose) => newest.encrypt === null && this.#versions.isLost(tenant, purpose)
    const purposes: Purpose[] = []
    for (const purpose of ['encrypt', 'index'] as const) {
      const before = newest[purpose]
      if (!(before === null ? await isLost(purpose) : destroyed.includes(before))) continue
      await this.#versions.create({ tenant, purpose, spent: undefined, since: cache.readMark(), reopens: true }, before)
      purposes.push(purpose)
    }
    return purposes
  }

  /** Drops what is in memory of a tenant's keys, and has nobody wait for what is on its way. */
  forget(): void {
    this.#opens.forget()
    this.#flights.forget()
  }
}
