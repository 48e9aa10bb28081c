import { randomUUID } from 'node:crypto'
import { FieldsealError } from '../errors.js'
import { Dek } from './dek.js'
import type { DekCache } from './dekCache.js'
import { encryptionContext } from './encryptionContext.js'
import type { Emit } from './events.js'
import { keyError } from './keyError.js'
import type { KeyStore, NewKey, StoredKey } from './keyStore.js'
import type { CountedPurpose, DekIdentity, Kms, Purpose } from './kms.js'
import { Ledger } from './ledger.js'
import { isOutage } from './outage.js'
import { blockOf, type RotationPolicy } from './rotation.js'
import { SingleFlight } from './singleFlight.js'
import type { Unwrapper } from './unwrapper.js'

const NIL_UUID = '00000000-0000-0000-0000-000000000000'
/** Blocks below this are not reserved ahead: the spare could be as large as the need. */
const AHEAD = 1024

/** The right to encrypt `count` messages under a DEK, which is counted as used. */
export interface Allotment {
  readonly dek: Dek
  readonly count: number
}

export interface ActiveKeysOptions {
  readonly kms: Kms
  readonly store: KeyStore
  readonly cache: DekCache
  readonly unwrapper: Unwrapper
  readonly policy: RotationPolicy
  readonly counted: CountedPurpose
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Told when a new DEK has succeeded one that could have gone on. */
  readonly onRotated: (tenant: string) => void
  readonly emit: Emit | undefined
}

/** The tenants' active DEKs: finds them, makes them, counts what they encrypt, and lets new ones succeed them. */
export class ActiveKeys {
  readonly #options: ActiveKeysOptions
  readonly #ledger: Ledger
  readonly #counted: CountedPurpose
  readonly #block: number
  /** Below it the next block is reserved, behind the operation that sees it. */
  readonly #low: number
  readonly #flights = new SingleFlight<Dek>()
  readonly #opens = new SingleFlight<void>()
  readonly #reservations = new SingleFlight<number>()

  constructor(options: ActiveKeysOptions) {
    this.#options = options
    this.#counted = options.counted
    this.#block = blockOf(options.policy)
    this.#low = this.#block < AHEAD ? 0 : this.#block / 4
    this.#ledger = new Ledger(options.cache.max)
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

  async active(tenant: string, purpose: Purpose): Promise<Dek> {
    return this.cached(tenant, purpose) ?? this.#activate(tenant, purpose)
  }

  /** Has the next messages of a tenant need neither keys table nor KMS. */
  async prepare(tenant: string, purpose: Purpose): Promise<void> {
    const dek = await this.active(tenant, purpose)
    if (purpose === this.#counted && this.#ledger.left(dek.id) <= this.#low) await this.#extend(dek)
  }

  /** The right to encrypt `count` messages, if memory has it. */
  take(tenant: string, count: number): Allotment[] | undefined {
    const dek = this.cached(tenant, this.#counted)
    const left = dek ? this.#ledger.take(dek.id, count) : undefined
    if (!dek || left === undefined) return undefined
    if (left < this.#low) this.#extend(dek).catch(() => undefined)
    return [{ dek, count }]
  }

  /** The right to encrypt `count` messages, under as many DEKs as their limits ask for. */
  async allot(tenant: string, count: number): Promise<Allotment[]> {
    const allotments: Allotment[] = []
    let dek = await this.active(tenant, this.#counted)
    for (let missing = count; missing > 0; ) {
      const drawn = this.#ledger.takeUpTo(dek.id, missing)
      if (drawn > 0) allotments.push({ dek, count: drawn })
      else if ((await this.#reserve(dek.id, missing)) === 0) dek = await this.#successor(dek)
      missing -= drawn
    }
    return allotments
  }

  /** Brings the DEK of an active row into memory, unless it is there. */
  async adopt(row: StoredKey): Promise<boolean> {
    const { id: key, tenant, purpose } = row
    if (this.cached(tenant, purpose)) return false
    await this.#use(row, { key, tenant, purpose }, this.#options.cache.now())
    return true
  }

  /** Brings the active DEK for `encrypt` into memory, if there is one; makes none. */
  async open(tenant: string): Promise<void> {
    const running = this.#flights.get(`encrypt ${tenant}`)
    await (running ?? this.#opens.run(tenant, () => this.#openNewest(tenant)))
  }

  async #openNewest(tenant: string): Promise<void> {
    const since = this.#options.cache.now()
    const newest = await this.#options.store.findNewest(tenant, 'encrypt')
    if (newest?.state === 'active') await this.#use(newest, { key: newest.id, purpose: 'encrypt', tenant }, since)
  }

  /** Outside the caller's transaction: a rollback must not give messages back that were encrypted. */
  #reserve(id: string, wanted: number): Promise<number> {
    if (this.#ledger.isClosed(id)) return Promise.resolve(0)
    return this.#reservations.run(id, async () => {
      const count = Math.max(this.#block, wanted)
      const granted = await this.#options.store.reserve(id, count, this.#options.policy.maxMessages)
      this.#ledger.add(id, granted, granted < count)
      return granted
    })
  }

  async #extend(dek: Dek): Promise<void> {
    if ((await this.#reserve(dek.id, 0)) === 0) await this.#successor(dek)
  }

  /** The DEK after one that can encrypt no more. */
  #successor({ id, tenant }: Pick<Dek, 'id' | 'tenant'>): Promise<Dek> {
    const current = this.#options.cache.active(tenant, this.#counted)
    if (current && current.id !== id) return Promise.resolve(current)
    return this.#activate(tenant, this.#counted, id)
  }

  #activate(tenant: string, purpose: Purpose, spent?: string): Promise<Dek> {
    return this.#flights.run(`${purpose} ${tenant}`, async () => {
      encryptionContext({ key: NIL_UUID, purpose, tenant })
      const since = this.#options.cache.now()
      try {
        const newest = await this.#options.store.findNewest(tenant, purpose)
        return await this.#useOrSucceed({ tenant, purpose, spent, since }, newest)
      } catch (error) {
        return this.#serveOn({ tenant, purpose, spent, since }, error)
      }
    })
  }

  /** What is in memory, when a KMS or a keys table that is down is all that stands against it. */
  #serveOn({ tenant, purpose, spent }: Wanted, error: unknown): Dek {
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
   * @throws FieldsealError `KEY_DESTROYED`, `KEY_STORE_UNAVAILABLE`, `KMS_*`
   */
  async rotate(tenant: string, id: string): Promise<Dek> {
    for (;;) {
      const dek = await this.#successor({ id, tenant })
      if (dek.id === id) continue
      this.#tellRotated(dek)
      return dek
    }
  }

  #tellRotated({ tenant, id }: Dek): void {
    this.#options.onRotated(tenant)
    this.#options.emit?.({ type: 'key.rotated', tenant, key: id })
  }

  /**
   * Makes new keys for a tenant whose keys were destroyed.
   *
   * @returns the purposes that had a destroyed key
   */
  async reopen(tenant: string): Promise<Purpose[]> {
    const { store, cache } = this.#options
    const purposes: Purpose[] = []
    for (const purpose of ['encrypt', 'index'] as const) {
      const newest = await store.findNewest(tenant, purpose)
      if (newest?.state !== 'destroyed') continue
      await this.#create({ tenant, purpose, spent: undefined, since: cache.now(), reopens: true }, newest)
      purposes.push(purpose)
    }
    return purposes
  }

  /** Drops what is in memory of a tenant's keys, and has nobody wait for what is on its way. */
  forget(): void {
    this.#opens.forget()
    this.#flights.forget()
  }

  async #useOrSucceed(wanted: Wanted, newest: StoredKey | null): Promise<Dek> {
    const identity = newest && { key: newest.id, purpose: wanted.purpose, tenant: wanted.tenant }
    if (!identity || newest.state === 'retired' || this.#isSpent(wanted, newest)) return this.#create(wanted, newest)
    if (newest.state === 'active' && this.#isOld(newest)) {
      return this.#succeedOld(wanted, newest, identity)
    }
    return this.#use(newest, identity, wanted.since)
  }

  async #succeedOld(wanted: Wanted, old: StoredKey, identity: DekIdentity): Promise<Dek> {
    try {
      const dek = await this.#create(wanted, old)
      this.#tellRotated(dek)
      return dek
    } catch (error) {
      if (!isOfKms(error)) throw error
      return this.#use(old, identity, wanted.since)
    }
  }

  async #use(row: StoredKey, identity: DekIdentity, since: number): Promise<Dek> {
    return this.#remember(await this.#options.unwrapper.unwrap(row, identity), since)
  }

  #remember(dek: Dek, since: number): Dek {
    this.#options.cache.addActive(dek, since)
    return dek
  }

  #isSpent({ purpose, spent }: Wanted, { id, state, messages }: StoredKey): boolean {
    if (purpose !== this.#counted || state !== 'active') return false
    return id === spent || (messages >= this.#options.policy.maxMessages && this.#ledger.left(id) === 0)
  }

  #isOld({ purpose, createdAt }: StoredKey): boolean {
    const { now, policy } = this.#options
    return purpose === this.#counted && now() - createdAt.getTime() >= policy.rotateAfter
  }

  /**
   * Two processes may both come here: the keys table lets one win, and the other takes the winner's key, or, should
   * that be of no use by then, makes the version after it.
   */
  async #create(wanted: Wanted, newest: StoredKey | null): Promise<Dek> {
    const { kms, store } = this.#options
    const identity: DekIdentity = { key: randomUUID(), purpose: wanted.purpose, tenant: wanted.tenant }
    const { dek: bytes, wrapped, kekId, kms: name = kms.name } = await kms.generate(identity)
    const dek = new Dek(identity, bytes)
    const row = this.#rowOf(dek, { wrapped, kms: name, kekId, version: (newest?.version ?? 0) + 1 })
    if (!(await store.insert(row, { reopens: wanted.reopens ?? false }))) return this.#useWinner(wanted, row)
    this.#ledger.add(dek.id, row.messages, row.messages === this.#options.policy.maxMessages)
    this.#tellCreated(row, newest)
    return this.#remember(dek, wanted.since)
  }

  #tellCreated({ id: key, tenant, purpose, version }: NewKey, before: StoredKey | null): void {
    this.#options.emit?.({ type: 'key.created', tenant, purpose, key, version, previous: before?.version })
  }

  /** Its first block is reserved with its row. */
  #rowOf({ id, tenant, purpose }: Dek, rest: Pick<NewKey, 'wrapped' | 'kms' | 'kekId' | 'version'>): NewKey {
    return { id, tenant, purpose, state: 'active', messages: purpose === this.#counted ? this.#block : 0, ...rest }
  }

  async #useWinner(wanted: Wanted, lost: NewKey): Promise<Dek> {
    const winner = await this.#options.store.findNewest(wanted.tenant, wanted.purpose)
    if (winner === null || (winner.version < lost.version && winner.state !== 'destroyed')) {
      const what = 'lost to a row that cannot be read back: let the keys table be read where it is written'
      throw keyError('KEY_STORE_UNAVAILABLE', lost.id, what)
    }
    return this.#useOrSucceed(wanted, winner)
  }
}

interface Wanted {
  readonly tenant: string
  readonly purpose: Purpose
  /** The id of a DEK that is known to encrypt no more. */
  readonly spent: string | undefined
  /** The cache's mark from before the keys table was read. */
  readonly since: number
  /** Whether it may succeed a destroyed key. */
  readonly reopens?: boolean
}

function isOfKms(error: unknown): boolean {
  return FieldsealError.is(error) && error.code.startsWith('KMS_')
}
