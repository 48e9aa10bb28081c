import { currentEngine, engineFallback } from '../crypto/chooseEngine.js'
import { routed } from '../debug.js'
import { FieldsealError } from '../errors.js'
import type { CacheFigures } from '../keys/events.js'
import { type KmsFailure, probeKms } from '../keys/kmsProbe.js'
import { type MaintainRangeOptions, maintainRange, type RangeReport } from '../maintenance/jobs/maintainRange.js'
import type { RangeJob } from '../maintenance/jobs/ranges.js'
import { RunKeyring } from '../maintenance/jobs/runKeyring.js'
import {
  type IndexRotationReport,
  type RotateIndexKeysOptions,
  rotateIndexKeys,
} from '../maintenance/keys/rotateIndexKeys.js'
import { type MaintainOptions, maintain } from '../maintenance/maintain.js'
import type { MaintainContext } from '../maintenance/planRuns.js'
import type { RunReport } from '../maintenance/rows/run.js'
import { type Survey, type SurveyOptions, survey } from '../maintenance/survey.js'
import type { EncryptionSchema } from '../schema/encryptionSchema.js'
import { checkTenant } from '../tenancy/tenant.js'
import { auditSlots } from './audit.js'
import type { KnownValues } from './boundColumns.js'
import type { ClientContext } from './clientContext.js'
import { directFields } from './directFields.js'
import { decryptRows } from './raw/rawRows.js'
import { encryptValue, indexValue, type RawValue } from './raw/rawValues.js'

/** What `$encryption` offers on an extended client. Tenant rules are those of queries. */
export interface EncryptionOperations {
  /**
   * Decrypts rows that raw SQL returned.
   *
   * @param model the Prisma model the rows are of
   * @param rows objects with the fields by their Prisma names or their column names
   * @returns copies of the rows with plaintext in the encrypted fields
   * @throws FieldsealError as a query would
   *
   * @example
   * ```ts
   * const rows = await acme.$queryRaw`SELECT id, email FROM users WHERE id = ${id}`
   * const [user] = await acme.$encryption.decryptRows('User', rows)
   * ```
   */
  decryptRows<Row extends object>(model: string, rows: readonly Row[]): Promise<Row[]>
  /**
   * Encrypts one value for use in raw SQL.
   *
   * @param field `Model.field`
   * @param value of the field's type
   * @param bound the row's bound columns, for fields with `bind:`
   * @returns text for String and Json columns, bytes for Bytes columns; for a list, a list of one of these
   */
  encrypt(field: string, value: unknown, bound?: KnownValues): Promise<RawValue>
  /**
   * The blind index of a value, for use in raw SQL.
   *
   * @param field `Model.indexField`, the column marked `@blindIndex`
   * @param value of the indexed field; an array with a value for each, where it indexes several
   */
  blindIndex(field: string, value: unknown): Promise<string | Uint8Array>
  /**
   * Works on rows that are stored already: encrypts existing plaintext, re-encrypts after a rotation, makes blind indexes
   * again, decrypts, or verifies. Small batches, no long locks, safe beside a running app, resumed where it stopped. The
   * command `fieldseal` calls it; see docs/existing-data.md.
   *
   * @returns what was done, by model
   * @throws FieldsealError `OPTIONS_INVALID`, `TENANT_MISSING`, `ACCESS_DENIED`, `DATABASE_UNAVAILABLE`,
   * `PROGRESS_INVALID`, `KEY_STORE_UNAVAILABLE`, `KMS_*`; what is wrong with single rows is reported instead
   *
   * @example
   * ```ts
   * const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
   * const reports = await prisma.$encryption.maintain({ operation: 'encrypt', database: pool })
   * ```
   */
  maintain(options: MaintainOptions): Promise<RunReport[]>
  /**
   * Works on a part of a table, for `maintain` with `workers` in another process. The command `fieldseal worker` calls it
   * for jobs of its queue.
   *
   * @param job as `maintain` gave it to the queue
   * @throws FieldsealError as `maintain`; the job is to be tried again then
   */
  maintainRange(job: RangeJob, options: MaintainRangeOptions): Promise<RangeReport>
  /**
   * Replaces the tenants' keys for indexes, beside a running app: all rows get indexes under new keys while searches ask for
   * those under either, so that at no moment a search misses a row. Blind indexes in unique constraints stand still for a
   * part of it, which has to be agreed to (`pauseUniqueWrites`). It waits for as long as processes may hold keys in
   * memory, three times; a call that was broken off is begun again and goes on. The command `fieldseal rotate --purpose index`
   * calls it; see docs/operations.md.
   *
   * @throws FieldsealError as `maintain` and `rotate`; `OPTIONS_INVALID` where a unique blind index stands against it
   *
   * @example
   * ```ts
   * const { outcome } = await prisma.$encryption.rotateIndexKeys({ database: pool, tenant: 'acme' })
   * ```
   */
  rotateIndexKeys(options: RotateIndexKeysOptions): Promise<IndexRotationReport>
  /**
   * Counts what the encrypted fields hold: plaintext, ciphertexts by key version, missing indexes; and lists the keys. It
   * reads whole tables, and asks no KMS. The command `fieldseal status` shows it.
   *
   * @throws FieldsealError `OPTIONS_INVALID`, `DATABASE_UNAVAILABLE`
   */
  survey(options: SurveyOptions): Promise<Survey>
  /**
   * Asks the KMS to unwrap the active key of a tenant, as a health check would. It makes no key.
   *
   * @throws FieldsealError `KMS_*`, `KEY_*`, `TENANT_INVALID`
   */
  checkKey(tenant: string): Promise<void>
  /**
   * Has the KMS make a DEK for a tenant and unwrap it again, and, where there are fields with `mode: kms`, encrypt and
   * decrypt a random value: whether it is reachable and permits what writing and reading take. Nothing is kept; the
   * purpose in the encryption context is `check`.
   *
   * @param tenant the `defaultTenant` unless given
   * @returns what failed; empty if all is well
   * @throws FieldsealError `TENANT_MISSING`, `TENANT_INVALID`
   *
   * @example
   * ```ts
   * for (const { action, error } of await prisma.$encryption.tryKms('acme')) console.error(action, error.message)
   * ```
   */
  tryKms(tenant?: string): Promise<KmsFailure[]>
  /** What `prisma generate` wrote and the client works by. */
  readonly schema: EncryptionSchema
  /** Figures of this process. */
  stats(): EncryptionStats
}

export interface EncryptionStats {
  /** Unwrapped DEKs in memory. */
  readonly cachedDeks: number
  /** How often a DEK was looked for in memory and found there. */
  readonly cacheHits: number
  /** How often it was not, or its time was over. */
  readonly cacheMisses: number
  /** What works on values: the addon, or `node:crypto` where that does not load. */
  readonly engine: 'native' | 'node'
  /** Why `engine` is `node` although the addon was not declined with `FIELDSEAL_ENGINE=node`; else `undefined`. */
  readonly engineFallback: string | undefined
}

export function encryptionOperations(
  context: ClientContext,
  schema: EncryptionSchema,
  figures: () => CacheFigures,
): EncryptionOperations {
  const { plans, ring, tenancy } = context
  const audit: MaintainContext['audit'] = (operation, slots) =>
    auditSlots(context, `$encryption.maintain ${operation}`, { slots, done: undefined })
  const runKeys = new RunKeyring(ring.kms)
  const maintenance = { schema, plans, ring, runKeys, defaultTenant: tenancy.defaultTenant, audit }
  return {
    decryptRows: (model, rows) => decryptRows(context, model, rows),
    encrypt: (field, value, bound = {}) => encryptValue(context, field, value, bound),
    blindIndex: (field, value) => indexValue(context, field, value),
    maintainRange: (job, options) =>
      routed('$encryption.maintainRange', () =>
        requireFullAccess(context, () => maintainRange(maintenance, job, options)),
      ),
    maintain: (options) =>
      routed('$encryption.maintain', () => requireFullAccess(context, () => maintain(maintenance, options))),
    rotateIndexKeys: (options) =>
      routed('$encryption.rotateIndexKeys', () =>
        requireFullAccess(context, () => rotateIndexKeys(maintenance, options)),
      ),
    survey: (options) => survey(maintenance, options),
    checkKey: async (tenant) => {
      checkTenant(tenant)
      await ring.active.open(tenant)
    },
    tryKms: async (tenant = tenancy.defaultTenant) => {
      if (tenant === undefined) throw new FieldsealError('TENANT_MISSING', 'tryKms: say for which tenant')
      checkTenant(tenant)
      return probeKms(ring.kms, tenant, directFields(schema).length > 0)
    },
    schema,
    stats: () => ({ ...figures(), engine: currentEngine().name, engineFallback: engineFallback() }),
  }
}

/** @throws FieldsealError `ACCESS_DENIED` on a client that may read some fields only */
async function requireFullAccess<T>(context: ClientContext, work: () => Promise<T>): Promise<T> {
  if (context.clientBinding.access().allow === undefined) return work()
  const message = 'maintain decrypts all fields, and this client may read some only: run it on one without "allow"'
  throw new FieldsealError('ACCESS_DENIED', message)
}
