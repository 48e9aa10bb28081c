import { TEXTS } from '../callArguments.js'
import type { DecryptSlot } from '../cipher/cipher.js'
import type { FieldsealError } from '../errors.js'
import { own } from '../own.js'
import type { EncryptedFieldSchema, EncryptionSchema } from '../schema/encryptionSchema.js'

/**
 * Values that nobody has a reason to read. Of each field by its name, `Model.field`: the values of rows that were put
 * there as bait, or `true` where the whole field is.
 *
 * @example
 * ```ts
 * const honeytokens = { 'Patient.email': ['j.doe.4711@example.com'], 'Patient.legacyPassword': true }
 * ```
 */
export interface Honeytokens {
  readonly [field: string]: true | readonly string[]
}

/** Tells bait from other values. */
export class Bait {
  readonly #fields = new Map<string, true | ReadonlySet<string>>()

  /**
   * @param invalid makes the error of an option
   * @throws FieldsealError `OPTIONS_INVALID` for a field that there is not, or values of one that is no text
   */
  constructor(honeytokens: Honeytokens, schema: EncryptionSchema, invalid: (what: string) => FieldsealError) {
    for (const [name, bait] of Object.entries(honeytokens)) {
      const encrypted = encryptedField(schema, name)
      if (encrypted === undefined)
        throw invalid(`"honeytokens" names ${JSON.stringify(name)}, which is no encrypted field: write Model.field`)
      if (bait !== true && (encrypted.value ?? encrypted.type) !== 'String')
        throw invalid(`"honeytokens" can have values of String fields only: of ${name}, say true`)
      if (bait !== true && !TEXTS.is(bait)) throw invalid(`"honeytokens": ${name} must be true, or a list of texts`)
      this.#fields.set(name, bait === true ? true : new Set(bait))
    }
  }

  /** Whether a value that was decrypted is bait. */
  has({ field, holder, key }: Pick<DecryptSlot, 'field' | 'holder' | 'key'>): boolean {
    const bait = this.#fields.get(field.name)
    if (bait === undefined || bait === true) return bait ?? false
    const value = holder[key]
    return Array.isArray(value) ? value.some((one) => bait.has(one)) : bait.has(value as string)
  }
}

function encryptedField({ models }: EncryptionSchema, name: string): EncryptedFieldSchema | undefined {
  const dot = name.indexOf('.')
  return own(own(models, name.slice(0, dot))?.encrypted ?? {}, name.slice(dot + 1))
}
