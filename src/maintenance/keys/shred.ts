import { FieldsealError, quoted } from '../../errors.js'
import { newDekId } from '../../keys/dekId.js'
import type { HeldKeys } from '../../keys/heldKeys.js'
import type { KeyStore, NewKey, StoredKey } from '../../keys/keyStore.js'
import type { Purpose } from '../../keys/kms.js'
import { checkTenant } from '../../tenancy/tenant.js'

/** A key that was destroyed. */
export interface DestroyedKey {
  readonly id: string
  readonly purpose: Purpose
  readonly version: number
  readonly createdAt: Date
  readonly destroyedAt: Date
}

/** What a crypto-shred did, to be kept as its proof. */
export interface ShredReceipt {
  readonly tenant: string
  /** Every key that the tenant ever had, those destroyed before included. */
  readonly keys: readonly DestroyedKey[]
  readonly requestedAt: Date
  /** When the wrapped keys were gone from the table. */
  readonly destroyedAt: Date
  /**
   * The processes that have said that they hold none of these keys any more; this one is the first. The others are claims
   * of whoever may connect to the database: `heldUntil` is what is certain.
   */
  readonly acknowledged: readonly string[]
  /** Until when a process that has not may still hold one in memory. */
  readonly heldUntil: Date
  /** Fields with `mode: kms`: their values are under the KEK, and can be read still. */
  readonly notReached: readonly string[]
}

export interface ShredContext {
  readonly held: HeldKeys
  readonly store: KeyStore
  /** The name of this process. */
  readonly process: string
  /** How long a process may hold a key without looking at the keys table, in milliseconds. */
  readonly keyMemoryTime: number
  /** Tells the other processes, and gives those that have acknowledged. */
  readonly announceDestroyed: (tenant: string) => Promise<readonly string[]>
  /** The fields that the KMS itself encrypts. */
  readonly directFields: readonly string[]
}

/**
 * Destroys all keys of a tenant: what they encrypted can never be read again. Values that the KMS itself encrypted can. The tenant gets no new keys, unless it is
 * reopened.
 *
 * @throws FieldsealError `TENANT_INVALID`; `KEY_NOT_FOUND` for a tenant that has no keys; `KEY_STORE_UNAVAILABLE`
 */
export async function shred(context: ShredContext, tenant: string): Promise<ShredReceipt> {
  const { held, store, process, keyMemoryTime, announceDestroyed, directFields } = context
  checkTenant(tenant)
  const requestedAt = new Date()
  const rows = await store.destroy(
    tenant,
    (['encrypt', 'index'] as const).map((purpose) => tombstone(tenant, purpose)),
  )
  if (rows.length === 0) throw unknownTenant(tenant)
  held.forgetDestroyed(
    tenant,
    rows.map(({ id }) => id),
  )
  const destroyedAt = new Date()
  const others = await announceDestroyed(tenant)
  return {
    tenant,
    keys: rows.filter(({ kms }) => kms !== NO_KMS).map(destroyedKey),
    requestedAt,
    destroyedAt,
    acknowledged: [process, ...others],
    heldUntil: new Date(destroyedAt.getTime() + keyMemoryTime),
    notReached: directFields,
  }
}

/** In the row of a tombstone. */
const NO_KMS = ''

/** Stands where a purpose has no key yet, so that none can be made. */
function tombstone(tenant: string, purpose: Purpose): NewKey {
  const none = { wrapped: null, kms: NO_KMS, kekId: '', messages: 0 }
  return { id: newDekId(1), tenant, purpose, version: 1, state: 'destroyed', ...none }
}

function destroyedKey({ id, purpose, version, createdAt, destroyedAt }: StoredKey): DestroyedKey {
  return { id, purpose, version, createdAt, destroyedAt: destroyedAt ?? createdAt }
}

/** There is nothing to destroy: of a tenant who is new, or of an id that is not right. */
export function unknownTenant(tenant: string): FieldsealError {
  const message = `tenant ${quoted(tenant)} has no keys, so there is nothing to destroy; is its id right?`
  return new FieldsealError('KEY_NOT_FOUND', message)
}
