import { type MaintainedField, type MaintainedIndex, type MaintainedModel, mayHaveNoTokens } from './model.js'
import type { CellState } from './storedCell.js'

/**
 * - `encrypt`: plaintext becomes ciphertext, and indexes are filled
 * - `re-encrypt`: ciphertexts under a retired DEK come under the active one
 * - `reindex`: indexes are made again
 * - `decrypt`: ciphertext becomes plaintext, and indexes are emptied
 * - `verify`: everything is read and nothing changed
 */
export type Operation = 'encrypt' | 're-encrypt' | 'reindex' | 'decrypt' | 'verify'

export const OPERATIONS: readonly Operation[] = ['encrypt', 're-encrypt', 'reindex', 'decrypt', 'verify']

/** What an operation does to a row. */
export interface RowWork {
  /** To be encrypted, or encrypted anew if under a retired DEK. */
  readonly seal: readonly MaintainedField[]
  /** To become plaintext. */
  readonly reveal: readonly MaintainedField[]
  /** To be opened for nothing but to see that it can be. */
  readonly open: readonly MaintainedField[]
  /** To be made of the values. */
  readonly index: readonly MaintainedIndex[]
  /** To become NULL. */
  readonly clear: readonly MaintainedIndex[]
}

/** What a row's cells hold, by field; those of indexes too. */
export type RowStates = ReadonlyMap<string, CellState>

const NOTHING = { seal: [], reveal: [], open: [], index: [], clear: [] }

const planners: {
  readonly [operation in Operation]: (model: MaintainedModel, states: RowStates) => Partial<RowWork>
} = {
  encrypt: ({ fields, indexes }, states) => {
    const seal = fields.filter(({ field }) => states.get(field) === 'plain')
    const names = new Set(seal.map(({ field }) => field))
    const index = indexes.filter((index) => index.sources.some((name) => names.has(name)) || lacks(states, index))
    // Opening these fails, which is how they come to be reported.
    return { seal, index, open: fields.filter(({ field }) => states.get(field) === 'torn') }
  },
  're-encrypt': (model, states) => ({ seal: ciphertexts(model, states) }),
  reindex: (model, states) => ({ index: indexesOfCiphertexts(model, states) }),
  decrypt: (model, states) => ({
    reveal: ciphertexts(model, states),
    clear: model.indexes.filter(({ field }) => states.get(field) !== 'null'),
  }),
  verify: (model, states) => ({ open: ciphertexts(model, states), index: indexesOfCiphertexts(model, states) }),
}

export function planRow(operation: Operation, model: MaintainedModel, states: RowStates): RowWork {
  return { ...NOTHING, ...planners[operation](model, states) }
}

function ciphertexts({ fields }: MaintainedModel, states: RowStates): MaintainedField[] {
  return fields.filter(({ field }) => hasCiphertext(states, field))
}

export function hasCiphertext(states: RowStates, field: string): boolean {
  const state = states.get(field)
  return state === 'ciphertext' || state === 'torn'
}

/** Plaintext is the business of `encrypt`, which fills its indexes too. */
function indexesOfCiphertexts({ indexes }: MaintainedModel, states: RowStates): MaintainedIndex[] {
  return indexes.filter(({ sources }) => !sources.some((source) => states.get(source) === 'plain'))
}

function lacks(states: RowStates, index: MaintainedIndex): boolean {
  const state = states.get(index.field)
  const isMissing = state === 'null' || (state === 'empty' && !mayHaveNoTokens(index))
  return isMissing && index.sources.every((source) => states.get(source) !== 'null')
}
