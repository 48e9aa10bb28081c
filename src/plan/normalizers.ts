import { NORMALIZERS } from '../crypto/normalizers.js'
import { invalidOptions } from '../invalidOptions.js'
import type { EncryptionSchema } from '../schema/encryptionSchema.js'

const invalid = invalidOptions('fieldEncryption: "normalizers"')

/** Normalisers of the application, by the name that `normalize:` of an index uses. */
export interface Normalizers {
  readonly [name: string]: (text: string) => string
}

const BUILT_IN: Normalizers = NORMALIZERS

/** What the names of an index's normalisers do. */
export function normalizersOf(names: readonly string[], own: Normalizers): ((text: string) => string)[] {
  return names.map((name) => (Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name]! : own[name]!))
}

/** @throws FieldsealError `OPTIONS_INVALID` when a normaliser is no function, is missing, or has the name of a built-in */
export function checkNormalizers(schema: EncryptionSchema, own: Normalizers): void {
  if (typeof own !== 'object' || own === null) throw invalid('must be an object: { name: (text) => text }')
  for (const [name, normalizer] of Object.entries(own)) {
    if (Object.hasOwn(BUILT_IN, name)) throw invalid(`has "${name}", which is built in; give yours another name`)
    if (typeof normalizer !== 'function') throw invalid(`has "${name}", which is not a function: (text) => text`)
  }
  for (const [model, { indexes, tokenIndexes = {} }] of Object.entries(schema.models)) {
    for (const [column, index] of Object.entries({ ...indexes, ...tokenIndexes })) {
      if ('normalize' in index) checkNamed(`${model}.${column}`, index.normalize, own)
    }
  }
}

function checkNamed(index: string, names: readonly string[], own: Normalizers): void {
  const missing = names.find((name) => !Object.hasOwn(BUILT_IN, name) && !Object.hasOwn(own, name))
  if (missing !== undefined) {
    throw invalid(`lacks "${missing}", which ${index} names; add it: normalizers: { ${missing}: (text) => text }`)
  }
}
