import type { CipherField, CipherIndex, CipherTokenIndex } from '../../cipher/cipher.js'
import { FieldsealError } from '../../errors.js'

/** A model as maintenance sees it: its encrypted fields and their indexes. */
export interface MaintainedModel {
  readonly name: string
  /** The fields to work on. */
  readonly fields: readonly MaintainedField[]
  /** These and the others that their indexes are made of. */
  readonly readable: readonly MaintainedField[]
  readonly indexes: readonly MaintainedIndex[]
}

export interface MaintainedField extends CipherField {
  /** Its name in the model. */
  readonly field: string
  /** The columns whose values are in the AAD. */
  readonly bind: readonly string[]
}

export type MaintainedIndex = MaintainedBlindIndex | MaintainedTokenIndex

interface MaintainedIndexBase {
  /** The name of its field in the model. */
  readonly field: string
  /** The encrypted fields that it indexes. */
  readonly sources: readonly string[]
}

export interface MaintainedBlindIndex extends MaintainedIndexBase {
  readonly kind: 'blind'
  /** No two rows may have the same, or no two of one tenant. */
  readonly unique: boolean
  readonly cipher: CipherIndex
}

/** A text or range index, in a column of lists. */
export interface MaintainedTokenIndex extends MaintainedIndexBase {
  readonly kind: 'tokens'
  readonly cipher: CipherTokenIndex
}

/** Whether an index may have no tokens of a value: a text may be too short for any. */
export function mayHaveNoTokens(index: MaintainedIndex): boolean {
  return index.kind === 'tokens' && index.cipher.kind === 'text'
}

/**
 * The part of a model that a run works on: the chosen fields and the indexes over them.
 *
 * @param chosen names of encrypted fields; all of them unless given
 * @throws FieldsealError `OPTIONS_INVALID` for a name that is no encrypted field
 */
export function selectFields(model: MaintainedModel, chosen?: readonly string[]): MaintainedModel {
  if (chosen === undefined) return model
  const known = model.fields.map(({ field }) => field)
  for (const name of chosen) {
    if (known.includes(name)) continue
    const message = `${model.name}.${name} is not an encrypted field; ${model.name} has ${known.join(', ') || 'none'}`
    throw new FieldsealError('OPTIONS_INVALID', message)
  }
  const indexes = model.indexes.filter(({ sources }) => sources.some((source) => chosen.includes(source)))
  const needed = new Set([...chosen, ...indexes.flatMap(({ sources }) => sources)])
  return {
    name: model.name,
    fields: model.fields.filter(({ field }) => chosen.includes(field)),
    readable: model.readable.filter(({ field }) => needed.has(field)),
    indexes,
  }
}
