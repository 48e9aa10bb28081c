import { UnencodableValue } from '../crypto/codec.js'
import { encodeField } from '../crypto/fieldValue.js'
import { type ErrorCode, FieldsealError } from '../errors.js'
import type { ReplacedState } from '../keys/keyStore.js'
import type { TenantScope } from '../tenancy/scope.js'
import type { CipherField } from './cipherField.js'
import type { CipherTokenIndex } from './tokenIndex.js'

export type { CipherField } from './cipherField.js'

/** A blind index over encrypted fields. */
export interface CipherIndex {
  /** `Model.column`, for messages. */
  readonly name: string
  /** The fields that it is made from, in order: mostly one. */
  readonly sources: readonly CipherField[]
  /** The names of its normalisers, and what they do; applied to text in this order. */
  readonly normalize: readonly string[]
  readonly normalizers: readonly ((text: string) => string)[]
  readonly bits: number
  /** The form in its column. */
  readonly column: 'String' | 'Bytes'
  /** A unique constraint of the database counts on it, alone or with other columns. */
  readonly constrained: boolean
  readonly scope: 'tenant' | 'global'
}

/** Whose data an operation touches. Shared by its slots and filled in before they are transformed. */
export interface TenantHolder {
  tenant?: TenantScope
  /** The column of the row that names the tenant, where that alone tells: `Model.field`. */
  readonly column?: string
}

/** A value to transform: read from `holder[key]` and written back there. */
export type Slot = EncryptSlot | DecryptSlot | IndexSlot | ComparisonSlot | TokenSlot

/** A slot that needs the active key of its tenant. */
export type ActiveSlot = Exclude<Slot, DecryptSlot>

interface SlotBase {
  readonly field: CipherField
  readonly owner: TenantHolder
  readonly holder: Record<string, unknown>
  readonly key: string
}

export interface EncryptSlot extends SlotBase {
  readonly mode: 'encrypt'
  readonly use?: ValueUse
  /** The canonical texts of the bound columns, in order. */
  readonly bound: readonly string[]
}

export interface DecryptSlot extends SlotBase {
  readonly mode: 'decrypt'
  readonly bound: readonly string[]
}

export interface IndexSlot extends SlotBase {
  readonly mode: 'index'
  readonly use?: ValueUse
  readonly index: CipherIndex
  /** The plaintext values, one for each source; `holder[key]` is only written. */
  readonly values: readonly unknown[]
  /**
   * Takes what several keys make of the values, the newest first, in place of `holder[key]`: while the tenant's key is
   * rotated, and the oldest of them has come to this state. Without it there is room for one only.
   */
  readonly several?: (slot: IndexSlot, made: readonly unknown[], state: ReplacedState) => void
}

/** Index values that the database compares with each other: all of them must be by one key. Nothing is made. */
export interface ComparisonSlot extends SlotBase {
  readonly mode: 'compare'
  readonly index: CipherIndex
}

export interface TokenSlot extends SlotBase {
  readonly mode: 'tokens'
  readonly index: CipherTokenIndex
  /** What is done with them, as there may be several keys to make them under: while the tenant's is rotated. */
  readonly use: TokenUse
  /**
   * Makes what the tokens are made of; `holder[key]` is only written, if at all.
   *
   * @throws FieldsealError `VALUE_INVALID`
   */
  readonly bodies: () => readonly Buffer[]
}

/**
 * Tokens are stored, or any of them is asked for (`any`): then those under all keys stand in one list in `holder[key]`. Or
 * all of them are asked for, which are those under one key: the function is given the list under each, the newest first.
 */
export type TokenUse = 'any' | ((lists: readonly (readonly string[])[]) => void)

/**
 * What becomes of a value, `written` unless told: what is wrong with it is told so. One that is `kept` was in the database
 * before, so that it may be one that could not be written any more.
 */
export type ValueUse = 'written' | 'searched for' | 'indexed' | 'kept'

/** Does what may find that a value cannot be used, and says of which field. */
export function checkedValue<T>(field: CipherField, work: () => T, use: ValueUse = 'written'): T {
  try {
    return work()
  } catch (error) {
    throw valueError(field, error, use)
  }
}

/** What was thrown over a value, said of its field if it is that the value cannot be used. */
export function valueError(field: CipherField, thrown: unknown, use: ValueUse = 'written'): unknown {
  if (!(thrown instanceof UnencodableValue)) return thrown
  return fieldError('VALUE_INVALID', field, `cannot be ${use}: the value ${thrown.message}`)
}

/** An error about a field: it names the field, never a value. */
export function fieldError(code: ErrorCode, field: CipherField, what: string, cause?: FieldsealError): FieldsealError {
  return new FieldsealError(code, `${field.name} ${what}`, cause && { cause })
}

/** Who reads an error about a key or a call wants to know the field, too. */
export async function prefixErrors<T>(prefix: string, key: T | Promise<T>): Promise<T> {
  try {
    return await key
  } catch (error) {
    if (!FieldsealError.is(error)) throw error
    throw new FieldsealError(error.code, `${prefix}: ${error.message}`, { cause: error })
  }
}

/** For a value that is a ciphertext. */
export function twiceEncrypted(field: CipherField): FieldsealError {
  return fieldError('VALUE_INVALID', field, TWICE)
}

const TWICE =
  'is a ciphertext already and would be encrypted twice: copy values through the encrypted client on both sides, and ' +
  'in an extension chained after the encryption do not write with the encrypted client'

/** @throws FieldsealError `VALUE_INVALID` for a value that the field cannot hold */
export function encodeValue(field: CipherField, value: unknown, use?: ValueUse): string | Buffer {
  // By no function made for it: values come by here in very many.
  try {
    return encodeField(field, value, use === 'kept')
  } catch (error) {
    throw valueError(field, error, use)
  }
}
