import { FieldsealError } from '../errors.js'
import type { DekCache, ReadMark } from './cache/dekCache.js'
import { Dek, type ReplacedDek } from './dek.js'
import { newDekId, versionAfter } from './dekId.js'
import type { DestroyedKeys } from './destroyedKeys.js'
import type { Emit } from './events.js'
import { FirstKeys, lostKey } from './firstKeys.js'
import { keyError } from './keyError.js'
import {
  type KeyState,
  type KeyStore,
  type NewKey,
  REPLACED_STATES,
  type ReplacedState,
  type StoredKey,
} from './keyStore.js'
import type { KeyTraces } from './keyTraces.js'
import type { CountedPurpose, KeptIdentity, Kms, Purpose } from './kms.js'
import type { MessageQuota } from './quota/messageQuota.js'
import type { RotationPolicy } from './quota/rotation.js'
import type { Unwrapper } from './unwrapper.js'

/** There is one; more are somebody else's writing. */
const MOST_BESIDE = 10

export interface KeyVersionsOptions {
  readonly kms: Kms
  readonly store: KeyStore
  readonly cache: DekCache
  readonly unwrapper: Unwrapper
  readonly destroyed: DestroyedKeys
  readonly traces: KeyTraces | undefined
  readonly policy: RotationPolicy
  readonly counted: CountedPurpose
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Told when a new DEK has succeeded one that could have gone on. */
  readonly onRotated: (tenant: string) => void
  readonly emit: Emit | undefined
}

/** A key that is asked for. */
export interface KeyRequest {
  readonly tenant: string
  readonly purpose: Purpose
  /** The id of a DEK that is known to encrypt no more. */
  readonly spent: string | undefined
  /** The cache's mark from before the keys table was read. */
  readonly since: ReadMark
  /** Whether it may succeed a destroyed key. */
  readonly reopens?: boolean
}

/** The versions of a tenant's key: brings the newest into memory, or makes the one after it. */
export class KeyVersions {
  readonly #options: KeyVersionsOptions
  readonly #quota: MessageQuota
  readonly #firstKeys: FirstKeys

  constructor(options: KeyVersionsOptions, quota: MessageQuota) {
    this.#options = options
    this.#quota = quota
    this.#firstKeys = new FirstKeys(options)
  }

  /** The newest version, as the keys table shows it, if it may encrypt; otherwise its successor. */
  async useOrSucceed(request: KeyRequest, newest: StoredKey | null): Promise<Dek> {
    if (newest === null) return this.#first(request)
    const identity = { key: newest.id, purpose: request.purpose, tenant: request.tenant }
    if (this.#options.destroyed.includes(newest)) return this.use(newest, identity, request.since)
    if (newest.state === 'retired') return this.#succeedRetired(request, newest)
    if (isReplaced(newest.state)) throw withoutSuccessor(newest)
    if (this.#isSpent(request, newest)) return this.create(request, newest)
    if (newest.state === 'active' && this.#isOld(newest)) return this.#succeedOld(request, newest, identity)
    return this.use(newest, identity, request.since)
  }

  /** Whether a key that the keys table has no row of was there before. */
  async isLost(tenant: string, purpose: Purpose): Promise<boolean> {
    return (await this.#firstKeys.traceOf(tenant, purpose)) !== null
  }

  /** Once more after something was found: another process may have made the key, and rows by it, since. */
  async #first(request: KeyRequest): Promise<Dek> {
    const { tenant, purpose } = request
    const trace = await this.#firstKeys.traceOf(tenant, purpose)
    if (trace === null) return this.create(request, null)
    const newest = await this.#options.store.findNewest(tenant, purpose)
    if (newest === null) throw lostKey(tenant, purpose, trace)
    return this.useOrSucceed(request, newest)
  }

  async #succeedRetired(request: KeyRequest, retired: StoredKey): Promise<Dek> {
    if (request.purpose === 'index') throw withoutSuccessor(retired)
    return this.create(request, retired)
  }

  async #succeedOld(request: KeyRequest, old: StoredKey, identity: KeptIdentity): Promise<Dek> {
    try {
      const dek = await this.create(request, old)
      this.emitRotated(dek)
      return dek
    } catch (error) {
      if (!isOfKms(error)) throw error
      return this.use(old, identity, request.since)
    }
  }

  /** Brings the DEK of an active row into memory. */
  async use(row: StoredKey, identity: KeptIdentity, since: ReadMark): Promise<Dek> {
    const { unwrapper } = this.#options
    return this.#remember(await unwrapper.unwrap(row, identity, await this.#beside(row)), since)
  }

  /**
   * The older keys for indexes that are searched for still. They are asked for after the newest: who finds one that has no
   * successor yet needs none of them, and who finds the successor finds all that are.
   */
  async #beside({ tenant, purpose, version }: StoredKey): Promise<ReplacedDek[]> {
    if (purpose !== 'index' || version === 1) return []
    const { store, unwrapper } = this.#options
    const rows = await store.list({ tenants: [tenant], purpose, states: REPLACED_STATES }, { limit: MOST_BESIDE })
    const older = rows.filter((row) => row.version < version)
    return Promise.all(
      older.map(async (row) => {
        const dek = await unwrapper.unwrap(row, { key: row.id, purpose, tenant })
        return { dek, state: row.state as ReplacedState }
      }),
    )
  }

  /**
   * Has a new key for indexes stand beside the newest one.
   *
   * @returns whether it does: another process may have been first
   */
  async addBeside(newest: StoredKey): Promise<boolean> {
    const { tenant, purpose } = newest
    const { dek, row } = await this.#generate({ tenant, purpose }, versionAfter(newest))
    if (!(await this.#options.store.insert(row, { beside: true }))) return false
    this.#emitCreated(row, newest)
    this.emitRotated(dek)
    return true
  }

  /** The row of a new key, which is not stored. */
  async make(of: Pick<KeyRequest, 'tenant' | 'purpose'>, version: number): Promise<NewKey> {
    return (await this.#generate(of, version)).row
  }

  emitRotated({ tenant, id }: Dek): void {
    this.#options.onRotated(tenant)
    this.#options.emit?.({ type: 'key.rotated', tenant, key: id })
  }

  #remember(dek: Dek, since: ReadMark): Dek {
    this.#options.cache.addActive(dek, since)
    return dek
  }

  #isSpent({ purpose, spent }: KeyRequest, { id, state, messages }: StoredKey): boolean {
    if (purpose !== this.#options.counted || state !== 'active') return false
    return id === spent || (messages >= this.#options.policy.maxMessages && this.#quota.remaining(id) === 0)
  }

  #isOld({ purpose, createdAt }: StoredKey): boolean {
    const { counted, now, policy } = this.#options
    return purpose === counted && now() - createdAt.getTime() >= policy.rotateAfter
  }

  /**
   * Two processes may both come here: the keys table lets one win, and the other takes the winner's key, or, should
   * that be of no use by then, makes the version after it.
   */
  async create(request: KeyRequest, newest: StoredKey | null): Promise<Dek> {
    const { dek, row } = await this.#generate(request, versionAfter(newest))
    if (!(await this.#options.store.insert(row, { reopens: request.reopens ?? false })))
      return this.#useWinner(request, row)
    this.#quota.open(dek.id, row.messages)
    this.#firstKeys.noteMade(dek.id)
    this.#emitCreated(row, newest)
    return this.#remember(dek, request.since)
  }

  async #generate(
    { tenant, purpose }: Pick<KeyRequest, 'tenant' | 'purpose'>,
    version: number,
  ): Promise<{ readonly dek: Dek; readonly row: NewKey }> {
    const { kms } = this.#options
    const identity: KeptIdentity = { key: newDekId(version), purpose, tenant }
    const { dek: bytes, wrapped, kekId, kms: name = kms.name } = await kms.generate(identity)
    const dek = new Dek(identity, bytes)
    return { dek, row: this.#rowOf(dek, { wrapped, kms: name, kekId, version }) }
  }

  #emitCreated({ id: key, tenant, purpose, version }: NewKey, before: StoredKey | null): void {
    this.#options.emit?.({ type: 'key.created', tenant, purpose, key, version, previous: before?.version })
  }

  /** Its first block is reserved with its row. */
  #rowOf({ id, tenant, purpose }: Dek, rest: Pick<NewKey, 'wrapped' | 'kms' | 'kekId' | 'version'>): NewKey {
    const messages = purpose === this.#options.counted ? this.#quota.block : 0
    return { id, tenant, purpose, state: 'active', messages, ...rest }
  }

  async #useWinner(request: KeyRequest, lost: NewKey): Promise<Dek> {
    const winner = await this.#options.store.findNewest(request.tenant, request.purpose)
    if (winner === null || (winner.version < lost.version && winner.state !== 'destroyed')) {
      const what = 'lost to a row that cannot be read back: let the keys table be read where it is written'
      throw keyError('KEY_STORE_UNAVAILABLE', lost.id, what)
    }
    return this.useOrSucceed(request, winner)
  }
}

function isReplaced(state: KeyState): state is ReplacedState {
  return REPLACED_STATES.some((replaced) => replaced === state)
}

function withoutSuccessor({ id, state }: StoredKey): FieldsealError {
  const what =
    `is ${state} in its row, and no other has succeeded it: a new one for indexes would find nothing that this one made. ` +
    'Compare the row with a backup, and set its state to active again'
  return keyError('KEY_INVALID', id, what)
}

function isOfKms(error: unknown): boolean {
  return FieldsealError.is(error) && error.code.startsWith('KMS_')
}
