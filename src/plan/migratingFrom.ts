import { quoted } from '../errors.js'
import { splitFieldName } from '../fieldName.js'
import type { FormerFormat } from '../formerFormats/formerFormat.js'
import { invalidOptions } from '../invalidOptions.js'
import { own } from '../own.js'
import type { EncryptionSchema, ModelSchema } from '../schema/encryptionSchema.js'
import { andThen, didYouMean } from '../schema/suggestion.js'

const invalid = invalidOptions('fieldEncryption: "migratingFrom"')

/** How other libraries have stored the values of fields, by `Model.field`. */
export interface MigratingFrom {
  readonly [field: string]: FormerFormat
}

/**
 * What another library has made is read of fields that are marked as migrating, and of no others: whoever can write to the
 * database must not be able to put it anywhere else.
 *
 * @throws FieldsealError `OPTIONS_INVALID`
 */
export function checkMigratingFrom(schema: EncryptionSchema, formats: MigratingFrom): void {
  if (typeof formats !== 'object' || formats === null) throw invalid("must be an object: { 'User.email': … }")
  for (const name of fieldsWithoutForm(schema)) {
    if (!Object.hasOwn(formats, name)) throw withoutForm(name)
  }
  for (const [name, format] of Object.entries(formats)) {
    if (typeof format?.decrypt !== 'function')
      throw invalid(`has ${quoted(name)} without a format: use one of fieldseal/former-formats`)
    const [modelName, field] = splitFieldName(name)
    const model = own(schema.models, modelName)
    if (model === undefined || !Object.hasOwn(model.encrypted, field)) throw unknownField(schema, name)
    checkField(model, { name, field }, format)
  }
}

interface NamedField {
  readonly name: string
  readonly field: string
}

function checkField(model: ModelSchema, { name, field }: NamedField, { library, columns, search }: FormerFormat): void {
  const { state, type, list } = model.encrypted[field]!
  if (state !== 'migrating')
    throw invalid(`has ${name}, which is not marked as migrating: take it out, or mark the field`)
  if (list || !columns.includes(type))
    throw invalid(
      `has ${name}, whose column is of the type ${type}${list ? '[]' : ''}, in which ${library} stores nothing`,
    )
  const hash = search?.field
  if (hash !== undefined && (!Object.hasOwn(model.columns, hash) || Object.hasOwn(model.encrypted, hash)))
    throw invalid(`has ${name} with the hash ${quoted(hash)}, which is no plain column of the same model`)
}

/** Migrating fields of other types than bytes in columns of bytes: there is no plaintext of them. */
function fieldsWithoutForm({ models }: EncryptionSchema): string[] {
  return Object.entries(models).flatMap(([model, { encrypted }]) =>
    Object.entries(encrypted)
      .filter(([, { state, type, value = type }]) => state === 'migrating' && type === 'Bytes' && value !== 'Bytes')
      .map(([field]) => `${model}.${field}`),
  )
}

function withoutForm(name: string) {
  return invalid(
    `lacks ${name}, which is marked as migrating and holds no bytes in a column of bytes, where its plaintext has no form: ` +
      'say which library has encrypted it, or take the mark off',
  )
}

function unknownField({ models }: EncryptionSchema, name: string) {
  const known = Object.entries(models).flatMap(([model, { encrypted }]) =>
    Object.keys(encrypted).map((field) => `${model}.${field}`),
  )
  return invalid(
    `names ${quoted(name)}, which is no encrypted field; ${andThen(didYouMean(name, known))}write "Model.field"`,
  )
}
