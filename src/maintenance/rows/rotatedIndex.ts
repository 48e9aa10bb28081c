import type { IndexSlot } from '../../cipher/cipher.js'
import { FieldsealError } from '../../errors.js'
import type { ReplacedState } from '../../keys/keyStore.js'
import type { MaintainedBlindIndex } from './model.js'
import type { Operation } from './operation.js'
import type { Cell } from './rowSource.js'
import { cellOfIndex, sameCell } from './storedCell.js'

/** A blind index of a row that maintenance comes to while the tenant's key for indexes is rotated. */
export interface RotatedIndex {
  readonly index: MaintainedBlindIndex
  readonly operation: Operation
  /** What its column holds. */
  readonly stored: Cell
}

/**
 * What its column is to hold, of what the keys make: the newest first. Until the old key is replaced, searches of processes
 * that know of no other ask for what that makes alone.
 *
 * @throws FieldsealError `KEY_ROTATING` where a unique constraint would not see that another row has the value already
 */
export function rotatedIndex(
  { index, operation, stored }: RotatedIndex,
  made: readonly unknown[],
  state: ReplacedState,
): unknown {
  const held = made.find((value) => sameCell(cellOfIndex(index, value), stored))
  if (operation === 'verify' && held !== undefined) return held
  if (state === 'retiring') return made.at(-1)
  const isMoved = operation === 'reindex' && held !== undefined
  if (index.cipher.constrained && !isMoved && operation !== 'verify') throw notWritten(index)
  return made[0]
}

/** Has what the keys make of a value decide what is written, if there is more than one. */
export function severalIn(rotated: RotatedIndex): NonNullable<IndexSlot['several']> {
  return ({ holder, key }, made, state) => {
    holder[key] = rotatedIndex(rotated, made, state)
  }
}

function notWritten({ cipher }: MaintainedBlindIndex): FieldsealError {
  const message =
    `${cipher.name} is unique, and holds nothing yet that was made of the value: it cannot be filled while the tenant's key ` +
    'for indexes is rotated. Run this again when `fieldseal rotate --purpose index` has ended; if that waits for this row, ' +
    'set the value to NULL or delete the row, and write it again afterwards'
  return new FieldsealError('KEY_ROTATING', message)
}
