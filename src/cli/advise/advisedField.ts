import { FieldsealError } from '../../errors.js'
import { splitFieldName } from '../../fieldName.js'
import { own } from '../../own.js'
import { printable } from '../../printable.js'
import type { EncryptedFieldSchema, EncryptionSchema, ModelSchema, ValueType } from '../../schema/encryptionSchema.js'
import { andThen, didYouMean } from '../../schema/suggestion.js'

/** `choice`: one of a few values that the type itself names. */
export type AdvisedKind = 'text' | 'number' | 'time' | 'choice'

/** The field that advice is asked for. */
export interface AdvisedField {
  /** `Model.field`. */
  readonly name: string
  readonly modelName: string
  readonly field: string
  readonly model: ModelSchema
  readonly spec: EncryptedFieldSchema
  readonly type: ValueType
  readonly kind: AdvisedKind
  /** What the schema says already of how its text is searched. */
  readonly normalize: readonly string[]
}

const KINDS: { readonly [type in ValueType]: AdvisedKind | undefined } = {
  String: 'text',
  Int: 'number',
  BigInt: 'number',
  Float: 'number',
  Decimal: 'number',
  DateTime: 'time',
  Boolean: 'choice',
  Enum: 'choice',
  Json: undefined,
  Bytes: undefined,
}

/** What most texts are searched by: however they are spelt. */
const USUAL = ['trim', 'lowercase'] as const

/** @throws FieldsealError `OPTIONS_INVALID` for what is no encrypted field, or one that nothing can be said of */
export function advisedField(schema: EncryptionSchema, name: string): AdvisedField {
  const [modelName, field] = splitFieldName(name)
  const model = own(schema.models, modelName)
  if (field === '' || model === undefined) throw unknownField(schema, name)
  const spec = own(model.encrypted, field)
  if (spec === undefined) throw notEncrypted(schema, name)
  const type = spec.value ?? spec.type
  const kind = KINDS[type]
  if (spec.list) throw invalid(`${name} is a list, and an index is of one value: advise looks at fields of one value`)
  if (kind === undefined) throw invalid(`${name} holds ${type}, which has no equal values to look for: ${NO_INDEX}`)
  const [index] = Object.values(model.indexes).filter(({ sources }) => sources.length === 1 && sources[0] === field)
  const normalize = kind === 'text' ? (index?.normalize ?? USUAL) : []
  return { name, modelName, field, model, spec, type, kind, normalize }
}

const NO_INDEX =
  'advise looks at texts, numbers, times, enums and booleans. Put what you search by into a field of its own'

function unknownField(schema: EncryptionSchema, name: string): FieldsealError {
  const known = encryptedNames(schema)
  if (known.length === 0) return invalid('the schema encrypts nothing yet: mark a field as encrypted')
  return invalid(
    `there is no field ${printable(name)}; ${andThen(didYouMean(name, known))}encrypted are ${some(known)}`,
  )
}

function notEncrypted(schema: EncryptionSchema, name: string): FieldsealError {
  const [modelName, field] = splitFieldName(name)
  const { columns, indexes, encrypted } = schema.models[modelName]!
  const index = own(indexes, field)
  if (index !== undefined) return invalid(`${name} is an index itself: ask for ${modelName}.${index.sources[0]}`)
  const fields = Object.keys(encrypted).map((one) => `${modelName}.${one}`)
  if (!Object.hasOwn(columns, field) || fields.length === 0) return unknownField(schema, name)
  return invalid(`${name} is not encrypted, so the database has indexes for it; encrypted are ${some(fields)}`)
}

function encryptedNames({ models }: EncryptionSchema): string[] {
  return Object.entries(models).flatMap(([model, { encrypted }]) =>
    Object.keys(encrypted).map((field) => `${model}.${field}`),
  )
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, 8).join(', ')
  return names.length > 8 ? `${shown} and ${names.length - 8} more` : shown
}

function invalid(message: string): FieldsealError {
  return new FieldsealError('OPTIONS_INVALID', `advise: ${message}`)
}
