import type { EncryptionSchema, ModelSchema } from '../schema/encryptionSchema.js'
import type { MissingKey, SkipReason } from './keyTraces.js'

/** How long the tables are looked into before a tenant's first key, all together, in milliseconds: somebody waits. */
const MOST_TIME = 1_000

/** The fields of a model that DEKs of tenants encrypt. */
export interface EncryptedModel {
  readonly model: string
  readonly schema: ModelSchema
  readonly fields: readonly string[]
}

/** The rows of a tenant, or all. */
export type RowsOfTenant =
  | { readonly kind: 'all' }
  | { readonly kind: 'column'; readonly field: string; readonly tenant: string }

/** The field in which a row has a ciphertext under a DEK; `null` also where there is no such table or column. */
export type CiphertextFound = { readonly field: string } | { readonly skipped: SkipReason } | null

/** Looks for one such row, for so many milliseconds at most. */
export type FindCiphertext = (
  encrypted: EncryptedModel,
  whose: RowsOfTenant,
  milliseconds: number,
) => Promise<CiphertextFound>

/**
 * Looks for a ciphertext of a tenant, with one query a model, by the `@tenant` column. Rows of models without one are no
 * tenant's in particular: they tell of a lost key only while the keys table has none at all.
 */
export function ciphertextTraces({ models }: EncryptionSchema, findCiphertext: FindCiphertext) {
  const encryptedModels = Object.entries(models).flatMap(([model, schema]): EncryptedModel[] => {
    const fields = Object.keys(schema.encrypted).filter((field) => schema.encrypted[field]!.mode === undefined)
    return fields.length > 0 ? [{ model, schema, fields }] : []
  })
  return async function find(key: MissingKey): Promise<string | null> {
    const end = performance.now() + MOST_TIME
    let hasKeys: boolean | undefined
    for (const encrypted of encryptedModels) {
      const { tenant } = encrypted.schema
      // Asked once for all models that need it.
      if (tenant === undefined) hasKeys ??= await key.isAnyKeyThere()
      const whose = ownedBy(tenant, key, hasKeys)
      if (whose === undefined) continue
      const left = Math.floor(end - performance.now())
      const found = left < 1 ? ({ skipped: 'time' } as const) : await findCiphertext(encrypted, whose, left)
      if (found === null) continue
      if ('skipped' in found) key.skipped(encrypted.model, found.skipped)
      // Another tenant may have got the first key of all meanwhile, and this be under it.
      else if (whose.kind === 'column' || !(await key.isAnyKeyThere())) return `${encrypted.model}.${found.field}`
    }
    return null
  }
}

/** `undefined` when nothing tells a tenant's rows. */
function ownedBy(field: string | undefined, { tenant }: MissingKey, hasKeys = false): RowsOfTenant | undefined {
  if (field !== undefined) return { kind: 'column', field, tenant }
  return hasKeys ? undefined : { kind: 'all' }
}
