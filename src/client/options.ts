import { currentEngine } from '../crypto/chooseEngine.js'
import { docsAt } from '../docs.js'
import { invalidOptions } from '../invalidOptions.js'
import { type Duration, milliseconds } from '../keys/duration.js'
import type { Emit, Telemetry } from '../keys/events.js'
import type { Kms } from '../keys/kms.js'
import type { KmsOfStore } from '../keys/kmsOfStore.js'
import type { Notify } from '../keys/notifications/postgresNotifications.js'
import { MOST_MESSAGES, ROTATION_DEFAULTS } from '../keys/quota/rotation.js'
import { checkMigratingFrom, type MigratingFrom } from '../plan/migratingFrom.js'
import { checkNormalizers, type Normalizers } from '../plan/normalizers.js'
import type { EncryptionSchema } from '../schema/encryptionSchema.js'
import { checkTenant } from '../tenancy/tenant.js'
import type { AuditOptions } from './audit.js'
import { Bait, type Honeytokens } from './honeytokens.js'
import type { Wording } from './wording.js'

const invalid = invalidOptions('fieldEncryption')

/** What `fieldEncryption` takes. */
export interface FieldEncryptionOptions<Schema extends EncryptionSchema = EncryptionSchema> {
  /** What `fieldseal-generator` wrote: `import { encryptionSchema } from './generated/encryption'`. */
  readonly schema: Schema
  /**
   * Wraps the DEKs: `tencentKms(…)` from `fieldseal/tencent-kms` or that of another vendor (docs/kms/README.md), or `localKms(…)` from `fieldseal/local-kms`. For more
   * tenants than such a KMS can be asked for, `hierarchicalKms({ kms })` from `fieldseal/hierarchical-kms`.
   */
  readonly kms: Kms | KmsOfStore
  /** The tenant of the running request, for apps that know it from a context of their own. */
  readonly tenant?: () => string | undefined
  /** The tenant of every operation that names none: for single-tenant apps. */
  readonly defaultTenant?: string
  /**
   * Functions for the names in `@blindIndex(normalize: …)` that are not built in. Each maps a text to a text, always the
   * same; whoever changes one must fill its indexes again.
   */
  readonly normalizers?: Normalizers
  /**
   * How other libraries have stored the values of fields that are `migrating`, by `Model.field`: one of the formats of
   * `fieldseal/former-formats`. They are read, and searched for where that can be, until `fieldseal encrypt` has encrypted
   * them anew; see docs/converts.md. A field that is not marked as migrating is refused here.
   *
   * @example
   * ```ts
   * const migratingFrom = { 'User.email': prismaFieldEncryption({ hash: { field: 'emailHash' } }) }
   * ```
   */
  readonly migratingFrom?: MigratingFrom
  /** How DEKs are held in memory and when they are succeeded by new ones. */
  readonly keys?: KeyOptions
  /** Told of what happens to keys and values, for logs and alerts. What it throws is ignored. */
  readonly onEvent?: Emit
  /** Metrics and traces: `openTelemetry()` from `fieldseal/opentelemetry`. */
  readonly telemetry?: Telemetry
  /** Told who has encrypted, decrypted and searched which fields of how many rows. */
  readonly audit?: AuditOptions
  /**
   * Values that nobody has a reason to read, in rows put there as bait, or whole fields: when one is decrypted, there is an
   * event `honeytoken`. Needs `onEvent` or `telemetry`.
   */
  readonly honeytokens?: Honeytokens
}

/** What `fieldEncryption` takes where the schema comes from the ORM's entities. */
export type OptionsBeforeSchema = Omit<FieldEncryptionOptions, 'schema'>

export interface KeyOptions {
  /**
   * How long an unwrapped DEK is used before the keys table and the KMS are asked again, in milliseconds or as `'5m'`.
   * One that is in use is asked for in the last fifth of this time, so that nobody waits for it. Default 5 minutes.
   */
  readonly ttl?: Duration
  /** How many unwrapped DEKs are held at most. Default 10,000. */
  readonly max?: number
  /**
   * How long an operation inside an interactive transaction waits for a DEK that is not in memory, in milliseconds.
   * The keys table is read outside the transaction, which needs a second connection. Default 2,000.
   */
  readonly transactionWait?: Duration
  /**
   * The age at which a tenant's DEK for values is succeeded by a new one, by the first write that finds it so old. It
   * serves on while no new one can be made, and decrypts for ever. Default `'90d'`.
   */
  readonly rotateAfter?: Duration
  /**
   * How many values are encrypted under one DEK, over all processes, before a new one succeeds it. Never passed: processes
   * reserve messages in the keys table before they encrypt. Default and most 2³² (NIST SP 800-38D); 1 gives each value a
   * key of its own.
   */
  readonly maxMessages?: number
  /**
   * How much longer than `ttl` a DEK may serve while the KMS or the keys table is down, in milliseconds or as `'1h'`.
   * Never one that the keys table shows as destroyed. 0 switches it off. Default 1 hour.
   */
  readonly staleFor?: Duration
  /**
   * Makes a PostgreSQL connection by which processes tell each other at once of keys that are rotated or destroyed.
   * Without it they find out when `ttl` is over.
   *
   * @example
   * ```ts
   * const keys = { notify: () => new pg.Client({ connectionString: process.env.DATABASE_URL }) }
   * ```
   */
  readonly notify?: Notify
}

export interface KeySettings {
  readonly ttl: number
  readonly max: number
  readonly staleFor: number
  readonly transactionWait: number
  readonly rotateAfter: number
  readonly maxMessages: number
}

const KEY_DEFAULTS: KeySettings = {
  ttl: 300_000,
  max: 10_000,
  staleFor: 3_600_000,
  transactionWait: 2_000,
  ...ROTATION_DEFAULTS,
}
const COUNTS = new Set<keyof KeySettings>(['max', 'maxMessages'])

const KNOWN = new Set([
  ...['kms', 'tenant', 'defaultTenant', 'normalizers', 'migratingFrom', 'keys'],
  ...['onEvent', 'telemetry', 'audit', 'honeytokens'],
])
const KNOWN_WITH_SCHEMA = new Set(['schema', ...KNOWN])

/** @throws FieldsealError `OPTIONS_INVALID` or `TENANT_INVALID`, naming the option or the environment variable */
export function checkOptions(options: FieldEncryptionOptions, { schemaSource }: Wording): void {
  checkNames(options, KNOWN_WITH_SCHEMA, 'schema and kms')
  if (options.schema?.format !== 4) throw invalid(`"schema" must be the encryptionSchema that ${schemaSource}`)
  checkValues(options)
  checkAgainstSchema(options.schema, options)
}

/**
 * Checks the options that name parts of the schema.
 *
 * @throws FieldsealError `OPTIONS_INVALID`
 */
export function checkAgainstSchema(
  schema: EncryptionSchema,
  { normalizers = {}, migratingFrom = {} }: OptionsBeforeSchema,
): void {
  checkNormalizers(schema, normalizers)
  checkMigratingFrom(schema, migratingFrom)
}

/**
 * The same for an ORM that makes the schema itself, and later: what names parts of it is to be checked then, by
 * `checkAgainstSchema`.
 *
 * @param own the names of the options that the ORM's side checks itself
 * @throws FieldsealError as `checkOptions`
 */
export function checkOptionsBeforeSchema(options: OptionsBeforeSchema, own: readonly string[]): void {
  checkNames(options, new Set([...KNOWN, ...own]), 'kms')
  checkValues(options)
}

function checkNames(options: object, known: ReadonlySet<string>, needed: string): void {
  if (typeof options !== 'object' || options === null) throw invalid(`takes an object with ${needed}`)
  checkKnown(options, known, '')
  currentEngine()
}

function checkValues(options: OptionsBeforeSchema): void {
  const { kms, tenant, defaultTenant, keys = {} } = options
  if (typeof kms !== 'function' && (typeof kms?.generate !== 'function' || typeof kms.unwrap !== 'function')) {
    throw invalid(
      `"kms" must be a Kms: tencentKms({ client, keyId }), one of another vendor, or localKms({ … }): ${docsAt('kms/README.md')}`,
    )
  }
  if (tenant !== undefined && typeof tenant !== 'function')
    throw invalid('"tenant" must be a function; for one fixed tenant use "defaultTenant"')
  if (defaultTenant !== undefined) checkTenant(defaultTenant)
  keySettings(keys)
  checkWatchers(options)
}

function checkWatchers({ onEvent, telemetry, audit, honeytokens }: OptionsBeforeSchema): void {
  if (onEvent !== undefined && typeof onEvent !== 'function') throw invalid('"onEvent" must be a function')
  if (telemetry !== undefined && typeof telemetry?.onEvent !== 'function')
    throw invalid('"telemetry" must be what openTelemetry() of fieldseal/opentelemetry gives')
  if (honeytokens !== undefined && !onEvent && !telemetry)
    throw invalid('"honeytokens" needs "onEvent" or "telemetry", to tell of them')
  if (audit === undefined) return
  checkKnown(audit, new Set(['actor', 'record']), 'audit.')
  if (typeof audit.record !== 'function') throw invalid('"audit.record" must be a function')
  if (audit.actor !== undefined && typeof audit.actor !== 'function') throw invalid('"audit.actor" must be a function')
}

/**
 * Tells bait from other values, if there is any.
 *
 * @throws FieldsealError `OPTIONS_INVALID`
 */
export function baitOf({ honeytokens, schema }: FieldEncryptionOptions): Bait | undefined {
  return honeytokens && new Bait(honeytokens, schema, invalid)
}

/**
 * The key options with their defaults, times in milliseconds.
 *
 * @throws FieldsealError `OPTIONS_INVALID`
 */
export function keySettings(keys: KeyOptions = {}): KeySettings {
  checkKnown(keys, new Set([...Object.keys(KEY_DEFAULTS), 'notify']), 'keys.')
  if (keys.notify !== undefined && typeof keys.notify !== 'function')
    throw invalid('"keys.notify" must be a function that makes a client of the package pg')
  const names = Object.keys(KEY_DEFAULTS) as (keyof KeySettings)[]
  const settings = Object.fromEntries(names.map((name) => [name, setting(name, keys[name])]))
  if ((settings.maxMessages ?? 0) > MOST_MESSAGES) throw invalid('"keys.maxMessages" must be at most 2 ** 32')
  return settings as unknown as KeySettings
}

function setting(name: keyof KeySettings, given: unknown): number {
  if (given === undefined) return KEY_DEFAULTS[name]
  const value = COUNTS.has(name) ? given : milliseconds(given)
  const least = name === 'staleFor' ? 0 : 1
  if (Number.isSafeInteger(value) && (value as number) >= least) return value as number
  const what = COUNTS.has(name) ? '' : "; a time may be a text such as '90d'"
  throw invalid(`"keys.${name}" must be a whole number ${least === 0 ? 'from' : 'above'} 0${what}`)
}

function checkKnown(options: object, known: ReadonlySet<string>, path: string): void {
  const unknown = Object.keys(options).find((name) => !known.has(name))
  if (unknown) throw invalid(`does not know the option "${path}${unknown}"; it knows ${[...known].join(', ')}`)
}
