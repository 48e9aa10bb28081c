import type { MaintainedField, MaintainedIndex, MaintainedModel } from './model.js'
import type { Cell, StoredRow } from './rowSource.js'
import { isCiphertext, isPlain, isTorn } from './storedCell.js'

/**
 * - `encrypt`: plaintext becomes ciphertext, and blind indexes are filled
 * - `re-encrypt`: ciphertexts under a retired DEK come under the active one
 * - `reindex`: blind indexes are made again
 * - `decrypt`: ciphertext becomes plaintext, and blind indexes are emptied
 * - `verify`: everything is read and nothing changed
 */
export type Operation = 'encrypt' | 're-encrypt' | 'reindex' | 'decrypt' | 'verify'

export const OPERATIONS: readonly Operation[] = ['encrypt', 're-encrypt', 'reindex', 'decrypt', 'verify']

/** What an operation does to one row. */
export interface RowWork {
  readonly row: StoredRow
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

const NOTHING = { seal: [], reveal: [], open: [], index: [], clear: [] }

const planners: {
  readonly [operation in Operation]: (model: MaintainedModel, row: StoredRow) => Partial<RowWork>
} = {
  encrypt: (model, row) => {
    const seal = model.fields.filter((field) => isPlain(field, cellAt(row, field)))
    const names = new Set(seal.map(({ field }) => field))
    const index = model.indexes.filter((index) => index.sources.some((name) => names.has(name)) || lacks(row, index))
    // Opening these fails, which is how they come to be reported.
    return { seal, index, open: model.fields.filter((field) => isTorn(field, cellAt(row, field))) }
  },
  're-encrypt': (model, row) => ({ seal: ciphertexts(model, row) }),
  reindex: (model, row) => ({ index: indexesOfCiphertexts(model, row) }),
  decrypt: (model, row) => ({
    reveal: ciphertexts(model, row),
    clear: model.indexes.filter((index) => cellAt(row, index) !== null),
  }),
  verify: (model, row) => ({ open: ciphertexts(model, row), index: indexesOfCiphertexts(model, row) }),
}

export function planRow(operation: Operation, model: MaintainedModel, row: StoredRow): RowWork {
  return { ...NOTHING, ...planners[operation](model, row), row }
}

export function cellAt(row: StoredRow, { field }: { readonly field: string }): Cell {
  return row.cells[field] ?? null
}

function ciphertexts(model: MaintainedModel, row: StoredRow): MaintainedField[] {
  return model.fields.filter((field) => isCiphertext(field, cellAt(row, field)))
}

/** Plaintext is the business of `encrypt`, which fills its indexes too. */
function indexesOfCiphertexts(model: MaintainedModel, row: StoredRow): MaintainedIndex[] {
  const plain = model.readable.filter((field) => isPlain(field, cellAt(row, field)))
  return model.indexes.filter(({ sources }) => !plain.some(({ field }) => sources.includes(field)))
}

function lacks(row: StoredRow, index: MaintainedIndex): boolean {
  return cellAt(row, index) === null && index.sources.every((source) => (row.cells[source] ?? null) !== null)
}
