import { setImmediate } from 'node:timers/promises'
import { FieldsealError } from '../errors.js'
import {
  type KeyFilter,
  type KeyMerge,
  type KeyStore,
  type NewKey,
  type NextState,
  STATE_BEFORE,
  type StoredKey,
} from '../keys/keyStore.js'
import type { Purpose } from '../keys/kms.js'

/** How often each method of the store was called. */
export interface KeyStoreCalls {
  findNewest: number
  findByIds: number
  insert: number
  reserve: number
  list: number
  count: number
  rewrap: number
  advance: number
  merge: number
  destroy: number
}

/** A `KeyStore` in memory, with what a test wants to see and to break. */
export interface MemoryKeyStore extends KeyStore {
  /** Copies of the rows, in the order of their insertion. */
  readonly rows: readonly StoredKey[]
  readonly calls: KeyStoreCalls
  /** Changes a row behind everyone's back, as raw SQL would. Throws when there is no row with this id. */
  tamper(id: string, change: Partial<StoredKey>): void
  /** Deletes a row behind everyone's back. Throws when there is no row with this id. */
  remove(id: string): void
  /** Breaks the next `times` calls (for ever unless told), until `repair()`. */
  fail(options?: { method?: keyof KeyStoreCalls; times?: number; error?: Error }): void
  repair(): void
}

/**
 * A keys table in memory for tests. Every call takes a turn of the event loop, as a query does, so calls that are
 * started together interleave; `insert` and `reserve` themselves are atomic: of concurrent writers of one tenant,
 * purpose and version exactly one gets `true`. Several key rings may share one store, as several processes share one table.
 *
 * @example
 * ```ts
 * import { memoryKeyStore } from 'fieldseal/testing'
 *
 * const store = memoryKeyStore()
 * await store.findNewest('acme', 'encrypt') // null
 * store.calls.findNewest // 1
 * ```
 */
export function memoryKeyStore(
  initial: readonly StoredKey[] = [],
  options: { readonly now?: () => number } = {},
): MemoryKeyStore {
  return new MemoryTable(initial, options.now ?? Date.now)
}

class MemoryTable implements MemoryKeyStore {
  readonly calls: KeyStoreCalls = {
    findNewest: 0,
    findByIds: 0,
    insert: 0,
    reserve: 0,
    list: 0,
    count: 0,
    rewrap: 0,
    advance: 0,
    merge: 0,
    destroy: 0,
  }
  readonly #rows = new Map<string, StoredKey>()
  #fault: { method: keyof KeyStoreCalls | undefined; times: number; error: Error } | undefined

  constructor(
    initial: readonly StoredKey[],
    private readonly now: () => number,
  ) {
    for (const row of initial) this.#rows.set(row.id, { ...row })
  }

  get rows(): readonly StoredKey[] {
    return [...this.#rows.values()].map((row) => ({ ...row }))
  }

  async findNewest(tenant: string, purpose: Purpose): Promise<StoredKey | null> {
    await this.#query('findNewest')
    const ring = this.rows.filter((row) => row.tenant === tenant && row.purpose === purpose)
    return ring.toSorted((one, other) => other.version - one.version)[0] ?? null
  }

  async findByIds(ids: readonly string[]): Promise<StoredKey[]> {
    await this.#query('findByIds')
    const wanted = new Set(ids)
    return this.rows.filter((row) => wanted.has(row.id))
  }

  async insert(
    key: NewKey,
    { reopens = false, beside = false }: { readonly reopens?: boolean; readonly beside?: boolean } = {},
  ): Promise<boolean> {
    await this.#query('insert')
    const before = this.rows.find((row) => sameVersion(row, { ...key, version: key.version - 1 }))
    if (before?.state === 'destroyed' && !reopens) return false
    if (this.rows.some((row) => sameVersion(row, key))) return false
    if (this.#rows.has(key.id)) throw broken(`another row has the id ${key.id}`)
    if (beside && before?.state !== 'active') return false
    if (before?.state === 'active') this.tamper(before.id, { state: beside ? 'retiring' : 'retired' })
    this.#put(key)
    return true
  }

  #put(key: NewKey): void {
    const createdAt = new Date(this.now())
    this.#rows.set(key.id, { ...key, createdAt, destroyedAt: key.state === 'destroyed' ? createdAt : null })
  }

  async reserve(id: string, count: number, limit: number): Promise<number> {
    await this.#query('reserve')
    const row = this.#rows.get(id)
    if (row?.state !== 'active') return 0
    const granted = Math.max(0, Math.min(count, limit - row.messages))
    this.#rows.set(id, { ...row, messages: row.messages + granted })
    return granted
  }

  async list(filter: KeyFilter, page: { readonly after?: string | undefined; readonly limit: number }) {
    await this.#query('list')
    const { after = '', limit } = page
    const rows = this.rows.filter((row) => fits(row, filter) && row.id > after)
    return rows.sort((a, b) => (a.id < b.id ? -1 : 1)).slice(0, limit)
  }

  async count(filter: KeyFilter): Promise<number> {
    await this.#query('count')
    return this.rows.filter((row) => fits(row, filter)).length
  }

  async rewrap(key: StoredKey, to: Pick<NewKey, 'wrapped' | 'kms' | 'kekId'>): Promise<boolean> {
    await this.#query('rewrap')
    const row = this.#rows.get(key.id)
    if (row?.wrapped !== key.wrapped || row.state === 'destroyed') return false
    this.#rows.set(key.id, { ...row, ...to })
    return true
  }

  async advance(id: string, to: NextState): Promise<boolean> {
    await this.#query('advance')
    if (this.#rows.get(id)?.state !== STATE_BEFORE[to]) return false
    this.tamper(
      id,
      to === 'destroyed' ? { state: to, wrapped: null, destroyedAt: new Date(this.now()) } : { state: to },
    )
    return true
  }

  async merge(tenant: string, purpose: Purpose, plan: (rows: readonly StoredKey[]) => KeyMerge): Promise<void> {
    await this.#query('merge')
    const { changes, inserts } = plan(this.rows.filter((row) => row.tenant === tenant && row.purpose === purpose))
    for (const { id, revived, ...change } of changes) {
      this.tamper(id, { ...change, ...(revived && { ...revived, destroyedAt: null }) })
    }
    for (const { retiredAt: _, ...row } of inserts) {
      if (this.#rows.has(row.id) || this.rows.some((other) => sameVersion(row, other))) throw broken('a row is taken')
      this.#rows.set(row.id, row)
    }
  }

  async destroy(tenant: string, tombstones: readonly NewKey[]): Promise<StoredKey[]> {
    await this.#query('destroy')
    const isOwn = (row: StoredKey) => row.tenant === tenant && row.purpose !== 'wrap'
    const own = this.rows.filter(isOwn)
    if (own.length === 0) return []
    for (const { id, state } of own) {
      if (state !== 'destroyed')
        this.tamper(id, { state: 'destroyed', wrapped: null, destroyedAt: new Date(this.now()) })
    }
    for (const tombstone of tombstones) if (!own.some((row) => sameVersion(row, tombstone))) this.#put(tombstone)
    return this.rows.filter(isOwn)
  }

  tamper(id: string, change: Partial<StoredKey>): void {
    this.#rows.set(id, { ...this.#existing(id), ...change })
  }

  remove(id: string): void {
    this.#rows.delete(this.#existing(id).id)
  }

  fail(options: { method?: keyof KeyStoreCalls; times?: number; error?: Error } = {}): void {
    const { method, times = Number.POSITIVE_INFINITY, error = broken('it was told to fail') } = options
    this.#fault = { method, times, error }
  }

  repair(): void {
    this.#fault = undefined
  }

  async #query(method: keyof KeyStoreCalls): Promise<void> {
    this.calls[method] += 1
    await setImmediate()
    const fault = this.#fault
    if (!fault || fault.times <= 0 || (fault.method ?? method) !== method) return
    fault.times -= 1
    throw fault.error
  }

  #existing(id: string): StoredKey {
    const row = this.#rows.get(id)
    if (!row) throw new RangeError(`memoryKeyStore has no row with the id ${id}`)
    return row
  }
}

function sameVersion(a: NewKey, b: NewKey): boolean {
  return a.tenant === b.tenant && a.purpose === b.purpose && a.version === b.version
}

function fits(row: StoredKey, { tenants, purpose, states, before }: KeyFilter): boolean {
  const one = tenants === undefined || tenants.includes(row.tenant)
  const other = (purpose ?? row.purpose) === row.purpose && (states === undefined || states.includes(row.state))
  return one && other && (before === undefined || row.createdAt < before)
}

function broken(why: string): FieldsealError {
  return new FieldsealError('KEY_STORE_UNAVAILABLE', `The keys table could not be used: ${why}.`)
}
