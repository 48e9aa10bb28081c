import { MOST_DIRECT_BYTES } from '../crypto/direct.js'
import type { Datamodel, DatamodelEnum, DatamodelField } from './datamodel.js'
import type { StorageType, ValueType } from './encryptionSchema.js'
import type { EncryptedOptions } from './fieldOptions.js'
import { andThen, didYouMean } from './suggestion.js'
import type { SchemaWording } from './wording.js'

/** A field and what its annotation says of its values. */
export interface ValueSubject {
  readonly field: DatamodelField
  readonly options: EncryptedOptions
  readonly facts: { readonly datamodel: Datamodel }
}

/** With the words for what is wrong with them. */
export interface CheckedValueSubject extends ValueSubject {
  readonly facts: { readonly datamodel: Datamodel; readonly wording: SchemaWording }
}

const storageTypes = ['String', 'Bytes', 'Json'] as const satisfies readonly StorageType[]

/** Types whose values are all of one length, or nearly so. */
const fixedTypes = ['Int', 'BigInt', 'Float', 'Boolean', 'DateTime'] as const
const valueTypes = [...storageTypes, ...fixedTypes, 'Decimal'] as const satisfies readonly ValueType[]

/** Whether a Prisma type can hold ciphertext. */
export function isStorageType(type: string): type is StorageType {
  return storageTypes.some((storage) => storage === type)
}

/** The enum that `type:` names. */
export function enumOf({ options, facts }: ValueSubject): DatamodelEnum | undefined {
  return facts.datamodel.enums.find(({ name }) => name === options.type)
}

/** What the field holds; an unknown name was reported by `typeProblem`. */
export function valueTypeOf(subject: ValueSubject): ValueType {
  const { field, options } = subject
  if (enumOf(subject) !== undefined) return 'Enum'
  return (options.type ?? field.type) as ValueType
}

/** What `type:` must not be. */
export function typeProblem(subject: CheckedValueSubject): string | undefined {
  const { field, options, facts } = subject
  const { type } = options
  const { wording } = facts
  if (type === undefined || !isStorageType(field.type)) return undefined
  const names = [...valueTypes, ...facts.datamodel.enums.map(({ name }) => name)]
  if (!names.includes(type)) {
    return `has ${wording.option('type', type)}, which is no type; ${andThen(didYouMean(type, names))}write ${valueTypes.join(', ')} or ${wording.enum}`
  }
  if (field.type === 'Json' && type !== 'Json') {
    return `is Json, which holds JSON only; leave out ${wording.option('type', type)}, or ${wording.text}`
  }
  return undefined
}

/** Where `pad:` would hide nothing. */
export function padProblem(subject: CheckedValueSubject): string | undefined {
  const { field, options } = subject
  const type = valueTypeOf(subject)
  if (options.pad === undefined || field.isList || !fixedTypes.some((fixed) => fixed === type)) return undefined
  return `has ${subject.facts.wording.option('pad', options.pad)}, yet all values of the type ${type} are equally long; leave it out`
}

/** A block that no value fits into. */
export function modeProblem({ options, facts: { wording } }: CheckedValueSubject): string | undefined {
  const { mode, pad } = options
  if (mode !== 'kms' || pad === undefined || pad <= MOST_DIRECT_BYTES) return undefined
  return (
    `has ${wording.option('pad', pad)} and ${wording.option('mode', 'kms')}, with which a value takes ${MOST_DIRECT_BYTES} bytes at most; ` +
    `make \`pad\` smaller, or leave out ${wording.option('mode', 'kms')}`
  )
}

/** Plaintext of a typed field has a form in text columns only. What another library has encrypted may stand in any. */
export function stateProblem(subject: CheckedValueSubject): string | undefined {
  const { field, options } = subject
  const { wording } = subject.facts
  const type = valueTypeOf(subject)
  if (options.state !== 'ejecting' || field.type !== 'Bytes' || type === 'Bytes') return undefined
  return (
    `is ${wording.state(options.state)} and holds ${type} in ${wording.type(field)}, where plaintext of that type has no form; ` +
    `leave out ${wording.state(options.state)}, or ${wording.text}`
  )
}

/** Masks are made of text and are text; what cannot be text is read or refused. */
export function maskProblem(subject: CheckedValueSubject): string | undefined {
  const { field, options } = subject
  const type = valueTypeOf(subject)
  if (options.mask === undefined || !isStorageType(field.type) || (type === 'String' && !field.isList)) return undefined
  const { wording } = subject.facts
  const held = field.isList ? `a list of ${type}` : type
  return `has ${wording.option('mask', options.mask)} and holds ${held}, while a mask is text; leave it out: who may not read the ${wording.field} is refused`
}
