import type { ActiveKeys } from '../../keys/activeKeys.js'
import type { HeldKeys } from '../../keys/heldKeys.js'
import type { CopiedKey, KeyMerge, KeyStore, NewKey, StoredKey } from '../../keys/keyStore.js'
import type { Kms, Purpose } from '../../keys/kms.js'
import { checkCopied, openCopied } from './copiedKeyCheck.js'
import { isKeyFailure, type KeyFailure, onKeys } from './keyWalk.js'
import { mergeKeys, type PlannedMerge, shredOf, withIndexKey } from './mergeKeys.js'
import type { RestoreKeysOptions, RestoreKeysReport } from './restoreOptions.js'

export type { RestoreKeysOptions, RestoreKeysReport } from './restoreOptions.js'

export interface RestoreContext {
  readonly kms: Kms
  readonly store: KeyStore
  readonly active: ActiveKeys
  readonly held: HeldKeys
  /** Has other processes look into the keys table for a tenant's keys. */
  readonly announceRetired: (tenant: string) => void
}

/** Decrypt of Tencent's lowest tier, which all processes share: 300 a second. */
const RATE = 200
const PAGE = 1000
/** Ids and tenants in one query. */
const CHUNK = 500

/** The keys of one tenant and purpose. */
interface Ring<Key extends StoredKey = CopiedKey> {
  readonly tenant: string
  readonly purpose: Purpose
  readonly keys: Key[]
}

/**
 * Merges the rows of a copy into the keys table, beside a running app. Nothing is taken away: keys that were made since
 * the table lost others stay readable, what is destroyed stays so, and keys of the table that the copy does not have stay
 * as they are. It can be done again, and goes on where it broke off.
 *
 * @throws FieldsealError `KEY_STORE_UNAVAILABLE`, `KMS_*`, the signal's reason; what is wrong with one key is in `failed`
 */
export async function restoreKeys(context: RestoreContext, options: RestoreKeysOptions): Promise<RestoreKeysReport> {
  return new KeyRestore(context, options).run()
}

class KeyRestore {
  readonly #failed: KeyFailure[] = []
  readonly #shredded = new Set<string>()
  readonly #reindex = new Set<string>()
  readonly #counts = { inserted: 0, unchanged: 0, updated: 0, renumbered: 0, keptDestroyed: 0 }
  readonly #shreddedAt = new Map<string, Date>()

  constructor(
    private readonly context: RestoreContext,
    private readonly options: RestoreKeysOptions,
  ) {}

  async run(): Promise<RestoreKeysReport> {
    const { keys, tenants } = this.options
    const chosen = keys.filter(({ tenant, purpose }) => !tenants || purpose === 'wrap' || tenants.includes(tenant))
    const sound = await this.#sound(chosen)
    // Keys that wrap others are there before those are opened.
    for (const isWrap of [true, false]) {
      const some = sound.filter(({ key }) => (key.purpose === 'wrap') === isWrap)
      await this.#merge(ringsOf(await this.#opened(some)))
    }
    const [shredded, reindex] = [[...this.#shredded].sort(), [...this.#reindex].sort()]
    return { ...this.#counts, shredded, reindex, failed: this.#failed }
  }

  /** Those that can be what they say, with the rows of the table that have their ids. */
  async #sound(keys: readonly CopiedKey[]): Promise<{ key: CopiedKey; stored: StoredKey | undefined }[]> {
    const sound: { key: CopiedKey; stored: StoredKey | undefined }[] = []
    for (let i = 0; i < keys.length; i += CHUNK) {
      const chunk = keys.slice(i, i + CHUNK)
      const found = await this.context.store.findByIds(chunk.map(({ id }) => id))
      const stored = new Map(found.map((row) => [row.id, row]))
      for (const key of chunk) {
        try {
          checkCopied(key, stored.get(key.id))
          sound.push({ key, stored: stored.get(key.id) })
        } catch (error) {
          this.#fail(key, error)
        }
      }
    }
    return sound
  }

  /** Without those that the KMS does not open. What the table has already is not asked for. */
  async #opened(keys: readonly { key: CopiedKey; stored: StoredKey | undefined }[]): Promise<CopiedKey[]> {
    const { verify = true, rate = RATE, concurrency, signal, onProgress } = this.options
    const wraps = new Set(this.options.keys.filter(({ purpose }) => purpose === 'wrap').map(({ id }) => id))
    const isAsked = ({ key, stored }: (typeof keys)[number]) =>
      verify && key.wrapped !== null && (!stored || this.#undoes(key.tenant)) && !this.#isYetToCome(key, wraps)
    const asked = keys.filter(isAsked)
    const refused = new Set<CopiedKey>()
    let done = 0
    await onKeys(asked, { rate, concurrency, signal }, async ({ key }) => {
      await openCopied(this.context.kms, key).catch((error: unknown) => {
        this.#fail(key, error)
        refused.add(key)
      })
      done += 1
      onProgress?.({ done, total: asked.length })
    })
    return keys.map(({ key }) => key).filter((key) => !refused.has(key))
  }

  /** In a dry run, the table lacks the keys of the copy that wrap others. */
  #isYetToCome({ kekId }: CopiedKey, wraps: ReadonlySet<string>): boolean {
    return this.options.dryRun === true && wraps.has(kekId)
  }

  async #merge(rings: readonly Ring[]): Promise<void> {
    const { signal } = this.options
    this.#noteShreds(rings.flatMap(({ keys }) => keys))
    for (let i = 0; i < rings.length; i += CHUNK) {
      const chunk = rings.slice(i, i + CHUNK)
      const stored = await this.#stored(chunk)
      this.#noteShreds(stored)
      await onKeys(chunk, { rate: Number.POSITIVE_INFINITY, concurrency: undefined, signal }, async (ring) => {
        const own = stored.filter(({ tenant, purpose }) => tenant === ring.tenant && purpose === ring.purpose)
        await this.#mergeRing(ring, own)
      })
    }
  }

  async #stored(rings: readonly Ring[]): Promise<StoredKey[]> {
    const filter = { tenants: [...new Set(rings.map(({ tenant }) => tenant))] }
    const found: StoredKey[] = []
    for (let after: string | undefined; ; ) {
      const rows = await this.context.store.list(filter, { after, limit: PAGE })
      found.push(...rows)
      after = rows.at(-1)?.id
      if (rows.length < PAGE) return found
    }
  }

  /** As one table tells: the copy, or a part of the one that there is. */
  #noteShreds(keys: readonly StoredKey[]): void {
    for (const { tenant, keys: own } of ringsOf(keys.filter(({ purpose }) => purpose === 'encrypt'))) {
      const at = shredOf(own)
      if (at && at > (this.#shreddedAt.get(tenant) ?? new Date(0))) this.#shreddedAt.set(tenant, at)
    }
  }

  async #mergeRing(ring: Ring, stored: readonly StoredKey[]): Promise<void> {
    const { context, options } = this
    const { tenant, purpose } = ring
    let planned = this.#plan(ring, stored)
    if (!options.dryRun && planned.changes.length + planned.inserts.length > 0) {
      for (let isDone = false; !isDone; ) {
        const key = await this.#indexKey(ring, planned.newVersion)
        await context.store.merge(tenant, purpose, (rows) => {
          planned = this.#plan(ring, rows)
          // Somebody has made a key meanwhile: another number is needed.
          isDone = planned.newVersion === (key?.version ?? 0)
          return isDone ? merged(planned, key) : NOTHING
        })
      }
      if (planned.changes.length > 0 || planned.newVersion > 0) {
        context.held.retire(tenant)
        context.announceRetired(tenant)
      }
    }
    this.#count(ring, planned)
  }

  /** Made by the KMS before any transaction begins. */
  #indexKey({ tenant, purpose }: Ring, version: number): Promise<NewKey> | undefined {
    return version > 0 ? this.context.active.make({ tenant, purpose }, version) : undefined
  }

  #plan({ tenant, keys: copied, purpose }: Ring, stored: readonly StoredKey[]): PlannedMerge {
    const shreddedAt = purpose === 'wrap' ? null : (this.#shreddedAt.get(tenant) ?? null)
    return mergeKeys({ stored, copied, shreddedAt, undoesShred: this.#undoes(tenant) })
  }

  #count({ tenant, keys }: Ring, planned: PlannedMerge): void {
    const { inserts, changes, renumbered, keptDestroyed, destroyedInCopy, there, isRotating } = planned
    const changed = new Set(changes.map(({ id }) => id))
    const updated = there.filter((id) => changed.has(id)).length
    // One that becomes destroyed by being put back counts as kept so.
    const usable = new Set(keys.filter(({ wrapped }) => wrapped !== null).map(({ id }) => id))
    this.#counts.inserted += inserts.filter(({ id, wrapped }) => wrapped !== null || !usable.has(id)).length
    this.#counts.updated += updated
    this.#counts.renumbered += renumbered
    this.#counts.keptDestroyed += keptDestroyed
    this.#counts.unchanged += there.length - updated
    if (destroyedInCopy > 0) this.#shredded.add(tenant)
    if (isRotating) this.#reindex.add(tenant)
  }

  #undoes(tenant: string): boolean {
    return this.options.undoShred?.includes(tenant) ?? false
  }

  #fail({ tenant, id }: CopiedKey, error: unknown): void {
    if (!isKeyFailure(error)) throw error
    this.#failed.push({ tenant, key: id, error })
  }
}

const NOTHING: KeyMerge = { changes: [], inserts: [] }

function merged(planned: PlannedMerge, key: NewKey | undefined): KeyMerge {
  return key ? withIndexKey(planned, key) : planned
}

function ringsOf<Key extends StoredKey>(keys: readonly Key[]): Ring<Key>[] {
  const rings = new Map<string, Ring<Key>>()
  for (const key of keys) {
    const name = `${key.purpose} ${key.tenant}`
    const ring = rings.get(name) ?? { tenant: key.tenant, purpose: key.purpose, keys: [] }
    rings.set(name, ring)
    ring.keys.push(key)
  }
  return [...rings.values()]
}
