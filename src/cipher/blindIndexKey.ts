import { FieldsealError } from '../errors.js'
import type { Dek } from '../keys/dek.js'
import type { ComparisonSlot, IndexSlot } from './slot.js'

/**
 * The one key under which a blind index is made while the tenant's key is rotated. The column has room for what one key
 * makes: first all rows are written under the old key, then, when everybody searches for both, under the new one.
 *
 * @throws FieldsealError `KEY_ROTATING` for what one key cannot answer
 */
export function blindIndexKey(dek: Dek, { index, use }: IndexSlot): Dek {
  const retiring = dek.beside.find(({ state }) => state === 'retiring')?.dek
  switch (use) {
    case 'searched for':
      // A row is named by a unique column, in which nobody but the rotation itself writes what the new key makes.
      if (retiring && index.constrained) return retiring
      throw rotating(
        index.name,
        'name a row, be paged from, be asked for by "equals" and "in" in one filter, or by "not" in "not"',
        'use findFirst or findMany with one operator in a filter',
      )
    case 'indexed':
      throw rotating(index.name, 'be asked for by itself', 'let the client search')
    default:
      if (retiring) return retiring
      // The constraint would let a value in that another row has under the old key.
      if (index.constrained) throw rotating(index.name, 'be written, for it is unique', 'read only')
      return dek
  }
}

/**
 * For index values that the database compares with each other.
 *
 * @throws FieldsealError `KEY_ROTATING` while some are under one key and some under another
 */
export function checkComparable(dek: Dek, { index }: ComparisonSlot): void {
  if (dek.beside.length > 0) throw rotating(index.name, 'tell rows apart', 'leave "distinct" out')
}

function rotating(name: string, what: string, instead: string): FieldsealError {
  const message =
    `${name} cannot ${what}, while its tenant's key for indexes is rotated: some rows are under the old key and some under ` +
    `the new one. Try again when \`fieldseal rotate --purpose index\` has ended; until then ${instead}`
  return new FieldsealError('KEY_ROTATING', message)
}
