import type { Purpose } from './kms.js'

/**
 * `active` encrypts and decrypts, `retired` only decrypts, `destroyed` is gone. Between these two, a key for indexes that is
 * rotated has a successor, and searches ask for what either made: while it is `retiring`, tokens are made under both, and
 * blind indexes under it alone; once it is `replaced`, blind indexes are made under its successor.
 */
export type KeyState = 'active' | ReplacedState | 'retired' | 'destroyed'

/** In the order in which a key goes through them. */
export const KEY_STATES: readonly KeyState[] = ['active', 'retiring', 'replaced', 'retired', 'destroyed']

/** What a key for indexes may be while another has its place already and both are searched for. */
export const REPLACED_STATES = ['retiring', 'replaced'] as const

export type ReplacedState = (typeof REPLACED_STATES)[number]

/** The states that a rotation of a key for indexes leads to, one after the other, once it has a successor. */
export type NextState = 'replaced' | 'retired' | 'destroyed'

export const STATE_BEFORE = { replaced: 'retiring', retired: 'replaced', destroyed: 'retired' } as const

/** A row of the keys table as it is first written. */
export interface NewKey {
  readonly id: string
  readonly tenant: string
  readonly purpose: Purpose
  /** 1, 2, 3 … per tenant and purpose. */
  readonly version: number
  readonly state: KeyState
  /** null once destroyed. */
  readonly wrapped: string | null
  /** The name of the `Kms` that wrapped it. */
  readonly kms: string
  readonly kekId: string
  /** Encryptions reserved so far. */
  readonly messages: number
}

/** A row of the keys table. */
export interface StoredKey extends NewKey {
  readonly createdAt: Date
  readonly destroyedAt: Date | null
}

/** A row of a copy of the keys table. */
export interface CopiedKey extends StoredKey {
  readonly retiredAt: Date | null
}

/** What becomes of a row by a merge; what is left out stays. */
export interface MergedKey {
  readonly id: string
  readonly version?: number
  readonly state?: Exclude<KeyState, 'destroyed'>
  readonly messages?: number
  /** Of a key that is not destroyed any more. */
  readonly revived?: Pick<CopiedKey, 'wrapped' | 'kms' | 'kekId'>
}

/** What a merge does with the rows of one tenant and purpose: first the changes, in their order. */
export interface KeyMerge {
  readonly changes: readonly MergedKey[]
  readonly inserts: readonly CopiedKey[]
}

/** Which rows a walk over the keys table sees: all that fit every member that is given. */
export interface KeyFilter {
  readonly tenants?: readonly string[]
  readonly purpose?: Purpose
  readonly states?: readonly KeyState[]
  /** Created before this time. */
  readonly before?: Date
}

/**
 * The seam to the keys table. It works outside the caller's transactions, so that a rollback cannot lose a key.
 * Absent is `null` or a missing element; broken is thrown.
 */
export interface KeyStore {
  /** The newest version of the tenant's key for this purpose, whatever its state; `null` when there is none. */
  findNewest(tenant: string, purpose: Purpose): Promise<StoredKey | null>
  /** The rows with these ids, in any order; unknown ids are left out. */
  findByIds(ids: readonly string[]): Promise<StoredKey[]>
  /**
   * Inserts if no row has the same tenant, purpose and version yet, and in the same transaction retires the version
   * before, or with `beside` has it `retiring`; `false` when another writer was first, or, unless `reopens`, when the
   * version before is destroyed.
   */
  insert(key: NewKey, options?: { readonly reopens?: boolean; readonly beside?: boolean }): Promise<boolean>
  /**
   * Adds `count` to the `messages` of an active key in one atomic step, or as much of it as stays within `limit`; gives
   * what was added. 0: the key is no longer active, or its limit is reached.
   */
  reserve(id: string, count: number, limit: number): Promise<number>
  /** The first `limit` rows that fit, in the order of their ids, after the id `after`. */
  list(filter: KeyFilter, page: { readonly after?: string | undefined; readonly limit: number }): Promise<StoredKey[]>
  count(filter: KeyFilter): Promise<number>
  /** Puts another wrapped text in place of the one in `key`; `false` when the row has changed since. */
  rewrap(key: StoredKey, to: Pick<NewKey, 'wrapped' | 'kms' | 'kekId'>): Promise<boolean>
  /** Takes a key for indexes from the state before to this one; `false` when its row has another state by now. */
  advance(id: string, to: NextState): Promise<boolean>
  /**
   * Merges rows of a copy of the table into those of a tenant and purpose, in one transaction that others who make, rotate
   * or destroy these keys wait for.
   *
   * @param plan is given the rows as they are; perhaps several times, if others are first
   */
  merge(tenant: string, purpose: Purpose, plan: (rows: readonly StoredKey[]) => KeyMerge): Promise<void>
  /**
   * Destroys all keys of a tenant, but those for `wrap`, in one transaction, and those that are being made meanwhile, and inserts the
   * `tombstones` where the tenant has no key yet. Gives the tenant's rows, all of them destroyed; none when it had none.
   * Keys for `wrap` are not a tenant's: the group that they belong to may have the same name.
   */
  destroy(tenant: string, tombstones: readonly NewKey[]): Promise<StoredKey[]>
}
