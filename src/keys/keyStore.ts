import type { Purpose } from './kms.js'

/** `active` encrypts and decrypts, `retired` only decrypts, `destroyed` is gone. */
export type KeyState = 'active' | 'retired' | 'destroyed'

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
   * before; `false` when another writer was first, or when the version before is destroyed.
   */
  insert(key: NewKey): Promise<boolean>
  /**
   * Adds `count` to the `messages` of an active key in one atomic step, or as much of it as stays within `limit`; gives
   * what was added. 0: the key is no longer active, or its limit is reached.
   */
  reserve(id: string, count: number, limit: number): Promise<number>
}
