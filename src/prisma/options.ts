import { FieldsealError } from '../errors.js'
import type { Kms } from '../keys/kms.js'
import type { EncryptionSchema } from '../schema/encryptionSchema.js'
import { checkTenant } from '../tenant.js'

/** What `fieldEncryption` takes. */
export interface FieldEncryptionOptions {
  /** What `fieldseal-generator` wrote: `import { encryptionSchema } from './generated/encryption'`. */
  readonly schema: EncryptionSchema
  /** Wraps the DEKs: `tencentKms(…)` from `fieldseal/tencent-kms`, or `localKms(…)` from `fieldseal/local-kms`. */
  readonly kms: Kms
  /** The tenant of the running request, for apps that know it from a context of their own. */
  readonly tenant?: () => string | undefined
  /** The tenant of every operation that names none: for single-tenant apps. */
  readonly defaultTenant?: string
  /** How unwrapped DEKs are held in memory. */
  readonly keys?: KeyOptions
}

export interface KeyOptions {
  /**
   * How long an unwrapped DEK is used before the keys table and the KMS are asked again, in milliseconds. One that is in
   * use is asked for in the last fifth of this time, so that nobody waits for it. Default 5 minutes.
   */
  readonly ttl?: number
  /** How many unwrapped DEKs are held at most. Default 10,000. */
  readonly max?: number
  /**
   * How long an operation inside an interactive transaction waits for a DEK that is not in memory, in milliseconds.
   * The keys table is read outside the transaction, which needs a second connection. Default 2,000.
   */
  readonly transactionWait?: number
}

export const KEY_DEFAULTS = { ttl: 300_000, max: 10_000, transactionWait: 2_000 } satisfies Required<KeyOptions>

const KNOWN = new Set(['schema', 'kms', 'tenant', 'defaultTenant', 'keys'])

/** @throws FieldsealError `OPTIONS_INVALID` or `TENANT_INVALID`, naming the option */
export function checkOptions(options: FieldEncryptionOptions): void {
  if (typeof options !== 'object' || options === null) throw invalid('takes an object with schema and kms')
  checkKnown(options, KNOWN, '')
  const { schema, kms, tenant, defaultTenant, keys = {} } = options
  if (schema?.format !== 2)
    throw invalid('"schema" must be the encryptionSchema that `prisma generate` writes; run it again')
  if (typeof kms?.generate !== 'function' || typeof kms.unwrap !== 'function') {
    throw invalid('"kms" must be a Kms: tencentKms({ client, keyId }) or localKms({ … })')
  }
  if (tenant !== undefined && typeof tenant !== 'function')
    throw invalid('"tenant" must be a function; for one fixed tenant use "defaultTenant"')
  if (defaultTenant !== undefined) checkTenant(defaultTenant)
  checkKnown(keys, new Set(Object.keys(KEY_DEFAULTS)), 'keys.')
  for (const [name, value] of Object.entries(keys)) {
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0))
      throw invalid(`"keys.${name}" must be a whole number above 0`)
  }
}

function checkKnown(options: object, known: ReadonlySet<string>, path: string): void {
  const unknown = Object.keys(options).find((name) => !known.has(name))
  if (unknown) throw invalid(`does not know the option "${path}${unknown}"; it knows ${[...known].join(', ')}`)
}

function invalid(what: string): FieldsealError {
  return new FieldsealError('OPTIONS_INVALID', `fieldEncryption ${what}`)
}
