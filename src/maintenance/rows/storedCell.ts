import { types } from 'node:util'
import { formerFormatOf, formerValue, isFormer } from '../../cipher/formerValue.js'
import { headerOf } from '../../cipher/headers.js'
import { checkedValue, fieldError } from '../../cipher/slot.js'
import { type Ciphertext, headOf, PREFIX } from '../../crypto/ciphertext.js'
import { isDirect } from '../../crypto/direct.js'
import { isPlaintext, parseTextForm, textForm } from '../../crypto/textForm.js'
import { lossOf } from './exactValue.js'
import type { MaintainedField, MaintainedIndex } from './model.js'
import type { Cell } from './rowSource.js'

const QUOTED_PREFIX = `"${PREFIX}`
const HEX = '\\x'
const NO_TOKENS = '{}'

/** What a cell holds: `empty` is a list without elements, also of tokens, `torn` what begins like a ciphertext and is none. */
export type CellState = 'null' | 'empty' | 'plain' | 'ciphertext' | 'torn'

export function stateOf(field: MaintainedField, cell: Cell): CellState {
  if (cell === null) return 'null'
  if (looksEncrypted(field, cell)) return isTorn(field, cell) ? 'torn' : 'ciphertext'
  return field.list && cell === '[]' ? 'empty' : 'plain'
}

export function stateOfIndex({ kind }: MaintainedIndex, cell: Cell): CellState {
  if (cell === null) return 'null'
  return kind === 'tokens' && cell === NO_TOKENS ? 'empty' : 'plain'
}

function looksEncrypted(field: MaintainedField, cell: string | Uint8Array): boolean {
  if (field.list) return !isPlaintext(field, listIn(field, cell))
  if (field.column === 'Json') return (cell as string).startsWith(QUOTED_PREFIX)
  return headOf(cell) !== null
}

function isTorn(field: MaintainedField, cell: Cell): boolean {
  try {
    dekIdIn(field, cell)
    return false
  } catch {
    return true
  }
}

/** The ciphertext in a cell that holds one. */
export function ciphertextIn(field: MaintainedField, cell: Cell): Ciphertext {
  if (!field.list) return field.column === 'Json' ? (JSON.parse(cell as string) as string) : cell!
  const [only, ...others] = listIn(field, cell)
  if (headOf(only) !== null && others.length === 0) return only as Ciphertext
  throw fieldError('CIPHERTEXT_INVALID', field, 'holds a list that is not one ciphertext of this library')
}

/**
 * The DEK that a ciphertext names; `undefined` when the KMS itself encrypted it.
 *
 * @throws FieldsealError `CIPHERTEXT_INVALID`
 */
export function dekIdIn(field: MaintainedField, cell: Cell): string | undefined {
  const header = headerOf(headOf(ciphertextIn(field, cell))!)
  if (header) return isDirect(header) ? undefined : header.dekId
  const what = 'begins like a ciphertext and is none: look at the row, and take the beginning off if it is plaintext'
  throw fieldError('CIPHERTEXT_INVALID', field, what)
}

/** @param made what the cipher puts into the field: a ciphertext, or a list of one */
export function cellOfCiphertext(field: MaintainedField, made: unknown): Cell {
  if (field.list) return cellOfList(made as readonly unknown[])
  return field.column === 'Json' ? JSON.stringify(made) : (made as Cell)
}

/** @param made what the cipher makes of an index: a text or bytes, or a list of tokens */
export function cellOfIndex({ kind }: MaintainedIndex, made: unknown): Cell {
  return kind === 'tokens' && made !== null ? `{${(made as readonly string[]).join(',')}}` : (made as Cell)
}

/**
 * The value that plaintext in a cell stands for, or what another library has encrypted.
 *
 * @throws FieldsealError `VALUE_INVALID` for what is no value of the field, or none that JavaScript can hold exactly; as
 * `formerValue`
 */
export function plaintextIn(field: MaintainedField, cell: Cell): unknown {
  const stored = storedIn(field, cell)
  if (isFormer(field, stored)) return formerIn(field, stored)
  const value = parseTextForm(field, stored)
  if (value === undefined)
    throw fieldError(
      'VALUE_INVALID',
      field,
      `holds plaintext that is no value of ${field.kind}: correct it in the database`,
    )
  const texts = field.list ? (stored as unknown[]) : [cell]
  const loss = texts.map((text) => (typeof text === 'string' ? lossOf(field.kind, text) : undefined)).find(Boolean)
  if (loss !== undefined) throw fieldError('VALUE_INVALID', field, `holds ${loss}`)
  return value
}

/** The library that has made what is in a cell which holds no ciphertext of ours; `undefined` for plaintext. */
export function formerLibraryIn(field: MaintainedField, cell: Cell): string | undefined {
  return isFormer(field, storedIn(field, cell)) ? formerFormatOf(field).library : undefined
}

function storedIn(field: MaintainedField, cell: Cell): unknown {
  return field.list ? listIn(field, cell) : field.column === 'Json' ? JSON.parse(cell as string) : cell
}

function formerIn(field: MaintainedField, stored: unknown): unknown {
  const { value, plaintext } = formerValue(field, stored)
  const loss = typeof plaintext === 'string' ? lossOf(field.kind, plaintext) : undefined
  if (loss !== undefined) throw fieldError('VALUE_INVALID', field, `holds ${loss}`)
  return value
}

/** @throws FieldsealError `VALUE_INVALID` for a value that would be taken for a ciphertext */
export function cellOfPlaintext(field: MaintainedField, value: unknown): Cell {
  const form = checkedValue(field, () => textForm(field, value, true))
  if (field.list) return cellOfList(form as readonly unknown[])
  return field.column === 'Json' ? JSON.stringify(form) : (form as Cell)
}

/** Bytes stand in JSON as PostgreSQL writes them. */
function listIn({ column }: MaintainedField, cell: Cell): unknown[] {
  const elements = JSON.parse(cell as string) as unknown[]
  if (column !== 'Bytes') return elements
  return elements.map((hex) => new Uint8Array(Buffer.from((hex as string).slice(HEX.length), 'hex')))
}

function cellOfList(elements: readonly unknown[]): string {
  const written = elements.map((element) =>
    types.isUint8Array(element) ? HEX + Buffer.from(element).toString('hex') : element,
  )
  return JSON.stringify(written)
}

export function sameCell(one: Cell, other: Cell): boolean {
  if (one === null || other === null || typeof one === 'string' || typeof other === 'string') return one === other
  return Buffer.compare(one, other) === 0
}
