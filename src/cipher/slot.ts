import type { ValueKind } from '../crypto/codec.js'
import { type ErrorCode, FieldsealError } from '../errors.js'
import type { TenantScope } from '../keys/keyRing.js'

/** An encrypted field, as far as values are concerned. */
export interface CipherField {
  /** `Model.field`, for messages. */
  readonly name: string
  /** The context in the AAD. */
  readonly context: string
  readonly kind: ValueKind
}

/** A blind index over encrypted fields. */
export interface CipherIndex {
  /** `Model.column`, for messages. */
  readonly name: string
  /** The fields that it is made from, in order: mostly one. */
  readonly sources: readonly CipherField[]
  readonly normalize: readonly string[]
  readonly bits: number
  /** The form in its column. */
  readonly column: 'String' | 'Bytes'
  readonly scope: 'tenant' | 'global'
}

/** Whose data an operation touches. Shared by its slots and filled in before they are transformed. */
export interface TenantHolder {
  tenant?: TenantScope
}

/** A value to transform: read from `holder[key]` and written back there. */
export type Slot = EncryptSlot | DecryptSlot | IndexSlot

interface SlotBase {
  readonly field: CipherField
  readonly owner: TenantHolder
  readonly holder: Record<string, unknown>
  readonly key: string
}

export interface EncryptSlot extends SlotBase {
  readonly mode: 'encrypt'
  /** The canonical texts of the bound columns, in order. */
  readonly bound: readonly string[]
}

export interface DecryptSlot extends SlotBase {
  readonly mode: 'decrypt'
  readonly bound: readonly string[]
}

export interface IndexSlot extends SlotBase {
  readonly mode: 'index'
  readonly index: CipherIndex
  /** The plaintext values, one for each source; `holder[key]` is only written. */
  readonly values: readonly unknown[]
}

/** An error about a field: it names the field, never a value. */
export function fieldError(code: ErrorCode, field: CipherField, what: string): FieldsealError {
  return new FieldsealError(code, `${field.name} ${what}`)
}
