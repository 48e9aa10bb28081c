import {
  type ArgumentKind,
  BOOLEAN,
  checkArguments,
  checkCallOptions,
  DATE,
  FUNCTION,
  type Kinds,
  NUMBER,
  OBJECT,
  OBJECTS,
  POOL,
  SIGNAL,
  TEXT,
  TEXT_OR_TEXTS,
  TEXTS,
} from '../callArguments.js'
import type { Emit } from '../keys/events.js'
import type { KeyRing } from '../keys/keyRing.js'
import type { CopiedKey, KeyStore } from '../keys/keyStore.js'
import type { Kms, Purpose } from '../keys/kms.js'
import type { KeyNotifications } from '../keys/notifications/keyNotifications.js'
import type { WalkReport } from '../maintenance/keys/keyWalk.js'
import { type RestoreKeysOptions, type RestoreKeysReport, restoreKeys } from '../maintenance/keys/restoreKeys.js'
import { type RewrapOptions, rewrap } from '../maintenance/keys/rewrap.js'
import { type RotateOptions, rotate } from '../maintenance/keys/rotate.js'
import { type ShredReceipt, shred } from '../maintenance/keys/shred.js'
import { type WarmOptions, warm } from '../maintenance/keys/warm.js'
import { type CopyTable, readKeys } from '../maintenance/postgres/keyCopies.js'
import type { PgConnection } from '../maintenance/postgres/sql.js'
import type { EncryptionSchema } from '../schema/encryptionSchema.js'
import { checkTenant } from '../tenancy/tenant.js'

/** Operations on keys, of the tenants that are named or of all. They need no bound tenant. */
export interface KeyOperations {
  /**
   * Has a new DEK for values succeed the active one, of each tenant. No row changes; old DEKs decrypt on. DEKs for blind
   * indexes stay, because search needs them.
   *
   * @throws FieldsealError `KEY_STORE_UNAVAILABLE`, `KMS_UNAVAILABLE`, `KMS_THROTTLED`, `KMS_DENIED`, after which another
   * run may go on; the signal's reason
   * @example
   * ```ts
   * await prisma.$encryption.rotate({ tenants: 'acme' })
   * ```
   */
  rotate(options?: RotateOptions): Promise<WalkReport>
  /**
   * Puts every DEK under the newest version of its tenant's KEK, or under another KEK that the `kms` option names by now,
   * or takes DEKs over from another KMS (`from`). Only rows of the keys table change.
   *
   * @throws FieldsealError as `rotate`; `OPTIONS_INVALID` for a KMS that cannot take DEKs over
   * @example
   * ```ts
   * const { changed, failed } = await prisma.$encryption.rewrap({ onProgress: ({ done, total }) => show(done, total) })
   * ```
   */
  rewrap(options?: RewrapOptions): Promise<WalkReport>
  /**
   * Destroys all keys of a tenant, for good: nothing that they encrypted can be read again, wherever it is, as long as no
   * copy of the keys table is left. The tenant gets no new keys, unless `reopen` is called for it. Fields with `mode: kms`
   * have no such keys: the receipt names them, and their rows are to be deleted, or the tenant's KEK.
   *
   * @returns a receipt to keep
   * @throws FieldsealError `TENANT_INVALID`, `KEY_NOT_FOUND` for a tenant without keys, `KEY_STORE_UNAVAILABLE`
   */
  shred(tenant: string): Promise<ShredReceipt>
  /**
   * Lets a tenant whose keys were destroyed have new ones, and makes them. What was destroyed stays so. The same for a
   * tenant whose keys are lost (`KEY_MISSING`) and in no backup: what is stored stays unreadable.
   *
   * @returns the purposes that have a new key now; none when the tenant's keys are neither destroyed nor lost
   */
  reopen(tenant: string): Promise<Purpose[]>
  /**
   * Brings the DEKs of tenants into memory, within the KMS's rate: after a start, before taking traffic. 10,000 tenants
   * take about 34 seconds at the 300 calls per second of Tencent's lowest tier. Tenants without keys get none by it.
   *
   * @throws FieldsealError as `rotate`
   * @example
   * ```ts
   * await prisma.$encryption.warm(busiestTenants, { rate: 100 })
   * ```
   */
  warm(tenants: readonly string[], options?: WarmOptions): Promise<WalkReport>
  /**
   * All rows of the keys table as they are at one moment, to be kept as its backup; DEKs are in it as the KMS has wrapped
   * them. The command `fieldseal keys export` writes them to a file.
   *
   * @param options `database`, a Pool of the package pg; `copy`, another table with the same columns to be read instead
   * @throws FieldsealError `DATABASE_UNAVAILABLE`
   */
  exportKeys(options: ExportKeysOptions): Promise<CopiedKey[]>
  /**
   * Merges such rows into the keys table, beside a running app: missing ones are inserted, others stay. Keys that were
   * made since the table lost its own get another version and are read by on; what is destroyed stays so. The command
   * `fieldseal keys restore` calls it; see docs/operations.md.
   *
   * @returns what was done, and what is left to do: tenants whose indexes `rotateIndexKeys` has to make again
   * @throws FieldsealError as `rewrap`
   * @example
   * ```ts
   * const { inserted, reindex } = await prisma.$encryption.restoreKeys({ keys })
   * for (const tenant of reindex) await prisma.$encryption.rotateIndexKeys({ database: pool, tenant })
   * ```
   */
  restoreKeys(options: RestoreKeysOptions): Promise<RestoreKeysReport>
  /** Ends the connection of `keys.notify`. The client goes on without. */
  close(): Promise<void>
}

/** What `$encryption.exportKeys` takes. */
export interface ExportKeysOptions {
  readonly database: PgConnection
  readonly copy?: CopyTable
}

export interface KeyOperationsContext {
  readonly schema: EncryptionSchema
  readonly kms: Kms
  readonly ring: KeyRing
  readonly store: KeyStore
  readonly notifications: KeyNotifications
  readonly emit: Emit | undefined
  /** How long a process may hold a key without looking at the keys table, in milliseconds. */
  readonly keyMemoryTime: number
  /** The fields that the KMS itself encrypts. */
  readonly directFields: readonly string[]
}

const WALK: Kinds = {
  tenants: TEXT_OR_TEXTS,
  rate: NUMBER,
  concurrency: NUMBER,
  signal: SIGNAL,
  after: TEXT,
  onProgress: FUNCTION,
}
const RESTORE: Kinds = {
  keys: OBJECTS,
  dryRun: BOOLEAN,
  tenants: TEXTS,
  verify: BOOLEAN,
  undoShred: TEXTS,
  rate: NUMBER,
  concurrency: NUMBER,
  signal: SIGNAL,
  onProgress: FUNCTION,
}
const KMS: ArgumentKind = { words: 'a Kms', is: (value) => FUNCTION.is(value) || OBJECT.is(value) }

export function keyOperations({
  schema,
  kms,
  ring: { active, held },
  store,
  keyMemoryTime,
  notifications,
  emit,
  directFields,
}: KeyOperationsContext): KeyOperations {
  const announceDestroyed = (tenant: string) => notifications.destroyed(tenant)
  return {
    rotate: async (options = {}) => {
      checkCallOptions('rotate', options, { ...WALK, before: DATE })
      return rotate(active, store, options)
    },
    rewrap: async (options = {}) => {
      checkCallOptions('rewrap', options, { ...WALK, from: KMS })
      return rewrap(kms, store, options)
    },
    shred: async (tenant) => {
      const receipt = await shred(
        { held, store, keyMemoryTime, process: notifications.process, announceDestroyed, directFields },
        tenant,
      )
      emit?.({ type: 'key.destroyed', tenant, keys: receipt.keys.map(({ id }) => id) })
      return receipt
    },
    reopen: async (tenant) => {
      checkTenant(tenant)
      return active.reopen(tenant)
    },
    warm: async (tenants, options = {}) => {
      checkArguments('warm', { tenants }, { tenants: TEXTS })
      checkCallOptions('warm', options, { ...WALK, purposes: TEXTS })
      return warm(active, store, tenants, options)
    },
    exportKeys: async (options) => {
      checkCallOptions('exportKeys', options, { copy: OBJECT })
      checkArguments('exportKeys', { database: options.database }, { database: POOL })
      const { copy } = options
      if (copy) checkArguments('exportKeys', { 'copy.table': copy.table }, { 'copy.table': TEXT })
      if (copy?.schema !== undefined)
        checkArguments('exportKeys', { 'copy.schema': copy.schema }, { 'copy.schema': TEXT })
      return readKeys(options.database, schema, copy)
    },
    restoreKeys: async (options) => {
      checkCallOptions('restoreKeys', options, RESTORE)
      checkArguments('restoreKeys', { keys: options.keys }, { keys: OBJECTS })
      const announceRetired = (tenant: string) => notifications.retired(tenant)
      return restoreKeys({ kms, store, active, held, announceRetired }, options)
    },
    close: () => notifications.close(),
  }
}
