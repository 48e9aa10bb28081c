import { fieldError } from '../cipher/slot.js'
import { type Ciphertext, headerOfHead, headOf, PREFIX } from '../crypto/ciphertext.js'
import { hasExactNumbers } from './exactJson.js'
import type { MaintainedField } from './model.js'
import type { Cell } from './rowSource.js'

const QUOTED_PREFIX = `"${PREFIX}`

/** Whether a cell holds what looks like a ciphertext. */
export function isCiphertext(field: MaintainedField, cell: Cell): boolean {
  if (field.storage === 'Json') return typeof cell === 'string' && cell.startsWith(QUOTED_PREFIX)
  return cell !== null && headOf(cell) !== null
}

/** The ciphertext in a cell that `isCiphertext`. */
export function ciphertextIn(field: MaintainedField, cell: Cell): Ciphertext {
  return field.storage === 'Json' ? (JSON.parse(cell as string) as string) : cell!
}

/**
 * The DEK that a ciphertext names.
 *
 * @throws FieldsealError `CIPHERTEXT_INVALID`
 */
export function dekIdIn(field: MaintainedField, cell: Cell): string {
  const header = headerOfHead(headOf(ciphertextIn(field, cell))!)
  if (header) return header.dekId
  const what = 'begins like a ciphertext and is none: look at the row, and take the beginning off if it is plaintext'
  throw fieldError('CIPHERTEXT_INVALID', field, what)
}

export function cellOfCiphertext(field: MaintainedField, ciphertext: Ciphertext): Cell {
  return field.storage === 'Json' ? JSON.stringify(ciphertext) : ciphertext
}

/**
 * The value of a cell that holds plaintext.
 *
 * @throws FieldsealError `VALUE_INVALID` for a value that JavaScript cannot hold exactly
 */
export function plaintextIn(field: MaintainedField, cell: Cell): unknown {
  return field.storage === 'Json' ? exactJson(field, cell as string) : cell
}

export function cellOfPlaintext(field: MaintainedField, value: unknown): Cell {
  return field.storage === 'Json' ? JSON.stringify(value) : (value as Cell)
}

function exactJson(field: MaintainedField, text: string): unknown {
  if (hasExactNumbers(text)) return JSON.parse(text)
  throw fieldError('VALUE_INVALID', field, 'holds a number in its JSON that JavaScript would round: make it a string')
}
