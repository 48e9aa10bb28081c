import type { KeyObject } from 'node:crypto'
import { aadOf } from '../crypto/aad.js'
import { currentEngine } from '../crypto/chooseEngine.js'
import type { Engine, IndexKey, Place, ValueKey } from '../crypto/engine.js'
import { textCodecOf, type ValueForm } from '../crypto/fieldValue.js'
import { encodeHeader, FLAG_PADDED, SUITE_AES_256_GCM } from '../crypto/header.js'
import { DEK_BYTES, deriveWith } from '../crypto/keys.js'
import { FieldsealError } from '../errors.js'
import type { ReplacedState } from './keyStore.js'
import type { KeptIdentity, Purpose } from './kms.js'

/** What a DEK has to know of a field. */
export interface PlaceForm extends ValueForm {
  /** The context in the AAD. */
  readonly context: string
}

/** A key for indexes that has a successor, and what becomes of it. */
export interface ReplacedDek {
  readonly dek: Dek
  readonly state: ReplacedState
}

/**
 * An unwrapped DEK as the process holds it: only the key derived for its purpose, as a `KeyObject`, and what can be
 * computed once for all values under it.
 */
export class Dek {
  readonly id: string
  readonly tenant: string
  readonly purpose: Purpose
  readonly key: KeyObject
  /** For `encrypt` only: the key as the engine works with it, on whole batches of values. */
  readonly values: ValueKey | undefined
  /** For `index` only: the same. */
  readonly indexes: IndexKey | undefined
  /** For `index` only: those of text and range indexes. */
  readonly tokens: { readonly text: IndexKey; readonly range: IndexKey } | undefined
  /** For `index` only, while it is rotated: the tenant's older ones, which are searched for as well. */
  readonly beside: readonly ReplacedDek[]
  readonly #header: Buffer
  /** By context: of each, the first that was asked for. */
  readonly #places = new Map<string, Place>()
  /** Those of another form than the first of their context, by all that tells them apart. */
  #others: Map<string, Place> | undefined

  /** Takes over `bytes` and zeroes them. */
  constructor(identity: KeptIdentity, bytes: Buffer, engine = currentEngine(), beside: readonly ReplacedDek[] = []) {
    try {
      if (bytes.length !== DEK_BYTES) throw wrongLength(identity)
      const { purpose, key: dekId } = identity
      this.id = dekId
      this.tenant = identity.tenant
      this.beside = beside
      this.purpose = purpose
      this.#header = encodeHeader({ suite: SUITE_AES_256_GCM, flags: 0, dekId })
      const { key, made } = deriveWith(bytes, purpose, (derived, raw) => ({
        values: purpose === 'encrypt' ? engine.open(derived, raw) : undefined,
        indexes: purpose === 'index' ? engine.openIndex(derived, raw) : undefined,
      }))
      this.key = key
      this.values = made.values
      this.indexes = made.indexes
      this.tokens = purpose === 'index' ? tokenKeys(bytes, engine) : undefined
    } finally {
      bytes.fill(0)
    }
  }

  /** A field, as `values` works with it, of a DEK that has them: the same object each time for fields that are alike. */
  place(field: PlaceForm, padded: boolean): Place {
    const first = this.#places.get(field.context)
    if (first) return first.padded === padded && isOf(first, field) ? first : this.#otherPlace(field, padded)
    const place = this.#newPlace(field, padded)
    this.#places.set(field.context, place)
    return place
  }

  #otherPlace(field: PlaceForm, padded: boolean): Place {
    const name = JSON.stringify([field.context, padded, formOf(field), textCodecOf(field)])
    this.#others ??= new Map()
    const place = this.#others.get(name) ?? this.#newPlace(field, padded)
    this.#others.set(name, place)
    return place
  }

  #newPlace(field: PlaceForm, padded: boolean): Place {
    const header = padded ? this.#paddedHeader() : this.#header
    const aad = aadOf(header, this.tenant, field.context)
    return this.values!.place({ header, aad, form: formOf(field), padded, codec: textCodecOf(field) })
  }

  #paddedHeader(): Buffer {
    return encodeHeader({ suite: SUITE_AES_256_GCM, flags: FLAG_PADDED, dekId: this.id })
  }
}

function tokenKeys(dek: Uint8Array, engine: Engine): Dek['tokens'] {
  const open = (use: 'textIndex' | 'rangeIndex') => deriveWith(dek, use, engine.openIndex).made
  return { text: open('textIndex'), range: open('rangeIndex') }
}

function formOf({ column }: ValueForm): Place['form'] {
  return column === 'Bytes' ? 'raw' : 'text'
}

/** Fields of one context, by `as:` or of clients that are limited differently, need not have one type. */
function isOf({ form, codec }: Place, field: PlaceForm): boolean {
  return form === formOf(field) && codec === textCodecOf(field)
}

function wrongLength(identity: KeptIdentity): FieldsealError {
  return new FieldsealError('KEY_INVALID', `the KMS returned DEK ${identity.key} with a length other than 32 bytes`)
}
